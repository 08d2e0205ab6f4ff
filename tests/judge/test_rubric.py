"""Hand-written rubrics: criteria about one thing, checks of the whole, and clear errors for what cannot work."""

from __future__ import annotations

from typing import Any

import pytest

from clinic_sim.clinic.actions import Ask, Conclude, Order
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import Rubric, load_rubric
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


@pytest.mark.parametrize(
    ("criterion", "says"),
    [
        ({"check": "judged"}, "needs `question`"),
        ({"check": "judged", "question": {"en": "Is the doctor kind?"}}, "zh"),
        ({"check": "judged", "question": "Kind?"}, "at least 8"),
        ({"check": "judged", "question": "Is the doctor kind?", "speaker": "nurse"}, "speaker"),
        ({"check": "judged", "question": "Is the doctor kind?", "target": "onset"}, "as a whole"),
        ({"check": "judged", "question": "Is the doctor kind?", "generate": "facts"}, "as a whole"),
        ({"check": "judged", "question": "Is the doctor kind?", "params": {"turns": 3}}, "no parameter"),
        ({"check": "icd_match", "question": "Is the doctor kind?"}, "`question`: only `judged` does"),
        ({"check": "icd_match", "quote_required": False}, "`quote_required`: only `judged` does"),
    ],
)
def test_a_judged_criterion_has_a_question_and_only_it(criterion: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        rubric(criterion)


def test_one_wording_serves_both_languages_and_two_serve_their_own() -> None:
    one = rubric({"check": "judged", "question": "Is the\n doctor kind?"}).criteria[0].question
    assert one is not None
    assert one.in_language("en") == one.in_language("zh") == "Is the doctor kind?"
    two = rubric({"check": "judged", "question": {"en": "Is the doctor kind?", "zh": "医生和蔼吗？"}}).criteria[0]
    assert two.question is not None
    assert two.question.in_language("zh") == "医生和蔼吗？"


def test_a_rubric_without_judged_criteria_is_written_without_their_fields() -> None:
    written = rubric({"check": "icd_match"}).model_dump_json()
    assert "question" not in written
    assert "quote_required" not in written


def test_the_rubric_with_language_holds_the_one_without_it() -> None:
    with_language, without = load_rubric("clinic-language"), load_rubric("clinic")
    judged = [c for c in with_language.criteria if c.check == "judged"]
    assert tuple(c for c in with_language.criteria if c.check != "judged") == without.criteria
    assert {c.dimension for c in judged if c.points} == set(with_language.dimensions) - set(without.dimensions)
    assert not any(c.beside for c in judged), (
        "one call of the judge an episode: what needs the reference is asked apart"
    )
    assert {c.beside for c in load_rubric("second-opinion").criteria if c.check == "judged"} == {"primary", "item"}
    assert sum(d.weight for d in with_language.dimensions.values()) == pytest.approx(1)
    for criterion in judged:
        question = criterion.question
        assert question is not None
        assert question.en.isascii()
        assert not question.zh.isascii()
        assert criterion.quote_required
        assert criterion.why
        assert ("Quote" in question.en) == ("请引用" in question.zh)
