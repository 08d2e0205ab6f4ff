"""`Ways`: how a model of a server wants to be asked, as far as the server has said so by refusing another way.

Both HTTP clients ask through it, so that both adapt, read answers and tell failures in the same way; how a request gets
to the server and what comes back is the client's.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from clinic_sim.errors import BadReply, ConfigError, ProviderError, Rejected
from clinic_sim.models import wire
from clinic_sim.models.chat import Message, Reply, Schema, Tool
from clinic_sim.models.spec import ModelSpec

_OURS = ("messages", "model", "stream", "n")
"""Fields of a request that `extra` cannot set: the record and the answer would be of something else."""
_ABOUT_OBJECTS = re.compile(r"response.?format|json.?schema|json.?object|structured|grammar|guided", re.IGNORECASE)
REFUSED = (400, 422)
"""Statuses under which servers refuse a parameter."""
MOST = len(wire.STRUCTURED) + 1
"""Times that one call may be asked in another way: each way for an object, and the other name of the limit."""
_READ = 4_000
"""Bytes of a refusal that are read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sent back, whatever its status."""

    status: int
    body: bytes
    retry_after: str | None = None
    """The header of that name."""


Send = Callable[[dict[str, Any]], Awaitable[Answer]]
"""Brings the body of a request to the server; raises ProviderError where nothing comes back."""


class Ways:
    """The ways of one model; learned once, and kept for all its calls.

    Args:
        spec: The model and its parameters.
        newer_limit: The limit of tokens has its newer name at first.
        key: The server's key, which no message of ours may repeat.

    Raises:
        ConfigError: `extra` sets what is not its own to set.
    """

    __slots__ = ("_key", "_spec", "newer_limit", "static", "structured")

    def __init__(self, spec: ModelSpec, *, newer_limit: bool, key: str = "") -> None:
        for field in _OURS:
            if field in spec.extra:
                raise ConfigError(f"model {spec.name!r}: `extra` cannot set {field!r}")
        self._spec = spec
        self._key = key
        self.newer_limit = newer_limit
        self.structured: str = spec.structured
        """How an object is asked for now."""
        self.static = wire.static_body(spec, newer_limit=newer_limit)
        """The part of the body that every request has now."""

    async def ask(
        self,
        send: Send,
        messages: Sequence[Message],
        schema: Schema | None,
        tools: Sequence[Tool] | None,
        seed: int | None,
    ) -> Reply:
        """One attempt, and one more for each parameter that the server asks to be sent another way.

        Raises:
            ProviderError: there is no usable answer.
        """
        seed = seed if self._spec.seed else None
        tries = MOST
        while True:
            tries -= 1
            structured, newer = self.structured, self.newer_limit
            answer = await send(wire.request_body(self.static, messages, schema, tools, seed, structured))
            if answer.status < 300:
                return self._read(answer.body, schema)
            told = self._text(answer.body)
            error = wire.failure(answer.status, told)
            adaptable = isinstance(error, Rejected) and answer.status in REFUSED and tries > 0
            if not adaptable or not self.learn(told, structured, newer, object_wanted=schema is not None):
                error.retry_after = wire.retry_after(answer.retry_after)
                raise error

    def _read(self, body: bytes, schema: Schema | None) -> Reply:
        try:
            data = orjson.loads(body)
        except (ValueError, RecursionError) as exc:
            raise BadReply(f"{self._spec.name}: the answer is no JSON: {wire.shown(self._text(body))}") from exc
        try:
            return wire.read_reply(data, schema)
        except ProviderError as exc:
            exc.args = (self.without_key(str(exc)),)
            raise

    def _text(self, body: bytes) -> str:
        return self.without_key(body[:_READ].decode("utf-8", "replace"))

    def without_key(self, text: str) -> str:
        """A text for a message; never the key, whoever repeats it."""
        return text.replace(self._key, "***") if self._key else text

    def learn(self, told: str, structured: str, newer_limit: bool, *, object_wanted: bool) -> bool:
        """Remember another way to send a parameter that the server refused; False where there is none.

        Args:
            told: What the server said.
            structured: How the refused request asked for an object; another call may have learned since.
            newer_limit: Which name of the limit it used.
            object_wanted: It asked for an object at all.
        """
        limited = self._spec.max_tokens is not None
        other = "max_tokens" if newer_limit else "max_completion_tokens"
        if limited and other in told:
            if self.newer_limit == newer_limit:
                self.newer_limit = not newer_limit
                self.static = wire.static_body(self._spec, newer_limit=self.newer_limit)
            return True
        if object_wanted and structured != wire.STRUCTURED[-1] and _ABOUT_OBJECTS.search(told):
            if self.structured == structured:
                self.structured = wire.STRUCTURED[wire.STRUCTURED.index(structured) + 1]
            return True
        return False
