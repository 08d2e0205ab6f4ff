"""The row of the `processes` engine in `llm_overhead.py`: its crew, with workers that were hired before the clock."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from clinic_sim.sweeps.crew import Crew
from clinic_sim.sweeps.crew_hand import orders_of
from clinic_sim.sweeps.crew_messages import Orders
from clinic_sim.sweeps.lines import decoded
from clinic_sim.sweeps.plan import JudgePlan, Plan, Roles, Source
from clinic_sim.sweeps.planned import Planned, Sweep
from clinic_sim.sweeps.process_hands import ProcessHand
from clinic_sim.sweeps.spending import Spending
from clinic_sim.sweeps.stage import Done, Stage, cast_of


class Kept(ProcessHand):
    """A worker that is ready before it is hired, and stays when it is dismissed."""

    ready: dict[str, str]

    async def get_ready(self, orders: Orders) -> None:
        """Start."""
        self.ready = await super().begin(orders)

    async def warm_up(self, episodes: Sequence[Planned]) -> None:
        """Play these, at once."""
        report = await self.exchange([(planned, None) for planned in episodes], 0.0)
        left = len(episodes) - len(report.results)
        while left:
            left -= len((await self.exchange([], 0.0)).results)

    def end(self) -> None:
        """When all is measured."""
        super().kill()

    async def begin(self, orders: Orders) -> dict[str, str]:
        """It did."""
        return self.ready

    async def close(self) -> None:
        """Not yet."""

    def kill(self) -> None:
        """Not yet."""


async def crew(
    request: dict[str, Any], began: float, workers: int, timed: Callable[..., Awaitable[dict[str, Any]]]
) -> dict[str, Any]:
    """The row. What its workers play comes back as lines, as for a run's store; the other rows make none."""
    model = f"openai/mock?base_url={request['url']}"
    plan = Plan(
        doctors=(model,),
        scenarios=(Source(pack="core-en"),),
        roles=(Roles(patient=model),),
        rubric="clinic-language",
        judge=JudgePlan(model=model),
        seeds=tuple(range(request["episodes"])),
        concurrency=request["concurrency"],
    )
    cast = cast_of(plan)
    sweep = Sweep.resolve(plan, cast)
    cases = len(sweep.cases)
    # Before the clock each worker plays every case once, under seeds that are not timed.
    first = len(sweep.episodes) - workers * cases
    warming = [sweep.episodes[first + n * cases :][:cases] for n in range(workers)]
    assert request["episodes"] <= first
    found: list[Done] = []
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(sweep, cast, Path(folder), Spending())
        hands = [Kept() for _ in range(workers)]
        hired = iter(hands)

        async def run(count: int, concurrency: int, first: int) -> None:
            if first < 0:
                await asyncio.gather(*(hand.warm_up(own) for hand, own in zip(hands, warming, strict=True)))
            else:
                await Crew(stage, sweep.episodes[:count], found.append, workers, lambda: next(hired)).play()

        try:
            orders = orders_of(stage, -(-request["concurrency"] // workers))
            await asyncio.gather(*(hand.get_ready(orders) for hand in hands))
            start_s = time.perf_counter() - began
            row = await timed(request, run, warm=workers * cases, pids=[hand.pid for hand in hands])
        finally:
            for hand in hands:
                hand.end()
            await cast.aclose()
    lines = [decoded(done.line) for done in found if done.line]
    return row | {
        "start_s": start_s,
        "completed": len(lines),
        "scored": sum(line["scorecard"]["total"] is not None for line in lines),
        "doubled": len(lines) - len({line["key"] for line in lines}),
        "fallbacks": sum(event.get("by") == "fallback" for line in lines for event in line["episode"]["events"]),
        "failures": sorted({failure["message"] for done in found for failure in done.failures})[:5],
    }
