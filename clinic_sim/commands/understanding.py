"""How the clinic understands a question, an order or a diagnosis, as JSON data: what `clinic-sim explain` prints.

A text given with a case is read in the case's language; without one, in the language asked for or the text's own.
"""

from __future__ import annotations

from typing import Any

from clinic_sim.cases.case import Case
from clinic_sim.cases.compiled import compile_case
from clinic_sim.cases.facts import Source
from clinic_sim.clinic.driving import drive
from clinic_sim.clinic.events import ExamClarified, ExamReported
from clinic_sim.clinic.examiner import OfflineExaminer, exam_name
from clinic_sim.clinic.limits import Limits
from clinic_sim.clinic.patient.guard import withhold_leaks
from clinic_sim.clinic.patient.phrase import phrase_answer
from clinic_sim.clinic.patient.select import select_facts
from clinic_sim.clinic.persona import Persona
from clinic_sim.clinic.room import Room
from clinic_sim.errors import ConfigError
from clinic_sim.knowledge.diagnoses import read_diagnoses
from clinic_sim.knowledge.orders import read_order
from clinic_sim.knowledge.text import Language

MAX_TEXT = 20_000


def explain_question(text: str, case: Case | None, language: str | None) -> dict[str, Any]:
    """Which facts answer it, and what the patient would say, as the first question of a consultation."""
    if case is None:
        raise ConfigError("a question needs a case")
    _language(language)
    room = _room(case)
    selection, _ = withhold_leaks(room.compiled, select_facts(room.compiled, _checked(text), room.persona))
    facts = []
    for fact_id in selection.facts:
        fact = room.compiled.by_id[fact_id]
        facts.append(
            {"id": fact.id, "kind": str(fact.sort), "statement": fact.statement, "source": _source(fact.source)}
        )
    return {
        "facts": facts,
        "held": list(selection.held),
        "answer": str(selection.kind),
        "reply": phrase_answer(room.compiled, selection, room),
    }


def explain_order(text: str, case: Case | None, language: str | None) -> dict[str, Any]:
    """Which examinations it orders, and what the examiner would report."""
    if case is None:
        reading = read_order(_checked(text), _language(language))
        exams = [
            {"code": i.code, "name": i.name, "outcome": None, "result": None, "source": None} for i in reading.items
        ]
        return {"exams": exams, "clarification": _plain([*reading.vague, *reading.unknown])}
    _language(language)
    room = _room(case)
    events = drive(lambda: OfflineExaminer().report(room, (_checked(text),)))
    exams = []
    for event in events:
        if isinstance(event, ExamReported):
            exams.extend(_reported(case, event))
    clarification = next((e.text for e in events if isinstance(e, ExamClarified)), None)
    return {"exams": exams, "clarification": clarification}


def _reported(case: Case, event: ExamReported) -> list[dict[str, Any]]:
    if not event.exams:
        return [
            {
                "code": event.code,
                "name": event.name,
                "outcome": str(event.outcome),
                "result": event.text,
                "source": None,
            }
        ]
    rows = []
    for exam_id in event.exams:
        exam = case.exam(exam_id)
        outcome = "pending" if exam.pending else "recorded_normal" if exam.normal else "recorded"
        rows.append(
            {
                "code": exam.code,
                "name": exam_name(exam, case.language),
                "outcome": outcome,
                "result": None if exam.pending else exam.report,
                "source": _source(exam.source),
            }
        )
    return rows


def explain_diagnosis(text: str, case: Case | None, language: str | None) -> dict[str, Any]:
    """Which ICD-10 codes it names, best first; what it rules out is not among them."""
    best: dict[str, dict[str, Any]] = {}
    for read in read_diagnoses(_checked(text), language=_language(language)):
        if read.certainty == "ruled_out":
            continue
        for match in read.matches:
            if match.icd10 not in best or best[match.icd10]["score"] < match.score:
                best[match.icd10] = {"icd10": match.icd10, "name": match.name, "score": round(match.score, 4)}
    return {"codes": sorted(best.values(), key=lambda c: -c["score"])}


def _checked(text: str) -> str:
    """The text; cut silently, an explanation would be one of something else than was asked."""
    if len(text) > MAX_TEXT:
        raise ConfigError(f"the text has {len(text)} characters; at most {MAX_TEXT} are explained")
    return text


def _language(language: str | None) -> Language | None:
    if language in (None, "en", "zh"):
        return language  # type: ignore[return-value]
    raise ConfigError(f"unknown language {language!r}; it is en or zh")


def _room(case: Case) -> Room:
    return Room(compile_case(case), 0, Persona(), Limits())


def _source(source: Source | None) -> dict[str, str] | None:
    return None if source is None else {"path": source.path, "words": source.words}


def _plain(names: list[str]) -> str | None:
    return "; ".join(names) or None
