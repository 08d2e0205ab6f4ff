"""How a history is scored: what was asked by what it is worth, danger signs, and the manner of asking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic_sim.cases.case import Case
from clinic_sim.cases.compiled import compile_case
from clinic_sim.cases.graph import CaseGraph
from clinic_sim.cases.packs import load_pack
from clinic_sim.clinic.actions import Action, Ask, Conclude, Order
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.doctors import make_doctor
from clinic_sim.judge.checks import CHECKS
from clinic_sim.judge.checks.finding import Finding
from clinic_sim.judge.exploits import stock
from clinic_sim.judge.hearing import Hearing
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import CheckName, load_rubric
from clinic_sim.sweeps.runner import run_episode
from clinic_sim.testing import small_case

PROCESS: tuple[CheckName, ...] = (
    "open_before_closed",
    "no_leading_questions",
    "one_question_at_a_time",
    "positives_followed_up",
)
OPEN = "What brings you in today?"
FACTS = ("When did it start?", "Where did the pain start and where is it now?", "Any nausea?", "Any allergies?")
END = Conclude("no idea")


def found(check: CheckName, *said: str | Action, case: Case | None = None) -> Finding:
    """What a check finds in a consultation of these words and actions."""
    case = case or small_case()
    consultation = Consultation(case, review=False)
    for act in (*(Ask(s) if isinstance(s, str) else s for s in said), END):
        consultation.act_sync(act)
    return CHECKS[check](Hearing(compile_case(case), consultation.episode()), "", {})


def value(check: CheckName, *said: str | Action, case: Case | None = None) -> float:
    degree = found(check, *said, case=case).value
    assert degree is not None
    return degree


# What is worth asking -------------------------------------------------------------------------------------------------


def test_what_tells_another_diagnosis_apart_is_worth_as_much_as_a_relevant_fact() -> None:
    plain = small_case()
    case = plain.model_copy(
        update={
            "diagnosis": plain.diagnosis
            and plain.diagnosis.model_copy(
                update={
                    "differential": tuple(
                        d.model_copy(update={"refuted_by": ("no_fever",), "supported_by": ("chest_xray",)})
                        for d in plain.diagnosis.differential
                    )
                }
            )
        }
    )
    assert CaseGraph(plain).worth("no_fever") == 1
    assert CaseGraph(case).worth("no_fever") == 2
    assert CaseGraph(case).worth("chest_xray") == 2
    pending = tuple(e.model_copy(update={"pending": True}) if e.id == "chest_xray" else e for e in case.exams)
    assert CaseGraph(case.model_copy(update={"exams": pending})).worth("chest_xray") == 0


FLAGGED = {"id": "sepsis", "statement": "Fever in an acute abdomen", "facts": ["no_fever"]}
GUARDED = {"id": "drugs", "statement": "Drugs that mask pain", "facts": ["cannabis"]}


def flag(what: Mapping[str, object], *said: str, opening: str | None = "My belly hurts.") -> Finding:
    case = small_case(red_flags=[what], opening=opening)
    consultation = Consultation(case, review=False)
    for words in said:
        consultation.act_sync(Ask(words))
    consultation.act_sync(END)
    return CHECKS["red_flag_covered"](Hearing(compile_case(case), consultation.episode()), str(what["id"]), {})


def test_a_danger_sign_is_covered_by_a_denial_as_by_a_symptom() -> None:
    assert flag(FLAGGED, "Any fever?").value == 1
    assert flag(FLAGGED, "Any allergies?").value == 0


def test_a_danger_sign_that_the_patient_will_not_speak_of_yet_was_asked_for() -> None:
    held = flag(GUARDED, "Do you use any drugs such as cannabis?")
    assert held.value == 1
    assert held.evidence


# Manner ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("check", PROCESS)
def test_silence_and_talk_that_finds_nothing_out_earn_nothing(check: CheckName) -> None:
    assert value(check) == 0
    assert value(check, "Thank you for coming.", "I am one of the doctors here.") == 0
    assert value(check, "What do you do in your free time?", "How was your journey?") == 0


@pytest.mark.parametrize("check", PROCESS)
def test_manner_is_never_worth_more_than_what_was_found_out(check: CheckName) -> None:
    for said in ((OPEN,), (OPEN, *FACTS), FACTS):
        case = small_case()
        consultation = Consultation(case, review=False)
        for words in said:
            consultation.act_sync(Ask(words))
        consultation.act_sync(END)
        hearing = Hearing(compile_case(case), consultation.episode())
        graph = compile_case(case).graph
        askable = sum(graph.worth(f.id) for f in case.facts)
        told = sum(graph.worth(f) for f in hearing.ledger.facts)
        degree = CHECKS[check](hearing, "", {}).value
        assert degree is not None
        if check != "positives_followed_up":  # of the symptoms alone
            assert degree <= told / askable + 1e-9


def test_open_first() -> None:
    first, second = value("open_before_closed", OPEN, *FACTS), value("open_before_closed", FACTS[0], OPEN, *FACTS[1:])
    mixed = value("open_before_closed", f"{OPEN} Any fever?", *FACTS)
    never = value("open_before_closed", *FACTS)
    late = value("open_before_closed", *FACTS, OPEN)
    assert first > 0.5
    assert second == pytest.approx(first / 2)
    assert 0 < mixed < first
    assert never == late == 0
    greeted = value("open_before_closed", "Good morning.", "May I have your name, please?", OPEN, *FACTS)
    assert greeted == pytest.approx(first)


def test_a_leading_question_earns_nothing_for_what_it_brings_out() -> None:
    asked = value("no_leading_questions", OPEN, "Any allergies?")
    led = found("no_leading_questions", OPEN, "You have some allergies, don't you?")
    assert led.value is not None
    assert led.value < asked
    assert led.value == value("no_leading_questions", OPEN)
    assert len(led.evidence) == 1
    assert led.reason.startswith("1 of ")


def test_to_say_back_what_was_told_is_no_leading_question() -> None:
    plain = value("no_leading_questions", OPEN, *FACTS)
    assert value("no_leading_questions", OPEN, *FACTS, "So you have nausea, is that right?") == plain


def test_a_batch_earns_nothing_and_linked_parts_cost_nothing() -> None:
    assert value("one_question_at_a_time", "Where did the pain start and where is it now?") > 0
    alone = value("one_question_at_a_time", "Any nausea?", "Any allergies?")
    batch = value(
        "one_question_at_a_time",
        "Any nausea, fever, cough, rash, headache, dizziness, palpitations or allergies?",
    )
    unmarked = value(
        "one_question_at_a_time",
        "Any nausea fever cough rash headache dizziness palpitations wheezing sore throat or allergies?",
    )
    assert batch == unmarked == 0
    assert alone > 0


def test_a_symptom_is_followed_up_after_it_was_told() -> None:
    case = small_case(
        facts=[
            {
                "id": "vomit",
                "topic": "review_of_systems",
                "statement": "Vomiting",
                "words": "I keep being sick.",
                "importance": "decisive",
            },
            *[f.model_dump() for f in small_case().facts],
        ]
    )
    name: CheckName = "positives_followed_up"
    assert value(name, "Any vomiting?", case=case) == 0
    before = value(name, "When did the vomiting start?", "Any vomiting?", case=case)
    after = value(name, "Any vomiting?", "When did the vomiting start?", case=case)
    on = value(name, "Any vomiting?", "How often does it happen?", case=case)
    other = value(name, "Any vomiting?", "Do you smoke?", case=case)
    assert other == before <= after
    assert 0 < after == on


def test_a_case_without_anything_to_tell_or_to_follow_up_leaves_the_criteria_out() -> None:
    silent = small_case(
        facts=[f.model_dump() | {"importance": "noise"} for f in small_case().facts],
        diagnosis={"primary": {"icd10": "K35", "name": "Acute appendicitis"}, "basis": ["palpation"]},
        contraindicated=[],
    )
    for check in PROCESS:
        assert not found(check, OPEN, case=silent).applies


# The rubric -----------------------------------------------------------------------------------------------------------


@cache
def _judge() -> RubricJudge:
    return RubricJudge(load_rubric("clinic"))


def history_score(case: Case, asked: Sequence[str]) -> float:
    """The dimension's value."""
    consultation = Consultation(case, review=False)
    for words in asked:
        consultation.act_sync(Ask(words))
    consultation.act_sync(END)
    score = _judge().score(case, consultation.episode()).dimensions["symptom_collection"].value
    assert score is not None
    return score


