"""Criteria from the case graph: one rubric, any case.

`made` is what a judge needs: the criteria of a case with their targets. `expand` says with each why it exists, naming
the edges of the graph; `case_rubric` writes the same as a rubric of that case alone, for its author to edit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from clinic_sim.cases.case import Case
from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.cases.exams import Exam
from clinic_sim.cases.facts import Fact
from clinic_sim.cases.reference import Contraindication, RedFlag, Treatment
from clinic_sim.errors import RubricError
from clinic_sim.judge.edges import reason
from clinic_sim.judge.reference import reference_lines
from clinic_sim.judge.rubric import GENERATOR_OF, SAFETY, CheckName, Criterion, Generator, Rubric
from clinic_sim.judge.rubric_parts import Cap, Dimension, Needs

Identified = Fact | Exam | Treatment | Contraindication | RedFlag

SEVERITY_POINTS = {1: 2.0, 2: 5.0, 3: 10.0}
"""Points that a contraindicated act costs, by its severity (avoidable, harmful, life-threatening)."""
HISTORY = "history"
"""Target of a criterion about the whole history."""
MOST_POINTS = 10.0
"""What a criterion of a rubric file has at most."""


@dataclass(frozen=True, slots=True)
class Made:
    """A criterion of one case."""

    criterion: Criterion
    target: str
    """The part of the case that it is about; empty for the case as a whole."""
    origin: str
    """Id of the rubric's criterion that it comes from; its own where nothing was generated."""


def made(rubric: Rubric, compiled: CompiledCase) -> tuple[Made, ...]:
    """The rubric's criteria for one case, generated ones made; what does not apply to the case is left out."""
    found = [item for criterion in rubric.criteria for item in _made(criterion, compiled)]
    while True:
        names = {name for item in found for name in (item.criterion.id, item.origin)}
        kept = [i for i in found if all(names.intersection(need.any) for need in i.criterion.needs if need.any)]
        if len(kept) == len(found):
            return tuple(kept)
        found = kept


def expand(rubric: Rubric, compiled: CompiledCase) -> tuple[tuple[Criterion, str], ...]:
    """The rubric's criteria for one case, each with its target; generated ones say which edges they come from."""
    return tuple(
        (
            item.criterion
            if item.origin == item.criterion.id
            else item.criterion.model_copy(update={"why": reason(item.criterion.check, item.target, compiled)}),
            item.target,
        )
        for item in made(rubric, compiled)
    )


def _made(criterion: Criterion, compiled: CompiledCase) -> Iterator[Made]:
    if not criterion.spoken(compiled.case.language):
        return
    if criterion.generate is None:
        if not criterion.target or _has(compiled.case, criterion.check, criterion.target):
            yield Made(criterion, criterion.target, criterion.id)
        return
    for target, weight in _targets(criterion.generate, compiled):
        changes = {"id": f"{criterion.id}.{target}", "points": criterion.points * weight, "generate": None, "why": ""}
        yield Made(criterion.model_copy(update=changes), target, criterion.id)


def _has(case: Case, check: CheckName, target: str) -> bool:
    """The case has what a hand-written criterion is about."""
    if target == HISTORY:
        return GENERATOR_OF[check] == HISTORY
    pools: dict[str, Iterable[Identified]] = {
        "fact_disclosed": case.facts,
        "red_flag_covered": case.red_flags,
        "exam_ordered": case.exams,
        "treatment_covered": case.treatment,
        "contraindicated": case.contraindicated,
    }
    return any(part.id == target for part in pools.get(check, ()))


def _targets(kind: Generator, compiled: CompiledCase) -> Iterator[tuple[str, float]]:
    """Each thing of the case that a criterion is made for, and what its points are multiplied by."""
    case, graph = compiled.case, compiled.graph
    if kind == "facts":
        given = compiled.given_facts
        for fact in case.facts:
            worth = graph.worth(fact.id)
            if worth and fact.id not in given:
                yield fact.id, worth
    elif kind == "history":
        # One criterion, weighted by all that the patient can tell: a share of the history, however long it is.
        given = compiled.given_facts
        total = sum(graph.worth(fact.id) for fact in case.facts if fact.id not in given)
        if total:
            yield HISTORY, total
    elif kind == "red_flags":
        for flag in case.red_flags:
            yield flag.id, 1.0
    elif kind == "essential_exams":
        for exam in case.exams:
            if exam.essential:
                yield exam.id, 1.0
    elif kind == "treatment":
        for item in case.treatment:
            yield item.id, float(item.priority.weight)
    else:
        for ban in case.contraindicated:
            yield ban.id, SEVERITY_POINTS[ban.severity]


