"""The local engine: one process, one event loop, `concurrency` episodes at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

from clinic_sim.judge.judge import RubricJudge
from clinic_sim.models.calls import Calls, Waiting
from clinic_sim.sweeps.collector import seldom
from clinic_sim.sweeps.journal import Journal
from clinic_sim.sweeps.outcome import Outcome, Setup
from clinic_sim.sweeps.planned import Planned
from clinic_sim.sweeps.runner import Watcher, play_setup
from clinic_sim.sweeps.stage import Done, Stage

T = TypeVar("T")


async def play_locally(
    stage: Stage,
    owed: Iterable[Planned],
    done: Callable[[Done], None],
    *,
    concurrency: int = 1,
    watch: Callable[[Setup], Watcher] | None = None,
) -> None:
    """Play episodes, and give each to `done` as soon as it is over; what `done` raises stops them all.

    Episodes begin in order. Once the cap of cost is reached none begins any more.

    Args:
        watch: Makes the watcher of an episode.
    """

    async def one(planned: Planned) -> None:
        if not stage.spending.reached:
            done(await stage.play(planned, watch))
            await asyncio.sleep(0)  # offline episodes never wait: Ctrl-C gets its turn here

    # Offline episodes never wait, so that more at once gains nothing.
    await side_by_side(owed, one, concurrency if stage.cast.suspends else 1)


async def run_batch(
    setups: Sequence[Setup],
    judge: RubricJudge,
    done: Callable[[int, Outcome], None],
    *,
    concurrency: int = 1,
    waiting: Waiting | None = None,
    journal: Callable[[Setup], Journal] | None = None,
) -> None:
    """Play and score episodes without a plan, `concurrency` at once.

    Args:
        done: Takes each outcome with its place among the setups; what it raises stops the batch.
        waiting: Where a progress line sees what is being waited for.
        journal: Where the replies of an episode are kept.
    """

    async def one(pair: tuple[int, Setup]) -> None:
        at, setup = pair
        kept = journal(setup) if journal else None
        calls = Calls(setup.name, tape=kept.tape() if kept else None, waiting=waiting)
        try:
            outcome = await play_setup(setup, judge, calls, kept)
        finally:
            if kept:
                kept.close()
        done(at, outcome)

    await side_by_side(enumerate(setups), one, concurrency)


async def side_by_side(items: Iterable[T], act: Callable[[T], Awaitable[None]], concurrency: int) -> None:
    """Act on items, begun in order, `concurrency` at once; the first error stops them all and is raised as it was."""
    pending = iter(items)

    async def worker() -> None:
        for item in pending:
            await act(item)

    with seldom():
        if concurrency == 1:
            await worker()  # no task: offline episodes need no event loop
            return
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(concurrency):
                    group.create_task(worker())
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from several.exceptions[0].__cause__  # as from one worker
