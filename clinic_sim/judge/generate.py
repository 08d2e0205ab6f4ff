"""Criteria from the case graph: one rubric, any case."""

from __future__ import annotations

from collections.abc import Iterator

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.judge.rubric import Criterion, Generator, Rubric

SEVERITY_POINTS = {1: 2.0, 2: 5.0, 3: 10.0}
"""Points that a contraindicated act costs, by its severity (avoidable, harmful, life-threatening)."""


def expand(rubric: Rubric, compiled: CompiledCase) -> tuple[tuple[Criterion, str], ...]:
    """The rubric's criteria for one case, generated ones made, each with its target (empty for the case as a whole)."""
    found: list[tuple[Criterion, str]] = []
    for criterion in rubric.criteria:
        if criterion.generate is None:
            found.append((criterion, ""))
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
