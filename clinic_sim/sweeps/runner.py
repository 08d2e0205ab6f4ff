"""Running episodes: a doctor, a consultation, a judge; one, or many at once on one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clinic_sim.cases.case import Case
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.clinic.driving import drive
from clinic_sim.clinic.episode import Episode
from clinic_sim.clinic.events import Event, TerminationReason
from clinic_sim.clinic.limits import Limits
from clinic_sim.clinic.persona import Persona
from clinic_sim.clinic.roles import OFFLINE, Staff
from clinic_sim.doctors.base import Doctor, Visit
from clinic_sim.errors import ClinicSimError, ReplayMismatch, StoreError
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.scorecard import Scorecard
from clinic_sim.models.calls import Calls, Waiting
from clinic_sim.models.tape import Tape

Watcher = Callable[[tuple[Event, ...]], None]


@dataclass(frozen=True, slots=True)
class Setup:
    """One planned episode."""

    name: str
    """Unique in its run: the name on the recording and on the progress line."""
    case: Case
    doctor: Callable[[], Doctor]
    """Makes the doctor: one object plays one episode at a time."""
    seed: int = 0
    staff: Staff = OFFLINE
    persona: Persona = field(default_factory=Persona)
    limits: Limits = field(default_factory=Limits)
    tape: Callable[[str], Tape] | None = None
    """Opens the recording of an episode by its name; None to record nothing."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one planned episode."""

    episode: Episode
    scorecard: Scorecard
    doctor: str
    failure: str = ""
    """Type and message of what broke the episode; empty when nothing did."""
    models: Mapping[str, Any] = field(default_factory=dict)
    """Parameters of the models behind doctor and judge; those of the clinic stand in the episode's settings."""
    usage: Mapping[str, Any] = field(default_factory=dict)
    """Calls, tokens and cost by role, as `RoleUsage.to_dict`."""


async def play(consultation: Consultation, doctor: Doctor, watch: Watcher | None = None) -> str:
    """Play a consultation to its end.

    Returns:
        What broke it, as `Type: message`; empty when nothing did. A broken episode is ended as such, so that its judge
        leaves it unscored.
    """
    visit = Visit(
        consultation.introduction(),
        consultation.case.language,
        consultation.room.seed,
        consultation if doctor.sees_case else None,
        consultation.room.calls,
    )
    observation = visit.introduction
    if watch:
        watch(tuple(consultation.room.events))
    try:
        doctor.begin(visit)
    except Exception as exc:  # noqa: BLE001 - whatever a doctor raises is that doctor's failure
        return _broken(consultation, exc)
    while not consultation.ended:
        try:
            action = await doctor.decide(observation)
        except Exception as exc:  # noqa: BLE001 - whatever a doctor raises is that doctor's failure
            _stop_on_full_disk(exc)
            return _broken(consultation, exc)
        try:
            result = await consultation.act(action)
        except ClinicSimError as exc:
            _stop_on_full_disk(exc)
            return f"{type(exc).__name__}: {exc}"
        observation = result.observation
        if watch:
            watch(result.events)
    return ""


async def consult(
    consultation: Consultation, doctor: Doctor, judge: RubricJudge, watch: Watcher | None = None
) -> Outcome:
    """Play and score one episode."""
    failure = await play(consultation, doctor, watch)
    episode = consultation.episode()
    calls = consultation.room.calls
    card = await judge.judge(consultation.case, episode, calls)
    models = {"doctor": dict(doctor.settings), "judge": dict(judge.settings)}
    return Outcome(episode, card, doctor.name, failure, {k: v for k, v in models.items() if v}, calls.to_dict())


def run_episode(
    consultation: Consultation, doctor: Doctor, judge: RubricJudge, watch: Watcher | None = None
) -> Outcome:
    """Play and score one episode, from synchronous code."""
    suspends = consultation.suspends or doctor.suspends or judge.suspends
    return drive(lambda: consult(consultation, doctor, judge, watch), suspends=suspends)


async def run_batch(
    setups: Sequence[Setup],
    judge: RubricJudge,
    done: Callable[[int, Outcome], None],
    *,
    concurrency: int = 1,
    waiting: Waiting | None = None,
    watch: Callable[[Setup], Watcher] | None = None,
) -> None:
    """Play and score episodes, `concurrency` at once.

    Args:
        done: Takes each outcome with its place in the plan, as soon as it is there; what it raises stops the batch.
        waiting: Where the progress line sees what is being waited for.
        watch: Makes the watcher of an episode.
    """
    pending = iter(enumerate(setups))

    async def worker() -> None:
        for at, setup in pending:
            calls = Calls(setup.name, tape=setup.tape(setup.name) if setup.tape else None, waiting=waiting)
            consultation = Consultation(
                setup.case,
                seed=setup.seed,
                staff=setup.staff,
                persona=setup.persona,
                limits=setup.limits,
                calls=calls,
            )
            watcher = watch(setup) if watch else None
            done(at, await consult(consultation, setup.doctor(), judge, watcher))

    if concurrency == 1:
        await worker()  # no task: offline episodes need no event loop
        return
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(setups))):
                group.create_task(worker())
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from several.exceptions[0].__cause__  # as from one worker


def _stop_on_full_disk(exc: Exception) -> None:
    """What cannot be recorded is nobody's failure in the episode: it stops the run."""
    if isinstance(exc, StoreError) and not isinstance(exc, ReplayMismatch):
        raise exc


def _broken(consultation: Consultation, exc: Exception) -> str:
    failure = f"{type(exc).__name__}: {exc}"
    consultation.abort(TerminationReason.DOCTOR_FAILED, failure)
    return failure
