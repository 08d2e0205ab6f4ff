"""Follow-up and safety advice is read in free words, in both languages."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_sim.knowledge.concepts import rows
from clinic_sim.knowledge.followups import follow_ups
from clinic_sim.knowledge.text import fold
from clinic_sim.knowledge.treatment_lexicon import concepts
from clinic_sim.knowledge.treatments import read_treatment


def given_by(text: str) -> set[str]:
    return {m.concept for m in read_treatment(text) if not m.negated}


@pytest.mark.parametrize(
    ("english", "chinese", "concept"),
    [
        ("regular review of renal function", "定期复查肾功能", "tx.renal_monitoring"),
        ("follow-up of your liver enzymes", "随访肝功能", "tx.liver_monitoring"),
        ("repeat the blood count in 4 weeks", "4周后复查血常规", "tx.blood_count_monitoring"),
        ("monitor blood pressure and potassium weekly", "每周监测血压、血钾", "tx.electrolyte_monitoring"),
        ("come back immediately if you have a fever", "发热立即返院", "tx.safety_net"),
        ("If the pain returns, seek help", "疼痛复发请及时就医", "tx.safety_net"),
        ("repeat the ultrasound after the course", "疗程结束后复查彩超", "tx.repeat_imaging"),
    ],
)
def test_free_words_are_read_in_both_languages(english: str, chinese: str, concept: str) -> None:
    assert concept in given_by(english)
    assert concept in given_by(chinese)


@pytest.mark.parametrize(
    "text",
    [
        "no need to monitor creatinine",
        "无需监测肌酐",
        "Avoid coming: return if worse",
        "Do not give advice to return if worse",
    ],
)
def test_what_is_not_to_be_done_is_not_given(text: str) -> None:
    assert not given_by(text) & {"tx.renal_monitoring", "tx.safety_net"}


@pytest.mark.parametrize(
    "text", ["CT of the chest", "serum creatinine 88", "肌酐88", "the fever came back", "血压140/90"]
)
def test_what_nobody_watches_is_no_follow_up(text: str) -> None:
    assert list(follow_ups(fold(text))) == []


def test_every_concept_of_the_table_exists() -> None:
    assert {row[0] for row in rows("watched.tsv")} <= set(concepts())


def test_a_long_text_takes_no_longer_than_its_length() -> None:
    start = time.perf_counter()
    read_treatment("复查" * 9_000 + "return if " * 100)
    assert time.perf_counter() - start < 2.0


@given(st.text(max_size=200))
def test_no_text_breaks_it(text: str) -> None:
    for start, end, concept in follow_ups(fold(text)):
        assert 0 <= start < end <= len(text)
        assert concept in concepts()
