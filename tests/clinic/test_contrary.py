"""Signs that a clause says the contrary of a chosen fact, in answers to several facts too."""

from __future__ import annotations

import pytest

from clinic_sim.cases.compiled import CompiledCase, compile_case
from clinic_sim.cases.packs import Pack
from clinic_sim.clinic.patient.speech.contrary import contrary_signs
from clinic_sim.clinic.patient.words import answer_of

AGAINST = ("s:clash", "s:number.clash", "s:claimed.against", "s:denied.against", "s:claimed.denied", "s:denied.told")
CASES = {"en": "hyperthyroidism-graves-en", "zh": "hyperthyroidism-graves-zh"}


@pytest.fixture(scope="module")
def cases(core_en: Pack, core_zh: Pack) -> dict[str, CompiledCase]:
    packs = {"en": core_en, "zh": core_zh}
    return {lang: compile_case(next(c for c in packs[lang].cases if c.id == id_)) for lang, id_ in CASES.items()}


def against(case: CompiledCase, facts: str, question: str, text: str) -> list[str]:
    """The signs that speak against a chosen fact."""
    found = contrary_signs(answer_of(case, text, facts.split(), (), question))
    return [name for _, name, _ in found if name.startswith(AGAINST) and name != "s:clash.licensed"]


@pytest.mark.parametrize(
    ("language", "facts", "question", "honest", "contrary"),
    [
        ("en", "insomnia", "How do you sleep?", "I sleep badly.", "I sleep like a log."),
        (
            "en",
            "insomnia no-fever",
            "Fever? How do you sleep?",
            "No fever. I sleep poorly, though.",
            "No fever. I sleep soundly, though.",
        ),
        (
            "en",
            "no-fever tremor",
            "Any fever, any shaking?",
            "No fever, but my hands shake.",
            "My hands shake, and I've had a fever.",
        ),
        (
            "en",
            "weight-loss",
            "How much weight have you lost?",
            "Seven kilos in three months.",
            "Two kilos in three months.",
        ),
        ("zh", "insomnia", "睡得怎么样？", "睡不好，老醒。", "睡得特别香，一觉到大天亮。"),
        ("zh", "no-fever tremor", "发烧吗？手抖吗？", "没发烧，手是抖的。", "手抖，还一直发烧。"),
        ("zh", "weight-loss", "瘦了多少？", "三个月瘦了七公斤。", "三个月瘦了二十公斤。"),
    ],
)
def test_the_contrary_has_signs_that_honest_words_lack(
    cases: dict[str, CompiledCase], language: str, facts: str, question: str, honest: str, contrary: str
) -> None:
    case = cases[language]
    assert against(case, facts, question, contrary)
    assert not against(case, facts, question, honest)


def test_what_another_allowed_fact_says_is_no_contrary(cases: dict[str, CompiledCase]) -> None:
    text = "The palpitations are bad. I eat well."
    question = "How are you?"
    case = cases["en"]
    told = contrary_signs(answer_of(case, text, ("insomnia",), ("appetite",), question))
    assert "s:clash.near" not in [name for _, name, _ in told]


def test_an_answer_without_facts_has_no_such_signs(cases: dict[str, CompiledCase]) -> None:
    assert contrary_signs(answer_of(cases["en"], "I sleep like a log.", (), (), "How do you sleep?")) == []


def test_a_sign_stands_where_the_clause_does(cases: dict[str, CompiledCase]) -> None:
    text = "My hands shake. I sleep like a log."
    found = contrary_signs(answer_of(cases["en"], text, ("insomnia", "tremor"), (), "How are you?"))
    places = [at for at, name, _ in found if name.startswith("s:clash")]
    assert places
    assert all(at >= text.index("I sleep") - 1 for at in places)
