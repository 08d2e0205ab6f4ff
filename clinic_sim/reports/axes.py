"""What figures share: axes and their ticks, and names cut to the room that there is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import takewhile
from typing import Any

from clinic_sim.reports.formats import cell
from clinic_sim.reports.svg import Canvas, Scale
from clinic_sim.reports.tables import Column, Kind
from clinic_sim.reports.words import Words

WIDTH = 1024.0
HALF = 496.0
COLOURS = 8
"""Colours, and patterns of lines, that are told apart."""
_LETTER = 6.6
"""Width of a letter, about; Chinese takes twice as much."""


def vertical_grid(canvas: Canvas, scale: Scale, top: float, bottom: float, kind: Kind) -> None:
    for tick in scale.ticks:
        x = scale.place(tick)
        canvas.line(x, top, x, bottom, "grid")
        canvas.text(x, bottom + 16, tick_text(tick, kind), "tick", "middle")


def tick_text(value: float, kind: Kind) -> str:
    return f"{value:+g}".replace("-", "\N{MINUS SIGN}") if kind is Kind.SIGNED and value else f"{value:g}"


def horizontal_grid(canvas: Canvas, scale: Scale, left: float, right: float) -> None:
    for tick in scale.ticks:
        y = scale.place(tick)
        canvas.line(left, y, right, y, "grid")
        canvas.text(left - 7, y + 4, f"{tick:g}", "tick", "end")


def apart(scale: Scale, least: float) -> list[float]:
    """Ticks whose labels do not run into each other."""
    kept: list[float] = []
    for tick in scale.ticks:
        if not kept or scale.place(tick) - scale.place(kept[-1]) >= least:
            kept.append(tick)
    return kept


def tip_of(label: str, value: Mapping[str, Any], column: Column, words: Words) -> str:
    main, interval = cell(value, column, words)
    return f"{label}: {main} {interval}".rstrip()


def width_of(text: str) -> float:
    return sum(_LETTER if ord(letter) < 0x2E80 else 2 * _LETTER for letter in text)


def room_for(labels: Sequence[str], most: float) -> float:
    """What the longest label needs, up to a limit."""
    return float(min(max((width_of(label) for label in labels), default=0.0) + 18, most))


def fitted(names: Collection[str], room: float) -> dict[str, str]:
    """Names as they fit into the room: of the long ones first goes what they have in common, at both ends."""
    long = sorted(name for name in names if width_of(name) > room)
    start = _shared_start(long) if len(long) > 1 else 0
    end = _shared_start([name[start:][::-1] for name in long]) if len(long) > 1 else 0
    found = {name: name for name in names}
    for name in long:
        own = name[start : len(name) - end]
        found[name] = _cut(f"{'…' if start else ''}{own}{'…' if end else ''}", room)
    return found


def _shared_start(names: Sequence[str]) -> int:
    """Letters with which all of them begin."""
    return sum(1 for _ in takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False)))


def _cut(text: str, room: float) -> str:
    """The text, or as much of its beginning as there is room for."""
    kept = text
    while kept and width_of(f"{kept}…") > room:
        kept = kept[:-1]
    return text if width_of(text) <= room else f"{kept}…"
