"""Doctors against each other within one run: paired by case, persona, clinic, seed and repeat; p adjusted for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from clinic_sim.reports.clusters import Flags, Floats, Groups
from clinic_sim.reports.grouping import Roster
from clinic_sim.reports.stats import Arm, Comparison, compare, holm, pair
from clinic_sim.reports.tables import Column, Kind, Note, Table, estimated, plain

KEYS = ("persona", "roles", "seed", "repeat")
MOST_DOCTORS = 12
"""Beyond this many, each is compared with the best alone: 66 pairs are more than anybody reads."""
PERMUTATIONS = 9999

_COMPARED = (
    Column("difference", Kind.SIGNED),
    Column("p_holm", Kind.P),
    Column("p_t", Kind.P),
    Column("p_flip", Kind.P),
    Column("p_wilcoxon", Kind.P),
    Column("hedges", Kind.SIGNED),
    Column("superiority", Kind.PERCENT),
    Column("detectable", Kind.SCORE),
    Column("cases", Kind.COUNT),
    Column("pairs", Kind.COUNT),
    Column("unpaired", Kind.COUNT),
)


def contrasts(roster: Roster) -> Table:
    """Every two doctors, the better one first."""
    ranked = [doctor for doctor in roster.ranked if roster.masks[doctor].any()]
    pairs = list(combinations(ranked, 2))
    if len(ranked) > MOST_DOCTORS:
        pairs = [(ranked[0], other) for other in ranked[1:]]
    total = roster.table.floats["total"]
    found = [compare(pair(arm(roster, a, total), arm(roster, b, total)), permutations=PERMUTATIONS) for a, b in pairs]
    columns = (Column("first"), Column("second"), *_COMPARED)
    names = roster.doctors
    rows = tuple((names[a], names[b], *row) for (a, b), row in zip(pairs, comparison_rows(found), strict=True))
    notes = [Note.of("note.paired", power=0.8), Note.of("note.holm", tests=len(found))]
    if len(ranked) > MOST_DOCTORS:
        notes.append(Note.of("note.with_best", doctors=len(ranked)))
    return Table("contrasts", columns, rows, tuple(notes), lead=2)


def compared_columns(*lead: Column) -> tuple[Column, ...]:
    """The columns of a table of comparisons, behind those that name its rows."""
    return (*lead, *_COMPARED)


def comparison_rows(found: Sequence[Comparison]) -> list[tuple[Any, ...]]:
    """The cells of comparisons, whose sign-flip p-values are adjusted together."""
    adjusted = holm([np.nan if c.sign_flip.p is None else c.sign_flip.p for c in found])
    return [
        (
            estimated(c.difference),
            plain(p),
            c.t.p,
            c.sign_flip.p,
            c.wilcoxon.p,
            c.hedges,
            c.superiority,
            c.detectable,
            c.cases,
            c.pairs,
            sum(c.dropped.values()),
        )
        for c, p in zip(found, adjusted.tolist(), strict=True)
    ]


def arm(roster: Roster, doctor: int, values: Floats, where: Flags | None = None) -> Arm:
    """One side of a comparison: a doctor's episodes."""
    mask = roster.masks[doctor] if where is None else roster.masks[doctor] & where
    table = roster.table
    labels: Mapping[str, Sequence[str]] = {"persona": table.personas, "roles": roster.clinics}
    keys = tuple(
        Groups.of([labels[name][code] for code in table.factors[name][mask]])
        if name in labels
        else Groups.of(table.factors[name][mask])
        for name in KEYS
    )
    return Arm(roster.cases.where(mask), keys, values[mask])
