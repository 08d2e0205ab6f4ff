"""The whole consultation as text, for people."""

from __future__ import annotations

from collections.abc import Sequence

from clinic_sim.clinic.actions import Action, Ask, Conclude, Consult, Examine, Invalid, Order
from clinic_sim.clinic.events import DoctorActed, Event
from clinic_sim.clinic.scene import line

_DOCTOR = {"en": "Doctor", "zh": "医生"}
_VERBS = {
    "en": {
        "examine": "[examines] ",
        "order": "[orders] ",
        "consult": "[to the chief] ",
        "conclude": "[concludes] ",
        "invalid": "[unreadable] ",
        "differential": "Differential: ",
        "basis": "Basis: ",
        "treatment": "Treatment: ",
    },
    "zh": {
        "examine": "〔查体〕",
        "order": "〔开单〕",
        "consult": "〔请示上级〕",
        "conclude": "〔结论〕",
        "invalid": "〔无法识别〕",
        "differential": "鉴别诊断：",
        "basis": "诊断依据：",
        "treatment": "治疗：",
    },
}


def transcript(events: Sequence[Event], language: str) -> str:
    """All events as labelled lines, with their numbers."""
    lines = []
    for event in events:
        text = said_by_doctor(event, language) if isinstance(event, DoctorActed) else line(event, language)
        if text is not None:
            lines.append(f"{event.n:>3}  {text}")
    return "\n".join(lines)


def said_by_doctor(event: DoctorActed, language: str) -> str:
    """The doctor's action as a labelled line."""
    colon = "：" if language == "zh" else ": "
    return f"{_DOCTOR[language]}{colon}{_worded(event.action, language)}"


def _worded(action: Action, language: str) -> str:
    verbs = _VERBS[language]
    between = "；" if language == "zh" else "; "
    if isinstance(action, Ask):
        return action.text
    if isinstance(action, Examine):
        return verbs["examine"] + between.join(action.manoeuvres)
    if isinstance(action, Order):
        return verbs["order"] + between.join(action.exams)
    if isinstance(action, Consult):
        return verbs["consult"] + action.question
    if isinstance(action, Invalid):
        return verbs["invalid"] + action.text
    return _concluded(action, verbs, between)


def _concluded(action: Conclude, verbs: dict[str, str], between: str) -> str:
    parts = [verbs["conclude"] + action.diagnosis]
    for field in ("differential", "basis", "treatment"):
        items: tuple[str, ...] = getattr(action, field)
        if items:
            parts.append("     " + verbs[field] + between.join(items))
    return "\n".join(parts)
