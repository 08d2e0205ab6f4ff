"""`LanguageJudge`: what only language shows, asked of a model: one call a vote for all judged criteria of a rubric.

Criteria that compare with the reference are asked in a call of their own, which alone is shown it, and of the
transcript no more than the stage that they are about: to no other question may the answer be known.

A model that fails, breaks the form, invents a quote or misses a control question leaves its criteria unscored. Nothing
that it does is ever read as `not met`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clinic_sim.cases.case import Case
from clinic_sim.clinic.episode import Episode
from clinic_sim.clinic.scene import who
from clinic_sim.errors import ConfigError, ProviderError
from clinic_sim.judge.ballot import FORMAT, Ballot, Voice, verdicts_in
from clinic_sim.judge.controls import draw
from clinic_sim.judge.lines import Shown, show
from clinic_sim.judge.prompts import SCHEMA, again, messages, prompt_hash
from clinic_sim.judge.rubric import Criterion
from clinic_sim.judge.scorecard import JUDGE_FAILED, Status, Verdict, Votes
from clinic_sim.judge.stages import Stages
from clinic_sim.models.calls import Calls
from clinic_sim.models.chat import ChatModel
from clinic_sim.models.keys import call_seed

ROLE = "judge"
DISAGREEMENT = "disagreement"


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdicts of one episode, and what stands in its scorecard about their making."""

    verdicts: Mapping[str, Verdict]
    """By criterion."""
    record: Mapping[str, Any]


class LanguageJudge:
    """A model as judge of language.

    Args:
        model: The model.
        votes: How many times it is asked, each time in another order and with other control questions.

    Raises:
        ConfigError: fewer votes than one.
    """

    def __init__(self, model: ChatModel, votes: int = 1) -> None:
        if isinstance(votes, bool) or not isinstance(votes, int) or votes < 1:
            raise ConfigError(
                f"votes: {votes!r} is no number of votes; give 1 or more, 3 or 5 to smooth a model's moods"
            )
        self.model = model
        self.votes = votes

    @property
    def settings(self) -> dict[str, Any]:
        """What determines its verdicts, for the record."""
        return {
            "model": self.model.name,
            "votes": self.votes,
            "prompt": prompt_hash(),
            "parameters": dict(self.model.settings),
        }

    async def verdicts(
        self,
        criteria: Sequence[Criterion],
        case: Case,
        episode: Episode,
        calls: Calls,
        compared: Sequence[tuple[Criterion, Sequence[str]]] = (),
    ) -> Judged:
        """One verdict for each criterion.

        Args:
            criteria: Asked without the reference.
            case: The patient.
            episode: What is judged.
            calls: Through which the model is asked.
            compared: Asked with these lines of the reference.
        """
        shown = show(episode.events, episode.language)
        stages = Stages.of(episode.events)
        papers = [_Paper(tuple(criteria), shown, stages)] if criteria else []
        papers += _papers(compared, shown, stages)
        # Votes are asked one after the other: a recording names calls by their order.
        voices = [await self._vote(n, papers, who(case), episode, calls) for n in range(self.votes)]
        asked = [c for paper in papers for c in paper.criteria]
        found = {c.id: _tally(c, [vote[c.id] for vote in voices]) for c in asked}
        found |= {c.id: _nothing_said(c) for c, _ in compared if c.id not in found}
        failures = Counter(voice.failure for vote in voices for voice in vote.values() if voice.failure)
        record = {
            "model": self.model.name,
            "votes": self.votes,
            "prompt": prompt_hash(),
            "removed": shown.removed,
            "failures": dict(sorted(failures.items())),
        }
        return Judged(found, record)

    async def _vote(
        self, n: int, papers: Sequence[_Paper], patient: str, episode: Episode, calls: Calls
    ) -> dict[str, Voice]:
        voices: dict[str, Voice] = {}
        failure = ""
        for place, paper in enumerate(papers):
            key = f"{episode.seed}:{episode.case_hash}:{n}" + (f":{place}" if place else "")
            ballot = Ballot.of(paper.criteria, draw(paper.shown, key), key)
            # Whoever could not answer the first paper is not asked, and paid, for the next.
            verdicts = failure or await self._answer(n, place, paper, ballot, patient, key, episode, calls)
            if isinstance(verdicts, str):
                failure = verdicts
                voices |= ballot.failed(failure)
            else:
                voices |= ballot.read(verdicts, paper.shown, paper.stages)
        return voices

    async def _answer(
        self,
        n: int,
        place: int,
        paper: _Paper,
        ballot: Ballot,
        patient: str,
        key: str,
        episode: Episode,
        calls: Calls,
    ) -> Sequence[Any] | str:
        """The list of verdicts on one paper, or the failure."""
        language, role = paper.shown.language, f"{ROLE}:{place}" if place else ROLE
        prompt = messages(paper.shown, patient, ballot.questions(language), key, paper.reference)
        try:
            reply = await calls.ask(ROLE, self.model, prompt, schema=SCHEMA, seed=call_seed(episode.seed, role, n))
            verdicts = verdicts_in(reply)
            if verdicts is None:
                prompt = again(prompt, reply.text, language, cut_off=reply.finish_reason == "length")
                seed = call_seed(episode.seed, f"{role}:again", n)
                verdicts = verdicts_in(await calls.ask(ROLE, self.model, prompt, schema=SCHEMA, seed=seed))
        except ProviderError as exc:
            return type(exc).__name__
        return FORMAT if verdicts is None else verdicts


