"""Numbers as people read them: a cell of a table as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clinic_sim.reports.tables import NUMERIC, Column, Kind
from clinic_sim.reports.words import Words

DASH = "–"
_MINUS = "\N{MINUS SIGN}"


def number(value: float, kind: Kind) -> str:
    """One number of a kind."""
    match kind:
        case Kind.COUNT:
            return f"{value:,.0f}"
        case Kind.SCORE:
            return _signed(f"{value:.3f}")
        case Kind.SIGNED:
            return _signed(f"{value:+.3f}") if round(value, 3) else "0.000"
        case Kind.PERCENT:
            return f"{100 * value:.1f}\N{NARROW NO-BREAK SPACE}%"
        case Kind.NUMBER:
            return f"{value:,.1f}"
        case Kind.MONEY:
            return f"{value:,.0f}" if value >= 10 else f"{value:,.2f}".removesuffix(".00")
        case Kind.COST:
            return "0" if not value else f"{value:.4f}" if value < 1 else f"{value:,.2f}"
        case Kind.FINE:
            return _signed(f"{value:.2g}")
        case Kind.P:
            return "< 0.001" if value < 0.001 else f"{value:.3f}"
    return str(value)


def cell(value: Any, column: Column, words: Words) -> tuple[str, str]:
    """What stands in a cell, and its interval or why there is none, as far as there is something to say."""
    if value is None:
        return DASH if column.kind in NUMERIC else "", ""
    if isinstance(value, Mapping):
        return _estimate(value, column, words)
    if isinstance(value, str):
        ours = column.kind is not Kind.TEXT
        return (words.value(value) if ours else value), ""
    return number(float(value), column.kind), ""


def _estimate(value: Mapping[str, Any], column: Column, words: Words) -> tuple[str, str]:
    if value["value"] is None:
        of_none = "nothing_counted" if column.kind is Kind.PERCENT else value["undefined"]
        return DASH, words(f"undefined.{of_none}") if value["undefined"] else ""
    main = number(value["value"], column.kind)
    if column.plain:
        return main, ""
    if value["low"] is None:
        return main, words(f"undefined.{value['undefined']}") if value["undefined"] else ""
    low, high = number(value["low"], column.kind), number(value["high"], column.kind)
    return main, f"[{low}, {high}]"


def _signed(text: str) -> str:
    return text.replace("-", _MINUS)


def heading(column: Column, words: Words) -> str:
    """A column's heading; a column of a composite name (`ended:concluded`) is named by its last part."""
    if column.heading:
        return column.heading
    if words.has(f"column.{column.name}"):
        return words(f"column.{column.name}")
    return words.value(column.name.rpartition(":")[2])
