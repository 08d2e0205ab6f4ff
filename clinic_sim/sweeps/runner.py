"""Running one episode: a doctor, a consultation, a judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from clinic_sim.clinic.consultation import Consultation
from clinic_sim.clinic.driving import drive
from clinic_sim.clinic.episode import Episode
from clinic_sim.clinic.events import Event, TerminationReason
from clinic_sim.doctors.base import Doctor, Visit
from clinic_sim.errors import ClinicSimError
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.scorecard import Scorecard

Watcher = Callable[[tuple[Event, ...]], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one planned episode."""

    episode: Episode
    scorecard: Scorecard
    doctor: str
    failure: str = ""
    """Type and message of what broke the episode; empty when nothing did."""


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
            return _broken(consultation, exc)
        try:
            result = await consultation.act(action)
        except ClinicSimError as exc:
            return f"{type(exc).__name__}: {exc}"
        observation = result.observation
        if watch:
            watch(result.events)
    return ""


def run_episode(
    consultation: Consultation, doctor: Doctor, judge: RubricJudge, watch: Watcher | None = None
) -> Outcome:
    """Play and score one episode, from synchronous code."""
    suspends = consultation.suspends or doctor.suspends
    failure = drive(lambda: play(consultation, doctor, watch), suspends=suspends)
    episode = consultation.episode()
    return Outcome(episode, judge.score(consultation.case, episode), doctor.name, failure)


def _broken(consultation: Consultation, exc: Exception) -> str:
    failure = f"{type(exc).__name__}: {exc}"
    consultation.abort(TerminationReason.DOCTOR_FAILED, failure)
    return failure
