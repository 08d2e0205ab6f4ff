"""A record's free text becomes atomic, verbatim facts that keep what they affirm and deny."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_sim.knowledge.clauses import Polarity, polarity_of, split_clauses

ABSENT, PRESENT, UNKNOWN = Polarity.ABSENT, Polarity.PRESENT, Polarity.UNKNOWN


def test_each_item_of_a_denied_list_is_a_denial_of_its_own() -> None:
    clauses = split_clauses("He denies fever, cough, or recent travel.", "en")
    assert [(c.text, c.polarity) for c in clauses] == [
        ("He denies fever", ABSENT),
        ("cough", ABSENT),
        ("recent travel", ABSENT),
    ]


def test_a_chinese_list_keeps_its_negation() -> None:
    clauses = split_clauses("伴恶心，无胸痛、心悸、大汗。", "zh")
    assert [(c.text, c.polarity) for c in clauses] == [
        ("伴恶心", PRESENT),
        ("无胸痛", ABSENT),
        ("心悸", ABSENT),
        ("大汗", ABSENT),
    ]


def test_a_denial_ends_where_a_new_statement_begins() -> None:
    clauses = split_clauses("No known allergies, drinks wine occasionally.", "en")
    assert [c.polarity for c in clauses] == [ABSENT, PRESENT]


def test_aggravating_and_relieving_are_two_facts() -> None:
    clauses = split_clauses("The cough is worse after activity and better with rest.", "en")
    assert [c.text for c in clauses] == ["The cough is worse after activity", "better with rest"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Pain in the neck and shoulder", "en"),
        ("精神、饮食、睡眠良好", "zh"),
        ("咳嗽、咳痰20余年", "zh"),
        ("无疫区、疫水接触史", "zh"),
    ],
)
def test_what_would_lose_its_meaning_stays_together(text: str, language: str) -> None:
    assert [c.text for c in split_clauses(text, language)] == [text]


@pytest.mark.parametrize(
    ("text", "language", "polarity"),
    [
        ("无明显诱因", "zh", PRESENT),
        ("双下肢无力", "zh", PRESENT),
        ("否认药物过敏史", "zh", ABSENT),
        ("饮酒：无", "zh", ABSENT),
        ("预防接种史不详", "zh", UNKNOWN),
        ("饮食睡眠正常", "zh", PRESENT),
        ("without chest pain", "en", ABSENT),
        ("negative for seizures", "en", ABSENT),
        ("no fever but has chills and night sweats", "en", PRESENT),
        ("numbness of both hands", "en", PRESENT),
    ],
)
def test_polarity(text: str, language: str, polarity: Polarity) -> None:
    assert polarity_of(text, language) is polarity


@given(st.text(max_size=300), st.sampled_from(["en", "zh"]))
def test_offsets_are_those_of_the_source(text: str, language: str) -> None:
    last = 0
    for clause in split_clauses(text, language):
        assert text[clause.start : clause.end] == clause.text
        assert clause.start >= last
        last = clause.end
