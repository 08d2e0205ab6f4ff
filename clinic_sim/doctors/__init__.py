"""Whoever plays the doctor: baselines that need no model, and a person at the terminal."""

from __future__ import annotations

from collections.abc import Callable

from clinic_sim.doctors.base import Doctor, Visit
from clinic_sim.errors import ConfigError

__all__ = ["BASELINES", "Doctor", "Visit", "make_doctor"]

BASELINES = ("checklist", "guess", "shotgun", "parrot", "silent", "random", "oracle")


def make_doctor(name: str) -> Doctor:
    """A new doctor by name.

    Raises:
        ConfigError: no doctor has that name.
    """
    makers = _makers()
    if name not in makers:
        raise ConfigError(f"unknown doctor {name!r}; there are {', '.join(makers)}")
    return makers[name]()


def _makers() -> dict[str, Callable[[], Doctor]]:
    from clinic_sim.doctors import baselines, checklist, oracle

    return {
        "checklist": checklist.Checklist,
        "guess": baselines.Guess,
        "shotgun": baselines.Shotgun,
        "parrot": baselines.Parrot,
        "silent": baselines.Silent,
        "random": baselines.Random,
        "oracle": oracle.Oracle,
    }
