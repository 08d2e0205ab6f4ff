"""Scores by kind of case and by who plays the clinic: strata of cases; personas, clinics and seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clinic_sim.reports.clusters import Groups
from clinic_sim.reports.grouping import Roster
from clinic_sim.reports.means import UNIT
from clinic_sim.reports.stats import FEW_CASES, UNSTATED, Stratum, strata
from clinic_sim.reports.tables import Column, Kind, Note, Table, estimated

OF_CASES = ("department", "difficulty", "language", "setting", "rarity", "pack")
MOST_DOCTORS = 6
"""Doctors that have columns of their own in a stratum table; the best ones."""


def by_case(roster: Roster) -> Table:
    """Strata of what the cases say of themselves."""
    about = roster.table.cases
    place = roster.table.factors["case"]
    columns = {by: _column([case.get(by) for case in about], place) for by in OF_CASES}
    return _table("strata", roster, columns, small=True)


def by_clinic(roster: Roster) -> Table:
    """Personas, clinics and seeds, where the run has several."""
    table = roster.table
    columns: dict[str, Groups] = {}
    if len(table.personas) > 1:
        columns["persona"] = Groups(tuple(table.personas), table.factors["persona"])
    if len(roster.clinics) > 1:
        columns["roles"] = Groups(roster.clinics, table.factors["roles"])
    if len(table.manifest["plan"]["seeds"]) > 1:
        columns["seed"] = Groups.of(table.factors["seed"])
    return _table("clinics", roster, columns)


def _column(labels: Sequence[Any], place: np.ndarray[Any, np.dtype[np.int64]]) -> Groups:
    of_cases = Groups.of([str(label) if label else UNSTATED for label in labels])
    return Groups(of_cases.names, of_cases.codes[place])


def _table(name: str, roster: Roster, columns: dict[str, Groups], *, small: bool = False) -> Table:
    total = roster.table.floats["total"]
    everybody = strata(total, roster.cases, columns, bounds=UNIT) if columns else ()
    shown = roster.ranked[:MOST_DOCTORS]
    own: list[dict[tuple[str, str | int], Stratum]] = []
    for doctor in shown if columns else ():
        mask = roster.masks[doctor]
        found = strata(
            total[mask], roster.cases.where(mask), {b: g.where(mask) for b, g in columns.items()}, bounds=UNIT
        )
        own.append({(s.by, s.label): s for s in found})
    rows = []
    for s in everybody:
        cells = [estimated(found[s.by, s.label].mean) if (s.by, s.label) in found else None for found in own]
        flag = ("few_cases" if s.small else None,) if small else ()
        rows.append((s.by, str(s.label), *cells, s.episodes, s.mean.clusters, s.mean.unscored, *flag))
    head = (
        Column("stratum", Kind.WORD),
        Column("label", Kind.WORD),
        *(Column(f"doctor:{roster.doctors[d]}", Kind.SCORE, roster.doctors[d]) for d in shown),
        Column("episodes", Kind.COUNT),
        Column("cases", Kind.COUNT),
        Column("unscored", Kind.COUNT),
        *((Column("flag", Kind.WORD),) if small else ()),
    )
    notes = [Note.of("note.strata", few=FEW_CASES)] if small else []
    if len(roster.doctors) > MOST_DOCTORS:
        notes.append(Note.of("note.best_doctors", shown=MOST_DOCTORS, doctors=len(roster.doctors)))
    return Table(name, head, tuple(rows), tuple(notes), lead=2)
