"""Who plays whom in a run, from names; and the models behind them, made once and closed together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clinic_sim.clinic.roles import Staff
from clinic_sim.clinic.staffing import StaffPlan, hire
from clinic_sim.doctors import MAX_TOKENS as DOCTOR_TOKENS
from clinic_sim.doctors import make_doctor
from clinic_sim.doctors.base import Doctor
from clinic_sim.errors import ConfigError
from clinic_sim.judge.judge import MAX_TOKENS as JUDGE_TOKENS
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.replays import REPLAYED
from clinic_sim.judge.rubric import Rubric
from clinic_sim.models.build import make_model
from clinic_sim.models.chat import ChatModel

if TYPE_CHECKING:
    from clinic_sim.models.cache import ReplyCache

AGENT = "langgraph/"
"""How the name of a doctor begins that calls its models itself."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One doctor under examination."""

    name: str
    make: Callable[[], Doctor]
    """A new doctor: one object plays one episode at a time."""
    settings: Mapping[str, Any]
    """Parameters of the model or agent that plays it; empty for a baseline."""
    suspends: bool


@dataclass(frozen=True, slots=True)
class Cast:
    """The people of a run."""

    doctors: tuple[Seat, ...]
    staffs: tuple[Staff, ...]
    judge: RubricJudge
    models: tuple[tuple[str, ChatModel], ...]
    """Role and model, for every model that may be called."""
    _cache: ReplyCache | None

    @property
    def suspends(self) -> bool:
        """Someone waits for a model."""
        seats = any(d.suspends for d in self.doctors)
        return seats or any(s.suspends for s in self.staffs) or self.judge.suspends

    def settings(self, doctor: int, staff: int) -> dict[str, Any]:
        """What is in effect for each role that a model or an agent plays, an address from the environment included."""
        everybody = {
            "doctor": self.doctors[doctor].settings,
            **self.staffs[staff].settings(),
            "judge": self.judge.settings,
        }
        return {role: dict(own) for role, own in everybody.items() if own}

    async def aclose(self) -> None:
        """Release connections and the cache, all of them even where one fails."""
        async with AsyncExitStack() as stack:
            if self._cache is not None:
                stack.callback(self._cache.close)
            for _, model in self.models:
                stack.push_async_callback(model.aclose)


def make_cast(
    doctors: Sequence[str],
    staffs: Sequence[StaffPlan],
    rubric: Rubric,
    judge: str | None = None,
    *,
    votes: int = 1,
    cache: Path | None = None,
    replay: bool = False,
) -> Cast:
    """The cast of a run.

    Args:
        doctors: Baselines and models.
        judge: The model behind `judged` criteria; None where the rubric has none.
        cache: SQLite file of replies; None to keep none.
        replay: Replies come from a recording: models are named, not called, so no key is needed.

    Raises:
        ConfigError: a name is neither a baseline nor a model, or a key is missing.
    """
    with ExitStack() as stack:
        replies = stack.enter_context(closing(_replies(cache))) if cache is not None else None
        models: list[tuple[str, ChatModel]] = []
        people = []
        for plan in staffs:
            staff, behind = hire(plan, cache=replies, replay=replay)
            models.extend(("clinic", m) for m in behind)
            people.append(staff)
        seats = tuple(_seat(name, models, replies, replay) for name in doctors)
        arbiter = None
        if judge is not None:
            arbiter = make_model(judge, role="judge", cache=replies, replay=replay, max_tokens=JUDGE_TOKENS)
            models.append(("judge", arbiter))
        found = Cast(seats, tuple(people), RubricJudge(rubric, model=arbiter, votes=votes), tuple(models), replies)
        stack.pop_all()  # all names were good: the cast closes the cache
    return found


def _replies(cache: Path) -> ReplyCache:
    from clinic_sim.models.cache import ReplyCache  # brings SQLite along

    return ReplyCache(cache)


def _seat(name: str, models: list[tuple[str, ChatModel]], replies: ReplyCache | None, replay: bool) -> Seat:
    if name.startswith(REPLAYED):
        return Seat(name, lambda: _nobody(name), {}, suspends=False)
    model = None
    if "/" in name and not name.startswith(AGENT):
        model = make_model(name, role="doctor", cache=replies, replay=replay, max_tokens=DOCTOR_TOKENS)
        models.append(("doctor", model))
    first = make_doctor(name, model=model)
    return Seat(name, lambda: make_doctor(name, model=model), dict(first.settings), first.suspends)


def _nobody(name: str) -> Doctor:
    """Who said what is in a transcript says nothing more: such an episode is scored again, never played."""
    raise ConfigError(f"doctor {name!r} is one of released dialogues; `clinic-sim judge replay` reads them")
