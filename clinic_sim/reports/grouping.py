"""`Roster`: the doctors of a run as row masks, and where each one's planned episodes went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from clinic_sim.reports.clusters import Flags, Floats, Groups
from clinic_sim.reports.table import RunTable, decode
from clinic_sim.sweeps.accounts import Accounts

DIMENSIONS = ("symptom_collection", "exam_ordering", "diagnosis", "treatment")
"""The usual order; a rubric's further dimensions follow by name."""


@dataclass(frozen=True)
class Roster:
    """A run, by doctor."""

    table: RunTable

    @cached_property
    def doctors(self) -> tuple[str, ...]:
        """Short names, in the plan's order; see `short_names`."""
        return short_names(self.table.doctors)

    @cached_property
    def clinics(self) -> tuple[str, ...]:
        """A label for each clinic, all different: two may have the same models and differ in what is said of exams
        that the record lacks."""
        labels = self.table.roles
        return tuple(
            f"{label}, unrecorded {roles['unrecorded']}" if labels.count(label) > 1 else label
            for label, roles in zip(labels, self.table.manifest["plan"]["roles"], strict=True)
        )

    @cached_property
    def masks(self) -> tuple[Flags, ...]:
        """Rows of each doctor."""
        own = self.table.factors["doctor"]
        return tuple(np.asarray(own == n) for n in range(len(self.doctors)))

    @cached_property
    def cases(self) -> Groups:
        """Case of each row."""
        return Groups(tuple(self.table.manifest["cases"]), self.table.factors["case"])

    @cached_property
    def dimensions(self) -> tuple[str, ...]:
        """Dimensions of the rubric."""
        found = self.table.dimensions
        return tuple(d for d in DIMENSIONS if d in found) + tuple(sorted(set(found) - set(DIMENSIONS)))

    @cached_property
    def ranked(self) -> tuple[int, ...]:
        """Doctors by mean score, the best first; those without one last."""
        return tuple(sorted(range(len(self.doctors)), key=lambda n: (-self._mean(n), n)))

    @cached_property
    def planned(self) -> tuple[int, ...]:
        """Episodes planned for each doctor."""
        number, of = _shard(self.table.manifest["shard"])
        at = np.arange(number - 1, number - 1 + of * self.table.manifest["planned"], of, dtype=np.int64)
        counts = np.bincount(decode(self.table.manifest, at)["doctor"], minlength=len(self.doctors))
        return tuple(counts.tolist())

    @cached_property
    def failed_at(self) -> tuple[int, ...]:
        """Doctor of each failure."""
        at = np.array([f.at for f in self.table.failures], dtype=np.int64)
        return tuple(decode(self.table.manifest, at)["doctor"].tolist())

    def accounts(self, doctor: int) -> Accounts:
        """planned = completed + failed + skipped, of one doctor."""
        mask = self.masks[doctor]
        found = Accounts(self.planned[doctor], int(mask.sum()))
        kinds = (f.kind for f, d in zip(self.table.failures, self.failed_at, strict=True) if d == doctor)
        found.failed = Counter(kinds)
        found.unscored = Counter(self.table.unscored[n] for n in np.flatnonzero(mask) if self.table.unscored[n])
        return found

    def column(self, name: str) -> Floats:
        """A column of numbers by its name, `total` or `turns`; of a dimension by `dimension:` and its name, nan where
        the rubric has no such dimension."""
        table = self.table
        kind, _, dimension = name.partition(":")
        if kind == "dimension":
            return table.dimensions.get(dimension, np.full(len(table), np.nan))
        return table.floats[name] if name in table.floats else table.ints[name].astype(np.float64)

    def _mean(self, doctor: int) -> float:
        own = self.table.floats["total"][self.masks[doctor]]
        scored = own[~np.isnan(own)]
        return float(scored.mean()) if len(scored) else -1.0


def short_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names without their parameters, but for those that tell two of them apart; all different."""
    heads = [name.partition("?")[0] for name in names]
    params = [name.partition("?")[2].split("&") if "?" in name else [] for name in names]
    short = []
    for n, head in enumerate(heads):
        twins = [params[m] for m, other in enumerate(heads) if other == head and m != n]
        own = [p for p in params[n] if twins and not all(p in twin for twin in twins)]
        short.append(f"{head}?{'&'.join(own)}" if own else head)
    return tuple(short) if len(set(short)) == len(short) else tuple(names)


def _shard(text: str | None) -> tuple[int, int]:
    if not text:
        return 1, 1
    number, _, of = text.partition("/")
    return int(number), int(of)
