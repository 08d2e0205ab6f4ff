"""The answer-leak lint: does anything that the doctor can see name the reference diagnosis before it is found?

What the patient says, the chief complaint, the names of examinations and the physical findings must not name the
disease. A report of a test that makes the diagnosis (pathology, imaging, microbiology, ...) may: that is what the test
is for. It is reported as `expected`, so that nobody mistakes it for a finding that led there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from clinic_sim.cases.case import Case
from clinic_sim.cases.exams import Exam
from clinic_sim.knowledge.diagnoses import names_diagnosis
from clinic_sim.knowledge.exam_catalogue import catalogue

Severity = Literal["leak", "expected"]

_DIAGNOSTIC = {"imaging", "pathology", "laboratory", "procedure", "function"}


@dataclass(frozen=True, slots=True)
class Leak:
    """One place where the reference diagnosis is named."""

    where: str
    """`chief_complaint`, `opening`, the source path of a fact (its id where it has none), or an exam's code or id."""
    form: str
    """The words that name it."""
    severity: Severity
    """`leak`, or `expected` in the report of a diagnostic test."""


def lint_case(case: Case) -> tuple[Leak, ...]:
    """Every place of the case that names its primary diagnosis, in the case's order; empty without a diagnosis."""
    if case.diagnosis is None:
        return ()
    answers = (case.diagnosis.primary, *case.diagnosis.acceptable)
    codes = tuple(dict.fromkeys(a.icd10 for a in answers if a.icd10))
    names = tuple(dict.fromkeys(n for a in answers for n in (a.name, *a.names)))

    found: list[Leak] = []

    def look(where: str, text: str | None, severity: Severity = "leak") -> None:
        form = names_diagnosis(text, codes, names) if text else None
        if form is not None:
            found.append(Leak(where, form, severity))

    look("chief_complaint", case.chief_complaint)
    look("opening", case.opening)
    for fact in case.facts:
        look(fact.source.path if fact.source else fact.id, f"{fact.statement}\n{fact.words or ''}")
    for exam in case.exams:
        look(f"{exam.id}.name", exam.name)
        look(exam.id, exam.report, "expected" if _kind(exam) in _DIAGNOSTIC else "leak")
    return tuple(dict.fromkeys(found))


def _kind(exam: Exam) -> str | None:
    if exam.kind:
        return exam.kind
    book = catalogue()
    return book[exam.code].kind if exam.code in book else None
