"""`run_sweep`: what is owed of a plan is played on an engine and written to its store, once each; and accounted for."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from clinic_sim.cases.compiled import compile_case
from clinic_sim.clinic.driving import new_loop
from clinic_sim.errors import ConfigError
from clinic_sim.models.calls import Waiting
from clinic_sim.sweeps import index
from clinic_sim.sweeps.accounts import Accounts
from clinic_sim.sweeps.cast import Cast
from clinic_sim.sweeps.index import Rows
from clinic_sim.sweeps.interrupts import cancelled_by_interrupt
from clinic_sim.sweeps.local import play_locally
from clinic_sim.sweeps.outcome import Setup
from clinic_sim.sweeps.plan_files import dump_plan
from clinic_sim.sweeps.planned import Planned, Sweep
from clinic_sim.sweeps.rows import row_of
from clinic_sim.sweeps.runner import Watcher
from clinic_sim.sweeps.spending import Spending, check_prices
from clinic_sim.sweeps.stage import Done, Replays, Stage
from clinic_sim.sweeps.store import RunStore


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that came to its end, or as far as it could."""

    path: Path
    """Its episodes."""
    accounts: Accounts
    spent: float
    """US dollars, as far as known."""
    cost_unknown: bool
    """Some calls had no price: `spent` is a lower bound."""
    capped: bool
    """The cap of cost ended it."""

    @property
    def cost(self) -> float | None:
        """US dollars; None where some calls had no price."""
        return None if self.cost_unknown else round(self.spent, 6)


@dataclass(slots=True)
class Watch:
    """Who looks on while a run is carried out; every hook is optional."""

    begun: Callable[[RunStore, Accounts, Spending], None] | None = None
    done: Callable[[Done], None] | None = None
    """After an episode is on disk, or failed."""
    episode: Callable[[Setup], Watcher] | None = None
    """Makes the watcher of an episode; in this process only."""
    waiting: Waiting | None = None


def open_store(sweep: Sweep, folder: Path, *, accept_code: bool = False) -> RunStore:
    """The store of a sweep.

    Raises:
        StoreError: it belongs to another plan, is in use, or cannot be read or written.
    """
    return RunStore(folder, sweep.manifest(), dump_plan(sweep.plan), rows_of(sweep), accept_code=accept_code)


def rows_of(sweep: Sweep) -> Rows:
    """Makes index rows of a sweep's episodes."""
    cases = {case.id: case for _, case in sweep.cases}

    def row(key: str, data: Mapping[str, Any]) -> dict[str, Any]:
        if places().get(key) != data["at"]:
            raise KeyError(key)  # of another plan: it is left out
        return row_of(key, data, compile_case(cases[data["episode"]["case"]]))

    @cache
    def places() -> dict[str, int]:
        return {planned.key: planned.at for planned in sweep.episodes}

    return row


def run_sweep(
    sweep: Sweep,
    cast: Cast,
    store: RunStore,
    *,
    watch: Watch | None = None,
    replays: Replays | None = None,
) -> Finished:
    """Play what is owed, and close the store. The cast is closed too, whatever happens.

    Args:
        store: Open; it stays so, and resumable, where an error or an interrupt ends the run.
        replays: Recorded calls of another run: no model is called.

    Raises:
        ConfigError: the plan has a cap of cost and a model has no prices.
        StoreError: an episode cannot be written.
    """
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(_run(sweep, cast, store, watch or Watch(), replays))


async def _run(sweep: Sweep, cast: Cast, store: RunStore, watch: Watch, replays: Replays | None) -> Finished:
    plan = sweep.plan
    try:
        check_prices(cast, plan.max_cost)
        store.settle_finished(record=plan.record)
        spending = Spending(store.spent, plan.max_cost)
        if replays is not None and not any(p.key in replays for p in sweep.episodes):
            raise ConfigError(
                "the recording holds none of these episodes: a case, a model's name or settings, the limits, the "
                "persona or the seed differs from the recorded one"
            )
        stage = Stage(sweep, cast, store.folder, spending, watch.waiting, replays)
        accounts = account(sweep, store)
        if watch.begun:
            watch.begun(store, accounts, spending)

        def done(found: Done) -> None:
            key = found.planned.key
            earlier = store.failed.get(key)
            if earlier and (found.line or found.failures):
                accounts.failed -= Counter([earlier["kind"]])
            for failure in found.failures:
                store.fail(key, failure)
            if found.line:
                store.add(key, found.planned.at, found.line, found.row)
                store.settle(key, record=plan.record)
            _count(accounts, found)
            if watch.done:
                watch.done(found)

        with cancelled_by_interrupt():
            await _engine(stage, owed(sweep, store), done, watch)
    finally:
        await cast.aclose()
    path = store.close()
    return Finished(path, accounts, spending.spent, spending.unknown, spending.reached)


def owed(sweep: Sweep, store: RunStore) -> list[Planned]:
    """What is planned and not finished, in the plan's order."""
    return [planned for planned in sweep.episodes if planned.key not in store.places]


def account(sweep: Sweep, store: RunStore) -> Accounts:
    """Where the episodes stand. What failed before counts as failed until it is played again."""
    accounts = Accounts(len(sweep.episodes), len(store.places))
    accounts.failed.update(failure["kind"] for failure in store.failed.values())
    if store.places:
        for row in index.read(store.folder):
            if row["unscored"]:
                accounts.unscored[row["unscored"]] += 1
    return accounts


async def _engine(stage: Stage, pending: list[Planned], done: Callable[[Done], None], watch: Watch) -> None:
    plan = stage.sweep.plan
    if plan.engine.name == "ray":
        from clinic_sim.sweeps.ray_hands import play_on_ray

        await play_on_ray(stage, pending, done)
    elif plan.engine.name == "processes":
        from clinic_sim.sweeps.process_hands import play_in_processes

        await play_in_processes(stage, pending, done)
    else:
        await play_locally(stage, pending, done, concurrency=plan.concurrency, watch=watch.episode)


def _count(accounts: Accounts, found: Done) -> None:
    if found.line:
        accounts.completed += 1
        if found.row["unscored"]:
            accounts.unscored[str(found.row["unscored"])] += 1
    elif found.failures:
        accounts.failed[str(found.failures[-1]["kind"])] += 1
