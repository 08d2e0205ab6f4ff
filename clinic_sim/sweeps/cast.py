"""Who plays whom in a run, from the names on the command line; and the models behind them, closed together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clinic_sim.clinic.roles import Staff
from clinic_sim.clinic.staffing import StaffPlan, hire
from clinic_sim.doctors import MAX_TOKENS as DOCTOR_TOKENS
from clinic_sim.doctors import make_doctor
from clinic_sim.doctors.base import Doctor
from clinic_sim.judge.judge import MAX_TOKENS as JUDGE_TOKENS
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import Rubric
from clinic_sim.models.build import make_model
from clinic_sim.models.cache import ReplyCache
from clinic_sim.models.chat import ChatModel


@dataclass(frozen=True, slots=True)
class Cast:
    """The people of a run."""

    doctor: Callable[[], Doctor]
    staff: Staff
    judge: RubricJudge
    suspends: bool
    """Someone waits for a model."""
    settings: Mapping[str, Mapping[str, Any]]
    """What is in effect for each role that a model or an agent plays, an address from the environment included."""
    _models: tuple[ChatModel, ...]
    _cache: ReplyCache | None

    async def aclose(self) -> None:
        """Release connections and the cache, all of them even where one fails."""
        async with AsyncExitStack() as stack:
            if self._cache is not None:
                stack.callback(self._cache.close)
            for model in self._models:
                stack.push_async_callback(model.aclose)


def make_cast(
    doctor: str,
    staff: StaffPlan,
    rubric: Rubric,
    judge: str | None = None,
    *,
    votes: int = 1,
    cache: Path | None = None,
    replay: bool = False,
) -> Cast:
    """The cast of a run.

    Args:
        doctor: A baseline or a model.
        judge: The model behind `judged` criteria; None where the rubric has none.
        cache: SQLite file of replies; None to keep none.
        replay: Replies come from a recording: models are named, not called, so no key is needed.

    Raises:
        ConfigError: a name is neither a baseline nor a model, or a key is missing.
    """
    with ExitStack() as stack:
        replies = stack.enter_context(closing(ReplyCache(cache))) if cache is not None else None
        found = _cast(doctor, staff, rubric, judge, votes, replies, replay)
        stack.pop_all()  # all names were good: the cast closes the cache
    return found


def _cast(
    doctor: str,
    staff: StaffPlan,
    rubric: Rubric,
    judge: str | None,
    votes: int,
    replies: ReplyCache | None,
    replay: bool,
) -> Cast:
    models: list[ChatModel] = []
    people, behind = hire(staff, cache=replies, replay=replay)
    models.extend(behind)
    model = None
    if "/" in doctor and not doctor.startswith("langgraph/"):
        model = make_model(doctor, role="doctor", cache=replies, replay=replay, max_tokens=DOCTOR_TOKENS)
        models.append(model)
    first = make_doctor(doctor, model=model)
    arbiter = None
    if judge is not None:
        arbiter = make_model(judge, role="judge", cache=replies, replay=replay, max_tokens=JUDGE_TOKENS)
        models.append(arbiter)
    found = RubricJudge(rubric, model=arbiter, votes=votes)
    suspends = people.suspends or first.suspends or found.suspends
    everybody = {"doctor": first.settings, **people.settings(), "judge": found.settings}
    settings = {role: dict(own) for role, own in everybody.items() if own}
    return Cast(lambda: make_doctor(doctor, model=model), people, found, suspends, settings, tuple(models), replies)
