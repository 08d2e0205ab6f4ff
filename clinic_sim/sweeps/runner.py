"""Playing one episode: a doctor, a consultation, a judge. Whatever breaks, breaks that episode alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from zlib import crc32

from clinic_sim.clinic.consultation import Consultation
from clinic_sim.clinic.driving import drive
from clinic_sim.clinic.episode import Episode
from clinic_sim.clinic.events import Event, TerminationReason
from clinic_sim.doctors.base import Doctor, Visit
from clinic_sim.errors import ClinicSimError, CostCapReached, ReplayMismatch, StoreError
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.scorecard import JUDGE_FAILED, Scorecard
from clinic_sim.models.calls import Calls
from clinic_sim.models.usage import RoleUsage
from clinic_sim.sweeps.journal import Journal
from clinic_sim.sweeps.outcome import Outcome, Setup

__all__ = ["Outcome", "Setup", "consult", "doctor_seed", "play", "play_setup", "run_episode"]

Watcher = Callable[[tuple[Event, ...]], None]


def doctor_seed(seed: int, repeat: int) -> int:
    """The doctor's seed: the clinic's own, and another for each repeat."""
    return seed if repeat == 0 else crc32(f"{seed}:repeat:{repeat}".encode()) & 0x7FFFFFFF


async def play(
    consultation: Consultation, doctor: Doctor, watch: Watcher | None = None, seed: int | None = None
) -> str:
    """Play a consultation to its end.

    Args:
        seed: The doctor's; the clinic's when None.

    Returns:
        What broke it, as `Type: message`; empty when nothing did. A broken episode is ended as such, so that its judge
        leaves it unscored.

    Raises:
        StoreError: what happened cannot be recorded.
        CostCapReached: no model may be called any more.
    """
    visit = Visit(
        consultation.introduction(),
        consultation.case.language,
        consultation.room.seed if seed is None else seed,
        consultation if doctor.sees_case else None,
        consultation.room.calls,
        consultation.room.limits.invalid,
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
            _stop_run(exc)
            return _broken(consultation, exc)
        try:
            result = await consultation.act(action)
        except ClinicSimError as exc:
            _stop_run(exc)
            return f"{type(exc).__name__}: {exc}"
        observation = result.observation
        if watch:
            watch(result.events)
    return ""


async def consult(
    consultation: Consultation,
    doctor: Doctor,
    judge: RubricJudge,
    watch: Watcher | None = None,
    *,
    seed: int | None = None,
    journal: Journal | None = None,
) -> Outcome:
    """Play and score one episode.

    Args:
        seed: The doctor's; the clinic's when None.
        journal: Where the transcript is kept before a model judges it, and found again.
    """
    calls = consultation.room.calls
    played = journal.transcript if journal is not None else None
    if played is not None:
        # It was played before the run was killed: only its score is owed.
        failure, episode = "", Episode.from_dict(played["episode"])
        for role, usage in played["usage"].items():
            calls.usage[role] = RoleUsage(**usage)
    else:
        failure = await play(consultation, doctor, watch, seed)
        episode = consultation.episode()
        if journal is not None and judge.suspends and not failure:
            journal.keep_transcript({"episode": episode.to_dict(), "usage": calls.to_dict()})
    card = await _judged(judge, consultation, episode, calls)
    models = {"doctor": dict(doctor.settings), "judge": dict(judge.settings)}
    return Outcome(episode, card, doctor.name, failure, {k: v for k, v in models.items() if v}, calls.to_dict())


async def play_setup(
    setup: Setup,
    judge: RubricJudge,
    calls: Calls,
    journal: Journal | None = None,
    watch: Watcher | None = None,
) -> Outcome:
    """Play and score one planned episode."""
    consultation = Consultation(
        setup.case,
        seed=setup.seed,
        staff=setup.staff,
        persona=setup.persona,
        limits=setup.limits,
        calls=calls,
    )
    seed = doctor_seed(setup.seed, setup.repeat)
    outcome = await consult(consultation, setup.doctor(), judge, watch, seed=seed, journal=journal)
    return replace(outcome, repeat=setup.repeat, at=setup.at)


def run_episode(
    consultation: Consultation, doctor: Doctor, judge: RubricJudge, watch: Watcher | None = None
) -> Outcome:
    """Play and score one episode, from synchronous code."""
    suspends = consultation.suspends or doctor.suspends or judge.suspends
    return drive(lambda: consult(consultation, doctor, judge, watch), suspends=suspends)


async def _judged(judge: RubricJudge, consultation: Consultation, episode: Episode, calls: Calls) -> Scorecard:
    try:
        return await judge.judge(consultation.case, episode, calls)
    except Exception as exc:  # noqa: BLE001 - a judge that fails leaves the episode unscored; it was played all the same
        _stop_run(exc)
        return judge.unscored(consultation.case, f"{JUDGE_FAILED}:{type(exc).__name__}")


def _stop_run(exc: Exception) -> None:
    """What cannot be recorded, or may not be paid for, is nobody's failure in the episode: it goes up to the run."""
    if isinstance(exc, CostCapReached) or (isinstance(exc, StoreError) and not isinstance(exc, ReplayMismatch)):
        raise exc


def _broken(consultation: Consultation, exc: Exception) -> str:
    failure = f"{type(exc).__name__}: {exc}"
    consultation.abort(TerminationReason.DOCTOR_FAILED, failure)
    return failure
