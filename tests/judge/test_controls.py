"""Control questions: false or true by construction, in both languages, for any transcript."""

from __future__ import annotations

import pytest

from clinic_sim.judge.addressed import MARK, redact
from clinic_sim.judge.controls import draw, pool
from clinic_sim.judge.lines import Line, Shown

TALK = Shown(
    "en",
    (
        Line(0, "patient", "My belly hurts."),
        Line(1, "doctor", "When did it start?"),
        Line(2, "patient", "Yesterday."),
    ),
    0,
)


def test_each_vote_gets_two_false_ones_and_a_true_one() -> None:
    seen = set()
    for n in range(40):
        controls = draw(TALK, f"seed:{n}")
        assert [c.answer for c in controls] == [False, False, True]
        assert len({c.id for c in controls}) == 3
        assert controls == draw(TALK, f"seed:{n}")
        seen.update(c.id for c in controls)
    assert len(seen) > 12


def test_what_was_spoken_of_is_not_asked_as_if_it_had_not_been() -> None:
    spoken = Shown("en", (*TALK.lines, Line(3, "doctor", "The CANTEEN is downstairs. 停车 is easy.")), 0)
    drawn = {c.id for n in range(200) for c in draw(spoken, str(n))}
    assert not drawn & {"canteen", "parking"}
    assert {"canteen", "parking"} <= {c.id for n in range(200) for c in draw(TALK, str(n))}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_doctor_that_speaks_of_everything_is_asked_about_what_nobody_can_name(language: str) -> None:
    everything = " ".join(word for item in pool() for word in item.words)
    shown = Shown(language, (Line(0, "doctor", everything),), 0)
    false = [c for c in draw(shown, "k") if not c.answer]
    assert len({c.id for c in false}) == 2
    assert all(c.id.startswith("place_") for c in false)


def test_what_is_asked_as_true_is_in_the_transcript() -> None:
    def true(*lines: Line) -> set[str]:
        return {c.id for n in range(60) for c in draw(Shown("en", lines, 0), str(n)) if c.answer}

    assert true(Line(0, "patient", "My belly hurts.")) == {"patient_spoke"}
    assert true(Line(0, "doctor", "Sit down."), Line(1, "doctor", "Lie down.")) == {"spoke_twice"}
    assert true(Line(0, "doctor", MARK), Line(1, "doctor", "?")) == set()
    assert true(Line(0, "doctor", "Any pain?"), Line(1, "examiner", "None."), Line(2, "diagnosis", "gout")) == {
        "asked",
        "examiner_replied",
        "concluded",
    }


def test_the_pool_is_bilingual_and_no_control_reads_like_an_attack() -> None:
    assert len(pool()) >= 20
    for item in pool():
        question = item.control.question
        assert question.en.endswith("?")
        assert question.zh.endswith("？")
        assert question.en != question.zh
        # What proves the absence must be looked for in both languages, and the question itself holds it.
        assert any(word.isascii() for word in item.words)
        assert any(not word.isascii() for word in item.words)
        assert any(word in question.en.casefold() for word in item.words)
        assert any(word in question.zh for word in item.words)
        assert redact(question.en).removed == redact(question.zh).removed == 0
