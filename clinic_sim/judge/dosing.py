"""Is a prescribed dose the right one, and is it a danger? Amounts are compared, not schedules: `500 mg three times a
day` is `1.5 g a day in three doses`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast

from clinic_sim.cases.reference import Dosage
from clinic_sim.knowledge.concepts import rows
from clinic_sim.knowledge.doses import Regimen, Unit

UNSTATED = 0.8
"""Credit of the right medicine without a dose, where the case asks for one; also for a dose that cannot be compared."""
NO_SCHEDULE = 0.9
"""Credit where the amount of one dose is right and nobody says how often."""
WRONG_ROUTE = 0.8
WRONG_COURSE = 0.9
ROUNDING = 1.1
"""Factor within which an amount is right: tablets come in sizes."""
_BY_FACTOR = ((1.5, 0.8), (3.0, 0.5), (10.0, 0.2))
"""Credit of an amount that is off by at most this factor; more is worth nothing."""
TENFOLD = 10.0
"""How far above the largest right amount a dose is dangerous where the case does not say: a slip of the decimal."""
BEYOND = 2.0
"""How far above the largest labelled dose any dose is dangerous."""
LIGHT = 50.0
"""Body weight, kg, at which a dose by weight is held against a labelled one where the record has no weight."""
_FACTOR = {"g": 1000.0, "mg": 1.0, "ug": 0.001, "iu": 1.0, "ml": 1.0, "mmol": 1.0}


@dataclass(frozen=True, slots=True)
class Limit:
    """The largest labelled doses of a medicine."""

    single: float
    daily: float
    unit: Unit


@cache
def limits() -> dict[str, Limit]:
    """The largest labelled doses by concept."""
    return {c: Limit(float(s), float(d), cast(Unit, u)) for c, s, d, u in rows("dose_limits.tsv")}


def regimen_of(dosage: Dosage) -> Regimen:
    """A dosage of the reference in the form in which a plan's dose is read."""
    factor = _FACTOR[dosage.unit]
    unit: Unit = "mg" if dosage.unit in ("g", "mg", "ug") else cast(Unit, dosage.unit)
    return Regimen(
        dosage.low * factor,
        dosage.high * factor,
        unit,
        dosage.per_kg,
        dosage.per,
        (dosage.times, dosage.times) if dosage.times else None,
        dosage.once,
    )


def dose_credit(stated: Sequence[Regimen], wanted: Sequence[Dosage], kg: float | None) -> float:
    """How right a prescribed dose is, in [0, 1]: the best of what is stated against the best of what is wanted.

    1 within the range, whatever the schedule that makes it up; less by how far it is off; `UNSTATED` without a dose.
    A wrong route or course costs a part.
    """
    found = [c for s in stated for w in wanted if (c := _credit(s, w, kg)) is not None]
    return max(found) if found else UNSTATED


def _credit(stated: Regimen, wanted: Dosage, kg: float | None) -> float | None:
    pair = _comparable(stated, regimen_of(wanted), kg)
    if pair is None:
        return None
    given, right, partial = pair
    # The nearest amounts of two ranges: a plan may leave the steps to the response.
    off = max(given[0] / right[1], right[0] / given[1], 1.0)
    credit = 1.0 if off <= ROUNDING else next((c for factor, c in _BY_FACTOR if off <= factor), 0.0)
    if partial:
        credit *= NO_SCHEDULE
    if wanted.routes and stated.route and stated.route not in wanted.routes:
        credit *= WRONG_ROUTE
    if wanted.days and stated.days and not stated.days[0] / 1.5 <= wanted.days <= stated.days[1] * 1.5:
        credit *= WRONG_COURSE
    return credit


Amounts = tuple[float, float]


def _comparable(stated: Regimen, wanted: Regimen, kg: float | None) -> tuple[Amounts, Amounts, bool] | None:
    """The two amounts on one basis, and whether the stated one leaves open how often it is given."""
    if stated.unit != wanted.unit:
        return None
    scale = _scale(stated, wanted, kg)
    if scale is None:
        return None
    if stated.daily and wanted.daily and not (stated.once or wanted.once):
        return _times(stated.daily, scale), wanted.daily, False
    if stated.single and wanted.single:
        # Where the reference gives one dose and no schedule, the schedule is not asked for.
        return _times(stated.single, scale), wanted.single, wanted.times is not None and stated.times is None
    if stated.single and wanted.daily:
        return _times(stated.single, scale), wanted.daily, True
    return None


def _scale(stated: Regimen, wanted: Regimen, kg: float | None) -> float | None:
    """What the stated amount is multiplied with to be per kilogram where the wanted one is."""
    if stated.per_kg == wanted.per_kg:
        return 1.0
    if not kg:
        return None
    return kg if stated.per_kg else 1 / kg


def _times(amounts: Amounts, scale: float) -> Amounts:
    return amounts[0] * scale, amounts[1] * scale


def danger(concept: str, stated: Sequence[Regimen], wanted: Sequence[Dosage], kg: float | None) -> str:
    """Why a prescribed dose is dangerous: beyond the case's own bound, or far beyond any labelled dose; empty if not.

    Where the case gives doses of the medicine, they alone decide: they know the patient.
    """
    for regimen in stated:
        if wanted:
            found = [_beyond_case(regimen, dosage, kg) for dosage in wanted]
            # A loading dose is no danger because it is more than the daily one: all that can be compared must say so.
            told = [reason for reason in found if reason is not None]
            if told and all(told):
                return told[0]
        elif reason := _beyond_label(concept, regimen, kg):
            return reason
    return ""


def _beyond_case(stated: Regimen, dosage: Dosage, kg: float | None) -> str | None:
    """Why it is beyond this dosage; empty where it is not, None where the two cannot be compared."""
    right = regimen_of(dosage)
    pair = _comparable(stated, right, kg)
    if pair is None:
        return None
    most = dosage.most * _FACTOR[dosage.unit] if dosage.most else TENFOLD * right.high
    # `most` is on the basis of `high`.
    bound = most / right.high * pair[1][1]
    if pair[0][1] > bound or (dosage.most is None and pair[0][1] >= bound):
        return f"{_shown(pair[0])} {right.unit} where at most {bound:g} is safe"
    return ""


def _beyond_label(concept: str, stated: Regimen, kg: float | None) -> str:
    limit = limits().get(concept)
    if limit is None or limit.unit != stated.unit:
        return ""
    scale = (kg or LIGHT) if stated.per_kg else 1.0
    for amounts, most in ((stated.single, limit.single), (stated.daily, limit.daily)):
        if amounts and amounts[1] * scale > BEYOND * most:
            return f"{_shown(_times(amounts, scale))} {stated.unit} where no label goes beyond {most:g}"
    return ""


def _shown(amounts: Amounts) -> str:
    return f"{amounts[0]:g}" if amounts[0] == amounts[1] else f"{amounts[0]:g}-{amounts[1]:g}"
