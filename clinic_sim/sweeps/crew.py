"""`Crew`: worker processes play the episodes of a run; this process hands out and collects.

Work goes out in the plan's order, little by little, so that a fast worker gets more. One message carries many offline
episodes. This process alone writes to the run, so an episode is written once, whoever played it. How a worker is
started and spoken to is its `Hand`'s matter: an engine is a way to hire hands.

A worker that dies loses nothing that was paid for: its episodes go to another, which finds their journals. What happens
to those with which workers die again and again is `Desk`'s matter.

Each worker stops at the cap of cost by what it last heard of the others, at most `HEARTBEAT_S` ago. So a run spends at
most what its calls in flight cost, as with the local engine, and what all workers spend within that time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress

from clinic_sim.errors import ConfigError
from clinic_sim.models.calls import Wait
from clinic_sim.sweeps import failures
from clinic_sim.sweeps.collector import seldom
from clinic_sim.sweeps.crew_desk import DEATHS, Desk
from clinic_sim.sweeps.crew_hand import Died, Hand, orders_of
from clinic_sim.sweeps.crew_messages import Package, Report, Result
from clinic_sim.sweeps.crew_worker import identity
from clinic_sim.sweeps.planned import Planned
from clinic_sim.sweeps.stage import Done, Stage

_START_S = 180.0
"""For a worker to be ready: its cluster may have to make room first."""
_SILENT_S = 600.0
"""A worker that says nothing for so long hangs, and is killed."""
_CLOSE_S = 5.0


class Crew:
    """The workers of a run.

    Args:
        stage: What is played; its spending and its list of waits are kept for all workers.
        pending: The episodes, in order.
        done: Is given each that is over, here; what it raises stops them all.
        workers: How many.
        hire: Starts a worker's process.
    """

    def __init__(
        self,
        stage: Stage,
        pending: Sequence[Planned],
        done: Callable[[Done], None],
        workers: int,
        hire: Callable[[], Hand],
    ) -> None:
        self._stage = stage
        self._done = done
        self._hire = hire
        self._name = stage.sweep.plan.engine.name
        at_once = min(stage.sweep.plan.concurrency, len(pending))
        # All together are the plan's `concurrency`, not a place more.
        self._slots = [at_once // workers + (seat < at_once % workers) for seat in range(workers)]
        self._desk = Desk(pending, workers, self._slots if stage.cast.suspends else None)
        self._changed = asyncio.Event()
        """Of a worker that waits: something was lost, or all is over."""
        self._stillborn = 0
        """Workers in a row that died before they were ready."""
        self._costs = [0.0] * workers
        """US dollars by seat."""
        self._identity = identity(stage.sweep)

    async def play(self) -> None:
        """Until every episode is over, or the cap of cost is reached.

        Raises:
            ConfigError: workers cannot play this plan.
            StoreError: a worker cannot write a journal.
        """
        try:
            with seldom():
                async with asyncio.TaskGroup() as group:
                    for seat in range(len(self._slots)):
                        group.create_task(self._occupy(seat))
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from several.exceptions[0].__cause__
        if not self._desk.over:
            raise ConfigError(
                f"engine {self._name}: no worker was ready within {_START_S:g} s; wait until there are free processors"
            )

    async def _occupy(self, seat: int) -> None:
        """One worker after another, as they die."""
        while not self._desk.over:
            hand = self._hire()
            try:
                try:
                    await self._ready(seat, hand)
                except TimeoutError:
                    return  # no room for it: the others do its work
                except Died as exc:
                    self._stillborn += 1
                    if self._stillborn >= DEATHS:
                        raise ConfigError(f"engine {self._name}: workers die as they start: {exc}") from exc
                    continue
                self._stillborn = 0
                if await self._employ(seat, hand):
                    with suppress(Died, TimeoutError):
                        async with asyncio.timeout(_CLOSE_S):
                            await hand.close()
            finally:
                hand.kill()

    async def _ready(self, seat: int, hand: Hand) -> None:
        async with asyncio.timeout(_START_S):
            found = await hand.begin(orders_of(self._stage, self._slots[seat]))
        differing = [part for part, own in self._identity.items() if found[part] != own]
        if differing:
            raise ConfigError(
                f"engine {self._name}: a worker has other {', '.join(differing)} than this process: all need the same "
                "checkout, files and addresses of models; none may change while a run goes on"
            )

    async def _employ(self, seat: int, hand: Hand) -> bool:
        """Hand out and collect until all is over; False where the worker died."""
        before = self._costs[seat]
        report: Report | None = None
        spending = self._stage.spending
        with ExitStack() as waits:
            while True:
                new = self._desk.hand_out(seat)
                if not self._desk.busy(seat):
                    if self._desk.over:
                        return True
                    await self._changed.wait()
                    continue
                own = report.settled + report.in_flight if report else 0.0
                try:
                    async with asyncio.timeout(_SILENT_S):
                        report = await hand.exchange([self._package(planned) for planned in new], spending.spent - own)
                except (Died, TimeoutError) as exc:
                    # What was in flight counts when its journal is played again.
                    self._pay(seat, before + (report.settled if report else 0.0))
                    self._bury(seat, str(exc) or f"it said nothing for {_SILENT_S:g} s")
                    return False
                spending.unknown |= report.unknown
                self._pay(seat, before + report.settled + report.in_flight)
                self._show(report, waits)
                for result in report.results:
                    self._take(seat, result)
                if self._desk.over:
                    self._wake()

    def _package(self, planned: Planned) -> Package:
        replays = self._stage.replays
        return planned, None if replays is None else replays.get(planned.key, [])

    def _take(self, seat: int, result: Result) -> None:
        planned = self._desk.take(seat, result.key)
        if planned is None:
            return
        if result.begun:
            self._done(Done(planned, result.line, result.row or {}, result.failures))
        if not result.begun or self._stage.spending.reached:
            self._desk.capped = True

    def _bury(self, seat: int, reason: str) -> None:
        for planned in self._desk.lost(seat):
            message = f"{DEATHS} workers died while they played it; the last: {reason}"
            record = failures.of_attempt(self._stage.setup(planned), DEATHS, "worker", "WorkerDied", message)
            self._done(Done(planned, failures=(record,)))
        self._wake()

    def _pay(self, seat: int, dollars: float) -> None:
        self._costs[seat] = dollars
        self._stage.spending.elsewhere = sum(self._costs)

    def _show(self, report: Report, waits: ExitStack) -> None:
        """Its unanswered calls, on our progress line."""
        waits.close()
        if self._stage.waiting is not None and report.longest is not None:
            episode, role, model, seconds = report.longest
            for _ in range(report.waits):
                waits.enter_context(self._stage.waiting.on(Wait(episode, role, model, time.monotonic() - seconds)))

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
