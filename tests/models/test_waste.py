"""Answers that cannot be used were computed all the same: who pays for them finds them in the usage and the cost."""

from __future__ import annotations

import importlib.util
import json
from typing import Any

import pytest
from aiohttp import web

from clinic_sim.clinic.actions import Ask
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.clinic.patient.llm import LLMPatient
from clinic_sim.clinic.roles import Staff
from clinic_sim.errors import BadReply, ProviderError, Refusal, Unavailable
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.models import retry
from clinic_sim.models.build import make_model
from clinic_sim.models.cache import ReplyCache
from clinic_sim.models.calls import Calls
from clinic_sim.models.chat import ChatModel, Message, Reply, Usage
from clinic_sim.models.scripted import ScriptedModel
from clinic_sim.models.tape import Tape
from clinic_sim.models.usage import Prices
from clinic_sim.models.wire import EmptyReply
from clinic_sim.sweeps.runner import run_episode
from clinic_sim.testing import ScriptedDoctor, small_case

from .conftest import Stub, failing, said
from .test_wire import SCHEMA

HI: list[Message] = [{"role": "user", "content": "Hi."}]
CLIENTS = ["http", "sdk"] if importlib.util.find_spec("openai") else ["http"]
EACH = (100 * 2 + 20 * 10) / 1e6
"""What one of the stub's answers costs."""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_WAIT_S", 0.001)


def model_at(url: str, client: str = "http", **options: Any) -> ChatModel:
    return make_model(f"openai/m?base_url={url}&price_in=2&price_out=10", client=client, **options)


def used(calls: Calls) -> tuple[int, int, int, int, int]:
    """Calls, failed ones, prompt tokens, completion tokens, answers of unknown size."""
    u = calls.usage["judge"]
    return u.calls, u.failed, u.input, u.output, u.unreported


async def asked(model: ChatModel, calls: Calls) -> Reply | ProviderError:
    """One call for an object, and the model is closed."""
    try:
        return await calls.ask("judge", model, HI, schema=SCHEMA)
    except ProviderError as exc:
        return exc
    finally:
        await model.aclose()


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("answer", "attempts", "kind"),
    [
        (said(""), 3, EmptyReply),
        (said({"no": "text"}), 6, BadReply),
        ({**said(), "choices": []}, 6, BadReply),
        (said(None, refusal="No."), 1, Refusal),
        (said("", "content_filter"), 1, Refusal),
        (said('{"met": tr', "length"), 1, None),
        (said("I would say so."), 1, None),
    ],
)
async def test_every_answer_counts_whatever_becomes_of_it(
    stub: Stub, client: str, answer: Any, attempts: int, kind: type[ProviderError] | None
) -> None:
    stub.answers = [answer]
    kept: list[dict[str, Any]] = []
    calls = Calls(tape=Tape(sink=kept.append))
    found = await asked(model_at(stub.url, client), calls)
    assert len(stub.bodies) == attempts
    assert type(found) is (kind or Reply)
    assert used(calls) == (int(kind is None), int(kind is not None), 100 * attempts, 20 * attempts, 0)
    assert calls.usage["judge"].cost == pytest.approx(EACH * attempts)

    again = Calls(tape=Tape(json.loads(json.dumps(kept)), only_replay=True))
    await asked(model_at(stub.url, client, replay=True), again)
    assert again.to_dict() == calls.to_dict()


@pytest.mark.parametrize("client", CLIENTS)
async def test_failed_attempts_count_beside_the_answer_that_came_in_the_end(stub: Stub, client: str) -> None:
    stub.answers = [
        said(""),
        failing(500),
        failing(429, "slow", Retry_After="0"),
        said({"no": "text"}),
        said('{"met": true}'),
    ]
    kept: list[dict[str, Any]] = []
    calls = Calls(tape=Tape(sink=kept.append))
    found = await asked(model_at(stub.url, client), calls)
    assert isinstance(found, Reply)
    assert found.parsed == {"met": True}
    assert used(calls) == (1, 0, 300, 60, 0)
    assert calls.usage["judge"].cost == pytest.approx(3 * EACH)
    again = Calls(tape=Tape(json.loads(json.dumps(kept)), only_replay=True))
    await asked(model_at(stub.url, client, replay=True), again)
    assert again.to_dict() == calls.to_dict()


