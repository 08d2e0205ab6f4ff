"""`Doctor`: whoever is examined. It sees what a doctor sees, and answers each observation with one action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from clinic_sim.clinic.consultation import Consultation


@dataclass(frozen=True, slots=True)
class Visit:
    """What a doctor is told when the patient comes in."""

    introduction: str
    language: str
    seed: int
    consultation: Consultation | None = None
    """Only for a doctor with `sees_case`: the upper bound needs the record."""


class Doctor:
    """Base of all doctors. One object plays one episode at a time; `begin` clears it."""

    name: ClassVar[str] = "doctor"
    suspends: ClassVar[bool] = False
    """Waits for something outside (a model, a person)."""
    sees_case: ClassVar[bool] = False
    """Is shown the record: an upper bound, never a contestant."""

    def begin(self, visit: Visit) -> None:
        """A new patient: forget the last one."""
        self.visit = visit

    async def decide(self, observation: str) -> Any:
        """The next action: text, a dict, a tool call or an `Action`."""
        raise NotImplementedError
