"""What the mock server was asked: its options and counts, and what share of the prompts a prefix cache would have had.

Tokens are estimated.
"""

from __future__ import annotations

import bisect
import json
import random
from typing import Any

OPTIONS: dict[str, Any] = {
    "latency_ms": 50.0,
    "jitter_ms": 0.0,
    "p500": 0.0,
    "p429": 0.0,
    "pmal": 0.0,
    "phang": 0.0,
    "retry_after_s": 1.0,
    "hang_s": 60.0,
    "down": 0,
    "conclude_at": 8,
    "seed": 1,
}


class State:
    """What was asked since the last reset."""

    def __init__(self) -> None:
        self.options = dict(OPTIONS)
        self.sequence = 0
        self.reset()

    def reset(self) -> None:
        self.requests: list[tuple[str, list[dict[str, Any]]]] = []
        self.faults = {"http500": 0, "http429": 0, "malformed": 0, "hang": 0}
        self.random = random.Random(self.options["seed"])  # noqa: S311
        self.inflight = self.peak = 0


def text_of(content: Any) -> str:
    """The text of a message's content, whatever its form."""
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return content or ""


def tokens(text: str) -> int:
    """About how many tokens: four characters each, a Chinese character one."""
    if text.isascii():
        return len(text) // 4 + 1
    han = sum("\u3400" <= c <= "\u9fff" for c in text)
    return han + (len(text) - han) // 4 + 1


def stats(state: State) -> dict[str, Any]:
    """Counts, and how much of the prompts a server with an unbounded prefix cache would have seen before."""
    root: dict[str, Any] = {"kids": {}, "keys": []}
    total: dict[str, list[int]] = {}
    for role, messages in state.requests:
        size, shared = _walk(root, messages)
        turn = sum(m.get("role") == "assistant" for m in messages) + 1
        groups = ["all", role] + (["from_3", f"{role}_from_3"] if turn >= 3 else [])
        for group in groups:
            counts = total.setdefault(group, [0, 0, 0])
            counts[0] += 1
            counts[1] += size
            counts[2] += shared
    share = {group: round(counts[2] / counts[1], 4) for group, counts in total.items() if counts[1]}
    return {
        "requests": len(state.requests),
        "by_role": {role: counts[0] for role, counts in total.items() if "_3" not in role and role != "all"},
        "faults": state.faults,
        "peak": state.peak,
        "prompt_tokens": total.get("all", [0, 0, 0])[1],
        "prefix_share": share.get("all"),
        "prefix_share_from_3": share.get("from_3"),
        "prefix_by_role": share,
    }


def _walk(root: dict[str, Any], messages: list[dict[str, Any]]) -> tuple[int, int]:
    """Tokens of a prompt, and how many of them begin an earlier one; the prompt is remembered."""
    node, size, shared, along = root, 0, 0, True
    for message in messages:
        text = f"{message.get('role')}\0{text_of(message.get('content'))}{json.dumps(message.get('tool_calls', ''))}"
        weight = tokens(text)
        size += weight
        child = node["kids"].get(text)
        if child is None:
            if along:
                at = bisect.bisect_left(node["keys"], text)
                near = node["keys"][max(0, at - 1) : at + 1]
                shared += max((tokens(text[: _common(text, k)]) for k in near), default=0)
                along = False
            bisect.insort(node["keys"], text)
            child = node["kids"][text] = {"kids": {}, "keys": []}
        elif along:
            shared += weight
        node = child
    return size, min(shared, size)


def _common(one: str, two: str) -> int:
    low, high = 0, min(len(one), len(two))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == two[:middle] else (low, middle - 1)
    return low
