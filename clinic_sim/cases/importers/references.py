"""AI Hospital's evaluation file as cases that hold a reference and no record: diagnosis and treatment to score against.

The full records behind most of its released dialogues were not released; their reference answers were, as the file that
GPT-4's grades stand in. History, examinations and the evidence of the basis are missing from such a case and stay
unscored; the basis is kept in the reference's own words.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from clinic_sim.cases.case import Case, Demographics, Provenance
from clinic_sim.cases.facts import Disclosure, Fact, Importance, Source
from clinic_sim.cases.importers.ai_hospital import LICENCE, SOURCE, URL
from clinic_sim.cases.importers.base import BrokenRecord, ImportedRecord, RawRecord, read_records, text_of
from clinic_sim.cases.importers.deidentification import Deidentifier
from clinic_sim.cases.importers.reference import coded_diagnosis, split_diagnoses
from clinic_sim.cases.importers.treatments import read_course
from clinic_sim.cases.reference import Diagnosis
from clinic_sim.knowledge.topics import Topic

FIELD = "reference_diagnosis"
VIEWS = ("diagnosis", "basis", "treatment")
"""What a reference states."""
_NO_RECORD = "病历未公开，只有参考答案。"


def import_references(path: Path) -> list[ImportedRecord]:
    """The reference answers of an evaluation file, each patient's once, in order.

    Raises:
        CaseError: the file as a whole cannot be read.
    """
    found: list[ImportedRecord] = []
    seen: set[str] = set()
    for raw in read_records(path):
        try:
            case = _case(raw)
        except BrokenRecord as exc:
            found.append(ImportedRecord(raw.index, None, "failed", problem=str(exc), origin=raw.origin))
            continue
        except ValidationError as exc:
            problem = "; ".join(e["msg"] for e in exc.errors(include_url=False)[:3])
            found.append(ImportedRecord(raw.index, None, "failed", problem=problem, origin=raw.origin))
            continue
        if case.id in seen:
            found.append(
                ImportedRecord(raw.index, None, "duplicate", problem=f"same id as case {case.id}", origin=raw.origin)
            )
            continue
        seen.add(case.id)
        found.append(ImportedRecord(raw.index, case, "imported", case.provenance.missing, origin=raw.origin))
    return found


def _case(raw: RawRecord) -> Case:
    if raw.problem:
        raise BrokenRecord(raw.problem)
    given = raw.value.get(FIELD) if isinstance(raw.value, Mapping) else None
    if not isinstance(given, Mapping):
        raise BrokenRecord(f"no {FIELD}: not a record of the evaluation file")
    number = text_of(given.get("patient_id")) or text_of(raw.value.get("patient_id"))
    masks = Deidentifier("zh")
    named = masks.text(text_of(given.get("diagnosis")))
    names = split_diagnoses(named)
    if not number or not names:
        raise BrokenRecord("the reference has no `patient_id`" if names else "the reference names no diagnosis")
    treatment = read_course(f"{FIELD}.treatment", masks.text(text_of(given.get("treatment"))))
    missing = ("facts", "exams", "basis", "differential")
    return Case(
        id=f"ai-hospital-{number}-reference",
        language="zh",
        title="，".join(names),
        demographics=Demographics(),
        department="未注明",
        chief_complaint=_NO_RECORD,
        facts=(
            Fact(
                id="f01",
                topic=Topic.CHIEF_COMPLAINT,
                statement=_NO_RECORD,
                importance=Importance.NOISE,
                disclosure=Disclosure.VOLUNTEERED,
            ),
        ),
        diagnosis=Diagnosis(
            primary=coded_diagnosis(names[0], "zh"),
            comorbid=tuple(coded_diagnosis(name, "zh") for name in names[1:]),
            basis_text=masks.text(text_of(given.get("basis"))),
            source=Source(path=f"{FIELD}.diagnosis", words=named),
        ),
        treatment=treatment,
        provenance=Provenance(
            source=SOURCE,
            ref=number,
            licence=LICENCE,
            url=URL,
            deidentification=masks.statement(),
            missing=(*missing, "treatment") if not treatment else missing,  # type: ignore[arg-type]
            flags=("reference_only",),
        ),
    )


def reference_texts(path: Path) -> dict[str, dict[str, str]]:
    """The references in their own words: record to view (`diagnosis`, `basis`, `treatment`) to text, as far as given.

    Raises:
        CaseError: the file as a whole cannot be read.
    """
    found: dict[str, dict[str, str]] = {}
    for raw in read_records(path):
        given = raw.value.get(FIELD) if isinstance(raw.value, Mapping) else None
        if not isinstance(given, Mapping):
            continue
        number = text_of(given.get("patient_id")) or text_of(raw.value.get("patient_id"))
        texts = {view: text_of(given.get(view)) for view in VIEWS}
        if number:
            found.setdefault(number, {view: text for view, text in texts.items() if text})
    return found
