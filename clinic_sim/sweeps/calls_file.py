"""`calls.jsonl`: every model's reply of a run, one line a call: `{"episode": key, "role": ..., "n": ..., ...}`.

Episodes are added whole when they are finished; at the end they stand in the plan's order, so that the same replies are
the same bytes. A run can be played again from it without a model.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from clinic_sim.errors import StoreError
from clinic_sim.models.tape import reply_of
from clinic_sim.sweeps.files import copy_pieces, replacing
from clinic_sim.sweeps.journal import whole_lines
from clinic_sim.sweeps.lines import decoded, encoded

FILE = "calls.jsonl"


def append_calls(folder: Path, key: str, journal: Path) -> None:
    """Add a finished episode's calls, in the order of roles and numbers; OSError where they cannot be written."""
    if not journal.exists():
        return
    calls: dict[tuple[str, int], dict[str, Any]] = {}
    for line, _ in whole_lines(journal):
        try:
            entry = json.loads(line)
        except ValueError:
            break  # what a crash of the machine left
        if "role" in entry:
            calls[entry["role"], entry["n"]] = entry  # a call that was made again after an outage counts once
    if calls:
        with (folder / FILE).open("a+b") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    file.write(b"\n")  # a full disk, or a kill, left half a line: ours must not begin behind it
            file.write(b"".join(encoded({"episode": key, **calls[at]}) + b"\n" for at in sorted(calls)))


def order_calls(folder: Path, places: Mapping[str, int]) -> None:
    """Put the recording in the plan's order; an episode that stands there twice (its process was killed between two
    files) is kept once."""
    path = folder / FILE
    if not path.exists():
        return
    blocks: dict[str, tuple[int, int, int]] = {}
    before: tuple[str, tuple[str, int]] | None = None
    end = 0
    for line, stop in whole_lines(path):
        try:
            entry = decoded(line)
            episode, call = entry["episode"], (entry["role"], entry["n"])
        except (ValueError, KeyError, TypeError):
            before, end = None, stop  # torn: its episode was added again, whole
            continue
        # Calls of an episode are added in order, all at once: where the order breaks they are added again.
        if before is None or episode != before[0] or call <= before[1]:
            blocks[episode] = (places.get(episode, len(places)), end, 0)
        at, start, _ = blocks[episode]
        blocks[episode] = (at, start, stop - start)
        before, end = (episode, call), stop
    wanted = sorted(block for episode, block in blocks.items() if episode in places)
    starts = [start for _, start, _ in wanted]
    if starts == sorted(starts) and sum(length for *_, length in wanted) == path.stat().st_size:
        return
    with replacing(path) as target:
        copy_pieces(path, ((start, length) for _, start, length in wanted), target)


def read_calls(source: Path) -> dict[str, list[dict[str, Any]]]:
    """The recorded calls of a run by episode, to be replayed.

    Args:
        source: A run's folder, or its `calls.jsonl`.

    Raises:
        StoreError: there is no recording, or it cannot be read.
    """
    path = source / FILE if source.is_dir() else source
    if not path.is_file():
        raise StoreError(f"{path}: cannot be read: --replay takes the folder of a run that used models")
    found: dict[str, list[dict[str, Any]]] = {}
    for number, entry in _entries(path):
        try:
            reply_of(entry)
            kept = {k: entry[k] for k in ("role", "n", "key")}
            kept |= {k: entry[k] for k in ("reply", "error") if k in entry}
            found.setdefault(entry["episode"], []).append(kept)
        except (KeyError, TypeError) as exc:
            raise StoreError(f"{path}:{number}: is no recorded call: {type(exc).__name__}: {exc}") from exc
    if not found:
        raise StoreError(f"{path}: holds no recorded call")
    return found


def _entries(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, (line, _) in enumerate(whole_lines(path), 1):
        try:
            yield number, json.loads(line)
        except ValueError as exc:
            raise StoreError(f"{path}:{number}: is no recorded call: {exc}") from exc
