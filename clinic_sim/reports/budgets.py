"""Evidence and banked score against turns and money, by doctor.

*Evidence* is the share of what the case holds that was found by then. *Banked* is the score of the consultations that
were over by then: one still running counts 0, as if stopped with nothing concluded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from clinic_sim.reports.clusters import Flags, Floats
from clinic_sim.reports.grouping import Roster
from clinic_sim.reports.means import UNIT
from clinic_sim.reports.stats import CurvePoint, Progress, curve
from clinic_sim.reports.tables import Column, Kind, Note, Table, estimated

MOST_POINTS = 41
MOST_DOCTORS = 8
"""Curves in one picture; the best ones."""


@dataclass(frozen=True, slots=True)
class Budget:
    """One picture: what is reached against what is spent."""

    reached: str
    """`evidence` or `banked`."""
    spent: str
    """`turns` or `money`."""

    @property
    def name(self) -> str:
        """Of its table."""
        return f"curve_{self.reached}_{self.spent}"


BUDGETS = tuple(Budget(reached, spent) for spent in ("turns", "money") for reached in ("evidence", "banked"))


def budget_curve(roster: Roster, budget: Budget) -> Table:
    """The points of one picture: a row a doctor and budget."""
    doctors = [d for d in roster.ranked if roster.masks[d].any()][:MOST_DOCTORS]
    grid = _grid(roster, budget.spent)
    rows: list[tuple[Any, ...]] = []
    for doctor in doctors if len(grid) > 1 else ():
        rows.extend(
            (roster.doctors[doctor], p.budget, estimated(p.estimate), p.running)
            for p in _points(roster, roster.masks[doctor], budget, grid)
        )
    spent = Kind.MONEY if budget.spent == "money" else Kind.COUNT
    columns = (
        Column("doctor"),
        Column(budget.spent, spent),
        Column(budget.reached, Kind.SCORE),
        Column("running", Kind.PERCENT),
    )
    notes = [Note.of(f"note.{budget.reached}")]
    if len(roster.doctors) > MOST_DOCTORS:
        notes.append(Note.of("note.best_doctors", shown=MOST_DOCTORS, doctors=len(roster.doctors)))
    return Table(budget.name, columns, tuple(rows), tuple(notes), lead=2)


def _points(roster: Roster, mask: Flags, budget: Budget, grid: Floats) -> tuple[CurvePoint, ...]:
    table = roster.table
    episodes = np.flatnonzero(mask)
    end = table.ints["turns"][mask] if budget.spent == "turns" else table.floats["money"][mask]
    place = np.arange(len(episodes))
    if budget.reached == "banked":
        progress = Progress(place, end.astype(np.float64), table.floats["total"][mask])
    else:
        progress = _evidence(roster, episodes, budget.spent, end.astype(np.float64))
    return curve(progress, roster.cases.where(mask), grid=grid, bounds=UNIT)


def _evidence(
    roster: Roster, episodes: np.ndarray[tuple[int], np.dtype[np.int64]], spent: str, end: Floats
) -> Progress:
    """The index's points of these episodes, and the end of each."""
    table = roster.table
    start, stop = table.curve_start[episodes], table.curve_start[episodes + 1]
    sizes = stop - start
    before = np.concatenate([[0], np.cumsum(sizes)[:-1]]) if len(sizes) else sizes
    rows = np.repeat(start - before, sizes) + np.arange(int(sizes.sum()))
    points = table.curve[rows]
    place = np.arange(len(episodes))
    at = points[:, 0 if spent == "turns" else 1]
    # The end adds no evidence, and says how long the episode went on.
    last = np.where(sizes > 0, table.curve[np.maximum(stop - 1, 0), 2] if len(table.curve) else 0.0, 0.0)
    owner = np.repeat(place, sizes)
    spent_by_end = np.maximum(end, _last(at, sizes, before))
    return Progress(
        np.concatenate([owner, place]), np.concatenate([at, spent_by_end]), np.concatenate([points[:, 2], last])
    )


def _last(
    values: Floats,
    sizes: np.ndarray[tuple[int], np.dtype[np.int64]],
    before: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> Floats:
    """The last value of each run of values, 0 where it is empty."""
    if not len(values):
        return np.zeros(len(sizes))
    return np.where(sizes > 0, values[np.maximum(before + sizes - 1, 0).clip(max=len(values) - 1)], 0.0)


def _grid(roster: Roster, spent: str) -> Floats:
    """Turns one by one; dollars in round steps, finer near 0, where most consultations lie."""
    if spent == "turns":
        most = int(roster.table.ints["turns"].max(initial=0))
        step = max(1, -(-most // (MOST_POINTS - 1)))
        return np.arange(0, most + step, step, dtype=np.float64)
    money = roster.table.floats["money"]
    most_money = float(money.max(initial=0.0))
    if most_money <= 0:
        return np.zeros(1)
    typical = max(float(np.quantile(money[money > 0], 0.1)), most_money / 1e4)
    if most_money / typical < 20:
        return np.linspace(0.0, most_money, MOST_POINTS)
    return np.concatenate([[0.0], np.unique(np.round(np.geomspace(typical / 10, most_money, MOST_POINTS - 1), 2))])
