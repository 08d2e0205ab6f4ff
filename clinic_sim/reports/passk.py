"""pass^k and pass@k: does a doctor succeed every time, or at least once in k repeats?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from clinic_sim.errors import ConfigError
from clinic_sim.reports.clusters import ClusterSums, Floats, Groups, Labels, column, totals_by
from clinic_sim.reports.estimates import Estimate
from clinic_sim.reports.means import UNIT, t_estimate


@dataclass(frozen=True, slots=True)
class PassK:
    """Both figures at one k, over the cases with at least k scored repeats."""

    k: int
    threshold: float
    every: Estimate
    """pass^k: all k repeats succeed. `n` and `clusters` count cases."""
    any: Estimate
    """pass@k: at least one of k succeeds."""
    too_few: int
    """Cases left out because fewer than k of their repeats were scored."""
    unscored: int
    """Episodes left out."""


def pass_k(
    scores: ArrayLike, cases: Labels, *, ks: Iterable[int], threshold: float, level: float = 0.95
) -> tuple[PassK, ...]:
    """pass^k and pass@k for each k: by case, then averaged over cases.

    With n scored repeats of a case of which c reach the `threshold`, the unbiased estimates over draws without
    replacement are C(c, k) / C(n, k) for "all k succeed" (Yao et al. 2024, tau-bench, arXiv:2406.12045) and
    1 - C(n - c, k) / C(n, k) for "any of k succeeds" (Chen et al. 2021, arXiv:2107.03374). Repeats of a case are taken
    as exchangeable, cases as independent; the interval is the t interval of case values with G - 1 degrees of freedom,
    clipped to [0, 1]. Different k rest on different cases where repeats are uneven: read `too_few`.
    """
    groups = Groups.of(cases)
    values = column(scores, len(groups), "scores")
    scored = ~np.isnan(values)
    codes = groups.codes[scored]
    n = np.bincount(codes, minlength=len(groups.names)).astype(np.float64)
    c = totals_by(codes, (values[scored] >= threshold).astype(np.float64), len(groups.names))
    seen = np.bincount(groups.codes, minlength=len(groups.names)) > 0
    n, c, unscored = n[seen], c[seen], int((~scored).sum())
    return tuple(_at(k, threshold, n, c, unscored, level) for k in ks)


def _at(k: int, threshold: float, n: Floats, c: Floats, unscored: int, level: float) -> PassK:
    if k < 1:
        raise ConfigError(f"k={k}: repeats are counted from 1")
    enough = n >= k
    every = _all_drawn(c[enough], n[enough], k)
    some = 1.0 - _all_drawn((n - c)[enough], n[enough], k)
    return PassK(k, threshold, _over_cases(every, level), _over_cases(some, level), int((~enough).sum()), unscored)


def _all_drawn(c: Floats, n: Floats, k: int) -> Floats:
    """C(c, k) / C(n, k): all of k drawn without replacement from n are among the c."""
    i = np.arange(k)
    return np.asarray(np.prod(np.maximum(c[:, None] - i, 0.0) / (n[:, None] - i), axis=1))


def _over_cases(values: Floats, level: float) -> Estimate:
    return t_estimate(ClusterSums(np.sort(values), np.ones_like(values), len(values), 0), level, UNIT)
