"""A rubric as a YAML file that a person edits: short where nothing is said, a heading for each dimension."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from clinic_sim.errors import RubricError
from clinic_sim.judge.rubric import GRADES, SAFETY, Criterion, Rubric

_WIDTH = 118
_FIRST = ("id", "dimension", "check", "generate", "target", "points")
_LAST = ("source", "why")


def dump_rubric(rubric: Rubric, *comments: str) -> str:
    """YAML text that `load_rubric` reads back unchanged."""
    lines = [f"# {line}".rstrip() for comment in comments for line in comment.splitlines()]
    lines += _block({"schema_version": rubric.schema_version, "name": rubric.name, "title": rubric.title})
    lines += ["", "dimensions:"]
    for name, dimension in rubric.dimensions.items():
        data = dimension.model_dump(exclude_defaults=True)
        lines.append(f"  {_flow(name)}: {_flow(_plain(data))}")
    for name in ("alternatives", "caps"):
        several = _plain(rubric.model_dump(mode="json")).get(name, [])
        if several:
            lines += ["", f"{name}:", *(f"  - {_flow(item)}" for item in several)]
    rest: dict[str, Any] = {}
    if dict(rubric.grades) != dict(GRADES):
        rest["grades"] = _plain(dict(rubric.grades))
    if rubric.penalty_per_point != Rubric.model_fields["penalty_per_point"].default:
        rest["penalty_per_point"] = rubric.penalty_per_point
    if rest:
        lines += ["", *_block(rest)]
    lines += ["", "criteria:"]
    before = ""
    for criterion in rubric.criteria:
        if criterion.dimension != before:
            before = criterion.dimension
            dimension_ = rubric.dimensions.get(before)
            title = "Safety" if before == SAFETY else (dimension_.title if dimension_ else "") or before
            lines += ["", f"  # {' '.join(title.split())}"]
        lines += _item(criterion)
    return "\n".join(lines) + "\n"


def write_rubric(path: Path, text: str, *, force: bool = False) -> None:
    """Write the whole file or nothing.

    Raises:
        RubricError: it exists and `force` is not given, or it cannot be written.
    """
    if path.exists() and not force:
        raise RubricError(f"{path}: exists; move it away, or give --force to replace it")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:60]}.")
    except OSError as exc:
        raise RubricError(f"{path}: cannot be written: {exc.strerror or exc}") from exc
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError as exc:
        with suppress(OSError):
            Path(name).unlink()
        raise RubricError(f"{path}: cannot be written: {exc.strerror or exc}") from exc


def _item(criterion: Criterion) -> Iterator[str]:
    data = _plain(criterion.model_dump(mode="json", exclude_defaults=True)) | {"points": _number(criterion.points)}
    keys = [k for k in _FIRST if k in data] + [k for k in data if k not in (*_FIRST, *_LAST)]
    keys += [k for k in _LAST if k in data]
    body = _block({k: data[k] for k in keys})
    yield f"  - {body[0]}"
    yield from (f"    {line}" for line in body[1:])


def _block(data: dict[str, Any]) -> list[str]:
    """A mapping in lines, its inner values in flow style where they are short."""
    return str(yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=_WIDTH - 4)).rstrip("\n").split("\n")


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, allow_unicode=True, sort_keys=False, default_flow_style=True, width=1_000_000)
    return str(text).removesuffix("\n").removesuffix("...").rstrip("\n")


def _plain(value: Any) -> Any:
    """Lists for tuples and whole numbers as such."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return _number(value)


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value
