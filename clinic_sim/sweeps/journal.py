"""Journals: what an episode in flight has been told, so that a killed run goes on without asking again.

`journal/<key>.jsonl` holds one line a reply, written before the reply is used, and the transcript before a model judges
it. When the episode stands in the store its calls move to the run's `calls.jsonl` and the journal goes. A torn last
line is ignored: that reply is asked for again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Any

from clinic_sim.errors import StoreError
from clinic_sim.models.tape import Tape, reply_of
from clinic_sim.sweeps.lines import encoded

FOLDER = "journal"
_GONE = frozenset({"ProviderError", "RateLimited", "ProviderTimeout", "Unavailable", "Rejected"})
"""Failures of a server, not of an answer: when the run goes on, it is asked again."""


class Journal:
    """What was said in one episode so far.

    Args:
        path: Its file; None to keep nothing.
        source: What another run recorded of the episode, to be replayed; None to go on with the file's own.
        only_replay: Nothing but `source` is played; a call that it lacks is an error.

    Raises:
        StoreError: the file cannot be read, or holds something else.
    """

    def __init__(
        self,
        path: Path | None,
        source: list[dict[str, Any]] | None = None,
        *,
        only_replay: bool = False,
    ) -> None:
        self._path = path
        self._file: FileIO | None = None
        self._only_replay = only_replay
        self._calls = source
        self.transcript: dict[str, Any] | None = None
        """The episode as it stood before it was judged; None where it had not come that far."""
        if source is None:
            self._calls = self._read() if path is not None else []

    @property
    def calls(self) -> int:
        """How many replies are on record."""
        return len(self._calls or ())

    def tape(self) -> Tape:
        """The episode's tape: replies on record, then new ones, which are kept."""
        sink = self._keep if self._path is not None else None
        return Tape(self._calls or (), sink, only_replay=self._only_replay)

    def keep_transcript(self, data: Mapping[str, Any]) -> None:
        """Keep the played episode, before a model is asked about it."""
        if self._path is not None:
            self._keep({"transcript": dict(data)})

    def close(self) -> None:
        """Close the file, and leave it: the episode is owed still."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None

    def _keep(self, entry: dict[str, Any]) -> None:
        assert self._path is not None  # noqa: S101 - only a journal with a file keeps anything
        try:
            if self._file is None:
                self._file = _opened(self._path)
            _write(self._file, encoded(entry) + b"\n")
        except OSError as exc:
            raise StoreError(f"{self._path}: cannot be written: {exc.strerror or exc}; make room, and go on") from exc

    def _read(self) -> list[dict[str, Any]]:
        assert self._path is not None  # noqa: S101
        if not self._path.exists():
            return []
        found: list[dict[str, Any]] = []
        whole = 0
        for line, end in whole_lines(self._path):
            try:
                entry = json.loads(line)
                if "transcript" in entry:
                    self.transcript = entry["transcript"]
                else:
                    reply_of(entry)
                    found.append({k: entry[k] for k in ("role", "n", "key", "reply", "error") if k in entry})
            except (ValueError, KeyError, TypeError):
                break  # what a crash of the machine left; all after it is asked for again
            whole = end
        with suppress(OSError):
            if whole < self._path.stat().st_size:
                with self._path.open("r+b") as file:
                    file.truncate(whole)  # a new line must not begin behind half of an old one
        gone = {(e["role"], e["n"]) for e in found if e.get("error", {}).get("type") in _GONE}
        # Where the same call was made again after an outage, the later entry counts.
        return [e for e in found if (e["role"], e["n"]) not in gone or "reply" in e or e["error"]["type"] not in _GONE]


def _opened(path: Path) -> FileIO:
    try:
        return FileIO(path, "ab")
    except FileNotFoundError:  # the first journal of a run
        path.parent.mkdir(parents=True, exist_ok=True)
        return FileIO(path, "ab")


def _write(file: FileIO, data: bytes) -> None:
    while data:
        data = data[file.write(data) :]  # a full disk takes part of a line, and then refuses


def whole_lines(path: Path) -> Iterator[tuple[bytes, int]]:
    """Each whole line of a file with the offset of its end.

    Raises:
        StoreError: it cannot be read.
    """
    end = 0
    try:
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    return
                end += len(line)
                yield line, end
    except OSError as exc:
        raise StoreError(f"{path}: cannot be read: {exc.strerror or exc}") from exc
