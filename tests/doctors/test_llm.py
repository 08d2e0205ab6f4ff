"""A chat model as the doctor: how it acts, what it keeps, and what its failures cost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from clinic_sim.cases.case import Case
from clinic_sim.cases.packs import Pack
from clinic_sim.clinic.actions import Ask, Conclude, Consult, Examine, Invalid, Order
from clinic_sim.clinic.codec import MAX_CHARS
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.clinic.events import DoctorActed, PatientAnswered, TerminationReason
from clinic_sim.clinic.limits import Limits
from clinic_sim.doctors import Doctor, Visit, make_doctor
from clinic_sim.doctors.llm import LLMDoctor
from clinic_sim.doctors.prompts import FORMS, Form, system_prompt
from clinic_sim.doctors.tools import ACTION_SCHEMA, tools
from clinic_sim.errors import ConfigError, ContextOverflow, Rejected, Unavailable
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.models.calls import Calls
from clinic_sim.models.chat import Message, Reply, ToolCall, Usage
from clinic_sim.models.scripted import Answer, ScriptedModel
from clinic_sim.models.structured import fits
from clinic_sim.models.wire import EmptyReply
from clinic_sim.sweeps.runner import Outcome, run_episode

INTRODUCTION = {"en": "A woman is seen.", "zh": "一位女性就诊。"}


def visit(language: str = "en", seed: int = 7) -> Visit:
    return Visit(INTRODUCTION[language], language, seed)


async def turn(doctor: Doctor, model: ScriptedModel, language: str = "en") -> Any:
    """One decision of a doctor that has just begun."""
    doctor.begin(visit(language))
    return await doctor.decide(INTRODUCTION[language])


async def decided(answer: Answer, form: Form = "text", language: str = "en") -> Any:
    model = ScriptedModel([answer])
    return await turn(LLMDoctor(model, form), model, language)


def call(name: str, arguments: Any, call_id: str = "x") -> ToolCall:
    return ToolCall(call_id, name, arguments if isinstance(arguments, str) else json.dumps(arguments))


def an_object(**fields: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {"thought": "", "text": "", "exams": [], "diagnosis": "", "differential": [], "basis": []}
    return {**empty, "treatment": [], **fields}


def run(case: Case, doctor: Doctor, **limits: Any) -> Outcome:
    consultation = Consultation(case, seed=1, limits=Limits(**limits))
    return run_episode(consultation, doctor, RubricJudge(load_rubric("clinic")))


# --- whole consultations -------------------------------------------------------------------------------------------


def plan(case: Case, form: Form) -> list[Answer]:
    """Ask, examine, order, consult, conclude, and conclude again if the chief objects, as the form has it."""
    zh = case.language == "zh"
    name = case.diagnosis.primary.name
    actions: list[dict[str, Any]] = [
        {"action": "ask", "text": "哪里不舒服？" if zh else "What brings you here?"},
        {"action": "examine", "exams": ["生命体征" if zh else "vital signs"]},
        {"action": "order", "exams": ["血常规" if zh else "complete blood count"]},
        {"action": "consult", "text": "还缺什么？" if zh else "What am I missing?"},
        {"action": "conclude", "diagnosis": name, "treatment": ["休息" if zh else "rest"]},
    ]
    if form == "json":
        return [json.dumps(an_object(**a), ensure_ascii=False) for a in actions]
    if form == "tools":
        renamed = [
            {{"text": "question"}.get(k, k) if a["action"] == "consult" else k: v for k, v in a.items()}
            for a in actions
        ]
        return [Reply("", tool_calls=(call(a.pop("action"), a),), usage=Usage(10, 2)) for a in renamed]
    tags = (
        {"ask": "问诊：", "examine": "查体：", "order": "检查：", "consult": "请示：", "conclude": "结论："}
        if zh
        else {}
    )
    heads = ("诊断：", "治疗：") if zh else ("Diagnosis: ", "Treatment: ")
    lines: list[Answer] = []
    for a in actions:
        tag = tags.get(a["action"], a["action"].upper() + ": ")
        if a["action"] == "conclude":
            lines.append(f"{tag}\n{heads[0]}{name}\n{heads[1]}{a['treatment'][0]}")
        else:
            lines.append(tag + (a.get("text") or "; ".join(a["exams"])))
    return lines


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_whole_consultation_in_every_form_and_language(
    form: Form, language: str, core_en: Pack, core_zh: Pack
) -> None:
    case = (core_en if language == "en" else core_zh).cases[0]
    outcome = run(case, LLMDoctor(ScriptedModel(plan(case, form)), form))
    acted = [type(e.action) for e in outcome.episode.events if isinstance(e, DoctorActed)]
    assert acted[:5] == [Ask, Examine, Order, Consult, Conclude]
    assert outcome.failure == ""
    assert outcome.episode.ledger.ended is TerminationReason.CONCLUDED
    assert outcome.scorecard.total is not None
    assert outcome.scorecard.total > 0.1
    assert outcome.usage["doctor"]["calls"] == len(acted)
    assert outcome.models["doctor"]["form"] == form


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_prompt_is_append_only(form: Form, language: str, core_en: Pack, core_zh: Pack) -> None:
    case = (core_en if language == "en" else core_zh).cases[0]
    model = ScriptedModel(plan(case, form))
    run(case, LLMDoctor(model, form))
    asked = [r["messages"] for r in model.requests]
    assert len(asked) >= 5
    for before, after in pairwise(asked):
        assert after[: len(before)] == before
        assert after[len(before)]["role"] == "assistant"
    first = asked[0]
    assert [m["role"] for m in first] == ["system", "user"]
    assert first[0]["content"].startswith("ROLE: DOCTOR\n")
    assert first[0]["content"] == system_prompt(language, form)  # nothing of the case in the shared prefix
    assert all(r["tools"] == model.requests[0]["tools"] for r in model.requests)
    assert bool(model.requests[0]["tools"]) == (form == "tools")
    assert bool(model.requests[0]["schema"]) == (form == "json")


def test_the_two_languages_are_told_the_same() -> None:
    for how in (*FORMS, "agent"):
        english, chinese = system_prompt("en", how), system_prompt("zh", how)
        assert english.isascii()
        assert not chinese.isascii()
        assert english.count("\n") == chinese.count("\n")
    for one, other in zip(tools("en"), tools("zh"), strict=True):
        assert one["function"]["name"] == other["function"]["name"]
        assert one["function"]["parameters"].keys() == other["function"]["parameters"].keys()
        assert (
            one["function"]["parameters"]["properties"].keys() == other["function"]["parameters"]["properties"].keys()
        )


def test_seeds_follow_the_episode_and_differ_by_call() -> None:
    def seeds(seed: int) -> list[int]:
        model = ScriptedModel(["ASK: a?"])
        doctor = LLMDoctor(model)

        async def play() -> None:
            doctor.begin(visit(seed=seed))
            await doctor.decide(INTRODUCTION["en"])
            await doctor.decide("Patient: b.")

        asyncio.run(play())
        return [r["seed"] for r in model.requests]

    assert seeds(1) == seeds(1)
    assert len({*seeds(1), *seeds(2)}) == 4


# --- what a model's reply becomes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("ASK: Any fever?", Ask("Any fever?")),
        ("Any fever?", Ask("Any fever?")),
        ("<think>Is it the heart?</think>ORDER: ECG", Order(("ECG",))),
        ("It may be the heart.\n</think>\n\nORDER: ECG", Order(("ECG",))),
        ("<think>a</think> <think>ASK: b?</think> Any fever?", Ask("Any fever?")),
    ],
)
async def test_reads_text(text: str, action: object) -> None:
    assert await decided(text) == action


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    "text", ["", "   ", "<think>so it is", "\x00", "{", "{}", '{"action": "dance"}', "ASK:", "x" * 1_000_000]
)
async def test_nonsense_costs_a_turn_and_is_explained(form: Form, language: str, text: str) -> None:
    action = await decided(text, form, language)
    assert isinstance(action, Invalid)
    assert action.reason.isascii() == (language == "en")


async def test_an_object_where_none_was_asked_for_or_prose_where_one_was() -> None:
    assert await decided('{"action": "ask", "text": "Any fever?"}', "text") == Ask("Any fever?")
    assert await decided("Any fever?", "json") == Ask("Any fever?")
    assert await decided("ORDER: ECG", "tools") == Order(("ECG",))


async def test_the_object_wins_over_its_text() -> None:
    told = an_object(action="examine", exams=["abdomen"], thought="ASK: never said")
    assert fits(told, ACTION_SCHEMA)
    assert await decided(json.dumps(told), "json") == Examine(("abdomen",))


async def test_text_beside_a_tool_call_is_not_said() -> None:
    reply = Reply("ASK: never said", tool_calls=(call("order", {"exams": ["ECG"]}),))
    assert await decided(reply, "tools") == Order(("ECG",))


@pytest.mark.parametrize(
    "arguments", ["", "not json", "[]", "{" * 5000, "null", '{"exams": 3}', '{"exams": []}', "x" * 1_000_000]
)
async def test_a_tool_call_that_cannot_be_read_is_explained_and_the_next_request_is_valid(arguments: str) -> None:
    model = ScriptedModel([Reply("", tool_calls=(call("order", arguments),)), "ASK: Any fever?"])
    doctor = LLMDoctor(model, "tools")
    assert isinstance(await turn(doctor, model), Invalid)
    await doctor.decide("Clinic: cannot be read.")
    kept = model.requests[-1]["messages"][2]["tool_calls"][0]["function"]["arguments"]
    assert isinstance(json.loads(kept), dict)


@pytest.mark.parametrize("ids", [("a", "b", "c"), ("", "", ""), ("same", "same", "same")])
async def test_every_tool_call_of_a_reply_gets_a_result(ids: tuple[str, ...]) -> None:
    calls = tuple(call("ask", {"text": f"{n}?"}, i) for n, i in enumerate(ids))
    model = ScriptedModel([Reply("", tool_calls=calls), "ASK: Any fever?"])
    doctor = LLMDoctor(model, "tools")
    action = await turn(doctor, model)
    assert isinstance(action, Invalid)
    assert "one tool call a turn" in action.reason
    await doctor.decide("Clinic: one call a turn.")
    made, *results = model.requests[-1]["messages"][2:]
    wanted = [c["id"] for c in made["tool_calls"]]
    assert len(set(wanted)) == 3
    assert [m["tool_call_id"] for m in results] == wanted
    assert all(m["role"] == "tool" and m["content"] for m in results)
    assert results[0]["content"] == "Clinic: one call a turn."


@pytest.mark.parametrize("form", FORMS)
async def test_reasoning_is_neither_heard_nor_prompted_again(form: Form) -> None:
    reply = Reply("<think>SECRET one</think>ASK: Any fever?", reasoning="SECRET two")
    model = ScriptedModel([reply])
    doctor = LLMDoctor(model, form)
    action = await turn(doctor, model)
    await doctor.decide("Patient: No.")
    assert action == Ask("Any fever?")
    assert "SECRET" not in json.dumps(model.requests[-1]["messages"])


def test_the_patient_does_not_hear_reasoning(core_en_case: Case) -> None:
    model = ScriptedModel([Reply("<think>Do you smoke?</think>Any fever?", reasoning="Do you drink?"), "CONCLUDE: flu"])
    outcome = run(core_en_case, LLMDoctor(model))
    said = [e.action.text for e in outcome.episode.events if isinstance(e, DoctorActed) and isinstance(e.action, Ask)]
    assert said == ["Any fever?"]


# --- cut off ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["I think that the patient", "", "<think>and then", '{"action": "ask", "te'])
@pytest.mark.parametrize("form", FORMS)
async def test_a_reply_that_was_cut_off_before_an_action_says_so(text: str, form: Form) -> None:
    action = await decided(Reply(text, finish_reason="length"), form)
    assert isinstance(action, Invalid)
    assert "cut off" in action.reason


async def test_an_action_that_was_cut_off_after_its_words_counts() -> None:
    assert await decided(Reply("ASK: Any fever? Any", finish_reason="length")) == Ask("Any fever? Any")


# --- failures of the model ----------------------------------------------------------------------------------------


def talks(words: int = 1) -> str:
    return "ASK: " + "Any fever? " * words


class Small:
    """A model with a small context: fails once a prompt has more than so many characters."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.failed = 0

    def __call__(self, messages: Sequence[Message]) -> Answer:
        size = sum(len(m["content"] or "") for m in messages)
        if size > self.most:
            self.failed += 1
            return ContextOverflow(f"{size} characters; at most {self.most}")
        return talks(20)