@pytest.mark.parametrize("client", CLIENTS)
async def test_an_answer_broken_off_in_the_middle_makes_the_cost_unknown(stub: Stub, client: str) -> None:
    half = json.dumps(said())[:60]
    stub.answers = [lambda _: web.Response(text=half, content_type="application/json"), said('{"met": true}')]
    calls = Calls()
    await asked(model_at(stub.url, client), calls)
    assert used(calls) == (1, 0, 100, 20, 1)
    assert calls.usage["judge"].cost is None


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_refusal_that_repeats_the_key_loses_the_key_and_not_its_tokens(
    stub: Stub, client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "opaque0123words")
    stub.answers = [said(None, refusal="Not with opaque0123words.")]
    calls = Calls()
    found = await asked(model_at(stub.url, client), calls)
    assert isinstance(found, Refusal)
    assert "opaque" not in str(found)
    assert used(calls) == (0, 1, 100, 20, 0)


async def test_a_server_that_never_answers_costs_nothing(stub: Stub) -> None:
    stub.answers = [failing(500)]
    calls = Calls()
    found = await asked(model_at(stub.url, attempts=2), calls)
    assert isinstance(found, Unavailable)
    assert used(calls) == (0, 1, 0, 0, 0)
    assert calls.usage["judge"].cost == 0


async def test_what_was_used_before_the_server_died_counts(stub: Stub) -> None:
    stub.answers = [said(""), said(""), failing(500)]
    calls = Calls()
    found = await asked(model_at(stub.url, attempts=3), calls)
    assert isinstance(found, Unavailable)
    assert used(calls) == (0, 1, 200, 40, 0)


async def test_an_answer_from_the_cache_has_the_same_tokens_and_is_free(stub: Stub, tmp_path: Any) -> None:
    stub.answers = [said(""), said('{"met": true}')]
    cache = ReplyCache(tmp_path / "replies.sqlite")
    counted = []
    for _ in range(2):
        calls = Calls()
        await asked(model_at(stub.url, cache=cache), calls)
        counted.append((used(calls), calls.usage["judge"].cost))
    cache.close()
    assert len(stub.bodies) == 2
    assert counted == [((1, 0, 200, 40, 0), pytest.approx(2 * EACH)), ((1, 0, 200, 40, 0), 0)]


class Priced(ScriptedModel):
    """A script that is paid for."""

    prices = Prices(input=2, output=10)


def spent(text: str, finish: str = "stop") -> dict[str, Any]:
    return {"text": text, "finish_reason": finish, "usage": {"input": 100, "output": 20}}


def test_words_that_the_guard_rejects_are_paid_for() -> None:
    leak = json.dumps({"facts": [], "say": "I have appendicitis."})
    consultation = Consultation(small_case(), staff=Staff(patient=LLMPatient(Priced([spent(leak)]))))
    consultation.act_sync(Ask("What is wrong?"))
    patient = consultation.room.calls.usage["patient"]
    assert [e.by for e in consultation.room.events if hasattr(e, "by")] == ["fallback"]
    assert (patient.calls, patient.input, patient.output) == (2, 200, 40)
    assert patient.cost == pytest.approx(2 * EACH)


@pytest.mark.parametrize("broken", [spent("met!"), spent('{"verdicts": [', "length")])
def test_a_judge_that_cannot_be_read_is_paid_for(broken: dict[str, Any]) -> None:
    judge = RubricJudge(load_rubric("clinic-language"), model=Priced([broken]))
    outcome = run_episode(Consultation(small_case()), ScriptedDoctor(["CONCLUDE: flu", "CONCLUDE: flu"]), judge)
    assert outcome.scorecard.total is None
    told = outcome.usage["judge"]
    assert (told["calls"], told["input"], told["output"]) == (2, 200, 40)
    assert told["cost"] == pytest.approx(2 * EACH)


async def test_tokens_of_failures_count_towards_the_limit() -> None:
    failure = EmptyReply("the answer is empty")
    failure.usage = Usage(300, 0, calls=0)
    calls = Calls()
    await asked(Priced([failure]), calls)
    assert calls.tokens == 300
