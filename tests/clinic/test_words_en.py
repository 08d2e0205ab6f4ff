"""Everyday English that a careful clinician would let pass, and what it would not: one class of words a line."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from clinic_sim.cases.compiled import CompiledCase, compile_case
from clinic_sim.clinic.patient.words import review_words
from clinic_sim.testing import small_case

_GALL = {
    "title": "Gallstones",
    "demographics": {"age": 46, "sex": "female"},
    "diagnosis": {"primary": {"icd10": "K80.2", "name": "Gallstones"}},
    "chief_complaint": "Pain in the upper belly",
    "facts": {
        "onset": ("present_illness", "Pain under the right ribs for 5 hours, began an hour after a fried meal"),
        "spread": ("present_illness", "The pain spreads to the right shoulder blade"),
        "severity": ("present_illness", "Pain 7 out of 10, steady, does not come and go"),
        "quality": ("present_illness", "The pain is gripping and pressing"),
        "vomit": ("review_of_systems", "Vomited once, no blood in it"),
        "no_fever": ("review_of_systems-", "No fever or chills"),
        "no_yellow": ("review_of_systems-", "No yellow skin or eyes, urine not dark"),
        "before": ("past_history", "Two similar milder attacks in the last 3 months, each gone within 2 hours"),
        "ibuprofen": ("medication", "Took ibuprofen 400 mg without relief"),
        "penicillin": ("allergy", "Penicillin gave her a rash at the age of 12"),
        "no_smoke": ("smoking-", "Never smoked"),
        "wine": ("alcohol", "A glass of wine at weekends"),
        "mother": ("family", "Her mother had her gallbladder removed"),
    },
    "exams": [("us_abdomen", "Several stones in the gallbladder"), ("bp", "128/82 mmHg")],
    "treatment": [("Laparoscopic cholecystectomy", "procedure")],
}
_MIGRAINE = {
    "title": "Migraine with aura",
    "demographics": {"age": 27, "sex": "female"},
    "diagnosis": {"primary": {"icd10": "G43.1", "name": "Migraine with aura"}},
    "chief_complaint": "Headache since this morning",
    "facts": {
        "onset": ("present_illness", "Left-sided throbbing headache since 7 this morning, built up over an hour"),
        "zigzag": ("present_illness", "Shimmering zigzag lines for 20 minutes before the headache"),
        "no_weak": ("review_of_systems-", "No weakness or numbness of arms or legs"),
        "no_trauma": ("past_history-", "No head injury"),
        "frequency": ("past_history", "Such headaches about twice a month since the age of 16"),
        "no_double": ("review_of_systems-", "No double vision"),
        "no_medicine": ("medication-", "Takes no regular medicines"),
    },
    "exams": [("fundus", "No papilloedema"), ("bp", "118/74 mmHg")],
    "treatment": [("Sumatriptan", "drug")],
}
_COPD = {
    "title": "COPD exacerbation",
    "demographics": {"age": 68, "sex": "male"},
    "diagnosis": {"primary": {"icd10": "J44.1", "name": "COPD exacerbation"}},
    "chief_complaint": "More short of breath for three days",
    "facts": {
        "sputum": ("present_illness", "Cough with more sputum than usual, turned green"),
        "no_blood": ("review_of_systems-", "No blood in the sputum"),
        "ankle": ("review_of_systems-", "No ankle swelling"),
        "pillows": ("other", "Sleeps on three pillows"),
        "inhaler": ("medication", "Salbutamol inhaler, now every 2 hours, without much relief"),
        "tiotropium": ("medication", "Tiotropium inhaler once a day, often forgotten"),
        "wife": ("living", "Wife died two years ago; lives alone on the fourth floor without a lift"),
        "weight": ("review_of_systems", "Lost 4 kg in six months"),
        "hospital": ("past_history", "Two hospital stays for his chest last winter"),
        "father": ("family", "Father died of lung cancer at 61"),
    },
    "exams": [("spo2", "SpO2 86 % on room air"), ("cxr", "Hyperinflation, no infiltrate")],
    "treatment": [("Prednisolone", "drug"), ("Oxygen", "procedure")],
}
_CASES: dict[str, dict[str, Any]] = {"gall": _GALL, "migraine": _MIGRAINE, "copd": _COPD}


@cache
def _compiled(name: str) -> CompiledCase:
    parts = _CASES[name]
    facts = [
        {
            "id": id_,
            "topic": topic.removesuffix("-"),
            "statement": statement,
            "polarity": "absent" if topic.endswith("-") else "present",
        }
        for id_, (topic, statement) in parts["facts"].items()
    ]
    changes = {
        **parts,
        "id": name,
        "language": "en",
        "contraindicated": [],
        "red_flags": [],
        "opening": None,
        "facts": facts,
        "exams": [{"id": f"e{n}", "code": code, "report": text} for n, (code, text) in enumerate(parts["exams"])],
        "treatment": [{"id": f"t{n}", "name": text, "kind": kind} for n, (text, kind) in enumerate(parts["treatment"])],
    }
    return compile_case(small_case(**changes))


def _kinds(case: str, fact: str, question: str, words: str) -> set[str]:
    review = review_words(_compiled(case), words, [fact] if fact else [], (), question)
    return {objection.kind.split(":")[0] for objection in review.objections}


@pytest.mark.parametrize(
    ("case", "fact", "question", "words"),
    [
        ("gall", "severity", "Is it there all the time?", "It won't let up, not for a second, it's just there."),
        ("gall", "quality", "What is it like?", "As if somebody's got hold of me in there and is squeezing."),
        ("gall", "vomit", "Were you sick?", "The once, yes. Just my dinner, nothing bloody."),
        ("gall", "no_fever", "Any temperature?", "No, I've not been hot or shaking or anything."),
        ("gall", "no_fever", "Any fever?", "No, my temperature's fine."),
        (
            "gall",
            "before",
            "Has it happened before?",
            "Twice these three months. They'd burnt themselves out soon.",
        ),
        ("gall", "ibuprofen", "Painkillers?", "Ibuprofen, four hundred milligrams. Didn't touch the sides."),
        ("gall", "", "What do you think?", "Search me. You're the one with the white coat, love."),
        ("gall", "", "Hello.", "Sorry, I've been sat out there for two hours and my phone's dead."),
        ("gall", "", "May I press here?", "Be gentle, please. Ooh, your hands are cold!"),
        ("gall", "", "Do you work?", "It's killing me, that job. I've been burning the candle at both ends."),
        ("migraine", "no_double", "Do you see double?", "No, I see one of everything, thank goodness."),
        (
            "migraine",
            "onset",
            "Tell me about it.",
            "It came on at seven, on the left, boom boom boom.",
        ),
        ("migraine", "no_medicine", "Any tablets?", "No, I'm not on anything."),
        ("migraine", "", "Who came with you?", "My sister. She fainted at the car park charges, ha ha."),
        ("migraine", "", "Any stress?", "My boss is a pain in the neck and it's doing my head in."),
        ("copd", "no_blood", "Any blood?", "I've had a good look in the hanky, never a spot of red."),
        ("copd", "wife", "Who is at home?", "Nobody since Mary passed two years ago. And four flights up, no lift."),
        ("copd", "weight", "Weight?", "My trousers are falling down. Four kilos in half a year."),
        ("copd", "hospital", "Been in hospital?", "Twice last winter they had me in with the chest."),
        ("copd", "father", "Family?", "My old man went with lung cancer, only sixty-one he was."),
        ("copd", "father", "Your father?", "Lung cancer took him, at sixty-one."),
        ("copd", "", "May I listen?", "Help yourself. Mind, that thing's freezing."),
    ],
)
def test_everyday_words_stand(case: str, fact: str, question: str, words: str) -> None:
    assert not _kinds(case, fact, question, words)


@pytest.mark.parametrize(
    ("case", "fact", "question", "words"),
    [
        ("gall", "severity", "Is it steady?", "It comes in waves."),
        ("gall", "severity", "How bad is it?", "Oh, about a three out of ten."),
        ("gall", "spread", "Does it move?", "It goes to my left shoulder blade."),
        ("gall", "ibuprofen", "Did you take anything?", "Ibuprofen, four hundred, and it worked a treat."),
        ("gall", "penicillin", "Any allergies?", "None at all."),
        ("gall", "no_yellow", "Have your eyes gone yellow?", "My eyes have gone a bit yellow."),
        ("gall", "mother", "Family?", "No gallbladder trouble in the family at all."),
        ("gall", "wine", "Alcohol?", "I never touch alcohol."),
        ("migraine", "frequency", "How often?", "Every day for the last week."),
        ("migraine", "no_trauma", "Any injury?", "I hit my head on a cupboard on Monday."),
        ("copd", "pillows", "How do you sleep?", "Flat on my back, one pillow."),
        ("copd", "inhaler", "Does it help?", "The blue one every two hours, it helps a lot."),
        ("copd", "tiotropium", "Do you use it?", "The tiotropium? I never miss it."),
        ("copd", "ankle", "Your ankles?", "They're swollen up like balloons."),
        ("copd", "wife", "Who is at home?", "I live with my wife."),
    ],
)
def test_a_fact_turned_round_is_a_contradiction(case: str, fact: str, question: str, words: str) -> None:
    assert "contradiction" in _kinds(case, fact, question, words)


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("gall", "It's my gall bladder acting up."),
        ("gall", "Something's blocking the duct."),
        ("gall", "The surgeon says it'll have to come out through the keyhole."),
        ("migraine", "The nurse says my pressure's a hundred and eighteen over seventy-four."),
        ("migraine", "They shone a torch in and said the backs of my eyes look healthy."),
        ("migraine", "I suffer with migranes."),
        ("copd", "That peg on my finger said eighty-six."),
        ("copd", "Chronic obstructive something or other."),
        ("copd", "My lungs are knackered."),
    ],
)
def test_hints_in_everyday_words_are_leaks(case: str, words: str) -> None:
    assert "leak" in _kinds(case, "", "What do you think it is?", words)


def test_a_bare_yes_or_no_is_held_against_a_plain_question_only() -> None:
    assert "contradiction" in _kinds("gall", "wine", "Do you drink alcohol?", "Not a drop.")
    assert not _kinds("gall", "no_smoke", "Do you smoke?", "No.")
    assert not _kinds("gall", "severity", "Does it ever ease off?", "No.")
