"""`ScriptedModel`: a model whose replies are written down or computed: for tests, attacks and examples.

`scripted/FILE` reads a JSON list of replies; each is a text, or an object with the fields of `Reply`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from clinic_sim.errors import ConfigError, ProviderError
from clinic_sim.models.chat import Message, Reply, Schema, Tool, ToolCall, Usage
from clinic_sim.models.structured import parse_object

Answer = str | Reply | Mapping[str, Any] | ProviderError
Script = Callable[[Sequence[Message]], Answer]


class ScriptedModel:
    """Answers from a script; deterministic, and never waits.

    Args:
        script: A function of the messages, or replies that are given in order, the last one again and again.
    """

    suspends = False

    def __init__(self, script: Script | Iterable[Answer], *, name: str = "scripted/script") -> None:
        self.name = name
        self.settings: Mapping[str, Any] = {}
        self.requests: list[dict[str, Any]] = []
        """What was asked, in order: `messages`, `schema`, `tools`, `seed`."""
        self._script = script if callable(script) else None
        self._answers = [] if callable(script) else list(script)
        if self._script is None and not self._answers:
            raise ConfigError(f"{name}: a script needs at least one reply")

    @classmethod
    def from_file(cls, path: Path) -> ScriptedModel:
        """The model of a JSON file.

        Raises:
            ConfigError: it cannot be read, or is no list of replies.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as exc:
            raise ConfigError(f"scripted/{path}: cannot be read as JSON: {exc}") from exc
        if not isinstance(data, list) or not data or not all(isinstance(a, str | dict) for a in data):
            raise ConfigError(f"scripted/{path}: wants a JSON list of texts or reply objects")
        for answer in data:
            _reply(answer, None)  # a wrong field is an error now, not in the middle of an episode
        return cls(data, name=f"scripted/{path}")

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        schema: Schema | None = None,
        tools: Sequence[Tool] | None = None,
        seed: int | None = None,
    ) -> Reply:
        """The script's next reply."""
        self.requests.append({"messages": list(messages), "schema": schema, "tools": tools, "seed": seed})
        if self._script is not None:
            answer: Answer = self._script(messages)
        else:
            answer = self._answers[min(len(self.requests), len(self._answers)) - 1]
        if isinstance(answer, ProviderError):
            raise answer
        return _reply(answer, schema)

    async def aclose(self) -> None:
        """Nothing to release."""


def _reply(answer: str | Reply | Mapping[str, Any], schema: Schema | None) -> Reply:
    if isinstance(answer, Reply):
        return answer
    if isinstance(answer, str):
        return Reply(answer, parse_object(answer, schema) if schema else None, usage=Usage())
    data = dict(answer)
    try:
        usage = data.pop("usage", {})
        calls = tuple(ToolCall(**c) for c in data.pop("tool_calls", ()))
        text = data.pop("text", "")
        if not isinstance(text, str):
            raise TypeError(f"text {text!r} is no text")
        parsed = parse_object(text, schema) if schema else None
        return Reply(
            text,
            parsed,
            calls,
            None if usage is None else Usage(**usage),
            data.pop("finish_reason", "tool_calls" if calls else "stop"),
            **data,
        )
    except TypeError as exc:
        raise ConfigError(f"a scripted reply has a field that does not fit: {exc}") from exc