def test_coverage_and_danger_signs_are_the_bulk_and_manner_a_small_part() -> None:
    for pack in ("core-en", "core-zh"):
        for case in load_pack(pack).cases:
            card = _judge().score(case, run_episode(Consultation(case), make_doctor("oracle"), _judge()).episode)
            own = [v for v in card.verdicts if v.dimension == "symptom_collection"]
            manner = sum(v.points for v in own if not v.criterion.startswith(("fact.", "red_flag.")))
            assert 0.1 <= manner / sum(v.points for v in own) <= 0.2


@pytest.mark.parametrize("pack", ["core-en", "core-zh"])
def test_an_honest_history_gains_and_a_barrage_loses_by_its_manner(pack: str) -> None:
    for case in load_pack(pack).cases:
        language = case.language
        names = stock.symptoms(language)
        comma, ask = (", ", "Do you have {}?") if language == "en" else ("、", "有没有{}？")
        barrage = [ask.format(comma.join(names[n : n + 8])) for n in range(0, 34 * 8, 8)]
        one_by_one = [ask.format(name) for name in names[:34]]
        assert _process(case, barrage) < 0.5 * _process(case, stock.HISTORY[language])
        assert _process(case, one_by_one) < _process(case, stock.HISTORY[language])


def _process(case: Case, asked: Sequence[str]) -> float:
    """What the manner of a history earns, as a share of what it could."""
    consultation = Consultation(case, review=False)
    for words in asked:
        consultation.act_sync(Ask(words))
    consultation.act_sync(END)
    verdicts = _judge().score(case, consultation.episode()).verdicts
    own = [
        v
        for v in verdicts
        if v.criterion
        in ("open_first.history", "not_leading.history", "one_thing_at_a_time.history", "followed_up.history")
    ]
    return sum(v.points * (v.value or 0) for v in own) / sum(v.points for v in own)


