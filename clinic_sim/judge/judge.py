"""`RubricJudge`: a case, a rubric and an episode to a scorecard.

Verifiable checks need nothing but the ledger and the reference. What only language shows is asked of a model, all at
once; what the model fails to judge is unscored, and with it its dimension and the total, so that nobody gains by
breaking the judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from clinic_sim.cases.case import Case
from clinic_sim.cases.compiled import CompiledCase, compile_case
from clinic_sim.clinic.episode import Episode
from clinic_sim.clinic.events import TerminationReason
from clinic_sim.errors import ConfigError, JudgeError
from clinic_sim.judge.checks import CHECKS
from clinic_sim.judge.checks.finding import Finding, missing
from clinic_sim.judge.hearing import Hearing
from clinic_sim.judge.language import Judged, LanguageJudge
from clinic_sim.judge.prerequisites import settle
from clinic_sim.judge.reference import compares
from clinic_sim.judge.rubric import JUDGED, Criterion, Rubric
from clinic_sim.judge.rubric_parts import Stage
from clinic_sim.judge.scheme import Scheme, scheme_of
from clinic_sim.judge.scorecard import MET_FROM, DimensionScore, Scorecard, Status, Verdict
from clinic_sim.judge.scoring import score
from clinic_sim.judge.stages import Stages
from clinic_sim.models.calls import Calls
from clinic_sim.models.chat import ChatModel

_WHOLE = (0.0, 1.0)
MAX_TOKENS = 4_096
"""Most tokens of one ballot of a judge, where its name does not say."""
_BROKEN = frozenset({TerminationReason.DOCTOR_FAILED, TerminationReason.SIMULATOR_FAILED})
_NOBODY = Judged({}, {})


class RubricJudge:
    """Scores episodes under one rubric; keeps nothing between them but the rubric's scheme for each case.

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
        self._schemes: WeakKeyDictionary[CompiledCase, Scheme] = WeakKeyDictionary()
        asks = next((c.id for c in rubric.criteria if c.check == JUDGED), None)
        if asks is not None and model is None:
            raise ConfigError(
                f"rubric {rubric.name!r} asks a model about language ({asks!r} and so on): "
                "name a model as judge, or take a rubric of verifiable checks only, such as `clinic`"
            )
        self._language = LanguageJudge(model, votes) if model is not None and asks is not None else None

    @property
    def suspends(self) -> bool:
        """It waits for a model, so an event loop is needed."""
        return self._language is not None and self._language.model.suspends

    @property
    def calls_a_vote(self) -> int:
        """How many calls one vote on an episode takes at most, retries aside: one for all that is asked without the
        reference, and one for each stage of which something is asked with it."""
        asked = [c for c in self.rubric.criteria if c.check == JUDGED]
        compared = [c for c in asked if compares(c, self.rubric.criteria)]
        return (len(asked) > len(compared)) + len({c.stage for c in compared})

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
            scheme = self._scheme(heard.compiled)
            judged = await self._language.verdicts(
                scheme.judged, case, episode, Calls() if calls is None else calls, scheme.compared
            )
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
        scheme = self._scheme(hearing.compiled)
        found = _verdicts(scheme, hearing, judged)
        scores = score(self.rubric, scheme, found)
        return Scorecard(
            hearing.case.id,
            self.rubric.name,
            self._hash,
            scores.total,
            scores.safety,
            scores.dimensions,
            tuple(v for v in found if v is not None),
            scores.failure,
            judged.record,
            scores.limited_by,
        )

    def _scheme(self, compiled: CompiledCase) -> Scheme:
        """The rubric for a case; made once a compiled case."""
        found = self._schemes.get(compiled)
        if found is None:
            found = self._schemes[compiled] = scheme_of(self.rubric, compiled)
        return found

    def _unscored(self, case: Case, compiled: CompiledCase, failure: str) -> Scorecard:
        verdicts = tuple(
            Verdict(c.id, c.dimension, Status.UNSCORED, c.points, None, failure=failure, beside=c.beside)
            for c in self._scheme(compiled).criteria
        )
        dimensions = {name: DimensionScore(None, None, failure) for name in self.rubric.dimensions}
        return Scorecard(case.id, self.rubric.name, self._hash, None, 0.0, dimensions, verdicts, failure)


def _verdicts(scheme: Scheme, h: Hearing, judged: Judged) -> list[Verdict | None]:
    """A verdict for each place of the scheme; None where the criterion does not apply to this episode."""
    stages: Stages | None = None

    def look(n: int) -> Verdict | None:
        nonlocal stages
        criterion = scheme.criteria[n]
        if criterion.check == JUDGED:
            return _judged(criterion, scheme, judged)
        finding = CHECKS[criterion.check](h, scheme.targets[n], criterion.params)
        if criterion.stage is not None:
            stages = stages or Stages.of(h.episode.events)
            finding = _in_stage(finding, criterion.stage, stages)
        return _verdict(criterion, finding) if finding.applies else None

    return settle(scheme, look)


def _judged(criterion: Criterion, scheme: Scheme, judged: Judged) -> Verdict:
    if criterion.id in scheme.unanswerable:
        return _verdict(criterion, missing(f"reference for {criterion.beside!r}"))
    verdict = judged.verdicts[criterion.id]
    return replace(verdict, beside=criterion.beside) if criterion.beside else verdict


def _in_stage(finding: Finding, stage: Stage, stages: Stages) -> Finding:
    """The finding as far as its evidence lies in the stage."""
    if not finding.value:
        return finding
    inside = tuple(n for n in finding.evidence if stages.at(n) == stage)
    if inside:
        return replace(finding, evidence=inside)
    return Finding(0.0, (), f"not in this stage ({stage}): {finding.reason}")


def _verdict(criterion: Criterion, finding: Finding) -> Verdict:
    return _verdict_of(
        criterion.id,
        criterion.dimension,
        criterion.points,
        criterion.beside,
        finding.value,
        finding.evidence,
        finding.reason,
        finding.failure,
    )


@lru_cache(maxsize=16_384, typed=True)
def _verdict_of(
    criterion: str,
    dimension: str,
    points: float,
    beside: str,
    value: float | None,
    evidence: tuple[int, ...],
    reason: str,
    failure: str,
) -> Verdict:
    """Made once: most of what a case asks for is missed, or found at the same event, in one episode as in another."""
    return Verdict(
        criterion,
        dimension,
        Status.UNSCORED if value is None else Status.MET if value >= MET_FROM else Status.NOT_MET,
        points,
        value if value is None or value in _WHOLE else round(value, 6),
        evidence,
        reason,
        failure,
        beside=beside,
    )
