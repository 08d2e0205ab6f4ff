"""What happened: the append-only events of an episode. Everything else is derived from them.

Events are plain frozen dataclasses (an episode makes tens, a training run billions). `to_dict` and `from_dict` are
the wire form: `{"n": 3, "type": "patient_answered", ...}`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, ClassVar

from clinic_sim.clinic.actions import TYPES, Action
from clinic_sim.clinic.actions import to_dict as action_to_dict


class TerminationReason(StrEnum):
    """Why an episode ended."""

    CONCLUDED = "concluded"
    TURN_LIMIT = "turn_limit"
    TIME_LIMIT = "time_limit"  # the clinic's clock: minutes
    TOKEN_LIMIT = "token_limit"  # noqa: S105 - tokens of text
    SECONDS_LIMIT = "seconds_limit"  # wall-clock
    INVALID_LIMIT = "invalid_limit"  # too many unreadable actions in a row
    PATIENT_LEFT = "patient_left"  # talked to again and again without anything new
    DOCTOR_FAILED = "doctor_failed"
    SIMULATOR_FAILED = "simulator_failed"


class Outcome(StrEnum):
    """What came of an examination order."""

    RECORDED = "recorded"
    RECORDED_NORMAL = "recorded_normal"
    NOT_RECORDED = "not_recorded"
    PENDING = "pending"
    NOT_APPLICABLE = "not_applicable"
    REFUSED = "refused"
    DERIVED = "derived"


class AnswerKind(StrEnum):
    """What sort of answer a patient gave."""

    FACTS = "facts"
    NOTHING_KNOWN = "nothing_known"  # understood, but the record holds nothing on it
    NOT_UNDERSTOOD = "not_understood"
    TOO_BROAD = "too_broad"  # too many questions at once: the rest was not answered
    GUARDED = "guarded"  # understood, but the patient holds back for now
    SOCIAL = "social"
    REFUSED = "refused"  # asked for the diagnosis, the script or results


@dataclass(frozen=True, slots=True)
class Opened:
    """The patient is in the room."""

    type: ClassVar[str] = "opened"
    n: int
    text: str
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DoctorActed:
    """The doctor's action, as read by the codec."""

    type: ClassVar[str] = "doctor_acted"
    n: int
    action: Action


@dataclass(frozen=True, slots=True)
class PatientAnswered:
    """The patient spoke; `facts` were disclosed by it."""

    type: ClassVar[str] = "patient_answered"
    n: int
    text: str
    kind: AnswerKind
    facts: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    """Guarded facts that were asked for and held back; asking again discloses them."""
    rejected: tuple[str, ...] = ()
    """Kinds of guard rejections before this text stood (`leak:diagnosis`, ...)."""
    by: str = "record"
    """Whose words these are: `record` (the case's own), `model`, or `fallback` (the case's own, after a model's words
    were rejected)."""


@dataclass(frozen=True, slots=True)
class ExamReported:
    """The examiner reported one order."""

    type: ClassVar[str] = "exam_reported"
    n: int
    code: str
    name: str
    outcome: Outcome
    text: str
    exams: tuple[str, ...] = ()
    """Ids of the recorded exams that were reported."""
    price: float = 0.0
    minutes: int = 0
    repeat: bool = False
    """Everything it reports was reported before (the same order, or a part of one): charged, reveals nothing."""
    rejected: tuple[str, ...] = ()
    """Kinds of rejections of a model's words before this stood."""
    by: str = "record"
    """`record`; `model` (a model read the order, or wrote a derived result); `fallback` (after one was rejected)."""


@dataclass(frozen=True, slots=True)
class ExamClarified:
    """The examiner asked for a specific order instead of a vague or unknown one."""

    type: ClassVar[str] = "exam_clarified"
    n: int
    text: str
    vague: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    """Kinds of rejections of a model's reading of the order."""


@dataclass(frozen=True, slots=True)
class ChiefSpoke:
    """The chief physician answered a question (`consult`) or challenged a conclusion (`review`)."""

    type: ClassVar[str] = "chief_spoke"
    n: int
    text: str
    kind: str
    about: tuple[str, ...] = ()
    """Ids of the evidence that a challenge rests on; all of it already revealed."""
    rejected: tuple[str, ...] = ()
    """Kinds of rejections of a model's words before this text stood."""
    by: str = "record"
    """Whose words these are, as of `PatientAnswered.by`."""


@dataclass(frozen=True, slots=True)
class ActionRejected:
    """What the doctor sent was no action, or came at the wrong time."""

    type: ClassVar[str] = "action_rejected"
    n: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The consultation is over."""

    type: ClassVar[str] = "ended"
    n: int
    reason: TerminationReason
    text: str = ""


Event = Opened | DoctorActed | PatientAnswered | ExamReported | ExamClarified | ChiefSpoke | ActionRejected | Ended
_TYPES: dict[str, type[Any]] = {
    kind.type: kind
    for kind in (
        Opened,
        DoctorActed,
        PatientAnswered,
        ExamReported,
        ExamClarified,
        ChiefSpoke,
        ActionRejected,
        Ended,
    )
}
_ENUMS: dict[tuple[str, str], type[StrEnum]] = {
    ("patient_answered", "kind"): AnswerKind,
    ("exam_reported", "outcome"): Outcome,
    ("ended", "reason"): TerminationReason,
}


_FIELDS: dict[type[Any], tuple[str, ...]] = {
    kind: tuple(field.name for field in fields(kind) if field.name != "n") for kind in _TYPES.values()
}


def to_dict(event: Event) -> dict[str, Any]:
    """The event as plain JSON data."""
    data: dict[str, Any] = {"n": event.n, "type": event.type}
    for name in _FIELDS[type(event)]:
        value = getattr(event, name)
        data[name] = action_to_dict(value) if name == "action" else value
    return data


def from_dict(data: dict[str, Any]) -> Event:
    """The event of its wire form; KeyError or TypeError where it is not one."""
    kind = _TYPES[data["type"]]
    values: dict[str, Any] = {}
    for field in fields(kind):
        if field.name not in data:
            continue
        value = data[field.name]
        if field.name == "action":
            value = action_from_dict(value)
        elif (kind.type, field.name) in _ENUMS:
            value = _ENUMS[kind.type, field.name](value)
        elif isinstance(value, list):
            value = tuple(value)
        values[field.name] = value
    event: Event = kind(**values)
    return event


def action_from_dict(data: dict[str, Any]) -> Action:
    """The action of its wire form; KeyError or TypeError where it is not one."""
    kind = TYPES[data["action"]]
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items() if k != "action"}
    action: Action = kind(**values)
    return action
