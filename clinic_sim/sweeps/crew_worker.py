"""`Worker`: one process of a crew. It plays what it is handed and gives what came of it back in groups.

It owns a stage of its own and its journals, in the run's folder: whoever plays an episode of a worker that died finds
there every reply that was paid for. It writes nothing else; the driver alone writes to the store.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from clinic_sim.errors import ConfigError
from clinic_sim.models.calls import Waiting
from clinic_sim.sweeps.code import code_hash
from clinic_sim.sweeps.collector import seldom
from clinic_sim.sweeps.crew_messages import Calls, Orders, Package, Report, Result
from clinic_sim.sweeps.lines import canonical
from clinic_sim.sweeps.plan import Plan
from clinic_sim.sweeps.planned import Planned, Sweep
from clinic_sim.sweeps.spending import Spending
from clinic_sim.sweeps.stage import Stage, cast_of

_LINGER_S = 0.1
"""How long a finished episode waits for others, so that one message carries many; not where a place is free."""
HEARTBEAT_S = 0.5
"""A worker says at least this often what it has spent, and hears what the run has."""


class Worker:
    """Plays episodes; all its methods run on one event loop."""

    def __init__(self) -> None:
        self._stage: Stage | None = None
        self._replays: dict[str, Calls] = {}
        self._spending = Spending()
        self._waiting = Waiting()
        self._pending: asyncio.Queue[Planned] = asyncio.Queue()
        self._slots = 1
        self._held = 0
        """Episodes handed in and not played."""
        self._results: list[Result] = []
        self._error: Exception | None = None
        self._fresh = asyncio.Event()
        """There is something to tell."""
        self._free = asyncio.Event()
        """A place has nothing to play."""
        self._players: list[asyncio.Task[None]] = []
        self._kept = ExitStack()

    async def begin(self, orders: Orders) -> dict[str, str]:
        """Get ready; returns what determines episodes here, to be compared with what the driver has.

        Raises:
            ConfigError: the run's folder is not on this machine, or the plan cannot be carried out here.
        """
        plan = Plan.model_validate_json(orders.plan)
        folder = Path(orders.folder)
        if not folder.is_dir() or not Path(orders.directory).is_dir():  # noqa: ASYNC240 - before anything else runs
            raise ConfigError(
                f"engine {plan.engine.name}: a worker on {os.uname().nodename} does not see {folder} or "
                f"{orders.directory}; all machines of a cluster must share the disk that holds the run"
            )
        os.chdir(orders.directory)
        os.environ.update(orders.environment)
        cast = cast_of(plan, replay=orders.replay)
        sweep = Sweep.resolve(plan, cast)
        self._spending.cap = plan.max_cost
        replays = self._replays if orders.replay else None
        self._stage = Stage(sweep, cast, folder, self._spending, self._waiting, replays)
        # Offline episodes never wait, so that more at once gains nothing.
        self._slots = orders.slots if cast.suspends else 1
        found = identity(sweep)
        self._kept.enter_context(seldom())
        self._players = [asyncio.create_task(self._player(self._stage)) for _ in range(self._slots)]
        return found

    async def exchange(self, new: Sequence[Package], elsewhere: float) -> Report:
        """Take episodes, and give back those that are over: soon, where any is; else as a sign of life.

        Args:
            elsewhere: US dollars that the run has cost outside this process.

        Raises:
            StoreError: a journal cannot be written. What was finished is told first.
        """
        self._spending.elsewhere = elsewhere
        for planned, calls in new:
            if calls is not None:
                self._replays[planned.key] = calls
            self._held += 1
            self._pending.put_nowait(planned)
        if self._held >= self._slots and self._error is None:
            self._free.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(HEARTBEAT_S):
                await self._fresh.wait()
            async with asyncio.timeout(_LINGER_S):
                await self._free.wait()
        if self._error is not None and not self._results:
            raise self._error
        results, self._results = self._results, []
        if self._error is None:
            self._fresh.clear()
        wait = self._waiting.longest()
        return Report(
            results,
            self._spending.settled,
            self._spending.in_flight,
            self._spending.unknown,
            len(self._waiting),
            (wait.episode, wait.role, wait.model, time.monotonic() - wait.since) if wait else None,
        )

    async def close(self) -> None:
        """Release the models' connections."""
        for player in self._players:
            player.cancel()
        self._kept.close()
        if self._stage is not None:
            await self._stage.cast.aclose()

    async def _player(self, stage: Stage) -> None:
        while True:
            planned = await self._pending.get()
            try:
                result = await self._played(stage, planned)
                self._results.append(result)  # only now: `exchange` takes the list away meanwhile
            except Exception as exc:  # noqa: BLE001 - whatever it is, it ends the run, and the driver raises it
                self._error = exc
                self._free.set()
            self._replays.pop(planned.key, None)
            self._held -= 1
            self._fresh.set()
            if self._held < self._slots:
                self._free.set()
            await asyncio.sleep(0)  # the driver's messages get their turn

    async def _played(self, stage: Stage, planned: Planned) -> Result:
        if self._spending.reached:
            return Result(planned.key, begun=False)
        done = await stage.play(planned)
        return Result(planned.key, True, done.line, done.row, done.failures)


def identity(sweep: Sweep) -> dict[str, str]:
    """What determines a sweep's episodes, hashed by part: a worker in which any differs would play other episodes."""
    found = {
        "cases": [(case.id, case.content_hash) for _, case in sweep.cases],
        "code": code_hash(),
        "models": [[dict(own) for own in row] for row in sweep.settings],
        "rubric": sweep.rubric.content_hash,
    }
    return {part: hashlib.sha256(canonical(value).encode()).hexdigest()[:16] for part, value in found.items()}
