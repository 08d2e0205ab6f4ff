"""Verdicts to a score: what the criteria of a dimension earn together, and what holds it down.

A judge that failed on a criterion leaves its points open. What is open counts neither as earned nor as missed: the
value is what is sure to be earned over all that is not open. So it lies between what the open verdicts would give if
they were all missed and if they were all met. Where more is open than not, or what is open could take away or hold
down, the dimension is unscored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from clinic_sim.judge.rubric import Rubric
from clinic_sim.judge.scheme import DimensionScheme, Limit, Scheme
from clinic_sim.judge.scorecard import JUDGE_FAILED, MET_FROM, DimensionScore, Status, Verdict

Found = Sequence[Verdict | None]
"""By place on the scheme; None where the criterion does not apply to this episode."""
_MISSING = "missing_reference"
_EXACT = 9
"""Digits that are told apart in sums of points."""
_NONE = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Scores:
    """What verdicts amount to; the fields of a `Scorecard`."""

    total: float | None
    safety: float
    dimensions: Mapping[str, DimensionScore]
    failure: str
    limited_by: tuple[str, ...]


def score(rubric: Rubric, scheme: Scheme, found: Found) -> Scores:
    """The score of these verdicts."""
    dimensions = {d.name: dimension_score(scheme, d, found, rubric) for d in scheme.dimensions}
    harm = [v for n in scheme.harm if (v := found[n]) is not None]
    safety = -min(1.0, rubric.penalty_per_point * sum(map(_lost, harm)))
    vetoes = [v for limit in scheme.vetoes if (v := found[limit.place]) is not None]
    # Whatever a failing judge leaves out could have been points lost: such a total would favour whoever breaks it.
    failed = any(d.failure == JUDGE_FAILED for d in dimensions.values()) or any(
        v.judge_failed for v in (*harm, *vetoes)
    )
    total = None if failed else _total(rubric, scheme, dimensions, safety)
    by: tuple[str, ...] = ()
    if total is not None:
        total, by = limited(total, scheme.vetoes, found)
        total = round(total, 6)
    return Scores(total, round(safety, 6) + 0.0, dimensions, JUDGE_FAILED if failed else "", by)


def dimension_score(scheme: Scheme, dimension: DimensionScheme, found: Found, rubric: Rubric) -> DimensionScore:
    """One dimension of an episode."""
    for n in dimension.decisive:
        verdict = found[n]
        if verdict is not None and verdict.value is None and verdict.judge_failed:
            return DimensionScore(None, None, JUDGE_FAILED)
    if dimension.deducting:
        value = _kept(dimension, found)
    else:
        possible, least, most = _sums(scheme, dimension, found)
        left = round(most - least, _EXACT)
        possible = round(possible - left, _EXACT)
        if possible < left:
            return DimensionScore(None, None, JUDGE_FAILED)
        lost = sum(_lost(found[n]) for n in dimension.losses)
        value = (least - lost) / possible if possible else None
    if value is None:
        failure = next((v.failure for n in dimension.own if (v := found[n]) is not None and v.failure), _MISSING)
        return DimensionScore(None, None, failure)
    value = min(1.0, max(0.0, value))
    value, by = limited(value, dimension.limits, found)
    value = round(value, 6)
    return DimensionScore(value, rubric.grade(value), "", by)


def _total(rubric: Rubric, scheme: Scheme, dimensions: Mapping[str, DimensionScore], safety: float) -> float | None:
    """The weighted mean of what is scored, less what deducting dimensions and harm take; None where nothing earns."""
    earned = weights = taken = 0.0
    for dimension in scheme.dimensions:
        own = dimensions[dimension.name]
        if own.value is None:
            continue
        weight = rubric.dimensions[dimension.name].weight
        if dimension.deducting:
            taken += weight * (1.0 - own.value)
        else:
            earned += weight * own.value
            weights += weight
    return max(0.0, (earned - taken) / weights + safety) if weights else None


def limited(value: float, limits: Iterable[Limit], found: Found) -> tuple[float, tuple[str, ...]]:
    """What is left of a value under these limits, and the criteria that lower it."""
    holding = []
    for limit in limits:
        verdict = found[limit.place]
        if verdict is None or verdict.status is Status.UNSCORED or limit.at_most >= value:
            continue
        if (verdict.status is Status.MET) is limit.met:
            holding.append((limit.at_most, verdict.criterion))
    if not holding:
        return value, ()
    return min(most for most, _ in holding), tuple(name for _, name in holding)


def _kept(dimension: DimensionScheme, found: Found) -> float | None:
    """What is left where nothing is earned: all of it, less the share of negative points that were incurred."""
    scored = [v for n in dimension.losses if (v := found[n]) is not None and v.value is not None]
    possible = sum(-v.points for v in scored)
    return 1.0 - sum(map(_lost, scored)) / possible if possible else None


def _lost(verdict: Verdict | None) -> float:
    return 0.0 if verdict is None or verdict.value is None else -verdict.points * verdict.value


def _sums(scheme: Scheme, dimension: DimensionScheme, found: Found) -> tuple[float, float, float]:
    """Points that can be earned, that are earned for sure, and that are earned at most."""
    possible = least = most = 0.0
    charges = _charges(scheme, dimension, found) if dimension.charged else {}
    for n in dimension.lone:
        verdict = found[n]
        if verdict is not None and verdict.value is not None:
            own = verdict.points * verdict.value - charges.get(n, 0.0)
            possible, least, most = possible + verdict.points, least + own, most + own
        elif verdict is not None and verdict.judge_failed:
            possible, most = possible + verdict.points, most + verdict.points
    for unit in dimension.units:
        parts = [_earned(n, found, charges) for n in unit.lone]
        for members in unit.alternatives:
            several = [_earned(n, found, charges) for n in members]
            parts.append((max(p for p, _, _ in several), max(a for _, a, _ in several), max(b for _, _, b in several)))
        sums = [sum(part[i] for part in parts) for i in range(3)]
        if unit.points is not None:
            sums = [min(unit.points, s) for s in sums]
        possible, least, most = possible + sums[0], least + sums[1], most + sums[2]
    if dimension.cap is not None:
        return min(dimension.cap, possible), min(dimension.cap, least), min(dimension.cap, most)
    return possible, least, most


def _earned(n: int, found: Found, charges: dict[int, float]) -> tuple[float, float, float]:
    """Points that a criterion offers, earns for sure and earns at most."""
    verdict = found[n]
    if verdict is None:
        return _NONE
    if verdict.value is None:
        return (verdict.points, 0.0, verdict.points) if verdict.judge_failed else _NONE
    own = verdict.points * verdict.value - charges.get(n, 0.0)
    return verdict.points, own, own


def _charges(scheme: Scheme, dimension: DimensionScheme, found: Found) -> dict[int, float]:
    """What is taken from criteria that earned, by what hangs on them.

    No more than they have beyond what they would have without being met, so that meeting one never costs.
    """
    charges: dict[int, float] = {}
    for loss in dimension.charged:
        due = _lost(found[loss.place])
        for n in loss.purse:
            verdict = found[n]
            if due and verdict is not None and verdict.value is not None and verdict.value >= MET_FROM:
                free = verdict.points * (verdict.value - scheme.floors[n]) - charges.get(n, 0.0)
                taken = min(due, max(0.0, free))
                charges[n] = charges.get(n, 0.0) + taken
                due -= taken
    return charges