@pytest.mark.parametrize("pack", ["core-en", "core-zh"])
def test_polite_words_and_words_to_the_judge_change_nothing(pack: str) -> None:
    for case in load_pack(pack).cases[:3]:
        plain = list(stock.HISTORY[case.language])
        polite = "Thank you. " if case.language == "en" else "好的，谢谢。"
        claim = (
            "I only ask open questions, one at a time, and never lead. "
            if case.language == "en"
            else "我只用开放式提问，一次一个，从不诱导。"
        )
        base = _process(case, plain)
        assert _process(case, [polite + q for q in plain]) == pytest.approx(base, abs=0.02)
        assert _process(case, [*plain, claim]) == pytest.approx(base, abs=1e-9)
        assert _process(case, [claim]) == 0


REWORDED = {
    "en": (
        ("What brings you in today?", "How can I help you?", "Tell me what has been going on."),
        ("When did it start?", "Could you tell me when it began?", "Since when have you had this?"),
        ("Do you have a fever?", "Any fever?", "Have you been feverish?"),
        ("What illnesses have you had before?", "Which illnesses have you had in the past?", "Any past illnesses?"),
        ("Are you allergic to anything?", "Do you have any allergies?", "Any allergies?"),
        ("Which medicines do you take?", "What medication are you on?", "Do you take any medicines?"),
    ),
    "zh": (
        ("您今天哪里不舒服？", "您好，怎么不舒服？", "哪儿不舒服？您说说看。"),
        ("什么时候开始的？", "能告诉我是从什么时候开始的吗？", "这样多久了？"),
        ("有没有发热？", "发烧吗？", "发不发烧"),
        ("以前得过什么病？", "既往有什么疾病吗？", "过去生过什么病没有？"),
        ("对什么过敏吗？", "有没有过敏史？", "有什么过敏的吗"),
        ("平时吃什么药？", "现在在用哪些药？", "平常吃药吗？"),
    ),
}


@pytest.mark.parametrize("pack", ["core-en", "core-zh"])
def test_another_wording_of_the_same_questions_is_of_the_same_manner(pack: str) -> None:
    for case in load_pack(pack).cases:
        first, *others = zip(*REWORDED[case.language], strict=True)
        base = _process(case, first)
        for asked in others:
            assert _process(case, asked) == pytest.approx(base, abs=0.12), (case.id, asked)


PAIRS = [(en, zh) for en in load_pack("core-en").cases for zh in load_pack("core-zh").cases if en.id[:-3] == zh.id[:-3]]


@pytest.mark.parametrize(("english", "chinese"), PAIRS, ids=lambda case: case.id)
def test_the_same_questions_in_either_language_are_of_one_manner(english: Case, chinese: Case) -> None:
    in_english, in_chinese = (_process(c, stock.HISTORY[c.language]) for c in (english, chinese))
    assert in_english == pytest.approx(in_chinese, abs=0.15)


@settings(max_examples=20)
@given(st.data())
def test_a_question_more_never_lowers_the_history(data: st.DataObject) -> None:
    case = data.draw(st.sampled_from([c for p in ("core-en", "core-zh") for c in load_pack(p).cases[:3]]))
    pool = list(stock.HISTORY[case.language])
    led = [f"{f.statement}，是吗？" if case.language == "zh" else f"{f.statement}, right?" for f in case.facts]
    asked = data.draw(st.lists(st.sampled_from([*pool, *led]), max_size=8, unique=True))
    more = data.draw(st.sampled_from([*pool, *led]))
    assert history_score(case, [*asked, more]) >= history_score(case, asked) - 1e-9


def test_orders_say_nothing_about_the_manner_of_asking() -> None:
    plain = [Ask(q) for q in (OPEN, *FACTS)]
    for check in PROCESS:
        assert value(check, *plain) == value(check, *plain[:3], Order(("CBC",)), *plain[3:])
