"""Records of failed attempts: what broke, where, and whether the episode can go on from its journal."""

from __future__ import annotations

from typing import Any

from clinic_sim.clinic.events import TerminationReason
from clinic_sim.models.tape import KINDS
from clinic_sim.sweeps.outcome import Outcome, Setup

FAILURE_SCHEMA = 1
_COVERED = frozenset({"BadReply", "EmptyReply", "ContextOverflow", "Refusal"})


def of_outcome(outcome: Outcome, setup: Setup, attempt: int) -> dict[str, Any]:
    """The record of a broken episode, its transcript included."""
    kind, _, message = outcome.failure.partition(": ")
    if kind == "SimulatorError" and "model failed: " in message:
        kind = message.partition("model failed: ")[2].partition(":")[0]
    stage = "doctor" if outcome.episode.ledger.ended is TerminationReason.DOCTOR_FAILED else "clinic"
    costs = [own["cost"] for own in outcome.usage.values()]
    return {
        **of_attempt(setup, attempt, stage, kind, message),
        # Whatever a doctor's own code did wrong, its model would be told the same again and answer the same.
        "resumable": kind in KINDS and kind not in _COVERED,
        "cost": None if None in costs else round(sum(costs), 9),
        "usage": dict(outcome.usage),
        "models": dict(outcome.models),
        "episode": outcome.episode.to_dict(),
    }


def of_attempt(setup: Setup, attempt: int, stage: str, kind: str, message: str) -> dict[str, Any]:
    """The record of an attempt of which nothing else is left.

    Args:
        attempt: Its number, from 1.
        stage: `doctor`, `clinic` or `worker`.
        kind: Name of the error.
    """
    return {
        "schema": FAILURE_SCHEMA,
        "at": setup.at,
        "name": setup.name,
        "case": setup.case.id,
        "attempt": attempt,
        "stage": stage,
        "kind": kind,
        "message": message[:2000],
        "cost": 0.0,
        "resumable": True,
    }
