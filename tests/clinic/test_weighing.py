"""The weighing of signs beside the rules: it adds what no rule names, withdraws what is harmless, and is bounded."""

from __future__ import annotations

import math

import pytest

from clinic_sim.cases.compiled import CompiledCase, compile_case
from clinic_sim.cases.packs import Pack
from clinic_sim.clinic.patient.speech.signs import signs
from clinic_sim.clinic.patient.speech.tables import table
from clinic_sim.clinic.patient.speech.weighing import BIAS, BOUNDS, Weights, doubt, reconsidered, weigh
from clinic_sim.clinic.patient.words import answer_of, objections_of_rules, review_words


@pytest.fixture(scope="module")
def graves(core_en: Pack) -> CompiledCase:
    return compile_case(next(c for c in core_en.cases if c.id == "hyperthyroidism-graves-en"))


@pytest.fixture(scope="module")
def graves_zh(core_zh: Pack) -> CompiledCase:
    return compile_case(next(c for c in core_zh.cases if c.id == "hyperthyroidism-graves-zh"))


def test_the_table_weighs_every_sign_once_and_in_numbers() -> None:
    rows = table("weights.tsv")
    assert len({sign for sign, *_ in rows}) == len(rows) > 1_000
    assert all(len(columns) == len(Weights._fields) for _, *columns in rows)
    assert all(math.isfinite(float(weight)) and abs(float(weight)) < 20 for _, *columns in rows for weight in columns)
    assert any(sign == BIAS for sign, *_ in rows)


@pytest.mark.parametrize(
    "text",
    [
        "My hands shake. The lady who cuts my hair reckons my own antibodies are making that gland go wild.",
        "They shake, yes. The scan they did last week showed it taking up far too much iodine, they said.",
        "Yes, they shake. My cousin had just the same and they gave her radioactive something to kill it off.",
    ],
)
def test_what_somebody_thinks_it_is_does_not_stand(graves: CompiledCase, text: str) -> None:
    review = review_words(graves, text, facts=("tremor",), question="Do your hands shake?")
    assert any(each.kind.startswith("leak") for each in review.objections), review


@pytest.mark.parametrize(
    "text", ["手抖。我表姐说这是身上的免疫自己打自己，激素就多了。", "是抖，上回化验单上好几个箭头，说激素太高了。"]
)
def test_what_somebody_thinks_it_is_does_not_stand_in_chinese(graves_zh: CompiledCase, text: str) -> None:
    review = review_words(graves_zh, text, facts=("tremor",), question="手抖吗？")
    assert any(each.kind.startswith("leak") for each in review.objections), review


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Do your hands shake?", "They do, yes. It's embarrassing, to be honest, I try to hide it."),
        ("Good morning, how are you?", "Good morning, doctor. A bit nervous, if I'm honest. Thank you for seeing me."),
        ("How does it make you feel?", "Fed up, mostly. I just want to feel like myself again."),
    ],
)
def test_feelings_and_small_talk_stand(graves: CompiledCase, question: str, text: str) -> None:
    facts = ("tremor",) if "hands" in question else ()
    assert review_words(graves, text, facts=facts, question=question).objections == ()


def test_without_a_question_the_rules_alone_decide(graves: CompiledCase) -> None:
    for text in ("My hands shake, and I keep thinking of what my cousin had.", "I have had a cough for weeks."):
        answer = answer_of(graves, text, ("tremor",), (), "")
        faults = objections_of_rules(graves, answer)
        assert reconsidered(answer, faults) == faults


def test_a_word_said_over_and_over_weighs_no_more_than_a_few_times(graves: CompiledCase) -> None:
    question = "Do your hands shake?"
    weights = [weigh(signs(answer_of(graves, "no, " * times, ("tremor",), (), question))) for times in (20, 370)]
    assert all(abs(few - many) < 15 for few, many in zip(*weights, strict=True)), weights


def test_the_same_words_have_the_same_signs_in_the_same_order(graves: CompiledCase) -> None:
    text = "They shake, and they say at work that I should get my neck looked at."
    first, second = (signs(answer_of(graves, text, ("tremor",), (), "Do your hands shake?")) for _ in range(2))
    assert list(first.items()) == list(second.items())


def test_a_leak_is_never_withdrawn_and_a_soft_objection_only_where_nothing_else_speaks_for_it() -> None:
    honest = Weights(leak=-9.0, invention=-9.0, contradiction=-9.0, fault=-9.0)
    for kinds in (["leak:diagnosis"], ["leak:result", "invention"], ["contradiction", "contradiction"]):
        assert doubt(honest, kinds) > 0, kinds
    for kinds in (["invention"], ["unchosen", "invention"], ["contradiction"], []):
        assert doubt(honest, kinds) <= 0, kinds
        assert doubt(honest._replace(leak=BOUNDS.leak + 0.1), kinds) > 0, kinds
    assert doubt(honest._replace(fault=0.0), ["invention"]) > 0
