"""Hand-written rubrics: criteria about one thing, checks of the whole, and clear errors for what cannot work."""

from __future__ import annotations

from typing import Any

import pytest

from clinic_sim.clinic.actions import Ask, Conclude, Order
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import Rubric
from clinic_sim.judge.scorecard import Verdict
from clinic_sim.testing import small_case


def rubric(*criteria: dict[str, Any]) -> Rubric:
    filler = {"id": "filler", "dimension": "d", "check": "icd_match"}
    written = [{"id": f"c{n}", "dimension": "d", **c} for n, c in enumerate(criteria)]
    return Rubric.model_validate(
        {
            "schema_version": 1,
            "name": "r",
            "title": "r",
            "dimensions": {"d": {"weight": 1}},
            "criteria": [*written, filler],
        }
    )


def verdicts(criterion: dict[str, Any], *actions: Any) -> list[Verdict]:
    consultation = Consultation(small_case(), review=False)
    for action in (*actions, Conclude("acute appendicitis", ("renal colic",))):
        consultation.act_sync(action)
    card = RubricJudge(rubric(criterion)).score(small_case(), consultation.episode())
    return [v for v in card.verdicts if v.criterion == "c0"]


@pytest.mark.parametrize(
    ("criterion", "doing", "value"),
    [
        ({"check": "fact_disclosed", "target": "allergy"}, [Ask("Any allergies?")], 1.0),
        ({"check": "fact_disclosed", "target": "allergy"}, [], 0.0),
        ({"check": "exam_ordered", "target": "chest_xray"}, [Order(("chest X-ray",))], 1.0),
        ({"check": "red_flag_covered", "target": "peritonism"}, [Order(("abdominal palpation",))], 1.0),
        ({"check": "treatment_covered", "target": "operation"}, [], 0.0),
        ({"check": "turns_within", "params": {"turns": 3}}, [Ask("Any allergies?")], 1.0),
        ({"check": "turns_within", "params": {"turns": 3}}, [], 0.0),
        ({"check": "turns_within", "params": {"turns": 3}}, [Ask("Any allergies?")] * 3, 0.0),
        ({"check": "cost_within", "params": {"money": 5000}}, [Order(("CBC",))], 1.0),
        ({"check": "cost_within", "params": {"money": 1}}, [Order(("CBC",))], 0.0),
        ({"check": "cost_within", "params": {"money": 5000}}, [], 0.0),
        ({"check": "history_before_orders", "params": {"facts": 1}}, [Ask("Any allergies?"), Order(("CBC",))], 1.0),
        ({"check": "history_before_orders", "params": {"facts": 1}}, [Order(("CBC",)), Ask("Any allergies?")], 0.0),
        ({"check": "differential_named"}, [], 1.0),
    ],
)
def test_checks_that_stand_for_themselves(criterion: dict[str, Any], doing: list[Any], value: float) -> None:
    (verdict,) = verdicts(criterion, *doing)
    assert verdict.value == value


def test_a_criterion_about_another_case_does_not_apply() -> None:
    assert verdicts({"check": "fact_disclosed", "target": "rash_of_another_patient"}) == []
    assert verdicts({"check": "history_before_orders"}) == []  # nothing was ordered


@pytest.mark.parametrize(
    ("criterion", "says"),
    [
        ({"check": "fact_disclosed"}, "needs either"),
        ({"check": "fact_disclosed", "generate": "facts", "target": "onset"}, "needs either"),
        ({"check": "exam_ordered", "generate": "facts"}, "only for essential_exams"),
        ({"check": "icd_match", "target": "onset"}, "as a whole"),
        ({"check": "turns_within"}, "needs `params"),
        ({"check": "turns_within", "params": {"turns": 0}}, "above 0"),
        ({"check": "turns_within", "params": {"turns": "few"}}, "number"),
        ({"check": "exam_excess", "params": {"alowance": 3}}, "no parameter 'alowance'"),
    ],
)
def test_a_criterion_that_cannot_work_is_refused_when_it_is_read(criterion: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        rubric(criterion)
