"""What of a plan would harm this patient: what the record forbids, what an allergy forbids, and dangerous doses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from clinic_sim.cases.case import Case
from clinic_sim.cases.reference import Dosage
from clinic_sim.judge.chart import Chart
from clinic_sim.judge.dosing import danger
from clinic_sim.knowledge.allergies import conflict
from clinic_sim.knowledge.treatments import TreatmentMention, covers, name

WORST = 3
"""Severity of what threatens life."""


@dataclass(frozen=True, slots=True)
class Harm:
    """One prescribed treatment that would harm this patient."""

    kind: Literal["contraindicated", "allergy", "dose"]
    mention: TreatmentMention
    severity: int
    """1 avoidable, 2 harmful, 3 life-threatening."""
    reason: str
    ban: str = ""
    """The contraindication's id, for `contraindicated`."""


def harms_of(plan: Sequence[TreatmentMention], case: Case, chart: Chart) -> tuple[Harm, ...]:
    """The harms of a plan, in its order; one medicine may be harmful in several ways."""
    return tuple(harm for mention in plan for harm in _harms(mention, case, chart))


def dosages_for(concept: str, chart: Chart) -> list[Dosage]:
    """The doses that the case gives for this medicine."""
    return [dosage for of, dosage in chart.dosages if any(covers(concept, c) == 1.0 for c in of)]


def _harms(mention: TreatmentMention, case: Case, chart: Chart) -> Iterator[Harm]:
    for ban in case.contraindicated:
        if any(covers(mention.concept, c) == 1.0 for c in chart.banned[ban.id]):
            yield Harm("contraindicated", mention, ban.severity, ban.reason, ban.id)
    # A record that treats with what it calls an allergen knows more of the reaction than its words say.
    found = conflict(mention.concept, chart.allergens)
    if found and not any(mention.concept in wanted for wanted in chart.wanted.values()):
        allergen, why = found
        fact = next(a.fact for a in chart.allergies if a.allergen == allergen)
        said = case.fact(fact).statement
        yield Harm("allergy", mention, WORST, f"“{said[:120]}”, and {name(allergen, 'en')} forbids it: {why}")
    if mention.regimens and (
        reason := danger(mention.concept, mention.regimens, dosages_for(mention.concept, chart), chart.kg)
    ):
        yield Harm("dose", mention, WORST, reason)
