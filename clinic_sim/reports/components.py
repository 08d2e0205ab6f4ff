"""Variance components: how much of the scores' spread is the doctor, and how much the patient model, judge or seed?

A headline that moves with the patient's model or the judge measures those too. The shares say by how much, and
`reliability.py` how many repeats make up for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from clinic_sim.errors import ConfigError
from clinic_sim.reports.clusters import Flags, Floats, Groups, Labels, column
from clinic_sim.reports.moments import Moments

RESIDUAL = "residual"
JACKKNIFE_GROUPS = 40


class Unseparable(StrEnum):
    """Why a component has no estimate. Its variance is then part of what it cannot be told from."""

    NOTHING_SCORED = "fewer than two scored episodes"
    ONE_LEVEL = "only one level in the run"
    AS_RESIDUAL = "every episode is a level of its own: part of the residual"
    CONFOUNDED = "this design cannot tell it from the components before it"


@dataclass(frozen=True, slots=True)
class Component:
    """The variance that one source gives to a single episode's score."""

    name: str
    """A factor, an interaction (`doctor:case`) or `residual`."""
    variance: float | None
    """Never negative; None where the design cannot tell it."""
    raw: float | None
    """The unbiased estimate, which may fall below zero where the truth is near it."""
    share: float | None
    """Of the sum of all variances; None also where all are zero."""
    se: float | None
    """Standard error of `raw` over cases, the other factors as they were; None without a `case` column."""
    levels: int
    """Levels with a scored episode."""
    undefined: Unseparable | None


@dataclass(frozen=True, slots=True)
class Components:
    """All components, in the order given, the residual last."""

    parts: tuple[Component, ...]
    total: float
    """Sum of the variances."""
    n: int
    unscored: int

    def __getitem__(self, name: str) -> Component:
        for part in self.parts:
            if part.name == name:
                return part
        raise ConfigError(f"no component {name!r}; there are {', '.join(part.name for part in self.parts)}")


def components(
    scores: ArrayLike,
    factors: Mapping[str, Labels],
    *,
    interactions: Iterable[Collection[str]] = (),
    case: str = "case",
) -> Components:
    """Components of a crossed, possibly unbalanced random-effects model, by the method of moments.

    score = mean + sum of one random effect a factor and interaction + residual, all independent with their own
    variances. The estimator is MINQUE(0) (Rao 1971, J. Multivariate Analysis 1; Hartley, Rao and LaMotte 1978,
    Biometrics 34): with M = I - 11'/n and Z_i the indicators of term i, it sets y'M Z_i Z_i' M y equal to its
    expectation sum_j s_j^2 |Z_i' M Z_j|^2. It is unbiased in any design and for any distribution, and equals the
    classical ANOVA estimator where all cells are equally filled. `raw` may be negative; `variance` is cut at zero.

    A factor with few levels (three doctors) has a component known only roughly: its `se` speaks of other cases, not of
    other doctors. It is a jackknife over up to `JACKKNIFE_GROUPS` groups of cases (Wolter 2007, Introduction to
    Variance Estimation, 4.2). Seeds are a factor only where one seed means the same thing in different episodes.
    """
    terms = {name: Groups.of(labels) for name, labels in factors.items()}
    if not terms or RESIDUAL in terms:
        raise ConfigError(f"name at least one factor, and none {RESIDUAL!r}, which is always estimated")
    rows = len(next(iter(terms.values())))
    values = column(scores, rows, "scores")
    scored = ~np.isnan(values)
    terms = {name: _compact(groups, scored, name) for name, groups in terms.items()}
    y, terms = _canonical(values[scored], terms)
    for names in interactions:
        terms[":".join(names)] = _crossed(names, terms)
    n, unscored = int(scored.sum()), int((~scored).sum())
    if n < 2:
        return Components(_unestimated(terms, n), 0.0, n, unscored)
    moments, reasons = _separable(terms, n)
    raw = dict(zip(moments.names, moments.solve(y, np.ones(n, dtype=bool)).tolist(), strict=True))
    spread = _jackknife(moments, y, terms[case]) if case in factors else {}
    total = sum(max(value, 0.0) for value in raw.values())
    parts = [
        _part(name, len(groups.names), raw.get(name), spread.get(name), total, reasons.get(name))
        for name, groups in terms.items()
    ]
    parts.append(_part(RESIDUAL, n, raw[RESIDUAL], spread.get(RESIDUAL), total, None))
    return Components(tuple(parts), total, n, unscored)


