"""The weighing of signs beside the rules: it adds what no rule names, withdraws what is harmless, and is bounded."""

from __future__ import annotations

import math

import pytest

from clinic_sim.cases.compiled import CompiledCase, compile_case
from clinic_sim.cases.packs import Pack
from clinic_sim.clinic.patient.speech.signs import Described, described
from clinic_sim.clinic.patient.speech.tables import table
from clinic_sim.clinic.patient.speech.weighing import BIAS, BOUND, Weighed, Weights, bounds, reconsidered, weigh
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
    assert {BIAS, BOUND} < {sign for sign, *_ in rows}


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


def weighed(case: CompiledCase, text: str) -> Weighed:
    answer = answer_of(case, text, ("tremor",), (), "Do your hands shake?")
    return weigh(described(answer, objections_of_rules(case, answer)))


def test_a_word_said_over_and_over_weighs_no_more_than_a_few_times(graves: CompiledCase) -> None:
    few, many = (weighed(graves, "no, " * times).over for times in (20, 370))
    assert all(abs(one - other) < 15 for one, other in zip(few, many, strict=True)), (few, many)


def test_the_same_words_have_the_same_signs_in_the_same_order(graves: CompiledCase) -> None:
    text = "They shake, and they say at work that I should get my neck looked at."
    first, second = (described(answer_of(graves, text, ("tremor",), (), "Do your hands shake?"), ()) for _ in range(2))
    assert list(first.whole.items()) == list(second.whole.items())
    assert [list(signs.items()) for signs in first.sentences] == [list(signs.items()) for signs in second.sentences]


def test_harmless_sentences_do_not_hide_a_telling_one(graves: CompiledCase) -> None:
    telling = "My cousin had just the same and they gave her radioactive something to kill it off."
    alone, after = weighed(graves, telling), weighed(graves, f"They do. It is a nuisance. I spill my tea. {telling}")
    assert after.over.leak > alone.over.leak - 1
    assert "radioactive" in after.worst[0]


def told(*objections: str) -> Described:
    """An answer with nothing to it but what rules object to."""
    return Described(dict.fromkeys(("rule:any", *objections), 1.0), ({},), ("",))


NOTHING = Described({}, ({},), ("",))


@pytest.mark.parametrize("kind", ["leak:diagnosis", "leak:result", "leak:treatment", "invention:dx", "unchosen:drug"])
def test_some_objections_are_never_withdrawn(kind: str) -> None:
    assert weigh(told(f"rule:{kind}")).doubt > 50


@pytest.mark.parametrize("kind", ["invention", "unchosen", "contradiction"])
def test_other_objections_are_weighed(kind: str) -> None:
    weighed = weigh(told(f"rule:{kind}", f"rule:{kind}:sx"))
    assert not weighed.certain
    assert weighed.over.fault > weigh(NOTHING).over.fault


def test_a_disease_that_nobody_holds_is_refused_however_kindly_it_is_said(graves: CompiledCase) -> None:
    text = "Thank you for asking, doctor. They do shake a little, and I have had diabetes since I was a child."
    review = review_words(graves, text, facts=("tremor",), question="Do your hands shake?")
    assert review.objections


def test_an_answer_is_rejected_beyond_a_bound_and_not_before() -> None:
    column = Weights._fields.index("leak")
    bias = next(float(columns[column]) for sign, *columns in table("weights.tsv") if sign == BIAS)
    assert weigh(NOTHING).over.leak == pytest.approx(bias - bounds().leak)
