"""`Hearing`: what a judge looks at, read once and shared by all checks."""

from __future__ import annotations

from functools import cached_property

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.clinic.actions import Conclude
from clinic_sim.clinic.episode import Episode
from clinic_sim.clinic.events import ExamReported, Opened, Outcome
from clinic_sim.knowledge.diagnoses import ReadDiagnosis, read_diagnoses
from clinic_sim.knowledge.treatments import TreatmentMention, plan_words, read_treatment

_PERFORMED = frozenset(Outcome) - {Outcome.REFUSED, Outcome.NOT_APPLICABLE}


class Hearing:
    """One episode before its judge."""

    def __init__(self, compiled: CompiledCase, episode: Episode) -> None:
        self.compiled = compiled
        self.case = compiled.case
        self.episode = episode
        self.ledger = episode.ledger

    @cached_property
    def conclusion(self) -> Conclude | None:
        """The last conclusion, which counts."""
        return self.ledger.conclusion

    @property
    def concluded_at(self) -> tuple[int, ...]:
        """Number of the event of the last conclusion."""
        return tuple(self.ledger.conclusions[-1:])

    @cached_property
    def given_facts(self) -> frozenset[str]:
        """Facts that the opening gave away: no merit of the doctor's."""
        return frozenset(f for e in self.episode.events if isinstance(e, Opened) for f in e.facts)

    @cached_property
    def orders(self) -> tuple[ExamReported, ...]:
        """Performed orders without repeats: each is credited, or counted as waste, once."""
        first: dict[str, ExamReported] = {}
        for event in self.episode.events:
            if isinstance(event, ExamReported) and event.outcome in _PERFORMED and not event.repeat:
                first.setdefault(event.code, event)
        return tuple(first.values())

    @cached_property
    def diagnoses(self) -> tuple[ReadDiagnosis, ...]:
        """The diagnoses that the conclusion states, without those it rules out."""
        if self.conclusion is None:
            return ()
        return tuple(d for d in read_diagnoses(self.conclusion.diagnosis) if d.certainty != "ruled_out")

    @cached_property
    def differential(self) -> tuple[ReadDiagnosis, ...]:
        """The differential that the conclusion names."""
        items = self.conclusion.differential if self.conclusion else ()
        return tuple(d for item in items[:20] for d in read_diagnoses(item))

    @cached_property
    def _plan_mentions(self) -> tuple[TreatmentMention, ...]:
        items = self.conclusion.treatment if self.conclusion else ()
        return tuple(m for item in items[:100] for m in read_treatment(item))

    @cached_property
    def plan(self) -> tuple[TreatmentMention, ...]:
        """The treatment concepts that the conclusion prescribes (what it avoids is not among them)."""
        return tuple(m for m in self._plan_mentions if not m.negated)

    @cached_property
    def avoided(self) -> tuple[TreatmentMention, ...]:
        """The treatment concepts that the conclusion avoids, stops or forbids."""
        return tuple(m for m in self._plan_mentions if m.negated)

    @cached_property
    def _plan_words(self) -> tuple[str, str]:
        items = self.conclusion.treatment[:100] if self.conclusion else ()
        parts = [plan_words(item) for item in items]
        return "\n".join(given for given, _ in parts if given), "\n".join(avoided for _, avoided in parts if avoided)

    @property
    def plan_text(self) -> str:
        """The plan's words, without the clauses that avoid something."""
        return self._plan_words[0]

    @property
    def avoided_text(self) -> str:
        """The words of the clauses that avoid something."""
        return self._plan_words[1]
