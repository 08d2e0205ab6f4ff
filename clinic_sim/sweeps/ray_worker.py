"""`Worker`: one process of the `ray` engine. It plays what it is handed and gives what came of it back in groups.

It owns a stage of its own and its journals, in the run's folder: whoever plays an episode of a worker that died finds
there every reply that was paid for. It writes nothing else; the driver alone writes to the store.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clinic_sim.errors import ConfigError
from clinic_sim.models.calls import Waiting
from clinic_sim.sweeps.code import code_hash
from clinic_sim.sweeps.lines import canonical
from clinic_sim.sweeps.plan import Plan
from clinic_sim.sweeps.planned import Planned, Sweep
from clinic_sim.sweeps.spending import Spending
from clinic_sim.sweeps.stage import Stage, cast_of

_LINGER_S = 0.1
"""How long a finished offline episode waits for others, so that one message carries many."""
_LINGER_MODELS_S = 0.02
"""The same where models play: others seldom come so soon, and a free place should not wait."""
HEARTBEAT_S = 0.5
"""A worker says at least this often what it has spent, and hears what the run has."""

Calls = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker needs to know of the run."""

    plan: str
    """As JSON."""
    folder: str
    """Of the run, absolute."""
    directory: str
    """In which the run was begun: relative names in the plan are meant from there."""
    environment: Mapping[str, str]
    """Keys and addresses of models."""
    slots: int
    """Episodes at once."""
    replay: bool
    """Replies come with the episodes, from a recording."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one episode, as `Done` has it."""

    key: str
    begun: bool
    """Not begun: the cap of cost was reached before."""
    line: bytes = b""
    row: Mapping[str, Any] | None = None
    failures: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What a worker tells."""

    results: list[Result]
    settled: float
    """US dollars of attempts that are over."""
    in_flight: float
    """US dollars of the others, so far."""
    unknown: bool
    """Some calls had no price."""
    waits: int
    """Unanswered calls."""
    longest: tuple[str, str, str, float] | None
    """The one that has been waited for longest: episode, role, model and seconds."""


class Worker:
    """Plays episodes; an actor, whose methods all run on its one event loop."""

    def __init__(self) -> None:
        self._stage: Stage | None = None
        self._replays: dict[str, Calls] = {}
        self._spending = Spending()
        self._waiting = Waiting()
        self._pending: asyncio.Queue[Planned] = asyncio.Queue()
        self._linger = _LINGER_S
        self._held = 0
        """Episodes handed in and not given back."""
        self._results: list[Result] = []
        self._error: Exception | None = None
        self._fresh = asyncio.Event()
        """There is something to tell."""
        self._idle = asyncio.Event()
        """Nothing is left to play."""
        self._players: list[asyncio.Task[None]] = []

    async def begin(self, orders: Orders) -> dict[str, str]:
        """Get ready; returns what determines episodes here, to be compared with what the driver has.

        Raises:
            ConfigError: the run's folder is not on this machine, or the plan cannot be carried out here.
        """
        folder = Path(orders.folder)
        if not folder.is_dir() or not Path(orders.directory).is_dir():  # noqa: ASYNC240 - before anything else runs
            raise ConfigError(
                f"engine ray: a worker on {os.uname().nodename} does not see {folder} or {orders.directory}; "
                "all machines of the cluster must share the disk that holds the run"
            )
        os.chdir(orders.directory)
        os.environ.update(orders.environment)
        plan = Plan.model_validate_json(orders.plan)
        cast = cast_of(plan, replay=orders.replay)
        sweep = Sweep.resolve(plan, cast)
        self._spending.cap = plan.max_cost
        replays = self._replays if orders.replay else None
        self._stage = Stage(sweep, cast, folder, self._spending, self._waiting, replays)
        if cast.suspends:
            self._linger = _LINGER_MODELS_S
        # Offline episodes never wait, so that more at once gains nothing.
        slots = orders.slots if cast.suspends else 1
        self._players = [asyncio.create_task(self._player(self._stage)) for _ in range(slots)]
        return identity(sweep)

    async def exchange(self, new: Sequence[tuple[Planned, Calls | None]], elsewhere: float) -> Report:
        """Take episodes, and give back those that are over: soon, where any is; else as a sign of life.

        Args:
            new: Episodes to be played, each with its recorded calls where the run is a replay.
            elsewhere: US dollars that the run has cost outside this process.

        Raises:
            StoreError: a journal cannot be written. What was finished is told first.
        """
        self._spending.elsewhere = elsewhere
        for planned, calls in new:
            if calls is not None:
                self._replays[planned.key] = calls
            self._held += 1
            self._idle.clear()
            self._pending.put_nowait(planned)
        with suppress(TimeoutError):
            async with asyncio.timeout(HEARTBEAT_S):
                await self._fresh.wait()
            async with asyncio.timeout(self._linger):
                await self._idle.wait()
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
                self._idle.set()
            self._replays.pop(planned.key, None)
            self._held -= 1
            self._fresh.set()
            if not self._held:
                self._idle.set()
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
