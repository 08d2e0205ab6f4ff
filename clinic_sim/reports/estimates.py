"""`Estimate`: a number with its interval and its counts, or the reason why it has none.

Every table prints these, so that no figure stands without an interval, the episodes and cases behind it, and how many
were unscored. An interval that cannot be had is *undefined* with a reason: never nan, never of zero width.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from clinic_sim.errors import ConfigError


class Undefined(StrEnum):
    """Why there is no interval, test or component."""

    NOTHING_SCORED = "nothing was scored"
    ONE_CASE = "one case only"
    TOO_FEW_CASES = "too few cases to resample"
    NO_SPREAD = "no spread between cases"


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval."""

    low: float
    high: float
    level: float
    """Its nominal coverage, 0.95 for instance."""
    method: str
    """`t` (CR2, Satterthwaite), `wilson`, or a bootstrap over cases: `studentised`, `bca`, `percentile`."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean, a ratio or a rate, with what is known about its precision."""

    value: float | None
    """None when nothing was scored."""
    interval: Interval | None
    undefined: Undefined | None
    """Why there is no interval; None when there is one."""
    se: float | None
    """Standard error, clustered by case; None when the interval is undefined."""
    df: float | None
    """Degrees of freedom of the t interval; None for other methods."""
    n: int
    """Rows that entered: scored episodes; cases, in an estimate that is made of values of cases."""
    clusters: int
    """Cases behind them."""
    unscored: int
    """Rows left out because they are unscored. They are never counted as zero."""

    def __str__(self) -> str:
        if self.value is None:
            return "nothing scored"
        if self.interval is None:
            return f"{self.value:.3f} (interval undefined: {self.undefined})"
        return f"{self.value:.3f} [{self.interval.low:.3f}, {self.interval.high:.3f}]"


def check_level(level: float) -> None:
    """Refuse a confidence level that is none."""
    if not 0.0 < level < 1.0:
        raise ConfigError(f"a confidence level lies between 0 and 1, not {level}; 0.95 is usual")
