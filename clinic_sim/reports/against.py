"""`RunComparison`: two runs against each other, as data: paired differences, cases, what is unpaired, what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clinic_sim.reports.clusters import totals_by
from clinic_sim.reports.contrasts import compared_columns, comparison_rows
from clinic_sim.reports.document import Provenance, provenance
from clinic_sim.reports.grouping import Roster
from clinic_sim.reports.matching import Match, Matched, match_doctors
from clinic_sim.reports.stats import compare
from clinic_sim.reports.table import RunTable
from clinic_sim.reports.tables import Column, Kind, Note, Table
from clinic_sim.sweeps.accounts import Accounts
from clinic_sim.sweeps.manifest import differences

COMPARE_SCHEMA = 1
_FURTHER = ("coverage", "turns", "money")
_SKIPPED = frozenset({"cases", "planned", "schema"})


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that bears on whether the scores can be compared."""

    note: Note
    severe: bool
    """The scores themselves are not of one kind."""


@dataclass(frozen=True, slots=True)
class RunComparison:
    """First minus second."""

    first: Provenance
    second: Provenance
    accounts: tuple[Accounts, Accounts]
    warnings: tuple[Warned, ...]
    tables: Mapping[str, Table]

    def numbers(self) -> dict[str, Any]:
        """All of it as JSON data."""
        return {
            "schema": COMPARE_SCHEMA,
            "runs": [
                {
                    "run": p.name,
                    "clinic_sim": p.version,
                    "code": p.code,
                    "rubric": {"name": p.rubric, "hash": p.rubric_hash},
                    "accounts": accounts.to_dict(),
                }
                for p, accounts in zip((self.first, self.second), self.accounts, strict=True)
            ],
            "comparable": not any(w.severe for w in self.warnings),
            "warnings": [
                {"kind": w.note.key.partition(".")[2], "severe": w.severe, **w.note.values} for w in self.warnings
            ],
            "tables": {name: table.to_dict() for name, table in self.tables.items()},
        }


def against(first: Path, second: Path, a: str | None = None, b: str | None = None) -> RunComparison:
    """Compare two runs' folders.

    Args:
        a: The first run's doctor; None for each that both runs have.
        b: The second run's doctor.

    Raises:
        ConfigError: a doctor is unknown, or the runs share none.
        StoreError: one is no run, or cannot be read.
    """
    ours = Roster(RunTable.read(first))
    theirs = ours if first.resolve() == second.resolve() else Roster(RunTable.read(second))
    matched = Matched(ours, theirs)
    matches = match_doctors(ours, theirs, a, b)
    tables = (
        _totals(matched, matches),
        _measures(matched, matches),
        _unpaired(matched, matches),
        _differs(ours.table.manifest, theirs.table.manifest),
        _cases(matched, matches),
    )
    return RunComparison(
        provenance(ours),
        provenance(theirs),
        (ours.table.accounts, theirs.table.accounts),
        tuple(_warnings(matched, matches)),
        {table.name: table for table in tables},
    )


def _totals(matched: Matched, matches: list[Match]) -> Table:
    found = [compare(matched.pairs(match, "total")) for match in matches]
    names = [_names(matched, match) for match in matches]
    rows = tuple((*name, *row) for name, row in zip(names, comparison_rows(found), strict=True))
    notes = (
        Note.of("note.compare"),
        Note.of("note.paired", power=0.8),
        Note.of("note.compare_holm", tests=len(rows)),
    )
    return Table("comparison", compared_columns(Column("first"), Column("second")), rows, notes, lead=2)


def _measures(matched: Matched, matches: list[Match]) -> Table:
    """Dimensions, safety, evidence, turns and money."""
    shared = [f"dimension:{name}" for name in matched.first.dimensions if name in matched.second.dimensions]
    named = [(match, name) for match in matches for name in (*shared, "safety", *_FURTHER)]
    found = [compare(matched.pairs(match, name)) for match, name in named]
    rows = tuple(
        (" / ".join(dict.fromkeys(_names(matched, match))), name.removeprefix("dimension:"), *row)
        for (match, name), row in zip(named, comparison_rows(found), strict=True)
    )
    columns = compared_columns(Column("pair"), Column("measure", Kind.WORD))
    return Table("measures", columns, rows, (Note.of("note.compare_holm", tests=len(rows)),), lead=2)


