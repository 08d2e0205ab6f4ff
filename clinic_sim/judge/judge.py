"""`RubricJudge`: a case, a rubric and an episode to a scorecard, by verifiable checks only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any
from weakref import WeakKeyDictionary

from clinic_sim.cases.case import Case
from clinic_sim.cases.compiled import CompiledCase, compile_case
from clinic_sim.clinic.episode import Episode
from clinic_sim.clinic.events import TerminationReason
from clinic_sim.errors import JudgeError
from clinic_sim.judge.checks import CHECKS
from clinic_sim.judge.checks.finding import Finding
from clinic_sim.judge.generate import expand
from clinic_sim.judge.hearing import Hearing
from clinic_sim.judge.rubric import SAFETY, Criterion, Rubric
from clinic_sim.judge.scorecard import DimensionScore, Scorecard, Status, Verdict
from clinic_sim.models.calls import Calls

MET_FROM = 0.5
_BROKEN = frozenset({TerminationReason.DOCTOR_FAILED, TerminationReason.SIMULATOR_FAILED})


class RubricJudge:
    """Scores episodes under one rubric; keeps nothing between them but expanded rubrics."""

    suspends = False
    settings: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, rubric: Rubric) -> None:
        self.rubric = rubric
        self._hash = rubric.content_hash
        self._expanded: WeakKeyDictionary[CompiledCase, tuple[tuple[Criterion, str], ...]] = WeakKeyDictionary()

    def score(self, case: Case, episode: Episode) -> Scorecard:
        """Score one episode.

        An episode that broke (its doctor's model or the clinic failed) is unscored, never zero; a doctor that never
        concluded is scored on what it did.

        Raises:
            JudgeError: the episode is of another case.
        """
        compiled = compile_case(case)
        if episode.case_hash != compiled.content_hash:
            raise JudgeError(
                f"the episode is of case {episode.case!r} ({episode.case_hash}), "
                f"not of {case.id!r} ({compiled.content_hash}) as given"
            )
        hearing = Hearing(compiled, episode)
        ended = hearing.ledger.ended
        if ended is None or ended in _BROKEN:
            return self._unscored(case, compiled, "episode_failed" if ended else "episode_unfinished")
        verdicts = tuple(self._verdicts(hearing))
        dimensions = {name: self._dimension(name, verdicts) for name in self.rubric.dimensions}
        safety = -min(
            1.0,
            self.rubric.penalty_per_point
            * sum(-v.points * v.value for v in verdicts if v.dimension == SAFETY and v.value is not None),
        )
        return Scorecard(
            case.id,
            self.rubric.name,
            self._hash,
            self._total(dimensions, safety),
            round(safety, 6) + 0.0,
            dimensions,
            verdicts,
        )

    async def judge(self, case: Case, episode: Episode, calls: Calls | None = None) -> Scorecard:
        """Score one episode."""
        return self.score(case, episode)

    def _criteria(self, compiled: CompiledCase) -> tuple[tuple[Criterion, str], ...]:
        """The rubric expanded for a case; made once a compiled case."""
        found = self._expanded.get(compiled)
        if found is None:
            found = self._expanded[compiled] = expand(self.rubric, compiled)
        return found

    def _verdicts(self, h: Hearing) -> Iterator[Verdict]:
        for criterion, target in self._criteria(h.compiled):
            finding = CHECKS[criterion.check](h, target, criterion.params)
            if finding.applies:
                yield _verdict(criterion, finding)

    def _dimension(self, name: str, verdicts: tuple[Verdict, ...]) -> DimensionScore:
        own = [v for v in verdicts if v.dimension == name]
        scored = [v for v in own if v.value is not None]
        possible = sum(v.points for v in scored if v.points > 0)
        if not possible:
            failure = next((v.failure for v in own if v.failure), "missing_reference")
            return DimensionScore(None, None, failure)
        earned = sum(v.points * v.value for v in scored if v.value is not None)
        value = round(min(1.0, max(0.0, earned / possible)), 6)
        return DimensionScore(value, self.rubric.grade(value))

    def _total(self, dimensions: dict[str, DimensionScore], safety: float) -> float | None:
        scored = [(self.rubric.dimensions[n].weight, d.value) for n, d in dimensions.items() if d.value is not None]
        if not scored:
            return None
        mean = sum(w * v for w, v in scored) / sum(w for w, _ in scored)
        return round(max(0.0, mean + safety), 6)

    def _unscored(self, case: Case, compiled: CompiledCase, failure: str) -> Scorecard:
        verdicts = tuple(
            Verdict(c.id, c.dimension, Status.UNSCORED, c.points, None, failure=failure)
            for c, _ in self._criteria(compiled)
        )
        dimensions = {name: DimensionScore(None, None, failure) for name in self.rubric.dimensions}
        return Scorecard(case.id, self.rubric.name, self._hash, None, 0.0, dimensions, verdicts, failure)


def _verdict(criterion: Criterion, finding: Finding) -> Verdict:
    met = finding.value is not None and finding.value >= MET_FROM
    return Verdict(
        criterion.id,
        criterion.dimension,
        Status.UNSCORED if finding.value is None else Status.MET if met else Status.NOT_MET,
        criterion.points,
        None if finding.value is None else round(finding.value, 6),
        finding.evidence,
        finding.reason,
        finding.failure,
    )
