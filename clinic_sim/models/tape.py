"""`Tape`: the recorded replies of one episode, for replay and for going on where a killed run stopped.

A reply is on the tape by role and number within the role, with the key of the request that it answered. Replaying, a
request must have the same key; where the tape ends, live calls take over (or, when `only_replay`, an error says so).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from clinic_sim.errors import ProviderError, ReplayMismatch
from clinic_sim.models.chat import Reply, ToolCall, Usage

Sink = Callable[[dict[str, Any]], None]


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
        found["error"] = {"type": type(answer).__name__, "message": str(answer)}
    else:
        found["reply"] = asdict(answer)
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


def _failure(data: Mapping[str, str]) -> ProviderError:
    kind = next((k for k in ProviderError.__subclasses__() if k.__name__ == data["type"]), ProviderError)
    return kind(data["message"])
