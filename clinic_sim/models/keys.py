"""What determines a reply, as one hash: the key of the cache and of a recording."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
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
    request: Mapping[str, Any] = {
        "model": model.name,
        "settings": {k: v for k, v in model.settings.items() if k not in INDIFFERENT},
        "messages": list(messages),
        "schema": schema,
        "tools": list(tools) if tools else None,
        "seed": seed,
    }
    try:
        text = orjson.dumps(request, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # half a surrogate pair, which a model may have written
        text = _ENCODER.encode(request).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:32]