def _part(
    name: str, levels: int, raw: float | None, se: float | None, total: float, reason: Unseparable | None
) -> Component:
    if raw is None:
        return Component(name, None, None, None, None, levels, reason)
    variance = max(raw, 0.0)
    return Component(name, variance, raw, variance / total if total > 0 else None, se, levels, None)


def _unestimated(terms: Mapping[str, Groups], n: int) -> tuple[Component, ...]:
    return tuple(
        Component(name, None, None, None, None, levels, Unseparable.NOTHING_SCORED)
        for name, levels in [*((name, len(groups.names)) for name, groups in terms.items()), (RESIDUAL, n)]
    )


def _separable(terms: Mapping[str, Groups], n: int) -> tuple[Moments, dict[str, Unseparable]]:
    """The equations of the terms that the design can tell apart, and why it cannot tell the others."""
    reasons: dict[str, Unseparable] = {}
    for name, groups in terms.items():
        if len(groups.names) < 2:
            reasons[name] = Unseparable.ONE_LEVEL
        elif len(groups.names) == n:
            reasons[name] = Unseparable.AS_RESIDUAL
    candidates = {name: groups for name, groups in terms.items() if name not in reasons}
    whole = Moments.of({**candidates, RESIDUAL: Groups(tuple(range(n)), np.arange(n))})
    kept = whole.independent(first=RESIDUAL)
    reasons |= {name: Unseparable.CONFOUNDED for name in candidates if name not in kept}
    return whole.only(kept), reasons


def _jackknife(moments: Moments, y: Floats, cases: Groups) -> dict[str, float]:
    """Standard errors from leaving out one group of cases after the other; none where a part loses a component."""
    groups = min(len(cases.names), JACKKNIFE_GROUPS)
    if groups < 2:
        return {}
    of_group = cases.codes % groups
    left_out = np.array([moments.solve(y, of_group != g) for g in range(groups)])
    if not np.isfinite(left_out).all():
        return {}
    error = np.sqrt((groups - 1) / groups * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0))
    return dict(zip(moments.names, error.tolist(), strict=True))


def _compact(groups: Groups, scored: Flags, name: str) -> Groups:
    """The scored rows, with the names that they use."""
    if len(groups) != len(scored):
        raise ConfigError(f"factor {name!r}: {len(groups)} labels for {len(scored)} episodes; give one an episode")
    used, codes = np.unique(groups.codes[scored], return_inverse=True)
    return Groups(tuple(groups.names[i] for i in used), codes.astype(np.int64))


def _canonical(y: Floats, terms: Mapping[str, Groups]) -> tuple[Floats, dict[str, Groups]]:
    """The rows in an order of their own, so that the order of episodes changes no digit; rounding is no spread."""
    order = np.lexsort((y, *(groups.codes for groups in terms.values())))
    y = y[order]
    if len(y) and np.ptp(y) <= 1e-12 * np.abs(y).max():
        y = np.zeros_like(y)
    return y, {name: Groups(groups.names, groups.codes[order]) for name, groups in terms.items()}


def _crossed(names: Collection[str], terms: Mapping[str, Groups]) -> Groups:
    """The combinations of several factors that occur."""
    unknown = [name for name in names if name not in terms]
    if unknown or len(names) < 2:
        raise ConfigError(f"interaction {':'.join(names)}: name two or more of {', '.join(terms)}")
    codes = np.zeros(len(terms[next(iter(names))]), dtype=np.int64)
    for name in names:
        codes = np.unique(codes * len(terms[name].names) + terms[name].codes, return_inverse=True)[1].astype(np.int64)
    return Groups(tuple(range(int(codes.max(initial=-1)) + 1)), codes)
