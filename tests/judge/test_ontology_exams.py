"""Examinations as a set: precision, recall of the decisive, redundancy, order, and what must not be done."""

from __future__ import annotations

from typing import Any

import pytest

from clinic_sim.cases.case import Case
from clinic_sim.cases.packs import load_pack
from clinic_sim.clinic.actions import Ask, Conclude, Examine, Order
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.clinic.examiner import exam_name
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.judge.scorecard import Scorecard
from clinic_sim.knowledge.exam_catalogue import catalogue, is_bedside
from clinic_sim.testing import small_case

END = Conclude("no idea")
TOLD = (Ask("When did it start?"), Ask("Where did the pain start and where is it now?"), Ask("Any nausea? Any fever?"))
CASES = [case for pack in ("core-en", "core-zh") for case in load_pack(pack).cases]


def card(case: Case, *actions: Any, rubric: str = "clinic") -> Scorecard:
    consultation = Consultation(case, review=False)
    for action in actions:
        consultation.act_sync(action)
    return RubricJudge(load_rubric(rubric)).score(case, consultation.episode())


def value(found: Scorecard, criterion: str) -> float:
    number = next(v.value for v in found.verdicts if v.criterion == criterion)
    assert number is not None
    return number


def ordering(found: Scorecard, dimension: str = "exam_ordering") -> float:
    number = found.dimensions[dimension].value
    assert number is not None
    return number


def test_recall_of_the_decisive_and_precision_of_all() -> None:
    case = small_case()
    both = (Examine(("abdominal palpation",)), Order(("CBC",)))
    assert value(card(case, *TOLD, *both, END), "precision") == 1.0
    assert value(card(case, *TOLD, Order(("CBC",)), END), "precision") == 0.5
    assert value(card(case, *TOLD, *both, Order(("chest X-ray", "EEG", "PSA")), END), "precision") == 0.25
    assert value(card(case, *TOLD, both[0], END), "essential.cbc") == 0.0


def test_a_test_may_be_repeated_twice_and_then_costs() -> None:
    case = small_case()
    done = (*TOLD, Examine(("abdominal palpation",)), Order(("CBC",)))
    twice = card(case, *done, *[Order(("CBC",))] * 2, END)
    often = card(case, *done, *[Order(("CBC",))] * 6, END)
    assert value(twice, "redundancy") == 0.0
    assert value(often, "redundancy") == pytest.approx(4 / 7)
    assert ordering(often) < ordering(twice)


def test_the_parts_of_a_panel_tell_nothing_after_it() -> None:
    case = small_case()
    parts = [Order((name,)) for name in ("haemoglobin", "platelet count", "white cell count", "haematocrit")]
    assert value(card(case, *TOLD, Order(("CBC",)), *parts, END), "redundancy") > 0.0
    assert value(card(case, *TOLD, *parts[:2], Order(("CBC",)), END), "redundancy") == 0.0


def test_what_one_turn_orders_together_is_one_order() -> None:
    case = small_case()
    names = ("CBC", "haemoglobin", "platelet count", "white cell count", "haematocrit")
    assert value(card(case, *TOLD, Order(names), END), "redundancy") == 0.0


def test_a_look_at_the_patient_may_be_repeated_freely() -> None:
    case = small_case()
    assert value(card(case, *TOLD, *[Examine(("abdominal palpation",))] * 8, END), "redundancy") == 0.0


def test_tests_before_the_history_cost_and_the_bedside_does_not() -> None:
    case = small_case()
    first, last = card(case, Order(("CBC",)), *TOLD, END), card(case, *TOLD, Order(("CBC",)), END)
    assert value(first, "before_history") == 1.0
    assert value(last, "before_history") == 0.0
    assert ordering(first) < ordering(last)
    assert value(card(case, Examine(("abdominal palpation",)), *TOLD, END), "before_history") == 0.0
    mixed = card(case, Order(("CBC",)), *TOLD, Order(("ECG",)), END)
    assert value(mixed, "before_history") == 0.5


def test_without_a_history_on_record_nobody_ordered_before_it() -> None:
    case = small_case()
    bare = case.model_copy(
        update={"provenance": case.provenance.model_copy(update={"missing": (*case.provenance.missing, "facts")})}
    )
    (verdict,) = [v for v in card(bare, Order(("CBC",)), END).verdicts if v.criterion == "before_history"]
    assert (verdict.value, verdict.failure) == (None, "missing_reference")


FORBIDDEN = [
    {"id": "no-ct", "name": "CT", "exams": ["img.ct.abdomen"], "reason": "pregnant", "because": [], "severity": 2}
]


def test_a_forbidden_examination_costs_by_its_severity() -> None:
    case = small_case(contraindicated=FORBIDDEN)
    done = (*TOLD, Order(("CBC",)))
    harmed = card(case, *done, Order(("CT of the abdomen",)), END)
    assert value(harmed, "harmful_test") == pytest.approx(2 / 3)
    assert ordering(harmed) < ordering(card(case, *done, Order(("EEG",)), END))
    assert harmed.safety < 0
    assert value(card(case, *done, END), "harmful_test") == 0.0


def test_a_case_that_forbids_no_examination_has_no_such_verdict() -> None:
    found = card(small_case(), *TOLD, Order(("CBC",)), END)
    assert not [v for v in found.verdicts if v.criterion == "harmful_test"]


def test_contrast_medium_against_an_allergy_to_it_is_harm_though_no_author_wrote_it() -> None:
    facts = [
        *small_case().model_dump()["facts"],
        {"id": "dye", "topic": "allergy", "statement": "Anaphylaxis to iodinated contrast medium"},
    ]
    case = small_case(facts=facts)
    done = (*TOLD, Order(("CBC",)))
    assert value(card(case, *done, Order(("CT pulmonary angiography",)), END), "allergen") == 1.0
    assert value(card(case, *done, Order(("MRI of the abdomen",)), END), "allergen") == 0.0
    assert value(card(small_case(), *done, Order(("CT pulmonary angiography",)), END), "allergen") == 0.0


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_mvme_gives_an_a_for_the_right_examinations_and_not_for_all(case: Case) -> None:
    book = catalogue()
    useful = [e for e in case.exams if not e.noise]
    bedside = tuple(exam_name(e, case.language) for e in useful if is_bedside(e.code))
    tests = tuple(exam_name(e, case.language) for e in useful if not is_bedside(e.code))
    everything = [book.name(e.code, case.language) for e in book if not is_bedside(e.code)]
    batches = [Order(tuple(everything[n : n + 40])) for n in range(0, len(everything), 40)]
    right = card(case, Examine(bedside), Order(tests), END, rubric="mvme")
    all_of_them = card(case, Examine(bedside), *batches, END, rubric="mvme")
    assert right.dimensions["examinations"].grade == "A"
    assert all_of_them.dimensions["examinations"].grade in ("C", "D")
