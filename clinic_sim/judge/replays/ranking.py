"""Whether scores rank doctors as a reference does: Kendall's tau-b and Spearman's rho, with bootstrap intervals.

With four doctors there are six pairs: a tau of 1 comes by chance once in 24 orders, and no interval makes it more.
Cases are drawn again, not doctors: the interval says how firm the order is on such cases, not on other doctors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2_000
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ranked:
    """How two orders of doctors agree."""

    doctors: int
    cases: int
    tau: float | None
    tau_interval: tuple[float, float] | None
    rho: float | None
    rho_interval: tuple[float, float] | None
    by_chance: float | None
    """Share of all orders of so many doctors whose tau is as high or higher; None beyond eight doctors."""


def kendall(a: Sequence[float] | Floats, b: Sequence[float] | Floats) -> float | None:
    """Kendall's tau-b (1945), which corrects for ties; None where one side has no order."""
    return _defined(_taus(np.asarray(a, dtype=float)[None], np.asarray(b, dtype=float)))


def rho(a: Sequence[float] | Floats, b: Sequence[float] | Floats) -> float | None:
    """Spearman's rank correlation, ties given their mean rank; None where one side has no order."""
    return _defined(_rhos(np.asarray(a, dtype=float)[None], np.asarray(b, dtype=float)))


def _defined(found: Floats) -> float | None:
    return None if math.isnan(found[0]) else float(found[0])


def _taus(rows: Floats, wanted: Floats) -> Floats:
    """Tau-b of each row with the wanted numbers; nan where either has no order."""
    left, right = np.triu_indices(len(wanted), 1)
    signs = np.sign(rows[:, left] - rows[:, right])
    other = np.sign(wanted[left] - wanted[right])
    size = np.sqrt((signs != 0).sum(axis=1) * float((other != 0).sum()))
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(size > 0, (signs @ other) / size, np.nan), dtype=float)


def _rhos(rows: Floats, wanted: Floats) -> Floats:
    """Spearman's rho of each row with the wanted numbers; nan where either has no order."""
    own = np.sign(rows[:, :, None] - rows[:, None, :]).sum(axis=2)  # ranks about their mean, doubled
    other = np.sign(np.subtract.outer(wanted, wanted)).sum(axis=1)
    size = np.sqrt((own**2).sum(axis=1) * float((other**2).sum()))
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(size > 0, np.clip((own @ other) / size, -1.0, 1.0), np.nan), dtype=float)


def rank(
    scores: Mapping[str, Mapping[str, float | None]],
    reference: Mapping[str, float],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Ranked | None:
    """Agreement of mean scores with a reference; None where fewer than two doctors stand in both.

    Args:
        scores: Doctor to case to score; None where unscored.
        reference: Doctor to the reference's number.
        resamples: Draws of cases.
        seed: Of the draws.
    """
    names = [name for name in scores if name in reference and any(v is not None for v in scores[name].values())]
    if len(names) < 2:
        return None
    cases = sorted({case for name in names for case in scores[name]})
    table = np.array([[_number(scores[name].get(case)) for case in cases] for name in names])
    known = ~np.isnan(table)
    filled = np.where(known, table, 0.0)
    wanted = np.array([reference[name] for name in names])
    draws = np.random.default_rng(seed).multinomial(
        len(cases), [1 / len(cases)] * len(cases), size=resamples if len(cases) > 1 else 0
    )
    counts = draws @ known.T.astype(float)
    whole = counts.all(axis=1)
    drawn = (draws @ filled.T)[whole] / counts[whole]
    means = filled.sum(axis=1) / known.sum(axis=1)
    tau = kendall(means, wanted)
    return Ranked(
        len(names),
        int(known.any(axis=0).sum()),
        tau,
        _interval(_taus(drawn, wanted)),
        rho(means, wanted),
        _interval(_rhos(drawn, wanted)),
        None if tau is None else _by_chance(tau, wanted),
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _interval(found: Floats) -> tuple[float, float] | None:
    values = found[~np.isnan(found)]
    if len(values) < max(2, len(found) / 2):
        return None
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


_MOST = 8


def _by_chance(tau: float, wanted: Floats) -> float | None:
    """Over every order of the doctors."""
    if len(wanted) > _MOST:
        return None
    found = _taus(np.array(list(permutations(range(len(wanted)))), dtype=float), wanted)
    return float((found >= tau - 1e-12).mean())
