"""`index.jsonl`: where each episode's line stands and what statistics need of it, so that nobody reads transcripts.

It follows from `episodes.jsonl`: where it is lost, behind or of another file, it is made again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from clinic_sim.errors import StoreError
from clinic_sim.sweeps.files import replacing
from clinic_sim.sweeps.journal import whole_lines
from clinic_sim.sweeps.lines import KEY_START, decoded, encoded, key_of

FILE = "index.jsonl"

Rows = Callable[[str, Mapping[str, Any]], dict[str, Any]]
"""Makes the row of an episode from its key and its line's data."""


class Place(NamedTuple):
    """Where an episode stands; sorts in the plan's order."""

    at: int
    """Place in the plan."""
    offset: int
    length: int
    row_offset: int
    row_length: int


def row_line(row: Mapping[str, Any], offset: int, length: int) -> bytes:
    """A row as a line: the episode's columns and where its line stands."""
    return encoded({**row, "offset": offset, "length": length}) + b"\n"


def load(folder: Path, rows: Rows) -> tuple[dict[str, tuple[Place, float]], int]:
    """Every finished episode of a run: key to place and dollars; and where the whole lines end.

    The index is completed on the way. A line that is torn or no episode is left out: it is owed again.

    Raises:
        StoreError: a file cannot be read or written.
    """
    episodes = folder / "episodes.jsonl"
    path = folder / FILE
    with episodes.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        found, end, row_end = _known(path, file, size)
    if path.exists() and path.stat().st_size > row_end:
        os.truncate(path, row_end)
    whole = end
    if end < size:
        with path.open("ab") as index:
            for key, line, start in _tail(episodes, end):
                whole = start + len(line)
                if key is None or key in found:
                    continue
                try:
                    row = rows(key, decoded(line))
                except (ValueError, KeyError, TypeError, IndexError):
                    continue
                text = row_line(row, start, len(line))
                index.write(text)
                found[key] = Place(row["at"], start, len(line), row_end, len(text)), row["cost"] or 0.0
                row_end += len(text)
    return found, whole


def rewrite(folder: Path, ordered: list[Place]) -> None:
    """Put the index in the given order, as the episodes are in: streamed, a row at a time."""
    path = folder / FILE
    with path.open("rb") as source, replacing(path) as target:
        offset = 0
        for place in ordered:
            source.seek(place.row_offset)
            row = decoded(source.read(place.row_length))
            row["offset"] = offset
            target.write(encoded(row) + b"\n")
            offset += place.length


def read(folder: Path) -> Iterator[dict[str, Any]]:
    """Every row, in the order of the file.

    Raises:
        StoreError: it cannot be read, or is no index.
    """
    path = folder / FILE
    for number, (line, _) in enumerate(whole_lines(path), 1):
        try:
            yield decoded(line)
        except ValueError as exc:
            raise StoreError(f"{path}:{number}: is no row: {exc}; remove the file, `resume` makes it again") from exc


def _known(path: Path, episodes: BinaryIO, size: int) -> tuple[dict[str, tuple[Place, float]], int, int]:
    """What the index says, as far as the episodes' file bears it out; and where both end."""
    found: dict[str, tuple[Place, float]] = {}
    end = row_end = 0
    if not path.exists():
        return found, 0, 0
    for line, stop in whole_lines(path):
        try:
            row = decoded(line)
            offset, length, cost = row["offset"], row["length"], row["cost"] or 0.0
            place = Place(row["at"], offset, length, row_end, stop - row_end)
            fits = isinstance(place.at, int) and isinstance(cost, float | int)
            fits = fits and row["key"] not in found and end <= offset and 0 < length <= size - offset
            fits = fits and _stands(episodes, row["key"], place) and not _holds_episode(episodes, end, offset)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            break
        if not fits:
            break  # the rows up to here are borne out; all after it are made again
        found[row["key"]] = place, cost
        end, row_end = offset + length, stop
    return found, end, row_end


def _stands(episodes: BinaryIO, key: str, place: Place) -> bool:
    """The episode's line is where its row says: the file was neither edited, nor put in order without its index."""
    head = KEY_START + key.encode("ascii") + b'"'
    episodes.seek(place.offset)
    if episodes.read(len(head)) != head:
        return False
    episodes.seek(place.offset + place.length - 2)
    return episodes.read(2) == b"}\n"


def _holds_episode(episodes: BinaryIO, start: int, end: int) -> bool:
    """Between two episodes that the index knows stands another: its row is lost. A torn line may stand there too."""
    if start < end:
        episodes.seek(start)
    while start < end:
        line = episodes.readline()
        if not line or key_of(line) is not None:
            return True
        start += len(line)
    return False


def _tail(path: Path, start: int) -> Iterator[tuple[str | None, bytes, int]]:
    """Key, line and offset of each whole line from an offset on."""
    with path.open("rb") as file:
        file.seek(start)
        for line in file:
            if not line.endswith(b"\n"):
                return
            yield key_of(line), line, start
            start += len(line)
