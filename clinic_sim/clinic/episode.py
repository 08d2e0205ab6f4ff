"""`Episode`: one consultation as data, a header and its events. It can be stored, re-scored and replayed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clinic_sim.clinic.actions import Action
from clinic_sim.clinic.events import DoctorActed, Event, from_dict, to_dict
from clinic_sim.clinic.ledger import Ledger

EPISODE_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Episode:
    """What determined a consultation, and what happened in it."""

    case: str
    case_hash: str
    language: str
    seed: int
    version: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Limits, persona, policies and roles, as plain JSON data."""
    events: tuple[Event, ...] = ()

    @property
    def ledger(self) -> Ledger:
        """Derived anew from the events."""
        return Ledger.of(self.events)

    @property
    def actions(self) -> list[Action]:
        """The doctor's actions in order: replaying them on the offline clinic gives the same events."""
        return [e.action for e in self.events if isinstance(e, DoctorActed)]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "schema": EPISODE_SCHEMA,
            "case": self.case,
            "case_hash": self.case_hash,
            "language": self.language,
            "seed": self.seed,
            "version": self.version,
            "settings": dict(self.settings),
            "events": [to_dict(e) for e in self.events],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Episode:
        """The episode of its plain form; KeyError, TypeError or ValueError where it is not one."""
        if data["schema"] != EPISODE_SCHEMA:
            raise ValueError(f"episode schema {data['schema']!r}; this version reads {EPISODE_SCHEMA}")
        return cls(
            case=data["case"],
            case_hash=data["case_hash"],
            language=data["language"],
            seed=data["seed"],
            version=data["version"],
            settings=data["settings"],
            events=tuple(from_dict(e) for e in data["events"]),
        )
