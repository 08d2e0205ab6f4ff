"""Treatment by drug, class and procedure, with its dose; allergies, contraindications and dangerous doses as vetoes."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from clinic_sim.cases.case import Case
from clinic_sim.cases.packs import load_pack
from clinic_sim.cases.reference import Dosage
from clinic_sim.clinic.actions import Conclude
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.judge.dosing import UNSTATED, limits
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.judge.scorecard import Scorecard
from clinic_sim.knowledge.doses import Regimen
from clinic_sim.knowledge.treatment_lexicon import concepts
from clinic_sim.knowledge.treatments import read_treatment
from clinic_sim.testing import small_case

VETO = 0.25
"""What a harmful plan leaves of the dimension at most, in the shipped rubrics."""
CASES = [case for pack in ("core-en", "core-zh") for case in load_pack(pack).cases]


def card(case: Case, *plan: str, rubric: str = "clinic") -> Scorecard:
    consultation = Consultation(case, review=False)
    consultation.act_sync(Conclude("acute appendicitis", treatment=plan))
    return RubricJudge(load_rubric(rubric)).score(case, consultation.episode())


def value(found: Scorecard, criterion: str) -> float:
    number = next(v.value for v in found.verdicts if v.criterion == criterion)
    assert number is not None
    return number


def treatment(found: Scorecard) -> float:
    number = found.dimensions["treatment"].value
    assert number is not None
    return number


def wanting(*items: dict[str, Any], **changes: Any) -> Case:
    """A small case with this treatment, and nothing that it forbids."""
    plan = [{"id": f"i{n}", "kind": "drug", "priority": "essential", **item} for n, item in enumerate(items)]
    return small_case(**{"treatment": plan, "contraindicated": [], "facts": facts(), **changes})


def facts(*allergies: str) -> list[dict[str, Any]]:
    """The small case's facts, with other allergies."""
    own = [f for f in small_case().model_dump()["facts"] if f["topic"] != "allergy"]
    return [*own, *({"id": f"a{n}", "topic": "allergy", "statement": a} for n, a in enumerate(allergies))]


# Drugs, classes, procedures ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "given", "credit"),
    [
        ("ceftriaxone", "ceftriaxone", 1.0),
        ("ceftriaxone", "头孢曲松", 1.0),
        ("third-generation cephalosporin", "ceftriaxone", 1.0),
        ("antibiotics", "头孢曲松", 1.0),
        ("ceftriaxone", "an antibiotic", 0.5),
        ("ceftriaxone", "cefotaxime", 0.5),
        ("atorvastatin", "瑞舒伐他汀", 0.5),
        ("ceftriaxone", "gentamicin", 0.0),
        ("aspirin", "clopidogrel", 0.0),
        ("linezolid", "daptomycin", 0.0),
        ("appendicectomy", "laparoscopic appendectomy", 1.0),
        ("appendicectomy", "阑尾切除术", 1.0),
        ("laparoscopic appendicectomy", "surgery", 0.5),
    ],
)
def test_an_item_is_covered_by_itself_its_member_or_half_by_its_class(wanted: str, given: str, credit: float) -> None:
    assert value(card(wanting({"name": wanted}), given), "item.i0") == credit


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("low-salt diet", "低盐饮食"),
        ("physiotherapy", "物理治疗"),
        ("oxygen by nasal cannula", "鼻导管吸氧"),
        ("bed rest", "卧床休息"),
        ("smoking cessation", "戒烟"),
        ("follow up in 2 weeks", "2周后复诊"),
        ("come back at once if the pain gets worse", "腹痛加重立即就诊"),
        ("regular review of renal function", "定期复查肾功能"),
        ("monitor blood pressure and potassium", "监测血压、血钾"),
        ("repeat the chest X-ray in six weeks", "6周后复查胸片"),
    ],
)
def test_what_is_no_drug_is_matched_in_both_languages(english: str, chinese: str) -> None:
    own, other = ({m.concept for m in read_treatment(t)} for t in (english, chinese))
    assert own & other
    case = wanting({"name": english, "kind": "non_drug"})
    assert value(card(case, chinese), "item.i0") == value(card(case, english), "item.i0") == 1.0
    assert value(card(case, "appendicectomy"), "item.i0") == 0.0


# Dose ----------------------------------------------------------------------------------------------------------------

DAILY = {"low": 1.5, "high": 1.5, "unit": "g", "per": "day", "routes": ["oral"]}
AMOXICILLIN = wanting({"name": "amoxicillin", "dosage": [DAILY]})


@pytest.mark.parametrize(
    "dose",
    [
        "500 mg tid",
        "500 mg three times daily",
        "0.5g 每日三次",
        "0.5 g，一天3次",
        "每日1.5 g，分3次口服",
        "750 mg bid",
        "500 mg q8h po",
        "1.5 g daily",
    ],
)
def test_equal_schedules_are_equal(dose: str) -> None:
    assert value(card(AMOXICILLIN, f"amoxicillin {dose}"), "item.i0") == 1.0


