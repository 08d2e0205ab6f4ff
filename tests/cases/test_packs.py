"""The shipped packs: complete, consistent in themselves and with the judge, and the same patient in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pytest

from clinic_sim.cases.case import Case
from clinic_sim.cases.exams import Measurement
from clinic_sim.cases.leaks import lint_case
from clinic_sim.cases.packs import case_files, load_pack, pack_folder
from clinic_sim.cases.reference import Contraindication, Priority
from clinic_sim.clinic.actions import Conclude, Order
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.judge.chart import banned_concepts
from clinic_sim.judge.dosing import UNSTATED
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.judge.scorecard import Scorecard
from clinic_sim.knowledge import exam_catalogue, treatment_lexicon
from clinic_sim.knowledge.diagnoses import resolve_diagnosis
from clinic_sim.knowledge.topics import Topic

PACKS = ("core-en", "core-zh")
CASES = [(pack, file.stem) for pack in PACKS for file in case_files(pack_folder(pack))]
TWINS = ("stemi-inferior", "ectopic-pregnancy", "kawasaki-disease", "hyperthyroidism-graves")
# A date, a telephone or record number, an address of the net, a title with a name.
IDENTIFYING = re.compile(
    r"\d{4}\s*年|\d{1,2}\s*月\s*\d{1,2}\s*[日号]|\b\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}\b|\b(?:19|20)\d{2}\b|\d{6,}|@|https?:"
    r"|\b(?:Mr|Mrs|Ms|Dr)\.? [A-Z]|\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur)day\b"
    r"|\b(?:January|February|March|April|June|July|August|September|October|November|December)\b"
)
each_case = pytest.mark.parametrize(("pack", "case_id"), CASES, ids=[case_id for _, case_id in CASES])


def load(pack: str, case_id: str) -> Case:
    return load_pack(pack).case(case_id)


def primary_code(case: Case) -> str:
    return (case.diagnosis.primary.icd10 if case.diagnosis else None) or ""


def concluded(case: Case, *treatment: str, orders: Iterable[str] = ()) -> Scorecard:
    """The score of a doctor who orders this, then names the reference diagnosis and this plan."""
    assert case.diagnosis is not None
    consultation = Consultation(case, review=False)
    for order in orders:
        consultation.act_sync(Order((order,)))
    consultation.act_sync(Conclude(case.diagnosis.primary.name, treatment=treatment))
    return RubricJudge(load_rubric("clinic")).score(case, consultation.episode())


def reference_plan(case: Case) -> tuple[str, ...]:
    """The reference treatment in the case's own words, with its doses where the case asks for them."""
    return tuple(f"{item.name}: {item.dose}" if item.dosage else item.name for item in case.treatment)


@pytest.mark.parametrize("pack", PACKS)
def test_a_pack_has_the_breadth_it_promises(pack: str) -> None:
    cases = load_pack(pack).cases
    assert len(cases) >= 8
    assert len({c.department for c in cases}) >= 6
    assert any(c.setting == "emergency" for c in cases)
    assert any((c.demographics.years or 99) < 12 and c.speaker == "parent" for c in cases)
    assert any(c.demographics.pregnant or primary_code(c).startswith("O") for c in cases)
    assert all(c.contraindicated for c in cases)


@each_case
def test_a_case_is_complete(pack: str, case_id: str) -> None:
    case = load(pack, case_id)
    assert case.id == case_id
    assert case.language == pack[-2:]
    assert len(case.facts) >= 15
    assert len(case.exams) >= 8
    assert any(e.noise for e in case.exams)
    assert any(e.essential for e in case.exams)
    assert any(f.disclosure == "guarded" for f in case.facts)
    assert all(f.words for f in case.facts)
    assert any(t.priority is Priority.ESSENTIAL for t in case.treatment)
    assert case.red_flags
    assert len(case.provenance.rests_on) >= 3
    assert case.provenance.canary


@each_case
def test_the_reference_stands_on_evidence_that_is_not_noise(pack: str, case_id: str) -> None:
    case = load(pack, case_id)
    assert case.diagnosis is not None
    assert case.diagnosis.basis
    noise = {e.id for e in case.exams if e.noise}
    assert noise.isdisjoint(case.diagnosis.basis)
    assert len(case.diagnosis.differential) >= 3
    for other in case.diagnosis.differential:
        assert other.supported_by, other.name
        assert other.refuted_by, other.name
        assert set(other.supported_by).isdisjoint(other.refuted_by), other.name
        assert noise.isdisjoint(other.refuted_by), other.name


@pytest.mark.parametrize("pack", PACKS)
def test_the_obvious_diagnosis_is_wrong_somewhere(pack: str) -> None:
    """What an earlier doctor said or the patient believes supports a diagnosis that the work-up refutes."""

    def misleads(case: Case) -> bool:
        assert case.diagnosis is not None
        told = {f.id for f in case.facts if f.topic in (Topic.IDEA, Topic.PRIOR_CARE)}
        return any(
            not told.isdisjoint(other.supported_by)
            and {e.id for e in case.exams}.intersection(other.refuted_by)
            and len(other.refuted_by) >= 3
            for other in case.diagnosis.differential
        )

    assert any(misleads(case) for case in load_pack(pack).cases)


@each_case
def test_nothing_before_the_diagnostic_test_names_the_diagnosis(pack: str, case_id: str) -> None:
    assert [leak for leak in lint_case(load(pack, case_id)) if leak.severity == "leak"] == []


@each_case
def test_nobody_can_be_identified(pack: str, case_id: str) -> None:
    case = load(pack, case_id)
    texts = [case.chief_complaint, case.opening or "", *(t for f in case.facts for t in (f.statement, f.words or ""))]
    assert [t for t in texts if IDENTIFYING.search(t)] == []


