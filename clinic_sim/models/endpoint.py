"""What the models of one server share: how many calls of a role may be in flight, and whether the server is down.

The limit begins where the spec puts it, so a run that nobody throttles is never slowed. A 429 lowers it by a fifth,
once in `CUT_EVERY_S`; success raises it again, but not for a while after a failure of the server. A server from which
nothing has come for `OUTAGE_S` although it was asked often is down: calls fail at once, but for a probe now and then,
so that a run against a dead server ends in bounded time.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from weakref import WeakKeyDictionary, WeakValueDictionary

from clinic_sim.errors import ProviderError, Unavailable

CUT = 0.8
CUT_EVERY_S = 5.0
PAUSE_S = 5.0
GROWTH = 1 / 16
"""Of the limit, for each round of answers; at least one call a round."""
OUTAGE_S = 30.0
OUTAGE_FAILURES = 8
PROBE_EVERY_S = 5.0


class Gate:
    """How many calls may be in flight in one event loop; first come, first served.

    Args:
        most: Where the limit begins, and what it never exceeds.
    """

    __slots__ = ("_cut_at", "_paused_until", "_queue", "inflight", "limit", "most")

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = float(most)
        """Calls that may be in flight now; at least 1."""
        self.inflight = 0
        self._queue: deque[asyncio.Future[None]] = deque()
        self._cut_at = float("-inf")
        self._paused_until = float("-inf")

    @property
    def waiting(self) -> int:
        """Calls that wait for a place."""
        return sum(not place.done() for place in self._queue)

    def try_enter(self) -> bool:
        """Enter, if there is a free place and nobody waits for one."""
        if self.inflight < self.limit and not self._queue:
            self.inflight += 1
            return True
        return False

    async def enter(self) -> None:
        """Wait for a place, behind those who already wait."""
        place = asyncio.get_running_loop().create_future()
        self._queue.append(place)
        self._admit()
        try:
            await place
        except BaseException:
            # A cancelled place stays in the queue until its turn. One that was given in the same moment is given back.
            if place.done() and not place.cancelled():
                self.leave()
            else:
                place.cancel()
                self._admit()
            raise

    def leave(self) -> None:
        """Give a place back."""
        self.inflight -= 1
        if self._queue:
            self._admit()

    def grow(self) -> None:
        """An answer came: after a full round of them, the limit is a little higher."""
        if self.limit < self.most and time.monotonic() >= self._paused_until:
            self.limit = min(self.most, self.limit + max(1 / self.limit, GROWTH))
            self._admit()

    def pause(self) -> None:
        """The server failed: no growth for a while."""
        self._paused_until = time.monotonic() + PAUSE_S

    def cut(self) -> None:
        """The server has had too much: a fifth less than what was in flight, once in a while."""
        now = time.monotonic()
        if now - self._cut_at >= CUT_EVERY_S:
            self._cut_at = now
            self.limit = max(1.0, min(self.limit, self.inflight + 1.0) * CUT)

    def _admit(self) -> None:
        while self._queue and (self.inflight < self.limit or self._queue[0].done()):
            place = self._queue.popleft()
            if not place.done():
                self.inflight += 1
                place.set_result(None)


class Breaker:
    """Whether a server is down."""

    __slots__ = ("_failures", "_last", "_name", "_probe_at", "_since")

    def __init__(self, name: str) -> None:
        self._name = name
        self._failures = 0
        self._since = 0.0
        self._probe_at = 0.0
        self._last = ""

    def alive(self) -> None:
        """Something came back, be it a refusal."""
        self._failures = 0

    def failed(self, error: ProviderError) -> None:
        """Nothing came back, or that the server is broken."""
        if not self._failures:
            self._since = time.monotonic()
            self._probe_at = 0.0
        self._failures += 1
        self._last = str(error)

    def check(self) -> None:
        """Let a call pass, or not.

        Raises:
            Unavailable: the server is down, and it is not time for a probe.
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
            f"{self._name} is down: nothing came from it for {silent:.0f} s and {self._failures} attempts; "
            f"the last ended so: {self._last}"
        )


class Endpoint:
    """One server, for all models and roles that use it.

    Args:
        name: Its address, or the name of what stands for one.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.breaker = Breaker(name)
        self._gates: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Gate]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def gate(self, role: str, most: int) -> Gate:
        """The gate of a role in the running event loop; of several wishes for its limit, the highest holds."""
        with self._lock:
            gates = self._gates.setdefault(asyncio.get_running_loop(), {})
            gate = gates.get(role)
            if gate is None:
                gate = gates[role] = Gate(most)
            elif most > gate.most:
                if gate.limit >= gate.most:
                    gate.limit = float(most)
                gate.most = most
            return gate


# Models find their server's state by its name; the state goes when the last model of the server goes.
_ENDPOINTS: WeakValueDictionary[str, Endpoint] = WeakValueDictionary()
_LOCK = threading.Lock()


def endpoint(name: str) -> Endpoint:
    """The server of that name, the same object for all who hold it at the same time."""
    with _LOCK:
        found = _ENDPOINTS.get(name)
        if found is None:
            found = _ENDPOINTS[name] = Endpoint(name)
        return found
