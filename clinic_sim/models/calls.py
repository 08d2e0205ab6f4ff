"""`Calls`: every model call of one episode: who asked, what it cost, what was replayed, what is being waited for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from clinic_sim.errors import ProviderError
from clinic_sim.models.chat import ChatModel, Message, Reply, Schema, Tool
from clinic_sim.models.keys import RequestKeys
from clinic_sim.models.tape import Tape
from clinic_sim.models.usage import Prices, RoleUsage


@dataclass(frozen=True, slots=True)
class Wait:
    """One call that has not been answered yet."""

    episode: str
    role: str
    model: str
    since: float
    """`time.monotonic()` when it was made."""


class Waiting:
    """What a run is waiting for; one object for all its episodes, read by the progress line."""

    __slots__ = ("_waits",)

    def __init__(self) -> None:
        self._waits: dict[int, Wait] = {}

    def begin(self, wait: Wait) -> None:
        """The wait is on, until its `end`."""
        self._waits[id(wait)] = wait

    def end(self, wait: Wait) -> None:
        """The wait is over."""
        del self._waits[id(wait)]

    @contextmanager
    def on(self, wait: Wait) -> Iterator[None]:
        """The wait is on while the block runs."""
        self.begin(wait)
        try:
            yield
        finally:
            self.end(wait)

    def longest(self) -> Wait | None:
        """The call that has been waited for longest."""
        return min(self._waits.values(), key=lambda w: w.since, default=None)

    def __len__(self) -> int:
        return len(self._waits)


class Calls:
    """The calls of one episode.

    Args:
        episode: Its name, for the progress line.
        tape: Where replies are recorded, and replayed from.
        waiting: The run's list of unanswered calls.
        gate: Called before each call that is not replayed; what it raises goes to whoever asks.
    """

    __slots__ = ("_counts", "_gate", "_keys", "_tape", "_waiting", "episode", "usage")

    def __init__(
        self,
        episode: str = "",
        *,
        tape: Tape | None = None,
        waiting: Waiting | None = None,
        gate: Callable[[], None] | None = None,
    ) -> None:
        self.episode = episode
        self.usage: dict[str, RoleUsage] = {}
        """Totals by role."""
        self._tape = tape
        self._waiting = waiting
        self._gate = gate
        self._counts: dict[str, int] = {}
        self._keys: dict[str, RequestKeys] = {}

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens of all roles, as far as servers report them."""
        return sum(u.tokens for u in self.usage.values())

    async def ask(
        self,
        role: str,
        model: ChatModel,
        messages: Sequence[Message],
        *,
        schema: Schema | None = None,
        tools: Sequence[Tool] | None = None,
        seed: int | None = None,
    ) -> Reply:
        """One call for a role; arguments as of `ChatModel.chat`.

        A message that was asked with is not changed afterwards; a conversation goes on with more of them.

        Raises:
            ProviderError: there is no usable answer.
            ReplayMismatch: a replayed recording does not hold this call.
        """
        n = self._counts.get(role, 0)
        self._counts[role] = n + 1
        usage = self.usage.get(role)
        if usage is None:
            usage = self.usage[role] = RoleUsage()
        key = ""
        answer: Reply | ProviderError | None = None
        if self._tape is not None:
            keys = self._keys.get(role)
            if keys is None:
                keys = self._keys[role] = RequestKeys()
            key = keys.key(model, messages, schema, tools, seed)
            answer = self._tape.replay(role, n, key)
        if answer is None:
            if self._gate is not None:
                self._gate()
            try:
                answer = await self._live(role, model, messages, schema, tools, seed)
            except ProviderError as exc:
                answer = exc
            if self._tape is not None:
                self._tape.record(role, n, key, answer)
        prices: Prices | None = getattr(model, "prices", None)
        if isinstance(answer, ProviderError):
            usage.add_failed(answer, prices)
            raise answer
        usage.add(answer.usage, prices, from_cache=answer.from_cache)
        return answer

    def to_dict(self) -> dict[str, Any]:
        """Totals by role, as plain JSON data."""
        return {role: self.usage[role].to_dict() for role in sorted(self.usage)}

    async def _live(
        self,
        role: str,
        model: ChatModel,
        messages: Sequence[Message],
        schema: Schema | None,
        tools: Sequence[Tool] | None,
        seed: int | None,
    ) -> Reply:
        if self._waiting is None:
            return await model.chat(messages, schema=schema, tools=tools, seed=seed)
        wait = Wait(self.episode, role, model.name, time.monotonic())
        self._waiting.begin(wait)
        try:
            return await model.chat(messages, schema=schema, tools=tools, seed=seed)
        finally:
            self._waiting.end(wait)
