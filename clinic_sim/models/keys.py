"""What determines a reply, as one hash: the key of the cache and of a recording."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from operator import is_
from typing import Any
from zlib import crc32

import orjson

from clinic_sim.models.chat import ChatModel, Message, Schema, Tool

INDIFFERENT = frozenset(
    (
        "base_url",
        "attempts",
        "connect_s",
        "attempt_s",
        "total_s",
        "concurrency",
        "price_in",
        "price_out",
        "price_cached",
    )
)
"""Settings that change where from and how soon a reply comes and what it costs, not what was asked."""
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def call_seed(seed: int, role: str, n: int) -> int:
    """The sampling seed of a role's call: the same in every run of the same episode, another for each call."""
    return crc32(f"{seed}:{role}:{n}".encode()) & 0x7FFFFFFF


def request_key(
    model: ChatModel,
    messages: Sequence[Message],
    schema: Schema | None = None,
    tools: Sequence[Tool] | None = None,
    seed: int | None = None,
) -> str:
    """SHA-256 over all that determines a reply: model, settings, messages, schema, tools and seed; 32 hex digits."""
    request = {"messages": list(messages), **_beside(model, schema, tools, seed)}
    try:
        text = orjson.dumps(request, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # half a surrogate pair, which a model may have written
        text = _ENCODER.encode(request).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:32]


class RequestKeys:
    """The keys of requests of which most go on from the one before: what they begin with is hashed once.

    A message must not be changed once it was part of a request; another one in its place is seen.
    """

    __slots__ = ("_begun", "_hash")

    def __init__(self) -> None:
        self._begun: list[Message] = []
        """The messages that are in the hash."""
        self._hash = hashlib.sha256(_BEFORE)

    def key(
        self,
        model: ChatModel,
        messages: Sequence[Message],
        schema: Schema | None = None,
        tools: Sequence[Tool] | None = None,
        seed: int | None = None,
    ) -> str:
        """As of `request_key`, to the last digit."""
        if len(self._begun) > len(messages) or not all(map(is_, self._begun, messages)):
            self._begun, self._hash = [], hashlib.sha256(_BEFORE)
        fresh = list(messages[len(self._begun) :])
        try:
            more = orjson.dumps(fresh, option=orjson.OPT_SORT_KEYS)[1:-1]
            beside = orjson.dumps(_beside(model, schema, tools, seed), option=orjson.OPT_SORT_KEYS)
        except TypeError:
            return request_key(model, messages, schema, tools, seed)
        if fresh:
            self._hash.update(b"," + more if self._begun else more)
            self._begun += fresh
        whole = self._hash.copy()
        whole.update(b"]," + beside[1:])
        return whole.hexdigest()[:32]


_BEFORE = b'{"messages":['
"""Sorted by name, the messages stand before all else in a request."""


def _beside(model: ChatModel, schema: Schema | None, tools: Sequence[Tool] | None, seed: int | None) -> dict[str, Any]:
    """What determines a reply beside the messages."""
    return {
        "model": model.name,
        "settings": {k: v for k, v in model.settings.items() if k not in INDIFFERENT},
        "schema": schema,
        "tools": list(tools) if tools else None,
        "seed": seed,
    }
