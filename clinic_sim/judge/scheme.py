"""`Scheme`: a rubric made ready for one case: all that does not change from episode to episode, computed once.

Ids become places in a list, prerequisites an order of evaluation, alternatives and caps groups of places. Scoring an
episode then is a walk along the list (`judge`) and a sum for each dimension (`scoring`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.judge.generate import Made, made
from clinic_sim.judge.reference import reference_lines
from clinic_sim.judge.rubric import JUDGED, SAFETY, YES_NO, Criterion, Rubric
from clinic_sim.judge.scorecard import MET_FROM


@dataclass(frozen=True, slots=True)
class Need:
    """A prerequisite: places, all of which or any of which are met."""

    any: bool
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """Criteria that share a limit: lone ones, sets of alternatives, and what all of them earn at most."""

    lone: tuple[int, ...]
    alternatives: tuple[tuple[int, ...], ...]
    points: float | None
    """None where there is no limit."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A criterion that takes away from what others have earned, and never more than that."""

    place: int
    purse: tuple[int, ...]
    """In an order of their ids, so that the order in the file says nothing."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A required criterion or a veto: what is left at most where it is missed, or met."""

    place: int
    at_most: float
    met: bool
    """It limits when it is met (a veto); else when it is not."""


@dataclass(frozen=True, slots=True)
class DimensionScheme:
    """One dimension of a case's scheme."""

    name: str
    deducting: bool
    """Nothing is earned here: its value begins at 1, and what is lost is taken from the total."""
    own: tuple[int, ...]
    lone: tuple[int, ...]
    """Places that earn without sharing anything."""
    units: tuple[Unit, ...]
    losses: tuple[int, ...]
    """Places that take away."""
    charged: tuple[Loss, ...]
    cap: float | None
    limits: tuple[Limit, ...]
    decisive: tuple[int, ...]
    """Places that can lower the dimension: unjudged, they leave it unscored."""

    @property
    def plain(self) -> bool:
        """A sum and nothing else."""
        return not (self.units or self.charged or self.cap)


@dataclass(frozen=True, slots=True)
class Scheme:
    """A rubric for one case."""

    criteria: tuple[Criterion, ...]
    targets: tuple[str, ...]
    needs: tuple[tuple[Need, ...], ...]
    order: tuple[int, ...]
    """Places, each behind those that it needs."""
    floors: tuple[float, ...]
    """Share of its points that a met criterion keeps whatever is charged to it: what it could have unmet."""
    dimensions: tuple[DimensionScheme, ...]
    harm: tuple[int, ...]
    """Places of `safety` with points."""
    vetoes: tuple[Limit, ...]
    """Those of the total."""
    judged: tuple[Criterion, ...]
    """What the model is asked without the reference."""
    compared: tuple[tuple[Criterion, tuple[str, ...]], ...]
    """What it is asked with these lines of the reference."""
    unanswerable: frozenset[str] = field(default=frozenset())
    """Judged criteria to which the case holds no reference."""


def scheme_of(rubric: Rubric, compiled: CompiledCase) -> Scheme:
    """The rubric's scheme for a case."""
    items = tuple(made(rubric, compiled))
    criteria = tuple(item.criterion for item in items)
    places = _places(items)
    needs = tuple(_needs(item.criterion, places) for item in items)
    judged = [c for c in criteria if c.check == JUDGED]
    lines = {c.id: reference_lines(c.beside, rubric.criteria, compiled) for c in judged}
    return Scheme(
        criteria,
        tuple(item.target for item in items),
        needs,
        _order(needs),
        tuple(0.0 if c.check in YES_NO else MET_FROM for c in criteria),
        tuple(_dimension(rubric, name, criteria, places) for name in rubric.dimensions),
        tuple(n for n, c in enumerate(criteria) if c.dimension == SAFETY and c.points < 0),
        tuple(Limit(n, c.veto.at_most, met=True) for n, c in enumerate(criteria) if c.veto and c.veto.of == "total"),
        tuple(c for c in judged if lines[c.id] is None),
        tuple((c, found) for c in judged if (found := lines[c.id])),
        frozenset(c.id for c in judged if lines[c.id] == ()),
    )


