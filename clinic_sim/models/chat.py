"""`ChatModel` and what passes through it: messages in OpenAI's shape in, a `Reply` out.

Messages, schemas and tools are plain dicts as the chat-completions wire has them, so that the hot path copies nothing.
Layers (retry, limits, cache) and providers all have this one face.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Message = dict[str, Any]
"""`{"role": "system" | "user" | "assistant" | "tool", "content": str | parts, ...}`."""
Schema = Mapping[str, Any]
"""A JSON Schema of an object; its `title` is the name that servers want."""
Tool = Mapping[str, Any]
"""`{"type": "function", "function": {"name": ..., "description": ..., "parameters": JSON Schema}}`."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one reply, as the server counted them; those of failed attempts before it are among them."""

    input: int = 0
    """All prompt tokens, cached ones included."""
    output: int = 0
    """All completion tokens, reasoning included."""
    cached: int = 0
    """Prompt tokens that the server took from its prefix cache."""
    reasoning: int = 0
    calls: int = 1
    """Answered calls that these are the tokens of: none for a failed attempt, any number for an agent's action."""
    unreported: int = 0
    """Answers among them whose tokens the server did not say: the tokens are lower bounds."""

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input + other.input,
            self.output + other.output,
            self.cached + other.cached,
            self.reasoning + other.reasoning,
            self.calls + other.calls,
            self.unreported + other.unreported,
        )


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One tool call that the model made."""

    id: str
    name: str
    arguments: str
    """JSON text as the model wrote it; it may be no JSON."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answered."""

    text: str
    """What it says; reasoning is apart."""
    parsed: Mapping[str, Any] | None = None
    """The object, where a schema was asked for and the text holds one that fits it; None otherwise."""
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage | None = None
    """None where the server did not say."""
    finish_reason: str = "stop"
    """`stop`, `length`, `tool_calls`, `content_filter`."""
    reasoning: str = ""
    """Reasoning that the server gave apart from the text; never shown to anybody in the clinic."""
    from_cache: bool = False
    """It was answered before and kept: it costs nothing again."""

    @property
    def complete(self) -> bool:
        """Not cut off and not filtered: what may be cached."""
        return self.finish_reason in ("stop", "tool_calls")


class ChatModel(Protocol):
    """Something that answers a list of messages."""

    @property
    def name(self) -> str:
        """`provider/model`."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """The parameters in effect, as plain JSON data for the record; never a key."""

    @property
    def suspends(self) -> bool:
        """It waits for something outside, so an event loop is needed."""

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        schema: Schema | None = None,
        tools: Sequence[Tool] | None = None,
        seed: int | None = None,
    ) -> Reply:
        """Answer.

        Args:
            messages: The conversation so far; not changed, and not kept.
            schema: Ask for a JSON object of this schema; `Reply.parsed` is None where the answer is none.
            tools: Tools that the model may call.
            seed: Sampling seed, where the server takes one.

        Raises:
            ProviderError: there is no usable answer; the subclass says why.
        """

    async def aclose(self) -> None:
        """Release connections; the model is not used again."""
