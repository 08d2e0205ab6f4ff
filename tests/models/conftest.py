"""A server on loopback that answers as a test says, and keeps what it was asked."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

Answer = Callable[[dict[str, Any]], Any]


def said(content: Any = "Hello.", finish: str | None = "stop", **message: Any) -> dict[str, Any]:
    """A chat completion as a server sends it."""
    return {
        "id": "1",
        "object": "chat.completion",
        "choices": [
            {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }


class Stub:
    """The server: `answers` are given in order, the last one again and again.

    An answer is a chat completion, a ready response, or a function of the request's body that gives either.
    """

    def __init__(self) -> None:
        self.answers: list[Any] = [said()]
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.began = asyncio.Event()
        """A request came."""
        self.ended = asyncio.Event()
        """An answer was given, or nobody waits for it any more."""
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.json())
        self.headers.append(dict(request.headers))
        found = self.answers[min(len(self.bodies), len(self.answers)) - 1]
        self.began.set()
        try:
            if callable(found):
                # What needs the request, to break the connection for one, takes it as its second argument.
                wants = len(inspect.signature(found).parameters)
                found = found(self.bodies[-1], request) if wants == 2 else found(self.bodies[-1])
            if inspect.isawaitable(found):
                found = await found
        finally:
            self.ended.set()
        return found if isinstance(found, web.StreamResponse) else web.json_response(found)


def failing(status: int, message: str = "no", **headers: str) -> Answer:
    """Answers with an error in OpenAI's form."""
    return lambda _: web.json_response(
        {"error": {"message": message}}, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


@pytest.fixture
async def stub(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stub]:
    """The server, running."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    found = Stub()
    app = web.Application(client_max_size=64 * 2**20)
    app.router.add_post("/v1/chat/completions", found.answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield found
    await runner.cleanup()
    await asyncio.sleep(0)
