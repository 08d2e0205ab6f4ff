"""`Recording`: every model reply of a run in `calls.jsonl`, as it arrives, to be replayed to the same bytes.

One line is one call: `{"episode": ..., "role": ..., "n": ..., "key": ..., "reply": {...}}`. A line is written before
its reply is used, so what a killed run paid for is on disk; a torn last line is ignored.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import orjson

from clinic_sim.errors import StoreError
from clinic_sim.models.tape import Tape, reply_of
from clinic_sim.sweeps.store import new_part

FILE = "calls.jsonl"


class Recording:
    """The calls of one run: those on record, and a file for new ones.

    Args:
        source: A run's folder, or its `calls.jsonl`, to replay; None for none.
        target: The run's folder, where new calls are written into a part file until `publish`; None to write none.
        only_replay: Nothing but the record is played; a call that it lacks is an error.

    Raises:
        StoreError: a file cannot be read or written, or holds something else.
    """

    def __init__(self, source: Path | None, target: Path | None, *, only_replay: bool = False) -> None:
        self._entries: dict[str, list[dict[str, Any]]] = {}
        self._only_replay = only_replay
        self._file: BinaryIO | None = None
        self.target: Path | None = None
        if source is not None:
            self._read(_file_of(source))
        if target is not None:
            try:
                self.target, self._file = new_part(target / FILE)
            except OSError as exc:
                raise StoreError(f"{target}: cannot be written: {exc.strerror or exc}") from exc

    def tape(self, episode: str) -> Tape:
        """The tape of one episode."""

        def sink(entry: dict[str, Any]) -> None:
            assert self._file is not None  # noqa: S101 - a sink is only given where there is a file
            try:
                line = orjson.dumps({"episode": episode, **entry})
            except TypeError:  # half a surrogate pair, which a model may have written
                line = json.dumps({"episode": episode, **entry}, separators=(",", ":")).encode()
            try:
                self._file.write(line + b"\n")
                self._file.flush()
            except OSError as exc:
                raise StoreError(f"{self.target}: cannot be written: {exc.strerror or exc}") from exc

        entries = self._entries.get(episode, [])
        return Tape(entries, sink if self._file is not None else None, only_replay=self._only_replay)

    @property
    def holds_calls(self) -> bool:
        """New calls were written."""
        return self._file is not None and self._file.tell() > 0

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            empty = self._file.tell() == 0
            self._file.close()
            self._file = None
            if empty and self.target is not None:
                self.target.unlink(missing_ok=True)
                self.target = None

    def publish(self, path: Path) -> None:
        """The run is finished: put the calls in place, episode by episode in the order of roles and numbers.

        Raises:
            StoreError: they cannot be put in place.
        """
        if self._file is None:
            return
        self.close()
        if self.target is None:
            return  # nothing was called
        try:
            lines = self.target.read_bytes().splitlines(keepends=True)
            self.target.write_bytes(b"".join(sorted(lines)))
            os.replace(self.target, path)
        except OSError as exc:
            raise StoreError(f"{path}: cannot be written: {exc.strerror or exc}") from exc

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, path: Path) -> None:
        try:
            lines = path.read_bytes().split(b"\n")
        except OSError as exc:
            raise StoreError(
                f"{path}: cannot be read: {exc.strerror or exc}; --replay takes the folder of a run that used models"
            ) from exc
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                entry = json.loads(line)
                reply_of(entry)
                kept = {k: entry[k] for k in ("role", "n", "key")}
                kept |= {k: entry[k] for k in ("reply", "error") if k in entry}
                self._entries.setdefault(entry["episode"], []).append(kept)
            except (ValueError, KeyError, TypeError) as exc:
                if number == len(lines) and self._entries:
                    return  # the line that a killed process was writing
                raise StoreError(f"{path}:{number}: is no recorded call: {type(exc).__name__}: {exc}") from exc
        if not self._entries:
            raise StoreError(f"{path}: holds no recorded call")


def _file_of(source: Path) -> Path:
    """The recording that `--replay` means: a file, or that of a finished run's folder.

    Raises:
        StoreError: the run was killed, so that it left recordings in parts, of which one must be chosen.
    """
    if not source.is_dir():
        return source
    file = source / FILE
    parts = [] if file.exists() else sorted(p.name for p in source.glob(f"{FILE}.*.part"))
    if parts:
        raise StoreError(f"{source}: its run did not finish; replay what it left by its file: {', '.join(parts[:5])}")
    return file
