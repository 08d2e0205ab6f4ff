"""Means with bootstrap intervals: whole cases are drawn with replacement, from their sums alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from clinic_sim.errors import ConfigError
from clinic_sim.reports.clusters import ClusterSums, Floats, Groups, Labels, cluster_sums, column, cr2, no_spread
from clinic_sim.reports.distributions import normal_cdf, normal_quantile
from clinic_sim.reports.estimates import Estimate, Interval, Undefined, check_level
from clinic_sim.reports.means import Bounds, Weight, undefined

Method = Literal["studentised", "bca", "percentile"]
DRAWS = 2000
MIN_CASES = 5
"""Fewer cases have too few different resamples: two cases of one size would give a studentised width of zero."""
_CHUNK = 4_000_000
"""Resampled clusters held at once: 32 MB an array."""


def bootstrap_mean(
    scores: ArrayLike,
    cases: Labels,
    *,
    method: Method = "studentised",
    weight: Weight = "episode",
    level: float = 0.95,
    bounds: Bounds | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Estimate:
    """The mean score with a bootstrap interval over cases.

    `studentised` takes quantiles of (mean* - mean) / se*, with se* the clustered standard error of each resample
    (Davison and Hinkley 1997, Bootstrap Methods and their Application, 2.4 and 3.8): second-order accurate and the only
    one of the three near its level with few cases. `percentile` takes quantiles of the resampled means; `bca` corrects
    them for bias and for skewness (Efron and Tibshirani 1993, An Introduction to the Bootstrap, 13.3 and 14.3). In
    simulations of 5, 10 and 30 cases of uneven size, 95 % intervals cover 92, 94 and 94 % (studentised) but 83, 88 and
    92 % (the other two); the t interval of `means.mean` covers 94 to 96 %. Assumes independent cases, `MIN_CASES` at
    least. Seeded: the same scores give the same interval, in whatever order.
    """
    check_level(level)
    if draws < 100:
        raise ConfigError(f"draws={draws}: too few for the tails of an interval; 1000 or more is usual")
    groups = Groups.of(cases)
    c = cluster_sums(column(scores, len(groups), "scores"), groups)
    c = c.equal_weight() if weight == "case" else c
    if len(c.sums) < 2:
        return undefined(c)
    point, error, _ = cr2(c.sums, c.sizes)
    if no_spread(float(error), c.sums, c.sizes):
        return undefined(c)
    value = float(point)
    if len(c.sums) < MIN_CASES:
        return replace(undefined(c), undefined=Undefined.TOO_FEW_CASES)
    resampled = _resample(c, draws, seed, errors=method == "studentised")
    tails = np.array([0.5 - level / 2, 0.5 + level / 2])
    if method == "studentised":
        low, high = _studentised(tails, value, c, resampled)
    else:
        cut = _bca_tails(tails, c, value, resampled.means) if method == "bca" else tails
        low, high = (float(x) for x in np.quantile(resampled.means, cut))
    if bounds is not None:
        low, high = max(low, bounds[0]), min(high, bounds[1])
    se = float(resampled.means.std(ddof=1))
    return Estimate(value, Interval(low, high, level, method), None, se, None, c.n, len(c.sums), c.unscored)


@dataclass(frozen=True, slots=True, eq=False)
class _Resampled:
    """Means of resamples, and their standard errors where they were asked for."""

    means: Floats
    errors: Floats


def _resample(c: ClusterSums, draws: int, seed: int, *, errors: bool) -> _Resampled:
    rng = np.random.default_rng(seed)
    clusters = len(c.sums)
    constant = bool((c.sizes == c.sizes[0]).all())
    means, spread = np.empty(draws), np.empty(draws if errors else 0)
    step = max(1, _CHUNK // clusters)
    for start in range(0, draws, step):
        stop = min(draws, start + step)
        drawn = rng.integers(0, clusters, (stop - start, clusters), dtype=np.int32)
        sums = c.sums[drawn]
        sizes = c.sizes[:1] if constant else c.sizes[drawn]
        totals = c.sizes[0] * clusters if constant else sizes.sum(axis=1)
        means[start:stop] = sums.sum(axis=1) / totals
        if errors:
            sums -= means[start:stop, None] * sizes
            spread[start:stop] = _error(np.einsum("ij,ij->i", sums, sums), totals, clusters)
    return _Resampled(means, spread)


def _error(squares: Floats, totals: Floats | float, clusters: int) -> Floats:
    """Clustered standard error (CR1) from the squared residual sums."""
    return np.asarray(np.sqrt(squares * clusters / (clusters - 1)) / totals)


def _studentised(tails: Floats, value: float, c: ClusterSums, resampled: _Resampled) -> tuple[float, float]:
    """value - t* se, with the far quantile of t* for the near end; resamples of one case alone have no t*."""
    total = float(c.sizes.sum())
    error = float(_error(np.array(((c.sums - value * c.sizes) ** 2).sum()), total, len(c.sums)))
    usable = resampled.errors > 1e-9 * error
    t = (resampled.means[usable] - value) / resampled.errors[usable]
    far, near = np.quantile(t, tails[::-1])
    return value - float(far) * error, value - float(near) * error


def _bca_tails(tails: Floats, c: ClusterSums, value: float, resampled: Floats) -> Floats:
    """Where the bias-corrected and accelerated interval cuts the resampled means."""
    draws = len(resampled)
    below = float((resampled < value).sum() + 0.5 * (resampled == value).sum()) / draws
    bias = normal_quantile(min(max(below, 0.5 / draws), 1 - 0.5 / draws))
    left_out = (c.sums.sum() - c.sums) / (c.sizes.sum() - c.sizes)
    deviation = left_out.mean() - left_out
    squares = float((deviation**2).sum())
    acceleration = float((deviation**3).sum()) / (6 * squares**1.5) if squares > 0 else 0.0
    shifted = [bias + normal_quantile(float(tail)) for tail in tails]
    return np.array([normal_cdf(bias + z / max(1 - acceleration * z, 1e-9)) for z in shifted])
