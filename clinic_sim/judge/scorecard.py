"""`Scorecard`: every verdict with its evidence, the dimensions, the total. What could not be scored stays unscored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """The three values of a verdict."""

    MET = "met"
    NOT_MET = "not_met"
    UNSCORED = "unscored"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found on one criterion."""

    criterion: str
    dimension: str
    status: Status
    points: float
    value: float | None
    """Degree in [0, 1]; None when unscored. A graded check is met from 0.5 on."""
    evidence: tuple[int, ...] = ()
    """Numbers of the events that it rests on."""
    reason: str = ""
    failure: str = ""
    """Why it is unscored: `missing_reference`, `episode_failed`, `judge_failed`."""


_VERDICT_FIELDS = tuple(f.name for f in fields(Verdict))


@dataclass(frozen=True, slots=True)
class DimensionScore:
    """One dimension."""

    value: float | None
    """In [0, 1]; None when unscored."""
    grade: str | None
    """A to D; None when unscored."""
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The score of one episode under one rubric."""

    case: str
    rubric: str
    rubric_hash: str
    total: float | None
    """Weighted mean of the scored dimensions plus `safety`, in [0, 1]; None when nothing could be scored."""
    safety: float
    """What harm took from the total: 0 when there was none, else negative."""
    dimensions: Mapping[str, DimensionScore]
    verdicts: tuple[Verdict, ...] = field(default=())
    failure: str = ""
    """Why the whole episode is unscored; empty when it is scored."""

    @property
    def status(self) -> str:
        """`scored` or `unscored`."""
        return "unscored" if self.total is None else "scored"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "case": self.case,
            "rubric": self.rubric,
            "rubric_hash": self.rubric_hash,
            "status": self.status,
            "failure": self.failure,
            "total": self.total,
            "safety": self.safety,
            "dimensions": {
                name: {"value": d.value, "grade": d.grade, "failure": d.failure} for name, d in self.dimensions.items()
            },
            "verdicts": [{name: getattr(v, name) for name in _VERDICT_FIELDS} for v in self.verdicts],
        }
