"""The report's figures, drawn from its tables: what a picture shows stands in its table, digit by digit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clinic_sim.reports.axes import COLOURS, WIDTH, fitted, room_for, tick_text, tip_of, vertical_grid, width_of
from clinic_sim.reports.formats import cell, heading, number
from clinic_sim.reports.svg import Canvas, Figure, Scale, linear
from clinic_sim.reports.tables import Column, Kind, Table
from clinic_sim.reports.words import Words

_LEAST_SHARE = 0.0005
"""Shares that round to nothing are left to the table."""
_ROW = 30.0


def scores(table: Table, words: Words) -> Figure:
    """Mean total of each doctor with its interval."""
    rows = [((row[0],), row[1], n) for n, row in enumerate(table.rows)]
    canvas = _forest(rows, table.columns[1], words, low=0.0, high=1.0)
    return Figure("scores", words("figure.scores"), words("about.scores", doctors=len(rows)), canvas, table, True)


def differences(table: Table, words: Words) -> Figure:
    """Paired differences with their intervals, around zero."""
    at = next(n for n, column in enumerate(table.columns) if column.name == "difference")
    rows = [(tuple(dict.fromkeys(row[:at])), row[at], 0) for row in table.rows]
    ends = [abs(row[1][end] or 0.0) for row in rows for end in ("low", "high", "value")]
    most = min(max([*ends, 0.05]) * 1.08, 1.0)
    canvas = _forest(rows, table.columns[at], words, low=-most, high=most)
    title = words("figure.differences")
    return Figure(f"{table.name}_figure", title, words("about.differences", pairs=len(rows)), canvas, table, True)


def dimensions(table: Table, words: Words) -> Figure:
    """Small pictures side by side: one a dimension, one row a doctor."""
    columns = {column.name: n for n, column in enumerate(table.columns) if column.name.startswith("dimension:")}
    names = list(columns)
    labels = room_for([row[0] for row in table.rows], 220)
    gap = 26.0
    each = (WIDTH - labels - gap * len(names)) / max(len(names), 1)
    bottom = 34 + _ROW * len(table.rows)
    canvas = Canvas(WIDTH, bottom + 26)
    short = fitted({row[0] for row in table.rows}, labels - 12)
    for n, row in enumerate(table.rows):
        canvas.text(labels - 12, 34 + _ROW * (n + 0.5) + 4, short[row[0]], "label", "end")
    for panel, name in enumerate(names):
        left = labels + panel * (each + gap)
        scale = linear(0.0, 1.0, left, left + each, 2)
        canvas.text(left, 16, heading(table.columns[columns[name]], words), "panel")
        vertical_grid(canvas, scale, 26, bottom, Kind.SCORE)
        for n, row in enumerate(table.rows):
            y = 34 + _ROW * (n + 0.5)
            value = row[columns[name]]
            tip = tip_of(row[0], value, table.columns[columns[name]], words)
            _bar(canvas, scale, value, y, n, tip)
    about = words("about.dimensions", doctors=len(table.rows), dimensions=len(names))
    own = Table(
        "dimensions",
        (table.columns[0], *(table.columns[columns[n]] for n in names)),
        tuple((row[0], *(row[columns[n]] for n in names)) for row in table.rows),
    )
    return Figure("dimensions", words("figure.dimensions"), about, canvas, own)


def shares(table: Table, words: Words) -> Figure:
    """Variance components as one bar."""
    parts = [(row[0], row[1]) for row in table.rows if row[1] and row[1] >= _LEAST_SHARE]
    canvas = Canvas(WIDTH, 84)
    x, place = 0.0, 0.0
    for n, (name, share) in enumerate(parts):
        width = share * WIDTH
        label = words.value(name)
        text = f"{label} {number(share, Kind.PERCENT)}"
        canvas.rect(x, 8, max(width - 2, 0.8), 40, f"share c{n % COLOURS}", text)
        canvas.rect(place, 62, 11, 11, f"share c{n % COLOURS}")
        canvas.text(place + 17, 72, text, "label")
        place += 17 + width_of(text) + 26
        x += width
    return Figure("components_figure", words("figure.components"), words("about.components"), canvas, table, True)


def case_differences(table: Table, words: Words) -> Figure:
    """A bar for every case, sorted, up where the first is better; two doctors after the other in colours."""
    pairs = list(dict.fromkeys(row[0] for row in table.rows))
    rows = sorted(table.rows, key=lambda row: (pairs.index(row[0]), -row[4], row[1]))
    canvas = Canvas(WIDTH, 220)
    left, right, top, bottom = 44.0, WIDTH, 10.0, 210.0
    values = [row[4] for row in rows]
    y = linear(min(*values, -0.02) * 1.05, max(*values, 0.02) * 1.05, bottom, top, 5)
    for tick in y.ticks:
        canvas.line(left, y.place(tick), right, y.place(tick), "grid")
        canvas.text(left - 7, y.place(tick) + 4, tick_text(tick, Kind.SIGNED), "tick", "end")
    step = (right - left) / len(rows)
    for n, row in enumerate(rows):
        ends = sorted((y.place(0.0), y.place(row[4])))
        tip = f"{row[1]}: {number(row[4], Kind.SIGNED)}"
        width = max(step * 0.8, min(step, 1.0))
        colour = f"bar c{pairs.index(row[0]) % COLOURS}"
        canvas.rect(left + n * step + step * 0.1, ends[0], min(width, 40.0), max(ends[1] - ends[0], 0.8), colour, tip)
    canvas.line(left, y.place(0.0), right, y.place(0.0), "axis")
    about = words("about.cases", cases=len(rows))
    return Figure("cases_figure", words("figure.cases"), about, canvas, table, True)


def _forest(
    rows: Sequence[tuple[tuple[str, ...], Mapping[str, Any], int]],
    column: Column,
    words: Words,
    *,
    low: float,
    high: float,
) -> Canvas:
    """One row a point with its interval, its numbers at the right."""
    versus = words("join.versus")
    labels = room_for([versus.join(row[0]) for row in rows], 420)
    parts = max((len(row[0]) for row in rows), default=1)
    short = fitted({name for row in rows for name in row[0]}, (labels - 12 - (parts - 1) * width_of(versus)) / parts)
    numbers = 160.0
    bottom = 8 + _ROW * len(rows)
    canvas = Canvas(WIDTH, bottom + 26)
    scale = linear(low, high, labels, WIDTH - numbers - 12, 5)
    vertical_grid(canvas, scale, 4, bottom, column.kind)
    if low < 0 < high:
        canvas.line(scale.place(0), 4, scale.place(0), bottom, "zero")
    for n, (names, value, colour) in enumerate(rows):
        y = 8 + _ROW * (n + 0.5)
        label = versus.join(names)
        shown = label if width_of(label) <= labels - 12 else versus.join(short[name] for name in names)
        canvas.text(labels - 12, y + 4, shown, "label", "end")
        css = f"c{colour % COLOURS}"
        if value["value"] is None:
            canvas.text(labels, y + 4, cell(value, column, words)[1], "muted")
            continue
        if value["low"] is not None:
            ends = [scale.place(min(max(value[end], low), high)) for end in ("low", "high")]
            canvas.line(ends[0], y, ends[1], y, f"whisker {css}")
            for end in ends:
                canvas.line(end, y - 4, end, y + 4, f"whisker {css}")
        canvas.dot(scale.place(value["value"]), y, 5, f"point {css}", tip_of(label, value, column, words))
        main, interval = cell(value, column, words)
        canvas.text(WIDTH - numbers + 46, y + 4, main, "value", "end")
        canvas.text(WIDTH - numbers + 54, y + 4, interval, "interval")
    return canvas


def _bar(canvas: Canvas, scale: Scale, value: Mapping[str, Any], y: float, colour: int, tip: str) -> None:
    if value["value"] is None:
        canvas.text(scale.place(0.0) + 2, y + 4, "–", "muted")
        return
    css = f"c{colour % COLOURS}"
    start = scale.place(0.0)
    canvas.rect(start, y - 7, scale.place(value["value"]) - start, 14, f"bar {css}", tip)
    if value["low"] is not None:
        canvas.line(scale.place(value["low"]), y, scale.place(value["high"]), y, "error")
