"""Doses in words, English or Chinese, as amounts that can be compared: `500 mg tid` is `每日1.5 g，分3次`.

Owns nothing but the reading of amounts, schedules, routes and courses. What a dose is of, and whether it is right, is
others' business. Nothing here raises on any text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from clinic_sim.knowledge.dose_schedules import HOURS, N_EN, TO, N, course, number, spread, times_a_day
from clinic_sim.knowledge.patterns import Pattern

Unit = Literal["mg", "iu", "ml", "mmol"]
Per = Literal["dose", "day", "hour"]
Route = Literal["oral", "iv", "im", "sc", "sublingual", "inhaled", "topical", "rectal"]

WINDOW = 240
"""Characters behind a medicine's name in which its doses are looked for."""


@dataclass(frozen=True, slots=True)
class Regimen:
    """One dose as a text gives it: an amount, what it is per, and how often; what the text leaves open is None."""

    low: float
    high: float
    unit: Unit
    """Grams and micrograms are milligrams, litres millilitres, units and international units alike."""
    per_kg: bool = False
    per: Per = "dose"
    """What the amount is given per: one dose, a day, or an hour of infusion."""
    times: tuple[float, float] | None = None
    """Doses a day, least and most: 0.5 is every other day."""
    once: bool = False
    """A single dose: loading, at once, in one go."""
    route: Route | None = None
    days: tuple[float, float] | None = None
    """The course, least and most."""

    @property
    def daily(self) -> tuple[float, float] | None:
        """The amount of a day, least and most; None where the text does not tell."""
        if self.per == "day":
            return self.low, self.high
        if self.per == "hour":
            return self.low * HOURS, self.high * HOURS
        if self.once:
            return self.low, self.high
        return (self.low * self.times[0], self.high * self.times[1]) if self.times else None

    @property
    def single(self) -> tuple[float, float] | None:
        """The amount of one dose, least and most; None where the text does not tell."""
        if self.per == "dose":
            return self.low, self.high
        if self.per == "day" and self.times:
            return self.low / self.times[1], self.high / self.times[0]
        return None


_FACTORS: dict[str, tuple[Unit, float]] = {
    **dict.fromkeys(("mg", "毫克", "milligram", "milligrams"), ("mg", 1.0)),
    **dict.fromkeys(("g", "gm", "克", "gram", "grams"), ("mg", 1000.0)),
    **dict.fromkeys(("mcg", "µg", "μg", "ug", "微克", "microgram", "micrograms"), ("mg", 0.001)),
    **dict.fromkeys(("ml", "毫升", "cc"), ("ml", 1.0)),
    **dict.fromkeys(("l", "升", "litre", "litres", "liter", "liters"), ("ml", 1000.0)),
    **dict.fromkeys(("iu", "u", "unit", "units", "单位", "国际单位"), ("iu", 1.0)),
    **dict.fromkeys(("万iu", "万u", "万单位", "万国际单位"), ("iu", 10_000.0)),
    **dict.fromkeys(("mu", "million units", "百万单位"), ("iu", 1_000_000.0)),
    **dict.fromkeys(("mmol", "meq"), ("mmol", 1.0)),
}
_UNITS = "|".join(sorted(map(re.escape, _FACTORS), key=len, reverse=True))
_NUMBER = r"\d{1,3}(?:[ ,]\d{3})+(?!\d)|\d+(?:\.\d+)?"
_AMOUNT = Pattern(
    rf"(?<![a-z\d.])(?P<low>{_NUMBER})\s*(?:(?P<unit0>{_UNITS})?{TO}(?P<high>{_NUMBER})\s*)?(?P<unit>{_UNITS})(?![a-z])"
    r"(?P<per>(?:\s*(?:(?:/|·|\.|\*|\(|per(?![a-z]))[\s(]*(?:kg|公斤|千克|h(?:r|ours?)?|小时|min(?:ute)?|分钟?|d(?:ay)?|日|天|次|dose"
    r"|m2|㎡|m²)(?![a-z])|每(?:公斤|千克)(?:体重)?)\)?)*)"
)
"""An amount with its unit; a range may repeat the unit; then what it is per: `mg/kg/d`, `mg/(kg·d)`, `U/kg/h`."""
_KG = re.compile(r"kg|公斤|千克")
_SURFACE = re.compile(r"m2|㎡|m²")
_PER_HOUR = re.compile(r"(?<![a-z])h(?:r|ours?)?(?![a-z])|小时")
_PER_MINUTE = re.compile(r"(?<![a-z])min|分")
_PER_DAY = re.compile(r"(?<![a-z])d(?:ay)?(?![a-z])|日|天")

