"""`clinic-sim rubric validate`: every error of a rubric file, and what is right in form and yet to no effect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.cases.loading import read_yaml
from clinic_sim.errors import CaseError
from clinic_sim.judge import rubric_links
from clinic_sim.judge.generate import made
from clinic_sim.judge.rubric import JUDGED, SAFETY, Criterion, Rubric
from clinic_sim.judge.rubric_errors import at, located
from clinic_sim.judge.rubric_links import Problem
from clinic_sim.judge.rubric_parts import Cap

_CONCLUDED = frozenset(
    {
        *("icd_match", "comorbid_named", "differential_named", "treatment_covered"),
        *("unsafe_plan", "dangerous_dose"),
    }
)
"""Checks whose evidence is the conclusion."""
_ORDERED = frozenset({"exam_ordered", "exam_contraindicated"})
"""Checks whose evidence is an order, with which the work-up begins."""
_LITTLE = 0.001
"""Share of the total below which a weight changes no digit that is reported."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known of a rubric file."""

    file: str
    rubric: Rubric | None
    """None where it is invalid."""
    problems: tuple[str, ...] = ()
    """`file:line: field: what is wrong`."""
    warnings: tuple[str, ...] = ()


def check_file(path: Path, cases: Sequence[CompiledCase] = ()) -> Checked:
    """Read a rubric and tell everything that is wrong with it.

    Args:
        path: The file.
        cases: Where the rubric is to be used: what can apply to none of them is told too.
    """
    try:
        data = read_yaml(path)
        rubric = Rubric.model_validate(data)
    except CaseError as exc:
        return Checked(str(path), None, tuple(str(exc).splitlines()))
    except ValidationError as exc:
        found = dict.fromkeys((*located(path, exc), *(at(path, *p) for p in _further(data))))
        return Checked(str(path), None, tuple(sorted(found, key=_line)))
    told = [*warnings(rubric), *_nowhere(rubric, cases)]
    return Checked(str(path), rubric, (), tuple(at(path, place, text) for place, text in told))


def _line(problem: str) -> int:
    """The line that a located problem names."""
    digits = problem.split(":", 2)[1:2]
    return int(digits[0]) if digits and digits[0].isdigit() else 0


def _further(data: Any) -> list[Problem]:
    """What does not fit together among the criteria that can be read: an error in one must not hide those of others."""
    if not isinstance(data, dict) or not isinstance(data.get("criteria"), list):
        return []
    read: dict[int, Criterion] = {}
    others: set[str] = set()
    for n, item in enumerate(data["criteria"]):
        try:
            read[n] = Criterion.model_validate(item)
        except ValidationError:
            others.add(str(item.get("id")) if isinstance(item, dict) else "")
    if not others:
        return []
    dimensions = data.get("dimensions")
    alternatives = [ids for ids in _several(data, "alternatives") if _are_ids(ids)]
    caps = []
    for item in _several(data, "caps"):
        try:
            caps.append(Cap.model_validate(item))
        except ValidationError:
            continue
    names = list(dimensions) if isinstance(dimensions, dict) else []
    return rubric_links.problems(names, read, alternatives, caps, others)


def _several(data: dict[str, Any], name: str) -> list[Any]:
    found = data.get(name)
    return found if isinstance(found, list) else []


def _are_ids(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def warnings(rubric: Rubric) -> Iterator[Problem]:
    """What is to no effect, whatever the case."""
    yield from _weights(rubric)
    by_id = {c.id: c for c in rubric.criteria}
    for n, c in enumerate(rubric.criteria):
        yield from _never(n, c, by_id)
        if c.check == JUDGED and c.question is not None and not c.languages and c.question.en == c.question.zh:
            yield (
                ("criteria", n, "question"),
                f"criterion {c.id!r}: one wording for both languages; give `en` and `zh`, or say `languages`",
            )
    yield from _caps(rubric, by_id)


def _never(n: int, c: Criterion, by_id: dict[str, Criterion]) -> Iterator[Problem]:
    where = ("criteria", n, "stage")
    if c.stage is not None and c.stage != "conclusion" and c.check in _CONCLUDED:
        yield where, f"criterion {c.id!r} can never be met: `{c.check}` shows in the conclusion only"
    if c.stage == "history" and c.check in _ORDERED:
        yield where, f"criterion {c.id!r} can never be met: with the first order the history is over"
    if c.stage == "conclusion" and c.speaker == "doctor_to_patient":
        yield where, f"criterion {c.id!r} can hardly be met: the patient does not hear the conclusion"
    for need in c.needs:
        own = [by_id[i] for i in need.ids if i in by_id]
        if need.any and own and not any(_together(c, other) for other in own):
            yield (
                ("criteria", n, "requires"),
                f"criterion {c.id!r} can never apply: what it requires is for other languages",
            )


def _together(one: Criterion, other: Criterion) -> bool:
    return not one.languages or not other.languages or bool(set(one.languages) & set(other.languages))


def _weights(rubric: Rubric) -> Iterator[Problem]:
    total = sum(d.weight for d in rubric.dimensions.values())
    for name, dimension in rubric.dimensions.items():
        where = ("dimensions", name, "weight")
        if len(rubric.dimensions) == 1 and dimension.weight != 1:
            yield where, f"weight {dimension.weight:g} does not matter: {name!r} is the only dimension"
        elif dimension.weight < _LITTLE * total:
            yield where, f"weight {dimension.weight:g} hardly matters: {dimension.weight / total:.2%} of the total"
    for name in rubric.dimensions:
        own = [(n, c) for n, c in enumerate(rubric.criteria) if c.dimension == name and c.points]
        if len(own) == 1 and abs(own[0][1].points) != 1:
            n, c = own[0]
            yield (
                ("criteria", n, "points"),
                f"criterion {c.id!r}: {c.points:g} points do not matter: it is alone in {name!r}",
            )
    harm = next((n for n, c in enumerate(rubric.criteria) if c.dimension == SAFETY and c.points), None)
    if harm is not None and not rubric.penalty_per_point:
        yield ("penalty_per_point",), "harm takes nothing: points of `safety` are multiplied by 0"


def _caps(rubric: Rubric, by_id: dict[str, Criterion]) -> Iterator[Problem]:
    for n, cap in enumerate(rubric.caps):
        own = [by_id[i] for i in cap.of]
        if not any(c.generate for c in own) and sum(c.points for c in own) <= cap.points:
            yield ("caps", n, "points"), f"a cap of {cap.points:g} points never holds: together they have no more"
    for name, dimension in rubric.dimensions.items():
        earning = [c for c in rubric.criteria if c.dimension == name and c.points > 0]
        if dimension.cap is not None and not any(c.generate for c in earning):
            offered = sum(c.points for c in earning)
            if offered <= dimension.cap:
                yield (
                    ("dimensions", name, "cap"),
                    f"a cap of {dimension.cap:g} points never holds: {name!r} offers {offered:g}",
                )


def _nowhere(rubric: Rubric, cases: Iterable[CompiledCase]) -> Iterator[Problem]:
    """Criteria that apply to none of these cases."""
    several = list(cases)
    if not several:
        return
    used = {name for compiled in several for item in made(rubric, compiled) for name in (item.origin,)}
    for n, c in enumerate(rubric.criteria):
        if c.id not in used:
            what = (
                f"`target: {c.target}`" if c.target else f"`generate: {c.generate}`" if c.generate else "its language"
            )
            yield ("criteria", n, "id"), f"criterion {c.id!r} applies to none of the {len(several)} cases: {what}"
