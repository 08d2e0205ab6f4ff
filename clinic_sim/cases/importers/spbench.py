"""SPBench: Chinese standardised-patient cases (`case_NN.json`): a history in sections, and a title.

The title names the disease as a rule and is the only answer in the file; it stays hidden. Some sections hold what no
patient would tell: an examiner's findings and results from elsewhere. Findings become examinations; words that name
the diagnosis are withheld. There is no treatment and no basis; the source has no section of examinations, so that
`exams` counts as missing even where findings among the history yield some.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clinic_sim.cases.case import Case, Provenance
from clinic_sim.cases.importers.base import BrokenRecord, Findings, RawRecord, leaves, says_nothing, slug, text_of
from clinic_sim.cases.importers.deidentification import Deidentifier
from clinic_sim.cases.importers.demographics import read_demographics, read_speaker
from clinic_sim.cases.importers.exams import ExamBook, Part
from clinic_sim.cases.importers.facts import FactBook
from clinic_sim.cases.importers.headings import topic_of_section
from clinic_sim.cases.importers.physical import is_finding
from clinic_sim.cases.importers.reference import ReferenceNames, coded_diagnosis, title_names
from clinic_sim.cases.importers.sections import finish, identity
from clinic_sim.cases.reference import Diagnosis
from clinic_sim.knowledge.topics import Topic

SOURCE = "SPBench"
URL = "https://github.com/SPBench/SPBench"
LICENCE = "MIT (as stated in the source's README)"
PROFILE = "patientProfile"

_SKIP = {
    "name",
    "age_value",
    "age_unit",
    "gender",
    "address",
    "basic_info",
    "hospital_department_name",
    "chief_complaint",
}
_FIRST = ("present_illness_history", "system_review", "past_medical_history", "other_medical_history")
_EMPTY_NAME = re.compile(r"[×xX*\-—无某\s]*")


def files(source: Path) -> list[Path]:
    """The case files of a folder (`case_*.json`, or every JSON file that is no dialogue), or the file itself."""
    if not source.is_dir():
        return [source]
    named = sorted(source.glob("case*.json"))
    return named or [p for p in sorted(source.glob("*.json")) if "dialog" not in p.stem and "taking" not in p.stem]


def number(raw: RawRecord) -> int:
    """The case's number: its `caseId`, else the number in the file's name, else its place."""
    given = text_of(raw.value.get("caseId")) if isinstance(raw.value, Mapping) else ""
    digits = re.search(r"\d+", given) or re.search(r"\d+", Path(raw.origin).stem)
    return int(digits.group()[:9]) if digits else raw.index


def convert(raw: RawRecord, findings: Findings) -> Case:
    """One record as a case.

    Raises:
        BrokenRecord: the record is no SPBench case, or holds nothing that a patient could tell.
    """
    profile = raw.value.get(PROFILE) if isinstance(raw.value, Mapping) else None
    if not isinstance(profile, Mapping):
        raise BrokenRecord(f"no {PROFILE}: not an SPBench case")
    name = text_of(profile.get("name"))
    masks = Deidentifier("zh", () if len(name) < 2 or _EMPTY_NAME.fullmatch(name) else (name,))
    title, description = (
        masks.text(text_of(raw.value.get("caseTitle"))),
        masks.text(text_of(raw.value.get("caseDescription"))),
    )
    profile = masks.tree(dict(profile))

    described = f"{text_of(profile.get('age_value'))}{text_of(profile.get('age_unit'))}{text_of(profile.get('gender'))}"
    basic = text_of(profile.get("basic_info"))
    story = text_of(profile.get("present_illness_history"))
    demographics, capped = read_demographics(f"{described} {basic}" if len(described) < 2 else described)
    if capped:
        findings.flag("age_capped")
    complaint = text_of(profile.get("chief_complaint")).strip("。 ") or basic
    names = title_names(title, description)
    reference = ReferenceNames.of(names, "zh", complaint, findings)

    exams = ExamBook("zh")

    def take(path: str, words: str) -> None:
        exams.findings("history", [Part("", words, path)])

    facts = FactBook(
        "zh",
        read_speaker(demographics, f"{story} {complaint}"),
        reference.betrayed_by,
        reference.named_in,
        findings,
        take,
    )
    identity(facts, f"{described}" if described.strip() else "", f"{PROFILE}.age_value")
    facts.add(f"{PROFILE}.chief_complaint", complaint, Topic.CHIEF_COMPLAINT, whole=True)
    _sections(facts, profile)
    for sentence in re.split(r"[。\n]", basic):
        if is_finding(sentence):
            take(f"{PROFILE}.basic_info", sentence)
    built = facts.facts()
    department = text_of(profile.get("hospital_department_name"))
    return finish(
        findings,
        exams=exams.exams(taken=(f.id for f in built)),
        facts=built,
        complaint=complaint,
        always_missing=("exams", "treatment", "basis", "differential"),
        names_reference=reference.named_in,
        id=f"spbench-{number(raw):02d}" if isinstance(raw.value, Mapping) else f"spbench-{slug(raw.origin)}",
        language="zh",
        title=title or description or "无题",
        demographics=demographics,
        department=department if not says_nothing(department) else "全科",
        setting="emergency" if "急诊" in f"{department}{description[:20]}" else "outpatient",
        speaker=facts.speaker,
        diagnosis=Diagnosis(primary=coded_diagnosis(names[0], "zh", names[1:])) if names else None,
        provenance=Provenance(
            source=SOURCE,
            ref=text_of(raw.value.get("caseId")) or raw.origin,
            licence=LICENCE,
            url=URL,
            deidentification=masks.statement(),
        ),
    )


def _sections(facts: FactBook, profile: Mapping[str, Any]) -> None:
    keys = [k for k in _FIRST if k in profile] + [k for k in profile if k not in _FIRST and k not in _SKIP]
    for key in keys:
        topic = topic_of_section(key)
        for path, text in leaves(profile[key], f"{PROFILE}.{key}"):
            if key == "occupation" and not says_nothing(text):
                facts.add(path, text, Topic.OCCUPATION, whole=True)
            elif key == "marital_status" and not says_nothing(text):
                facts.add(path, text, Topic.LIVING, whole=True)
            else:
                facts.add(path, text, topic)
