"""Criteria from the case graph: one rubric, any case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from clinic_sim.cases.case import Case
from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.cases.exams import Exam
from clinic_sim.cases.facts import Fact
from clinic_sim.cases.reference import Contraindication, RedFlag, Treatment
from clinic_sim.judge.rubric import CheckName, Criterion, Generator, Rubric

Identified = Fact | Exam | Treatment | Contraindication | RedFlag

SEVERITY_POINTS = {1: 2.0, 2: 5.0, 3: 10.0}
"""Points that a contraindicated act costs, by its severity (avoidable, harmful, life-threatening)."""


def expand(rubric: Rubric, compiled: CompiledCase) -> tuple[tuple[Criterion, str], ...]:
    """The rubric's criteria for one case, generated ones made, each with its target (empty for the case as a whole)."""
    found: list[tuple[Criterion, str]] = []
    for criterion in rubric.criteria:
        if criterion.generate is None:
            if not criterion.target or _has(compiled.case, criterion.check, criterion.target):
                found.append((criterion, criterion.target))
            continue
        for target, weight, why in _targets(criterion.generate, compiled):
            made = criterion.model_copy(
                update={
                    "id": f"{criterion.id}.{target}",
                    "points": criterion.points * weight,
                    "generate": None,
                    "why": why,
                }
            )
            found.append((made, target))
    return tuple(found)


def _has(case: Case, check: CheckName, target: str) -> bool:
    """The case has what a hand-written criterion is about."""
    pools: dict[str, Iterable[Identified]] = {
        "fact_disclosed": case.facts,
        "red_flag_covered": case.red_flags,
        "exam_ordered": case.exams,
        "treatment_covered": case.treatment,
        "contraindicated": case.contraindicated,
    }
    return any(part.id == target for part in pools[check])


def _targets(kind: Generator, compiled: CompiledCase) -> Iterator[tuple[str, float, str]]:
    case, graph = compiled.case, compiled.graph
    if kind == "facts":
        given = compiled.given_facts
        for fact in case.facts:
            worth = graph.worth(fact.id)
            if worth and fact.id not in given:
                yield fact.id, worth, f"{fact.importance} fact of the history (worth {worth:g})"
    elif kind == "red_flags":
        for flag in case.red_flags:
            yield flag.id, 1.0, f"red flag: {flag.statement}"
    elif kind == "essential_exams":
        for exam in case.exams:
            if exam.essential:
                yield exam.id, 1.0, f"essential examination: exam:{exam.id} reveals finding:{exam.id}"
    elif kind == "treatment":
        for item in case.treatment:
            yield item.id, float(item.priority.weight), f"{item.priority} treatment: indicates tx:{item.id}"
    else:
        for ban in case.contraindicated:
            yield ban.id, SEVERITY_POINTS[ban.severity], f"contraindicated: {ban.reason}"
