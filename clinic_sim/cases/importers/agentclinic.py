"""AgentClinic's OSCE cases (`agentclinic_medqa.jsonl` and siblings): one JSON object a line under `OSCE_Examination`.

Keys are known only roughly: a section may be text, a list, a mapping of any depth, or absent, and a case may carry
sections that no other has. What is a history is read as history, what is a finding as an examination; the diagnosis
and the task text (which may name it) never reach patient or doctor. The source holds no treatment and no basis.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clinic_sim.cases.case import Case, Demographics, Provenance
from clinic_sim.cases.importers.base import BrokenRecord, Findings, RawRecord, leaves, says_nothing, slug
from clinic_sim.cases.importers.deidentification import Deidentifier
from clinic_sim.cases.importers.demographics import read_demographics, read_speaker
from clinic_sim.cases.importers.exams import ExamBook, Part, essential_without_basis, is_part, readable
from clinic_sim.cases.importers.facts import FactBook
from clinic_sim.cases.importers.headings import topic_of_section
from clinic_sim.cases.importers.reference import ReferenceNames, coded_diagnosis, split_names
from clinic_sim.cases.importers.sections import finish, identity
from clinic_sim.cases.reference import Diagnosis
from clinic_sim.knowledge.topics import Topic

SOURCE = "AgentClinic (MedQA OSCE)"
URL = "https://github.com/SamuelSchmidgall/AgentClinic"
LICENCE = "MIT"
PHYSICAL, TESTS = "Physical_Examination_Findings", "Test_Results"

_HIDDEN = {"Objective_for_Doctor", "Correct_Diagnosis", "Patient_Actor", PHYSICAL, TESTS}
_EXAM_KEY = re.compile(r"test|lab|imaging|radiolog|patholog|result|investigation", re.IGNORECASE)
_PHYSICAL_KEY = re.compile(r"physical|vital|examination", re.IGNORECASE)
_EMERGENCY = re.compile(r"\bemergency (?:department|room)\b|\bambulance\b", re.IGNORECASE)


def files(source: Path) -> list[Path]:
    """The files of a source: the file itself, or a folder's JSON-lines files."""
    return sorted(source.glob("*.jsonl")) if source.is_dir() else [source]


def case_id(raw: RawRecord) -> str:
    """`agentclinic-medqa-007`: the file and the line."""
    stem = slug(Path(raw.origin).stem).replace("_", "-")
    return f"{stem if stem.startswith('agentclinic') else f'agentclinic-{stem}'}-{raw.index:03d}"


def convert(raw: RawRecord, findings: Findings) -> Case:
    """One record as a case.

    Raises:
        BrokenRecord: the record is no OSCE case, or holds nothing that a patient could tell.
    """
    root = raw.value.get("OSCE_Examination", raw.value) if isinstance(raw.value, Mapping) else None
    if not isinstance(root, Mapping) or "Patient_Actor" not in root:
        raise BrokenRecord("no OSCE_Examination.Patient_Actor: not an AgentClinic OSCE case")
    masks = Deidentifier("en")
    root = masks.tree(dict(root))
    actor = root["Patient_Actor"]
    actor = actor if isinstance(actor, Mapping) else {"History": actor}

    story = " ".join(text for _, text in leaves(actor.get("History"), ""))
    described = "; ".join(f"{p.rsplit('.', 1)[-1]}: {t}" if p else t for p, t in leaves(actor.get("Demographics"), ""))
    demographics, capped = read_demographics(described, story=story)
    if capped:
        findings.flag("age_capped")
    names = split_names([text for _, text in leaves(root.get("Correct_Diagnosis"), "")], "en")
    complaint, complaint_path = _complaint(actor, story)
    reference = ReferenceNames.of(names[:1], "en", complaint, findings)

    exams = ExamBook("en")
    facts = FactBook(
        "en", read_speaker(demographics, story), reference.betrayed_by, reference.named_in, findings, _to_exams(exams)
    )
    identity(facts, described, "Patient_Actor.Demographics")
    _history(facts, actor, complaint, complaint_path)
    _examinations(exams, root, findings)
    if reference.named_in(complaint):
        findings.withhold(complaint_path)
        complaint = ""
    essential = essential_without_basis(exams.drafts, TESTS, reference.named_in)
    built = facts.facts()
    diagnosis = (
        Diagnosis(primary=coded_diagnosis(names[0], "en"), comorbid=tuple(coded_diagnosis(n, "en") for n in names[1:]))
        if names
        else None
    )
    setting = "emergency" if _EMERGENCY.search(story) else "outpatient"
    return finish(
        findings,
        exams=exams.exams(essential, taken=(f.id for f in built)),
        facts=built,
        complaint=complaint,
        always_missing=("treatment", "basis", "differential"),
        names_reference=reference.named_in,
        id=case_id(raw),
        language="en",
        title=", ".join(names) or "untitled",
        demographics=demographics,
        department=_department(demographics, setting),
        setting=setting,
        speaker=facts.speaker,
        diagnosis=diagnosis,
        provenance=Provenance(
            source=SOURCE, ref=f"{raw.origin}:{raw.index}", licence=LICENCE, url=URL, deidentification=masks.statement()
        ),
    )


