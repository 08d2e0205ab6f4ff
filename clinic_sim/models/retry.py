"""`Retrying`: a provider with patience: its place at the endpoint, attempt after attempt, within a total time.

What may pass by itself is tried again: 429, a server that fails or is silent, a broken answer. Waiting is exponential
with full jitter, or what the server asks for. A key that is wrong, a prompt that is too long, a refusal: those are
final.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from clinic_sim.errors import BadReply, ProviderError, ProviderTimeout, RateLimited, Unavailable
from clinic_sim.models.chat import ChatModel, Message, Reply, Schema, Tool, Usage
from clinic_sim.models.endpoint import Endpoint, Gate
from clinic_sim.models.spec import ModelSpec
from clinic_sim.models.usage import Prices, total, used_by
from clinic_sim.models.wire import EmptyReply

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 20.0
EMPTY_ATTEMPTS = 3
"""For an answer that is whole but holds nothing: a model that has nothing to say is not made to speak by asking."""
_PASSING = (RateLimited, Unavailable, ProviderTimeout, BadReply)


class Retrying:
    """Retries and limits around a provider.

    Args:
        inner: The provider; one attempt a call.
        spec: Its attempts, times and concurrency.
        endpoint: The server, shared with whoever else uses it.
        role: Whose calls these are; each role has its own limit.
        prices: What tokens cost; None when unknown.
        bounded: Attempts end at `total_s`; False for a provider that keeps the time itself.
    """

    def __init__(
        self,
        inner: ChatModel,
        spec: ModelSpec,
        endpoint: Endpoint,
        *,
        role: str = "",
        prices: Prices | None = None,
        bounded: bool = True,
    ) -> None:
        self.inner = inner
        self.name = inner.name
        self.settings: Mapping[str, Any] = inner.settings
        self.suspends = inner.suspends
        self.prices = prices
        self.role = role
        self._spec = spec
        self._endpoint = endpoint
        self._breaker = endpoint.breaker
        self._bounded = bounded
        # Jitter spreads waiting over time and touches nothing else, so it needs no seed of the episode's.
        self._jitter = random.Random(f"{spec.name} {role}")  # noqa: S311
        self._loop: asyncio.AbstractEventLoop | None = None
        self._gate = Gate(1)

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        schema: Schema | None = None,
        tools: Sequence[Tool] | None = None,
        seed: int | None = None,
    ) -> Reply:
        """The provider's answer, after as many attempts as it takes and the spec allows.

        The clock of `total_s` runs while the server is asked and between attempts, not while this call waits for a
        place: a long queue is no fault of the server's. Tokens of failed attempts are in the reply's usage, or the
        error's.
        """
        gate = self._gate if asyncio.get_running_loop() is self._loop else self._enter_loop()
        spent = 0.0
        tried = 0
        wasted: Usage | None = None
        while True:
            if not gate.try_enter():
                await gate.enter()
            try:
                self._breaker.check()
            except Unavailable as exc:
                gate.leave()
                exc.usage = wasted
                raise
            tried += 1
            began = time.monotonic()
            try:
                reply = await self._attempt(self._spec.total_s - spent, messages, schema, tools, seed)
            except _PASSING as exc:
                error: ProviderError = exc
                wasted = total(wasted, used_by(exc))
            except ProviderError as exc:
                self._breaker.alive()  # whatever it refuses for good, it is there
                exc.usage = total(wasted, used_by(exc))
                raise
            else:
                self._breaker.alive()
                gate.grow()
                return reply if wasted is None else _after(reply, wasted)
            finally:
                gate.leave()
            self._note(error, gate)
            spent += time.monotonic() - began
            wait = self._wait(error, tried)
            most = EMPTY_ATTEMPTS if isinstance(error, EmptyReply) else self._spec.attempts
            if tried >= min(most, self._spec.attempts) or spent + wait >= self._spec.total_s:
                last = _last(error, tried, spent)
                last.usage = wasted
                raise last from error
            await asyncio.sleep(wait)
            spent += wait

    async def aclose(self) -> None:
        """Close the provider."""
        await self.inner.aclose()

    def _enter_loop(self) -> Gate:
        self._gate = self._endpoint.gate(self.role, self._spec.concurrency)
        self._loop = asyncio.get_running_loop()
        return self._gate

    async def _attempt(
        self,
        left: float,
        messages: Sequence[Message],
        schema: Schema | None,
        tools: Sequence[Tool] | None,
        seed: int | None,
    ) -> Reply:
        if left >= self._spec.attempt_s or not self._bounded:  # the provider ends an attempt itself
            return await self.inner.chat(messages, schema=schema, tools=tools, seed=seed)
        try:
            async with asyncio.timeout(max(left, 0)):
                return await self.inner.chat(messages, schema=schema, tools=tools, seed=seed)
        except TimeoutError as exc:
            raise ProviderTimeout(f"{self.name}: the {self._spec.total_s:g} s of the call are over") from exc

    def _note(self, error: ProviderError, gate: Gate) -> None:
        """What the failure says of the server."""
        if isinstance(error, RateLimited):
            self._breaker.alive()
            gate.cut()
        elif isinstance(error, BadReply):
            self._breaker.alive()
        else:
            self._breaker.failed(error)
            gate.pause()

    def _wait(self, error: ProviderError, tried: int) -> float:
        if error.retry_after is not None:
            return error.retry_after + self._jitter.uniform(0, 0.05 + 0.1 * error.retry_after)
        return self._jitter.uniform(0, min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (tried - 1)))


def _after(reply: Reply, wasted: Usage) -> Reply:
    """A reply with what the attempts before it used up."""
    own = Usage(unreported=1) if reply.usage is None else reply.usage
    return replace(reply, usage=own + wasted)


def _last(error: ProviderError, tried: int, spent: float) -> ProviderError:
    """The error that ends a call."""
    attempts = "1 attempt" if tried == 1 else f"{tried} attempts"
    asked = "" if error.retry_after is None else f"; the server asks to wait {error.retry_after:g} s more"
    return type(error)(f"{error} ({attempts} in {spent:.1f} s{asked})")
