"""`Setup` and `Outcome`: one planned episode as it is to be played, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clinic_sim.cases.case import Case
from clinic_sim.clinic.episode import Episode
from clinic_sim.clinic.limits import Limits
from clinic_sim.clinic.persona import Persona
from clinic_sim.clinic.roles import OFFLINE, Staff
from clinic_sim.doctors.base import Doctor
from clinic_sim.judge.scorecard import Scorecard


@dataclass(frozen=True, slots=True)
class Setup:
    """One planned episode, ready to be played."""

    name: str
    """For people, on the progress line."""
    case: Case
    doctor: Callable[[], Doctor]
    """Makes the doctor: one object plays one episode at a time."""
    seed: int = 0
    staff: Staff = OFFLINE
    persona: Persona = field(default_factory=Persona)
    limits: Limits = field(default_factory=Limits)
    repeat: int = 0
    key: str = ""
    """What determines it, hashed: its name on the recording and in the store."""
    at: int = 0
    """Place in the plan."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one planned episode."""

    episode: Episode
    scorecard: Scorecard
    doctor: str
    failure: str = ""
    """Type and message of what broke the episode; empty when nothing did."""
    models: Mapping[str, Any] = field(default_factory=dict)
    """Parameters of the models behind doctor and judge; those of the clinic stand in the episode's settings."""
    usage: Mapping[str, Any] = field(default_factory=dict)
    """Calls, tokens and cost by role, as `RoleUsage.to_dict`."""
    repeat: int = 0
    at: int = 0
    attempts: tuple[str, ...] = ()
    """Failures of earlier attempts at the same episode, where failed ones are tried again."""

    @property
    def broken(self) -> bool:
        """The doctor's model or the clinic failed: there is no consultation to score."""
        return bool(self.failure)
