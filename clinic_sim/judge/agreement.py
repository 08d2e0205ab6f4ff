"""Agreement of two graders, as statistics with their definitions: kappas, alpha, macro-F1, rank correlation, AUC.

Everything here is a plain function of numbers: nothing is read, nothing is known of judges. Where a statistic is not
defined (one class only, no variance, no pair) it is None, never 0 and never 1: a judge that says the same of everything
has no agreement that could be stated.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special  # type: ignore[import-untyped]

Weights = Literal["none", "linear", "quadratic"]
Level = Literal["nominal", "ordinal", "interval"]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A statistic with its confidence interval."""

    value: float
    low: float
    high: float


def cohen_kappa(
    a: Sequence[Hashable], b: Sequence[Hashable], categories: Sequence[Hashable], weights: Weights = "none"
) -> float | None:
    """Cohen's kappa (1960, weighted 1968): agreement beyond what both graders' own frequencies would give.

    Args:
        a: One grader's categories.
        b: The other's, item by item.
        categories: All of them, in order; weights grow with the distance of places in it.
        weights: Disagreement counts alike (`none`), by distance (`linear`), or by its square (`quadratic`).
    """
    place = {c: i for i, c in enumerate(categories)}
    k = len(categories)
    cells = [place[x] * k + place[y] for x, y in zip(a, b, strict=True)]
    return kappa_of(np.bincount(cells, minlength=k * k).reshape(k, k).astype(float), weights) if cells else None


def kappa_of(table: Floats, weights: Weights = "none") -> float | None:
    """Cohen's kappa of a square table of counts, one grader's categories down, the other's across."""
    k = len(table)
    gap = np.abs(np.subtract.outer(np.arange(k), np.arange(k))).astype(float)
    cost = (gap > 0).astype(float) if weights == "none" else gap if weights == "linear" else gap**2
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    by_chance = float((cost * expected).sum())
    return None if by_chance == 0 else 1.0 - float((cost * table).sum()) / by_chance


def bootstrap_kappa(
    rows: Sequence[Floats], weights: Weights, *, resamples: int = 1_000, seed: int = 0, level: float = 0.95
) -> tuple[float, float] | None:
    """Percentile interval of a kappa over resampled items.

    Args:
        rows: Each item's own table, so that the graders of one item are drawn together.
        weights: As of `kappa_of`.
        resamples: How many.
        seed: Of the draws.
        level: Of the interval.
    """
    if len(rows) < 2:
        return None
    tables = np.stack(rows)
    rng = np.random.default_rng(seed)
    found: list[float] = []
    for _ in range(resamples):
        times = np.bincount(rng.integers(len(tables), size=len(tables)), minlength=len(tables)).astype(float)
        kappa = kappa_of(np.tensordot(times, tables, axes=1), weights)
        if kappa is not None:
            found.append(kappa)
    if len(found) < resamples / 2:
        return None
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def krippendorff_alpha(ratings: Sequence[Sequence[float | None]], level: Level = "nominal") -> float | None:
    """Krippendorff's alpha (2011): any number of graders, any of whose grades may be missing.

    Args:
        ratings: One row a grader, one column an item; categories as numbers, in order for `ordinal`.
        level: How far apart two values are: not at all or wholly, by rank, or by their difference.
    """
    units = [[float(v) for v in column if v is not None] for column in zip(*ratings, strict=True)]
    units = [u for u in units if len(u) > 1]
    values = sorted({v for u in units for v in u})
    if len(values) < 2:
        return None
    place = {v: i for i, v in enumerate(values)}
    k = len(values)
    coincidences = np.zeros((k, k))
    for unit in units:
        counts = np.bincount([place[v] for v in unit], minlength=k).astype(float)
        coincidences += (np.outer(counts, counts) - np.diag(counts)) / (len(unit) - 1)
    totals = coincidences.sum(axis=1)
    delta = _distances(np.asarray(values), totals, level)
    n = float(totals.sum())
    expected = float((np.outer(totals, totals) * delta).sum())
    observed = float((coincidences * delta).sum())
    return 1.0 - (n - 1) * observed / expected


