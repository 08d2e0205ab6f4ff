"""`clinic-sim compare`: two runs, consultation by consultation."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from clinic_sim.commands.console import console, print_json
from clinic_sim.commands.report import print_data, write_page
from clinic_sim.reports.against import RunComparison, against
from clinic_sim.reports.compare_page import largest, render_comparison
from clinic_sim.reports.html import account_line, note
from clinic_sim.reports.words import Words

_CASES = 10
"""Cases shown at the terminal, for each two doctors."""


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """What `clinic-sim compare` was asked to do."""

    first: Path
    second: Path
    a: str | None = None
    """The first run's doctor; None for each that both runs have."""
    b: str | None = None
    html: Path | None = None
    language: str = "en"
    as_json: bool = False


def compare_runs(request: CompareRequest) -> int:
    """Compare two runs. Returns 0.

    Raises:
        ConfigError: the language or a doctor is unknown, or the runs share no doctor.
        StoreError: a folder is no run, or the page cannot be written.
    """
    words = Words.of(request.language)
    found = against(request.first, request.second, request.a, request.b)
    # The file first: whoever reads the output may leave early (`| head`).
    if request.html is not None:
        write_page(request.html, render_comparison(found, request.language))
    if request.as_json:
        print_json(found.numbers())
        return 0
    print_comparison(found, words)
    if request.html is not None:
        console().print(f"Written to {request.html}")
    return 0


def print_comparison(found: RunComparison, words: Words) -> None:
    """Warnings first, then the differences, cases, what is unpaired and what differs."""
    out = console()
    for warned in found.warnings:
        head = f"{words('compare.warning')}: " if warned.severe else ""
        out.print(f"{head}{note(warned.note, words)}")
    accounts = [
        f"{p.name}: {account_line(a, words)}" for p, a in zip((found.first, found.second), found.accounts, strict=True)
    ]
    tables = {**found.tables, "cases": largest(found.tables["cases"], _CASES)}
    for table in tables.values():
        if table.rows:
            sys.stdout.flush()
            print_data(table, words)
            for line in accounts:
                out.print(line)
            out.print("")
