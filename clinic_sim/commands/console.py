"""Printing: rich on a terminal, plain lines elsewhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table


def console() -> Console:
    """Standard output. Off a terminal: no colour, no wrapping."""
    terminal = sys.stdout.isatty()
    return Console(
        highlight=False,
        markup=False,
        soft_wrap=not terminal,
        no_color=not terminal or None,
        width=None if terminal else 400,
    )


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> None:
    """A table; the first `left` columns are text, the others numbers.

    Off a terminal it is tab-separated, for scripts.
    """
    out = console()
    if not out.is_terminal:
        if title:
            out.print(title)
        for row in (columns, *rows):
            sys.stdout.write("\t".join(row) + "\n")
        return
    table = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left")
    for n, name in enumerate(columns):
        table.add_column(name, justify="left" if n < left else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    out.print(table)


def print_json(data: Any) -> None:
    """One JSON line."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, separators=(", ", ": ")) + "\n")
    sys.stdout.flush()


def number(value: float | None, digits: int = 3) -> str:
    """A score, or a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}"
