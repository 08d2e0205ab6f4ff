"""`RunStore`: what a run leaves on disk: `runs/<id>/` with `manifest.json` and an append-only `episodes.jsonl`.

One line is one finished episode with its scorecard, written whole and synced. Nothing in a line depends on the clock or
the machine, so the same plan gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clinic_sim.errors import StoreError
from clinic_sim.sweeps.runner import Outcome

LINE_SCHEMA = 1


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
        digest = hashlib.sha256(canonical(self.plan).encode()).hexdigest()[:12]
        self.run_id = f"{self.plan.get('doctor', 'run')}-{digest}"
        self.folder = root / self.run_id
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _write_whole(self.folder / "manifest.json", json.dumps(self.plan, indent=1, ensure_ascii=False) + "\n")
            # The same plan gives the same bytes, so a re-run replaces its own earlier result.
            self._file = (self.folder / "episodes.jsonl.part").open("wb")
        except OSError as exc:
            raise StoreError(f"{self.folder}: cannot be written: {exc.strerror}; choose another --out") from exc

    def add(self, outcome: Outcome) -> None:
        """Append one finished episode; it is on disk when this returns."""
        self._file.write(line_of(outcome))
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> Path:
        """Finish the run; returns the path of its episodes."""
        self._file.close()
        final = self.folder / "episodes.jsonl"
        os.replace(self.folder / "episodes.jsonl.part", final)
        return final

    def __enter__(self) -> RunStore:
        return self

    def __exit__(self, *exc: object) -> None:
        if not self._file.closed:
            self._file.close()


def line_of(outcome: Outcome) -> bytes:
    """One episode as its line."""
    data = {
        "schema": LINE_SCHEMA,
        "doctor": outcome.doctor,
        "failure": outcome.failure,
        "scorecard": outcome.scorecard.to_dict(),
        "episode": outcome.episode.to_dict(),
    }
    return canonical(data).encode("utf-8") + b"\n"


def canonical(data: Any) -> str:
    """JSON with sorted keys and no spare spaces: the same data is the same text."""
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _write_whole(path: Path, text: str) -> None:
    """Write a small file at once: a reader sees the old one or the new one."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, "utf-8")
    os.replace(part, path)
