"""`Doctor`: whoever is examined. It sees what a doctor sees, and answers each observation with one action."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

from clinic_sim.clinic.consultation import Consultation
from clinic_sim.clinic.limits import Limits
from clinic_sim.models.calls import Calls


@dataclass(frozen=True, slots=True)
class Visit:
    """What a doctor is told when the patient comes in."""

    introduction: str
    language: str
    seed: int
    consultation: Consultation | None = None
    """Only for a doctor with `sees_case`: the upper bound needs the record."""
    calls: Calls = field(default_factory=Calls)
    """Through which a model-backed doctor asks: the episode's own, so that its tokens count."""
    invalid: int = Limits().invalid
    """Unreadable actions in a row that end the episode."""


class Doctor:
    """Base of all doctors. One object plays one episode at a time; `begin` clears it."""

    name: str = "doctor"
    suspends: bool = False
    """Waits for something outside (a model, a person)."""
    settings: Mapping[str, Any] = MappingProxyType({})
    """Parameters of the model that plays it, for the record; empty for one that has none."""
    sees_case: ClassVar[bool] = False
    """Is shown the record: an upper bound, never a contestant."""

    def begin(self, visit: Visit) -> None:
        """A new patient: forget the last one."""
        self.visit = visit

    async def decide(self, observation: str) -> Any:
        """The next action: text, a dict, a tool call or an `Action`."""
        raise NotImplementedError