_ONCE = re.compile(
    r"\b(?:once only|single(?: \w+)? (?:dose|infusion)|a single|stat|loading|bolus|one[- ]off|at once|immediately"
    r"|once(?! (?:a|per|daily|every|each|weekly)))\b|顿服|单次|单剂|一次性|负荷|立即|即刻|首剂"
)
_DIVIDED = Pattern(
    rf"\b(?:in|into|divided(?: in(?:to)?)?)\s+(?P<n>{N_EN})(?:{TO}(?P<m>{N_EN}))?"
    r"\s*(?:divided |equal )*(?:doses|times|portions)"
    rf"|分\s*(?P<nz>{N})(?:{TO}(?P<mz>{N}))?\s*次"
    r"|\b(?P<d>divided doses|in total|total daily dose|daily total)\b"
)
_OF_A_DAY = re.compile(
    r"(?:每日|每天|一日|一天|日)(?:总?量)?(?:共|为|约)?\s*$|\btotal(?: daily)?(?: dose)?(?: of)?\s*$"
)
_OF_AN_HOUR = re.compile(r"每小时\s*$|\bper hour\s*$")
_ROUTES: tuple[tuple[re.Pattern[str], Route], ...] = (
    (re.compile(r"\b(?:sublingual(?:ly)?|under the tongue)\b|舌下"), "sublingual"),
    (re.compile(r"\b(?:sc|subcut|subcutaneous(?:ly)?|s\.c)\b|皮下"), "sc"),
    (re.compile(r"\b(?:im|intramuscular(?:ly)?|i\.m)\b|肌肉?内?注射?|肌注"), "im"),
    (
        re.compile(r"\b(?:iv|intravenous(?:ly)?|i\.v|ivgtt|infusion|infused|bolus)\b|静脉|静滴|静推|静注|泵入|输注"),
        "iv",
    ),
    (re.compile(r"\b(?:inhaled|inhalation|nebuli[sz]ed|puffs?)\b|吸入|雾化|喷"), "inhaled"),
    (re.compile(r"\b(?:rectal(?:ly)?|suppositor\w+|pr)\b|直肠|纳肛|塞肛"), "rectal"),
    (re.compile(r"\b(?:topical(?:ly)?|cream|ointment|eye drops?)\b|外用|涂|滴眼|点眼"), "topical"),
    (re.compile(r"\b(?:po|oral(?:ly)?|by mouth|chewed|p\.o|tablets?|capsules?)\b|口服|嚼服|内服|顿服|[片粒]"), "oral"),
)
_CEILING = Pattern(
    r"(?:不超过|不大于|最多|最大(?:剂量|量)?(?:为)?|上限|\bmax(?:imum)?(?: of| dose| daily dose)?"
    r"|\b(?:no|not) (?:more than|above|over|exceeding)|\bnot to exceed|\bup to)[\s:]*(?:每[日天次]|一[日天])?\s*\Z"
)
_LEADS = re.compile(r"\s*(?:of|iv|po|im|sc|oral|intravenous|的|口服|静滴|静脉滴注|静推|肌注)?\s*")
_SAME = re.compile(r"\s*\(\s*")
_OTHER = Pattern(
    r"\b(?!(?:then|to|of|or|and|by|with|maintenance|dose|doses|loading|bolus|daily|weekly|day|days|over|from|max|maximum|up|increase"
    r"|increased|increasing|reduce|reduced|reducing|taper|tapered|tapering|titrate|titrated|titrating|followed|after|at|every|each"
    r"|total|usual|usually|initial|initially|until|about|only|least|first|second|next|later|further|once|twice|infusion|orally"
    r"|intravenously|mouth|is|was|are|than|exceeding|above|minimum|equivalent|low|high|full|half|single|oral|drip|rate|thereafter"
    r"|start|starting|target|steps|step|in|if|as|the|for|mls?|weeks?|months?|hours?|minutes?|times)\b)[a-z][a-z-]{2,}\s*:?\s*\Z"
)
_THEN = re.compile(r"\bthen\b|\bfollowed by\b|继以|随后|之后|再予?|然后")
"""After a first dose that is followed by others."""