def _distances(values: Floats, totals: Floats, level: Level) -> Floats:
    """Squared distances of the values, by level."""
    k = len(values)
    if level == "nominal":
        return np.asarray(1.0 - np.eye(k))
    if level == "interval":
        return np.asarray(np.subtract.outer(values, values) ** 2)
    # Of two ranks: how many grades lie between them, each end's own counted half.
    middle = np.cumsum(totals) - totals / 2
    return np.asarray(np.subtract.outer(middle, middle) ** 2)


def macro_f1(truth: Sequence[Hashable], given: Sequence[Hashable]) -> float | None:
    """Mean of the F1 of each category that either grader used: a rare category counts as much as a common one."""
    categories = list(dict.fromkeys([*truth, *given]))
    if not categories:
        return None
    scores = []
    for c in categories:
        hit = sum(1 for t, g in zip(truth, given, strict=True) if t == c and g == c)
        wanted, said = sum(1 for t in truth if t == c), sum(1 for g in given if g == c)
        scores.append(2 * hit / (wanted + said))
    return sum(scores) / len(scores)


def accuracy(truth: Sequence[Hashable], given: Sequence[Hashable]) -> float | None:
    """Share of items on which both say the same."""
    pairs = list(zip(truth, given, strict=True))
    return sum(1 for t, g in pairs if t == g) / len(pairs) if pairs else None


def ranks(values: Sequence[float] | Floats) -> Floats:
    """Ranks from 1, ties given their mean."""
    _, place, counts = np.unique(np.asarray(values, dtype=float), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[place], dtype=float)


def spearman(a: Sequence[float], b: Sequence[float], level: float = 0.95) -> Estimate | None:
    """Spearman's rank correlation, ties given their mean rank.

    The interval is Fisher's z with the variance of Bonett and Wright (2000), `(1 + rho^2 / 2) / (n - 3)`, which keeps
    its level where ranks are tied, unlike the Pearson variance.
    """
    n = len(a)
    if n < 4:
        return None
    x, y = ranks(a), ranks(b)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    rho = float(np.clip(np.corrcoef(x, y)[0, 1], -1.0, 1.0))
    if abs(rho) > 1 - 1e-12:
        return Estimate(round(rho), round(rho), round(rho))
    reach = float(special.ndtri(0.5 + level / 2)) * math.sqrt((1 + rho**2 / 2) / (n - 3))
    return Estimate(rho, math.tanh(math.atanh(rho) - reach), math.tanh(math.atanh(rho) + reach))


def auc(good: Sequence[bool], scores: Sequence[float], level: float = 0.95) -> Estimate | None:
    """Probability that a good item scores above one that is not, ties counted half (the area under the ROC curve).

    The interval is DeLong's (1988), taken on the logit of the area so that it stays within [0, 1]; where the area is
    0 or 1 that variance is none, and the interval's end is the bound of a run of the smaller class without a fault.
    """
    values = np.asarray(scores, dtype=float)
    mask = np.asarray(good, dtype=bool)
    positive, negative = values[mask], values[~mask]
    m, n = len(positive), len(negative)
    if not m or not n:
        return None
    # Sun and Xu (2014): midranks give the same structural components without comparing every pair.
    everyone = ranks(np.concatenate([positive, negative]))
    above = (everyone[:m] - ranks(positive)) / n
    below = 1 - (everyone[m:] - ranks(negative)) / m
    area = float(above.mean())
    if area in (0.0, 1.0):
        bound = (1 - level) ** (1 / min(m, n))
        return Estimate(area, bound, 1.0) if area else Estimate(area, 0.0, 1 - bound)
    if m < 2 or n < 2:
        return Estimate(area, 0.0, 1.0)
    variance = float(above.var(ddof=1)) / m + float(below.var(ddof=1)) / n
    reach = float(special.ndtri(0.5 + level / 2)) * math.sqrt(variance) / (area * (1 - area))
    centre = math.log(area / (1 - area))
    low, high = (1 / (1 + math.exp(-z)) for z in (centre - reach, centre + reach))
    return Estimate(area, low, high)
