"""Checks on treatment: items matched by drug, class or procedure; harm by what the record forbids."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from clinic_sim.cases.reference import Contraindication, Treatment
from clinic_sim.judge.checks.finding import Finding, missing
from clinic_sim.judge.hearing import Hearing
from clinic_sim.knowledge.orders import OrderItem
from clinic_sim.knowledge.treatments import covers, plan_words, read_treatment, text_overlap

OVERLAP = 0.6
"""Share of an item's content words that a plan must carry where the lexicon knows no concept of it."""


def treatment_covered(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """The plan holds this item, one of its alternatives, or a member of its class."""
    item = next(t for t in h.case.treatment if t.id == target)
    if h.conclusion is None:
        return Finding(0.0, (), item.name)
    concepts = wanted_concepts(item)
    unwanted = () if concepts else _read((item.name,), negated=True)
    if concepts:
        value = max((covers(m.concept, c) for m in h.plan for c in concepts), default=0.0)
    elif unwanted:
        # Whoever avoids the class avoids its member.
        value = 1.0 if any(covers(c, m.concept) == 1.0 for m in h.avoided for c in unwanted) else 0.0
    else:
        value = 1.0 if any(_worded(name, h) >= OVERLAP for name in (item.name, *item.alternatives)) else 0.0
    return Finding(value, h.concluded_at if value else (), item.name)


def treatment_excess(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """How far the plan goes beyond the reference plus an `allowance` (default 8): 1 at twice the allowance over it."""
    if not h.case.treatment:
        return missing("treatment")
    allowance = int(params.get("allowance", 8))
    named = len({m.concept for m in h.plan})
    over = named - len(h.case.treatment) - allowance
    return Finding(
        min(1.0, max(0.0, over / (2 * allowance))),
        h.concluded_at,
        f"{named} different treatments named; the reference has {len(h.case.treatment)}",
    )


def contraindicated(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """The plan gives, or an order performs, what this patient must not get."""
    ban = next(c for c in h.case.contraindicated if c.id == target)
    concepts = banned_concepts(ban)
    given = [m for m in h.plan if any(covers(m.concept, c) >= 1.0 for c in concepts)]
    ordered = [o for o in h.orders if o.code in ban.exams]
    planned = [i for i in _planned_exams(h) if i.code in ban.exams] if ban.exams else []
    at = (*(o.n for o in ordered), *(h.concluded_at if given or planned else ()))
    names = [*(m.text for m in given), *(o.name for o in ordered), *(i.name for i in planned)]
    what = ", ".join(dict.fromkeys(names))
    reason = f"{what}: {ban.reason}" if at else f"{ban.name} was not given"
    return Finding(1.0 if at else 0.0, at, reason)


def wanted_concepts(item: Treatment) -> tuple[str, ...]:
    """Concepts, any of which covers the item: its own, or read from its name and alternatives."""
    if item.concepts:
        return item.concepts
    return _read((item.name, *item.alternatives))


def banned_concepts(ban: Contraindication) -> tuple[str, ...]:
    """Concepts that the contraindication forbids."""
    if ban.concepts or ban.exams:
        return ban.concepts
    return _read((ban.name,))


@lru_cache(maxsize=8192)
def _read(texts: tuple[str, ...], *, negated: bool = False) -> tuple[str, ...]:
    mentions = (m for text in texts for m in read_treatment(text))
    return tuple(dict.fromkeys(m.concept for m in mentions if m.negated == negated))


def _worded(name: str, h: Hearing) -> float:
    """How far the plan says this; an item that avoids something is looked for among what the plan avoids."""
    given, _ = plan_words(name)
    return text_overlap(name, h.plan_text if given else h.avoided_text, h.case.language)


def _planned_exams(h: Hearing) -> tuple[OrderItem, ...]:
    """Examinations that the plan orders, clause by clause."""
    return tuple(item for clause in h.plan_text.splitlines() for item in h.compiled.orders.read(clause).items)
