"""The answer-leak lint: what the doctor can see must not name the diagnosis, except the report of a diagnostic test."""

from __future__ import annotations

from clinic_sim.cases.case import Case, Demographics, Provenance
from clinic_sim.cases.exams import Exam
from clinic_sim.cases.facts import Fact, Source
from clinic_sim.cases.leaks import lint_case
from clinic_sim.cases.reference import CodedDiagnosis, Diagnosis
from clinic_sim.knowledge.topics import Topic


def case(name: str, icd10: str, *statements: str, complaint: str = "pain", exams: tuple[Exam, ...] = ()) -> Case:
    """A case with these statements of the patient."""
    return Case(
        id="c1",
        language="zh" if any("\u4e00" <= c <= "\u9fff" for c in name) else "en",
        title=name,
        provenance=Provenance(
            source="test", licence="none", deidentification="invented", missing=("treatment", "exams", "basis")
        ),
        demographics=Demographics(),
        department="General medicine",
        chief_complaint=complaint,
        facts=tuple(
            Fact(id=f"f{n}", topic=Topic.PRESENT_ILLNESS, statement=s, source=Source(path=f"history[{n}]", words=s))
            for n, s in enumerate(statements)
        ),
        exams=exams,
        diagnosis=Diagnosis(primary=CodedDiagnosis(icd10=icd10, name=name)),
    )


def test_a_clean_case_has_no_leak() -> None:
    assert lint_case(case("Appendicitis", "K37", "Pain moved to the right lower belly", "No fever")) == ()


def test_a_fact_and_the_complaint_that_name_the_disease_are_leaks_with_their_paths() -> None:
    found = lint_case(case("急性阑尾炎", "K35", "右下腹痛", "急诊诊断为急性阑尾炎", complaint="急性阑尾炎待手术"))
    assert {leak.where for leak in found} == {"chief_complaint", "history[1]"}
    assert all(leak.severity == "leak" for leak in found)


def test_a_diagnostic_test_may_name_it_but_a_physical_finding_or_an_exam_name_may_not() -> None:
    exams = (
        Exam(id="e1", code="local.biopsy", kind="pathology", name="Biopsy", report="Consistent with leprosy."),
        Exam(id="e2", code="local.skin", kind="physical", name="Skin", report="Patches typical of leprosy."),
        Exam(id="e3", code="local.lep", kind="laboratory", name="Leprosy serology", report="Positive."),
    )
    found = {leak.where: leak.severity for leak in lint_case(case("Leprosy", "A30.9", "Numb hands", exams=exams))}
    assert found == {"e1": "expected", "e2": "leak", "e3.name": "leak"}


def test_a_case_without_a_diagnosis_cannot_leak() -> None:
    bare = case("Leprosy", "A30.9", "I have leprosy").model_copy(update={"diagnosis": None})
    assert lint_case(bare) == ()
