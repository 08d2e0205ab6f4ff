"""The ledger: what the doctor found out, ordered and spent. A fold over the events and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from clinic_sim.clinic.actions import Ask, Conclude
from clinic_sim.clinic.events import (
    ActionRejected,
    DoctorActed,
    Ended,
    Event,
    ExamReported,
    Opened,
    Outcome,
    PatientAnswered,
    TerminationReason,
)

MINUTES_A_TURN = 1
"""What one action takes on the clinic's clock, beside the turnaround of orders."""
REVEALING = frozenset({Outcome.RECORDED, Outcome.RECORDED_NORMAL})


@dataclass(slots=True)
class Ledger:
    """Running totals of one episode; `Ledger.of(events)` gives the same as applying them one by one."""

    facts: dict[str, int] = field(default_factory=dict)
    """Disclosed fact id to the number of the event that disclosed it first."""
    exams: dict[str, int] = field(default_factory=dict)
    """Reported exam id to the number of the event that reported it first."""
    held: set[str] = field(default_factory=set)
    """Guarded facts that were asked for and held back."""
    orders: dict[str, int] = field(default_factory=dict)
    """Ordered code to the number of its first event, whatever came of it."""
    repeats: int = 0
    """Orders that had been reported before."""
    money: float = 0.0
    minutes: int = 0
    turns: int = 0
    asks: int = 0
    invalid: int = 0
    conclusions: list[int] = field(default_factory=list)
    """Numbers of the events in which the doctor concluded; the last one counts."""
    conclusion: Conclude | None = None
    ended: TerminationReason | None = None

    @classmethod
    def of(cls, events: Iterable[Event]) -> Ledger:
        """The ledger of these events."""
        ledger = cls()
        for event in events:
            ledger.apply(event)
        return ledger

    @property
    def known(self) -> list[str]:
        """Ids of the evidence revealed so far, in order of revelation."""
        return [*self.facts, *self.exams]

    def known_since(self, facts: int, exams: int) -> list[str]:
        """Ids revealed after the first `facts` facts and `exams` exams."""
        return [*islice(self.facts, facts, None), *islice(self.exams, exams, None)]

    def apply(self, event: Event) -> None:
        """Account for one more event."""
        if isinstance(event, DoctorActed):
            self.turns += 1
            self.minutes += MINUTES_A_TURN
            if isinstance(event.action, Ask):
                self.asks += 1
            elif isinstance(event.action, Conclude):
                self.conclusions.append(event.n)
                self.conclusion = event.action
        elif isinstance(event, PatientAnswered | Opened):
            for fact in event.facts:
                self.facts.setdefault(fact, event.n)
            if isinstance(event, PatientAnswered):
                self.held.update(event.held)
        elif isinstance(event, ExamReported):
            self.money += event.price
            self.minutes += event.minutes
            self.repeats += event.repeat
            self.orders.setdefault(event.code, event.n)
            if event.outcome in REVEALING:
                for exam in event.exams:
                    self.exams.setdefault(exam, event.n)
        elif isinstance(event, ActionRejected):
            self.invalid += 1
        elif isinstance(event, Ended):
            self.ended = event.reason
