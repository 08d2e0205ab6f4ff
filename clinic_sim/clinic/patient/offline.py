"""The offline patient: select the facts an utterance asks for, guard them, say them, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.clinic.events import PatientAnswered
from clinic_sim.clinic.patient.guard import withhold_leaks
from clinic_sim.clinic.patient.phrase import phrase_answer
from clinic_sim.clinic.patient.select import Selection, select_facts
from clinic_sim.clinic.room import Room
from clinic_sim.knowledge.meaning import Meaning
from clinic_sim.knowledge.topics import Topic


def choose(room: Room, utterance: str) -> tuple[Selection, tuple[str, ...]]:
    """The facts that an utterance gets by the lexicon, without those whose words would leak, and the kinds of leak."""
    compiled = room.compiled
    focus: Meaning | None = None
    for event in reversed(room.events):
        if isinstance(event, PatientAnswered):
            focus = _focus(compiled, event.facts)
            if focus is not None:
                break
    selection = select_facts(
        compiled,
        utterance,
        room.persona,
        told=room.ledger.facts,
        held_before=room.ledger.held,
        focus=focus,
    )
    return withhold_leaks(compiled, selection)


class OfflinePatient:
    """Answers from the record by lexicon and template; deterministic, and never waits."""

    suspends = False
    name = "offline"
    settings: Mapping[str, Any] = MappingProxyType({})

    async def answer(self, room: Room, utterance: str) -> PatientAnswered:
        """Answer one utterance; the event's number is filled in by the consultation."""
        selection, rejected = choose(room, utterance)
        text = phrase_answer(room.compiled, selection, room)
        return PatientAnswered(len(room.events), text, selection.kind, selection.facts, selection.held, rejected)


def _focus(compiled: CompiledCase, facts: tuple[str, ...]) -> Meaning | None:
    """The complaint that the answer was about, so that `since when?` means the right one."""
    for fact_id in facts:
        fact = compiled.by_id[fact_id]
        if fact.topic in (Topic.CHIEF_COMPLAINT, Topic.PRESENT_ILLNESS, Topic.REVIEW_OF_SYSTEMS):
            meaning = compiled.meanings[compiled.position[fact_id]]
            if meaning.concepts and meaning.polarity == "present":
                return meaning
    return None
