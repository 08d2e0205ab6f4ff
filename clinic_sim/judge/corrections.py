"""What a judge's scores say once a few are checked by hand: the prediction-powered mean, and abstention.

Prediction-powered inference (Angelopoulos and others, Science 2023; power tuning: PPI++, 2023) takes the judge's mean
over all items and adds the mean error that the hand-graded sample shows. Unbiased whatever the judge; the better the
judge, the narrower the interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special  # type: ignore[import-untyped]


@dataclass(frozen=True, slots=True)
class CorrectedMean:
    """A mean with its interval, and how far the judge was trusted."""

    value: float
    low: float
    high: float
    weight: float
    """Of the judge: 0 leaves only the hand-graded sample, 1 is the plain correction."""


def prediction_powered_mean(
    truth: Sequence[float],
    judged: Sequence[float],
    unchecked: Sequence[float],
    *,
    level: float = 0.95,
    weight: float | None = None,
) -> CorrectedMean | None:
    """The mean that hand-grading everything would give, from a small hand-graded sample and the judge's scores.

    Args:
        truth: Hand grades of the sample.
        judged: The judge's scores of the same items.
        unchecked: The judge's scores of the items that nobody graded by hand.
        level: Of the interval, by Student's t on the sample's size.
        weight: Trust in the judge; by default the one of least variance, kept within [0, 1].

    Returns:
        None with fewer than two graded items.
    """
    y, f = np.asarray(truth, dtype=float), np.asarray(judged, dtype=float)
    if y.shape != f.shape:
        raise ValueError("`truth` and `judged` are of the same items: they have the same length")
    n, rest = len(y), np.asarray(unchecked, dtype=float)
    if n < 2:
        return None
    many = len(rest)
    if many < 2:
        weight = 0.0
    if weight is None:
        spread = float(np.concatenate([f, rest]).var(ddof=1))
        together = float(np.cov(y, f)[0, 1])
        weight = 0.0 if spread == 0 else min(1.0, max(0.0, together / (spread * (1 + n / many))))
    value = float(y.mean())
    variance = float((y - weight * f).var(ddof=1)) / n
    if weight:
        value += weight * (float(rest.mean()) - float(f.mean()))
        variance += weight**2 * float(rest.var(ddof=1)) / many
    reach = float(special.stdtrit(n - 1, 0.5 + level / 2)) * math.sqrt(variance)
    return CorrectedMean(value, value - reach, value + reach, weight)


@dataclass(frozen=True, slots=True)
class AbstentionPoint:
    """What a judge agrees on when it leaves out what it is least sure of."""

    unscored: float
    """Share of all items without a verdict."""
    n: int
    """Items with one."""
    agreement: float | None
    """Share of them on which judge and grader say the same."""


def abstention_curve(
    agrees: Sequence[bool], confidence: Sequence[float], failed: int = 0, shares: Sequence[float] = (0, 0.1, 0.2, 0.3)
) -> list[AbstentionPoint]:
    """Agreement against the unscored share, the least sure verdicts left out first.

    Args:
        agrees: Of each verdict, whether the grader says the same.
        confidence: Of each verdict; equal ones are left out together or not at all.
        failed: Items that the judge left unscored by itself: they are in every share.
        shares: Of the verdicts to leave out; a share that would tear equal confidences apart leaves out less.
    """
    total = len(agrees) + failed
    order = np.argsort(confidence, kind="stable")[::-1]
    hits, sure = np.asarray(agrees, dtype=bool)[order], np.asarray(confidence, dtype=float)[order]
    points: list[AbstentionPoint] = []
    for share in shares:
        keep = len(hits) - math.floor(len(hits) * share)
        while 0 < keep < len(hits) and sure[keep] == sure[keep - 1]:
            keep += 1
        point = AbstentionPoint(1 - keep / total if total else 0.0, keep, float(hits[:keep].mean()) if keep else None)
        if point not in points:
            points.append(point)
    return points
