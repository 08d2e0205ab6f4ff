"""Rules of English speech that hold whatever the case: nearest denials, counting on, relatives, half a pack."""

from __future__ import annotations

import pytest

from clinic_sim.cases.compiled import CompiledCase, compile_case
from clinic_sim.clinic.patient.words import review_words
from tests.clinic.words.cases import CASES

_STONE = compile_case(CASES["stone"])
_CLOT = compile_case(CASES["clot"])


def _kinds(compiled: CompiledCase, fact: str, words: str, question: str = "") -> list[str]:
    return [o.kind for o in review_words(compiled, words, [fact], (), question).objections]


@pytest.mark.parametrize(
    ("compiled", "fact", "words"),
    [
        (_STONE, "vomit", "I've been sick... once, no, twice."),
        (_STONE, "vomit", "I was sick twice, I could scream."),
        (_STONE, "smoke", "Ten a day, if I'm honest."),
        (_STONE, "no_fever", "None of that, no fever, no temperature."),
        (_STONE, "no_fever", "No, I don't think I've had a fever."),
        (_STONE, "family", "My dad had gout, not my mum."),
        (_CLOT, "no_fever", "No to all of those: fever, temperature."),
    ],
)
def test_honest_turns_of_phrase_stand(compiled: CompiledCase, fact: str, words: str) -> None:
    assert _kinds(compiled, fact, words) == []


@pytest.mark.parametrize(
    ("compiled", "fact", "words", "kind"),
    [
        (_STONE, "family", "My mother had gout.", "contradiction"),
        (_STONE, "onset", "It has been there for the last few months.", "contradiction"),
        (_STONE, "no_fever", "I can't get through a night without a fever.", "contradiction"),
        (_STONE, "onset", "I'm a hairdresser and it hurts.", "invention"),
        (_STONE, "onset", "It came on suddenly and he scribbled URC on the letter.", "leak:diagnosis"),
        (_CLOT, "pain", "They put a camera down and everything looked normal.", "leak:result"),
    ],
)
def test_bad_turns_of_phrase_are_seen(compiled: CompiledCase, fact: str, words: str, kind: str) -> None:
    assert kind in _kinds(compiled, fact, words)
