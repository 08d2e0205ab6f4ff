"""The guard: no words of a case, however written, make the patient say the diagnosis or a result."""

from __future__ import annotations

from typing import Any

import pytest

from clinic_sim.clinic.actions import Ask
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.clinic.events import PatientAnswered
from clinic_sim.testing import small_case


def asked(text: str, **fact: Any) -> PatientAnswered:
    facts = [{"id": "told", "topic": "past_history", "importance": "minor", **fact}]
    diagnosis = {"primary": {"icd10": "K35", "name": "Acute appendicitis"}}
    case = small_case(facts=facts, diagnosis=diagnosis, contraindicated=[], red_flags=[])
    event = Consultation(case).act_sync(Ask(text)).events[1]
    assert isinstance(event, PatientAnswered)
    return event


@pytest.mark.parametrize(
    "words",
    [
        "My doctor said it was appendicitis.",
        "They told me: ACUTE APPENDICITIS!",
        "我听说是急性阑尾炎。",
        "The other hospital found tenderness and guarding in the right iliac fossa.",
    ],
)
def test_a_fact_whose_words_would_leak_is_withheld(words: str) -> None:
    event = asked("Any past medical history?", statement="Was seen elsewhere", words=words)
    assert event.facts == ()
    assert event.rejected
    assert words not in event.text


def test_a_harmless_fact_is_told() -> None:
    event = asked("Any past medical history?", statement="Has asthma", words="I have asthma.")
    assert event.facts == ("told",)
    assert event.rejected == ()


def test_the_opening_is_guarded_too() -> None:
    leaky = small_case(opening="I think I have appendicitis.", chief_complaint="Suspected acute appendicitis")
    assert "append" not in Consultation(leaky).introduction().lower()
