#!/usr/bin/env python3
"""A mock of an OpenAI-compatible chat-completions server on loopback: fixed latency, injected faults, counted prefixes.

    python bench/mock_server.py --port 8100 --latency-ms 50

POST /v1/chat/completions answers in the roles of clinic_sim, told apart by the first line of the system prompt. GET
/stats counts requests, faults and the share of prompt tokens that repeat an earlier request's prefix; POST /reset
forgets them; POST /config takes JSON with any of the options. It speaks HTTP on a bare asyncio protocol, so that the
mock costs little beside what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import urllib.request
from types import TracebackType
from typing import Any, ClassVar

from mock_answers import answer, role_of
from mock_stats import OPTIONS, State, stats, text_of, tokens

try:
    import orjson

    _load, _dump = orjson.loads, orjson.dumps
except ImportError:
    _load = json.loads

    def _dump(data: Any) -> bytes:
        return json.dumps(data, ensure_ascii=False).encode()


class Server(asyncio.Protocol):
    """One connection: HTTP/1.1 with keep-alive, bodies by Content-Length, no pipelining."""

    state: ClassVar[State]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            head, mark, rest = self.buffer.partition(b"\r\n\r\n")
            if not mark:
                return
            lowered = head.lower()
            at = lowered.find(b"content-length:")
            length = int(lowered[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            self.route(head.split(b"\r\n", 1)[0].split(b" ")[1].decode(), rest[:length])

    def route(self, path: str, body: bytes) -> None:
        state = self.state
        if path.endswith("/chat/completions"):
            request = _object(body)
            messages = request.get("messages")
            if messages and isinstance(messages, list) and all(isinstance(m, dict) for m in messages):
                self.chat(request)
            else:
                self.send(400, b'{"error":{"message":"no request of a chat completion"}}')
        elif path == "/stats":
            self.send(200, _dump(stats(state)))
        elif path == "/reset":
            state.reset()
            self.send(200, b"{}")
        elif path == "/config":
            options = _object(body)
            wrong = [k for k, v in options.items() if k not in OPTIONS or not isinstance(v, int | float)]
            if wrong:
                self.send(400, _dump({"error": {"message": f"no such option, or no number: {wrong}"}}))
            else:
                state.options |= options
                self.send(200, _dump(state.options))
        elif path.endswith("/models"):
            self.send(200, b'{"object":"list","data":[{"id":"mock","object":"model"}]}')
        else:
            self.send(404, b'{"error":{"message":"no such path"}}')

    def chat(self, request: dict[str, Any]) -> None:
        state, options = self.state, self.state.options
        messages = request["messages"]
        role = role_of(messages)
        state.requests.append((role, messages))
        state.inflight += 1
        state.peak = max(state.peak, state.inflight)
        draw = state.random.random()
        status, extra = 200, b""
        if options["down"] or draw < options["p500"]:
            state.faults["http500"] += 1
            status, body = 500, b'{"error":{"message":"injected failure"}}'
        elif draw < options["p500"] + options["p429"]:
            state.faults["http429"] += 1
            status, body = 429, b'{"error":{"message":"injected rate limit"}}'
            extra = b"retry-after: %s\r\n" % f"{options['retry_after_s']:g}".encode()
        else:
            body = _dump(self.completion(request, role, messages))
            rest = draw - options["p500"] - options["p429"]
            if rest < options["pmal"]:
                state.faults["malformed"] += 1
                body = body[: len(body) // 2]
            elif rest < options["pmal"] + options["phang"]:
                state.faults["hang"] += 1
                asyncio.get_running_loop().call_later(options["hang_s"], self.drop)
                return
        delay = options["latency_ms"]
        if options["jitter_ms"]:
            delay += state.random.uniform(-1, 1) * options["jitter_ms"]
        if delay > 0:
            asyncio.get_running_loop().call_later(delay / 1000, self.done, status, body, extra)
        else:
            self.done(status, body, extra)

    def completion(self, request: dict[str, Any], role: str, messages: list[dict[str, Any]]) -> dict[str, Any]:
        message = answer(role, request, self.state)
        used = sum(tokens(text_of(m.get("content"))) for m in messages)
        written = tokens(text_of(message["content"]) or "call")
        return {
            "id": f"chatcmpl-{self.state.sequence}",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": request.get("model", "mock"),
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "tool_calls" if "tool_calls" in message else "stop",
                    "message": {"role": "assistant", **message},
                }
            ],
            "usage": {"prompt_tokens": used, "completion_tokens": written, "total_tokens": used + written},
        }

    def done(self, status: int, body: bytes, extra: bytes) -> None:
        self.state.inflight -= 1
        self.send(status, body, extra)

    def send(self, status: int, body: bytes, extra: bytes = b"") -> None:
        if not self.transport.is_closing():
            head = b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n%s\r\n"
            self.transport.write(head % (status, len(body), extra) + body)

    def drop(self) -> None:
        self.state.inflight -= 1
        self.transport.abort()


def _object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body; empty where it is none."""
    try:
        data = _load(body or b"{}")
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


class MockServer:
    """The mock in a process of its own: `with MockServer(latency_ms=0, p500=0.05) as server: server.url`."""

    def __init__(self, **options: Any) -> None:
        unknown = set(options) - set(OPTIONS)
        if unknown:
            raise ValueError(f"no options {sorted(unknown)}; there are {sorted(OPTIONS)}")
        self._options = options
        self.url = ""

    def __enter__(self) -> MockServer:
        args = [f"--{name.replace('_', '-')}={value}" for name, value in self._options.items()]
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--port", "0", *args], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        port = self._process.stdout.readline().strip()
        if not port.isdigit():
            raise RuntimeError("the mock server did not start")
        self.url = f"http://127.0.0.1:{port}/v1"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def stats(self) -> dict[str, Any]:
        """GET /stats."""
        return self._get("stats")

    def reset(self) -> None:
        """POST /reset."""
        self._get("reset", b"")

    def configure(self, **options: Any) -> None:
        """POST /config."""
        self._get("config", json.dumps(options).encode())

    def _get(self, path: str, body: bytes | None = None) -> dict[str, Any]:
        url = self.url.removesuffix("/v1") + "/" + path
        with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=60) as got:  # noqa: S310
            found: dict[str, Any] = json.load(got)
            return found


async def serve(port: int, options: dict[str, Any], max_seconds: float) -> None:
    """Listen until killed, or for `max_seconds`."""
    state = Server.state = State()
    state.options |= options
    state.reset()
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", port, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.sleep(max_seconds)


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8100, help="0 takes a free one; the port is printed")
    parser.add_argument("--max-seconds", type=float, default=7200.0)
    for name, value in OPTIONS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    args = parser.parse_args()
    try:
        import uvloop

        run: Any = uvloop.run
    except ImportError:
        run = asyncio.run
    run(serve(args.port, {name: getattr(args, name) for name in OPTIONS}, args.max_seconds))


if __name__ == "__main__":
    main()