def case_rubric(rubric: Rubric, compiled: CompiledCase) -> Rubric:
    """The rubric of one case: every generated criterion written out. It scores that case as the rubric does.

    Raises:
        RubricError: the case holds nothing that the rubric could score.
    """
    case = compiled.case
    items = list(made(rubric, compiled))
    whys = {criterion.id: criterion.why for criterion, _ in expand(rubric, compiled)}
    earning = {i.criterion.dimension for i in items if i.criterion.points > 0}
    taking = {i.criterion.dimension for i in items if i.criterion.points < 0} & rubric.deducting
    # Where a case offers nothing to earn, the dimension is unscored: the case's own rubric does without it.
    kept = [name for name in rubric.dimensions if name in earning | taking]
    if not earning:
        raise RubricError(
            f"case {case.id!r} holds nothing that rubric {rubric.name!r} scores: there is nothing to earn"
        )
    items = list(_reported(items, kept, rubric, compiled))
    scales = {name: _scale(items, name) for name in (*kept, SAFETY)}
    ids: dict[str, list[str]] = {}
    for item in items:
        for name in dict.fromkeys((item.origin, item.criterion.id)):
            ids.setdefault(name, []).append(item.criterion.id)
    criteria = []
    for item in items:
        c = item.criterion
        changes: dict[str, Any] = {
            "points": c.points / scales[c.dimension],
            "target": item.target,
            "why": whys[c.id],
            "requires": tuple(n for need in c.needs if (n := _named(need, ids)) is not None),
            "beside": c.beside if c.beside in ids else "",
        }
        criteria.append(c.model_copy(update=changes).model_dump())
    data = rubric.model_dump(exclude={"criteria", "dimensions", "alternatives", "caps"})
    data |= {
        "name": f"{rubric.name}-{case.id}",
        "title": f"{rubric.title}: {case.id}",
        "dimensions": {n: _scaled(rubric.dimensions[n], scales[n]).model_dump() for n in kept},
        "criteria": criteria,
        "alternatives": [names for s in rubric.alternatives if len(names := _ids(s, ids)) > 1],
        "caps": [cap.model_dump() for cap in _caps(rubric, ids, scales, items)],
        "penalty_per_point": rubric.penalty_per_point * scales[SAFETY],
    }
    return Rubric.model_validate(data)


def _reported(items: Sequence[Made], kept: Sequence[str], rubric: Rubric, compiled: CompiledCase) -> Iterator[Made]:
    """Without the criteria of a dimension that is not kept; what others rest on is still checked, for 0 points."""
    needed = {name for item in items for need in item.criterion.needs for name in need.ids}
    for item in items:
        c = item.criterion
        if c.beside and reference_lines(c.beside, rubric.criteria, compiled) == ():
            continue  # nothing to compare with: unscored in any case
        vetoes = c.veto is not None and c.veto.of == "total"
        if c.dimension in kept or c.dimension == SAFETY:
            yield item
        elif vetoes or needed & {c.id, item.origin}:
            changes = {"dimension": kept[0], "points": 0.0, "required": False, "veto": c.veto if vetoes else None}
            yield replace(item, criterion=c.model_copy(update=changes))


def _scale(items: Iterable[Made], dimension: str) -> float:
    """By what points are divided so that none is above what a file may hold; points are relative in a dimension."""
    most = max((abs(i.criterion.points) for i in items if i.criterion.dimension == dimension), default=0.0)
    return float(max(1, ceil(most / MOST_POINTS)))


def _scaled(dimension: Dimension, scale: float) -> Dimension:
    return dimension if dimension.cap is None else dimension.model_copy(update={"cap": dimension.cap / scale})


def _ids(names: Iterable[str], ids: Mapping[str, list[str]]) -> list[str]:
    return list(dict.fromkeys(i for name in names for i in ids.get(name, ())))


def _named(need: Needs, ids: Mapping[str, list[str]]) -> str | Needs | None:
    names = _ids(need.ids, ids)
    if not names:
        return None
    if len(names) == 1:
        return names[0]
    return Needs(any=tuple(names)) if need.any else Needs(all=tuple(names))


def _caps(
    rubric: Rubric, ids: Mapping[str, list[str]], scales: Mapping[str, float], items: Iterable[Made]
) -> Iterator[Cap]:
    dimension_of = {i.criterion.id: i.criterion.dimension for i in items}
    for cap in rubric.caps:
        names = _ids(cap.of, ids)
        if names:
            yield Cap(of=tuple(names), points=cap.points / scales[dimension_of[names[0]]])
