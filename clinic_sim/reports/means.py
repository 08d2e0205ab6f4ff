"""Means and ratios with t intervals clustered by case."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from clinic_sim.errors import ConfigError
from clinic_sim.reports.clusters import ClusterSums, Groups, Labels, cluster_sums, column, cr2, no_spread
from clinic_sim.reports.distributions import t_quantile
from clinic_sim.reports.estimates import Estimate, Interval, Undefined, check_level

Weight = Literal["episode", "case"]
Bounds = tuple[float, float]
UNIT: Bounds = (0.0, 1.0)


def mean(
    scores: ArrayLike,
    cases: Labels,
    *,
    weight: Weight = "episode",
    level: float = 0.95,
    bounds: Bounds | None = None,
) -> Estimate:
    """The mean score with a t interval clustered by case.

    Mean +- t(df) * se, with the CR2 standard error and Satterthwaite's degrees of freedom (`clusters.cr2`; G - 1 for
    clusters of one size). `weight="case"` counts each case once, by its own mean, whatever the number of its episodes.
    Unscored (nan) episodes are left out and counted. Assumes independent cases, any dependence within a case, and case
    totals near enough to normal for their number. `bounds` clips the interval to where the parameter can lie.
    """
    groups = Groups.of(cases)
    sums = cluster_sums(column(scores, len(groups), "scores"), groups)
    return t_estimate(sums.equal_weight() if weight == "case" else sums, level, bounds)


def ratio(
    numerators: ArrayLike, denominators: ArrayLike, cases: Labels, *, level: float = 0.95, bounds: Bounds | None = None
) -> Estimate:
    """Ratio of sums ("micro average") with a t interval clustered by case.

    R = sum y / sum x, linearised: the standard error is that of the residuals y - R x by case (`clusters.cr2`; Cochran,
    Sampling Techniques, 1977, 6.3 and 9A). A row where either part is nan is unscored; a row with x = 0 adds nothing.
    """
    groups = Groups.of(cases)
    y = column(numerators, len(groups), "numerators")
    x = column(denominators, len(groups), "denominators")
    if (x < 0).any():
        raise ConfigError(f"denominators: row {int((x < 0).argmax())} is negative; a count or a size is meant")
    if ((x == 0) & (y != 0) & ~np.isnan(y)).any():
        raise ConfigError(f"row {int(((x == 0) & (y != 0) & ~np.isnan(y)).argmax())}: something of nothing is no ratio")
    return t_estimate(cluster_sums(np.where(np.isnan(x), np.nan, y), groups, x), level, bounds)


def t_estimate(c: ClusterSums, level: float, bounds: Bounds | None) -> Estimate:
    """The t interval of sums by cluster, or why there is none."""
    check_level(level)
    clusters = len(c.sums)
    if clusters < 2:
        return undefined(c)
    value, error, df = cr2(c.sums, c.sizes)
    return t_interval(float(value), float(error), df, c, level, bounds)


def t_interval(value: float, se: float, df: float, c: ClusterSums, level: float, bounds: Bounds | None) -> Estimate:
    """Value +- t(df) * se, clipped to the bounds."""
    if no_spread(se, c.sums, c.sizes):
        return undefined(c)
    half = t_quantile(0.5 + level / 2, df) * se
    interval = _clipped(value - half, value + half, level, "t", bounds)
    return Estimate(value, interval, None, se, df, c.n, len(c.sums), c.unscored)


def undefined(c: ClusterSums) -> Estimate:
    """The point without an interval, and why."""
    clusters = len(c.sums)
    value = float(c.sums.sum() / c.sizes.sum()) if clusters else None
    reason = (Undefined.NOTHING_SCORED, Undefined.ONE_CASE)[clusters] if clusters < 2 else Undefined.NO_SPREAD
    return Estimate(value, None, reason, None, None, c.n, clusters, c.unscored)


def _clipped(low: float, high: float, level: float, method: str, bounds: Bounds | None) -> Interval:
    if bounds is not None:
        low, high = max(low, bounds[0]), min(high, bounds[1])
    return Interval(low, high, level, method)
