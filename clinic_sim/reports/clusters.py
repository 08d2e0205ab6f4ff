"""Grouping rows by label and summing them by case: what every clustered estimator starts from.

Episodes of one case share its difficulty, so they are not independent; all standard errors here rest on sums by case.
Rows are put into one canonical order before they are summed, so that the order in which episodes finished (another
engine, a resumed run) cannot change a digit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clinic_sim.errors import ConfigError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """A column of labels as codes: `names[codes[i]]` is the label of row i; names are sorted."""

    names: tuple[Any, ...]
    codes: Ints

    @classmethod
    def of(cls, labels: Labels) -> Groups:
        """The groups of a column of strings or of integers; groups are returned as they are."""
        if isinstance(labels, Groups):
            return labels
        if isinstance(labels, np.ndarray) and labels.dtype.kind in "iub":
            names, codes = np.unique(labels, return_inverse=True)
            return cls(tuple(names.tolist()), codes.astype(np.int64))
        column: list[Any] = labels.tolist() if isinstance(labels, np.ndarray) else list(labels)
        kinds = {_kind(label) for label in set(column)}
        if len(kinds) > 1 or not kinds <= {str, int}:
            found = ", ".join(sorted(kind.__name__ for kind in kinds))
            raise ConfigError(f"labels are all strings or all integers; this column holds {found}")
        sorted_names = sorted(set(column))
        code = {name: i for i, name in enumerate(sorted_names)}
        return cls(tuple(sorted_names), np.fromiter((code[x] for x in column), np.int64, len(column)))

    def __len__(self) -> int:
        return len(self.codes)

    def where(self, mask: Flags) -> Groups:
        """The same groups over the rows of the mask; names without rows stay."""
        return Groups(self.names, self.codes[mask])


def _kind(label: object) -> type:
    """`str`, `int`, or whatever else it is."""
    return next((kind for kind, like in ((str, str), (int, (int, np.integer))) if isinstance(label, like)), type(label))


Labels = Groups | Sequence[str] | Sequence[int] | NDArray[Any]


def column(values: ArrayLike, rows: int, name: str) -> Floats:
    """A column of numbers, nan where unscored; refused when it is of another length or holds an infinity."""
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (rows,):
        raise ConfigError(f"{name}: {array.shape} values for {rows} rows; give one value a row")
    if np.isinf(array).any():
        raise ConfigError(f"{name}: row {int(np.isinf(array).argmax())} is infinite; an unscored row is nan")
    return array


@dataclass(frozen=True, slots=True, eq=False)
class ClusterSums:
    """Numerators and denominators summed by cluster; the estimate is `sums.sum() / sizes.sum()`."""

    sums: Floats
    sizes: Floats
    n: int
    """Rows that entered."""
    unscored: int
    """Rows that did not, because their value is nan."""

    def equal_weight(self) -> ClusterSums:
        """Each cluster counts once, by its mean."""
        return ClusterSums(self.sums / self.sizes, np.ones_like(self.sizes), self.n, self.unscored)


def cluster_sums(values: Floats, groups: Groups, sizes: Floats | None = None) -> ClusterSums:
    """Sum `values` (nan: unscored) and `sizes` (default 1 a row, never negative) by cluster.

    Clusters without a scored row, or whose sizes are all zero, are left out.
    """
    scored = ~np.isnan(values)
    codes, kept = groups.codes[scored], values[scored]
    weights = np.ones_like(kept) if sizes is None else sizes[scored]
    order = np.lexsort((weights, kept, codes))
    codes = codes[order]
    sums = totals_by(codes, kept[order], len(groups.names))
    totals = totals_by(codes, weights[order], len(groups.names))
    present = totals > 0
    return ClusterSums(sums[present], totals[present], len(kept), int(len(values) - len(kept)))


def totals_by(codes: Ints, values: Floats, groups: int) -> Floats:
    """Sums of the values by code, in the order of the rows."""
    return np.bincount(codes, values, groups).astype(np.float64)


def cr2(sums: Floats, sizes: Floats) -> tuple[Floats, Floats, float]:
    """Ratio of sums, its CR2 standard error and Satterthwaite's degrees of freedom; `sums` is (G,) or (G, K).

    For y = R x + e with working variance proportional to x (a plain mean has x = 1), cluster g with total X_g and
    residual sum r_g = Y_g - R X_g has leverage h_g = X_g / X, and the bias-reduced sandwich of Bell and McCaffrey is

        V = sum_g r_g^2 / (1 - h_g) / X^2.

    Its degrees of freedom under the working model are (tr B)^2 / tr B^2 with B the covariance of the scaled residual
    sums; here in closed form. With clusters of one size V is the variance of cluster means over G, with G - 1 degrees.
    Assumes independent clusters and at least two of them. Bell and McCaffrey (2002), Survey Methodology 28(2);
    Pustejovsky and Tipton (2018), J. Business and Economic Statistics 36(4).
    """
    total = float(sizes.sum())
    value = np.asarray(sums.sum(axis=0) / total)
    free = 1.0 - sizes / total
    columns = sums.reshape(len(sizes), -1)
    residual = columns - np.outer(sizes, value.reshape(-1))
    variance = (residual**2 / free[:, None]).sum(axis=0) / total**2
    w = sizes**2 / free
    spread = float((sizes**2).sum() + (w.sum() ** 2 - (w**2).sum()) / total**2)
    return value, np.sqrt(variance).reshape(value.shape), total**2 / spread


def no_spread(se: float, sums: Floats, sizes: Floats) -> bool:
    """The standard error is nothing but rounding."""
    return se <= 1e-12 * float(np.abs(sums / sizes).max(initial=0.0))
