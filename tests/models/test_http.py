"""The lean client against servers that behave, that fail, and that answer oddly."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from clinic_sim.errors import (
    BadReply,
    ConfigError,
    ContextOverflow,
    ProviderError,
    ProviderTimeout,
    RateLimited,
    Refusal,
    Rejected,
    Unavailable,
)
from clinic_sim.models import http
from clinic_sim.models.chat import Message
from clinic_sim.models.http import HttpModel
from clinic_sim.models.spec import ModelSpec

from .conftest import Stub, failing, said
from .test_wire import OVERFLOWS, SCHEMA

HI: list[Message] = [{"role": "user", "content": "Hi."}]
TOOL = {"type": "function", "function": {"name": "ask", "parameters": {"type": "object", "properties": {}}}}


def spec(url: str, **options: Any) -> ModelSpec:
    """A model of the stub."""
    return ModelSpec.model_validate({"provider": "openai", "model": "m", "base_url": url, **options})


@pytest.fixture
async def ask(stub: Stub) -> AsyncIterator[Any]:
    """Makes a model of the stub with these options, asks it once, and closes it at the end of the test."""
    models = []

    async def once(messages: list[Message] = HI, /, *, options: dict[str, Any] | None = None, **call: Any) -> Any:
        models.append(HttpModel(spec(stub.url, **(options or {}))))
        return await models[-1].chat(messages, **call)

    yield once
    for model in models:
        await model.aclose()


async def test_every_parameter_reaches_the_wire_and_the_record(stub: Stub, ask: Any) -> None:
    options = {
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 64,
        "reasoning_effort": "low",
        "extra": {"top_k": 20, "chat_template_kwargs": {"enable_thinking": False}},
    }
    await ask(HI, options=options, seed=7, tools=[TOOL], schema=SCHEMA)
    form = {"name": "verdict", "strict": True, "schema": SCHEMA}
    assert stub.bodies == [
        {
            "model": "m",
            "messages": HI,
            "temperature": 0.5,
            "top_p": 0.9,
            "max_tokens": 64,
            "reasoning_effort": "low",
            "top_k": 20,
            "chat_template_kwargs": {"enable_thinking": False},
            "seed": 7,
            "tools": [TOOL],
            "response_format": {"type": "json_schema", "json_schema": form},
        }
    ]
    assert HttpModel(spec(stub.url, **options)).settings == {"model": "openai/m", "base_url": stub.url, **options}


async def test_nothing_that_was_not_asked_for_is_sent(stub: Stub, ask: Any) -> None:
    await ask(HI, options={"seed": False}, seed=7)
    assert stub.bodies == [{"model": "m", "messages": HI}]
    assert "Cookie" not in stub.headers[0]


async def test_pictures_and_every_script_pass_unchanged(stub: Stub, ask: Any) -> None:
    content = [
        {"type": "text", "text": "看这张片子 🩻"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "high"}},
    ]
    await ask([{"role": "user", "content": content}])
    assert stub.bodies[0]["messages"][0]["content"] == content


async def test_a_request_of_megabytes_is_sent_whole(stub: Stub, ask: Any) -> None:
    picture = "data:image/png;base64," + "iVBORw0KGgo=" * 250_000
    await ask([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": picture}}]}])
    assert stub.bodies[0]["messages"][0]["content"][0]["image_url"]["url"] == picture
    assert int(stub.headers[0]["Content-Length"]) > len(picture)


async def test_half_a_surrogate_pair_does_not_end_the_run(stub: Stub, ask: Any) -> None:
    reply = await ask([{"role": "user", "content": "broken \ud83d here"}])
    assert reply.text == "Hello."
    assert stub.bodies[0]["messages"][0]["content"] == "broken ? here"


async def test_the_key_goes_into_the_header_and_nowhere_else(
    stub: Stub, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "opaque0123456789token"  # noqa: S105 - it opens nothing
    monkeypatch.setenv("MY_KEY", f" {secret}\n")
    model = HttpModel(spec(stub.url, api_key_env="MY_KEY"))
    refused = web.json_response({"error": {"message": f"bad key {secret}"}}, status=401)
    stub.answers = [lambda _: refused, {"you sent": secret}, said(None, refusal=f"Not with {secret}.")]
    for kind in (Rejected, BadReply, Refusal):
        with pytest.raises(kind) as failed:
            await model.chat(HI)
        assert secret not in str(failed.value)
    await model.aclose()
    assert stub.headers[0]["Authorization"] == f"Bearer {secret}"
    assert secret not in repr(model) + json.dumps(dict(model.settings))


async def test_without_a_key_none_is_sent_to_a_server_of_ones_own(stub: Stub, ask: Any) -> None:
    await ask()
    assert "Authorization" not in stub.headers[0]


@pytest.mark.parametrize("field", ["messages", "model", "stream", "n"])
def test_what_makes_an_answer_ours_cannot_be_set_beside_it(field: str) -> None:
    with pytest.raises(ConfigError, match=field):
        HttpModel(spec("http://127.0.0.1:1/v1", extra={field: 1}))


@pytest.mark.usefixtures("stub")
def test_openai_itself_wants_a_key() -> None:
    with pytest.raises(ConfigError, match="OTHER_KEY"):
        HttpModel(ModelSpec(provider="openai", model="m", api_key_env="OTHER_KEY"))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/v1",
        "host:8000",
        "http://",
        "http://host:99999/v1",
        "http://user:hidden@host/v1",
        "http://h/v1?k=hidden",
    ],
)
def test_an_address_that_cannot_be_used_is_named_but_no_password(url: str) -> None:
    with pytest.raises(ConfigError, match="base_url") as failed:
        HttpModel(spec(url))
    assert "hidden" not in str(failed.value)


def test_a_key_that_is_none_is_named_but_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hid\r\nX-Evil: 1")
    with pytest.raises(ConfigError, match="OPENAI_API_KEY") as failed:
        HttpModel(spec("http://127.0.0.1:1/v1"))
    assert "hid" not in str(failed.value)


async def test_the_address_may_come_from_the_environment(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", stub.url + "/")
    model = HttpModel(ModelSpec(provider="openai", model="m"))
    assert (await model.chat(HI)).text == "Hello."
    await model.aclose()


async def test_a_server_that_refuses_a_schema_is_asked_in_the_next_way_and_remembered(stub: Stub) -> None:
    def picky(body: dict[str, Any]) -> Any:
        if "response_format" in body:
            return web.json_response({"error": {"message": "response_format is not supported"}}, status=400)
        return said('{"met": true}')

    stub.answers = [picky]
    model = HttpModel(spec(stub.url))
    for _ in range(2):
        assert (await model.chat(HI, schema=SCHEMA)).parsed == {"met": True}
    await model.aclose()
    ways = [b.get("response_format", {}).get("type") for b in stub.bodies]
    assert ways == ["json_schema", "json_object", None, None]
    assert '"met"' in stub.bodies[-1]["messages"][-1]["content"]


async def test_a_refusal_of_something_else_is_not_taken_for_one_of_the_schema(stub: Stub, ask: Any) -> None:
    stub.answers = [failing(400, "temperature must be below 2")]
    with pytest.raises(Rejected, match="temperature must be below 2"):
        await ask(HI, schema=SCHEMA)
    assert len(stub.bodies) == 1


async def test_a_server_that_takes_no_way_ends_with_its_own_words(stub: Stub, ask: Any) -> None:
    stub.answers = [failing(400, "response_format, max_tokens or max_completion_tokens are wrong")]
    with pytest.raises(Rejected, match="are wrong"):
        await ask(HI, schema=SCHEMA, options={"max_tokens": 5})
    assert len(stub.bodies) <= 5


async def test_the_other_name_of_the_token_limit_is_learned(stub: Stub) -> None:
    def newer(body: dict[str, Any]) -> Any:
        if "max_tokens" in body:
            return web.json_response({"error": {"message": "Use 'max_completion_tokens' instead."}}, status=400)
        return said()

    stub.answers = [newer]
    model = HttpModel(spec(stub.url, max_tokens=9))
    for _ in range(2):
        await model.chat(HI)
    await model.aclose()
    assert [b.get("max_completion_tokens") for b in stub.bodies] == [None, 9, 9]


async def _hang(_: Any) -> Any:
    await asyncio.sleep(30)


async def _slow_body(_: Any, request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"{")
    await asyncio.sleep(30)
    return response


async def _closed(_: Any, request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def _half(_: Any, request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"choices": [')
    assert request.transport is not None
    request.transport.close()
    return response


async def _endless(_: Any, request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" " * 65_536)


def _text(text: str | bytes, status: int = 200, **headers: str) -> Any:
    body = text.encode() if isinstance(text, str) else text
    return lambda _: web.Response(body=body, status=status, headers=headers)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (_text(""), BadReply),
        (_text("null"), BadReply),
        (_text(json.dumps(said())[:60]), BadReply),
        (_text("<html><h1>Welcome</h1></html>"), BadReply),
        (_text(b"\xff\xfe\x00{}"), BadReply),
        (_text("[" * 200_000), BadReply),
        (said(None), BadReply),
        ({"choices": []}, BadReply),
        (_endless, BadReply),
        (_text(" " * (http.MAX_BYTES + 1)), BadReply),
        (said(None, refusal="No."), Refusal),
        (_text("<html><title>502 Bad Gateway</title></html>", 502), Unavailable),
        (_text("", 503), Unavailable),
        (_text("", 302, Location="http://127.0.0.1:9/"), Rejected),
        (_text("", 404), Rejected),
        (_closed, Unavailable),
        (_half, Unavailable),
        (_hang, ProviderTimeout),
        (_slow_body, ProviderTimeout),
        *((_text(text, 400), ContextOverflow) for text in OVERFLOWS.values()),
    ],
)
async def test_odd_answers_have_a_name_each(stub: Stub, ask: Any, answer: Any, kind: type[ProviderError]) -> None:
    stub.answers = [answer]
    with pytest.raises(kind) as failed:
        await ask(options={"attempt_s": 0.5 if kind is ProviderTimeout else 10})
    assert len(str(failed.value)) < 500


async def test_a_long_answer_that_is_not_too_long_is_read(stub: Stub, ask: Any) -> None:
    stub.answers = [said("x" * 2**20)]
    assert len((await ask()).text) == 2**20


async def test_nobody_listening_is_unavailable() -> None:
    model = HttpModel(spec("http://127.0.0.1:9/v1"))
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9"):
        await model.chat(HI)
    await model.aclose()


async def test_what_the_server_wants_to_wait_goes_with_the_error(stub: Stub, ask: Any) -> None:
    stub.answers = [failing(429, "slow down", Retry_After="3")]
    with pytest.raises(RateLimited, match="slow down") as failed:
        await ask()
    assert failed.value.retry_after == 3


async def test_a_cancelled_call_leaves_nothing_behind(stub: Stub) -> None:
    stub.answers = [_hang, said()]
    model = HttpModel(spec(stub.url))
    task = asyncio.create_task(model.chat(HI))
    await stub.began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # The connection is closed, so the server computes no answer that nobody waits for.
    await asyncio.wait_for(stub.ended.wait(), 2)
    assert (await model.chat(HI)).text == "Hello."
    await model.aclose()


async def test_one_model_serves_several_event_loops_and_ends_with_each(stub: Stub) -> None:
    model = HttpModel(spec(stub.url))

    def elsewhere() -> str:
        return asyncio.run(model.chat(HI)).text

    assert (await model.chat(HI)).text == "Hello."
    for _ in range(3):
        assert await asyncio.to_thread(elsewhere) == "Hello."
    assert (await model.chat(HI)).text == "Hello."
    await model.aclose()
    gc.collect()  # an unclosed session or connection would warn now, and a warning is an error


async def test_closing_reaches_a_loop_that_runs_in_another_thread(stub: Stub) -> None:
    model = HttpModel(spec(stub.url))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        future = asyncio.run_coroutine_threadsafe(model.chat(HI), loop)
        assert (await asyncio.wrap_future(future)).text == "Hello."
        await model.aclose()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        await asyncio.to_thread(thread.join)
        loop.close()
    gc.collect()


async def test_connections_are_used_again_by_all_models_of_a_server(stub: Stub) -> None:
    peers = set()

    def peer(_: Any, request: web.Request) -> Any:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return said()

    stub.answers = [peer]
    doctor, judge = HttpModel(spec(stub.url)), HttpModel(spec(stub.url, temperature=0))
    for _ in range(3):
        await doctor.chat(HI)
        await judge.chat(HI)
    await doctor.aclose()
    await doctor.aclose()  # twice is once
    await judge.chat(HI)
    await judge.aclose()
    assert len(peers) == 1


def test_who_closes_nothing_is_not_told_so_as_the_program_ends() -> None:
    program = """
import asyncio, sys, threading
from aiohttp import web
from clinic_sim.models.build import make_model

async def answer(request):
    return web.json_response({"choices": [{"message": {"content": "Hello."}}]})

async def serve():
    app = web.Application()
    app.router.add_post("/v1/chat/completions", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner.addresses[0][1]

loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, daemon=True).start()
port = asyncio.run_coroutine_threadsafe(serve(), loop).result()
model = make_model(f"openai/m?base_url=http://127.0.0.1:{port}/v1")
print(asyncio.run_coroutine_threadsafe(model.chat([{"role": "user", "content": "Hi."}]), loop).result().text)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "Hello.\n"
    assert "Unclosed client session" not in done.stderr
