"""Which episodes are shown in full: each doctor's worst and best, and what failed or has no score."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from clinic_sim.reports.beside import disagreeing
from clinic_sim.reports.grouping import Roster
from clinic_sim.sweeps.journal import whole_lines
from clinic_sim.sweeps.lines import decoded, key_of
from clinic_sim.sweeps.store import FAILURES

MOST_LOST = 20
"""Failed episodes shown, and unscored ones."""
MOST_DISAGREED = 20
"""Further episodes shown because the judge and a check disagree."""
MOST_SHOWN = 120
"""Worst and best episodes shown, over all doctors: beyond, each has fewer."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """One episode to show, and why."""

    why: str
    """`worst`, `best`, `disagreed`, `unscored` or `failed`."""
    doctor: int
    at: int
    key: str
    row: int | None
    """In the table; None where it failed."""


def choose(roster: Roster, each: int) -> list[Chosen]:
    """The episodes to show: `each` worst and best of every doctor, of different cases; then those in which a judge and
    a check disagree; then unscored; then failed."""
    played = [d for d in roster.ranked if roster.masks[d].any()]
    fit = max(1, MOST_SHOWN // (2 * len(played))) if played else 0
    found: list[Chosen] = []
    for doctor in played if each > 0 else ():
        worst = _extremes(roster, doctor, min(each, fit), set(), lowest=True)
        best = _extremes(roster, doctor, min(each, fit), set(worst), lowest=False)
        found.extend(_chosen(roster, "worst", row) for row in worst)
        found.extend(_chosen(roster, "best", row) for row in best)
    already = {one.row for one in found}
    disagreed = [row for row in disagreeing(roster) if row not in already] if each > 0 else []
    found.extend(_chosen(roster, "disagreed", row) for row in disagreed[:MOST_DISAGREED])
    lost = [row for row, reason in enumerate(roster.table.unscored) if reason][:MOST_LOST]
    found.extend(_chosen(roster, "unscored", row) for row in lost)
    failures = list(zip(roster.table.failures, roster.failed_at, strict=True))[:MOST_LOST]
    found.extend(Chosen("failed", doctor, f.at, f.key, None) for f, doctor in failures)
    return found


def failed_lines(roster: Roster, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The latest record of each failed episode, its transcript included where one was kept."""
    path = roster.table.folder / FAILURES
    wanted = set(keys)
    found: dict[str, dict[str, Any]] = {}
    if wanted and path.exists():
        for line, _ in whole_lines(path):
            key = key_of(line)
            if key in wanted:
                found[key] = decoded(line)
    return found


def _extremes(roster: Roster, doctor: int, number: int, without: set[int], *, lowest: bool) -> list[int]:
    """Rows of the lowest or highest totals, one a case; ties in the plan's order."""
    total = roster.table.floats["total"]
    rows = np.flatnonzero(roster.masks[doctor] & ~np.isnan(total))
    ranked = rows[np.lexsort((roster.table.ints["at"][rows], total[rows] if lowest else -total[rows]))]
    cases: set[int] = set()
    kept: list[int] = []
    for row in ranked.tolist():
        case = int(roster.table.factors["case"][row])
        if case not in cases and row not in without:
            cases.add(case)
            kept.append(row)
        if len(kept) == number:
            break
    return kept


def _chosen(roster: Roster, why: str, row: int) -> Chosen:
    table = roster.table
    return Chosen(why, int(table.factors["doctor"][row]), int(table.ints["at"][row]), table.keys[row], row)