@each_case
def test_measurements_are_the_numbers_of_the_report(pack: str, case_id: str) -> None:
    for exam in load(pack, case_id).exams:
        report = re.sub(r"(?<![A-Za-z\d.])(\d{1,3})[, ](\d{3})(?!\d)", r"\1\2", exam.report)
        stated = {float(n) for n in re.findall(r"\d+(?:\.\d+)?", report)}
        numbers = {m.name: m.value for m in exam.measurements if isinstance(m.value, int | float)}
        assert {name: value for name, value in numbers.items() if value not in stated} == {}, exam.id
        if exam.normal:
            assert not any(m.abnormal for m in exam.measurements), exam.id


@each_case
def test_diagnoses_resolve_to_their_category(pack: str, case_id: str) -> None:
    case = load(pack, case_id)
    assert case.diagnosis is not None
    wanted = {d.icd10[:3] for d in (case.diagnosis.primary, *case.diagnosis.acceptable) if d.icd10}
    for answer in (case.diagnosis.primary, *(a for a in case.diagnosis.acceptable if a.credit >= 0.8)):
        found = resolve_diagnosis(answer.name)
        assert found, answer.name
        assert found[0].icd10[:3] in wanted, answer.name


@each_case
def test_the_reference_treatment_scores_full_and_harms_nobody(pack: str, case_id: str) -> None:
    case = load(pack, case_id)
    scorecard = concluded(case, *reference_plan(case))
    assert {v.criterion: v.value for v in scorecard.verdicts if v.criterion.startswith("item.") and v.value != 1} == {}
    assert scorecard.dimensions["treatment"].value == 1
    assert scorecard.safety == 0


@each_case
def test_every_alternative_covers_its_item_and_harms_nobody(pack: str, case_id: str) -> None:
    case = load(pack, case_id)
    for item in case.treatment:
        for words in item.alternatives:
            scorecard = concluded(case, words)
            verdict = next(v for v in scorecard.verdicts if v.criterion == f"item.{item.id}")
            # Where the case asks for a dose, a name alone is a part.
            assert verdict.value in ((1, UNSTATED) if item.dosage else (1,)), (item.id, words)
            assert scorecard.safety == 0, (item.id, words)


def prescribed(case: Case, ban: Contraindication) -> list[str]:
    concepts = [treatment_lexicon.name(c, case.language) for c in banned_concepts(ban)]
    return [*concepts, ban.name] if concepts else []


@each_case
def test_what_is_contraindicated_lowers_the_total_prescribed_or_ordered(pack: str, case_id: str) -> None:
    case = load(pack, case_id)
    plan = reference_plan(case)
    safe = concluded(case, *plan)
    assert safe.total is not None
    for ban in case.contraindicated:
        doses = prescribed(case, ban)
        orders = [exam_catalogue.name(code, case.language) for code in ban.exams]
        assert doses or orders, ban.id
        for words in doses:
            harmed = concluded(case, *plan, words)
            assert harmed.safety < 0, (ban.id, words)
            assert harmed.total is not None
            assert harmed.total < safe.total, (ban.id, words)
        if orders:
            assert any(concluded(case, *plan, orders=[words]).safety < 0 for words in orders), ban.id


@each_case
def test_what_the_plan_avoids_is_not_held_against_it(pack: str, case_id: str) -> None:
    case = load(pack, case_id)
    avoid = "Avoid {}" if case.language == "en" else "避免使用{}"
    names = [
        avoid.format(treatment_lexicon.name(c, case.language)) for b in case.contraindicated for c in banned_concepts(b)
    ]
    assert concluded(case, *reference_plan(case), *names).safety == 0


@each_case
def test_named_concepts_exist(pack: str, case_id: str) -> None:
    case = load(pack, case_id)
    named = {c for item in case.treatment for c in item.concepts} | {
        c for b in case.contraindicated for c in b.concepts
    }
    assert named <= set(treatment_lexicon.concepts())


def outline(case: Case) -> dict[str, Any]:
    """All that does not depend on the language."""
    assert case.diagnosis is not None
    d = case.diagnosis
    return {
        "who": (case.demographics, case.setting, case.difficulty, case.speaker),
        "facts": [(f.id, f.topic, f.sort, f.polarity, f.importance, f.disclosure, f.about) for f in case.facts],
        "exams": [(e.id, e.codes, e.kind, e.normal, e.essential, e.noise, e.requires) for e in case.exams],
        "values": [(e.id, [numeric(m) for m in e.measurements]) for e in case.exams],
        "codes": [x.icd10 for x in (d.primary, *d.acceptable, *d.comorbid, *d.differential)],
        "evidence": [d.basis, *((x.supported_by, x.refuted_by) for x in d.differential)],
        "treatment": [(t.id, t.kind, t.priority, t.concepts, t.indicated_by) for t in case.treatment],
        "contraindicated": [(c.id, c.concepts, c.exams, c.because, c.severity) for c in case.contraindicated],
        "red_flags": [(r.id, r.facts, r.exams) for r in case.red_flags],
    }


def numeric(measurement: Measurement) -> float | None:
    return measurement.value if isinstance(measurement.value, int | float) else None


@pytest.mark.parametrize("patient", TWINS)
def test_twins_are_one_patient(patient: str) -> None:
    en, zh = load("core-en", f"{patient}-en"), load("core-zh", f"{patient}-zh")
    assert (en.twin, zh.twin) == (zh.id, en.id)
    left, right = outline(en), outline(zh)
    assert {part: (left[part], right[part]) for part in left if left[part] != right[part]} == {}
