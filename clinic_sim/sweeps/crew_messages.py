"""What a crew and its workers say to each other: `Orders`, `Result` and `Report`, plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clinic_sim.sweeps.planned import Planned

Calls = list[dict[str, Any]]
"""Recorded calls of one episode."""
Package = tuple[Planned, Calls | None]
"""An episode to be played; with its recorded calls where the run is a replay."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker needs to know of the run."""

    plan: str
    """As JSON."""
    folder: str
    """Of the run, absolute."""
    directory: str
    """In which the run was begun: relative names in the plan are meant from there."""
    slots: int
    """Episodes at once."""
    replay: bool
    """Replies come with the episodes, from a recording."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Keys and addresses of models, for a worker that does not inherit them."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one episode, as `Done` has it."""

    key: str
    begun: bool
    """Not begun: the cap of cost was reached before."""
    line: bytes = b""
    row: Mapping[str, Any] | None = None
    failures: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What a worker tells."""

    results: list[Result]
    settled: float
    """US dollars of attempts that are over."""
    in_flight: float
    """US dollars of the others, so far."""
    unknown: bool
    """Some calls had no price."""
    waits: int
    """Unanswered calls."""
    longest: tuple[str, str, str, float] | None
    """The one that has been waited for longest: episode, role, model and seconds."""
