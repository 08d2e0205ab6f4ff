"""`RubricJudge`: a case, a rubric and an episode to a scorecard.

Verifiable checks need nothing but the ledger and the reference. What only language shows is asked of a model, all at
once; what the model fails to judge is unscored, and with it its dimension and the total, so that nobody gains by
breaking the judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from clinic_sim.cases.case import Case
from clinic_sim.cases.compiled import CompiledCase, compile_case
from clinic_sim.clinic.episode import Episode
from clinic_sim.clinic.events import TerminationReason
from clinic_sim.errors import ConfigError, JudgeError
from clinic_sim.judge.checks import CHECKS
from clinic_sim.judge.checks.finding import Finding
from clinic_sim.judge.generate import expand
from clinic_sim.judge.hearing import Hearing
from clinic_sim.judge.language import Judged, LanguageJudge
from clinic_sim.judge.rubric import JUDGED, SAFETY, Criterion, Rubric
from clinic_sim.judge.scorecard import JUDGE_FAILED, DimensionScore, Scorecard, Status, Verdict
from clinic_sim.models.calls import Calls
from clinic_sim.models.chat import ChatModel

MET_FROM = 0.5
MAX_TOKENS = 4_096
"""Most tokens of one ballot of a judge, where its name does not say."""
_BROKEN = frozenset({TerminationReason.DOCTOR_FAILED, TerminationReason.SIMULATOR_FAILED})


_NOBODY = Judged({}, {})


class RubricJudge:
    """Scores episodes under one rubric; keeps nothing between them but expanded rubrics.

    Args:
        rubric: What is scored.
        model: Answers what the rubric asks about language; not needed for a rubric without `judged` criteria.
        votes: How many times the model is asked; the majority counts.

    Raises:
        ConfigError: the rubric has judged criteria and there is no model, or `votes` is below 1.
    """

    def __init__(self, rubric: Rubric, model: ChatModel | None = None, votes: int = 1) -> None:
        self.rubric = rubric
        self._hash = rubric.content_hash
        self._expanded: WeakKeyDictionary[CompiledCase, tuple[tuple[Criterion, str], ...]] = WeakKeyDictionary()
        self._judged = tuple(c for c in rubric.criteria if c.check == JUDGED)
        if self._judged and model is None:
            raise ConfigError(
                f"rubric {rubric.name!r} asks a model about language ({self._judged[0].id!r} and so on): "
                "name a model as judge, or take a rubric of verifiable checks only, such as `clinic`"
            )
        self._language = LanguageJudge(model, votes) if model is not None and self._judged else None

    @property
    def suspends(self) -> bool:
        """It waits for a model, so an event loop is needed."""
        return self._language is not None and self._language.model.suspends

    @property
    def settings(self) -> Mapping[str, Any]:
        """The model judge for the record: model, votes, prompt hash, parameters; empty without one."""
        return self._language.settings if self._language is not None else {}

    def score(self, case: Case, episode: Episode) -> Scorecard:
        """Score one episode by verifiable checks.

        An episode that broke (its doctor's model or the clinic failed) is unscored, never zero; a doctor that never
        concluded is scored on what it did.

        Raises:
            JudgeError: the episode is of another case, or the rubric asks a model (`judge` does).
        """
        if self._language is not None:
            raise JudgeError(f"rubric {self.rubric.name!r} asks a model about language: await `judge(case, episode)`")
        heard = self._hear(case, episode)
        return heard if isinstance(heard, Scorecard) else self._card(heard, _NOBODY)

    async def judge(self, case: Case, episode: Episode, calls: Calls | None = None) -> Scorecard:
        """Score one episode, asking the model where the rubric does; a broken episode costs no call.

        Args:
            calls: Through which the model is asked, in the role `judge`; calls of its own when None.

        Raises:
            JudgeError: the episode is of another case.
            ReplayMismatch: a replayed recording does not hold the judge's calls.
        """
        heard = self._hear(case, episode)
        if isinstance(heard, Scorecard):
            return heard
        judged = _NOBODY
        if self._language is not None:
            judged = await self._language.verdicts(self._judged, case, episode, Calls() if calls is None else calls)
        return self._card(heard, judged)

    def unscored(self, case: Case, failure: str) -> Scorecard:
        """The scorecard of an episode that could not be scored: every verdict with the failure, never zero."""
        return self._unscored(case, compile_case(case), failure)

    def _hear(self, case: Case, episode: Episode) -> Hearing | Scorecard:
        """The hearing of an episode; at once its scorecard where it broke."""
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
        return hearing

    def _card(self, hearing: Hearing, judged: Judged) -> Scorecard:
        verdicts = tuple(self._verdicts(hearing, judged))
        dimensions = {name: self._dimension(name, verdicts) for name in self.rubric.dimensions}
        harm = [v for v in verdicts if v.dimension == SAFETY]
        safety = -min(
            1.0,
            self.rubric.penalty_per_point * sum(-v.points * v.value for v in harm if v.value is not None),
        )
        # Whatever a failing judge leaves out could have been points lost: such a total would favour whoever breaks it.
        failed = any(d.failure == JUDGE_FAILED for d in dimensions.values()) or any(v.judge_failed for v in harm)
        return Scorecard(
            hearing.case.id,
            self.rubric.name,
            self._hash,
            None if failed else self._total(dimensions, safety),
            round(safety, 6) + 0.0,
            dimensions,
            verdicts,
            JUDGE_FAILED if failed else "",
            judged.record,
        )

    def _criteria(self, compiled: CompiledCase) -> tuple[tuple[Criterion, str], ...]:
        """The rubric expanded for a case; made once a compiled case."""
        found = self._expanded.get(compiled)
        if found is None:
            found = self._expanded[compiled] = expand(self.rubric, compiled)
        return found

    def _verdicts(self, h: Hearing, judged: Judged) -> Iterator[Verdict]:
        for criterion, target in self._criteria(h.compiled):
            if criterion.check == JUDGED:
                yield judged.verdicts[criterion.id]
                continue
            finding = CHECKS[criterion.check](h, target, criterion.params)
            if finding.applies:
                yield _verdict(criterion, finding)

    def _dimension(self, name: str, verdicts: tuple[Verdict, ...]) -> DimensionScore:
        own = [v for v in verdicts if v.dimension == name]
        scored = [v for v in own if v.value is not None]
        possible = sum(v.points for v in scored if v.points > 0)
        if _too_little_judged(own, possible):
            return DimensionScore(None, None, JUDGE_FAILED)
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


def _too_little_judged(verdicts: list[Verdict], scored: float) -> bool:
    """The judge failed on more than half of what could be earned, or on what could have taken away."""
    failed = [v for v in verdicts if v.judge_failed]
    return any(v.points < 0 for v in failed) or scored < sum(v.points for v in failed if v.points > 0)


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
