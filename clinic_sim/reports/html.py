"""A report as one HTML file that fetches nothing: styles, script and pictures stand in it, a policy forbids the rest.

Texts of cases, doctors and models are untrusted: the template escapes every one of them, and only our own script runs.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from clinic_sim.reports import charts, cost_charts
from clinic_sim.reports.document import Report
from clinic_sim.reports.formats import cell, heading, number
from clinic_sim.reports.svg import Figure
from clinic_sim.reports.tables import NUMERIC, Kind, Note, Table, point_of
from clinic_sim.reports.words import Words
from clinic_sim.sweeps.accounts import Accounts

_LANG = {"en": "en", "zh": "zh-Hans"}


@dataclass(frozen=True, slots=True)
class CellView:
    """One cell as it is written."""

    text: str
    interval: str
    value: float | None
    """What a script may read: the number, unrounded."""
    column: str
    numeric: bool
    span: int = 1
    """Rows that it covers; 0 where a cell above covers this one."""


@dataclass(frozen=True, slots=True)
class TableView:
    """A table as it is written."""

    name: str
    headings: tuple[tuple[str, bool], ...]
    """Heading, and whether its column is of numbers."""
    rows: tuple[tuple[CellView, ...], ...]
    lead: int
    notes: tuple[str, ...]


def render(report: Report, language: str = "en") -> str:
    """The page of a report.

    Raises:
        ConfigError: there are no words of that language.
    """
    words = Words.of(language)
    tables = report.tables
    return page(
        "report.html",
        words,
        report=report,
        account=account_line(report.accounts, words),
        views={name: table_view(table, words) for name, table in tables.items()},
        figures={f.name: f for f in _figures(report, words)},
        legend=[row[0] for row in tables["headline"].rows],
    )


def page(template: str, words: Words, **values: Any) -> str:
    """A page of a template, with styles, script and the policy that lets nothing else in."""
    style, script = _asset("report.css"), _asset("report.js")
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        _environment()
        .get_template(template)
        .render(
            words=words,
            lang=_LANG[words.language],
            policy=policy,
            # Our own files, and no others', stand in the page as they are; the digests hold only then.
            style=Markup(style),  # noqa: S704
            script=Markup(script),  # noqa: S704
            numeric=_numeric,
            money=lambda value: number(value, Kind.MONEY),
            score=_score,
            table_view=lambda table: table_view(table, words),
            details_view=lambda table: table_view(_with_intervals(table), words),
            lang_of=lambda code: _LANG.get(code, ""),
            **values,
        )
    )


def account_line(accounts: Accounts, words: Words) -> str:
    """planned = completed + failed + skipped; scored + unscored: in words."""
    return words(
        "account.line",
        planned=accounts.planned,
        completed=accounts.completed,
        failed=accounts.failed.total(),
        causes=_causes(accounts.failed, words),
        skipped=accounts.skipped,
        scored=accounts.scored,
        unscored=accounts.unscored.total(),
        reasons=_causes(accounts.unscored, words),
    )


def note(found: Note, words: Words) -> str:
    """A note in words."""
    return words(found.key, **found.values)


def table_view(table: Table, words: Words) -> TableView:
    """A table as it is written; equal names at the start of rows are written once."""
    rows = [
        tuple(
            CellView(*cell(value, column, words), point_of(value), column.name, column.kind in NUMERIC)
            for value, column in zip(row, table.columns, strict=True)
        )
        for row in table.rows
    ]
    if table.lead > 1:
        rows = list(_spanned(rows))
    headings = tuple((heading(column, words), column.kind in NUMERIC) for column in table.columns)
    return TableView(table.name, headings, tuple(rows), table.lead, tuple(note(n, words) for n in table.notes))


def _spanned(rows: list[tuple[CellView, ...]]) -> Iterator[tuple[CellView, ...]]:
    """The first cell of a run of rows covers those below that say the same."""
    start = 0
    for n, row in enumerate(rows):
        if n and row[0].text == rows[start][0].text:
            yield (replace(row[0], span=0), *row[1:])
            continue
        start = n
        end = next((m for m in range(n, len(rows)) if rows[m][0].text != row[0].text), len(rows))
        yield (replace(row[0], span=end - n), *row[1:])


def _with_intervals(table: Table) -> Table:
    """The same table with every interval written out."""
    return replace(table, columns=tuple(replace(column, plain=False) for column in table.columns))


def _figures(report: Report, words: Words) -> Iterator[Figure]:
    tables = report.tables
    if tables["headline"].rows and report.accounts.scored:
        yield charts.scores(tables["headline"], words)
        yield charts.dimensions(tables["headline"], words)
        for spent in ("exam_money", "model_cost"):
            found = cost_charts.tradeoff(tables["headline"], spent, words)
            if found is not None:
                yield found
    if any(row[2]["value"] is not None for row in tables["contrasts"].rows):
        yield charts.differences(tables["contrasts"], words)
    for name, table in tables.items():
        if name.startswith("curve_") and any(row[2]["value"] is not None for row in table.rows):
            yield cost_charts.budget(table, words)
    if any(row[1] for row in tables["components"].rows):
        yield charts.shares(tables["components"], words)


def _causes(counts: Mapping[str, int], words: Words) -> str:
    if not counts:
        return ""
    listed = words("join.list").join(f"{words.value(kind)} {n}" for kind, n in sorted(counts.items()))
    return words("account.causes", list=listed)


def _numeric(value: float | None) -> str:
    return "" if value is None else repr(value)


def _score(value: float | None) -> str:
    return "–" if value is None else number(value, Kind.SCORE)


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _asset(name: str) -> str:
    return resources.files("clinic_sim.reports").joinpath("templates", name).read_text("utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(_asset),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