def test_a_dose_earns_by_how_right_it_is() -> None:
    doses = ("500 mg tid", "", "500 mg bid", "200 mg bid", "250 mg weekly")
    found = [value(card(AMOXICILLIN, f"amoxicillin {dose}"), "item.i0") for dose in doses]
    assert found[:2] == [1.0, UNSTATED]
    assert found == sorted(found, reverse=True)
    assert found[2] >= 0.5 > found[3] > found[4] == 0.0


def test_the_wrong_route_costs_a_part() -> None:
    right, wrong = (value(card(AMOXICILLIN, f"amoxicillin 500 mg {r} tid"), "item.i0") for r in ("orally", "iv"))
    assert right == 1.0
    assert 0.5 < wrong < 1.0


def test_where_the_case_asks_for_no_dose_none_is_missed() -> None:
    assert value(card(wanting({"name": "amoxicillin"}), "amoxicillin"), "item.i0") == 1.0


def test_a_dose_is_of_the_medicine_that_it_is_for() -> None:
    case = wanting(
        {"name": "ticagrelor", "alternatives": ["clopidogrel"], "dosage": [{**DAILY, "of": ["drug.ticagrelor"]}]}
    )
    assert value(card(case, "clopidogrel"), "item.i0") == 1.0
    assert value(card(case, "ticagrelor"), "item.i0") == UNSTATED


WEIGHED = [
    *small_case().model_dump()["exams"],
    {
        "id": "growth",
        "code": "phys.abdomen",
        "report": "Weight 15 kg.",
        "measurements": [{"name": "weight", "value": 15, "unit": "kg"}],
    },
]
BY_WEIGHT = {"low": 30, "high": 50, "unit": "mg", "per_kg": True, "per": "day"}


def test_a_dose_by_weight_is_an_amount_where_the_weight_is_known() -> None:
    case = wanting({"name": "aspirin", "dosage": [BY_WEIGHT]}, exams=WEIGHED)
    for dose in ("40 mg/kg/day", "40 mg/(kg·d)，分3次", "200 mg tid", "600 mg daily in three divided doses"):
        assert value(card(case, f"aspirin {dose}"), "item.i0") == 1.0, dose
    unweighed = wanting({"name": "aspirin", "dosage": [BY_WEIGHT]})
    assert value(card(unweighed, "aspirin 40 mg/kg/day"), "item.i0") == 1.0
    assert value(card(unweighed, "aspirin 200 mg tid"), "item.i0") == UNSTATED


@pytest.mark.parametrize(
    ("dose", "says"),
    [
        ({"low": 2, "high": 1, "unit": "g"}, "backwards"),
        ({"low": 1, "high": 2, "unit": "g", "most": 2}, "most"),
        ({"low": 1, "high": 2, "unit": "g", "once": True, "times": 2}, "once"),
        ({"low": 1, "high": 2, "unit": "drops"}, "unit"),
        ({"low": 0, "high": 2, "unit": "g"}, "greater than 0"),
    ],
)
def test_a_dosage_that_makes_no_sense_is_refused(dose: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Dosage.model_validate(dose)


def test_a_case_without_dosages_keeps_the_hash_that_it_had() -> None:
    assert "dosage" not in small_case().treatment[0].model_dump()
    assert AMOXICILLIN.treatment[0].model_dump()["dosage"]
    assert Case.model_validate(AMOXICILLIN.model_dump()) == AMOXICILLIN


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_the_reference_with_its_own_doses_is_full_and_safe(case: Case) -> None:
    found = card(case, *(f"{t.name}: {t.dose}" if t.dosage else t.name for t in case.treatment))
    assert treatment(found) == 1.0
    assert found.safety == 0.0


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_dosages_are_of_medicines_of_their_item(case: Case) -> None:
    for item in case.treatment:
        for dosage in item.dosage:
            assert set(dosage.of) <= set(concepts())


# Danger --------------------------------------------------------------------------------------------------------------


def veto(case: Case, *plan: str) -> bool:
    """The plan's treatment is held down to a D, and it costs safety besides."""
    found = card(case, *plan)
    return treatment(found) <= VETO and found.safety < 0.0


@pytest.mark.parametrize("dose", ["5 g tid", "5000 mg three times daily", "每日15 g", "15 g/day"])
def test_tenfold_is_harm(dose: str) -> None:
    assert veto(AMOXICILLIN, f"amoxicillin {dose}")


def test_beyond_the_case_s_own_bound_is_harm_and_below_it_is_not() -> None:
    case = wanting(
        {"name": "levothyroxine", "dosage": [{"low": 12.5, "high": 25, "unit": "ug", "per": "day", "most": 75}]}
    )
    assert veto(case, "levothyroxine 100 µg daily")
    assert not veto(case, "levothyroxine 50 mcg daily")
    assert card(case, "levothyroxine 50 mcg daily").safety == 0.0


@pytest.mark.parametrize(
    "plan",
    [
        "paracetamol 10 g four times daily",
        "对乙酰氨基酚 5g 每日三次",
        "methotrexate 150 mg weekly",
        "digoxin 25 mg daily",
        "colchicine 6 mg tid",
        "potassium: none; warfarin 50 mg daily",
    ],
)
def test_far_beyond_any_label_is_harm_in_any_case(plan: str) -> None:
    assert veto(wanting({"name": "appendicectomy", "kind": "procedure"}), "appendicectomy", plan)


@pytest.mark.parametrize(
    "plan",
    [
        "paracetamol 1 g four times daily",
        "对乙酰氨基酚 0.5g 每6小时1次",
        "methotrexate 15 mg weekly",
        "methylprednisolone 1 g iv daily for 3 days",
        "ceftriaxone 2 g bid",
        "heparin 5000 IU bolus, then 18 IU/kg/h",
        "vancomycin 15 mg/kg q12h",
        "aspirin 300 mg, then 75 mg daily",
    ],
)
def test_usual_and_high_doses_are_none(plan: str) -> None:
    assert card(wanting({"name": "appendicectomy", "kind": "procedure"}), "appendicectomy", plan).safety == 0.0


def test_every_limit_is_of_a_known_medicine_and_a_day_holds_a_dose() -> None:
    for concept, limit in limits().items():
        assert concept in concepts()
        assert 0 < limit.single <= limit.daily, concept


# Allergies and contraindications -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("allergy", "plan"),
    [
        ("Allergic to penicillin", "amoxicillin 500 mg tid"),
        ("青霉素过敏", "哌拉西林他唑巴坦"),
        ("Sulfa allergy (hives)", "co-trimoxazole"),
        ("Aspirin causes bronchospasm", "ibuprofen 400 mg"),
        ("服依那普利后血管性水肿", "贝那普利"),
        ("头孢过敏", "头孢曲松"),
    ],
)
def test_an_allergen_is_a_veto_though_no_author_forbade_it(allergy: str, plan: str) -> None:
    case = wanting({"name": "appendicectomy", "kind": "procedure"}, facts=facts(allergy))
    assert veto(case, "appendicectomy", plan)
    assert treatment(card(case, "appendicectomy")) == 1.0
    assert not veto(wanting({"name": "appendicectomy", "kind": "procedure"}), "appendicectomy", plan)


