"""AI Hospital's `patients.json`: full Chinese records with examinations, diagnosis, basis and course of treatment.

`medical_record` is the record; history sections that it lacks are taken from `raw_medical_record` where that stands
beside it. The title, the author's analysis and the profile written by a model are not read: the first two teach the
answer, the third is not the patient's. The final diagnosis (诊断结果) is the reference, else the preliminary one.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clinic_sim.cases.case import Case, Provenance
from clinic_sim.cases.facts import Source
from clinic_sim.cases.importers.ancillary import read_ancillary
from clinic_sim.cases.importers.base import BrokenRecord, Findings, RawRecord, leaves, says_nothing, text_of
from clinic_sim.cases.importers.deidentification import Deidentifier
from clinic_sim.cases.importers.demographics import read_demographics, read_speaker
from clinic_sim.cases.importers.exams import ExamBook, Part
from clinic_sim.cases.importers.facts import FactBook
from clinic_sim.cases.importers.headings import topic_of_section
from clinic_sim.cases.importers.reference import (
    ReferenceNames,
    basis_ids,
    coded_diagnosis,
    exams_in,
    read_differential,
    split_diagnoses,
)
from clinic_sim.cases.importers.sections import finish, identity
from clinic_sim.cases.importers.treatments import read_course
from clinic_sim.cases.reference import Diagnosis
from clinic_sim.knowledge.topics import Topic

SOURCE = "AI Hospital (iiyi.com records)"
URL = "https://github.com/LibertFan/AI_Hospital"
LICENCE = "text of iiyi.com, distributed by an MIT-licensed repository: local use only"
RECORD, RAW = "medical_record", "raw_medical_record"

_ANSWER = {"初步诊断", "诊断依据", "鉴别诊断", "诊治经过", "诊断结果", "分析总结"}
_EXAM_SECTIONS = {"查体", "辅助检查", "体格检查", "专科检查", "专科情况", "实验室检查", "影像学检查"}
_HISTORY = re.compile(r"史$|主诉|现病|一般资料|一般情况")
_FRAMED = re.compile(
    r"^(?:患[者儿]|病人)?[^“\"，。]{0,14}?因?[“\"](?P<quoted>[^”\"]{2,})[”\"]?(?:[^，。]{0,6}(?:入院|就诊|来诊))?[。.]?$"
)
_LEAD = re.compile(r"^(?:患[者儿]|病人)(?:主?因|主诉)?[:：，,]?|(?:急诊|门诊)?(?:入院|就诊|来诊)[。.]?$")
_DATE = re.compile(r"((?:19|20)\d{2})\D(\d{1,2})\D(\d{1,2})")


def files(source: Path) -> list[Path]:
    """The file itself, or a folder's `patients*.json`, or else all its JSON files."""
    if not source.is_dir():
        return [source]
    return sorted(source.glob("patients*.json")) or sorted(source.glob("*.json"))


def number(raw: RawRecord) -> int:
    """The record's `id`, else its place in the file."""
    given = text_of(raw.value.get("id")) if isinstance(raw.value, Mapping) else ""
    return int(given) if re.fullmatch(r"\d{1,9}", given) else raw.index


