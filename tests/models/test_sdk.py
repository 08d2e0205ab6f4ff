"""The OpenAI SDK behind our face, against a server on loopback that answers as the tests say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

pytest.importorskip("openai", reason="needs the openai extra")

from aiohttp import web

from clinic_sim.doctors.tools import tools
from clinic_sim.errors import (
    BadReply,
    ConfigError,
    ContextOverflow,
    ProviderError,
    ProviderTimeout,
    RateLimited,
    Rejected,
    Unavailable,
)
from clinic_sim.models.chat import Message, ToolCall, Usage
from clinic_sim.models.sdk import SdkModel
from clinic_sim.models.spec import ModelSpec

HI: list[Message] = [{"role": "user", "content": "Hi."}]
SCHEMA = {
    "title": "verdict",
    "type": "object",
    "properties": {"met": {"type": "boolean"}},
    "required": ["met"],
    "additionalProperties": False,
}
Answer = Callable[[dict[str, Any]], Any]


def said(content: str | None, finish: str = "stop", **message: Any) -> dict[str, Any]:
    """A chat completion as a server sends it."""
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}
        ],
        "usage": {
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "total_tokens": 120,
            "prompt_tokens_details": {"cached_tokens": 64},
            "completion_tokens_details": {"reasoning_tokens": 12},
        },
    }


class Server:
    """Keeps what it was asked, and answers by `answer`: a body, or `(status, body)`, or a response."""

    def __init__(self) -> None:
        self.answer: Answer = lambda body: said("Fine.")
        self.bodies: list[dict[str, Any]] = []
        self.requests: list[web.Request] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        body = await request.json()
        self.bodies.append(body)
        found = self.answer(body)
        if asyncio.iscoroutine(found):
            found = await found
        if isinstance(found, web.StreamResponse):
            return found
        status, data = found if isinstance(found, tuple) else (200, found)
        return web.json_response(data, status=status)

    def model(self, query: str = "") -> SdkModel:
        return SdkModel(ModelSpec.parse(f"openai/m?client=sdk&base_url={self.url}{query}"))


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", made.handle)
    app.router.add_post("/openai/deployments/m/chat/completions", made.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield made
    await runner.cleanup()


async def once(model: SdkModel, **asked: Any) -> Any:
    try:
        return await model.chat(HI, **asked)
    finally:
        await model.aclose()


async def test_a_reply_in_full(server: Server) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "order", "arguments": '{"exams": ["心电图"]}'}}
    server.answer = lambda body: said(None, "tool_calls", tool_calls=[call], reasoning_content="Hm.")
    reply = await once(server.model(), tools=tools("zh"))
    assert reply.text == ""
    assert reply.tool_calls == (ToolCall("c1", "order", '{"exams": ["心电图"]}'),)
    assert reply.usage == Usage(100, 20, 64, 12)
    assert reply.finish_reason == "tool_calls"
    assert reply.reasoning == "Hm."
    assert server.bodies[0]["tools"] == json.loads(json.dumps(tools("zh")))
    assert "tool_choice" not in server.bodies[0]


async def test_unknown_usage_is_unknown(server: Server) -> None:
    server.answer = lambda body: {k: v for k, v in said("Fine.").items() if k != "usage"}
    assert (await once(server.model())).usage is None


async def test_every_parameter_reaches_the_wire_and_the_record(server: Server) -> None:
    query = '&temperature=0&top_p=0.5&max_tokens=99&reasoning_effort=low&extra={"top_k":5}'
    model = server.model(query)
    await once(model, seed=7)
    assert server.bodies[0] == {
        "model": "m",
        "messages": HI,
        "temperature": 0,
        "top_p": 0.5,
        "max_tokens": 99,
        "reasoning_effort": "low",
        "seed": 7,
        "top_k": 5,
    }
    assert model.settings["temperature"] == 0
    assert model.settings["extra"] == {"top_k": 5}
    await once(server.model("&seed=false"), seed=7)
    assert server.bodies[1] == {"model": "m", "messages": HI}


async def test_the_key_is_sent_and_never_recorded(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    model = server.model()
    await once(model)
    assert server.requests[0].headers["Authorization"] == "Bearer sk-secret"
    assert "sk-secret" not in json.dumps(dict(model.settings))
    server.answer = lambda body: (401, {"error": {"message": "wrong key"}})
    with pytest.raises(Rejected) as caught:
        await once(server.model())
    assert "sk-secret" not in str(caught.value)


async def test_an_object_by_its_schema(server: Server) -> None:
    server.answer = lambda body: said('{"met": true}')
    reply = await once(server.model(), schema=SCHEMA)
    assert reply.parsed == {"met": True}
    form = server.bodies[0]["response_format"]
    assert form["type"] == "json_schema"
    assert form["json_schema"]["schema"] == SCHEMA
    assert form["json_schema"]["strict"] is True
    server.answer = lambda body: said('{"met": "maybe"}')
    assert (await once(server.model(), schema=SCHEMA)).parsed is None


async def test_a_server_that_refuses_schemas_is_asked_in_the_next_way(server: Server) -> None:
    def answer(body: dict[str, Any]) -> Any:
        if "response_format" in body:
            return 400, {"error": {"message": f"response_format {body['response_format']['type']} is not supported"}}
        return said('{"met": true}')

    server.answer = answer
    model = server.model()
    assert (await model.chat(HI, schema=SCHEMA)).parsed == {"met": True}
    assert (await model.chat(HI, schema=SCHEMA)).parsed == {"met": True}
    await model.aclose()
    forms = [b.get("response_format", {}).get("type") for b in server.bodies]
    assert forms == ["json_schema", "json_object", None, None]
    assert "verdict" in server.bodies[-1]["messages"][-1]["content"]


async def test_the_other_name_of_the_token_limit_is_learned(server: Server) -> None:
    def answer(body: dict[str, Any]) -> Any:
        if "max_tokens" in body:
            return 400, {"error": {"message": "Use 'max_completion_tokens' instead of 'max_tokens'."}}
        return said("Fine.")

    server.answer = answer
    model = server.model("&max_tokens=9")
    for _ in range(2):
        assert (await model.chat(HI)).text == "Fine."
    await model.aclose()
    assert [b.get("max_completion_tokens") for b in server.bodies] == [None, 9, 9]


async def test_a_refusal_of_something_else_is_not_taken_for_one_of_the_schema(server: Server) -> None:
    for status, told in ((400, "temperature must be below 2"), (404, "no model guided-json_schema")):
        server.bodies.clear()
        server.answer = lambda body, status=status, told=told: (status, {"error": {"message": told}})
        with pytest.raises(Rejected, match=told):
            await once(server.model(), schema=SCHEMA)
        assert len(server.bodies) == 1


async def test_a_server_that_takes_no_way_ends_with_its_own_words(server: Server) -> None:
    told = "response_format, max_tokens or max_completion_tokens are wrong"
    server.answer = lambda body: (400, {"error": {"message": told}})
    with pytest.raises(Rejected, match="are wrong"):
        await once(server.model("&max_tokens=5"), schema=SCHEMA)
    assert len(server.bodies) <= 5


def test_extra_cannot_set_what_is_not_its_own(server: Server) -> None:
    with pytest.raises(ConfigError, match="stream"):
        server.model('&extra={"stream":true}')


async def test_a_key_that_a_server_repeats_is_not_shown(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "opaque0123words")
    server.answer = lambda body: (
        400,
        {"error": {"message": f"you sent {server.requests[-1].headers['Authorization']}"}},
    )
    with pytest.raises(Rejected) as caught:
        await once(server.model())
    assert "opaque" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (400, {"code": "context_length_exceeded", "message": "too long"}, ContextOverflow),
        (400, {"message": "This model's maximum context length is 8192 tokens."}, ContextOverflow),
        (400, {"message": "the request exceeds the available context size"}, ContextOverflow),
        (400, {"message": "unknown parameter"}, Rejected),
        (404, {"message": "no such model"}, Rejected),
        (429, {"message": "slow down"}, RateLimited),
        (500, {"message": "oops"}, Unavailable),
        (503, {"message": "busy"}, Unavailable),
    ],
)
async def test_failures_are_ours(server: Server, status: int, error: Any, expected: type[Exception]) -> None:
    server.answer = lambda body: (status, {"error": error})
    with pytest.raises(ProviderError) as caught:
        await once(server.model())
    assert type(caught.value) is expected
    assert len(server.bodies) == 1  # the SDK's own retries are off


@pytest.mark.parametrize("body", ["", "{", "[]", "{}", '{"choices": []}', '{"choices": [{"message": null}]}', "<html>"])
async def test_what_is_no_completion_is_a_bad_reply(server: Server, body: str) -> None:
    server.answer = lambda _: web.Response(text=body, content_type="application/json")
    with pytest.raises(BadReply):
        await once(server.model())


async def test_a_server_that_hangs_times_out(server: Server) -> None:
    async def hang() -> None:
        await asyncio.sleep(60)

    server.answer = lambda body: hang()
    with pytest.raises(ProviderTimeout):
        await once(server.model("&attempt_s=0.1"))


async def test_a_server_that_is_not_there() -> None:
    with pytest.raises(Unavailable):
        await once(SdkModel(ModelSpec.parse("openai/m?client=sdk&base_url=http://127.0.0.1:9/v1")))


async def test_a_cancelled_call_leaves_nothing(server: Server) -> None:
    asked = asyncio.Event()

    async def hang() -> None:
        asked.set()
        await asyncio.sleep(60)

    server.answer = lambda body: hang()
    model = server.model()
    call = asyncio.create_task(model.chat(HI))
    await asked.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    server.answer = lambda body: said("Fine.")
    assert (await once(model)).text == "Fine."


async def test_azure_by_the_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.url.removesuffix("/v1"))
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "azure-key")
    monkeypatch.setenv("OPENAI_API_VERSION", "2026-01-01")
    reply = await once(SdkModel(ModelSpec.parse("openai/m?client=sdk&max_tokens=9")))
    assert reply.text == "Fine."
    assert server.requests[0].headers["api-key"] == "azure-key"
    assert server.requests[0].query["api-version"] == "2026-01-01"
    assert server.bodies[0]["max_completion_tokens"] == 9
    monkeypatch.delenv("OPENAI_API_VERSION")
    with pytest.raises(ConfigError, match="OPENAI_API_VERSION"):
        SdkModel(ModelSpec.parse("openai/m?client=sdk"))


def test_without_a_key_it_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        SdkModel(ModelSpec.parse("openai/m?client=sdk"))


def test_without_the_sdk_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'clinic-sim\[openai\]'"):
        SdkModel(ModelSpec.parse("openai/m?client=sdk"))