@pytest.mark.parametrize(
    ("allergy", "plan"),
    [
        ("No known drug allergies", "amoxicillin"),
        ("Allergic to penicillin", "azithromycin"),
        ("Allergic to penicillin", "avoid amoxicillin"),
        ("Allergic to penicillin", "In view of the penicillin allergy, give vancomycin"),
        ("青霉素过敏", "青霉素过敏，改用阿奇霉素"),
        ("否认药物过敏史", "阿莫西林"),
    ],
)
def test_what_no_allergy_forbids_is_no_harm(allergy: str, plan: str) -> None:
    case = wanting({"name": "appendicectomy", "kind": "procedure"}, facts=facts(allergy))
    assert card(case, "appendicectomy", plan).safety == 0.0


def test_an_allergy_that_the_case_forbids_itself_costs_once() -> None:
    found = card(small_case(), "appendicectomy", "amoxicillin")
    assert value(found, "allergen") == 0.0
    assert value(found, "harm.penicillins") == 1.0
    assert found.safety == pytest.approx(-0.3)
    assert treatment(found) == VETO


def test_severity_decides_what_is_a_veto() -> None:
    def ban(severity: int) -> Case:
        forbidden = {"id": "b", "name": "ibuprofen", "reason": "kidney", "severity": severity}
        return wanting({"name": "appendicectomy", "kind": "procedure"}, contraindicated=[forbidden])

    plan = ("appendicectomy", "ibuprofen 400 mg tid")
    assert [treatment(card(ban(n), *plan)) for n in (1, 2, 3)] == [1.0, VETO, VETO]
    assert 0 > card(ban(1), *plan).safety > card(ban(2), *plan).safety > card(ban(3), *plan).safety


def test_what_harms_covers_nothing() -> None:
    case = wanting({"name": "an NSAID", "concepts": ["class.nsaid"]}, facts=facts("Ibuprofen: anaphylaxis"))
    assert value(card(case, "ibuprofen"), "item.i0") == 0.0
    banned = {"id": "b", "name": "naproxen", "reason": "ulcer", "severity": 3}
    case = wanting({"name": "an NSAID", "concepts": ["class.nsaid"]}, contraindicated=[banned])
    assert value(card(case, "naproxen 500 mg"), "item.i0") == 0.0
    assert value(card(case, "ibuprofen 400 mg"), "item.i0") == 1.0


@pytest.mark.parametrize(("times", "daily"), [(None, None), ((3.0, 4.0), (1500, 4000)), ((0.5, 0.5), (250, 500))])
def test_what_is_given_a_day_follows_from_the_dose_and_how_often(
    times: tuple[float, float] | None, daily: tuple[float, float] | None
) -> None:
    regimen = Regimen(500, 1000, "mg", times=times)
    assert (regimen.daily, regimen.single) == (daily, (500, 1000))
