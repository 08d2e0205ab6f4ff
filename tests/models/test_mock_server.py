"""The mock server: it plays every role in a form that our readers take, injects what it is told, and counts truly."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from clinic_sim.clinic import codec
from clinic_sim.clinic.actions import Ask, Conclude
from clinic_sim.doctors.prompts import system_prompt
from clinic_sim.doctors.tools import ACTION_SCHEMA, tools
from clinic_sim.judge import prompts as judge_prompts
from clinic_sim.models import wire
from clinic_sim.models.structured import parse_object

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
import mock_server
from mock_answers import answer, role_of
from mock_server import MockServer
from mock_stats import State, stats, tokens


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer(latency_ms=0) as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(server: MockServer) -> None:
    server.configure(latency_ms=0, p500=0, p429=0, pmal=0, phang=0, down=0, conclude_at=8, seed=1)
    server.reset()


def post(server: MockServer, body: object, path: str = "/chat/completions") -> tuple[int, Any, dict[str, str]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data=data)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=10) as got:  # noqa: S310
            return got.status, json.load(got), dict(got.headers)
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, json.load(exc), dict(exc.headers)


def system(text: str) -> list[dict[str, Any]]:
    return [{"role": "system", "content": text}]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("form", ["text", "json", "tools"])
def test_a_doctor_asks_and_then_concludes_in_every_form(language: str, form: Any) -> None:
    state = State()
    state.options["conclude_at"] = 3
    messages = [
        *system(system_prompt(language, form)),
        {"role": "user", "content": "看病" if language == "zh" else "Hi"},
    ]
    request: dict[str, Any] = {"messages": messages}
    if form == "tools":
        request["tools"] = tools(language)
    if form == "json":
        request = wire.request_body({}, messages, ACTION_SCHEMA, None, None, "json_schema")
    assert role_of(messages) == "doctor"
    said: list[Any] = []
    for _ in range(3):
        reply = wire.read_reply(
            {"choices": [{"message": answer("doctor", {**request, "messages": messages}, state)}]},
            ACTION_SCHEMA if form == "json" else None,
        )
        if form == "json":
            assert reply.parsed is not None
        raw: Any = reply.parsed if form == "json" else reply.text
        if form == "tools":
            raw = {"tool_calls": [{"name": c.name, "arguments": c.arguments} for c in reply.tool_calls]}
        said.append(codec.parse(raw, language))
        messages = [*messages, {"role": "assistant", "content": reply.text}, {"role": "user", "content": "..."}]
    assert [type(a) for a in said] == [Ask, Ask, Conclude]
    assert said[0].text != said[1].text
    assert said[2].diagnosis


@pytest.mark.parametrize(
    "names", [("ask", "conclude"), ("ask_patient", "order", "conclude"), ("conclude", "ask_patient")]
)
def test_a_doctor_calls_the_tools_that_it_is_offered(names: tuple[str, ...]) -> None:
    offered = [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in names]
    messages = [*system("You are a doctor."), {"role": "user", "content": "Hi"}]
    called = []
    for conclude_at in (8, 1):
        state = State()
        state.options["conclude_at"] = conclude_at
        said = answer("doctor", {"messages": messages, "tools": offered}, state)
        called.append(said["tool_calls"][0]["function"]["name"])
    assert called == [next(name for name in names if name.startswith("ask")), "conclude"]


def test_a_doctor_whose_tools_are_of_another_kind_says_what_it_would_do() -> None:
    offered = [{"type": "function", "function": {"name": "search", "parameters": {"type": "object"}}}]
    said = answer("doctor", {"messages": system("You are a doctor."), "tools": offered}, State())
    assert said["content"].startswith("ASK: ")


def test_a_judge_answers_every_question_once() -> None:
    asked = "Questions:\n- [k1] Was the doctor clear?\n- [k2] 医生是否写下了结论？\nTranscript: ..."
    content = answer("judge", {"messages": [*system("ROLE: JUDGE"), {"role": "user", "content": asked}]}, State())
    parsed = parse_object(content["content"], judge_prompts.SCHEMA)
    assert parsed is not None
    assert [(v["id"], v["met"]) for v in parsed["verdicts"]] == [("k1", False), ("k2", True)]


def test_who_is_asked_is_told_by_the_first_line() -> None:
    assert role_of(system("ROLE: PATIENT\nmore")) == "patient"
    assert role_of([{"role": "system", "content": [{"type": "text", "text": "ROLE: CHIEF\n"}]}]) == "chief"
    assert role_of(system("You are a doctor.")) == role_of([]) == "doctor"


def test_a_completion_has_what_clients_read(server: MockServer) -> None:
    status, data, _ = post(server, {"model": "m", "messages": system("ROLE: DOCTOR")})
    assert status == 200
    reply = wire.read_reply(data, None)
    assert reply.text
    assert reply.usage is not None
    assert reply.usage.input == tokens("ROLE: DOCTOR")
    assert data["model"] == "m"
    with urllib.request.urlopen(server.url + "/models", timeout=10) as got:  # noqa: S310
        assert json.load(got)["data"]


def test_pictures_are_no_trouble(server: MockServer) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    content = [{"type": "text", "text": "看"}, picture]
    status, _, _ = post(server, {"model": "m", "messages": [{"role": "user", "content": content}]})
    assert status == 200
    assert server.stats()["prompt_tokens"] > 0


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"messages": 5}', b'{"messages": []}', b"\xff"])
def test_a_request_that_is_none_is_refused_and_the_server_lives(server: MockServer, body: bytes) -> None:
    status, data, _ = post(server, body)
    assert status == 400
    assert data["error"]["message"]
    assert post(server, {"messages": system("ROLE: DOCTOR")})[0] == 200


@pytest.mark.parametrize("options", [{"p50": 1}, {"p500": "often"}, {"latency_ms": None}])
def test_an_option_that_is_none_is_refused(server: MockServer, options: dict[str, Any]) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        server.configure(**options)
    with refused.value:
        assert refused.value.code == 400
    assert post(server, {"messages": system("ROLE: DOCTOR")})[0] == 200


def test_an_option_that_does_not_exist_is_named_at_the_start() -> None:
    with pytest.raises(ValueError, match="latency"):
        MockServer(latency=5)


@pytest.mark.parametrize(
    ("options", "status", "fault"),
    [({"p500": 1}, 500, "http500"), ({"down": 1}, 500, "http500"), ({"p429": 1, "retry_after_s": 2.5}, 429, "http429")],
)
def test_faults_are_injected_and_counted(server: MockServer, options: dict[str, Any], status: int, fault: str) -> None:
    server.configure(**options)
    for _ in range(3):
        code, data, headers = post(server, {"messages": system("ROLE: DOCTOR")})
        assert code == status
        assert data["error"]["message"]
        if fault == "http429":
            assert float({k.lower(): v for k, v in headers.items()}["retry-after"]) == 2.5
    assert server.stats()["faults"] == {"http500": 0, "http429": 0, "malformed": 0, "hang": 0} | {fault: 3}


def test_a_malformed_answer_is_no_json(server: MockServer) -> None:
    server.configure(pmal=1)
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        post(server, {"messages": system("ROLE: DOCTOR")})
    assert server.stats()["faults"]["malformed"] == 1


def test_a_hang_ends_without_an_answer(server: MockServer) -> None:
    server.configure(phang=1, hang_s=0.2)
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        post(server, {"messages": system("ROLE: DOCTOR")})
    assert server.stats()["faults"]["hang"] == 1


def test_the_mix_is_as_often_as_it_says_and_the_same_each_time(server: MockServer) -> None:
    mix = {"p500": 0.1, "p429": 0.1, "pmal": 0.1, "seed": 7}

    async def many() -> None:
        async with aiohttp.ClientSession() as session:
            for _ in range(300):
                body = {"messages": system("ROLE: DOCTOR")}
                async with session.post(server.url + "/chat/completions", json=body) as got:
                    await got.read()

    seen = []
    for _ in range(2):
        server.configure(**mix)
        server.reset()
        asyncio.run(many())
        seen.append(server.stats()["faults"])
    assert seen[0] == seen[1]
    assert all(15 <= seen[0][fault] <= 50 for fault in ("http500", "http429", "malformed"))


async def test_latency_is_kept_for_many_at_once(server: MockServer) -> None:
    server.configure(latency_ms=100)
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def one() -> float:
            began = loop.time()
            async with session.post(server.url + "/chat/completions", json={"messages": system("ROLE: DOCTOR")}) as got:
                await got.read()
            return loop.time() - began

        began = loop.time()
        times = await asyncio.gather(*(one() for _ in range(50)))
    assert min(times) >= 0.099
    assert loop.time() - began < 4
    assert server.stats()["peak"] == 50


def test_a_request_in_pieces_and_two_in_one_connection_are_read(server: MockServer) -> None:
    host, port = server.url.removeprefix("http://").removesuffix("/v1").split(":")
    body = json.dumps({"messages": system("ROLE: DOCTOR")}).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nCONTENT-LENGTH: %d\r\n\r\n" % len(body)
    with socket.create_connection((host, int(port)), timeout=10) as s:
        for _ in range(2):
            for n in range(0, len(head + body), 40):
                s.sendall((head + body)[n : n + 40])
            found = b""
            while b'"usage"' not in found:
                found += s.recv(65_536)
            assert found.startswith(b"HTTP/1.1 200")


def test_a_client_that_hangs_up_is_forgotten(server: MockServer) -> None:
    server.configure(latency_ms=200)
    body = json.dumps({"messages": system("ROLE: DOCTOR")}).encode()
    host, port = server.url.removeprefix("http://").removesuffix("/v1").split(":")
    for _ in range(3):
        with socket.create_connection((host, int(port)), timeout=10) as s:
            s.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    server.configure(latency_ms=0)
    assert post(server, {"messages": system("ROLE: DOCTOR")})[0] == 200


def _state(*prompts: list[str]) -> dict[str, Any]:
    state = State()
    for prompt in prompts:
        messages = [{"role": "assistant" if n % 2 else "user", "content": text} for n, text in enumerate(prompt)]
        state.requests.append((role_of(messages), messages))
    return stats(state)


def test_the_share_of_repeated_prefixes_is_counted_as_a_server_would_cache_it() -> None:
    long, other = "a" * 4_000, "b" * 4_000
    assert _state([long], [other])["prefix_share"] < 0.002
    assert 0.49 < _state([long], [long])["prefix_share"] <= 0.5
    assert 0.3 < _state([long], [long, "x", other])["prefix_share"] < 0.34
    half = long[:2_000] + other[:2_000]
    assert 0.24 < _state([long], [half])["prefix_share"] < 0.26
    assert _state([long, other], [other, long])["prefix_share"] < 0.002, "what comes after a difference is never shared"
    assert _state()["prefix_share"] is None
    grown = [["s" * 4_000, *["t" * 40] * n] for n in (0, 2, 4, 6)]
    found = _state(*grown)
    assert found["prefix_share_from_3"] > 0.95
    assert found["by_role"] == {"doctor": 4}


def test_the_program_says_its_port_and_ends_when_told() -> None:
    command = [sys.executable, mock_server.__file__, "--port", "0", "--max-seconds", "0.3", "--p500", "0.5"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0
