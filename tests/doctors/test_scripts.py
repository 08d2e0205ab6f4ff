"""Illness scripts, the reading of reports, and the checklist doctor's care."""

from __future__ import annotations

from collections import Counter

import pytest

from clinic_sim.doctors import caution, interview, workup
from clinic_sim.doctors.checklist import Checklist
from clinic_sim.doctors.results import read_results
from clinic_sim.doctors.scripts import (
    Evidence,
    concepts_of,
    illness_scripts,
    rank,
    rank_evidence,
    signs_in,
)
from clinic_sim.knowledge import icd10
from clinic_sim.knowledge.concepts import ontology
from clinic_sim.knowledge.diagnoses import resolve_diagnosis
from clinic_sim.knowledge.exam_catalogue import catalogue
from clinic_sim.knowledge.treatments import concepts as treatment_concepts


def test_there_are_many_scripts_and_each_disease_has_one() -> None:
    scripts = illness_scripts()
    assert len(scripts) >= 260
    assert [c for c, n in Counter(s.icd10 for s in scripts).items() if n > 1] == []


def test_every_reference_of_a_script_exists() -> None:
    known, treatments = ontology().concepts, treatment_concepts()
    for script in illness_scripts():
        assert icd10.normalise_code(script.icd10), script.icd10
        assert [f.concept for f in script.features if f.concept not in known] == [], script.name_en
        assert [e for e in script.exams if e not in catalogue()] == [], script.name_en
        assert [t for t in script.plan if t not in treatments] == [], script.name_en
        assert all((script.features, script.exams, script.plan, script.signs)), script.name_en
        assert script.sex in ("", "female", "male")
        assert 0 <= script.ages[0] < script.ages[1] <= 120


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_script_is_called_by_a_name_that_means_its_code(language: str) -> None:
    missed = []
    for script in illness_scripts():
        name = script.name(language)
        found = resolve_diagnosis(name, language="zh" if language == "zh" else "en", limit=1)
        if not found or icd10.similarity(found[0].icd10, script.icd10) < 0.8:
            missed.append((script.icd10, name, found[0].icd10 if found else None))
    assert missed == []


def test_every_quantity_of_a_sign_is_one_that_reports_are_read_for() -> None:
    keys = {sign for script in illness_scripts() for sign in script.signs if sign[0] in "↑↓"}
    shown = read_results("x").out_of_range
    assert shown == frozenset()
    from clinic_sim.doctors.results import _names

    known = {*(analyte.key for analyte in _names()[1]), "dbp"}
    assert {k[1:] for k in keys} <= known


def test_tests_and_follow_ups_name_what_exists() -> None:
    known = ontology().concepts
    assert [r.concept for r in workup.complaint_tests() if r.concept not in known] == []
    assert [e for r in workup.complaint_tests() for e in r.exams if e not in catalogue()] == []
    assert [c for c in interview.follow_up_questions() if c not in known] == []
    assert len(interview.HISTORY["en"]) == len(interview.HISTORY["zh"])


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        ("WBC: 15,200/mm3; Hemoglobin 8.2 g/dL, platelets 90 ×10^9/L", {"↑wbc", "↓hb", "↓plt"}),
        ("血常规：白细胞12.5×10^9/L，血红蛋白82g/L，血小板220×10^9/L", {"↑wbc", "↓hb"}),
        ("Sodium 128 mEq/L (135-145), potassium 4.1 mmol/L", {"↓na"}),
        ("TSH: suppressed; free T4: elevated", {"↓tsh", "↑ft4"}),
        ("心肌酶：肌钙蛋白I 2.3 ng/ml↑", {"↑trop"}),
        ("BP 150/95 mmHg, temperature 38.9 °C, pulse 72/min", {"↑sbp", "↑dbp", "↑temp"}),
        ("Haemoglobin 148 g/L, white cells 9.6 x10⁹/L, platelets 236 x10⁹/L.", set()),
        ("NT-proBNP 5600 pg/ml (reference <300)", {"↑bnp"}),
    ],
)
def test_quantities_out_of_range_are_read(report: str, expected: set[str]) -> None:
    assert read_results(report).out_of_range == expected


def test_a_denied_sign_is_no_sign() -> None:
    assert "rebound" in signs_in("Abdomen tender in the right lower quadrant with rebound.")
    assert "rebound" not in signs_in("No guarding, mass or rebound.")
    assert "反跳痛" in signs_in("腹部查体：右下腹压痛，反跳痛。")
    assert "反跳痛" not in signs_in("腹软，无压痛及反跳痛。")
    assert "st elevation" in signs_in("Normal sinus rhythm with ST elevation in II, III and aVF.")


def test_typical_patients_are_recognised_in_both_languages() -> None:
    english = "Crushing chest pain going to the left arm and jaw, sweating and nausea. ECG: ST elevation in V1-V4."
    chinese = "转移性右下腹痛，恶心呕吐，发热。查体：麦氏点压痛，反跳痛。"
    assert rank(english, "en")[0].icd10 == "I21"
    assert rank(chinese, "zh")[0].icd10 == "K35"


def test_sex_excludes_and_age_weighs() -> None:
    present = frozenset({"sx.low_abdominal_pain", "sx.vaginal_bleeding", "sx.amenorrhea"})
    assert all(s.sex != "female" for s in rank_evidence(Evidence(present, frozenset(), sex="male")))
    cough = frozenset({"sx.wheeze", "sx.cough", "sx.runny_nose", "sx.poor_feeding", "sx.tachypnea"})
    assert rank_evidence(Evidence(cough, frozenset(), age=0.5))[0].icd10 == "J21"
    assert rank_evidence(Evidence(cough, frozenset(), age=60))[0].icd10 != "J21"


def test_a_relatives_disease_is_not_the_patients() -> None:
    present, _ = concepts_of(["My mother has diabetes."], "en")
    assert "dx.diabetes" not in present
    assert "hx.family" in present


def test_what_was_not_borne_is_not_given_again() -> None:
    told = ["Penicillin brings me out in a rash."]
    evidence = Evidence(frozenset(), frozenset(), age=40, sex="female")
    assert caution.permitted(["drug.amoxicillin", "drug.azithromycin"], (), told) == ["drug.azithromycin"]
    limits = caution.conditions(evidence, ["I'm 20 weeks pregnant."])
    assert "pregnant" in limits
    assert "class.statin" not in caution.permitted(["class.statin", "drug.labetalol"], limits, [])
    assert workup.safe(["img.ct.abdomen", "img.us.abdomen"], limits) == ["img.mri.abdomen", "img.us.abdomen"]


def test_its_questions_are_fixed_strings() -> None:
    script = illness_scripts()[0]
    assert interview.hypothesis_question(script, "en") == interview.hypothesis_question(script, "en")
    assert Checklist.name == "checklist"
