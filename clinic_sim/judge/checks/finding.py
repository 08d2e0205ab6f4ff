"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)  # not frozen: some seventy are made for each episode, and freezing doubles what one costs
class Finding:
    """A degree in [0, 1] with its evidence, or why there is none."""

    value: float | None
    evidence: tuple[int, ...] = ()
    reason: str = ""
    failure: str = ""
    applies: bool = True
    """False where the case gives the criterion nothing to check: it is left out, neither met nor missed."""


def missing(what: str) -> Finding:
    """The source does not hold the reference: unscored."""
    return Finding(None, reason=f"the case's source holds no {what}", failure="missing_reference")


def not_applicable(reason: str) -> Finding:
    """Nothing to check in this case."""
    return Finding(None, reason=reason, applies=False)


def yes_no(met: bool, evidence: tuple[int, ...], reason: str) -> Finding:
    """A plain verdict."""
    return Finding(1.0 if met else 0.0, evidence if met else (), reason)
