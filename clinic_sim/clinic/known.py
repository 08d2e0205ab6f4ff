"""What the doctor has come to know, as lines for a prompt: disclosed facts and revealed reports, never the words said.

A colleague's prompt is built from these alone, so a model can neither leak what it was not told nor be talked to.
"""

from __future__ import annotations

from collections.abc import Iterable

from clinic_sim.clinic.events import Event, ExamReported, Opened, Outcome, PatientAnswered
from clinic_sim.clinic.room import Room
from clinic_sim.clinic.scene import who

LONGEST_REPORT = 600
"""Characters of one report that a prompt repeats."""
_TOLD = frozenset({Outcome.RECORDED, Outcome.RECORDED_NORMAL, Outcome.DERIVED, Outcome.PENDING})


def patient_line(room: Room) -> str:
    """Who the patient is, with the complaint as the doctor heard it first."""
    first = room.events[0]
    words = first.text if isinstance(first, Opened) else ""
    return f"{who(room.compiled.case)}：“{words}”" if room.language == "zh" else f'{who(room.compiled.case)}: "{words}"'


def news(room: Room, events: Iterable[Event]) -> list[str]:
    """One line for each fact and report that these events brought out."""
    lines: dict[str, None] = {}
    for event in events:
        if isinstance(event, PatientAnswered | Opened):
            for fact_id in event.facts:
                fact = room.compiled.by_id[fact_id]
                if fact.echo_of is None:
                    lines[f"- {' '.join(fact.statement.split())}"] = None
        elif isinstance(event, ExamReported) and event.outcome in _TOLD and not event.repeat:
            lines[f"- {' '.join(event.text.split())[:LONGEST_REPORT]}"] = None
    return list(lines)
