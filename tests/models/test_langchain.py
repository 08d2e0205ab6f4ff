"""LangChain's models behind our face: what goes in, what comes out, and that nothing leaves this process unasked."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("langchain_core", reason="needs the langchain extra")

from langchain_core.exceptions import ContextOverflowError, ModelRateLimitError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import Field

from clinic_sim.cases.case import Case
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.clinic.events import TerminationReason
from clinic_sim.doctors import make_doctor
from clinic_sim.doctors.tools import ACTION_SCHEMA, tools
from clinic_sim.errors import (
    ConfigError,
    ContextOverflow,
    ProviderError,
    ProviderTimeout,
    RateLimited,
    Refusal,
    Rejected,
    Unavailable,
)
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.models.chat import Message, ToolCall, Usage
from clinic_sim.models.langchain import ALLOW_TRACING, LangChainModel
from clinic_sim.models.spec import ModelSpec
from clinic_sim.models.wire import EmptyReply
from clinic_sim.sweeps.runner import run_episode

HI: list[Message] = [{"role": "user", "content": "Hi."}]
SCHEMA = {
    "title": "verdict",
    "type": "object",
    "properties": {"met": {"type": "boolean"}},
    "required": ["met"],
    "additionalProperties": False,
}


class Fake(BaseChatModel):
    """Answers with what it is given, and remembers what it was asked."""

    answers: list[Any]
    asked: list[Any] = Field(default_factory=list)
    seed: int | None = None
    max_tokens: int | None = None

    @property
    def _llm_type(self) -> str:
        return "fake"

    def bind_tools(self, tools: Sequence[Any], **options: Any) -> Any:
        return self.bind(tools=tools)

    def _generate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **options: Any) -> Any:
        answer = self.answers[min(len(self.asked), len(self.answers) - 1)]
        self.asked.append((messages, options))
        if isinstance(answer, Exception):
            raise answer
        message = AIMessage(answer) if isinstance(answer, str) else answer
        return ChatResult(generations=[ChatGeneration(message=message)])


class Slow(Fake):
    """Never answers."""

    async def _agenerate(self, *_: Any, **__: Any) -> ChatResult:
        await asyncio.sleep(60)
        raise AssertionError


def wrapped(*answers: Any, query: str = "", model: type[Fake] = Fake) -> tuple[LangChainModel, Fake]:
    fake = model(answers=list(answers))
    return LangChainModel(ModelSpec.parse(f"langchain/mine:model{query}"), model=fake), fake


async def test_messages_of_every_kind_reach_the_model() -> None:
    model, fake = wrapped("Fine.")
    call = {"id": "call00100", "type": "function", "function": {"name": "ask", "arguments": '{"text": "How?"}'}}
    messages: list[Message] = [
        {"role": "system", "content": "ROLE: DOCTOR"},
        {"role": "user", "content": "Hi."},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call00100", "content": "Badly."},
    ]
    before = json.dumps(messages)
    reply = await model.chat(messages, tools=tools("en"))
    assert reply.text == "Fine."
    assert json.dumps(messages) == before
    got, options = fake.asked[0]
    assert [type(m) for m in got] == [SystemMessage, HumanMessage, AIMessage, ToolMessage]
    assert got[2].tool_calls[0]["args"] == {"text": "How?"}
    assert got[3].tool_call_id == "call00100"
    assert [t["function"]["name"] for t in options["tools"]] == ["ask", "examine", "order", "consult", "conclude"]


async def test_a_reply_in_full() -> None:
    message = AIMessage(
        [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Fine"}, "."],
        tool_calls=[{"name": "order", "args": {"exams": ["心电图"]}, "id": "1", "type": "tool_call"}],
        invalid_tool_calls=[
            {"name": "ask", "args": "{", "id": None, "error": None, "type": "invalid_tool_call"},
        ],
        usage_metadata={
            "input_tokens": 100,
            "output_tokens": 20,
            "total_tokens": 120,
            "input_token_details": {"cache_read": 64},
            "output_token_details": {"reasoning": 12},
        },
        response_metadata={"stop_reason": "tool_use"},
    )
    model, _ = wrapped(message)
    reply = await model.chat(HI)
    assert reply.text == "Fine."
    assert reply.reasoning == "Hm."
    assert reply.tool_calls == (ToolCall("1", "order", '{"exams": ["心电图"]}'), ToolCall("", "ask", "{"))
    assert reply.usage == Usage(100, 20, 64, 12)
    assert reply.finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("metadata", "finish"),
    [
        ({}, "stop"),
        ({"finish_reason": "length"}, "length"),
        ({"stop_reason": "max_tokens"}, "length"),
        ({"stop_reason": "end_turn"}, "stop"),
        ({"finish_reason": "MAX_TOKENS"}, "length"),
        ({"finish_reason": "SAFETY"}, "content_filter"),
        ({"done_reason": "stop"}, "stop"),
    ],
)
async def test_why_it_ended(metadata: dict[str, Any], finish: str) -> None:
    model, _ = wrapped(AIMessage("x", response_metadata=metadata))
    reply = await model.chat(HI)
    assert reply.finish_reason == finish
    assert reply.usage is None  # nothing was said of it


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({"content": ""}, EmptyReply),
        ({"content": [{"type": "text", "text": ""}]}, EmptyReply),
        ({"content": "", "response_metadata": {"finish_reason": "SAFETY"}}, Refusal),
        ({"content": "", "additional_kwargs": {"refusal": "No."}}, Refusal),
    ],
)
@pytest.mark.parametrize("told", [None, {"input_tokens": 9, "output_tokens": 1, "total_tokens": 10}])
async def test_an_answer_that_holds_nothing_is_a_failure_with_its_tokens(
    message: dict[str, Any], kind: type[ProviderError], told: Any
) -> None:
    model, _ = wrapped(AIMessage(**message, usage_metadata=told))
    with pytest.raises(kind) as failed:
        await model.chat(HI)
    assert type(failed.value) is kind
    assert failed.value.usage == (told and Usage(9, 1, calls=0))


async def test_a_thought_without_words_and_an_answer_that_was_cut_off_are_answers() -> None:
    model, _ = wrapped(AIMessage([{"type": "thinking", "thinking": "Hm."}]))
    assert (await model.chat(HI)).reasoning == "Hm."
    model, _ = wrapped(AIMessage("", response_metadata={"finish_reason": "length"}))
    assert (await model.chat(HI)).finish_reason == "length"


async def test_parameters_reach_the_model_and_the_record() -> None:
    model, fake = wrapped("x", query='?temperature=0&top_p=0.5&max_tokens=99&extra={"top_k":5}')
    await model.chat(HI, seed=7)
    assert fake.asked[0][1] == {"temperature": 0, "top_p": 0.5, "max_tokens": 99, "seed": 7, "top_k": 5}
    assert model.settings["temperature"] == 0
    assert model.settings["max_tokens"] == 99
    assert model.settings["seed"] is True


async def test_a_seed_only_where_the_model_has_one() -> None:
    class Seedless(BaseChatModel):
        asked: list[Any] = Field(default_factory=list)

        @property
        def _llm_type(self) -> str:
            return "seedless"

        def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **options: Any) -> ChatResult:
            self.asked.append(options)
            return ChatResult(generations=[ChatGeneration(message=AIMessage("x"))])

    fake = Seedless()
    model = LangChainModel(ModelSpec.parse("langchain/mine:model?max_tokens=9"), model=fake)
    await model.chat(HI, seed=7)
    assert fake.asked == [{}]
    assert model.settings["seed"] is False


# --- objects ------------------------------------------------------------------------------------------------------


async def test_an_object_by_the_models_own_way() -> None:
    call = {"name": "verdict", "args": {"met": True}, "id": "1", "type": "tool_call"}
    model, fake = wrapped(AIMessage("", tool_calls=[call], response_metadata={"finish_reason": "tool_calls"}))
    reply = await model.chat(HI, schema=SCHEMA)
    assert reply.parsed == {"met": True}
    assert json.loads(reply.text) == {"met": True}
    assert reply.finish_reason == "stop"
    assert fake.asked[0][1]["tools"]


async def test_an_object_of_another_shape_is_none() -> None:
    call = {"name": "verdict", "args": {"met": "maybe"}, "id": "1", "type": "tool_call"}
    model, _ = wrapped(AIMessage("", tool_calls=[call]))
    assert (await model.chat(HI, schema=SCHEMA)).parsed is None


async def test_an_object_by_asking_for_it() -> None:
    model, fake = wrapped('```json\n{"met": false}\n```', "I cannot say.", query="?structured=prompt")
    reply = await model.chat(HI, schema=SCHEMA)
    assert reply.parsed == {"met": False}
    assert "verdict" in fake.asked[0][0][0].content
    assert fake.asked[0][0][0].content.startswith("Hi.\n\n")
    assert HI == [{"role": "user", "content": "Hi."}]
    assert (await model.chat(HI, schema=SCHEMA)).parsed is None


async def test_a_model_that_refuses_schemas_is_asked_in_words() -> None:
    class BadRequestError(Exception):
        status_code = 400

    model, fake = wrapped(BadRequestError("no tools here"), '{"met": true}')
    assert (await model.chat(HI, schema=SCHEMA)).parsed == {"met": True}
    assert len(fake.asked) == 2
    assert (await model.chat(HI, schema=SCHEMA)).parsed == {"met": True}
    assert len(fake.asked) == 3  # it is not asked again in the way it refuses


# --- failures -----------------------------------------------------------------------------------------------------


def status_error(name: str, status: int, message: str) -> Exception:
    kind = type(name, (Exception,), {"status_code": status})
    return kind(message)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (ModelRateLimitError("slow down"), RateLimited),
        (ContextOverflowError("too long"), ContextOverflow),
        (status_error("RateLimitError", 429, "slow down"), RateLimited),
        (status_error("BadRequestError", 400, "This model's maximum context length is 8 tokens."), ContextOverflow),
        (status_error("BadRequestError", 400, "unknown parameter"), Rejected),
        (status_error("AuthenticationError", 401, "wrong key"), Rejected),
        (status_error("InternalServerError", 503, "busy"), Unavailable),
        (status_error("APIStatusError", 529, "overloaded"), Unavailable),
        (ConnectionRefusedError("nobody there"), Unavailable),
        (TimeoutError("too slow"), ProviderTimeout),
        (KeyError("a bug of theirs"), ProviderError),
    ],
)
async def test_failures_are_ours(raised: Exception, expected: type[Exception]) -> None:
    model, _ = wrapped(raised)
    with pytest.raises(ProviderError) as caught:
        await model.chat(HI)
    assert type(caught.value) is expected
    assert str(caught.value)


async def test_a_model_that_never_answers_times_out() -> None:
    model, _ = wrapped("x", query="?attempt_s=0.05", model=Slow)
    with pytest.raises(ProviderTimeout, match=r"no answer within 0\.05 s"):
        await model.chat(HI)


@pytest.mark.parametrize(
    "target",
    ["nothing", "no_such_module:x", "json:no_such", "json:JSONDecodeError", "no/such.py:x", "os:sep", ":x", "json:"],
)
def test_what_is_no_model_is_a_clear_error(target: str) -> None:
    with pytest.raises(ConfigError, match="langchain/"):
        LangChainModel(ModelSpec.parse(f"langchain/{target}"))


def test_a_factory_that_fails_is_a_clear_error(tmp_path: Path) -> None:
    file = tmp_path / "bad_model.py"
    file.write_text("def make():\n    raise RuntimeError('no key')\n")
    with pytest.raises(ConfigError, match="RuntimeError: no key"):
        LangChainModel(ModelSpec.parse(f"langchain/{file}:make"))


def test_without_langchain_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'clinic-sim\[langchain\]'"):
        LangChainModel(ModelSpec.parse("langchain/mine:model"))


# --- a whole consultation -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "json", "tools"])
def test_a_langchain_model_sees_a_patient(form: str, core_en_case: Case) -> None:
    told = {"diagnosis": core_en_case.diagnosis.primary.name}
    message = {
        "text": AIMessage(f"CONCLUDE: {told['diagnosis']}"),
        "json": AIMessage(
            "",
            tool_calls=[
                {
                    "name": "action",
                    "args": {
                        **{n: [] if p["type"] == "array" else "" for n, p in ACTION_SCHEMA["properties"].items()},
                        "action": "conclude",
                        **told,
                    },
                    "id": "1",
                    "type": "tool_call",
                }
            ],
        ),
        "tools": AIMessage("", tool_calls=[{"name": "conclude", "args": told, "id": "1", "type": "tool_call"}]),
    }[form]
    model, _ = wrapped(message)
    doctor = make_doctor(f"langchain/mine:model?form={form}", model=model)
    outcome = run_episode(Consultation(core_en_case, seed=1), doctor, RubricJudge(load_rubric("clinic")))
    assert outcome.failure == ""
    assert outcome.episode.ledger.ended is TerminationReason.CONCLUDED
    assert outcome.scorecard.total


# --- tracing ------------------------------------------------------------------------------------------------------


class _Collector(BaseHTTPRequestHandler):
    """Stands in for LangSmith, and counts what is sent to it."""

    received: list[str] = []  # noqa: RUF012 - one server a test

    def _take(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.received.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST = do_PATCH = _take  # noqa: N815

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def langsmith(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A tracing server on loopback that the environment says to use; what it received."""
    from langsmith import utils

    handler = type("Collector", (_Collector,), {"received": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    for prefix in ("LANGSMITH", "LANGCHAIN"):
        monkeypatch.setenv(f"{prefix}_TRACING_V2", "true")
        monkeypatch.setenv(f"{prefix}_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv(f"{prefix}_API_KEY", "none")
    utils.get_env_var.cache_clear()
    yield handler.received
    monkeypatch.undo()
    utils.get_env_var.cache_clear()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("allowed", [False, True])
async def test_transcripts_are_traced_only_with_leave(
    allowed: bool, langsmith: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from langchain_core.tracers.langchain import wait_for_all_tracers

    monkeypatch.setenv(ALLOW_TRACING, "1" if allowed else "")
    model, _ = wrapped("Fine.")
    await model.chat(HI)
    await asyncio.to_thread(wait_for_all_tracers)
    for _ in range(50 if allowed else 5):
        if langsmith:
            break
        await asyncio.sleep(0.1)
    assert bool(langsmith) is allowed


def test_the_tracing_that_langchain_dropped_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGCHAIN_TRACING", "true")
    monkeypatch.delenv(ALLOW_TRACING, raising=False)
    with pytest.raises(ConfigError, match="LANGCHAIN_TRACING is set"):
        wrapped("Fine.")
