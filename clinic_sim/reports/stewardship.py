"""Exam stewardship: were the essential exams ordered, and little else?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from clinic_sim.errors import ConfigError
from clinic_sim.reports.clusters import Floats, Groups, Labels, column
from clinic_sim.reports.estimates import Estimate
from clinic_sim.reports.means import UNIT, mean, ratio


@dataclass(frozen=True, slots=True, eq=False)
class Orders:
    """One row an episode, nan where the episode broke or the record cannot say. Counts unless another unit is named."""

    cases: Labels
    essential: ArrayLike
    """Essential exams that the case records."""
    found: ArrayLike
    """Essential exams that were reported to the doctor."""
    orders: ArrayLike
    """Orders, repeats included."""
    useful: ArrayLike
    """Orders that reported something of this patient."""
    redundant: ArrayLike
    """Orders that reported nothing that had not been reported before."""
    contraindicated: ArrayLike
    """Orders that could harm this patient."""
    cost: ArrayLike
    """US dollars charged."""


@dataclass(frozen=True, slots=True)
class Share:
    """One share, averaged in both ways; they part where episodes with many orders differ from those with few."""

    micro: Estimate
    """Sum over sum: every order (or exam) counts alike."""
    macro: Estimate
    """Mean of episode shares: every episode counts alike."""
    without: int
    """Scored episodes that have no share because there was nothing to divide by; both averages leave them out."""


@dataclass(frozen=True, slots=True)
class Stewardship:
    """Ordering over a run."""

    recall: Share
    """Essential exams found, of those recorded."""
    precision: Share
    """Useful orders of all."""
    redundant: Share
    """Redundant orders of all."""
    contraindicated: Share
    """Contraindicated orders of all."""
    orders: Estimate
    """Orders an episode."""
    cost: Estimate
    """US dollars an episode."""


def stewardship(orders: Orders, *, level: float = 0.95) -> Stewardship:
    """Recall, precision, redundancy, harm and cost of orders, with t intervals clustered by case.

    Micro averages are ratios of sums (`means.ratio`), macro averages are means of episode ratios (`means.mean`).
    """
    groups = Groups.of(orders.cases)
    rows = len(groups)

    def read(name: str) -> Floats:
        values = column(getattr(orders, name), rows, name)
        if (values < 0).any():
            raise ConfigError(f"{name}: row {int((values < 0).argmax())} is negative; counts and costs are not")
        return values

    made = read("orders")

    def of_orders(name: str) -> Share:
        return share(read(name), made, groups, level=level)

    return Stewardship(
        recall=share(read("found"), read("essential"), groups, level=level),
        precision=of_orders("useful"),
        redundant=of_orders("redundant"),
        contraindicated=of_orders("contraindicated"),
        orders=mean(made, groups, level=level, bounds=(0.0, np.inf)),
        cost=mean(read("cost"), groups, level=level, bounds=(0.0, np.inf)),
    )


def share(parts: ArrayLike, wholes: ArrayLike, cases: Labels, *, level: float = 0.95) -> Share:
    """Parts of wholes in every episode, averaged both ways."""
    groups = Groups.of(cases)
    y, x = column(parts, len(groups), "parts"), column(wholes, len(groups), "wholes")
    if (y > x).any():
        row = int((y > x).argmax())
        raise ConfigError(f"row {row}: {y[row]:g} of {x[row]:g}; a part cannot exceed its whole")
    kept = ~(x == 0) | np.isnan(y)
    y, x, kept_groups = y[kept], x[kept], groups.where(kept)
    each = np.divide(y, x, out=np.full(len(y), np.nan), where=x > 0)
    return Share(
        micro=ratio(y, x, kept_groups, level=level, bounds=UNIT),
        macro=mean(each, kept_groups, level=level, bounds=UNIT),
        without=int((~kept).sum()),
    )
