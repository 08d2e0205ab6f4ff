"""How questions are put: a labelled set in both languages, what must not move a reading, and what bounds it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_sim.knowledge.question_cues import Row, cue, rows
from clinic_sim.knowledge.question_forms import Form, question_forms
from clinic_sim.knowledge.text import UTTERANCE_LIMIT, Language

FOLDER = Path(__file__).parent / "question_forms"
LANGUAGES: tuple[Language, ...] = ("en", "zh")
BATCH = 3
FLOORS = {"forms": 0.94, "matters": 0.94, "batch": 0.97, "leading": 0.98}
"""Least accuracy on either half in either language; the figures themselves are a little above."""


class Labelled(NamedTuple):
    """One utterance with its labels."""

    text: str
    forms: tuple[str, ...]
    matters: int


def labelled(language: Language, half: str = "all") -> list[Labelled]:
    found = []
    lines = (FOLDER / f"{language}.tsv").read_text("utf-8").splitlines()[1:]
    for n, line in enumerate(lines):
        text, forms, matters = line.split("\t")
        if half == "all" or (half == "held") == bool(n % 2):
            found.append(Labelled(text, () if forms == "none" else tuple(forms.split()), int(matters)))
    return found


def forms(text: str) -> tuple[str, ...]:
    return tuple(q.form.value for q in question_forms(text))


def matters(text: str) -> int:
    return sum(q.matters for q in question_forms(text))


def share(hits: Iterable[bool]) -> float:
    seen = list(hits)
    return sum(seen) / len(seen)


@pytest.mark.parametrize("half", ["dev", "held"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_labelled_set(language: Language, half: str) -> None:
    data = labelled(language, half)
    measured = {
        "forms": share(forms(row.text) == row.forms for row in data),
        "matters": share(matters(row.text) == row.matters for row in data),
        "batch": share((matters(row.text) > BATCH) == (row.matters > BATCH) for row in data),
        "leading": share(("leading" in forms(row.text)) == ("leading" in row.forms) for row in data),
    }
    assert {name: value for name, value in measured.items() if value < FLOORS[name]} == {}


def test_the_set_is_large_and_holds_every_form() -> None:
    for language in LANGUAGES:
        data = labelled(language)
        assert len(data) >= 150
        for form in Form:
            assert sum(form.value in row.forms for row in data) >= 15, (language, form)


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.language}-{row.cue}-{row.example[:24]}")
def test_each_cue_finds_its_example(row: Row) -> None:
    assert re.search(row.pattern, row.example)


def test_an_unknown_cue_is_no_silent_nothing() -> None:
    with pytest.raises(KeyError, match="no cue"):
        cue("en", "no_such_cue")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Can you describe the pain?", "open"),
        ("Can you lift your arm?", "closed"),
        ("Do you know when it began?", "specific"),
        ("Do you know if it runs in the family?", "closed"),
        ("Have you had any fever?", "closed"),
        ("Haven't you had any fever?", "leading"),
        ("Any other symptoms?", "open"),
        ("Any other symptoms, such as fever or rash?", "closed"),
        ("有没有发烧", "closed"),
        ("没有发烧吧", "leading"),
        ("没有力气吗？", "closed"),
        ("是不是因为受凉才疼的吧？", "leading"),
        ("还有其他症状吗？", "open"),
        ("还有其他症状吗？比如发热、皮疹？", "closed"),
        ("您还记得是哪天开始的吗？", "specific"),
        ("疼还是不疼", "choice"),
    ],
)
def test_pairs_that_a_word_tells_apart(text: str, expected: str) -> None:
    assert forms(text) == (expected,)


@pytest.mark.parametrize(
    "text",
    [
        "根据您的描述，可能是阑尾炎，建议做B超检查，结果出来后请告诉我。",
        "如果有什么不舒服，请随时联系我。",
        "I think it is your gallbladder. Let's do an ultrasound, ok?",
        "What you have is appendicitis.",
    ],
)
def test_advice_asks_nothing(text: str) -> None:
    assert forms(text) == ()


@pytest.mark.parametrize(
    ("few", "many"),
    [
        ("Any fever?", "Any fever, cough, rash, headache, dizziness, vomiting, diarrhoea or chest pain?"),
        ("有没有发热？", "有没有发热、咳嗽、皮疹、头痛、头晕、呕吐、腹泻、胸痛？"),
        ("Where is it, and does it move?", "Where is it? Is it sharp? Any fever? Any rash? Any cough? Do you smoke?"),
        ("哪里疼？会放射吗？", "哪里疼？刺痛吗？发烧吗？有皮疹吗？咳嗽吗？抽烟吗？"),
    ],
)
def test_a_batch_asks_for_more(few: str, many: str) -> None:
    assert matters(few) <= 2 < BATCH < matters(many)


# What must not move it ------------------------------------------------------------------------------------------------

POLITE = {
    "en": ("Okay. ", "Thank you. ", "I see, thank you. ", "All right, ", "Hello. ", "I'm sorry to hear that. "),
    "zh": ("好的。", "谢谢您。", "嗯，", "我明白了，", "您好，", "好的，谢谢您的配合。"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_polite_words_before_it_change_little(language: Language) -> None:
    data = [row for row in labelled(language) if row.forms]
    for words in POLITE[language]:
        same = share(forms(words + row.text) == forms(row.text) for row in data)
        assert same >= 0.97, (words, [r.text for r in data if forms(words + r.text) != forms(r.text)])


@pytest.mark.parametrize("language", LANGUAGES)
def test_full_width_marks_case_and_blanks_change_nothing(language: Language) -> None:
    wide = str.maketrans("?,", "？，") if language == "zh" else str.maketrans("", "")
    narrow = str.maketrans("？，", "?,")
    for row in labelled(language):
        assert forms(row.text.translate(narrow).upper()) == forms(row.text.translate(wide)), row.text
        assert forms(f"  {row.text} \n") == forms(row.text)


def test_nothing_beyond_what_a_patient_listens_to_is_read() -> None:
    question = "Do you smoke? "
    assert question_forms(question * 100_000) == question_forms((question * 100_000)[:UTTERANCE_LIMIT])
    assert question_forms("有没有" * 300_000) == question_forms(("有没有" * 300_000)[:UTTERANCE_LIMIT])


@given(st.text(max_size=300))
def test_any_text_is_read_alike_twice(text: str) -> None:
    found = question_forms(text)
    assert found == question_forms(text)
    assert all(q.matters >= 1 for q in found)


_PIECES = st.sampled_from(
    [
        "有没有",
        "吗？",
        "，",
        "、",
        "还是",
        "what ",
        "do you ",
        "any ",
        "or ",
        "? ",
        "not ",
        "没",
        "不",
        "吧",
        "right?",
        "；",
        ".",
    ]
)


@given(st.lists(_PIECES, max_size=60).map("".join))
def test_heaped_cues_never_raise(text: str) -> None:
    assert isinstance(question_forms(text), tuple)


# Real doctors ---------------------------------------------------------------------------------------------------------


def _osce(folder: Path) -> Iterator[str]:
    for path in sorted((folder / "osce_dialogues").glob("*.txt")):
        for line in path.read_text("utf-8", errors="replace").splitlines():
            if line.startswith("D:"):
                yield line[2:].strip()


def _standard_patients(folder: Path) -> Iterator[str]:
    for path in sorted((folder / "spbench").glob("dialogue_*.json")):
        for turn in json.loads(path.read_text("utf-8")):
            yield turn["question"]


@pytest.mark.parametrize("source", [_osce, _standard_patients])
def test_real_interviews_look_like_interviews(shared_data: Path, source: Callable[[Path], Iterator[str]]) -> None:
    """Human doctors ask mostly closed questions, few at a time, and seldom lead; anything else would be our mistake."""
    asked = [found for text in source(shared_data) if (found := question_forms(text))]
    every = [q.form for found in asked for q in found]
    assert len(asked) > 1_000
    assert share(form is Form.LEADING for form in every) < 0.08
    assert 0.02 < share(form is Form.OPEN for form in every) < 0.2
    assert share(form in (Form.CLOSED, Form.CHOICE) for form in every) > 0.5
    assert share(sum(q.matters for q in found) > BATCH for found in asked) < 0.1
