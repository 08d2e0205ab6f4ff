"""What was lost: failed episodes by kind and stage, unscored ones by reason, with an example of each."""

from __future__ import annotations

from collections import Counter

from clinic_sim.reports.grouping import Roster
from clinic_sim.reports.tables import Column, Kind, Note, Table

_MESSAGE = 300


def failures(roster: Roster) -> Table:
    """One row a kind of failure, stage and doctor; the most frequent first."""
    counts: Counter[tuple[str, str, str]] = Counter()
    examples: dict[tuple[str, str, str], str] = {}
    for failure, doctor in zip(roster.table.failures, roster.failed_at, strict=True):
        what = failure.kind, failure.stage, roster.doctors[doctor]
        counts[what] += 1
        examples.setdefault(what, failure.message[:_MESSAGE])
    rows = tuple((*what, n, examples[what]) for what, n in sorted(counts.items(), key=lambda c: (-c[1], c[0])))
    columns = (Column("failure"), Column("stage", Kind.WORD), Column("doctor"), Column("episodes", Kind.COUNT))
    return Table("failures", (*columns, Column("example")), rows, (Note.of("note.failures"),), lead=3)


def unscored(roster: Roster) -> Table:
    """One row a reason and doctor, of a failing judge also how it failed; the most frequent first."""
    table = roster.table
    counts = Counter(
        (f"{reason}:{how}" if how else reason, roster.doctors[doctor])
        for reason, how, doctor in zip(
            table.unscored, table.judge_failed, table.factors["doctor"].tolist(), strict=True
        )
        if reason
    )
    rows = tuple((*what, n) for what, n in sorted(counts.items(), key=lambda c: (-c[1], c[0])))
    columns = (Column("reason", Kind.WORD), Column("doctor"), Column("episodes", Kind.COUNT))
    return Table("unscored", columns, rows, (Note.of("note.unscored_table"),), lead=2)


def accounting(roster: Roster) -> Table:
    """Where each doctor's planned episodes went."""
    rows = []
    for doctor, name in enumerate(roster.doctors):
        found = roster.accounts(doctor)
        rows.append(
            (
                name,
                found.planned,
                found.completed,
                found.failed.total(),
                found.skipped,
                found.scored,
                found.unscored.total(),
            )
        )
    names = ("planned", "completed", "failed", "skipped", "scored", "unscored")
    columns = (Column("doctor"), *(Column(name, Kind.COUNT) for name in names))
    return Table("accounting", columns, tuple(rows))
