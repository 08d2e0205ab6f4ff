"""`Hand`: a worker's process as its crew sees it. An engine of several processes is a way to hire hands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from clinic_sim.errors import ConfigError
from clinic_sim.sweeps.crew_messages import Orders, Package, Report
from clinic_sim.sweeps.stage import Stage


class Died(Exception):
    """A worker is gone; the message says what of."""


class Hand(Protocol):
    """A worker process as its crew sees it; the methods are those of `Worker`, whose errors they raise.

    Raises:
        Died: the process is gone.
    """

    async def begin(self, orders: Orders) -> dict[str, str]:
        """Get ready; returns the worker's `identity`."""

    async def exchange(self, new: Sequence[Package], elsewhere: float) -> Report:
        """Hand out and collect."""

    async def close(self) -> None:
        """Have it release what it holds."""

    def kill(self) -> None:
        """End the process, whatever it does; once it returns, nothing of it runs."""


def refuse_weights(stage: Stage) -> None:
    """Raises ConfigError where each worker would load a model of its own."""
    inside = sorted({model.name for _, model in stage.cast.models if model.name.startswith("vllm/")})
    if inside and stage.replays is None:
        raise ConfigError(
            f"engine {stage.sweep.plan.engine.name}: {', '.join(inside)} would be loaded once more by each worker; "
            "serve it with `vllm serve` and name it openai/MODEL?base_url=http://HOST:8000/v1, or use the local engine"
        )


def crew_size(stage: Stage, episodes: int, processors: int) -> int:
    """How many workers a run has: as many as its plan says, by default one a processor, and none without work."""
    plan = stage.sweep.plan
    at_once = min(episodes, plan.concurrency) if stage.cast.suspends else episodes
    return min(plan.engine.workers or max(processors, 1), at_once)


def orders_of(stage: Stage, slots: int) -> Orders:
    """What a worker that plays so many episodes at once needs to know."""
    folder = str(stage.folder.resolve())
    return Orders(stage.sweep.plan.model_dump_json(), folder, str(Path.cwd()), slots, stage.replays is not None)
