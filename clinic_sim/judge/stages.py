"""The stages of a consultation, as far as events show them: history, work-up, conclusion."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from clinic_sim.clinic.actions import Conclude, Examine, Order
from clinic_sim.clinic.events import DoctorActed, Event
from clinic_sim.judge.rubric_parts import Stage


@dataclass(frozen=True, slots=True)
class Stages:
    """Where the stages of one consultation begin, by the numbers of its events."""

    workup: float
    """The first examination or order; infinite where there was none."""
    conclusion: float
    """The first conclusion; what was changed after the chief's challenge is of this stage too."""

    @classmethod
    def of(cls, events: Iterable[Event]) -> Stages:
        """The stages of these events."""
        workup = conclusion = float("inf")
        for event in events:
            if isinstance(event, DoctorActed):
                if isinstance(event.action, Conclude):
                    conclusion = min(conclusion, event.n)
                elif isinstance(event.action, Order | Examine):
                    workup = min(workup, event.n)
        return cls(workup, conclusion)

    def at(self, event: int) -> Stage:
        """The stage in which an event lies."""
        if event >= self.conclusion:
            return "conclusion"
        return "workup" if event >= self.workup else "history"
