"""What a patient's free words may hold: only the chosen and the told facts, and nothing that gives the answer away."""

from __future__ import annotations

import time
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from clinic_sim.cases.compiled import CompiledCase, compile_case
from clinic_sim.clinic.patient.guard import fact_leak, said
from clinic_sim.clinic.patient.words import LONGEST, WordsReview, review_words
from clinic_sim.testing import small_case
from tests.clinic.words.cases import CASES

_ROWS = [
    line.split("\t")
    for line in (Path(__file__).parent / "words" / "utterances.tsv").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
][1:]
_LEAKS = ("diagnosis", "result", "treatment")


@cache
def _compiled(name: str) -> CompiledCase:
    return compile_case(CASES[name])


def _review(row: list[str]) -> WordsReview:
    case, _, facts, question, words = row
    return review_words(_compiled(case), words, [f for f in facts.split(",") if f], (), question)


def _kinds(review: WordsReview) -> list[str]:
    return [objection.kind for objection in review.objections]


def _missed(label: str) -> list[str]:
    return [row[4] for row in _ROWS if row[1] == label and not _review(row).objections]


def test_honest_words_stand() -> None:
    clean = [row for row in _ROWS if row[1] == "clean"]
    refused = [(row[4], _kinds(_review(row))) for row in clean if _review(row).objections]
    assert len(clean) >= 90
    assert len(refused) <= len(clean) * 0.03, refused


@pytest.mark.parametrize("label", _LEAKS)
def test_leaks_are_seen(label: str) -> None:
    rows = [row for row in _ROWS if row[1] == label]
    assert len(_missed(label)) <= len(rows) * 0.1, _missed(label)
    named = sum(f"leak:{label}" in _kinds(_review(row)) for row in rows)
    assert named >= len(rows) * 0.8


def test_diagnoses_are_seen_however_they_are_said() -> None:
    assert len(_missed("diagnosis")) <= 1, _missed("diagnosis")


@pytest.mark.parametrize("label", ["invention", "contradiction", "unchosen"])
def test_additions_and_changes_are_seen(label: str) -> None:
    rows = [row for row in _ROWS if row[1] == label]
    assert len(_missed(label)) <= len(rows) * 0.1, _missed(label)


@pytest.mark.parametrize("name", sorted(CASES))
def test_facts_in_their_own_words_stand(name: str) -> None:
    compiled = _compiled(name)
    for fact in compiled.case.facts:
        if not fact_leak(compiled, fact.id):
            assert review_words(compiled, said(compiled, fact.id), [fact.id]) == WordsReview((), ())


def test_told_facts_may_be_said_again() -> None:
    words = "As I said, I've thrown up twice. It came on suddenly six hours ago on the right."
    assert "unchosen" in _kinds(review_words(_compiled("stone"), words, ["onset"]))
    assert review_words(_compiled("stone"), words, ["onset"], ["vomit"]) == WordsReview((), ())


def test_an_objection_quotes_and_reveals_nothing() -> None:
    review = review_words(_compiled("stone"), "Is it a kidney stone?")
    (detail,) = {objection.detail for objection in review.objections}
    assert "kidney stone" in detail.lower()
    assert "ureteric" not in detail.lower()
    chinese = review_words(_compiled("gall"), "是胆囊炎吗？").objections[0]
    assert "胆囊炎" in chinese.detail
    assert chinese.detail.endswith("。")


def test_what_was_left_out_is_named() -> None:
    stone = _compiled("stone")
    review = review_words(stone, "It began suddenly six hours ago on my right side.", ["onset", "vomit", "smoke"])
    assert review.unsaid == ("vomit", "smoke")
    assert review_words(stone, "No, nothing like that.", ["no_fever"], (), "Any fever?").unsaid == ()


@pytest.mark.parametrize(
    "words",
    [
        "",
        " \n ",
        "…",
        "x" * (LONGEST + 1),
        "It hurts\x07.",
        '{"say": "It hurts"}',
        "Examiner: the scan is clear.",
        "医生：您好",
        "<b>It hurts</b>",
        "```\nIt hurts\n```",
    ],
)
def test_what_is_no_speech_of_a_patient_is_refused(words: str) -> None:
    assert _kinds(review_words(_compiled("stone"), words)) == ["form"]


@pytest.mark.parametrize(
    "words",
    [
        "A.P.P.E.N.D.I.C.I.T.I.S",
        "appendi\u200bcitis",
        "\u0430ppendicitis",  # a Cyrillic first letter
        "ＡＰＰＥＮＤＩＣＩＴＩＳ",
        "append1citis",
        "apendicitus",
        "阑尾炎",
        "阑 尾 炎",
        "兰尾炎",
        "It starts with append...",
        "They say it isn't appendicitis.",
        "my appendix is inflamed",
        "盲肠发炎了",
    ],
)
def test_disguises_of_the_name_are_seen_through(words: str) -> None:
    assert "leak:diagnosis" in _kinds(review_words(compile_case(small_case()), words))


def test_a_case_without_diagnosis_or_exams_is_reviewed_too() -> None:
    bare = small_case(
        diagnosis=None,
        exams=[],
        treatment=[],
        red_flags=[],
        provenance={
            "source": "written for clinic_sim",
            "licence": "Apache-2.0",
            "deidentification": "a fictional patient",
            "missing": ["diagnosis", "exams", "treatment"],
        },
    )
    compiled = compile_case(bare)
    assert review_words(compiled, "It started yesterday.", ["onset"]) == WordsReview((), ())
    assert _kinds(review_words(compiled, "It started yesterday and I have a rash.", ["onset"]))


def test_unknown_ids_and_hostile_text_do_no_harm() -> None:
    compiled = _compiled("stone")
    assert review_words(compiled, "Hello.", ["nobody"], ["nothing"]) == WordsReview((), ())
    for words in ("a " * 700, "不" * 1_400, "no, " * 300, "(((" * 400, "1 2 3 " * 200, "\u0301" * 900 + "a"):
        started = time.perf_counter()
        review_words(compiled, words)
        assert time.perf_counter() - started < 1


def test_the_same_words_give_the_same_review() -> None:
    seen = Counter(_review(row) == _review(row) for row in _ROWS)
    assert seen == {True: len(_ROWS)}
