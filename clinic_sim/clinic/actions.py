"""What a doctor can do: a closed union of five actions, and `Invalid` for what could not be read as one."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Ask:
    """Say something to the patient."""

    text: str


@dataclass(frozen=True, slots=True)
class Examine:
    """Perform physical examinations."""

    manoeuvres: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """Order tests or imaging from the examiner."""

    exams: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Consult:
    """Ask the chief physician."""

    question: str


@dataclass(frozen=True, slots=True)
class Conclude:
    """End the consultation with a diagnosis and a plan."""

    diagnosis: str
    differential: tuple[str, ...] = ()
    basis: tuple[str, ...] = ()
    treatment: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Invalid:
    """What the doctor sent could not be read as an action."""

    reason: str
    text: str = ""
    """The start of what was sent, made printable."""


Action = Ask | Examine | Order | Consult | Conclude | Invalid

NAMES: dict[type[Any], str] = {
    Ask: "ask",
    Examine: "examine",
    Order: "order",
    Consult: "consult",
    Conclude: "conclude",
    Invalid: "invalid",
}
TYPES = {name: kind for kind, name in NAMES.items()}


_FIELDS: dict[type[Any], tuple[str, ...]] = {kind: tuple(field.name for field in fields(kind)) for kind in NAMES}
"""`dataclasses.asdict` copies everything and takes ten times as long."""


def to_dict(action: Action) -> dict[str, Any]:
    """The action as plain JSON data, `{"action": name, ...fields}`."""
    kind = type(action)
    return {"action": NAMES[kind], **{name: getattr(action, name) for name in _FIELDS[kind]}}
