"""Quotes: copied words are found whatever copying changed, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clinic_sim.judge.addressed import MARK
from clinic_sim.judge.lines import Line, Shown
from clinic_sim.judge.quotes import find_quote, plain
from clinic_sim.judge.rubric import Speaker

EN = Shown(
    "en",
    (
        Line(0, "patient", "My belly hurts and I am worried."),
        Line(1, "doctor", "I'm sorry to hear that – it must be “really” hard.  Any fever?"),
        Line(2, "patient", "No, no fever."),
        Line(3, "consult", "The patient seems frightened to me."),
        Line(4, "order", "complete blood count; chest X-ray"),
        Line(5, "examiner", "White cells raised."),
        Line(6, "doctor", f"Let me sum up. {MARK} Is there anything else?"),
    ),
    1,
)
ZH = Shown(
    "zh",
    (
        Line(0, "patient", "大夫，我肚子疼得厉害。"),
        Line(1, "doctor", "您好，我是 CT 室的李医生，听起来疼得很厉害，对吗？"),
        Line(2, "basis", "上腹痛向腰背部放射；白细胞升高"),
    ),
    0,
)


@pytest.mark.parametrize(
    ("shown", "quote", "speaker", "event"),
    [
        (EN, "I'm sorry to hear that", "doctor_to_patient", 1),
        (EN, "i’M SORRY  to hear\nthat", "doctor_to_patient", 1),
        (EN, 'that - it must be "really" hard', "doctor", 1),
        (EN, "“I'm sorry to hear that”", "doctor", 1),
        (EN, "[1] Doctor: I'm sorry to hear that", "doctor", 1),
        (EN, "Doctor: I'm sorry to hear that", "doctor", 1),
        (EN, "Doctor (orders): complete blood count", "doctor", 4),
        (EN, "Any fever?", "doctor", 1),
        (EN, "complete blood count", "doctor", 4),
        (EN, "The patient seems frightened", "doctor", 3),
        (EN, "I am worried", "any", 0),
        (EN, "White cells raised", "any", 5),
        (EN, f"Let me sum up. {MARK} Is there anything", "doctor", 6),
        (ZH, "听起来疼得很厉害", "doctor_to_patient", 1),
        (ZH, "听起来 疼得 很厉害，对吗?", "doctor_to_patient", 1),
        (ZH, "您好,我是ＣＴ室的李医生", "doctor_to_patient", 1),
        (ZH, "[1] 医生：听起来疼得很厉害", "doctor", 1),
        (ZH, "白细胞升高", "doctor", 2),
        (ZH, "医生（结论：诊断依据）：白细胞升高", "doctor", 2),
    ],
)
def test_copied_words_are_found(shown: Shown, quote: str, speaker: Speaker, event: int) -> None:
    assert find_quote(shown, quote, speaker) == event


@pytest.mark.parametrize(
    ("shown", "quote", "speaker"),
    [
        (EN, "", "any"),
        (EN, "I'm very sorry to hear that", "doctor"),
        (EN, "sorry it must be hard", "doctor"),
        (EN, "I'm sorry ... it must be", "doctor"),
        (EN, "fever", "doctor"),  # seven letters or fewer prove nothing
        (EN, "? . , ! ; : - ? . ,", "any"),
        (EN, "I am worried", "doctor"),
        (EN, "seems frightened to me", "doctor_to_patient"),
        (EN, "complete blood count", "doctor_to_patient"),
        (EN, "Any fever? No, no fever", "any"),
        (EN, "sum up. Is there anything else", "doctor"),  # never said together
        (EN, MARK, "any"),
        (EN, f"{MARK} {MARK}", "any"),
        (EN, f"invented words {MARK} Is there anything", "doctor"),
        (EN, "Doctor: Patient: Examiner:", "any"),
        (ZH, "很厉害", "doctor"),  # three characters
        (ZH, "我肚子疼得厉害", "doctor"),
        (ZH, "白细胞升高", "doctor_to_patient"),
        (ZH, "听起来你疼得很厉害", "doctor"),
        (ZH, "医生（结论", "any"),
    ],
)
def test_other_words_are_not(shown: Shown, quote: str, speaker: Speaker) -> None:
    assert find_quote(shown, quote, speaker) is None


def test_a_quote_as_long_as_the_transcript_is_none() -> None:
    long = "I will tell you. " * 100
    shown = Shown("en", (Line(0, "doctor", long.strip()),), 0)
    assert find_quote(shown, long[:200], "doctor") == 0
    assert find_quote(shown, long, "doctor") is None


@given(st.text(alphabet="abcdefg hij ABC.,'’疼痛发热吗你好 ", min_size=20, max_size=80), st.data())
def test_any_stretch_of_a_line_is_found(text: str, data: st.DataObject) -> None:
    line = " ".join(text.split())
    start = data.draw(st.integers(0, max(0, len(line) - 12)))
    quote = line[start : start + data.draw(st.integers(12, 40))]
    letters = [c for c in quote if c.isalnum()]
    assume(len(letters) >= 8)
    shown = Shown("en", (Line(7, "doctor", line),), 0)
    for copied in (quote, quote.upper(), f'"{quote}"', quote.replace(" ", "  "), f"[7] Doctor: {quote}"):
        assert find_quote(shown, copied, "doctor_to_patient") == 7, copied


@given(st.text(max_size=60), st.text(max_size=60))
def test_what_is_found_was_said(text: str, quote: str) -> None:
    shown = Shown("en", (Line(0, "doctor", text),), 0)
    if find_quote(shown, quote, "doctor") is not None:
        core = plain(quote).strip(" \"'.,;:!?-")
        assert core.rpartition(":")[2].strip() in plain(text)
