"""`RunStore`: one run's folder: what determines the run, its finished episodes, its failures. One writer at a time.

    plan.yaml        the plan, resolved and runnable again
    manifest.json    what determines the run: cases, rubric, code, models by their hashes and settings
    episodes.jsonl   append-only: one line a finished episode, its key written once
    index.jsonl      one short row a line of it, for statistics and for going on; made again where it is lost
    failures.jsonl   one line a failed attempt
    calls.jsonl      every model's reply, episode by episode
    journal/         what episodes in flight have been told

A killed process loses nothing but the half-written last line, which is cut off and owed again. When all is played the
lines are put in the plan's order, so that an undisturbed run, a resumed one and one of many workers are the same bytes.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock, Timeout

from clinic_sim.errors import StoreError
from clinic_sim.sweeps import index, manifest
from clinic_sim.sweeps.calls_file import append_calls, order_calls
from clinic_sim.sweeps.files import copy_pieces, remove_parts, replacing, write_whole
from clinic_sim.sweeps.index import Place, Rows
from clinic_sim.sweeps.journal import FOLDER, whole_lines
from clinic_sim.sweeps.lines import decoded, key_of, line_of

EPISODES, FAILURES, PLAN = "episodes.jsonl", "failures.jsonl", "plan.yaml"
_LOCK = ".lock"
_SYNC_S = 0.2
"""A machine that loses power loses at most this much; a killed process loses nothing of what was written."""


class RunStore:
    """One run's folder, open for writing.

    Args:
        folder: The run's own folder; made where there is none.
        about: What determines the run: its manifest.
        plan: Its plan as YAML.
        rows: Makes index rows, where they are lost.
        accept_code: Go on although the run was begun by other code, as `resume --other-code` asks.

    Raises:
        StoreError: another process writes to it, it belongs to another plan, or it cannot be read or written.
    """

    def __init__(
        self, folder: Path, about: Mapping[str, Any], plan: str, rows: Rows, *, accept_code: bool = False
    ) -> None:
        self.folder = folder
        self.places: dict[str, Place] = {}
        """Finished episodes: key to where its line stands."""
        self.failed: dict[str, dict[str, Any]] = {}
        """Key to its latest failure, of those that are not finished."""
        self.spent = 0.0
        """US dollars of what is finished, or failed for good, when the run was opened; as far as known."""
        self._end = self._row_end = 0
        self._synced = 0.0
        self._failures: BinaryIO | None = None
        with ExitStack() as stack:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                stack.enter_context(FileLock(folder / _LOCK, timeout=0))
                remove_parts(folder)
                manifest.check_same(folder, about, accept_code=accept_code)
                write_whole(folder / manifest.FILE, json.dumps(about, indent=1, ensure_ascii=False) + "\n")
                write_whole(folder / PLAN, plan)
                self._read(rows)
                self._episodes = stack.enter_context((folder / EPISODES).open("ab"))
                self._index = stack.enter_context((folder / index.FILE).open("ab"))
            except Timeout as exc:
                raise StoreError(
                    f"{folder}: another process writes to this run; wait for it, or stop it and go on with "
                    f"`clinic-sim resume {folder}`"
                ) from exc
            except OSError as exc:
                raise self._unwritable(exc) from exc
            stack.callback(self._close_failures)
            self._stack = stack.pop_all()

    def add(self, key: str, at: int, line: bytes, row: Mapping[str, Any]) -> None:
        """Append one finished episode; a killed process does not lose it any more.

        Args:
            key: Its key.
            at: Its place in the plan.
            line: Its line, as `lines.line_of` makes it.
            row: Its index row.

        Raises:
            StoreError: its key is there already, or it cannot be written, as on a full disk.
        """
        if key in self.places:
            raise StoreError(f"{self.folder}: episode {key} is written a second time")
        text = index.row_line(row, self._end, len(line))
        try:
            self._episodes.write(line)
            self._episodes.flush()
            self._index.write(text)
            self._index.flush()
            now = time.monotonic()
            if now - self._synced >= _SYNC_S:
                os.fsync(self._episodes.fileno())
                self._synced = now
        except OSError as exc:
            raise self._unwritable(exc) from exc
        self.places[key] = Place(at, self._end, len(line), self._row_end, len(text))
        self._end += len(line)
        self._row_end += len(text)
        self.failed.pop(key, None)

    def fail(self, key: str, record: Mapping[str, Any]) -> None:
        """Keep one failed attempt.

        Raises:
            StoreError: it cannot be written.
        """
        try:
            if self._failures is None:
                self._failures = (self.folder / FAILURES).open("ab")
            self._failures.write(line_of(key, record))
            self._failures.flush()
        except OSError as exc:
            raise self._unwritable(exc) from exc
        self.failed[key] = brief_failure(record)

    def settle(self, key: str, *, record: bool) -> None:
        """An episode is finished: its journal becomes part of the run's recording, or goes.

        Raises:
            StoreError: the recording cannot be written.
        """
        journal = self.folder / FOLDER / f"{key}.jsonl"
        try:
            if record:
                append_calls(self.folder, key, journal)
            journal.unlink(missing_ok=True)
        except OSError as exc:
            raise self._unwritable(exc) from exc

    def settle_finished(self, *, record: bool) -> None:
        """Settle the journals of episodes after which the process was killed at once.

        Raises:
            StoreError: the recording cannot be written.
        """
        for journal in sorted((self.folder / FOLDER).glob("*.jsonl")):
            if journal.stem in self.places:
                self.settle(journal.stem, record=record)

    def line(self, key: str) -> dict[str, Any]:
        """The data of one finished episode."""
        place = self.places[key]
        with (self.folder / EPISODES).open("rb") as file:
            file.seek(place.offset)
            found: dict[str, Any] = decoded(file.read(place.length))
            return found

    def close(self) -> Path:
        """Put what is finished in the plan's order and give the folder free; returns the path of the episodes.

        Raises:
            StoreError: it cannot be written, or was removed meanwhile.
        """
        path = self.folder / EPISODES
        try:
            self._episodes.flush()
            os.fsync(self._episodes.fileno())
            ordered = sorted(self.places.values())
            offsets = [place.offset for place in ordered]
            # What stands between the lines was torn, and is owed or was played again.
            if offsets != sorted(offsets) or sum(p.length for p in ordered) != (self.folder / EPISODES).stat().st_size:
                self._put_in_order(ordered)
            order_calls(self.folder, {key: place.at for key, place in self.places.items()})
            with suppress(OSError):
                (self.folder / FOLDER).rmdir()  # empty where nothing is owed
        except OSError as exc:
            raise self._unwritable(exc) from exc
        finally:
            self._stack.close()
        return path

    def __enter__(self) -> RunStore:
        return self

    def __exit__(self, *exc: object) -> None:
        with suppress(OSError):
            self._stack.close()

    def _put_in_order(self, ordered: list[Place]) -> None:
        """Rewrite episodes and index in the plan's order. Killed between the two, the index no longer fits the episodes
        and is made again."""
        path = self.folder / EPISODES
        with replacing(path) as target:
            copy_pieces(path, ((p.offset, p.length) for p in ordered), target)
        self._index.flush()
        index.rewrite(self.folder, ordered)

    def _read(self, rows: Rows) -> None:
        """What is there: cut off what is torn, complete the index, sum up."""
        path = self.folder / EPISODES
        if path.exists():
            found, self._end = index.load(self.folder, rows)
            for key, (place, cost) in found.items():
                self.places[key] = place
                self.spent += cost
            if self._end < path.stat().st_size:
                os.truncate(path, self._end)
            last = max(self.places.values(), key=lambda p: p.row_offset, default=None)
            self._row_end = last.row_offset + last.row_length if last else 0
        failures = self.folder / FAILURES
        if failures.exists():
            whole = 0
            for line, end in whole_lines(failures):
                whole = end
                key, failure = failure_of(line)
                if not key:
                    continue
                if not failure["resumable"]:  # else its replies are in the journal, and counted when it goes on
                    self.spent += failure["cost"] or 0.0
                if key not in self.places:
                    self.failed[key] = failure
            if whole < failures.stat().st_size:
                os.truncate(failures, whole)

    def _close_failures(self) -> None:
        if self._failures is not None:
            self._failures.close()

    def _unwritable(self, exc: OSError) -> StoreError:
        return StoreError(
            f"{self.folder}: cannot be written: {exc.strerror or exc}; make room, or choose another --out"
        )


def brief_failure(record: Mapping[str, Any]) -> dict[str, Any]:
    """What tables need of a failure."""
    return {k: record[k] for k in ("at", "kind", "stage", "message", "cost", "resumable")}


def failure_of(line: bytes) -> tuple[str, dict[str, Any]]:
    """Key and brief failure of a whole line of `failures.jsonl`; an empty key where it holds something else."""
    try:
        return key_of(line) or "", brief_failure(decoded(line))
    except (ValueError, KeyError, TypeError):
        return "", {}
