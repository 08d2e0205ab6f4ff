"""Guard: what a patient must never say, whatever was asked: the diagnosis, or the result of an examination.

A case's author or an importer may have written such words into a fact. The guard stands between the choice of facts and
their words, so a fact that would leak is withheld, and the event says so.
"""

from __future__ import annotations

from dataclasses import replace
from weakref import WeakKeyDictionary

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.cases.facts import Polarity
from clinic_sim.clinic.events import AnswerKind
from clinic_sim.clinic.patient.select import Selection
from clinic_sim.clinic.patient.voice import speak
from clinic_sim.knowledge.diagnoses import names_diagnosis

LEAK_DIAGNOSIS = "leak:diagnosis"
LEAK_RESULT = "leak:result"
_QUOTED = 24
"""Characters of a report that, repeated word for word, are its words and not the patient's."""


def said(compiled: CompiledCase, fact_id: str) -> str:
    """How this patient says one fact."""
    fact = compiled.by_id[fact_id]
    if fact.words is not None:
        return fact.words
    case = compiled.case
    return speak(fact.statement, fact.polarity is Polarity.ABSENT, case.language, case.speaker == "patient")


def leaks(compiled: CompiledCase, text: str) -> str:
    """The kind of leak in a text, empty when there is none."""
    reference = compiled.case.diagnosis
    if reference is not None:
        primary = reference.primary
        codes = [primary.icd10] if primary.icd10 else []
        if names_diagnosis(text, codes, (primary.name, *primary.names)) is not None:
            return LEAK_DIAGNOSIS
    if any(_quotes(exam.report, text) for exam in compiled.case.exams):
        return LEAK_RESULT
    return ""


def _quotes(report: str, text: str) -> bool:
    """The text repeats a long run of the report."""
    if len(text) < _QUOTED or len(report) < _QUOTED:
        return False
    return any(report[at : at + _QUOTED] in text for at in range(0, len(report) - _QUOTED + 1, _QUOTED // 2))


_checked: WeakKeyDictionary[CompiledCase, dict[str, str]] = WeakKeyDictionary()


def fact_leak(compiled: CompiledCase, fact_id: str) -> str:
    """The kind of leak in one fact's words; looked at once a compiled case."""
    known = _checked.setdefault(compiled, {})
    if fact_id not in known:
        known[fact_id] = leaks(compiled, said(compiled, fact_id))
    return known[fact_id]


def withhold_leaks(compiled: CompiledCase, selection: Selection) -> tuple[Selection, tuple[str, ...]]:
    """The selection without facts whose words would leak, and the kinds of leak that were stopped."""
    stopped = {f: kind for f in selection.facts if (kind := fact_leak(compiled, f))}
    if not stopped:
        return selection, ()
    kept = tuple(f for f in selection.facts if f not in stopped)
    kind = selection.kind if kept else AnswerKind.NOTHING_KNOWN
    return replace(selection, facts=kept, kind=kind), tuple(dict.fromkeys(stopped.values()))
