"""The last steps that every importer takes: who the patient is, what is missing, and a case that validates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from clinic_sim.cases.case import Case, Provenance, Section
from clinic_sim.cases.exams import Exam
from clinic_sim.cases.facts import Disclosure, Fact, Importance, Polarity, Source
from clinic_sim.cases.importers.base import BrokenRecord, Findings
from clinic_sim.cases.importers.facts import Draft, FactBook
from clinic_sim.cases.importers.reading import meaning_of
from clinic_sim.cases.leaks import lint_case
from clinic_sim.knowledge.meaning import Meaning
from clinic_sim.knowledge.text import Language
from clinic_sim.knowledge.topics import Topic


def identity(facts: FactBook, described: str, path: str) -> None:
    """A fact for `How old are you?`: the record's own description of the patient."""
    words = described.strip()
    if not words or facts.names_reference(words):
        return
    fact = Fact(
        id=f"f{len(facts.drafts) + 1:02d}",
        topic=Topic.IDENTITY,
        statement=words,
        polarity=Polarity.PRESENT,
        importance=Importance.NOISE,
        disclosure=Disclosure.ASKED,
        source=Source(path=path, words=words),
    )
    facts.drafts.append(Draft(fact, Meaning()))


def finish(
    findings: Findings,
    *,
    facts: tuple[Fact, ...],
    exams: tuple[Exam, ...],
    complaint: str,
    always_missing: tuple[Section, ...],
    names_reference: Callable[[str], bool],
    provenance: Provenance,
    diagnosis: Any,
    **fields: Any,
) -> Case:
    """Build the case, lint it, and write what is missing and flagged into its provenance.

    Raises:
        BrokenRecord: nothing is left that the patient could tell.
    """
    complaint = complaint.strip()
    if not complaint or names_reference(complaint):
        complaint = _first_symptom(facts)
    if not complaint or not any(f.topic is not Topic.IDENTITY for f in facts):
        raise BrokenRecord("holds nothing that a patient could tell without naming the diagnosis")
    missing = set(always_missing)
    if not exams:
        missing.add("exams")
    if diagnosis is None:
        missing.update(("diagnosis", "basis", "differential"))
    if not fields.get("treatment"):
        missing.add("treatment")
    ordered = tuple(s for s in get_args(Section) if s in missing)
    draft = Case(
        facts=facts,
        exams=exams,
        chief_complaint=complaint,
        diagnosis=diagnosis,
        provenance=provenance.model_copy(update={"missing": ordered}),
        **fields,
    )
    for leak in lint_case(draft):
        findings.flag(f"{_FLAG[leak.severity]}:{leak.where}")
    final = provenance.model_copy(update={"missing": ordered, "flags": tuple(findings.flags)})
    return draft.model_copy(update={"provenance": final})


def _first_symptom(facts: tuple[Fact, ...]) -> str:
    """What the patient would say first: a symptom, else anything told of the illness."""
    told = [f for f in facts if f.topic in _TELLING and f.polarity is Polarity.PRESENT]
    for fact in told:
        language: Language = "zh" if any("\u4e00" <= c <= "\u9fff" for c in fact.statement) else "en"
        concepts = meaning_of(fact.statement, language, fact.topic, fact.polarity).concepts
        if any(c.startswith("sx.") for c in concepts):
            return fact.statement
    return told[0].statement if told else ""


_FLAG = {"expected": "diagnostic_test", "family": "family", "leak": "leak"}
_TELLING = {Topic.CHIEF_COMPLAINT, Topic.PRESENT_ILLNESS, Topic.REVIEW_OF_SYSTEMS, Topic.GENERAL_STATE, Topic.MOOD}