def convert(raw: RawRecord, findings: Findings) -> Case:
    """One record as a case.

    Raises:
        BrokenRecord: the record is no AI Hospital record, or holds nothing that a patient could tell.
    """
    value = raw.value if isinstance(raw.value, Mapping) else {}
    record, older = _mapping(value.get(RECORD)), _mapping(value.get(RAW))
    where = RECORD
    if not record:
        if not older:
            raise BrokenRecord(f"neither {RECORD} nor {RAW}: not an AI Hospital record")
        record, where = older, RAW
    masks = Deidentifier("zh")
    record, older = masks.tree(record), masks.tree(older)
    texts = {k: "\n".join(t for _, t in leaves(v, "")).strip() for k, v in record.items()}

    described = texts.get("一般资料", "")
    story = texts.get("现病史", "")
    complaint = _complaint(texts.get("主诉", ""))
    demographics, capped = read_demographics(described or complaint)
    if capped:
        findings.flag("age_capped")
    result = texts.get("诊断结果", "") if not says_nothing(texts.get("诊断结果", "")) else texts.get("初步诊断", "")
    names = split_diagnoses(result)
    reference = ReferenceNames.of(names[:1], "zh", complaint, findings)

    exams = ExamBook("zh")

    def take(path: str, words: str) -> None:
        exams.findings("查体", [Part("", words, path)])

    facts = FactBook(
        "zh",
        read_speaker(demographics, f"{story}{complaint}"),
        reference.betrayed_by,
        reference.named_in,
        findings,
        take,
    )
    _history(facts, where, texts, older, complaint)
    for key, text in texts.items():
        if key in {"查体", "体格检查"} or key.startswith("专科"):
            take(f"{where}.{key}", text)
        elif key in _EXAM_SECTIONS:
            read_ancillary(exams, f"{where}.{key}", text)
        elif key not in _ANSWER and not _HISTORY.search(key) and not says_nothing(text):
            findings.unread.append(f"{where}.{key}")

    basis = texts.get("诊断依据", "")
    built = facts.facts(basis)
    essential = exams_in(basis, exams.drafts)
    results = exams.exams(essential, taken=(f.id for f in built))
    diagnosis = None
    if names:
        diagnosis = Diagnosis(
            primary=coded_diagnosis(names[0], "zh"),
            comorbid=tuple(coded_diagnosis(n, "zh") for n in names[1:]),
            differential=read_differential(texts.get("鉴别诊断", ""), "zh"),
            basis=basis_ids(built, results),
            basis_text=basis,
            source=Source(
                path=f"{where}.{'诊断结果' if result == texts.get('诊断结果') else '初步诊断'}", words=result
            ),
        )
    missing = tuple(
        s for s, k in (("basis", "诊断依据"), ("differential", "鉴别诊断")) if says_nothing(texts.get(k, ""))
    )
    department = _department(text_of(value.get("department")))
    return finish(
        findings,
        exams=results,
        facts=built,
        complaint=complaint,
        always_missing=missing,  # type: ignore[arg-type]
        names_reference=reference.named_in,
        id=f"ai-hospital-{number(raw)}",
        language="zh",
        title=text_of(value.get("title")) or "，".join(names) or "无题",
        demographics=demographics,
        department=department,
        setting="emergency" if "急诊" in department else "inpatient",
        speaker=facts.speaker,
        diagnosis=diagnosis,
        treatment=read_course(f"{where}.诊治经过", texts.get("诊治经过", "")),
        provenance=Provenance(
            source=SOURCE,
            ref=str(number(raw)),
            licence=LICENCE,
            url=text_of(value.get("url")) or URL,
            released=_released(text_of(value.get("time"))),
            deidentification=masks.statement(),
        ),
    )


def _history(
    facts: FactBook, where: str, texts: Mapping[str, str], older: Mapping[str, object], complaint: str
) -> None:
    identity(
        facts, "，".join(re.findall(r"(?:性别|年龄)[:：]\s*(\S+)", texts.get("一般资料", ""))), f"{where}.一般资料"
    )
    facts.add(f"{where}.主诉", complaint, Topic.CHIEF_COMPLAINT, whole=True)
    for job in re.findall(r"职业[:：]\s*(\S+)", texts.get("一般资料", "")):
        if not says_nothing(job):
            facts.add(f"{where}.一般资料", job, Topic.OCCUPATION, whole=True)
    for key in sorted((k for k in texts if k.endswith("史")), key=lambda k: k != "现病史"):
        facts.add(f"{where}.{key}", texts[key], topic_of_section(key))
    for key, value in older.items():
        if key.endswith("史") and key not in texts:
            facts.add(f"{RAW}.{key}", "\n".join(t for _, t in leaves(value, "")), topic_of_section(key))


def _mapping(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _complaint(text: str) -> str:
    text = text.strip()
    quoted = _FRAMED.match(text)
    bare = quoted["quoted"] if quoted else _LEAD.sub("", _LEAD.sub("", text)).lstrip("因")
    return bare.strip('。 \n“”"') or text


def _department(text: str) -> str:
    """`内科病例 神经内科病例` names the department last."""
    parts = [p.removesuffix("病例") for p in text.split() if p.removesuffix("病例")]
    return parts[-1] if parts else "全科"


def _released(text: str) -> datetime.date | None:
    match = _DATE.search(text)
    try:
        return datetime.date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        return None