@dataclass(frozen=True, slots=True)
class _Paper:
    """What is asked in one call."""

    criteria: tuple[Criterion, ...]
    shown: Shown
    stages: Stages
    reference: tuple[str, ...] = ()


def _papers(compared: Sequence[tuple[Criterion, Sequence[str]]], shown: Shown, stages: Stages) -> list[_Paper]:
    """One for each stage that criteria with a reference are about; none for a stage in which nothing was said."""
    found = []
    for stage in dict.fromkeys(c.stage for c, _ in compared):
        own = [(c, lines) for c, lines in compared if c.stage == stage]
        part = shown if stage is None else shown.within(stage, stages)
        if part.lines:
            lines = tuple(dict.fromkeys(line for _, several in own for line in several))
            found.append(_Paper(tuple(c for c, _ in own), part, stages, lines))
    return found


def _nothing_said(criterion: Criterion) -> Verdict:
    """Not met, as no word of that stage could be quoted: nobody needs to be asked."""
    return Verdict(
        criterion.id,
        criterion.dimension,
        Status.NOT_MET,
        criterion.points,
        0.0,
        reason=f"the consultation has no such stage ({criterion.stage})",
        votes=Votes(0, 0, 0),
    )


def _tally(criterion: Criterion, voices: Sequence[Voice]) -> Verdict:
    """The majority of the votes that count; unscored where there is none."""
    met = [v for v in voices if v.met is True]
    not_met = [v for v in voices if v.met is False]
    votes = Votes(len(met), len(not_met), len(voices) - len(met) - len(not_met))
    counted = len(met) + len(not_met)
    if not counted or 2 * counted < len(voices) or len(met) == len(not_met):
        kinds = Counter(v.failure for v in voices if v.failure)
        failure = DISAGREEMENT if counted else kinds.most_common(1)[0][0]
        reason = next((v.reason for v in voices if v.reason), "")
        return Verdict(
            criterion.id,
            criterion.dimension,
            Status.UNSCORED,
            criterion.points,
            None,
            reason=reason,
            failure=f"{JUDGE_FAILED}:{failure}",
            votes=votes,
        )
    winners = met if len(met) > len(not_met) else not_met
    first = winners[0]
    return Verdict(
        criterion.id,
        criterion.dimension,
        Status.MET if first.met else Status.NOT_MET,
        criterion.points,
        1.0 if first.met else 0.0,
        () if first.event is None else (first.event,),
        first.reason,
        quote=first.quote,
        votes=votes,
    )
