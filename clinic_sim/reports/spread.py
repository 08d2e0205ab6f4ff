"""Where the scores' spread comes from: variance components of the factors that vary in the run."""

from __future__ import annotations

from clinic_sim.reports.clusters import Groups
from clinic_sim.reports.grouping import Roster
from clinic_sim.reports.stats import RESIDUAL, Components, components, reliability
from clinic_sim.reports.tables import Column, Kind, Note, Table, plain

TARGET = 0.8
FACTORS = ("doctor", "case", "persona", "roles", "seed")


def spread(roster: Roster) -> Table:
    """Components of single episodes' scores; empty where nothing but one factor varies or nothing is scored."""
    found = _components(roster)
    if found is None:
        return Table("components", _COLUMNS, ())
    rows = tuple(
        (
            part.name,
            part.share,
            plain(part.variance**0.5) if part.variance is not None else None,
            part.variance,
            part.se,
            part.levels,
            str(part.undefined.name).lower() if part.undefined else None,
        )
        for part in found.parts
    )
    notes = [Note.of("note.components", n=found.n)]
    if "doctor" in {p.name for p in found.parts} and found["doctor"].variance:
        rank = reliability(found, ["doctor"], target=TARGET)
        if rank.single is not None and rank.repeats is not None:
            notes.append(Note.of("note.reliability", single=rank.single, target=TARGET, cases=rank.repeats))
    return Table("components", _COLUMNS, rows, tuple(notes))


_COLUMNS = (
    Column("source", Kind.WORD),
    Column("share", Kind.PERCENT),
    Column("sd", Kind.SCORE),
    Column("variance", Kind.FINE),
    Column("se", Kind.FINE),
    Column("levels", Kind.COUNT),
    Column("why_none", Kind.WORD),
)


def _components(roster: Roster) -> Components | None:
    factors: dict[str, Groups] = {}
    for name in FACTORS:
        groups = Groups.of(roster.table.factors[name])
        if len(groups.names) > 1:
            factors[name] = groups
    if len(factors) < 2:
        return None
    crossed = [("doctor", other) for other in ("case", "persona", "roles") if {"doctor", other} <= set(factors)]
    found = components(roster.column("total"), factors, interactions=crossed)
    return found if found.n > 1 and found[RESIDUAL].undefined is None else None
