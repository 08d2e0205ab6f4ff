"""Reading a label file: JSON Lines or one JSON list, in a format that is named or told by its fields."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from clinic_sim.errors import ConfigError
from clinic_sim.judge.label_formats import FORMATS, READERS, Format
from clinic_sim.judge.labels import Label


def read_labels(path: Path, format_: str | None = None) -> tuple[Format, list[Label]]:
    """The labels of a JSON Lines file (or a JSON list), and the format that they are in.

    Args:
        path: The file.
        format_: Its format; by default told from the first record's fields.

    Raises:
        ConfigError: it cannot be read, holds no record, or a record lacks a field.
    """
    if format_ is not None and format_ not in FORMATS:
        raise ConfigError(f"--format {format_}: no such format of labels; give one of {', '.join(FORMATS)}")
    records = list(_records(path))
    if not records:
        raise ConfigError(f"{path}: no record in it; give one JSON object a line")
    known: Format = _format(path, records[0][1]) if format_ is None else next(f for f in FORMATS if f == format_)
    labels: list[Label] = []
    for position, (line, record) in enumerate(records):
        try:
            labels += READERS[known](record, position)
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            what = f"field {exc} is missing" if isinstance(exc, KeyError) else str(exc)
            raise ConfigError(f"{path}:{line}: not a record of `{known}` labels: {what}") from exc
    return known, labels


def _records(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as exc:
        raise ConfigError(f"{path}: cannot be read: {exc}") from exc
    if text.lstrip().startswith("["):
        try:
            rows = list(enumerate(json.loads(text), 1))
        except (ValueError, RecursionError) as exc:
            raise ConfigError(f"{path}: not JSON: {exc}") from exc
    else:
        rows = []
        # Not `splitlines`: a text may hold the Unicode line separators, which end no line of JSON.
        for line, row in enumerate(text.split("\n"), 1):
            if row.strip():
                try:
                    rows.append((line, json.loads(row)))
                except (ValueError, RecursionError) as exc:
                    raise ConfigError(f"{path}:{line}: not JSON: {exc}") from exc
    for line, record in rows:
        if not isinstance(record, dict):
            raise ConfigError(f"{path}:{line}: a record is a JSON object, this is {type(record).__name__}")
        yield line, record


def _format(path: Path, record: Mapping[str, Any]) -> Format:
    if "doctor_diagnosis" in record and "reference_diagnosis" in record:
        return "ai-hospital"
    if "completion" in record and ("rubric" in record or "rubrics" in record or "criterion" in record):
        return "healthbench"
    if "view" in record and ("grade" in record or "grades" in record):
        return "clinic"
    raise ConfigError(f"{path}: cannot tell its format by its fields; name it with --format ({', '.join(FORMATS)})")
