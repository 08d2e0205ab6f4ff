"""Figures of what is reached for what is spent: curves over a budget, and score against cost."""

from __future__ import annotations

from collections.abc import Sequence

from clinic_sim.reports.axes import COLOURS, HALF, apart, fitted, horizontal_grid, width_of
from clinic_sim.reports.formats import cell, heading, number
from clinic_sim.reports.stats import pareto
from clinic_sim.reports.svg import Canvas, Figure, amounts, linear
from clinic_sim.reports.tables import Kind, Table, point_of
from clinic_sim.reports.words import Words


def budget(table: Table, words: Words) -> Figure:
    """What was reached against what was spent: a line and its band for each doctor."""
    spent, reached = table.columns[1], table.columns[2]
    canvas = Canvas(HALF, 270)
    left, right, top, bottom = 40.0, HALF - 14, 14.0, 226.0
    amount = [row[1] for row in table.rows]
    x = amounts(amount, left, right) if spent.kind is Kind.MONEY else linear(0.0, max(amount), left, right, 6)
    y = linear(0.0, 1.0, bottom, top, 4)
    horizontal_grid(canvas, y, left, right)
    for tick in apart(x, 34):
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
    horizontal_grid(canvas, y, left, right)
    for tick in apart(x, 34):
        canvas.text(x.place(tick), bottom + 17, number(tick, table.columns[at].kind), "tick", "middle")
        canvas.line(x.place(tick), bottom, x.place(tick), bottom + 4, "axis")
    canvas.line(left, bottom, right, bottom, "axis")
    canvas.text((left + right) / 2, bottom + 38, words(f"axis.{spent}"), "axis-name", "middle")
    front = pareto([cost for _, _, cost, _ in known], [score["value"] for *_, score in known])
    best = sorted((cost, score["value"]) for (_, _, cost, score), on in zip(known, front, strict=True) if on)
    canvas.path(_stairs([(x.place(cost), y.place(score)) for cost, score in best]), "front")
    if len(known) < len(points):
        canvas.text(right, top + 14, words("figure.unplaced", n=len(points) - len(known)), "muted halo", "end")
    short = fitted({name for _, name, _, _ in known}, 150)
    named = {name for (_, name, _, _), on in zip(known, front, strict=True) if on or len(known) <= COLOURS}
    taken: list[tuple[float, float, float]] = []
    for n, name, cost, score in sorted(known, key=lambda p: -p[3]["value"]):
        px, py = x.place(cost), y.place(score["value"])
        if score["low"] is not None:
            canvas.line(px, y.place(score["low"]), px, y.place(score["high"]), f"whisker c{n % COLOURS}")
        tip = f"{name}: {cell(score, table.columns[1], words)[0]}, {number(cost, table.columns[at].kind)}"
        canvas.dot(px, py, 5, f"point c{n % COLOURS}", tip)
        if name not in named:
            continue
        width = width_of(short[name])
        left_of = px + 10 + width > right
        start, ty = px - 10 - width if left_of else px + 10, py + 4
        while ty < bottom - 2 and any(
            abs(ty - y1) < 13 and start < end and start + width > begin for begin, end, y1 in taken
        ):
            ty += 13
        ty = min(ty, bottom - 2)
        taken.append((start, start + width, ty))
        canvas.text(px - 10 if left_of else start, ty, short[name], "label halo", "end" if left_of else "start")
    title = words(f"figure.tradeoff_{spent}")
    on_front = ", ".join(name for (_, name, _, _), on in zip(known, front, strict=True) if on)
    return Figure(f"tradeoff_{spent}", title, words("about.tradeoff", front=on_front), canvas, table, True)


def _stairs(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """What is reached stands until the next point."""
    steps = list(points[:1])
    for x, y in points[1:]:
        steps += [(x, steps[-1][1]), (x, y)]
    return steps