def _places(items: Sequence[Made]) -> dict[str, tuple[int, ...]]:
    """Places by id; a generating id has those of all that it made."""
    found: dict[str, list[int]] = {}
    for n, item in enumerate(items):
        for name in dict.fromkeys((item.criterion.id, item.origin)):
            found.setdefault(name, []).append(n)
    return {name: tuple(places) for name, places in found.items()}


def _needs(criterion: Criterion, places: dict[str, tuple[int, ...]]) -> tuple[Need, ...]:
    """The prerequisites; what does not apply to the case is passed over."""
    found = (Need(bool(item.any), _all(item.ids, places)) for item in criterion.needs)
    return tuple(need for need in found if need.places)


def _all(ids: Iterable[str], places: dict[str, tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(n for name in ids for n in places.get(name, ())))


def _order(needs: Sequence[tuple[Need, ...]]) -> tuple[int, ...]:
    """Each place behind what it needs. The rubric has no circles."""
    if not any(needs):
        return tuple(range(len(needs)))
    found: dict[int, None] = {}
    for start in range(len(needs)):
        stack = [start]
        while stack:
            waiting = [n for need in needs[stack[-1]] for n in need.places if n not in found]
            if waiting:
                stack.append(waiting[0])
            else:
                found.setdefault(stack.pop())
    return tuple(found)


def _dimension(
    rubric: Rubric, name: str, criteria: Sequence[Criterion], places: dict[str, tuple[int, ...]]
) -> DimensionScheme:
    own = tuple(n for n, c in enumerate(criteria) if c.dimension == name)
    inside = set(own)
    sets = [kept for ids in rubric.alternatives if (kept := _kept(ids, places, inside))]
    caps = [(kept, cap.points) for cap in rubric.caps if (kept := _kept(cap.of, places, inside))]
    units = []
    for members, points in caps:
        within = [s for s in sets if s[0] in members]
        paired = {n for s in within for n in s}
        units.append(Unit(tuple(n for n in members if n not in paired), tuple(within), points))
    capped = {n for members, _ in caps for n in members}
    units += [Unit((), (s,), None) for s in sets if s[0] not in capped]
    shared = capped | {n for s in sets for n in s}
    earning = [n for n in own if criteria[n].points > 0]
    negative = [n for n in own if criteria[n].points < 0]
    purses = {n: _purse(criteria[n], criteria, places) for n in negative}
    limits = [*_required(rubric, own, criteria), *_vetoes(own, criteria)]
    return DimensionScheme(
        name,
        name in rubric.deducting,
        own,
        tuple(n for n in earning if n not in shared),
        tuple(units),
        tuple(n for n in negative if not purses[n]),
        tuple(Loss(n, purse) for n, purse in purses.items() if purse),
        rubric.dimensions[name].cap,
        tuple(limits),
        tuple(dict.fromkeys((*negative, *(limit.place for limit in limits)))),
    )


def _kept(ids: Iterable[str], places: dict[str, tuple[int, ...]], inside: set[int]) -> tuple[int, ...]:
    return tuple(n for n in _all(ids, places) if n in inside)


def _purse(criterion: Criterion, criteria: Sequence[Criterion], places: dict[str, tuple[int, ...]]) -> tuple[int, ...]:
    """What a loss is charged to: the criteria with positive points that it hangs on."""
    found = [n for item in criterion.needs for n in _all(item.ids, places) if criteria[n].points > 0]
    return tuple(sorted(set(found), key=lambda n: criteria[n].id))


def _required(rubric: Rubric, own: Sequence[int], criteria: Sequence[Criterion]) -> list[Limit]:
    return [Limit(n, rubric.ceiling(criteria[n].required), met=False) for n in own if criteria[n].required is not False]


def _vetoes(own: Sequence[int], criteria: Sequence[Criterion]) -> list[Limit]:
    found = ((n, criteria[n].veto) for n in own)
    return [Limit(n, veto.at_most, met=True) for n, veto in found if veto is not None and veto.of == "dimension"]
