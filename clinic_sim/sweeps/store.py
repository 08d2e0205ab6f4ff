"""`RunStore`: what a run leaves on disk: `runs/<id>/` with `manifest.json` and an append-only `episodes.jsonl`.

One line is one finished episode with its scorecard, written whole and synced. Nothing in a line depends on the clock or
the machine, so the same plan gives the same bytes. Every writer has a part file of its own in the run's folder, so that
two processes with one plan never share one; the last to finish replaces the same bytes with the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from clinic_sim.errors import StoreError
from clinic_sim.sweeps.runner import Outcome

LINE_SCHEMA = 1
_UNFIT = re.compile(r"[^A-Za-z0-9._]+")


class RunStore:
    """One run directory, open for writing.

    Args:
        root: The folder of all runs.
        plan: What determines the run, as JSON data; its hash is part of the run's name.

    Raises:
        StoreError: the folder cannot be written.
    """

    def __init__(self, root: Path, plan: Mapping[str, Any]) -> None:
        self.plan = dict(plan)
        self._lines: list[tuple[int, int, int]] = []
        """Place in the plan, offset and length of each line of the part file."""
        self._end = 0
        digest = hashlib.sha256(canonical(self.plan).encode()).hexdigest()[:12]
        # A model's name may hold slashes, a path or an address; the hash tells runs apart, the name is for people.
        who = _UNFIT.sub("-", str(self.plan.get("doctor", "run")).partition("?")[0]).strip("-.")[-60:]
        self.run_id = f"{who or 'run'}-{digest}"
        self.folder = root / self.run_id
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _write_whole(self.folder / "manifest.json", json.dumps(self.plan, indent=1, ensure_ascii=False) + "\n")
            self._part, self._file = new_part(self.folder / "episodes.jsonl")
        except OSError as exc:
            raise self._unwritable(exc) from exc

    def add(self, outcome: Outcome, at: int | None = None) -> None:
        """Append one finished episode; it is on disk when this returns.

        Args:
            at: Its place in the plan; episodes that end out of order stand in the plan's order in the end.

        Raises:
            StoreError: it cannot be written, as on a full disk.
        """
        line = line_of(outcome)
        try:
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as exc:
            raise self._unwritable(exc) from exc
        self._lines.append((len(self._lines) if at is None else at, self._end, len(line)))
        self._end += len(line)

    @property
    def finished(self) -> int:
        """How many episodes are on disk."""
        return len(self._lines)

    @property
    def part(self) -> Path:
        """Where they are until the run is closed."""
        return self._part

    def close(self) -> Path:
        """Finish the run; returns the path of its episodes.

        Raises:
            StoreError: the result cannot be put in place, as when its folder was removed meanwhile.
        """
        final = self.folder / "episodes.jsonl"
        try:
            self._file.close()
            self._put_in_order()
            os.replace(self._part, final)
        except OSError as exc:
            raise self._unwritable(exc) from exc
        return final

    def _put_in_order(self) -> None:
        """Rewrite the part file in the plan's order, where episodes ended in another."""
        wanted = sorted(self._lines)
        if wanted == self._lines:
            return
        part, file = new_part(self.folder / "episodes.jsonl")
        with file, self._part.open("rb") as source:
            for _, offset, length in wanted:
                source.seek(offset)
                file.write(source.read(length))
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, self._part)

    def __enter__(self) -> RunStore:
        return self

    def __exit__(self, *exc: object) -> None:
        # A run that was closed has renamed its part file; whatever is still there belongs to one that was aborted.
        with suppress(OSError):
            self._file.close()
        if not self._lines:
            with suppress(OSError):
                self._part.unlink()

    def _unwritable(self, exc: OSError) -> StoreError:
        return StoreError(f"{self.folder}: cannot be written: {exc.strerror or exc}; choose another --out")


def line_of(outcome: Outcome) -> bytes:
    """One episode as its line."""
    data = {
        "schema": LINE_SCHEMA,
        "doctor": outcome.doctor,
        "failure": outcome.failure,
        "models": dict(outcome.models),
        "usage": dict(outcome.usage),
        "scorecard": outcome.scorecard.to_dict(),
        "episode": outcome.episode.to_dict(),
    }
    return canonical(data).encode("utf-8") + b"\n"


def canonical(data: Any) -> str:
    """JSON with sorted keys and no spare spaces: the same data is the same text."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _write_whole(path: Path, text: str) -> None:
    """Write a small file at once: a reader sees the old one or the new one."""
    part, file = new_part(path)
    try:
        with file:
            file.write(text.encode("utf-8"))
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def new_part(path: Path) -> tuple[Path, BinaryIO]:
    """A new file beside `path` that no other process has, readable as the umask says (`mkstemp` makes it private)."""
    while True:
        part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        try:
            return part, part.open("xb")
        except FileExistsError:
            continue
