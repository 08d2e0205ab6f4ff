"""`export`: a run as a flat table, for whatever reads CSV or Parquet. Every planned episode has its row."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import orjson

from clinic_sim.errors import ConfigError, StoreError
from clinic_sim.reports.table import RunTable, decode
from clinic_sim.sweeps.files import replacing
from clinic_sim.sweeps.journal import whole_lines
from clinic_sim.sweeps.lines import decoded
from clinic_sim.sweeps.planned import Shard
from clinic_sim.sweeps.store import EPISODES

What = Literal["episodes", "verdicts", "events"]
WHATS: tuple[What, ...] = ("episodes", "verdicts", "events")
_CHUNK = 10_000
_ABOUT = ("pack", "language", "department", "setting", "difficulty", "rarity", "released", "diagnosis")


def export_run(folder: Path, out: Path, what: What = "episodes") -> int:
    """Write a run as a table; returns the number of rows.

    Args:
        folder: The run's folder.
        out: A file that ends in `.csv` or `.parquet`, which is replaced as a whole.
        what: `episodes`: one row a planned episode, those that failed or were not played included; `verdicts`: one row
            a criterion of each finished episode; `events`: one row an event of each.

    Raises:
        ConfigError: the file's ending, or pyarrow is not installed.
        StoreError: the run cannot be read, or the file not written.
    """
    table = RunTable.read(folder)
    if what == "episodes":
        names, rows = _episode_columns(table), _episodes(table)
    else:
        names, rows = _DETAILS[what], _details(table, what)
    try:
        if out.suffix == ".csv":
            return _write_csv(out, names, rows)
        if out.suffix == ".parquet":
            return _write_parquet(out, names, rows)
    except OSError as exc:
        raise StoreError(f"{out}: cannot be written: {exc.strerror or exc}") from exc
    raise ConfigError(f"{out}: name a file that ends in .csv or .parquet")


def _episode_columns(table: RunTable) -> list[str]:
    numbers = [n for n in table.ints if n not in ("at", "offset", "length")]
    return [
        *("key", "at", "status", "failure", "doctor", "roles", "persona", "case", *_ABOUT, "seed", "repeat"),
        *(n for n in table.floats if n != "cost"),
        *(f"dimension_{n}" for n in table.dimensions),
        *("unscored", "ended", "concluded", *numbers, "model_cost"),
    ]


def _episodes(table: RunTable) -> Iterator[list[Any]]:
    """Rows in the plan's order: completed, failed and skipped ones."""
    rows = {int(at): n for n, at in enumerate(table.ints["at"])}
    failures = {failure.at: failure for failure in table.failures}
    planned = planned_places(table.manifest)
    factors = decode(table.manifest, planned)
    cases = table.cases
    numbers = [n for n in table.ints if n not in ("at", "offset", "length")]
    floats = [n for n in table.floats if n != "cost"]
    for n, at in enumerate(planned.tolist()):
        row, failure = rows.get(at), failures.get(at)
        status = "completed" if row is not None else "failed" if failure is not None else "skipped"
        case = cases[int(factors["case"][n])]
        found: list[Any] = [
            table.keys[row] if row is not None else failure.key if failure is not None else None,
            at,
            status,
            f"{failure.stage}:{failure.kind}" if row is None and failure is not None else None,
            table.doctors[int(factors["doctor"][n])],
            table.roles[int(factors["roles"][n])],
            table.personas[int(factors["persona"][n])],
            case["id"],
            *(case[name] for name in _ABOUT),
            int(factors["seed"][n]),
            int(factors["repeat"][n]),
        ]
        if row is None:
            found += [None] * (len(floats) + len(table.dimensions) + 3 + len(numbers) + 1)
        else:
            found += [_number(table.floats[name][row]) for name in floats]
            found += [_number(values[row]) for values in table.dimensions.values()]
            found += [table.unscored[row] or None, table.ended[row], bool(table.concluded[row])]
            found += [int(table.ints[name][row]) for name in numbers]
            found.append(_number(table.floats["cost"][row]))
        yield found


def planned_places(manifest: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Places in the plan of all that a run, or a shard of one, plans."""
    plan = manifest["plan"]
    size = len(manifest["cases"]) * int(plan["repeats"])
    for name in ("doctors", "roles", "personas", "seeds"):
        size *= len(plan[name])
    places = np.arange(size, dtype=np.int64)
    if manifest["shard"]:
        shard = Shard.parse(manifest["shard"])
        places = places[places // len(plan["doctors"]) % shard.of == shard.number - 1]
    return places


_DETAILS: dict[str, list[str]] = {
    "verdicts": ["key", "case", "dimension", "criterion", "status", "points", "value", "failure", "evidence", "reason"],
    "events": ["key", "case", "n", "type", "text", "details"],
}


def _details(table: RunTable, what: What) -> Iterator[list[Any]]:
    for line, _ in whole_lines(table.folder / EPISODES):
        data = decoded(line)
        key, case = data["key"], data["episode"]["case"]
        if what == "verdicts":
            for v in data["scorecard"]["verdicts"]:
                own = [v[n] for n in ("dimension", "criterion", "status", "points", "value", "failure")]
                yield [key, case, *own, " ".join(map(str, v["evidence"])), v["reason"]]
        else:
            for e in data["episode"]["events"]:
                rest = {k: v for k, v in e.items() if k not in ("n", "type", "text")}
                yield [key, case, e["n"], e["type"], e.get("text"), orjson.dumps(rest).decode()]


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _write_csv(out: Path, names: Sequence[str], rows: Iterator[list[Any]]) -> int:
    count = 0
    with replacing(out) as file:
        # UTF-8 with a mark: spreadsheets take Chinese for something else without it.
        file.write(b"\xef\xbb\xbf")

        class Text:
            @staticmethod
            def write(text: str) -> int:
                return file.write(text.encode("utf-8", "replace"))

        writer = csv.writer(Text())
        writer.writerow(names)
        for row in rows:
            writer.writerow([_plain(value) for value in row])
            count += 1
    return count


def _plain(value: Any) -> Any:
    """A cell that a spreadsheet does not take for a formula."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value


def _write_parquet(out: Path, names: Sequence[str], rows: Iterator[list[Any]]) -> int:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as exc:
        raise ConfigError("Parquet needs pyarrow: pip install 'clinic-sim[parquet]', or export to .csv") from exc
    schema = pa.schema([(name, _type(pa, name)) for name in names])
    count = 0
    with replacing(out) as file, pq.ParquetWriter(file, schema) as writer:
        for chunk in _chunks(rows):
            columns = zip(*chunk, strict=True)
            arrays = [pa.array(list(c), type=f.type) for c, f in zip(columns, schema, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            count += len(chunk)
    return count


_REALS = frozenset({"total", "safety", "money", "coverage", "model_cost", "points", "value"})
_WORDS = frozenset(
    {
        "key",
        "status",
        "failure",
        "doctor",
        "roles",
        "persona",
        "case",
        *_ABOUT,
        "unscored",
        "ended",
        "dimension",
        "criterion",
        "evidence",
        "reason",
        "type",
        "text",
        "details",
    }
)


def _type(pa: Any, name: str) -> Any:
    """The column's type, the same for every run, so that tables of several runs go together."""
    if name in _WORDS:
        return pa.string()
    if name in _REALS or name.startswith("dimension_"):
        return pa.float64()
    return pa.bool_() if name == "concluded" else pa.int64()


def _chunks(rows: Iterator[list[Any]]) -> Iterator[list[list[Any]]]:
    chunk: list[list[Any]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
