"""The `ray` engine: worker processes play the episodes, on one machine or many; this process hands out and collects.

Work goes out in the plan's order, little by little, so that a fast worker gets more. One message carries many offline
episodes. This process alone writes to the run, so an episode is written once, whoever played it.

A worker that dies loses nothing that was paid for: its episodes go to another, which finds their journals. What happens
to those with which workers die again and again is `Desk`'s matter.

Each worker stops at the cap of cost by what it last heard of the others, at most `HEARTBEAT_S` ago. So a run spends at
most what its calls in flight cost, as with the local engine, and what all workers spend within that time.
"""

from __future__ import annotations

import asyncio
import math
import os
import re
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from clinic_sim.errors import ConfigError
from clinic_sim.models.calls import Wait
from clinic_sim.sweeps import failures
from clinic_sim.sweeps.planned import Planned
from clinic_sim.sweeps.ray_cluster import connected
from clinic_sim.sweeps.ray_desk import DEATHS, Desk
from clinic_sim.sweeps.ray_worker import Orders, Report, Result, Worker, identity
from clinic_sim.sweeps.stage import Done, Stage

_START_S = 180.0
"""For a worker to be ready: its cluster may have to make room first."""
_SILENT_S = 600.0
"""A worker that says nothing for so long hangs, and is killed."""
_CLOSE_S = 5.0
_MODELS = re.compile(r"(OPENAI_|AZURE_OPENAI_)\w+|\w+_(API_KEY|BASE_URL|ENDPOINT)")
"""Names of variables that say where models are and with what key: workers elsewhere need them."""
_KEY_NAME = re.compile(r"[?&]api_key_env=(\w+)")
_DETAIL = re.compile(r"Worker exit type: (\w+) Worker exit detail: (.{0,200}?)(?: Some common causes|$)", re.DOTALL)


async def play_on_ray(stage: Stage, owed: Iterable[Planned], done: Callable[[Done], None]) -> None:
    """Play episodes in worker processes, and give each to `done` here; what `done` raises stops them all.

    Raises:
        ConfigError: Ray is not there, its cluster cannot be reached, or its workers cannot play this plan.
        StoreError: a worker cannot write a journal.
    """
    pending = deque(owed)
    if not pending or stage.spending.reached:
        return
    inside = sorted({model.name for _, model in stage.cast.models if model.name.startswith("vllm/")})
    if inside and stage.replays is None:
        raise ConfigError(
            f"engine ray: {', '.join(inside)} would be loaded once more by each worker; serve it with `vllm serve` and "
            "name it openai/MODEL?base_url=http://HOST:8000/v1, or use the local engine"
        )
    with connected(stage.sweep.plan.engine) as ray:
        await _Crew(ray, stage, pending, done).play()


class _Died(Exception):
    """A worker is gone; the message says what of."""


