"""Means by label: department, difficulty, language, setting, rarity, or any other column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from clinic_sim.errors import ConfigError
from clinic_sim.reports.clusters import Groups, Labels, column
from clinic_sim.reports.estimates import Estimate
from clinic_sim.reports.means import Bounds, Weight, mean

UNSTATED = "unstated"
"""The stratum of rows whose label is empty or None."""
FEW_CASES = 5
"""Below this number of cases an interval says little, and the stratum is marked."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """The episodes that share one label."""

    by: str
    """The column: `department`, for instance."""
    label: str | int
    mean: Estimate
    episodes: int
    """All of them, unscored ones too."""
    small: bool
    """Fewer than `FEW_CASES` scored cases."""


def strata(
    scores: ArrayLike,
    cases: Labels,
    labels: Mapping[str, Labels | Sequence[str | None]],
    *,
    weight: Weight = "episode",
    level: float = 0.95,
    bounds: Bounds | None = None,
) -> tuple[Stratum, ...]:
    """Means with clustered t intervals (`means.mean`) within every label of every column; labels in sorted order.

    Each stratum is estimated from its own episodes alone; that the strata of one column differ is not tested here.
    """
    groups = Groups.of(cases)
    values = column(scores, len(groups), "scores")
    found: list[Stratum] = []
    for by, column_labels in labels.items():
        named = _named(column_labels)
        if len(named) != len(groups):
            raise ConfigError(f"stratum {by!r}: {len(named)} labels for {len(groups)} episodes; give one an episode")
        for code, label in enumerate(named.names):
            mask = np.asarray(named.codes == code)
            if not mask.any():
                continue
            estimate = mean(values[mask], groups.where(mask), weight=weight, level=level, bounds=bounds)
            found.append(Stratum(by, label, estimate, int(mask.sum()), estimate.clusters < FEW_CASES))
    return tuple(found)


def _named(labels: Any) -> Groups:
    """Groups with `UNSTATED` for what is missing."""
    if isinstance(labels, Groups) or (isinstance(labels, np.ndarray) and labels.dtype.kind in "iub"):
        return Groups.of(labels)
    return Groups.of([UNSTATED if label is None or label == "" else label for label in labels])