def has_amount(folded: str) -> bool:
    """Whether there is anything to read in this."""
    return _AMOUNT.search(folded) is not None


def leading_amount(folded: str) -> str:
    """The amount at the end of a text, as it leads a medicine's name (`500 mg of `, `口服0.5g`); empty without one."""
    found = list(_AMOUNT.finditer(folded))
    return folded[found[-1].start() :] if found and _LEADS.fullmatch(folded, found[-1].end()) else ""


def read_regimens(folded: str) -> tuple[Regimen, ...]:
    """Every dose of a folded text that is about one medicine, in order.

    What stands around an amount, up to its neighbours, says how often, by which route and for how long; what is said
    once, of the route, holds for all.
    """
    found = [m for m in _AMOUNT.finditer(folded[:WINDOW]) if not _SURFACE.search(m["per"] or "")]
    # A ceiling (`not above 4 g a day`) is no dose of its own beside one.
    found = [m for m in found if not _CEILING.search(folded, 0, m.start())] or found
    # A word before a later amount that speaks of no dose names another substance (`weekly with calcium 1000 mg`).
    found = [m for n, m in enumerate(found) if not n or not _OTHER.search(folded, found[n - 1].end(), m.start())]
    regimens = []
    for n, match in enumerate(found):
        # What leads an amount (`每日3次，每次0.5 g`) is its own up to the one before, if nothing ends between.
        start = found[n - 1].end() if n else 0
        last = n
        # `2 g/kg (30 g) in one dose`: the bracket says the same amount again, and what follows holds for both.
        while last + 1 < len(found) and _SAME.fullmatch(folded, found[last].end(), found[last + 1].start()):
            last += 1
        until = found[last + 1].start() if last + 1 < len(found) else len(folded)
        lead = folded[start : match.start()]
        if n:
            lead = re.split(r"[,，、(（]|then|followed|继以|后", lead)[-1]
        regimens.append(_regimen(match, lead, folded[match.end() : until], folded, last + 1 < len(found)))
    return tuple(regimens)


def _regimen(match: re.Match[str], lead: str, rest: str, whole: str, more: bool) -> Regimen:
    unit, factor = _FACTORS[match["unit"]]
    low = number(match["low"]) * (_FACTORS[match["unit0"]][1] if match["unit0"] else factor)
    high = number(match["high"]) * factor if match["high"] else low
    per_words = match["per"] or ""
    per: Per = "dose"
    if _PER_HOUR.search(per_words) or _OF_AN_HOUR.search(lead):
        per = "hour"
    elif _PER_MINUTE.search(per_words):
        per, low, high = "hour", low * 60, high * 60
    elif _PER_DAY.search(per_words) or _OF_A_DAY.search(lead):
        per = "day"
    around = f"{lead} | {rest}"
    divided = _DIVIDED.search(around)
    if divided is not None:
        per = "day" if per == "dose" else per
        times = spread(divided["n"] or divided["nz"], divided["m"] or divided["mz"])
    elif per == "day":
        times = None
    else:
        times = times_a_day(rest) or times_a_day(lead)
    once = per == "dose" and times is None and bool(_ONCE.search(around) or (more and _THEN.search(rest)))
    return Regimen(
        min(low, high),
        max(low, high),
        unit,
        _KG.search(per_words) is not None,
        per,
        times,
        once,
        next((route for pattern, route in _ROUTES if pattern.search(around)), None)
        or next((route for pattern, route in _ROUTES if pattern.search(whole)), None),
        course(around),
    )
