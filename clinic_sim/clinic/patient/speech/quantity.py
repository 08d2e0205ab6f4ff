"""A number with what it counts, in comparable units: two weeks are fourteen days."""

from __future__ import annotations

from typing import NamedTuple


class Quantity(NamedTuple):
    """A number with what it counts."""

    kind: str
    """`time` (in hours), `rate` (a day), `degrees`, `percent`, `weight` (kg), `length`, `pressure`, `dose`, `score`,
    `age` (years), `pulse`, `clock`, `count`."""
    value: float
    start: int
    end: int
    loose: bool = False
    """Said roughly: about, yesterday, a month."""


AGO = {
    "today": 6.0,
    "yesterday": 24.0,
    "before": 48.0,
    "before3": 72.0,
    "week": 168.0,
    "fort": 336.0,
    "week2": 336.0,
    "month": 730.0,
    "month2": 1460.0,
    "year": 8766.0,
    "year2": 17532.0,
    "year3": 26298.0,
    "season": 6574.0,
    "lately": 4400.0,
}
"""Hours since a day, week, month or year that is named from now: last year, the month before last."""


_ROUNDED = frozenset({"weight", "length"})
_CYCLES = (7.0, 30.4, 365.0)
"""Days in which a rate may have been counted: once a week, sometimes twice."""
_FEW = (1.5, 15.0)
"""How many of a unit may be called a few of it, generously."""


def same(said: Quantity, known: Quantity) -> bool:
    """Whether two quantities are one: in units that differ in roundness, a month is four weeks or thirty days."""
    if "few" in (said.kind, known.kind):
        few, other = (said, known) if said.kind == "few" else (known, said)
        least, most = (0.2, 5.0) if other.kind == "few" else _FEW
        return other.kind in ("time", "ago", "few") and few.value * least <= other.value <= few.value * most
    if {said.kind, known.kind} <= {"time", "ago"}:
        small, large = sorted((said.value, known.value))
        slack = (
            1.9
            if "ago" in (said.kind, known.kind) and large <= 72
            else 2.2
            if not {AGO["season"], AGO["lately"]}.isdisjoint((said.value, known.value))
            else 1.5
            if "ago" in (said.kind, known.kind)
            else 1.35
            if said.loose or known.loose
            else 1.1
        )
        return large <= small * slack
    if {said.kind, known.kind} in ({"bare", "time"}, {"bare", "age"}):
        bare, other = (said, known) if said.kind == "bare" else (known, said)
        years = other.value / 8766 if other.kind == "time" else other.value
        if abs(bare.value - years) < 0.051:  # at thirteen, and at 13 years
            return True
    if "bare" in (said.kind, known.kind) or said.kind == known.kind:
        if said.kind == known.kind == "rate":
            small, large = sorted((said.value, known.value))
            return large <= small * 1.3
        if said.kind == known.kind == "count" and (said.loose or known.loose):
            return abs(said.value - known.value) < 0.61
        roundly = 0.03 * known.value if said.kind == known.kind and said.kind in _ROUNDED else 0.0
        return abs(said.value - known.value) < max(0.051, roundly)
    if {said.kind, known.kind} == {"weight", "dose"}:  # kilograms, and milligrams
        return any(
            large <= small * 1.05
            for of_kilos in (1e6, 1e3)  # in milligrams, and of a drink in millilitres
            for small, large in (sorted(q.value * (of_kilos if q.kind == "weight" else 1) for q in (said, known)),)
        )
    if {said.kind, known.kind} == {"rate", "time"}:  # once a month, and every thirty days
        often, every = (said, known) if said.kind == "rate" else (known, said)
        small, large = sorted((24 / often.value if often.value else 0.0, every.value))
        return often.value < 1 and large <= small * 1.1
    if {said.kind, known.kind} == {"count", "rate"}:
        count, rate = (said, known) if said.kind == "count" else (known, said)
        if any(abs(count.value - rate.value * days) < 0.61 for days in _CYCLES):
            return True
    if {said.kind, known.kind} <= {"count", "rate", "dose", "bare"}:
        roughly = {said.kind, known.kind} == {"count", "rate"} and (said.loose or known.loose)
        return abs(said.value - known.value) < (0.61 if roughly else 0.051)
    return False
