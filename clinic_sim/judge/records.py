"""Records of JSON files with the line each begins at: JSON Lines, one object, or a list of objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clinic_sim.errors import ConfigError

MOST_BYTES = 512_000_000
LONGEST_LINE = 8_000_000
"""Bytes of one record; a rubric has some tens of thousands."""
_SUFFIXES = {".json", ".jsonl", ".ndjson"}


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a file, or why it is none."""

    where: str
    """`file:line`."""
    data: Any
    problem: str = ""


def read_records(source: Path) -> Iterator[Record]:
    """Every record of a file, or of all JSON files of a folder by name.

    Raises:
        ConfigError: the source is missing, empty, too large or no text.
    """
    files = [source]
    if source.is_dir():
        files = sorted(p for p in source.iterdir() if p.suffix in _SUFFIXES and p.is_file())
        if not files:
            raise ConfigError(f"{source}: holds no .json or .jsonl files")
    for file in files:
        try:
            yield from _records(file)
        except ConfigError as exc:
            if file is source:
                raise
            # One file of a folder that cannot be read is a record that failed, as one line of a file is.
            yield Record(str(file), None, str(exc).removeprefix(f"{file}:").strip())


def _records(file: Path) -> Iterator[Record]:
    try:
        if not file.is_file():
            raise ConfigError(f"{file}: is no file")
        size = file.stat().st_size
        if size > MOST_BYTES:
            raise ConfigError(f"{file}: {size} bytes; at most {MOST_BYTES} are read")
        raw = file.read_bytes()
    except OSError as exc:
        raise ConfigError(f"{file}: cannot be read: {exc.strerror or exc}") from exc
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = raw[: exc.start].count(b"\n") + 1
        raise ConfigError(f"{file}:{line}: is not UTF-8 text; save it as UTF-8") from exc
    if not text.strip():
        raise ConfigError(f"{file}: is empty")
    whole = _whole(text)
    if isinstance(whole, Record):
        if file.suffix == ".json":
            yield Record(f"{file}:{whole.where}", None, whole.problem)
        else:
            yield from _lines(file, text)
    elif isinstance(whole, dict):
        yield Record(f"{file}:{_line(text, 0)}", whole)
    elif isinstance(whole, list):
        yield from _items(file, text)
    else:
        yield from _lines(file, text)


def _whole(text: str) -> Any:
    """The file as one JSON value; a record of the problem where it is not."""
    try:
        return json.loads(text)
    except RecursionError:
        return Record("1", None, "nests too deep")
    except json.JSONDecodeError as exc:
        return Record(str(exc.lineno), None, f"is not JSON: {exc.msg}, column {exc.colno}")
    except ValueError as exc:
        return Record("1", None, f"is not JSON: {str(exc)[:200]}")


def _lines(file: Path, text: str) -> Iterator[Record]:
    for n, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        where = f"{file}:{n}"
        if len(line) > LONGEST_LINE:
            yield Record(where, None, f"{len(line)} characters in one line; a record has at most {LONGEST_LINE}")
            continue
        try:
            yield Record(where, json.loads(line))
        except RecursionError:
            yield Record(where, None, "nests too deep")
        except ValueError as exc:
            told = f"{exc.msg}, column {exc.colno}" if isinstance(exc, json.JSONDecodeError) else str(exc)[:200]
            yield Record(where, None, f"is not JSON: {told}")


def _items(file: Path, text: str) -> Iterator[Record]:
    """The items of a list, each with its line. The text is valid JSON as a whole."""
    decoder = json.JSONDecoder()
    at = text.index("[") + 1
    while True:
        at = _past(text, at, " \t\r\n,")
        if text[at] == "]":
            return
        data, end = decoder.raw_decode(text, at)
        yield Record(f"{file}:{_line(text, at)}", data)
        at = end


def _past(text: str, at: int, skipped: str) -> int:
    while text[at] in skipped:
        at += 1
    return at


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, _past(text, at, " \t\r\n")) + 1