class _Crew:
    """The workers of a run."""

    def __init__(self, ray: ModuleType, stage: Stage, pending: deque[Planned], done: Callable[[Done], None]) -> None:
        plan = stage.sweep.plan
        processors = max(int(ray.cluster_resources().get("CPU", 1)), 1)
        self._ray = ray
        self._stage = stage
        self._done = done
        self._workers = min(plan.engine.workers or processors, len(pending))
        slots = math.ceil(plan.concurrency / self._workers)
        self._desk = Desk(pending, self._workers, slots if stage.cast.suspends else None)
        self._changed = asyncio.Event()
        """Of a worker that waits: something was lost, or all is over."""
        self._stillborn = 0
        """Workers in a row that died before they were ready."""
        self._costs = [0.0] * self._workers
        """US dollars by seat."""
        # More workers than processors would never all be placed if each claimed one.
        share = 1 if self._workers <= processors else 0
        self._make = ray.remote(num_cpus=share, max_restarts=0, scheduling_strategy="SPREAD")(Worker)
        self._identity = identity(stage.sweep)
        self._orders = _orders(stage, slots)

    async def play(self) -> None:
        """Until every episode is over, or the cap of cost is reached."""
        try:
            async with asyncio.TaskGroup() as group:
                for seat in range(self._workers):
                    group.create_task(self._occupy(seat))
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from several.exceptions[0].__cause__
        if not self._desk.over:
            raise ConfigError(
                f"engine ray: the cluster placed no worker within {_START_S:g} s; wait until it has free processors"
            )

    async def _occupy(self, seat: int) -> None:
        """One worker after another, as they die."""
        while not self._desk.over:
            actor = self._make.remote()
            try:
                try:
                    await self._ready(actor)
                except TimeoutError:
                    return  # no room in the cluster: the others do its work
                except _Died as exc:
                    self._stillborn += 1
                    if self._stillborn >= DEATHS:
                        raise ConfigError(f"engine ray: workers die as they start: {exc}") from exc
                    continue
                self._stillborn = 0
                if await self._employ(seat, actor):
                    with suppress(_Died, TimeoutError):
                        await self._told(actor.close.remote(), _CLOSE_S)
            finally:
                self._ray.kill(actor)

    async def _ready(self, actor: Any) -> None:
        found = await self._told(actor.begin.remote(self._orders), _START_S)
        differing = [part for part, own in self._identity.items() if found[part] != own]
        if differing:
            raise ConfigError(
                f"engine ray: a worker has other {', '.join(differing)} than this process: all machines of the cluster "
                "need the same checkout, files and addresses of models; none may change while a run goes on"
            )

    async def _employ(self, seat: int, actor: Any) -> bool:
        """Hand out and collect until all is over; False where the worker died."""
        out: dict[str, Planned] = {}
        before = self._costs[seat]
        report: Report | None = None
        spending = self._stage.spending
        with ExitStack() as waits:
            while True:
                new = self._desk.hand_out(out)
                if not out:
                    if self._desk.over:
                        return True
                    await self._changed.wait()
                    continue
                own = report.settled + report.in_flight if report else 0.0
                try:
                    report = await self._told(
                        actor.exchange.remote([self._package(planned) for planned in new], spending.spent - own),
                        _SILENT_S,
                    )
                except (_Died, TimeoutError) as exc:
                    # What was in flight counts when its journal is played again.
                    self._pay(seat, before + (report.settled if report else 0.0))
                    self._bury(out, str(exc) or f"it said nothing for {_SILENT_S:g} s")
                    return False
                spending.unknown |= report.unknown
                self._pay(seat, before + report.settled + report.in_flight)
                self._show(report, waits)
                for result in report.results:
                    self._take(out, result)
                if self._desk.over:
                    self._wake()

    def _package(self, planned: Planned) -> tuple[Planned, list[dict[str, Any]] | None]:
        replays = self._stage.replays
        return planned, None if replays is None else replays.get(planned.key, [])

    def _take(self, out: dict[str, Planned], result: Result) -> None:
        planned = out.pop(result.key, None)
        if planned is None:
            return
        self._desk.open -= 1
        if result.begun:
            self._done(Done(planned, result.line, result.row or {}, result.failures))
        if not result.begun or self._stage.spending.reached:
            self._desk.capped = True

    def _bury(self, out: dict[str, Planned], reason: str) -> None:
        for planned in self._desk.lost(out):
            self._desk.open -= 1
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

    async def _told(self, answer: Any, limit: float) -> Any:
        """What a worker answers.

        Raises:
            _Died: it is gone.
            TimeoutError: it did not answer.
        """
        errors = self._ray.exceptions
        try:
            async with asyncio.timeout(limit):
                return await answer
        except errors.RayTaskError as exc:
            raise (exc.cause if isinstance(exc.cause, Exception) else exc) from exc
        except errors.RayError as exc:
            raise _Died(_reason(exc)) from exc


def _orders(stage: Stage, slots: int) -> Orders:
    plan = stage.sweep.plan
    roles = [name for r in plan.roles for name in (r.patient, r.examiner, r.chief)]
    judge = [plan.judge.model] if plan.judge else []
    named = {key for model in (*plan.doctors, *roles, *judge) for key in _KEY_NAME.findall(model)}
    return Orders(
        plan.model_dump_json(),
        str(stage.folder.resolve()),
        str(Path.cwd()),
        {name: value for name, value in os.environ.items() if name in named or _MODELS.fullmatch(name)},
        slots,
        stage.replays is not None,
    )


def _reason(exc: BaseException) -> str:
    """What Ray says of a dead worker, in a line."""
    text = str(exc)
    found = _DETAIL.search(text)
    if found:
        return f"{found[1]}: {' '.join(found[2].split())}"
    return " ".join(text.split())[:300] or type(exc).__name__
