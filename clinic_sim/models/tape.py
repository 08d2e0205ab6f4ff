"""`Tape`: the recorded replies of one episode, for replay and for going on where a killed run stopped.

A reply is on the tape by role and number within the role, with the key of the request that it answered. Replaying, a
request must have the same key; where the tape ends, live calls take over (or, when `only_replay`, an error says so).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from clinic_sim.errors import (
    BadReply,
    ContextOverflow,
    ProviderError,
    ProviderTimeout,
    RateLimited,
    Refusal,
    Rejected,
    ReplayMismatch,
    Unavailable,
)
from clinic_sim.models.chat import Reply, ToolCall, Usage
from clinic_sim.models.wire import EmptyReply

Sink = Callable[[dict[str, Any]], None]

KINDS: dict[str, type[ProviderError]] = {
    kind.__name__: kind
    for kind in (
        ProviderError,
        RateLimited,
        ProviderTimeout,
        Unavailable,
        Rejected,
        ContextOverflow,
        Refusal,
        BadReply,
        EmptyReply,
    )
}
"""Failures that a recording knows; any other is kept as what it is one of."""


class Tape:
    """The recording of one episode.

    Args:
        entries: What was recorded, as `entry` makes it.
        sink: Takes each new entry, as soon as its reply is there; None to keep nothing.
        only_replay: Never call a model; running off the end is an error.
    """

    __slots__ = ("_entries", "_sink", "only_replay")

    def __init__(
        self, entries: Iterable[Mapping[str, Any]] = (), sink: Sink | None = None, *, only_replay: bool = False
    ) -> None:
        self._entries = {(e["role"], e["n"]): e for e in entries}
        self._sink = sink
        self.only_replay = only_replay

    def replay(self, role: str, n: int, key: str) -> Reply | ProviderError | None:
        """The recorded reply, or the recorded failure, of the n-th call of a role; None where the tape has ended.

        Raises:
            ReplayMismatch: the recording is of another request, or has ended and no model may be called.
        """
        entry = self._entries.get((role, n))
        if entry is None:
            if self.only_replay:
                raise ReplayMismatch(
                    f"the recording holds no call {n} of the {role}: it ended earlier; run without --replay to go on"
                )
            return None
        if entry["key"] != key:
            raise ReplayMismatch(
                f"call {n} of the {role} differs from the recorded one ({key} against {entry['key']}): "
                "the case, a prompt, a model's settings or the code changed since; record anew"
            )
        return reply_of(entry)

    def record(self, role: str, n: int, key: str, answer: Reply | ProviderError) -> None:
        """Keep one reply or failure."""
        if self._sink is not None:
            self._sink(entry(role, n, key, answer))


def entry(role: str, n: int, key: str, answer: Reply | ProviderError) -> dict[str, Any]:
    """One call as plain JSON data."""
    found: dict[str, Any] = {"role": role, "n": n, "key": key}
    if isinstance(answer, ProviderError):
        kind = next(k.__name__ for k in type(answer).__mro__ if k.__name__ in KINDS)
        found["error"] = {"type": kind, "message": str(answer)}
        if isinstance(answer.usage, Usage):
            found["error"]["usage"] = _counts(answer.usage)
    else:
        found["reply"] = plain(answer)
    return found


def plain(reply: Reply) -> dict[str, Any]:
    """A reply as plain JSON data."""
    # By hand: `dataclasses.asdict` copies everything, which takes ten times as long in every recorded call.
    return {
        "text": reply.text,
        "parsed": reply.parsed,
        "tool_calls": [{"id": c.id, "name": c.name, "arguments": c.arguments} for c in reply.tool_calls],
        "usage": None if reply.usage is None else _counts(reply.usage),
        "finish_reason": reply.finish_reason,
        "reasoning": reply.reasoning,
        "from_cache": reply.from_cache,
    }


def _counts(usage: Usage) -> dict[str, int]:
    found = {"input": usage.input, "output": usage.output, "cached": usage.cached, "reasoning": usage.reasoning}
    if usage.calls != 1:
        found["calls"] = usage.calls
    if usage.unreported:
        found["unreported"] = usage.unreported
    return found


def reply_of(entry: Mapping[str, Any]) -> Reply | ProviderError:
    """The reply, or the failure, of its plain form; KeyError or TypeError where it is neither."""
    if "error" in entry:
        return _failure(entry["error"])
    data = dict(entry["reply"])
    usage = data.pop("usage")
    calls = tuple(ToolCall(**c) for c in data.pop("tool_calls"))
    if not isinstance(data["text"], str):
        raise TypeError("a reply's text is no text")
    return Reply(**data, tool_calls=calls, usage=None if usage is None else Usage(**usage))


def _failure(data: Mapping[str, Any]) -> ProviderError:
    # Played on as another kind, it could end the episode otherwise than it did.
    error = KINDS[data["type"]](data["message"])
    if "usage" in data:
        error.usage = Usage(**data["usage"])
    return error
