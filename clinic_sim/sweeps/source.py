"""`SourceRun`: a run that is read, not written: its finished episodes by key, its failures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clinic_sim.errors import StoreError
from clinic_sim.sweeps import index
from clinic_sim.sweeps.journal import whole_lines
from clinic_sim.sweeps.lines import decoded, key_of
from clinic_sim.sweeps.store import EPISODES, FAILURES


class SourceRun:
    """One run's folder, open for reading.

    Raises:
        StoreError: it has no index, or cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.places: dict[str, tuple[int, int]] = {}
        """Key to offset and length of the line."""
        if (folder / EPISODES).exists() and not (folder / index.FILE).exists():
            raise StoreError(f"{folder}: its {index.FILE} is lost; `clinic-sim resume {folder}` makes it again")
        if (folder / index.FILE).exists():
            for row in index.read(folder):
                self.places[row["key"]] = row["offset"], row["length"]

    def raw(self, key: str) -> bytes:
        """The line of a finished episode."""
        offset, length = self.places[key]
        path = self.folder / EPISODES
        try:
            with path.open("rb") as file:
                file.seek(offset)
                line = file.read(length)
        except OSError as exc:
            raise StoreError(f"{path}: cannot be read: {exc.strerror or exc}") from exc
        if key_of(line) != key:
            raise StoreError(f"{path}: holds another episode than its index says; `clinic-sim resume` mends the index")
        return line

    def line(self, key: str) -> dict[str, Any]:
        """The data of a finished episode."""
        found: dict[str, Any] = decoded(self.raw(key))
        return found

    def failures(self) -> Iterator[dict[str, Any]]:
        """The latest failure of each episode that is not finished."""
        path = self.folder / FAILURES
        latest: dict[str, dict[str, Any]] = {}
        for line, _ in whole_lines(path) if path.exists() else ():
            key = key_of(line)
            if key is not None and key not in self.places:
                latest[key] = decoded(line)
        yield from latest.values()
