"""`Resilient`: what stands between a role and a provider: retries, an adaptive limit, a total time and a breaker.

A 429 lowers the limit by a fifth (once in five seconds) and success raises it again; 5xx and timeouts only stop the
growth. Waiting is exponential with full jitter, or what the server asks for. An endpoint from which nothing has come
for `OUTAGE_S` although it was asked often is down: calls fail at once, but for a probe now and then, so that a run
against a dead server ends in bounded time.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from clinic_sim.errors import BadReply, ProviderError, ProviderTimeout, RateLimited, Unavailable
from clinic_sim.models.chat import ChatModel, Message, Reply, Schema, Tool
from clinic_sim.models.usage import Prices

RETRIED = (RateLimited, Unavailable, ProviderTimeout, BadReply)
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 20.0
CUT = 0.8
CUT_EVERY_S = 5.0
OUTAGE_S = 30.0
OUTAGE_FAILURES = 8
PROBE_EVERY_S = 5.0


class Resilient:
    """A provider with patience.

    Args:
        inner: One attempt a call.
        attempts: Most attempts of one call.
        total_s: Most seconds of one call, waiting included.
        concurrency: Most calls in flight.
        prices: What tokens cost; None when unknown.
    """

    def __init__(
        self, inner: ChatModel, *, attempts: int, total_s: float, concurrency: int, prices: Prices | None = None
    ) -> None:
        self.inner = inner
        self.name = inner.name
        self.settings: Mapping[str, Any] = inner.settings
        self.suspends = inner.suspends
        self.prices = prices
        self.gate = Gate(concurrency)
        self.breaker = Breaker(inner.name)
        self._attempts = attempts
        self._total_s = total_s
        # Jitter spreads waiting over time and touches nothing else, so it needs no seed of the episode's.
        self._jitter = random.Random(0)  # noqa: S311

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        schema: Schema | None = None,
        tools: Sequence[Tool] | None = None,
        seed: int | None = None,
    ) -> Reply:
        """The provider's answer, after as many attempts as it takes and the spec allows."""
        began = time.monotonic()
        tried = 0
        while True:
            self.breaker.check()
            tried += 1
            await self._enter(began, tried)
            error: ProviderError
            try:
                reply = await self._attempt(began, messages, schema, tools, seed)
            except RETRIED as exc:
                self.gate.leave(success=False)
                error = exc
            except BaseException:
                # Whatever the server refuses for good, it is there.
                self.gate.leave(success=False)
                raise
            else:
                self.gate.leave(success=True)
                self.breaker.success()
                return reply
            if isinstance(error, BadReply):
                self.breaker.success()
            else:
                self.breaker.failure(error)
            if isinstance(error, RateLimited):
                self.gate.cut()
            wait = self._wait(error, tried)
            spent = time.monotonic() - began
            if tried >= self._attempts or spent + wait >= self._total_s:
                raise type(error)(f"{error} (after {tried} attempts in {spent:.1f} s)") from error
            await asyncio.sleep(wait)

    async def aclose(self) -> None:
        """Close the provider."""
        await self.inner.aclose()

    async def _enter(self, began: float, tried: int) -> None:
        if self.gate.try_enter():
            return
        left = self._total_s - (time.monotonic() - began)
        try:
            async with asyncio.timeout(max(left, 0)):
                await self.gate.enter()
        except TimeoutError as exc:
            raise ProviderTimeout(
                f"{self.name}: no free place within {self._total_s:g} s (limit {int(self.gate.limit)}, attempt {tried})"
            ) from exc

    async def _attempt(
        self,
        began: float,
        messages: Sequence[Message],
        schema: Schema | None,
        tools: Sequence[Tool] | None,
        seed: int | None,
    ) -> Reply:
        left = self._total_s - (time.monotonic() - began)
        if left >= self._attempt_s:
            return await self.inner.chat(messages, schema=schema, tools=tools, seed=seed)
        try:
            async with asyncio.timeout(max(left, 0)):
                return await self.inner.chat(messages, schema=schema, tools=tools, seed=seed)
        except TimeoutError as exc:
            raise ProviderTimeout(f"{self.name}: {self._total_s:g} s are over") from exc

    @property
    def _attempt_s(self) -> float:
        spec = getattr(self.inner, "spec", None)
        return spec.attempt_s if spec is not None else float("inf")

    def _wait(self, error: ProviderError, tried: int) -> float:
        if error.retry_after is not None:
            return error.retry_after * (1 + 0.1 * self._jitter.random())
        return self._jitter.uniform(0, min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (tried - 1)))


class Gate:
    """How many calls may be in flight; first come, first served."""

    __slots__ = ("_cut_at", "_growing", "_most", "_queue", "inflight", "limit")

    def __init__(self, most: int) -> None:
        self.limit = float(most)
        """Calls that may be in flight now; at least 1."""
        self.inflight = 0
        self._most = most
        self._queue: deque[asyncio.Future[None]] = deque()
        self._cut_at = 0.0

    def try_enter(self) -> bool:
        """Enter, if there is a free place and nobody waits."""
        if self.inflight < self.limit and not self._queue:
            self.inflight += 1
            return True
        return False

    async def enter(self) -> None:
        """Wait for a place."""
        if self.try_enter():
            return
        place = asyncio.get_running_loop().create_future()
        self._queue.append(place)
        try:
            await place
        except BaseException:
            if place.done() and not place.cancelled():
                self.leave(success=False)  # the place came too late: hand it on
            else:
                self._queue.remove(place)
            raise

    def leave(self, *, success: bool) -> None:
        """Give a place back."""
        self.inflight -= 1
        if success and self.limit < self._most:
            self.limit = min(self._most, self.limit + 1 / self.limit)
        while self._queue and self.inflight < self.limit:
            place = self._queue.popleft()
            if not place.done():
                self.inflight += 1
                place.set_result(None)

    def cut(self) -> None:
        """The server has had too much: a fifth less, once in a while."""
        now = time.monotonic()
        if now - self._cut_at >= CUT_EVERY_S:
            self._cut_at = now
            self.limit = max(1.0, min(self.limit, self.inflight + 1.0) * CUT)


class Breaker:
    """Whether an endpoint is down."""

    __slots__ = ("_failures", "_last", "_name", "_probe_at", "_since")

    def __init__(self, name: str) -> None:
        self._name = name
        self._failures = 0
        self._since = 0.0
        self._probe_at = 0.0
        self._last = ""

    def success(self) -> None:
        """Something came back."""
        self._failures = 0

    def failure(self, error: ProviderError) -> None:
        """Nothing usable came back."""
        if isinstance(error, RateLimited):
            return  # it is there, and busy
        if not self._failures:
            self._since = time.monotonic()
        self._failures += 1
        self._last = str(error)

    def check(self) -> None:
        """Raises:
        Unavailable: the endpoint is down, and it is not time for a probe.
        """
        if self._failures < OUTAGE_FAILURES:
            return
        now = time.monotonic()
        silent = now - self._since
        if silent < OUTAGE_S:
            return
        if now >= self._probe_at:
            self._probe_at = now + PROBE_EVERY_S
            return
        raise Unavailable(
            f"{self._name} is down: nothing came from it for {silent:.0f} s and {self._failures} calls; "
            f"the last said: {self._last}"
        )
