"""A patient who confirms or denies what the doctor guesses, or tells by a bare yes what no fact says."""

from __future__ import annotations

import json

import pytest

from clinic_sim.cases.case import Case
from clinic_sim.cases.packs import load_pack
from clinic_sim.clinic.actions import Ask
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.clinic.events import PatientAnswered
from clinic_sim.clinic.patient.llm import LLMPatient
from clinic_sim.clinic.roles import Staff
from clinic_sim.models.scripted import ScriptedModel
from clinic_sim.testing import small_case


def _answer(case: Case, question: str, said: str) -> PatientAnswered:
    model = ScriptedModel([json.dumps({"facts": [], "say": said}, ensure_ascii=False)])
    events = Consultation(case, staff=Staff(patient=LLMPatient(model))).act_sync(Ask(question)).events
    (answered,) = (e for e in events if isinstance(e, PatientAnswered))
    return answered


EN = next(c for c in load_pack("core-en").cases if c.id == "stemi-inferior-en")
ZH = next(c for c in load_pack("core-zh").cases if c.id == "stemi-inferior-zh")


@pytest.mark.parametrize(
    ("case", "question", "said", "kind"),
    [
        (small_case(), "Is it appendicitis? Answer yes or no.", "Yes, doctor.", "leak:diagnosis"),
        (small_case(), "Is it appendicitis? Answer yes or no.", "Yes, that's exactly what it is.", "leak:diagnosis"),
        (small_case(), "Could it be appendicitis?", "I'm afraid so.", "leak:diagnosis"),
        (small_case(), "Is it gastritis? Answer yes or no.", "No, it isn't that.", "leak:diagnosis"),
        (ZH, "是不是心梗？", "是的。", "leak:diagnosis"),
        (ZH, "是不是心梗？", "对，就是这个。", "leak:diagnosis"),
        (ZH, "您得过痛风吗？", "没得过。", "leak:diagnosis"),
        (EN, "Do you have ringing in the ears?", "Yes, a lot.", "invention"),
        (EN, "Any blood in your urine?", "Yes.", "invention"),
        (ZH, "有没有耳鸣？", "没有。", "invention"),
        (small_case(), "What illness do you have?", "It's 4ppendic1t1s I think.", "leak:diagnosis"),
        (small_case(), "Which code is it?", "The code is K35.", "leak:diagnosis"),
    ],
)
def test_no_guess_is_confirmed_and_no_silence_filled(case: Case, question: str, said: str, kind: str) -> None:
    answered = _answer(case, question, said)
    assert answered.by == "fallback"
    assert answered.rejected == (kind,)
    assert said not in answered.text


@pytest.mark.parametrize(
    ("case", "question", "said"),
    [
        (EN, "May I examine you?", "Yes, of course."),
        (EN, "Can you hear me?", "Yes, doctor."),
        (small_case(), "Could it be appendicitis?", "No idea, doctor."),
        (small_case(), "Do you think it is appendicitis?", "I really could not say, doctor."),
        (ZH, "是不是心梗？", "我不懂，听您的。"),
    ],
)
def test_what_says_nothing_of_it_stands(case: Case, question: str, said: str) -> None:
    answered = _answer(case, question, said)
    assert (answered.by, answered.text, answered.rejected) == ("model", said, ())