def _cases(matched: Matched, matches: list[Match]) -> Table:
    rows: list[tuple[Any, ...]] = []
    for match in matches:
        pairs = matched.pairs(match, "total")
        ours = matched.values_of_first(match, "total").differences
        names, codes = pairs.cases.names, pairs.cases.codes
        counts = np.bincount(codes, minlength=len(names))
        apart, firsts = (totals_by(codes, v, len(names)) for v in (pairs.differences, ours))
        present = np.flatnonzero(counts)
        means = sorted(
            ((float(firsts[n] / counts[n]), float(apart[n] / counts[n]), n) for n in present.tolist()),
            key=lambda m: (-abs(m[1]), names[m[2]]),
        )
        pair = " / ".join(dict.fromkeys(_names(matched, match)))
        rows.extend(
            (pair, str(names[n]), first, first - difference, difference, int(counts[n]))
            for first, difference, n in means
        )
    columns = (
        Column("pair"),
        Column("case"),
        Column("mean_first", Kind.SCORE),
        Column("mean_second", Kind.SCORE),
        Column("difference", Kind.SIGNED),
        Column("pairs", Kind.COUNT),
    )
    return Table("cases", columns, tuple(rows), (Note.of("note.cases"),), lead=2)


def _unpaired(matched: Matched, matches: list[Match]) -> Table:
    rows: list[tuple[Any, ...]] = []
    for match in matches:
        pair = " / ".join(dict.fromkeys(_names(matched, match)))
        rows.extend((pair, reason, n) for reason, n in matched.unpaired(match).items())
    columns = (Column("pair"), Column("why_unpaired", Kind.WORD), Column("count", Kind.COUNT))
    return Table("unpaired", columns, tuple(rows), lead=2)


def _names(matched: Matched, match: Match) -> tuple[str, str]:
    return matched.first.doctors[match.first], matched.second.doctors[match.second]


def _differs(first: Mapping[str, Any], second: Mapping[str, Any]) -> Table:
    """What determines the runs and is not the same; the cases in numbers."""
    plain = [{k: v for k, v in m.items() if k not in _SKIPPED} for m in (first, second)]
    rows = list(differences(plain[0], plain[1]))
    ours, theirs = first["cases"], second["cases"]
    alone = len(ours.keys() - theirs.keys()), len(theirs.keys() - ours.keys())
    if any(alone):
        rows.append(("cases", f"{len(ours)} ({alone[0]} +)", f"{len(theirs)} ({alone[1]} +)"))
    changed = sum(ours[c]["hash"] != theirs[c]["hash"] for c in ours.keys() & theirs.keys())
    if changed:
        rows.append(("cases.hash", str(changed), str(changed)))
    columns = (Column("field"), Column("run_first"), Column("run_second"))
    return Table("differs", columns, tuple(rows))


def _warnings(matched: Matched, matches: list[Match]) -> Iterator[Warned]:
    ours, theirs = matched.first.table.manifest, matched.second.table.manifest
    rubrics = [f"{m['rubric']['name']} {m['rubric']['hash']}" for m in (ours, theirs)]
    if ours["rubric"]["hash"] != theirs["rubric"]["hash"]:
        yield Warned(Note.of("compare.rubric", first=rubrics[0], second=rubrics[1]), severe=True)
    if ours["judge"] != theirs["judge"]:
        yield Warned(Note.of("compare.judge"), severe=True)
    if ours["code"] != theirs["code"]:
        yield Warned(Note.of("compare.code", first=str(ours["code"]), second=str(theirs["code"])), severe=False)
    if ours["plan"]["limits"] != theirs["plan"]["limits"]:
        yield Warned(Note.of("compare.limits"), severe=False)
    changed = matched.changed()
    if changed:
        yield Warned(Note.of("compare.cases_changed", n=len(changed)), severe=False)
    if matched.first.table.folder.resolve() != matched.second.table.folder.resolve():
        same = sum(matched.same_episodes(match) for match in matches)
        if same:
            yield Warned(Note.of("compare.same_episodes", n=same), severe=False)
    merged = sum(matched.pairs(match, "total").merged for match in matches)
    if merged:
        yield Warned(Note.of("compare.merged", n=merged), severe=False)
    if not any(len(matched.pairs(match, "total").differences) for match in matches):
        yield Warned(Note.of("compare.none_shared"), severe=True)
