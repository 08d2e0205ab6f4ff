"""`Scorecard`: every verdict with its evidence, the dimensions, the total. What could not be scored stays unscored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

JUDGE_FAILED = "judge_failed"
"""Failure of a judged criterion, with what went wrong behind a colon: `missing`, `duplicate`, `types`, `format`,
`quote`, `control`, `disagreement`, or the provider's error by name. Without a colon, that of its dimension and of
the total."""

MET_FROM = 0.5
"""Degree from which a graded check is met."""


class Status(StrEnum):
    """The three values of a verdict."""

    MET = "met"
    NOT_MET = "not_met"
    UNSCORED = "unscored"


@dataclass(frozen=True, slots=True)
class Votes:
    """How the votes of a model judge fell on one criterion."""

    met: int
    not_met: int
    failed: int
    """Votes without a usable verdict."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found on one criterion."""

    criterion: str
    dimension: str
    status: Status
    points: float
    value: float | None
    """Degree in [0, 1]; None when unscored. A graded check is met from `MET_FROM` on."""
    evidence: tuple[int, ...] = ()
    """Numbers of the events that it rests on."""
    reason: str = ""
    failure: str = ""
    """Why it is unscored: `missing_reference`, `episode_failed`, `episode_unfinished`, `judge_failed:...`."""
    quote: str = ""
    """A model judge's quote, which stands in the first event of `evidence`."""
    votes: Votes | None = None
    """How a model judge's votes fell; None for a verifiable check."""
    beside: str = ""
    """For a model judge's verdict: the verifiable criterion that asks the same thing, see `Scorecard.beside`."""

    @property
    def judge_failed(self) -> bool:
        """It is unscored because a model judge failed."""
        return self.failure.startswith(JUDGE_FAILED)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON data; `quote` and `votes` only where a model judged, `beside` only where it is set."""
        data: dict[str, Any] = {
            "criterion": self.criterion,
            "dimension": self.dimension,
            "status": self.status,
            "points": self.points,
            "value": self.value,
            "evidence": self.evidence,
            "reason": self.reason,
            "failure": self.failure,
        }
        if self.votes is not None:
            data["quote"] = self.quote
            data["votes"] = {"met": self.votes.met, "not_met": self.votes.not_met, "failed": self.votes.failed}
        if self.beside:
            data["beside"] = self.beside
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Verdict:
        """The verdict of its plain form; KeyError, TypeError or ValueError where it is not one."""
        values = dict(data)
        votes = values.pop("votes", None)
        values["status"] = Status(values["status"])
        values["evidence"] = tuple(values["evidence"])
        return cls(**values, votes=None if votes is None else Votes(**votes))


@dataclass(frozen=True, slots=True)
class Beside:
    """A model judge's verdict and the verifiable one on the same thing, side by side."""

    judged: Verdict
    criterion: str
    """The verifiable criterion, or the one that generated several."""
    value: float | None
    """Its degree in [0, 1], over several the mean by points; None where none of them is scored."""

    @property
    def status(self) -> Status:
        """The verifiable side as a status: met from `MET_FROM` on."""
        if self.value is None:
            return Status.UNSCORED
        return Status.MET if self.value >= MET_FROM else Status.NOT_MET

    @property
    def agree(self) -> bool | None:
        """Both say the same; None where one of the two is unscored."""
        if Status.UNSCORED in (self.status, self.judged.status):
            return None
        return self.status is self.judged.status


@dataclass(frozen=True, slots=True)
class DimensionScore:
    """One dimension."""

    value: float | None
    """In [0, 1]; None when unscored."""
    grade: str | None
    """A to D; None when unscored."""
    failure: str = ""
    limited_by: tuple[str, ...] = ()
    """Criteria without which it would be higher: a required one that was missed, a veto."""


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The score of one episode under one rubric."""

    case: str
    rubric: str
    rubric_hash: str
    total: float | None
    """Weighted mean of the scored dimensions plus `safety`, in [0, 1]; None when nothing could be scored, or when a
    model judge failed on a dimension."""
    safety: float
    """What harm took from the total: 0 when there was none, else negative."""
    dimensions: Mapping[str, DimensionScore]
    verdicts: tuple[Verdict, ...] = field(default=())
    failure: str = ""
    """Why the whole episode is unscored; empty when it is scored."""
    judge: Mapping[str, Any] = field(default_factory=dict)
    """Who judged what only language shows: `model`, `votes`, `prompt` (hash), `removed` (passages addressed to the
    judge that it was not shown), `failures` (by kind, over all votes); empty where no model was asked."""
    limited_by: tuple[str, ...] = ()
    """Vetoes without which the total would be higher."""

    @property
    def status(self) -> str:
        """`scored` or `unscored`."""
        return "unscored" if self.total is None else "scored"

    @property
    def beside(self) -> tuple[Beside, ...]:
        """What a model judge and a verifiable check both looked at."""
        return tuple(self._beside(verdict) for verdict in self.verdicts if verdict.beside)

    def _beside(self, judged: Verdict) -> Beside:
        name = judged.beside
        own = [v for v in self.verdicts if v.criterion == name or v.criterion.startswith(f"{name}.")]
        scored = [(abs(v.points), v.value) for v in own if v.value is not None]
        weight = sum(points for points, _ in scored)
        mean = sum(points * value for points, value in scored) / weight if weight else None
        return Beside(judged, name, None if mean is None else round(mean, 6))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON data; `judge` only where a model judged, `limited_by` only where something was."""
        data: dict[str, Any] = {
            "case": self.case,
            "rubric": self.rubric,
            "rubric_hash": self.rubric_hash,
            "status": self.status,
            "failure": self.failure,
            "total": self.total,
            "safety": self.safety,
            "dimensions": {name: _dimension(d) for name, d in self.dimensions.items()},
            "verdicts": [v.to_dict() for v in self.verdicts],
        }
        if self.judge:
            data["judge"] = dict(self.judge)
        if self.limited_by:
            data["limited_by"] = self.limited_by
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Scorecard:
        """The scorecard of its plain form; KeyError, TypeError or ValueError where it is not one."""
        return cls(
            data["case"],
            data["rubric"],
            data["rubric_hash"],
            data["total"],
            data["safety"],
            {
                name: DimensionScore(d["value"], d["grade"], d["failure"], tuple(d.get("limited_by", ())))
                for name in _in_order(data)
                for d in (data["dimensions"][name],)
            },
            tuple(Verdict.from_dict(v) for v in data["verdicts"]),
            data["failure"],
            data.get("judge", {}),
            tuple(data.get("limited_by", ())),
        )


def _in_order(data: Mapping[str, Any]) -> list[str]:
    """The dimensions as the rubric has them: JSON is stored with sorted names, but verdicts in the rubric's order."""
    names = data["dimensions"]
    judged = dict.fromkeys(v["dimension"] for v in data["verdicts"])
    return [*(name for name in judged if name in names), *(name for name in names if name not in judged)]


def _dimension(score: DimensionScore) -> dict[str, Any]:
    data: dict[str, Any] = {"value": score.value, "grade": score.grade, "failure": score.failure}
    if score.limited_by:
        data["limited_by"] = score.limited_by
    return data
