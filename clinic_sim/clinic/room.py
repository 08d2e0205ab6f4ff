"""`Room`: what the people of the clinic can see of the episode they are in."""

from __future__ import annotations

from dataclasses import dataclass, field

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.clinic.events import Event
from clinic_sim.clinic.ledger import Ledger
from clinic_sim.clinic.limits import Limits
from clinic_sim.clinic.persona import Persona
from clinic_sim.models.calls import Calls
from clinic_sim.models.chat import Message


@dataclass(slots=True)
class Room:
    """One consultation room: the compiled case, what has happened, and the settings of the episode."""

    compiled: CompiledCase
    seed: int
    persona: Persona
    limits: Limits
    events: list[Event] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    calls: Calls = field(default_factory=Calls)
    """Model calls of this episode: every role asks through it."""
    threads: dict[str, list[Message]] = field(default_factory=dict)
    """What each model-backed role has been told and has answered: append-only, so that servers reuse the prefix."""

    @property
    def language(self) -> str:
        """The language in which the clinic speaks: the case's."""
        return self.compiled.case.language
