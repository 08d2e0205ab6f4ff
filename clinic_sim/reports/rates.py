"""Rates with Wilson intervals, widened for clustering by case."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from clinic_sim.errors import ConfigError
from clinic_sim.reports.clusters import Groups, Labels, cluster_sums, column, cr2, no_spread
from clinic_sim.reports.distributions import normal_quantile, t_quantile
from clinic_sim.reports.estimates import Estimate, Interval, Undefined, check_level

SEEN_IN = 5


@dataclass(frozen=True, slots=True)
class Rate:
    """A count out of a number, with the interval of its share."""

    count: int
    of: int
    estimate: Estimate
    """The share; `unscored` counts the episodes that could not be assessed."""


def rate(counts: ArrayLike, cases: Labels | None = None, *, of: ArrayLike | None = None, level: float = 0.95) -> Rate:
    """The share of episodes that are flagged (1 or 0, nan where it cannot be said), with a Wilson interval.

    With `of`, the share of events: `counts` events of `of` in each episode (courtesy turns of turns). Without `cases`,
    trials are independent: Wilson (1927), J. American Statistical Association 22. With them, n is replaced by
    n / deff * (z / t)^2, where deff is the CR2 variance over p (1 - p) / n and never below 1, and t has the CR2 degrees
    of freedom: Korn and Graubard's effective size in Wilson's formula (Dean and Pagano 2015, J. Survey Statistics and
    Methodology 3(4)). Where fewer than `SEEN_IN` cases have a flag, or have a row without one, clustering cannot be
    seen in the data: then n is at most the number of cases. In simulations (8 to 60 cases, rates from 0.02 to 0.5,
    intraclass correlation up to two thirds) 95 % intervals cover 93 % and more.
    """
    check_level(level)
    flags = np.asarray(counts, dtype=np.float64)
    rows = len(flags)
    groups = Groups.of(np.arange(rows) if cases is None else cases)
    y = column(flags, len(groups), "counts")
    x = np.ones(rows) if of is None else column(of, rows, "of")
    if ((y < 0) | (y > x) | (x < 0)).any():
        raise ConfigError("a rate needs 0 <= counts <= of in every episode")
    sums = cluster_sums(np.where(np.isnan(x), np.nan, y), groups, x)
    count, total, clusters = round(float(sums.sums.sum())), round(float(sums.sizes.sum())), len(sums.sums)
    if not clusters:
        return Rate(0, 0, Estimate(None, None, Undefined.NOTHING_SCORED, None, None, sums.n, 0, sums.unscored))
    share, size = count / total, float(total)
    error: float | None = None
    if cases is None:
        error = (share * (1 - share) / total) ** 0.5
    elif clusters < 2:
        return Rate(count, total, Estimate(share, None, Undefined.ONE_CASE, None, None, sums.n, 1, sums.unscored))
    else:
        if 0 < count < total:
            _, se, df = cr2(sums.sums, sums.sizes)
            error = 0.0 if no_spread(float(se), sums.sums, sums.sizes) else float(se)
            size = _effective(share, total, error, df, level)
        if min(int((sums.sums > 0).sum()), int((sums.sums < sums.sizes).sum())) < SEEN_IN:
            size = min(size, float(clusters))
    low, high = wilson(share, size, level)
    interval = Interval(low, high, level, "wilson")
    return Rate(count, total, Estimate(share, interval, None, error, None, sums.n, clusters, sums.unscored))


def wilson(share: float, size: float, level: float) -> tuple[float, float]:
    """Wilson's score interval: the p for which |share - p| <= z sqrt(p (1 - p) / size)."""
    z2 = normal_quantile(0.5 + level / 2) ** 2
    centre = (share + z2 / (2 * size)) / (1 + z2 / size)
    half = (z2 * (share * (1 - share) / size + z2 / (4 * size**2))) ** 0.5 / (1 + z2 / size)
    return max(0.0, centre - half), min(1.0, centre + half)


def _effective(share: float, total: int, error: float, df: float, level: float) -> float:
    """Independent trials that would say as much."""
    deff = max(1.0, error**2 * total / (share * (1 - share)))
    return total / deff * (normal_quantile(0.5 + level / 2) / t_quantile(0.5 + level / 2, df)) ** 2
