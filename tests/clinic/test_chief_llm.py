"""The chief physician in a model's words: the record decides what is taught and challenged, and nothing is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise

import pytest

from clinic_sim.cases.case import Case
from clinic_sim.cases.packs import Pack
from clinic_sim.clinic.actions import Ask, Conclude, Consult
from clinic_sim.clinic.chief_llm import LLMChief
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.clinic.events import ChiefSpoke, from_dict, to_dict
from clinic_sim.clinic.mentions import mentions, redact
from clinic_sim.clinic.roles import Staff
from clinic_sim.errors import ContextOverflow, ProviderError, ProviderTimeout, Refusal, SimulatorError, Unavailable
from clinic_sim.models.chat import Message
from clinic_sim.models.scripted import Answer, ScriptedModel
from clinic_sim.testing import small_case

GOOD = "Go back to the present illness and the family history, and think about what imaging and tests could tell you."
GOOD_ZH = "病史里现病史还可以再问细一些，检查方面想想实验室检查和影像学检查。"


def _say(text: str) -> str:
    return json.dumps({"say": text}, ensure_ascii=False)


def _clinic(answers: Sequence[Answer], case: Case | None = None) -> tuple[Consultation, ScriptedModel]:
    model = ScriptedModel(answers)
    return Consultation(case or small_case(), staff=Staff(chief=LLMChief(model))), model


def _consulted(answers: Sequence[Answer], question: str = "What now?", case: Case | None = None) -> ChiefSpoke:
    event = _clinic(answers, case)[0].act_sync(Consult(question)).events[1]
    assert isinstance(event, ChiefSpoke)
    return event


def _offline(case: Case | None = None) -> str:
    event = Consultation(case or small_case()).act_sync(Consult("What now?")).events[1]
    assert isinstance(event, ChiefSpoke)
    return event.text


def test_good_words_stand() -> None:
    event = _consulted([_say(GOOD)])
    assert event.text.startswith(GOOD)
    assert (event.by, event.rejected) == ("model", ())


def test_good_words_stand_in_chinese(core_zh: Pack) -> None:
    for case in core_zh.cases:
        event = _consulted([_say(GOOD_ZH)], case=case)
        assert event.text.startswith(GOOD_ZH)
        assert (event.by, event.rejected) == ("model", ())


def test_words_without_the_hint_get_it_added() -> None:
    event = _consulted([_say("Take your time.")])
    assert event.text == f"Take your time. {_offline()}"


def test_the_prompt_holds_only_what_the_doctor_knows() -> None:
    consultation, model = _clinic([_say(GOOD)])
    consultation.act_sync(Ask("Where did the pain start, and did it move?"))
    consultation.act_sync(Consult("What now?"))
    messages = model.requests[0]["messages"]
    prompt = json.dumps(messages)
    assert messages[0]["content"].startswith("ROLE: CHIEF")
    assert "right lower abdomen" in prompt
    for hidden in ("appendic", "iliac fossa", "White cells", "14.2", "cannabis", "penicillin", "did it move"):
        assert hidden not in prompt


def test_every_guess_is_taken_out_of_the_question() -> None:
    for guess in ("acute appendicitis", "apendicitis", "gout", "renal colic", "a p p e n d i c i t i s", "急性阑尾炎"):
        consultation, model = _clinic([_say(GOOD)])
        consultation.act_sync(Consult(f"I suppose that it is {guess}. Am I right?"))
        asked = model.requests[0]["messages"][-1]["content"]
        assert "I suppose that it is [...]. Am I right?" in asked, guess


def test_a_right_guess_and_a_wrong_one_are_the_same_request() -> None:
    sent = []
    for guess in ("acute appendicitis", "renal colic"):
        consultation, model = _clinic([_say(GOOD)])
        consultation.act_sync(Consult(f"Say `go on` if it is {guess}."))
        sent.append(model.requests)
    assert sent[0] == sent[1]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("It is acute appendicitis.", "leak:diagnosis"),
        ("It is certainly not appendicitis.", "leak:diagnosis"),
        ("Think of apendicitis.", "leak:diagnosis"),
        ("Think of a.p.p.e.n.d.i.c.i.t.i.s, doctor.", "leak:diagnosis"),
        ("Its name begins with the first of all vowels.", "leak:diagnosis"),
        ("siticidneppa", "leak:diagnosis"),
        ("Have you considered renal colic?", "leak:diagnosis"),
        ("Have you considered gout?", "disease"),
        ("An inflamed organ is behind it.", "disease"),
        ("Yes. Go on.", "confirms"),
        ("You are quite right, conclude.", "confirms"),
        ("Good guess; ask about the present illness.", "confirms"),
        ("Not that. Your diagnosis does not hold.", "confirms"),
        ("White cells raised, so hurry.", "leak:result"),
        ("The count will be 14.2.", "leak:result"),
        ("There is tenderness and guarding in the right iliac fossa.", "leak:result"),
        ("The pain moved from the umbilicus to the right lower abdomen.", "leak:fact"),
        ("Order a full blood count.", "leak:exam"),
        ("想一想影像学检查。", "language"),
        ("Chief physician: go on.", "form"),
        ("Go <b>on</b>.", "form"),
        ("", "form"),
        ("go on " * 200, "form"),
    ],
)
def test_words_that_say_too_much_are_asked_for_once_more_then_replaced(text: str, kind: str) -> None:
    event = _consulted([_say(text), _say(GOOD)])
    assert event.text.startswith(GOOD)
    assert (event.by, event.rejected) == ("model", (kind,))
    event = _consulted([_say(text)])
    assert (event.text, event.by, event.rejected) == (_offline(), "fallback", (kind,))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("对，就是它。", "confirms"),
        ("你猜对了，继续。", "confirms"),
        ("方向不对，再想想。", "confirms"),
        ("就是急性心肌梗死。", "leak:diagnosis"),
        ("肯定不是心 梗。", "leak:diagnosis"),
        ("要想到心机梗死。", "disease"),
        ("想想他血管是不是堵了。", "disease"),
        ("要考虑胃溃疡。", "disease"),
        ("病名首字是“急”。", "leak:diagnosis"),
        ("Think of imaging and of the present illness.", "language"),
    ],
)
def test_the_same_in_chinese(text: str, kind: str, core_zh: Pack) -> None:
    case = core_zh.case("stemi-inferior-zh")
    event = _consulted([_say(text)], case=case)
    assert (event.text, event.by, event.rejected) == (_offline(case), "fallback", (kind,))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("Go on.", "form"),
        ('{"speak": "x"}', "form"),
        ('{"say": 5}', "form"),
        ("x" * 1_000_000, "form"),
        (Refusal("no"), "model:Refusal"),
        (ContextOverflow("long"), "model:ContextOverflow"),
    ],
)
def test_a_model_that_misbehaves_is_counted_and_covered(answer: Answer, kind: str) -> None:
    event = _consulted([answer])
    assert (event.text, event.by, event.rejected) == (_offline(), "fallback", (kind,))


@pytest.mark.parametrize("failure", [Unavailable, ProviderTimeout])
def test_a_server_that_is_gone_ends_the_episode(failure: type[ProviderError]) -> None:
    consultation, _ = _clinic([failure("gone")])
    with pytest.raises(SimulatorError, match=failure.__name__):
        consultation.act_sync(Consult("What now?"))
    assert consultation.ended


def test_each_request_begins_with_the_one_before() -> None:
    consultation, model = _clinic([_say(GOOD)])
    for move in (Consult("What now?"), Ask("Any nausea?"), Consult("And now?"), Conclude("gout")):
        consultation.act_sync(move)
    sent: list[list[Message]] = [r["messages"] for r in model.requests]
    assert len(sent) == 3
    for one, next_ in pairwise(sent):
        assert next_[: len(one)] == one


# Review ---------------------------------------------------------------------------------------------------------------


def _reviewed(answers: Sequence[Answer], conclusion: Conclude) -> tuple[ChiefSpoke | None, ScriptedModel]:
    consultation, model = _clinic(answers)
    consultation.act_sync(Ask("Where did the pain start, and did it move?"))
    event = consultation.act_sync(conclusion).events[1]
    return (event if isinstance(event, ChiefSpoke) else None), model


def test_what_the_record_accepts_no_model_challenges() -> None:
    event, model = _reviewed([_say("I disagree.")], Conclude("gout", (), (), ("rest",)))
    assert event is None
    assert model.requests == []


def test_a_challenge_keeps_its_evidence_and_may_name_what_is_challenged() -> None:
    words = (
        "Renal colic, you say. The pain moved from the umbilicus to the right lower abdomen; how do you explain that?"
    )
    event, _ = _reviewed([_say(words)], Conclude("renal colic", (), (), ("rest",)))
    assert event is not None
    assert event.text == words
    assert (event.kind, event.about, event.by) == ("review", ("migration",), "model")


def test_a_challenge_names_nothing_else() -> None:
    for words in ("This is no renal colic but appendicitis.", "Not renal colic. Rather gout?", "Wrong."):
        event, _ = _reviewed([_say(words)], Conclude("renal colic", (), (), ("rest",)))
        assert event is not None
        assert event.by == "fallback", words
        assert "appendic" not in event.text


def test_a_missing_plan_is_asked_for_without_naming_what_was_concluded() -> None:
    right, seen = _reviewed([_say("For appendicitis I miss a plan.")], Conclude("acute appendicitis"))
    wrong, also = _reviewed([_say("For appendicitis I miss a plan.")], Conclude("gout"))
    assert right is not None
    assert wrong is not None
    assert (right.text, right.by) == (wrong.text, wrong.by)
    assert seen.requests == also.requests
    assert "appendic" not in json.dumps(seen.requests[0]["messages"])


def test_events_keep_their_rejections_on_the_wire() -> None:
    event = _consulted([_say("It is appendicitis.")])
    assert from_dict(json.loads(json.dumps(to_dict(event)))) == event


# Mentions -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("I suspect a heart attack, or maybe STEMI.", ["heart attack", "STEMI"]),
        ("Could it be Crohn's disease?", ["Crohn's disease"]),
        ("会不会是甲亢或川崎病？", ["甲亢", "川崎病"]),
        ("我考虑急性胰腺炎，查什么？", ["急性胰腺炎"]),
        ("The patient has had pain and fever for two days.", []),
        ("Go back to the past history and the vital signs.", []),
        ("发病三天，生病以后食欲差，有什么症状没问到？", []),
        ("先看病人，再问病史和疾病经过。", []),
    ],
)
def test_diseases_are_found_in_free_text(text: str, found: list[str]) -> None:
    assert mentions(text) == found
    assert redact(text, "[...]").count("[...]") == len(found)
