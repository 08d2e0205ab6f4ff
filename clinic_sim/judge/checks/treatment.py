"""Checks on treatment: items matched by drug, class or procedure and by dose; what exceeds them; what would harm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clinic_sim.judge.checks.finding import Finding, missing
from clinic_sim.judge.harm import WORST, Harm
from clinic_sim.judge.hearing import Hearing
from clinic_sim.knowledge.allergies import CONTRAST, conflict
from clinic_sim.knowledge.exam_catalogue import catalogue
from clinic_sim.knowledge.treatments import concepts as all_concepts
from clinic_sim.knowledge.treatments import covers, plan_words, text_overlap

_WATCHING = frozenset({"monitoring", "follow_up"})
OVERLAP = 0.6
"""Share of an item's content words that a plan must carry where the lexicon knows no concept of it."""


def treatment_covered(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """The plan holds this item.

    Value: 1 for the item, one of its alternatives or a member of its class; half where only the class of a wanted
    medicine is named, or another medicine of the same narrow class; times the credit of the dose where the case asks
    for one (`dosing.dose_credit`: 1 right, 0.8 unstated, less by how far it is off). What would harm this patient
    covers nothing.
    """
    item = next(t for t in h.case.treatment if t.id == target)
    if h.conclusion is None:
        return Finding(0.0, (), item.name)
    concepts, avoided, note = h.chart.wanted[target], h.chart.avoided.get(target, ()), ""
    if concepts:
        value, dose = h.covered.get(target, (0.0, 1.0))
        note = f" (dose {dose:.2f})" if value and dose < 1 else ""
    elif avoided:
        # Whoever avoids the class avoids its member.
        value = 1.0 if any(covers(c, m.concept) == 1.0 for m in h.avoided for c in avoided) else 0.0
    else:
        value = 1.0 if any(_worded(name, h) >= OVERLAP for name in (item.name, *item.alternatives)) else 0.0
    return Finding(value, h.concluded_at if value else (), item.name + note)


def treatment_excess(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """How far the plan goes beyond the reference plus an `allowance` (default 8).

    Value: 0 within it, 1 at twice the allowance over it. Watching is one treatment, however many values are watched.
    """
    if not h.case.treatment:
        return missing("treatment")
    allowance, known = int(params.get("allowance", 8)), all_concepts()
    kinds = {m.concept: known[m.concept].kind for m in h.plan}
    named = len({kind if kind in _WATCHING else concept for concept, kind in kinds.items()})
    over = named - len(h.case.treatment) - allowance
    return Finding(
        min(1.0, max(0.0, over / (2 * allowance))),
        h.concluded_at,
        f"{named} different treatments named; the reference has {len(h.case.treatment)}",
    )


def contraindicated(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """The plan gives, or an order performs, what this patient must not get.

    Value: 1 if so, else 0.
    """
    ban = next(c for c in h.case.contraindicated if c.id == target)
    given = [harm.mention for harm in h.harms if harm.ban == target]
    ordered = [o for o in h.orders if o.code in ban.exams]
    planned = [i for i in h.planned_exams if i.code in ban.exams] if ban.exams else []
    at = (*(o.n for o in ordered), *(h.concluded_at if given or planned else ()))
    names = [*(m.text for m in given), *(o.name for o in ordered), *(i.name for i in planned)]
    what = ", ".join(dict.fromkeys(names))
    reason = f"{what}: {ban.reason}" if at else f"{ban.name} was not given"
    return Finding(1.0 if at else 0.0, at, reason)


def allergy_conflict(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """The plan gives what an allergy in this patient's record forbids, by itself or by cross-reactivity, or an order
    brings in contrast medium against an allergy to it; what a contraindication of the case forbids already is its own.

    Value: 1 if so, else 0.
    """
    banned = {harm.mention for harm in h.harms if harm.kind == "contraindicated"}
    given = [harm for harm in h.harms if harm.kind == "allergy" and harm.mention not in banned]
    ordered = []
    if conflict(CONTRAST, h.chart.allergens):
        own = {code for ban in h.case.contraindicated for code in ban.exams}
        book = catalogue()
        ordered = [
            o for o in h.orders if o.code not in own and o.code in book and _iodinated(o.code, book.get(o.code).flags)
        ]
    at = (*(o.n for o in ordered), *(h.concluded_at if given else ()))
    told = [f"{g.mention.text}: {g.reason}" for g in given] + [f"{o.name}: allergy to contrast medium" for o in ordered]
    return Finding(1.0 if at else 0.0, at, "; ".join(told) or "nothing that an allergy forbids")


def _iodinated(code: str, flags: frozenset[str]) -> bool:
    """Done with iodinated contrast medium, as angiographies by CT or catheter are; MRI takes gadolinium."""
    return "contrast" in flags and not code.startswith("img.mr")


def dangerous_dose(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """A dose of the plan is dangerous: beyond what the case says, ten times the right one, or more than twice the
    largest that any label has (`knowledge/data/dose_limits.tsv`).

    Value: 1 if so, else 0.
    """
    found = [harm for harm in h.harms if harm.kind == "dose"]
    told = "; ".join(f"{harm.mention.text}: {harm.reason}" for harm in found)
    return Finding(1.0 if found else 0.0, h.concluded_at if found else (), told or "no dangerous dose")


def unsafe_plan(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """The worst that the plan would do to this patient: a contraindicated treatment, an allergen, a dangerous dose.

    Value: its severity over 3: 1 life-threatening (every allergen and dangerous dose is), 0.67 harmful, 0.33
    avoidable, 0 none.
    """
    worst = max(h.harms, key=lambda harm: harm.severity, default=None)
    if worst is None:
        return Finding(0.0, (), "nothing in the plan is known to harm this patient")
    return Finding(worst.severity / WORST, h.concluded_at, _said(worst))


def _said(harm: Harm) -> str:
    return f"{harm.mention.text}: {harm.reason}"


def _worded(name: str, h: Hearing) -> float:
    """How far the plan says this; an item that avoids something is looked for among what the plan avoids."""
    given, _ = plan_words(name)
    return text_overlap(name, h.plan_text if given else h.avoided_text, h.case.language)
