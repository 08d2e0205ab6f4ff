"""p-values of many comparisons, adjusted. A nan (an undefined test) stays nan and is not counted among them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from clinic_sim.errors import ConfigError
from clinic_sim.reports.clusters import Floats, Ints


def holm(p: ArrayLike) -> Floats:
    """Holm's step-down p-values: max over j <= i of (m - j + 1) p_(j), at most 1.

    Controls the chance of any false finding, whatever the dependence between the tests. Holm (1979), Scandinavian
    Journal of Statistics 6(2).
    """
    values, order, ranked = _sorted(p)
    m = len(ranked)
    adjusted = np.minimum(np.maximum.accumulate(ranked * (m - np.arange(m))), 1.0)
    values[order] = adjusted
    return values


def benjamini_hochberg(p: ArrayLike) -> Floats:
    """Benjamini and Hochberg's step-up p-values: min over j >= i of m p_(j) / j, at most 1.

    Controls the expected share of false findings among the findings, for independent or positively dependent tests.
    Benjamini and Hochberg (1995), J. Royal Statistical Society B 57(1).
    """
    values, order, ranked = _sorted(p)
    m = len(ranked)
    scaled = ranked * m / np.arange(1, m + 1)
    values[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return values


def _sorted(p: ArrayLike) -> tuple[Floats, Ints, Floats]:
    """A copy of the p-values, the places of the defined ones in rising order, and these."""
    values = np.array(p, dtype=np.float64)
    if values.ndim != 1 or ((values < 0) | (values > 1)).any():
        raise ConfigError("p-values are one row of numbers between 0 and 1, nan where a test is undefined")
    defined = np.flatnonzero(~np.isnan(values))
    order = defined[np.argsort(values[defined], kind="stable")]
    return values, order, values[order]
