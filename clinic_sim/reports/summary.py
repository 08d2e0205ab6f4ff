"""The headline: each doctor's scores, what they took, and how many episodes and cases stand behind them."""

from __future__ import annotations

from typing import Any

import numpy as np

from clinic_sim.reports.grouping import Roster
from clinic_sim.reports.means import UNIT
from clinic_sim.reports.stats import Estimate, mean, pass_k
from clinic_sim.reports.tables import Column, Kind, Note, Table, estimated

SUCCESS = 0.6
"""Total from which a consultation counts as a success in pass^k: grade B of the shipped rubrics."""
MOST_K = 8
POSITIVE = (0.0, np.inf)


def headline(roster: Roster, success: float = SUCCESS) -> Table:
    """One row a doctor, the best first."""
    k = most_k(roster)
    rows = []
    for doctor in roster.ranked:
        account = roster.accounts(doctor)
        total = of_doctor(roster, doctor, "total", UNIT)
        rows.append(
            (
                roster.doctors[doctor],
                estimated(total),
                *(estimated(of_doctor(roster, doctor, f"dimension:{name}", UNIT)) for name in roster.dimensions),
                estimated(of_doctor(roster, doctor, "safety")),
                *((_pass(roster, doctor, k, success),) if k > 1 else ()),
                estimated(of_doctor(roster, doctor, "turns", POSITIVE)),
                estimated(of_doctor(roster, doctor, "money", POSITIVE)),
                model_cost(roster, doctor),
                account.completed,
                total.clusters,
                account.unscored.total(),
            )
        )
    columns = (
        Column("doctor"),
        Column("total", Kind.SCORE),
        *(Column(f"dimension:{name}", Kind.SCORE, plain=True) for name in roster.dimensions),
        Column("safety", Kind.SIGNED, plain=True),
        *((Column("pass_k", Kind.SCORE, f"pass^{k}", plain=True),) if k > 1 else ()),
        Column("turns", Kind.NUMBER, plain=True),
        Column("exam_money", Kind.MONEY, plain=True),
        Column("model_cost", Kind.COST),
        Column("episodes", Kind.COUNT),
        Column("cases", Kind.COUNT),
        Column("unscored", Kind.COUNT),
    )
    notes = [Note.of("note.intervals"), Note.of("note.unscored")]
    if k > 1:
        notes.append(Note.of("note.pass_k", k=k, success=success))
    return Table("headline", columns, tuple(rows), tuple(notes))


def repeats(roster: Roster, success: float = SUCCESS) -> Table:
    """pass^k and pass@k for every k; empty where cases are played once."""
    most = most_k(roster)
    rows: list[tuple[Any, ...]] = []
    for doctor in roster.ranked if most > 1 else ():
        mask = roster.masks[doctor]
        if not mask.any():
            continue
        found = pass_k(
            roster.table.floats["total"][mask], roster.cases.where(mask), ks=range(1, most + 1), threshold=success
        )
        rows.extend(
            (roster.doctors[doctor], p.k, estimated(p.every), estimated(p.any), p.every.n, p.too_few) for p in found
        )
    columns = (
        Column("doctor"),
        Column("k", Kind.COUNT),
        Column("pass_all", Kind.SCORE),
        Column("pass_any", Kind.SCORE),
        Column("cases", Kind.COUNT),
        Column("too_few", Kind.COUNT),
    )
    return Table("repeats", columns, tuple(rows), (Note.of("note.repeats", success=success),), lead=2)


def of_doctor(roster: Roster, doctor: int, name: str, bounds: tuple[float, float] | None = None) -> Estimate:
    """The mean of a column over one doctor's episodes, clustered by case. `total`'s rows alone are scored: what an
    episode took counts where it has no score too."""
    mask = roster.masks[doctor]
    values = roster.column(name)[mask]
    if name == "safety":
        values = np.where(np.isnan(roster.table.floats["total"][mask]), np.nan, values)
    return mean(values, roster.cases.where(mask), bounds=bounds)


def model_cost(roster: Roster, doctor: int) -> float | str | None:
    """US dollars an episode for models; `unknown` as soon as one call had no price, None where nothing was played."""
    mask = roster.masks[doctor]
    if not mask.any():
        return None
    cost = roster.table.floats["cost"][mask]
    return "unknown" if np.isnan(cost).any() else float(cost.mean())


def most_k(roster: Roster) -> int:
    """Times that each case is played under one persona and clinic: over seeds and repeats."""
    plan = roster.table.manifest["plan"]
    return min(len(plan["seeds"]) * int(plan["repeats"]), MOST_K)


def _pass(roster: Roster, doctor: int, k: int, success: float) -> dict[str, object] | None:
    mask = roster.masks[doctor]
    if not mask.any():
        return None
    (found,) = pass_k(roster.table.floats["total"][mask], roster.cases.where(mask), ks=[k], threshold=success)
    return estimated(found.every)
