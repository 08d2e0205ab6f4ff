"""`clinic-sim report`: a run as one HTML file, its headline at the terminal, its numbers as JSON."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from clinic_sim.commands.console import console, print_json, print_table
from clinic_sim.errors import StoreError
from clinic_sim.reports.document import EACH, Report, report
from clinic_sim.reports.formats import cell, heading
from clinic_sim.reports.html import account_line, note, render
from clinic_sim.reports.summary import SUCCESS
from clinic_sim.reports.tables import Table
from clinic_sim.reports.words import Words
from clinic_sim.sweeps.files import write_whole

PAGE = "report.html"
_SHOWN = ("headline", "published", "beside", "contrasts", "failures", "unscored")


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """What `clinic-sim report` was asked to do."""

    run: Path
    out: Path | None = None
    """The HTML file; by default `report.html` in the run's folder."""
    language: str = "en"
    each: int = EACH
    success: float = SUCCESS
    terminal: bool = False
    """Only the tables at the terminal: no file is written."""
    judged: tuple[Path, ...] = ()
    """Runs that hold the same episodes scored by other judges."""
    as_json: bool = False
    """Only the numbers, on standard output; a file too where `out` names one."""


def report_run(request: ReportRequest) -> int:
    """Report a run. Returns 0.

    Raises:
        ConfigError: the language is unknown.
        StoreError: the folder is no run, or the page cannot be written.
    """
    words = Words.of(request.language)
    each = 0 if request.terminal else request.each
    found = report(request.run, each=each, success=request.success, judged=request.judged)
    path = request.out or request.run / PAGE
    written = not request.terminal and not (request.as_json and request.out is None)
    # The file first: whoever reads the output may leave early (`| head`).
    if written:
        write_page(path, render(found, request.language))
    if request.as_json:
        print_json(found.numbers())
        return 0
    print_report(found, words)
    if written:
        console().print(f"Written to {path}")
    return 0


def write_page(path: Path, page: str) -> None:
    """Put a page in place as a whole.

    Raises:
        StoreError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Half a surrogate pair, which a model may have written, has no place in a file.
        write_whole(path, page.encode("utf-8", "replace").decode("utf-8"))
    except OSError as exc:
        raise StoreError(f"{path}: cannot be written: {exc.strerror or exc}; choose another --out") from exc


def print_report(found: Report, words: Words) -> None:
    """The headline, differences and losses, each under the account of the run."""
    account = account_line(found.accounts, words)
    shown = [table for name, table in found.tables.items() if name in _SHOWN and table.rows]
    for table in shown:
        print_data(table, words)
        console().print(account)
        sys.stdout.write("\n")
    if not shown:
        console().print(account)


def print_data(table: Table, words: Words) -> None:
    """A table; intervals stand behind their values."""
    rows = []
    for row in table.rows:
        written = (cell(value, column, words) for value, column in zip(row, table.columns, strict=True))
        rows.append([" ".join(part for part in parts if part) for parts in written])
    title = words(f"section.{table.name}") if words.has(f"section.{table.name}") else words.value(table.name)
    print_table(title, [heading(column, words) for column in table.columns], rows, left=table.lead)
    for found in table.notes if console().is_terminal else ():
        console().print(note(found, words), style="dim")
