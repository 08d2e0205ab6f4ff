"""`RunTable`: a run as columns, read from its index: nothing that a report counts needs a transcript.

100,000 episodes take some tens of megabytes. Transcripts of single episodes are read by `RunTable.episode`.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clinic_sim.errors import StoreError
from clinic_sim.sweeps import index
from clinic_sim.sweeps.accounts import Accounts
from clinic_sim.sweeps.journal import whole_lines
from clinic_sim.sweeps.lines import decoded
from clinic_sim.sweeps.manifest import read_manifest
from clinic_sim.sweeps.store import EPISODES, FAILURES, failure_of

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_INTS = (
    "at",
    "offset",
    "length",
    "turns",
    "asks",
    "invalid",
    "minutes",
    "rejected",
    "basis",
    "basis_of",
    "after_last_new",
    "idle",
    "courtesy",
    "essential",
    "essential_of",
    "orders",
    "useful",
    "redundant",
    "harmful_orders",
    "harmful_treatments",
    "calls",
    "failed_calls",
    "tokens_in",
    "tokens_out",
    "unreported",
    "retried",
)
_FLOATS = ("total", "safety", "money", "coverage", "cost")
FACTORS = ("doctor", "roles", "persona", "case", "seed", "repeat")


@dataclass(frozen=True)
class Failure:
    """An episode that is planned, and failed."""

    key: str
    at: int
    kind: str
    stage: str
    message: str


@dataclass(frozen=True)
class RunTable:
    """One run as columns; row n of every column is the same episode."""

    folder: Path
    manifest: dict[str, Any]
    keys: list[str]
    ints: dict[str, Ints]
    """Counts; see `sweeps.rows` for each."""
    floats: dict[str, Floats]
    """`total`, `safety`, `money` (US dollars of orders), `coverage`, `cost` (US dollars of models); NaN where unscored
    or unknown."""
    dimensions: dict[str, Floats]
    """Score of each dimension, NaN where unscored."""
    ended: list[str]
    unscored: list[str]
    """Why an episode has no total; empty where it has one."""
    concluded: NDArray[np.bool_]
    curve: Floats
    """Points of all episodes, one behind the other: turn, US dollars, share of the evidence; shape (points, 3)."""
    curve_start: Ints
    """Where each episode's points begin; one more than there are episodes."""
    failures: tuple[Failure, ...] = field(default=())
    beside: tuple[tuple[tuple[str, str, str, str], ...], ...] = field(default=())
    """Of each episode: judged criterion, the check beside it, and the status of each."""
    judge_failed: tuple[str, ...] = field(default=())
    """How the judge failed each episode that is unscored for it; empty for the others."""

    @classmethod
    def read(cls, folder: Path) -> RunTable:
        """The table of a run's folder.

        Raises:
            StoreError: it is no run, or its index is lost (`resume` makes it again) or cannot be read.
        """
        manifest = read_manifest(folder)
        if (folder / EPISODES).exists() and not (folder / index.FILE).exists():
            raise StoreError(f"{folder}: its {index.FILE} is lost; `clinic-sim resume {folder}` makes it again")
        columns: dict[str, list[Any]] = {n: [] for n in (*_INTS, *_FLOATS, "key", "ended", "unscored", "concluded")}
        dimensions: dict[str, list[float | None]] = {}
        beside: list[tuple[tuple[str, str, str, str], ...]] = []
        judge_failed: list[str] = []
        curve = array("d")  # flat: millions of small lists would take gigabytes
        starts = [0]
        rows = index.read(folder) if (folder / index.FILE).exists() else iter(())
        try:
            for count, row in enumerate(rows):
                for name, column in columns.items():
                    column.append(row[name])
                for name in row["dimensions"]:
                    if name not in dimensions:
                        dimensions[name] = [None] * count
                for name, values in dimensions.items():
                    values.append(row["dimensions"].get(name))
                for point in row["curve"]:
                    curve.extend(point)
                starts.append(len(curve) // 3)
                beside.append(tuple((j, c, own, other) for j, c, own, other in row.get("beside", ())))
                judge_failed.append(str(row.get("judge_failed", "")))
        except (KeyError, TypeError, AttributeError, ValueError) as exc:
            raise StoreError(
                f"{folder / index.FILE}:{len(starts)}: is no row of this version ({type(exc).__name__}: {exc}); "
                "remove the file, `resume` makes it again"
            ) from exc
        return cls(
            folder,
            manifest,
            columns["key"],
            {n: np.array(columns[n], dtype=np.int64) for n in _INTS},
            {n: np.array(columns[n], dtype=np.float64) for n in _FLOATS},
            {n: np.array(v, dtype=np.float64) for n, v in dimensions.items()},
            columns["ended"],
            columns["unscored"],
            np.array(columns["concluded"], dtype=np.bool_),
            np.frombuffer(curve, dtype=np.float64).reshape(-1, 3) if curve else np.empty((0, 3)),
            np.array(starts, dtype=np.int64),
            tuple(_failures(folder, set(columns["key"]))),
            tuple(beside),
            tuple(judge_failed),
        )

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def accounts(self) -> Accounts:
        """planned = completed + failed + skipped."""
        found = Accounts(self.manifest["planned"], len(self))
        for failure in self.failures:
            found.failed[failure.kind] += 1
        for reason in self.unscored:
            if reason:
                found.unscored[reason] += 1
        return found

    @property
    def cases(self) -> list[dict[str, Any]]:
        """About each case of the plan: `id`, `pack`, `language`, `department`, `setting`, `difficulty`, `rarity`..."""
        return [{"id": case_id, **about} for case_id, about in self.manifest["cases"].items()]

    @property
    def doctors(self) -> list[str]:
        """Doctors of the plan."""
        return list(self.manifest["plan"]["doctors"])

    @property
    def personas(self) -> list[str]:
        """Personas of the plan."""
        return list(self.manifest["plan"]["personas"])

    @property
    def roles(self) -> list[str]:
        """A label for each clinic of the plan: its models, or `offline`."""
        labels = []
        for roles in self.manifest["plan"]["roles"]:
            models = [f"{r} {n.partition('?')[0]}" for r, n in roles.items() if r != "unrecorded" and n != "offline"]
            labels.append(", ".join(models) or "offline")
        return labels

    @cached_property
    def factors(self) -> dict[str, Ints]:
        """Level of each factor: numbers in `doctors`, `roles`, `personas` and `cases`, and the seeds themselves."""
        return decode(self.manifest, self.ints["at"])

    def episode(self, row: int) -> dict[str, Any]:
        """The whole line of one episode: transcript, verdicts, models.

        Raises:
            StoreError: it cannot be read.
        """
        path = self.folder / EPISODES
        try:
            with path.open("rb") as file:
                file.seek(int(self.ints["offset"][row]))
                found: dict[str, Any] = decoded(file.read(int(self.ints["length"][row])))
        except (OSError, ValueError) as exc:
            raise StoreError(f"{path}: episode {self.keys[row]} cannot be read: {exc}") from exc
        return found


def decode(manifest: dict[str, Any], at: Ints) -> dict[str, Ints]:
    """Levels of the factors from places in the plan: the inverse of `Sweep.episodes`, doctors changing fastest."""
    plan = manifest["plan"]
    rest = at
    found: dict[str, Ints] = {}
    for name, size in (
        ("doctor", len(plan["doctors"])),
        ("case", len(manifest["cases"])),
        ("roles", len(plan["roles"])),
        ("persona", len(plan["personas"])),
    ):
        rest, found[name] = np.divmod(rest, size)
    found["repeat"], seed = np.divmod(rest, len(plan["seeds"]))
    found["seed"] = np.array(plan["seeds"], dtype=np.int64)[seed]
    return found


def _failures(folder: Path, finished: set[str]) -> list[Failure]:
    """The latest failure of each episode that is not finished, in the plan's order."""
    path = folder / FAILURES
    latest: dict[str, Failure] = {}
    for line, _ in whole_lines(path) if path.exists() else ():
        key, brief = failure_of(line)
        if key and key not in finished:
            latest[key] = Failure(key, brief["at"], brief["kind"], brief["stage"], brief["message"])
    return sorted(latest.values(), key=lambda f: f.at)
