"""`Table`: figures as data, before they are worded or drawn.

The page, the terminal and `--json` all show the same tables, so that no two of them can say different numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from clinic_sim.reports.estimates import Estimate
from clinic_sim.reports.rates import Rate


class Kind(StrEnum):
    """How a column's values are written."""

    TEXT = "text"
    """As it stands: a name, a message."""
    WORD = "word"
    """One of our own words, which has a translation: a dimension, a reason."""
    COUNT = "count"
    SCORE = "score"
    """A number, or an estimate, with three decimals."""
    SIGNED = "signed"
    """The same with its sign: a difference, a penalty."""
    FINE = "fine"
    """A small number, with two digits that count."""
    PERCENT = "percent"
    NUMBER = "number"
    """A mean of counts: one decimal."""
    MONEY = "money"
    """US dollars of examinations, or an estimate of them."""
    COST = "cost"
    """US dollars of models: the text `unknown` where calls had no price."""
    P = "p"


NUMERIC = frozenset(Kind) - {Kind.TEXT, Kind.WORD}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    """Its key in the JSON, and the key of its heading where `heading` is empty."""
    kind: Kind = Kind.TEXT
    heading: str = ""
    """A heading that stands as it is: a doctor's name."""
    plain: bool = False
    """An estimate whose interval is not written out."""


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence under a table: the key of its words, and what is filled in."""

    key: str
    values: Mapping[str, Any]

    @classmethod
    def of(cls, key: str, **values: Any) -> Note:
        """The note of a key."""
        return cls(key, values)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of values: text, numbers, None, or estimates as `estimated` makes them."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    notes: tuple[Note, ...] = ()
    lead: int = 1
    """Columns in front that name a row."""

    def to_dict(self) -> list[dict[str, Any]]:
        """One mapping a row."""
        names = [column.name for column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]

    def __bool__(self) -> bool:
        return bool(self.rows)


def estimated(estimate: Estimate) -> dict[str, Any]:
    """An estimate as JSON data."""
    interval = estimate.interval
    return {
        "value": estimate.value,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "undefined": estimate.undefined.name.lower() if estimate.undefined else None,
        "n": estimate.n,
        "cases": estimate.clusters,
        "unscored": estimate.unscored,
    }


def rated(rate: Rate) -> dict[str, Any]:
    """A rate as JSON data."""
    return {**estimated(rate.estimate), "count": rate.count, "of": rate.of}


def plain(value: float | None) -> float | None:
    """A float of Python, None for nan: what JSON and tables can hold."""
    return None if value is None or math.isnan(value) else float(value)


def point_of(value: Any) -> float | None:
    """The number of a cell: of an estimate, its point."""
    found = value["value"] if isinstance(value, Mapping) else value
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None