def _complaint(actor: Mapping[str, Any], story: str) -> tuple[str, str]:
    """The chief complaint and where it stands: the primary symptom, else the first thing told."""
    symptoms = actor.get("Symptoms")
    found = list(leaves(symptoms, "Patient_Actor.Symptoms"))
    primary = [(p, t) for p, t in found if "primary" in p.lower()] or found
    for path, text in primary:
        if not says_nothing(text):
            return text, path
    first = re.split(r"(?<=[.!?])\s", story)[0].strip()
    return first, "Patient_Actor.History"


def _history(facts: FactBook, actor: Mapping[str, Any], complaint: str, complaint_path: str) -> None:
    if complaint_path != "Patient_Actor.History":
        facts.add(complaint_path, complaint, Topic.CHIEF_COMPLAINT, whole=True)
    for path, text in leaves(actor.get("History"), "Patient_Actor.History"):
        facts.add(path, text, Topic.PRESENT_ILLNESS)
    for path, text in leaves(actor.get("Symptoms"), "Patient_Actor.Symptoms"):
        if path != complaint_path:
            facts.add(path, text, Topic.PRESENT_ILLNESS, whole=True)
    for key, value in actor.items():
        if key in {"Demographics", "History", "Symptoms"}:
            continue
        for path, text in leaves(value, f"Patient_Actor.{key}"):
            topic = topic_of_section(key)
            inner = path.rsplit(".", 1)[-1]
            if topic is not Topic.REVIEW_OF_SYSTEMS and not inner.startswith(key):
                own = topic_of_section(re.sub(r"\[\d+\]", "", inner))
                topic = topic if own is Topic.OTHER else own
            facts.add(path, _labelled(inner, text), topic, whole="[" in path)


def _labelled(key: str, text: str) -> str:
    """A value that means nothing without its key (`Parity: 2`, `Smoking: yes`) with it; others as they stand."""
    if says_nothing(text):
        return text
    label = readable(re.sub(r"\[\d+\]", "", key))
    if text.lower() in {"yes", "true", "present"}:
        return label
    if text.lower() in {"no", "false", "absent", "negative"}:
        return f"No {label.lower()}"
    return text if re.search(r"[^\W\d_]{2}", text) else f"{label}: {text}"


def _examinations(exams: ExamBook, root: Mapping[str, Any], findings: Findings) -> None:
    for key, value in root.items():
        if key == PHYSICAL or (key not in _HIDDEN and _PHYSICAL_KEY.search(key) and not _EXAM_KEY.search(key)):
            _physical(exams, key, value)
        elif key == TESTS or (key not in _HIDDEN and _EXAM_KEY.search(key)):
            exams.walk(TESTS, key, value, physical=False)
        elif key not in _HIDDEN:
            findings.unread.extend(path for path, _ in leaves(value, key))


def _physical(exams: ExamBook, key: str, value: Any) -> None:
    texts = {k: v for k, v in value.items() if is_part(readable(k))} if isinstance(value, Mapping) else {"": value}
    if isinstance(value, Mapping):
        exams.walk(PHYSICAL, key, {k: v for k, v in value.items() if k not in texts}, physical=True)
    for name, inner in texts.items():
        for path, text in leaves(inner, f"{key}.{name}" if name else key):
            exams.findings(PHYSICAL, [Part("", text, path)])


def _to_exams(exams: ExamBook) -> Any:
    def take(path: str, words: str) -> None:
        exams.findings(PHYSICAL, [Part("", words, path)])

    return take


def _department(demographics: Demographics, setting: str) -> str:
    """From what anyone sees at the door; never from the diagnosis."""
    if setting == "emergency":
        return "Emergency medicine"
    years = demographics.years
    if years is not None and years < 16:
        return "Pediatrics"
    return "Obstetrics" if demographics.pregnant else "General medicine"