@pytest.mark.parametrize("form", FORMS)
def test_old_turns_are_left_out_when_the_context_is_full(core_en_case: Case, form: Form) -> None:
    size = len(system_prompt("en", form)) + len(Consultation(core_en_case).introduction())
    small = Small(size + 2500)
    model = ScriptedModel(small)
    doctor = LLMDoctor(model, form)
    outcome = run(core_en_case, doctor, turns=30)
    assert outcome.failure == ""
    assert outcome.episode.ledger.ended is TerminationReason.TURN_LIMIT
    used = outcome.usage["doctor"]
    assert used["overflows"] == small.failed == used["failed"] > 0
    assert used["left_out"] == doctor.turns_left_out > 0
    last = model.requests[-1]["messages"]
    roles = [m["role"] for m in last]
    assert roles[:2] == ["system", "user"]
    assert roles[2:] == ["assistant", "user"] * (len(roles[2:]) // 2)
    assert last[1]["content"].startswith(model.requests[0]["messages"][1]["content"])
    assert last[1]["content"].count("left out") == 1
    assert not any("left out" in m["content"] for m in last[2:])


async def test_left_out_tool_calls_take_their_results_along() -> None:
    replies: list[Answer] = [Reply("", tool_calls=(call("ask", {"text": f"{n}?"}),)) for n in range(5)]
    model = ScriptedModel([*replies, ContextOverflow("full"), ContextOverflow("full"), "ASK: now?"])
    doctor = LLMDoctor(model, "tools")
    await turn(doctor, model)
    for n in range(5):
        await doctor.decide(f"Patient: {n}.")
    shrinking = [r["messages"] for r in model.requests[-3:]]
    assert [sum(m["role"] == "assistant" for m in s) for s in shrinking] == [5, 3, 1]
    for messages in shrinking:
        made = [c["id"] for m in messages for c in m.get("tool_calls", ())]
        assert made == [m["tool_call_id"] for m in messages if m["role"] == "tool"]
        assert messages[-1]["content"] == "Patient: 4."


def test_a_context_that_stays_too_small_ends_the_episode_unscored(core_en_case: Case) -> None:
    model = ScriptedModel([talks(), talks(), talks(), talks(), ContextOverflow("full")])
    outcome = run(core_en_case, LLMDoctor(model))
    assert outcome.failure == "ContextOverflow: full"
    assert len(model.requests) == 4 + 3  # two recoveries, then the failure stands
    assert outcome.episode.ledger.ended is TerminationReason.DOCTOR_FAILED
    assert outcome.scorecard.total is None


EMPTY = EmptyReply("the answer is empty")


def test_a_model_that_only_ever_sends_empty_replies_leaves_the_episode_unscored(core_en_case: Case) -> None:
    outcome = run(core_en_case, LLMDoctor(ScriptedModel([EMPTY])))
    assert outcome.failure == "EmptyReply: nothing but empty replies in 5 turns; the last: the answer is empty"
    assert outcome.episode.ledger.ended is TerminationReason.DOCTOR_FAILED
    assert outcome.scorecard.total is None
    assert outcome.usage["doctor"]["failed"] == 5
    assert len([e for e in outcome.episode.events if isinstance(e, DoctorActed)]) == 4


@pytest.mark.parametrize("position", range(5))
def test_one_reply_of_nonsense_among_empty_ones_is_the_doctors_own_and_scored(
    core_en_case: Case, position: int
) -> None:
    replies: list[Answer] = [EMPTY] * 5
    replies[position] = "{"
    outcome = run(core_en_case, LLMDoctor(ScriptedModel(replies)))
    assert outcome.failure == ""
    assert outcome.episode.ledger.ended is TerminationReason.INVALID_LIMIT
    assert outcome.scorecard.total == 0


def test_an_empty_reply_now_and_then_costs_a_turn_and_no_more(core_en_case: Case) -> None:
    replies: list[Answer] = [EMPTY, EMPTY, EMPTY, EMPTY, talks()] * 3 + ["CONCLUDE: flu"]
    outcome = run(core_en_case, LLMDoctor(ScriptedModel(replies)))
    assert outcome.failure == ""
    assert outcome.episode.ledger.ended is TerminationReason.CONCLUDED


async def test_how_many_empty_replies_are_waited_for_is_the_clinics_limit() -> None:
    doctor = LLMDoctor(ScriptedModel([EMPTY]))
    doctor.begin(Visit(INTRODUCTION["en"], "en", 7, invalid=2))
    assert isinstance(await doctor.decide(INTRODUCTION["en"]), Invalid)
    with pytest.raises(EmptyReply, match="in 2 turns"):
        await doctor.decide("Clinic: say something.")
    doctor.begin(Visit(INTRODUCTION["en"], "en", 7, invalid=2))
    assert isinstance(await doctor.decide(INTRODUCTION["en"]), Invalid)


@pytest.mark.parametrize("error", [Unavailable("down"), Rejected("no such model")])
def test_a_server_that_fails_ends_the_episode_unscored(core_en_case: Case, error: Any) -> None:
    outcome = run(core_en_case, LLMDoctor(ScriptedModel([talks(), error])))
    assert outcome.failure == f"{type(error).__name__}: {error}"
    assert outcome.scorecard.total is None
    assert outcome.usage["doctor"]["failed"] == 1


@pytest.mark.parametrize("text", ["", "{", "x" * (MAX_CHARS + 1)])
@pytest.mark.parametrize("form", FORMS)
def test_a_model_that_never_makes_sense_is_scored_at_the_end(core_en_case: Case, form: Form, text: str) -> None:
    model = ScriptedModel([text])
    outcome = run(core_en_case, LLMDoctor(model, form))
    assert outcome.failure == ""
    assert outcome.episode.ledger.ended is TerminationReason.INVALID_LIMIT
    assert outcome.scorecard.total == 0
    assert not any(isinstance(e, PatientAnswered) for e in outcome.episode.events)
    assert all(m["content"] and len(m["content"]) < MAX_CHARS for m in model.requests[-1]["messages"])


def test_one_doctor_plays_one_patient_after_another(core_en: Pack) -> None:
    model = ScriptedModel(["ASK: Any fever?", "CONCLUDE: flu"])
    doctor = LLMDoctor(model)
    run(core_en.cases[0], doctor)
    asked = len(model.requests)
    run(core_en.cases[1], doctor)
    assert len(model.requests[asked]["messages"]) == 2
    assert model.requests[asked]["messages"][1]["content"] == Consultation(core_en.cases[1], seed=1).introduction()


# --- names --------------------------------------------------------------------------------------------------------


def test_a_doctor_by_the_name_of_its_model() -> None:
    model = ScriptedModel(["ASK: a?"], name="openai/some-model")
    doctor = make_doctor("openai/some-model?form=tools&temperature=0", model=model)
    assert isinstance(doctor, LLMDoctor)
    assert doctor.name == "openai/some-model"
    assert doctor.form == "tools"
    assert doctor.suspends
    assert doctor.settings["form"] == "tools"
    assert len(doctor.settings["prompt"]) == 16
    assert doctor.settings["prompt"] != LLMDoctor(model, "json").settings["prompt"]


@pytest.mark.parametrize("name", ["openai", "openai/", "acme/model", "openai/x?form=mime", "openai/x?colour=red", ""])
def test_a_name_that_is_no_doctor_is_a_clear_error(name: str) -> None:
    with pytest.raises(ConfigError):
        make_doctor(name)


def test_tokens_of_the_doctor_count(core_en_case: Case) -> None:
    calls = Calls()
    model = ScriptedModel([Reply("ASK: Any fever?", usage=Usage(100, 10, cached=80))])
    consultation = Consultation(core_en_case, limits=Limits(tokens=500), calls=calls)
    outcome = run_episode(consultation, LLMDoctor(model), RubricJudge(load_rubric("clinic")))
    assert outcome.episode.ledger.ended is TerminationReason.TOKEN_LIMIT
    assert outcome.usage["doctor"]["calls"] == 5
    assert calls.tokens == 550
