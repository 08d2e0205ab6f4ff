"""Score against budget: what a doctor had achieved after so many turns, or so much money; and who is worth the cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from clinic_sim.errors import ConfigError
from clinic_sim.reports.clusters import ClusterSums, Flags, Floats, Groups, Ints, Labels, column, cr2
from clinic_sim.reports.estimates import Estimate, check_level
from clinic_sim.reports.means import Bounds, t_estimate, t_interval

POINTS = 41


@dataclass(frozen=True, slots=True, eq=False)
class Progress:
    """One row an event: after it, episode `episode[i]` had spent `spent[i]` and stood at `value[i]`."""

    episode: Ints
    """Row of the episode in `cases`; the events of one episode in the order in which they happened."""
    spent: ArrayLike
    """Cumulative turns or money: never falls within an episode."""
    value: ArrayLike
    """Coverage or score so far. One nan makes the whole episode unscored."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The mean over all scored episodes at one budget."""

    budget: float
    estimate: Estimate
    running: float
    """Share of the episodes that spend more than this budget; the others carry their last value forward."""


def curve(
    progress: Progress,
    cases: Labels,
    *,
    grid: ArrayLike | None = None,
    start: float = 0.0,
    level: float = 0.95,
    bounds: Bounds | None = None,
) -> tuple[CurvePoint, ...]:
    """The mean value at each budget with t intervals clustered by case, pointwise (`clusters.cr2`).

    At budget b an episode stands at the value of its last event with spent <= b, or at `start` before its first; after
    its end it keeps its last value. So every point is a mean over the same episodes, and the curve answers "had all
    doctors been stopped at b". `grid` defaults to every turn where budgets are small whole numbers, else `POINTS` even
    steps. The intervals hold point by point, not for the curve as a whole.
    """
    check_level(level)
    groups = Groups.of(cases)
    p = _checked(progress, len(groups))
    unscored = np.zeros(len(groups), dtype=bool)
    unscored[p.episode[np.isnan(p.value)]] = True
    budgets = _default_grid(p.spent) if grid is None else np.asarray(grid, dtype=np.float64)
    if budgets.ndim != 1 or not len(budgets) or (np.diff(budgets) <= 0).any():
        raise ConfigError("the grid is one row of rising budgets")
    stand = _carried_forward(p, len(groups), budgets, start)[~unscored]
    ends = np.full(len(groups), -np.inf)
    np.maximum.at(ends, p.episode, p.spent)
    running = np.array([float((ends[~unscored] > b).mean()) if len(stand) else 0.0 for b in budgets])
    return _points(stand, groups.where(~unscored), int(unscored.sum()), budgets, running, level, bounds)


def pareto(costs: ArrayLike, scores: ArrayLike) -> Flags:
    """Which are on the front: no other costs at most as much and scores at least as much, with one of both better.

    Twins are on it together; a nan in either is never on it.
    """
    cost = np.asarray(costs, dtype=np.float64)
    score = column(scores, len(cost), "scores")
    front = np.zeros(len(cost), dtype=bool)
    best, at_cost = -np.inf, np.nan
    for i in np.lexsort((-score, cost)):
        if np.isnan(cost[i]) or np.isnan(score[i]):
            continue
        if score[i] > best or (score[i] == best and cost[i] == at_cost):
            front[i], best, at_cost = True, score[i], cost[i]
    return front


@dataclass(frozen=True, slots=True, eq=False)
class _Events:
    episode: Ints
    spent: Floats
    value: Floats


def _checked(progress: Progress, episodes: int) -> _Events:
    """The events, those of each episode together and in order."""
    episode = np.asarray(progress.episode, dtype=np.int64)
    if len(episode) and not (episode.min() >= 0 and episode.max() < episodes):
        raise ConfigError(f"an event names episode {int(episode.max())} of {episodes}; rows are counted from 0")
    spent = column(progress.spent, len(episode), "spent")
    value = column(progress.value, len(episode), "value")
    if np.isnan(spent).any():
        raise ConfigError(f"spent: row {int(np.isnan(spent).argmax())} is nan; what was spent is always known")
    order = np.argsort(episode, kind="stable")
    episode, spent, value = episode[order], spent[order], value[order]
    falls = (np.diff(episode) == 0) & (np.diff(spent) < 0)
    if falls.any():
        raise ConfigError(f"episode {int(episode[falls.argmax()])} spends less as it goes on; give cumulative budgets")
    return _Events(episode, spent, value)


def _default_grid(spent: Floats) -> Floats:
    most = float(spent.max(initial=0.0))
    if most <= 100 and bool((spent == np.round(spent)).all()):
        return np.arange(0.0, most + 1)
    return np.linspace(0.0, most, POINTS)


def _carried_forward(p: _Events, episodes: int, budgets: Floats, start: float) -> Floats:
    """Episodes x budgets: the last value at or before each budget."""
    # First grid point at which an event counts; the last event of an episode at one point stands.
    at = np.searchsorted(budgets, p.spent, side="left")
    stand = np.full((episodes, len(budgets)), np.nan)
    last = np.ones(len(at), dtype=bool)
    last[:-1] = (np.diff(p.episode) != 0) | (np.diff(at) != 0)
    last &= at < len(budgets)
    stand[p.episode[last], at[last]] = p.value[last]
    stand[np.isnan(stand[:, 0]), 0] = start
    columns = np.where(np.isnan(stand), 0, np.arange(len(budgets)))
    np.maximum.accumulate(columns, axis=1, out=columns)
    return np.asarray(np.take_along_axis(stand, columns, axis=1))


def _points(
    stand: Floats, groups: Groups, unscored: int, budgets: Floats, running: Floats, level: float, bounds: Bounds | None
) -> tuple[CurvePoint, ...]:
    # Canonical order within a case, so that the order of episodes cannot change a digit.
    order = np.lexsort((stand[:, -1], stand.sum(axis=1), groups.codes))
    stand, codes = stand[order], groups.codes[order]
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    sizes = np.diff(np.append(starts, len(codes))).astype(np.float64)
    sums = np.add.reduceat(stand, starts, axis=0) if len(starts) else np.zeros((0, len(budgets)))
    of_budget = [ClusterSums(sums[:, k], sizes, len(codes), unscored) for k in range(len(budgets))]
    if len(sizes) < 2:
        estimates = [t_estimate(c, level, bounds) for c in of_budget]
    else:
        value, se, df = cr2(sums, sizes)
        estimates = [t_interval(float(value[k]), float(se[k]), df, c, level, bounds) for k, c in enumerate(of_budget)]
    return tuple(
        CurvePoint(float(b), estimate, float(share))
        for b, estimate, share in zip(budgets, estimates, running, strict=True)
    )
