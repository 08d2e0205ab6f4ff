"""`clinic-sim explain`: how the clinic understands a question, an order or a diagnosis."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, BinaryIO

from clinic_sim.cases.case import Case
from clinic_sim.cases.compiled import compile_case
from clinic_sim.cases.facts import Source
from clinic_sim.cases.packs import Pack, load_pack
from clinic_sim.clinic.driving import drive
from clinic_sim.clinic.events import ExamClarified, ExamReported
from clinic_sim.clinic.examiner import OfflineExaminer, exam_name
from clinic_sim.clinic.limits import Limits
from clinic_sim.clinic.patient.guard import withhold_leaks
from clinic_sim.clinic.patient.phrase import phrase_answer
from clinic_sim.clinic.patient.select import select_facts
from clinic_sim.clinic.persona import Persona
from clinic_sim.clinic.room import Room
from clinic_sim.commands.console import console, print_json
from clinic_sim.errors import ClinicSimError, ConfigError
from clinic_sim.knowledge.diagnoses import read_diagnoses
from clinic_sim.knowledge.orders import read_order
from clinic_sim.knowledge.text import Language

MAX_TEXT = 20_000


def explain_one(
    what: str, text: str | None, scenarios: str, case: str | None, language: str | None, *, as_json: bool
) -> int:
    """Explain one text; returns 0."""
    if text is None:
        raise ConfigError("explain needs a TEXT, or --jsonl and lines on standard input")
    explained = _explainer(what)(text, _case(load_pack(scenarios), case, what), language)
    if as_json:
        print_json(explained)
        return 0
    for key, value in explained.items():
        if isinstance(value, list):
            console().print(f"{key}:" + ("" if value else " none"))
            for item in value:
                console().print("  " + "  ".join(str(v) for v in item.values() if v not in (None, "")))
        elif value:
            console().print(f"{key}: {value}")
    return 0


def explain_many(what: str, scenarios: str, language: str | None, lines: BinaryIO) -> int:
    """Explain a JSON line each; a line that cannot be explained gets an `error`. Returns 1 where there was one."""
    explain, failed, pack = _explainer(what), 0, None
    for n, raw in enumerate(lines, 1):
        if not raw.strip():
            continue
        asked: dict[str, Any] = {}
        try:
            asked = _line(raw)
            if pack is None and (what != "diagnosis" and asked.get("case") is not None):
                pack = load_pack(scenarios)
            case = pack.case(str(asked["case"])) if pack is not None and asked.get("case") is not None else None
            if what == "question" and case is None:
                raise ConfigError("a question needs a `case`")
            explained = explain(asked["text"], case, asked.get("language", language))
        except ClinicSimError as exc:
            failed += 1
            explained = {"error": f"line {n}: {exc}"}
        print_json({**{k: asked[k] for k in ("case", "text") if k in asked}, **explained})
    return 1 if failed else 0


def _line(raw: bytes) -> dict[str, Any]:
    try:
        data = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as exc:
        raise ConfigError(f"not a JSON object in UTF-8: {exc}") from exc
    if not isinstance(data, dict) or not isinstance(data.get("text"), str):
        raise ConfigError('a line is {"case": ..., "text": "..."}')
    return data


def _case(pack: Pack, case: str | None, what: str) -> Case | None:
    if case is not None:
        return pack.case(case)
    if what == "question":
        raise ConfigError("a question needs --case: whose facts should it select?")
    return None


def _explainer(what: str) -> Callable[[str, Case | None, str | None], dict[str, Any]]:
    explainers = {"question": explain_question, "order": explain_order, "diagnosis": explain_diagnosis}
    if what not in explainers:
        raise ConfigError(f"explain {what!r}: it is one of {', '.join(explainers)}")
    return explainers[what]


def explain_question(text: str, case: Case | None, language: str | None) -> dict[str, Any]:
    """Which facts answer it, and what the patient would say, as the first question of a consultation."""
    if case is None:
        raise ConfigError("a question needs a case")
    room = _room(case)
    selection, _ = withhold_leaks(room.compiled, select_facts(room.compiled, text[:MAX_TEXT], room.persona))
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
        reading = read_order(text[:MAX_TEXT], _language(language))
        exams = [
            {"code": i.code, "name": i.name, "outcome": None, "result": None, "source": None} for i in reading.items
        ]
        return {"exams": exams, "clarification": _plain([*reading.vague, *reading.unknown])}
    room = _room(case)
    events = drive(lambda: OfflineExaminer().report(room, (text[:MAX_TEXT],)))
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
    for read in read_diagnoses(text[:MAX_TEXT]):
        if read.certainty == "ruled_out":
            continue
        for match in read.matches:
            if match.icd10 not in best or best[match.icd10]["score"] < match.score:
                best[match.icd10] = {"icd10": match.icd10, "name": match.name, "score": round(match.score, 4)}
    return {"codes": sorted(best.values(), key=lambda c: -c["score"])}


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
