"""Diagnoses as sets on the ICD-10 hierarchy: partial credit, care, specificity, overdiagnosis, alternatives, basis."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from clinic_sim.cases.case import Case
from clinic_sim.clinic.actions import Ask, Conclude, Examine, Order
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.nearness import care_rows, code_nearness, gravity, vague_names
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.judge.scorecard import Verdict
from clinic_sim.knowledge.icd10 import is_valid, items
from clinic_sim.testing import small_case


def case_of(primary: dict[str, Any], **diagnosis: Any) -> Case:
    """A small case with this reference."""
    return small_case(diagnosis={"primary": primary, **diagnosis})


def verdict(case: Case, criterion: str, *actions: Any) -> Verdict:
    consultation = Consultation(case, review=False)
    for action in actions:
        consultation.act_sync(action)
    card = RubricJudge(load_rubric("clinic")).score(case, consultation.episode())
    return next(v for v in card.verdicts if v.criterion == criterion)


def primary(case: Case, diagnosis: str) -> float:
    value = verdict(case, "primary", Conclude(diagnosis)).value
    assert value is not None
    return value


LOBAR = {"icd10": "J13", "name": "Pneumococcal pneumonia of the left lower lobe"}
STEMI = {"icd10": "I21.1", "name": "Inferior ST-elevation myocardial infarction"}


def falls(values: list[float]) -> bool:
    return all(a > b for a, b in pairwise(values))


# Hierarchy, and care --------------------------------------------------------------------------------------------------


def test_credit_falls_with_distance() -> None:
    """The same code, its category, another of its category, of its block, of its chapter, of none."""
    values = [code_nearness(code, "M17.1").value for code in ("M17.1", "M17", "M17.3", "M16.1", "M54.5", "J45")]
    assert values[0] == 1.0
    assert falls(values)
    assert values[-1] == 0.0


@pytest.mark.parametrize(
    ("wanted", "nearer", "farther"),
    [
        ("I21.1", "I21.3", "I21.4"),
        ("I21.1", "I21.9", "I24.9"),
        ("I21.1", "I24.9", "I20.0"),
        ("I21.4", "I20.0", "I20.9"),
        ("E10", "E14", "E11"),
        ("E11.9", "E14", "E10.9"),
        ("E10.1", "E10.0", "E10.9"),
        ("I63", "I64", "I61"),
        ("I61", "I62", "I63"),
        ("E87.6", "E87.8", "E87.5"),
        ("J13", "J18.9", "J12.9"),
        ("K25.4", "K26.4", "K25.9"),
        ("C91.0", "C91.9", "C91.1"),
        ("H40.2", "H40.9", "H40.1"),
        ("N83.5", "N83", "N83.2"),
    ],
)
def test_what_is_treated_alike_is_nearer_than_what_is_not(wanted: str, nearer: str, farther: str) -> None:
    assert code_nearness(wanted, wanted).value == 1.0
    assert 1.0 > code_nearness(nearer, wanted).value > code_nearness(farther, wanted).value


@pytest.mark.parametrize(
    ("names", "reference"),
    [
        (("STEMI", "myocardial infarction", "acute coronary syndrome", "unstable angina", "gout"), STEMI),
        (("急性下壁心肌梗死", "急性冠脉综合征", "不稳定型心绞痛", "痛风"), STEMI),
        (("type 1 diabetes", "diabetes", "type 2 diabetes", "gout"), {"icd10": "E10", "name": "Type 1 diabetes"}),
        (("1型糖尿病", "糖尿病", "2型糖尿病", "痛风"), {"icd10": "E10", "name": "Type 1 diabetes"}),
        (
            ("cerebral infarction", "stroke", "intracerebral haemorrhage"),
            {"icd10": "I63.9", "name": "Ischaemic stroke"},
        ),
        (("脑梗死", "脑卒中", "脑出血"), {"icd10": "I63.9", "name": "Ischaemic stroke"}),
    ],
)
def test_names_are_ordered_as_a_clinician_would(names: tuple[str, ...], reference: dict[str, Any]) -> None:
    assert falls([primary(case_of(reference), name) for name in names])


def test_every_row_of_care_is_sound() -> None:
    for row in care_rows():
        codes = [code for group in row.groups for code in group]
        assert all(map(is_valid, codes)), row
        assert len(codes) == len(set(codes)), row
        assert 0 < row.across <= row.vague < 1, row
        assert row.within is None or row.within > row.across, row
        assert row.why


# Specificity ----------------------------------------------------------------------------------------------------------


def test_a_vaguer_answer_earns_less_by_how_vague_it_is() -> None:
    case = case_of(LOBAR)
    exact, little, much, symptom = (
        primary(case, d) for d in ("pneumococcal pneumonia", "pneumonia", "infection", "cough")
    )
    assert exact > little > much > symptom
    assert little >= 0.7
    assert much <= 0.2
    assert symptom == 0.0


def test_the_same_in_chinese() -> None:
    case = case_of(LOBAR)
    exact, little, symptom = (primary(case, d) for d in ("肺炎链球菌肺炎", "肺炎", "咳嗽"))
    assert exact > little >= 0.7
    assert symptom == 0.0


def test_a_symptom_is_next_to_nothing() -> None:
    case = small_case()
    assert primary(case, "abdominal pain") <= 0.05
    assert primary(case, "腹痛") <= 0.05
    assert primary(case, "acute abdomen") <= 0.1


@pytest.mark.parametrize(
    ("vague", "exact", "code"),
    [
        ("anaemia", "iron deficiency anaemia", "D50"),
        ("acute coronary syndrome", "STEMI", "I21.3"),
        ("pneumonia", "pneumococcal pneumonia", "J13"),
        ("急性冠脉综合征", "急性ST段抬高型心肌梗死", "I21.3"),
        ("贫血", "缺铁性贫血", "D50"),
    ],
)
def test_a_vaguer_name_beside_the_exact_one_is_no_further_guess(vague: str, exact: str, code: str) -> None:
    case = case_of({"icd10": code, "name": exact})
    assert 0.0 < primary(case, vague) < primary(case, exact) == 1.0
    assert primary(case, f"{exact}; {vague}") == 1.0


def test_every_row_of_vague_names_is_sound() -> None:
    for names, covers, credit, why in vague_names():
        assert all(map(is_valid, names))
        assert all(any(code.startswith(prefix) for code in items()) for prefix in covers)
        assert 0 < credit < 0.9
        assert why


def test_why_it_is_not_nearer_is_said() -> None:
    found = verdict(case_of(STEMI), "primary", Conclude("myocardial infarction"))
    assert "leaves open" in found.reason


# Overdiagnosis --------------------------------------------------------------------------------------------------------


def test_every_unsupported_diagnosis_costs_and_grave_ones_cost_more() -> None:
    case = small_case()
    alone = primary(case, "acute appendicitis")
    light = primary(case, "acute appendicitis; wart")
    plain = primary(case, "acute appendicitis; gout")
    grave = primary(case, "acute appendicitis; lung cancer")
    assert falls([alone, light, plain, grave])


def test_gravity_has_the_order_of_harm() -> None:
    assert gravity("C34") > gravity("M10") > gravity("B07") > gravity("R10.4")


def test_what_the_record_tells_of_the_patient_is_hardly_overdiagnosis() -> None:
    facts = [
        *small_case().model_dump()["facts"],
        {"id": "asthma", "topic": "past_history", "statement": "Asthma since childhood"},
    ]
    with_it, without = small_case(facts=facts), small_case()
    told, untold = (primary(case, "acute appendicitis; asthma") for case in (with_it, without))
    assert 1.0 > told > untold
    assert told >= 0.8


def test_what_must_be_told_apart_is_no_excuse_because_the_record_tells_of_it() -> None:
    facts = [
        *small_case().model_dump()["facts"],
        {"id": "stones", "topic": "past_history", "statement": "Renal colic two years ago"},
    ]
    assert primary(small_case(facts=facts), "acute appendicitis; renal colic") <= 0.5


def test_an_acceptable_alternative_earns_its_credit() -> None:
    case = case_of(LOBAR, acceptable=[{"icd10": "J85.1", "name": "Lung abscess with pneumonia", "credit": 0.7}])
    assert primary(case, "Lung abscess with pneumonia") == pytest.approx(0.7)


def test_what_the_reference_rules_out_is_wrong_however_near() -> None:
    case = case_of({"icd10": "I21.4", "name": "NSTEMI"}, differential=[{"icd10": "I20.0", "name": "Unstable angina"}])
    assert primary(case, "unstable angina") <= 0.4


# Sets -----------------------------------------------------------------------------------------------------------------

COMORBID = [{"icd10": "I10", "name": "Hypertension"}, {"icd10": "E11.9", "name": "Type 2 diabetes"}]


@pytest.mark.parametrize(
    ("stated", "f1"),
    [
        ("acute appendicitis", 0.0),
        ("acute appendicitis; hypertension", 2 / 3),
        ("acute appendicitis; hypertension; type 2 diabetes", 1.0),
        ("急性阑尾炎；高血压；2型糖尿病", 1.0),
        ("acute appendicitis; hypertension; gout", 0.5),
    ],
)
def test_comorbid_diseases_are_scored_by_precision_and_recall(stated: str, f1: float) -> None:
    case = case_of({"icd10": "K35", "name": "Acute appendicitis"}, comorbid=COMORBID)
    assert verdict(case, "comorbid", Conclude(stated)).value == pytest.approx(f1)


def test_a_comorbid_disease_is_no_overdiagnosis() -> None:
    case = case_of({"icd10": "K35", "name": "Acute appendicitis"}, comorbid=COMORBID)
    assert primary(case, "acute appendicitis; hypertension; type 2 diabetes") == 1.0


def test_a_differential_is_scored_by_precision_and_recall() -> None:
    case = case_of(
        {"icd10": "K35", "name": "Acute appendicitis"},
        differential=[{"icd10": "N23", "name": "Renal colic"}, {"icd10": "N83.5", "name": "Ovarian torsion"}],
    )

    def value(*listed: str) -> float:
        found = verdict(case, "differential", Conclude("acute appendicitis", listed)).value
        assert found is not None
        return found

    assert value("renal colic", "ovarian torsion") == 1.0
    assert value("肾绞痛", "卵巢扭转") == 1.0
    assert value() == 0.0
    assert 1.0 > value("renal colic", "ovarian torsion", "gout") > value("renal colic", "gout") > 0.0
    padded = value("renal colic", "ovarian torsion", *("gout", "asthma", "migraine", "psoriasis", "cataract") * 4)
    assert padded < value("renal colic", "ovarian torsion", "gout")


def test_a_differential_that_only_repeats_the_diagnosis_is_none() -> None:
    assert verdict(small_case(), "differential", Conclude("acute appendicitis", ("acute appendicitis",))).value == 0.0


# Basis ----------------------------------------------------------------------------------------------------------------

HEARD = (Ask("Where did the pain start and where is it now?"), Ask("Any nausea? Any fever?"))
DONE = (*HEARD, Examine(("abdominal palpation",)), Order(("CBC",)))
PROOF = ("the pain moved to the right lower abdomen", "abdominal palpation")


def basis(case: Case, *actions: Any, diagnosis: str = "acute appendicitis", cited: tuple[str, ...] = PROOF) -> float:
    value = verdict(case, "basis", *actions, Conclude(diagnosis, (), cited)).value
    assert value is not None
    return value


def test_only_what_was_found_out_can_be_cited() -> None:
    assert basis(small_case(), *DONE) == 1.0
    assert basis(small_case(), *HEARD) < 1.0
    assert basis(small_case()) == 0.0


def test_evidence_proves_the_diagnosis_that_was_stated_or_none() -> None:
    right = basis(small_case(), *DONE)
    vague = basis(small_case(), *DONE, diagnosis="chronic appendicitis")
    assert right > vague > basis(small_case(), *DONE, diagnosis="migraine") == 0.0


def test_evidence_that_refutes_the_stated_disease_or_supports_another_counts_against() -> None:
    case = case_of(
        {"icd10": "K35", "name": "Acute appendicitis"},
        differential=[{"icd10": "A09", "name": "Gastroenteritis", "supported_by": ["nausea"]}],
        basis=["migration", "palpation"],
    )
    assert basis(case, *DONE, cited=(*PROOF, "nausea")) < basis(case, *DONE)
    assert basis(case, *DONE, cited=(*PROOF, "the weather")) == basis(case, *DONE)


def test_a_finding_that_was_denied_is_not_cited_as_present() -> None:
    case = case_of({"icd10": "K35", "name": "Acute appendicitis"}, basis=["no_fever"])
    assert basis(case, *DONE, cited=("no fever",)) > basis(case, *DONE, cited=("fever",)) == 0.0
