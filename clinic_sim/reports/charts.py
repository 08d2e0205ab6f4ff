"""The report's figures, drawn from its tables: what a picture shows stands in its table, digit by digit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clinic_sim.reports.formats import cell, heading, number
from clinic_sim.reports.stats import pareto
from clinic_sim.reports.svg import Canvas, Figure, Scale, amounts, linear
from clinic_sim.reports.tables import Column, Kind, Table, point_of
from clinic_sim.reports.words import Words

WIDTH = 1024.0
HALF = 496.0
COLOURS = 8
"""Colours, and patterns of lines, that are told apart."""
_LEAST_SHARE = 0.0005
"""Shares that round to nothing are left to the table."""
_ROW = 30.0
_LETTER = 6.6
"""Width of a letter, about; Chinese takes twice as much."""


def scores(table: Table, words: Words) -> Figure:
    """Mean total of each doctor with its interval."""
    rows = [(row[0], row[1], n) for n, row in enumerate(table.rows)]
    canvas = _forest(rows, table.columns[1], words, low=0.0, high=1.0)
    return Figure("scores", words("figure.scores"), words("about.scores", doctors=len(rows)), canvas, table, True)


def differences(table: Table, words: Words) -> Figure:
    """Paired differences with their intervals, around zero."""
    at = next(n for n, column in enumerate(table.columns) if column.name == "difference")
    rows = [(words("join.versus").join(dict.fromkeys(row[:at])), row[at], 0) for row in table.rows]
    ends = [abs(row[1][end] or 0.0) for row in rows for end in ("low", "high", "value")]
    most = min(max([*ends, 0.05]) * 1.08, 1.0)
    canvas = _forest(rows, table.columns[at], words, low=-most, high=most)
    title = words("figure.differences")
    return Figure(f"{table.name}_figure", title, words("about.differences", pairs=len(rows)), canvas, table, True)


def dimensions(table: Table, words: Words) -> Figure:
    """Small pictures side by side: one a dimension, one row a doctor."""
    columns = {column.name: n for n, column in enumerate(table.columns) if column.name.startswith("dimension:")}
    names = list(columns)
    labels = _room([row[0] for row in table.rows], 220)
    gap = 26.0
    each = (WIDTH - labels - gap * len(names)) / max(len(names), 1)
    bottom = 34 + _ROW * len(table.rows)
    canvas = Canvas(WIDTH, bottom + 26)
    for n, row in enumerate(table.rows):
        canvas.text(labels - 12, 34 + _ROW * (n + 0.5) + 4, _cut(row[0], labels - 12), "label", "end")
    for panel, name in enumerate(names):
        left = labels + panel * (each + gap)
        scale = linear(0.0, 1.0, left, left + each, 2)
        canvas.text(left, 16, heading(table.columns[columns[name]], words), "panel")
        _vertical_grid(canvas, scale, 26, bottom, Kind.SCORE)
        for n, row in enumerate(table.rows):
            y = 34 + _ROW * (n + 0.5)
            value = row[columns[name]]
            tip = _tip(row[0], value, table.columns[columns[name]], words)
            _bar(canvas, scale, value, y, n, tip)
    about = words("about.dimensions", doctors=len(table.rows), dimensions=len(names))
    own = Table(
        "dimensions",
        (table.columns[0], *(table.columns[columns[n]] for n in names)),
        tuple((row[0], *(row[columns[n]] for n in names)) for row in table.rows),
    )
    return Figure("dimensions", words("figure.dimensions"), about, canvas, own)


def budget(table: Table, words: Words) -> Figure:
    """What was reached against what was spent: a line and its band for each doctor."""
    spent, reached = table.columns[1], table.columns[2]
    canvas = Canvas(HALF, 270)
    left, right, top, bottom = 40.0, HALF - 14, 14.0, 226.0
    amount = [row[1] for row in table.rows]
    x = amounts(amount, left, right) if spent.kind is Kind.MONEY else linear(0.0, max(amount), left, right, 6)
    y = linear(0.0, 1.0, bottom, top, 4)
    _horizontal_grid(canvas, y, left, right)
    for tick in _apart(x, 34):
        canvas.text(x.place(tick), bottom + 17, number(tick, spent.kind), "tick", "middle")
        canvas.line(x.place(tick), bottom, x.place(tick), bottom + 4, "axis")
    canvas.line(left, bottom, right, bottom, "axis")
    canvas.text((left + right) / 2, bottom + 38, words(f"axis.{spent.name}"), "axis-name", "middle")
    doctors = list(dict.fromkeys(row[0] for row in table.rows))
    for n, doctor in enumerate(doctors):
        own = [row for row in table.rows if row[0] == doctor and row[2]["value"] is not None]
        band = [row for row in own if row[2]["low"] is not None]
        ends = [_stairs([(x.place(row[1]), y.place(row[2][end])) for row in band]) for end in ("high", "low")]
        canvas.path([*ends[0], *reversed(ends[1])], f"band c{n % COLOURS}", closed=True)
        line = _stairs([(x.place(row[1]), y.place(row[2]["value"])) for row in own])
        canvas.path(line, f"curve c{n % COLOURS} d{n % COLOURS}")
    title = words(f"figure.{table.name}")
    about = words("about.curve", reached=heading(reached, words), spent=heading(spent, words), doctors=len(doctors))
    return Figure(table.name, title, about, canvas, table)


def _stairs(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """What is reached stands until the next point."""
    steps = list(points[:1])
    for x, y in points[1:]:
        steps += [(x, steps[-1][1]), (x, y)]
    return steps


def tradeoff(table: Table, spent: str, words: Words) -> Figure | None:
    """Score against cost, and who is on the front; None where nothing was spent, or it is unknown."""
    at = next(n for n, column in enumerate(table.columns) if column.name == spent)
    points = [(n, row[0], point_of(row[at]), row[1]) for n, row in enumerate(table.rows)]
    known = [
        (n, name, cost, score) for n, name, cost, score in points if cost is not None and score["value"] is not None
    ]
    if len(known) < 2 or not any(cost for _, _, cost, _ in known):
        return None
    canvas = Canvas(HALF, 290)
    left, right, top, bottom = 40.0, HALF - 20, 14.0, 246.0
    x = amounts([cost for _, _, cost, _ in known], left + 8, right - 8)
    y = linear(0.0, 1.0, bottom, top, 4)
    _horizontal_grid(canvas, y, left, right)
    for tick in _apart(x, 34):
        canvas.text(x.place(tick), bottom + 17, number(tick, table.columns[at].kind), "tick", "middle")
        canvas.line(x.place(tick), bottom, x.place(tick), bottom + 4, "axis")
    canvas.line(left, bottom, right, bottom, "axis")
    canvas.text((left + right) / 2, bottom + 38, words(f"axis.{spent}"), "axis-name", "middle")
    front = pareto([cost for _, _, cost, _ in known], [score["value"] for *_, score in known])
    best = sorted((cost, score["value"]) for (_, _, cost, score), on in zip(known, front, strict=True) if on)
    canvas.path(_stairs([(x.place(cost), y.place(score)) for cost, score in best]), "front")
    if len(known) < len(points):
        canvas.text(right, top + 14, words("figure.unplaced", n=len(points) - len(known)), "muted halo", "end")
    taken: list[tuple[float, float]] = []
    for n, name, cost, score in sorted(known, key=lambda p: -p[3]["value"]):
        px, py = x.place(cost), y.place(score["value"])
        if score["low"] is not None:
            canvas.line(px, y.place(score["low"]), px, y.place(score["high"]), f"whisker c{n % COLOURS}")
        tip = f"{name}: {cell(score, table.columns[1], words)[0]}, {number(cost, table.columns[at].kind)}"
        canvas.dot(px, py, 5, f"point c{n % COLOURS}", tip)
        text = _cut(name, 150)
        end = px + 10 + _width(text) > right
        ty = py + 4
        while any(abs(ty - other) < 13 and abs(px - where) < 130 for where, other in taken):
            ty += 13
        taken.append((px, ty))
        canvas.text(px - 10 if end else px + 10, ty, text, "label halo", "end" if end else "start")
    title = words(f"figure.tradeoff_{spent}")
    on_front = ", ".join(name for (_, name, _, _), on in zip(known, front, strict=True) if on)
    return Figure(f"tradeoff_{spent}", title, words("about.tradeoff", front=on_front), canvas, table, True)


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
        place += 17 + _width(text) + 26
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
        canvas.text(left - 7, y.place(tick) + 4, _tick(tick, Kind.SIGNED), "tick", "end")
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
    rows: Sequence[tuple[str, Mapping[str, Any], int]], column: Column, words: Words, *, low: float, high: float
) -> Canvas:
    """One row a point with its interval, its numbers at the right."""
    labels = _room([row[0] for row in rows], 380)
    numbers = 160.0
    bottom = 8 + _ROW * len(rows)
    canvas = Canvas(WIDTH, bottom + 26)
    scale = linear(low, high, labels, WIDTH - numbers - 12, 5)
    _vertical_grid(canvas, scale, 4, bottom, column.kind)
    if low < 0 < high:
        canvas.line(scale.place(0), 4, scale.place(0), bottom, "zero")
    for n, (label, value, colour) in enumerate(rows):
        y = 8 + _ROW * (n + 0.5)
        canvas.text(labels - 12, y + 4, _cut(label, labels - 12), "label", "end")
        css = f"c{colour % COLOURS}"
        if value["value"] is None:
            canvas.text(labels, y + 4, cell(value, column, words)[1], "muted")
            continue
        if value["low"] is not None:
            ends = [scale.place(min(max(value[end], low), high)) for end in ("low", "high")]
            canvas.line(ends[0], y, ends[1], y, f"whisker {css}")
            for end in ends:
                canvas.line(end, y - 4, end, y + 4, f"whisker {css}")
        canvas.dot(scale.place(value["value"]), y, 5, f"point {css}", _tip(label, value, column, words))
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


def _vertical_grid(canvas: Canvas, scale: Scale, top: float, bottom: float, kind: Kind) -> None:
    for tick in scale.ticks:
        x = scale.place(tick)
        canvas.line(x, top, x, bottom, "grid")
        canvas.text(x, bottom + 16, _tick(tick, kind), "tick", "middle")


def _tick(value: float, kind: Kind) -> str:
    return f"{value:+g}".replace("-", "\N{MINUS SIGN}") if kind is Kind.SIGNED and value else f"{value:g}"


def _horizontal_grid(canvas: Canvas, scale: Scale, left: float, right: float) -> None:
    for tick in scale.ticks:
        y = scale.place(tick)
        canvas.line(left, y, right, y, "grid")
        canvas.text(left - 7, y + 4, f"{tick:g}", "tick", "end")


def _apart(scale: Scale, least: float) -> list[float]:
    """Ticks whose labels do not run into each other."""
    kept: list[float] = []
    for tick in scale.ticks:
        if not kept or scale.place(tick) - scale.place(kept[-1]) >= least:
            kept.append(tick)
    return kept


def _tip(label: str, value: Mapping[str, Any], column: Column, words: Words) -> str:
    main, interval = cell(value, column, words)
    return f"{label}: {main} {interval}".rstrip()


def _width(text: str) -> float:
    return sum(_LETTER if ord(letter) < 0x2E80 else 2 * _LETTER for letter in text)


def _room(labels: Sequence[str], most: float) -> float:
    """What the longest label needs, up to a limit."""
    return float(min(max((_width(label) for label in labels), default=0.0) + 18, most))


def _cut(text: str, room: float) -> str:
    """The text, or as much of its beginning as there is room for."""
    if _width(text) <= room:
        return text
    kept = text
    while kept and _width(kept) > room - 2 * _LETTER:
        kept = kept[:-1]
    return f"{kept}…"
