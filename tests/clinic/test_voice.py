"""A record's clinical statement, said by the patient."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_sim.clinic.patient.voice import speak


@pytest.mark.parametrize(
    ("statement", "absent", "language", "said"),
    [
        ("The patient reports crushing chest pain", False, "en", "Crushing chest pain."),
        ("Denies fever", True, "en", "No fever."),
        ("She denies any weight loss.", True, "en", "No weight loss."),
        ("A 2-day history of decreased vision", False, "en", "I've had decreased vision for 2 days."),
        ("1-year history of cough", False, "en", "I've had cough for 1 year."),
        ("34-year-old male", False, "en", "I'm 34."),
        ("Currently smokes 1 pack a day", False, "en", "I currently smoke 1 pack a day."),
        ("Works as a graphic designer", False, "en", "I work as a graphic designer."),
        ("Was diagnosed with asthma 2 years ago", False, "en", "I was diagnosed with asthma 2 years ago."),
        ("His pain is worse at night", False, "en", "My pain is worse at night."),
        ("Does not smoke", True, "en", "I don't smoke."),
        ("患者自述头痛3天", False, "zh", "头痛3天。"),
        ("否认冠心病", True, "zh", "没有冠心病。"),
        ("无明显诱因出现头痛", False, "zh", "无明显诱因出现头痛。"),
        ("患儿食欲差", False, "zh", "食欲差。"),
    ],
)
def test_says_it_in_the_first_person(statement: str, absent: bool, language: str, said: str) -> None:
    assert speak(statement, absent, language) == said


def test_a_parent_does_not_speak_in_the_first_person_of_the_child() -> None:
    assert speak("18-month-old boy", False, "en", False) == "18-month-old boy."
    assert speak("He reports ear pain", False, "en", False) == "Ear pain."


@given(st.text(max_size=80), st.booleans(), st.sampled_from(["en", "zh"]))
def test_any_statement_can_be_said(statement: str, absent: bool, language: str) -> None:
    assert speak(statement, absent, language).endswith((".", "。", "?", "!"))
