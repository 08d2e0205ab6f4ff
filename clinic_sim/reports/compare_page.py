"""A comparison of two runs as one HTML file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from clinic_sim.reports import charts
from clinic_sim.reports.against import RunComparison
from clinic_sim.reports.html import account_line, note, page, table_view
from clinic_sim.reports.svg import Figure
from clinic_sim.reports.tables import Note, Table
from clinic_sim.reports.words import Words

MOST_CASES = 40
"""Cases in the table of the page, for each two doctors."""


def render_comparison(found: RunComparison, language: str = "en") -> str:
    """The page of a comparison.

    Raises:
        ConfigError: there are no words of that language.
    """
    words = Words.of(language)
    tables = {**found.tables, "cases": largest(found.tables["cases"], MOST_CASES)}
    return page(
        "compare.html",
        words,
        found=found,
        title=words("compare.title", first=found.first.name, second=found.second.name),
        accounts=[
            f"{p.name}: {account_line(a, words)}"
            for p, a in zip((found.first, found.second), found.accounts, strict=True)
        ],
        warnings=[(note(w.note, words), w.severe) for w in found.warnings],
        views={name: table_view(table, words) for name, table in tables.items()},
        figures=list(_figures(found, words)),
    )


def largest(table: Table, most: int) -> Table:
    """The largest differences of each two doctors."""
    counts: dict[str, int] = {}
    kept = []
    for row in table.rows:
        counts[row[0]] = counts.get(row[0], 0) + 1
        if counts[row[0]] <= most:
            kept.append(row)
    notes = table.notes
    if len(kept) < len(table.rows):
        notes = (*notes, Note.of("note.most_cases", shown=most, cases=max(counts.values())))
    return replace(table, rows=tuple(kept), notes=notes)


def _figures(found: RunComparison, words: Words) -> Iterator[Figure]:
    table = found.tables["comparison"]
    if any(row[2]["value"] is not None for row in table.rows):
        yield charts.differences(table, words)
    if found.tables["cases"].rows:
        yield charts.case_differences(found.tables["cases"], words)
