"""Where the scores' spread comes from: variance components of the factors that vary in the run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clinic_sim.errors import ConfigError
from clinic_sim.reports.clusters import Groups
from clinic_sim.reports.grouping import Roster
from clinic_sim.reports.stats import RESIDUAL, Components, components, reliability
from clinic_sim.reports.table import RunTable
from clinic_sim.reports.tables import Column, Kind, Note, Table, plain

TARGET = 0.8
FACTORS = ("doctor", "case", "persona", "roles", "seed")
_OF_THE_JUDGE = ("rubric", "judge")


def spread(roster: Roster, judged: Sequence[RunTable] = ()) -> Table:
    """Components of single episodes' scores; empty where nothing but one factor varies or nothing is scored.

    Args:
        judged: The same episodes as other judges scored them: the judge is a factor then.

    Raises:
        ConfigError: one of them is of another plan.
    """
    found = _components(roster, judged)
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


def _components(roster: Roster, judged: Sequence[RunTable]) -> Components | None:
    tables = [roster.table, *judged]
    for table in judged:
        _check_same_episodes(roster.table, table)
    levels = {name: np.concatenate([table.factors[name] for table in tables]) for name in FACTORS}
    levels["judge"] = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
    factors: dict[str, Groups] = {}
    for name, column in levels.items():
        groups = Groups.of(column)
        if len(groups.names) > 1:
            factors[name] = groups
    if len(factors) < 2:
        return None
    others = ("case", "persona", "roles", "judge")
    crossed = [("doctor", other) for other in others if {"doctor", other} <= set(factors)]
    scores = np.concatenate([table.floats["total"] for table in tables])
    found = components(scores, factors, interactions=crossed)
    return found if found.n > 1 and found[RESIDUAL].undefined is None else None


def _check_same_episodes(first: RunTable, other: RunTable) -> None:
    one, two = ({k: v for k, v in table.manifest["plan"].items() if k not in _OF_THE_JUDGE} for table in (first, other))
    if one != two or first.manifest["cases"] != other.manifest["cases"]:
        raise ConfigError(
            f"{other.folder}: does not hold the episodes of {first.folder} judged again; make it with "
            f"`clinic-sim rescore {first.folder}`"
        )
