"""The `ray` engine: a crew whose workers are Ray's actors, on one machine or a cluster with a shared disk."""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any, TypeVar

from clinic_sim.sweeps.crew import Crew
from clinic_sim.sweeps.crew_hand import Died, Hand, crew_size, refuse_weights
from clinic_sim.sweeps.crew_messages import Orders, Package, Report
from clinic_sim.sweeps.crew_worker import Worker
from clinic_sim.sweeps.plan import Plan
from clinic_sim.sweeps.planned import Planned
from clinic_sim.sweeps.ray_cluster import connected
from clinic_sim.sweeps.stage import Done, Stage

T = TypeVar("T")
_MODELS = re.compile(r"(OPENAI_|AZURE_OPENAI_)\w+|\w+_(API_KEY|BASE_URL|ENDPOINT)")
"""Names of variables that say where models are and with what key: workers elsewhere need them."""
_KEY_NAME = re.compile(r"[?&]api_key_env=(\w+)")
_DETAIL = re.compile(r"Worker exit type: (\w+) Worker exit detail: (.{0,200}?)(?: Some common causes|$)", re.DOTALL)


async def play_on_ray(stage: Stage, owed: Iterable[Planned], done: Callable[[Done], None]) -> None:
    """Play episodes in Ray's worker processes, and give each to `done` here; what `done` raises stops them all.

    Raises:
        ConfigError: Ray is not there, its cluster cannot be reached, or its workers cannot play this plan.
        StoreError: a worker cannot write a journal.
    """
    pending = list(owed)
    if not pending or stage.spending.reached:
        return
    refuse_weights(stage)
    plan = stage.sweep.plan
    with connected(plan.engine) as ray:
        processors = int(ray.cluster_resources().get("CPU", 1))
        workers = crew_size(stage, len(pending), processors)
        # More workers than processors would never all be placed if each claimed one.
        share = 1 if workers <= processors else 0
        make = ray.remote(num_cpus=share, max_restarts=0, scheduling_strategy="SPREAD")(Worker)
        environment = _environment(plan)

        def hire() -> Hand:
            return RayHand(ray, make.remote(), environment)

        await Crew(stage, pending, done, workers, hire).play()


class RayHand:
    """One actor.

    Args:
        ray: The connected module.
        actor: A `Worker`.
        environment: Variables that its machine may lack.
    """

    def __init__(self, ray: ModuleType, actor: Any, environment: Mapping[str, str]) -> None:
        self._ray = ray
        self._actor = actor
        self._environment = environment

    async def begin(self, orders: Orders) -> dict[str, str]:
        """As of `Worker`."""
        orders = replace(orders, environment=self._environment)
        found: dict[str, str] = await self._told(self._actor.begin.remote(orders))
        return found

    async def exchange(self, new: Sequence[Package], elsewhere: float) -> Report:
        """As of `Worker`."""
        found: Report = await self._told(self._actor.exchange.remote(list(new), elsewhere))
        return found

    async def close(self) -> None:
        """As of `Worker`."""
        await self._told(self._actor.close.remote())

    def kill(self) -> None:
        """End it."""
        self._ray.kill(self._actor)

    async def _told(self, answer: Awaitable[T]) -> T:
        errors = self._ray.exceptions
        try:
            return await answer
        except errors.RayTaskError as exc:
            raise (exc.cause if isinstance(exc.cause, Exception) else exc) from exc
        except errors.RayError as exc:
            raise Died(_reason(exc)) from exc


def _environment(plan: Plan) -> dict[str, str]:
    roles = [name for r in plan.roles for name in (r.patient, r.examiner, r.chief)]
    judge = [plan.judge.model] if plan.judge else []
    named = {key for model in (*plan.doctors, *roles, *judge) for key in _KEY_NAME.findall(model)}
    return {name: value for name, value in os.environ.items() if name in named or _MODELS.fullmatch(name)}


def _reason(exc: BaseException) -> str:
    """What Ray says of a dead worker, in a line."""
    text = str(exc)
    found = _DETAIL.search(text)
    if found:
        return f"{found[1]}: {' '.join(found[2].split())}"
    return " ".join(text.split())[:300] or type(exc).__name__
