"""A picture as marks: the least of SVG that our figures need. The template writes them, escaping every text."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from clinic_sim.reports.tables import Table


@dataclass(frozen=True, slots=True)
class Mark:
    """One element."""

    tag: str
    attributes: tuple[tuple[str, str], ...]
    text: str = ""
    tip: str = ""
    """Shown when pointed at."""


@dataclass(slots=True)
class Canvas:
    """Marks on a plane, y downwards."""

    width: float
    height: float
    marks: list[Mark] = field(default_factory=list)

    def line(self, x1: float, y1: float, x2: float, y2: float, css: str) -> None:
        """A straight line."""
        self._add("line", css, x1=x1, y1=y1, x2=x2, y2=y2)

    def rect(self, x: float, y: float, width: float, height: float, css: str, tip: str = "") -> None:
        """A rectangle, of no negative size."""
        self._add("rect", css, tip=tip, x=x, y=y, width=max(width, 0.0), height=max(height, 0.0))

    def dot(self, x: float, y: float, radius: float, css: str, tip: str = "") -> None:
        """A filled circle."""
        self._add("circle", css, tip=tip, cx=x, cy=y, r=radius)

    def path(self, points: Sequence[tuple[float, float]], css: str, *, closed: bool = False) -> None:
        """A line through points."""
        if points:
            steps = " L".join(f"{_short(x)} {_short(y)}" for x, y in points)
            self.marks.append(Mark("path", (("class", css), ("d", f"M{steps}{'Z' if closed else ''}"))))

    def text(self, x: float, y: float, text: str, css: str = "", anchor: str = "start") -> None:
        """A line of text."""
        self._add("text", css, text=text, anchor=anchor, x=x, y=y)

    def _add(self, tag: str, css: str, text: str = "", anchor: str = "", tip: str = "", **numbers: float) -> None:
        attributes = [(name, _short(value)) for name, value in numbers.items()]
        if css:
            attributes.append(("class", css))
        if anchor and anchor != "start":
            attributes.append(("text-anchor", anchor))
        self.marks.append(Mark(tag, tuple(attributes), text, tip))


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture with what it shows in words, and the table of its numbers."""

    name: str
    title: str
    about: str
    """One or two sentences for who cannot see it."""
    canvas: Canvas
    table: Table
    inline: bool = False
    """Its table stands beside it in full: no second one is unfolded under it."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Values to places on an axis."""

    place: Callable[[float], float]
    ticks: tuple[float, ...]


def linear(low: float, high: float, start: float, end: float, ticks: int = 5) -> Scale:
    """An even scale, its ticks at round numbers."""
    span = (high - low) or 1.0
    return Scale(lambda v: start + (v - low) / span * (end - start), round_ticks(low, high, ticks))


def compressed(high: float, unit: float, start: float, end: float) -> Scale:
    """A scale from 0 that is even up to about `unit` and logarithmic beyond, for amounts of many sizes."""
    most = math.log1p(high / unit)
    powers = range(math.floor(math.log10(unit)), math.floor(math.log10(high)) + 1)
    ticks = (0.0, *(10.0**p for p in powers if 10.0**p >= unit * 0.99))
    return Scale(lambda v: start + math.log1p(v / unit) / most * (end - start), ticks)


def amounts(values: Sequence[float], start: float, end: float) -> Scale:
    """A scale for amounts from 0, compressed where they differ in size more than twentyfold."""
    most = max(values, default=0.0) or 1.0
    least = min((v for v in values if v > 0), default=most)
    if most / least < 20:
        return linear(0.0, most, start, end)
    return compressed(most, max(least, most / 1e4), start, end)


def round_ticks(low: float, high: float, wanted: int) -> tuple[float, ...]:
    """About as many round numbers as wanted between two."""
    raw = (high - low) / max(wanted, 1)
    if not raw > 0:
        return (low,)
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * m for m in (1, 2, 2.5, 5, 10) if size * m >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return tuple(round(n * step, 10) for n in range(first, math.floor(high / step + 1e-9) + 1))


def _short(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"
