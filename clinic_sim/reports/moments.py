"""The moment equations of a random-effects model, from crosstabs alone: no matrix over episodes is ever built.

With C_ij the crosstab of terms i and j, and n_i the sizes of i's levels, Z_i' M Z_j = C_ij - n_i n_j' / n, so that
|Z_i' M Z_j|^2 = sum C^2 - 2/n sum C n_i n_j + (sum n_i^2)(sum n_j^2) / n^2: sums over the cells that occur.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from clinic_sim.reports.clusters import Flags, Floats, Groups, Ints

_SINGULAR = 1e-8
"""Smallest singular value, of the equations scaled to a unit diagonal, that still tells components apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Terms of a model over the same rows; `cells[i, j]` numbers the cells of their crosstab, a row each."""

    terms: Mapping[str, Groups]
    cells: Mapping[tuple[str, str], Ints]

    @classmethod
    def of(cls, terms: Mapping[str, Groups]) -> Moments:
        """Number the cells of every pair once; a subset of the rows is then counted without sorting."""
        names = list(terms)
        cells: dict[tuple[str, str], Ints] = {}
        for at, i in enumerate(names):
            for j in names[at + 1 :]:
                a, b = terms[i], terms[j]
                cells[i, j] = _cells(a, b)
        return cls(dict(terms), cells)

    @property
    def names(self) -> tuple[str, ...]:
        """The terms, in order."""
        return tuple(self.terms)

    def only(self, names: Collection[str]) -> Moments:
        """The equations of some of the terms."""
        return Moments(
            {name: groups for name, groups in self.terms.items() if name in names},
            {(i, j): cells for (i, j), cells in self.cells.items() if i in names and j in names},
        )

    def independent(self, first: str) -> tuple[str, ...]:
        """Terms that can be told apart: `first`, then each in order that the ones before do not already determine."""
        matrix = _scaled(self._matrix(np.ones(len(self.terms[first]), dtype=bool)))
        names = list(self.names)
        kept = [names.index(first)]
        for at, name in enumerate(names):
            if name != first and _well_posed(matrix[np.ix_([*kept, at], [*kept, at])]):
                kept.append(at)
        return tuple(names[at] for at in kept)

    def solve(self, y: Floats, rows: Flags) -> Floats:
        """Unbiased components from these rows, in the order of the terms; nan where they cannot be told apart."""
        matrix = self._matrix(rows)
        if not _well_posed(_scaled(matrix)):
            return np.full(len(self.terms), np.nan)
        centred = y[rows] - y[rows].mean()
        forms = [
            float((np.bincount(groups.codes[rows], centred, len(groups.names)) ** 2).sum())
            for groups in self.terms.values()
        ]
        scale = np.sqrt(np.diag(matrix))
        return np.asarray(np.linalg.solve(_scaled(matrix), np.array(forms) / scale) / scale)

    def _matrix(self, rows: Flags) -> Floats:
        n = int(rows.sum())
        codes = {name: groups.codes[rows] for name, groups in self.terms.items()}
        sizes = {name: np.bincount(codes[name], minlength=len(g.names)).astype(float) for name, g in self.terms.items()}
        squares = {name: float((size**2).sum()) for name, size in sizes.items()}
        names = self.names
        matrix = np.zeros((len(names), len(names)))
        for at, i in enumerate(names):
            matrix[at, at] = squares[i] - 2 * float((sizes[i] ** 3).sum()) / n + squares[i] ** 2 / n**2
            for to in range(at + 1, len(names)):
                j = names[to]
                shared = float((np.bincount(self.cells[i, j][rows]).astype(float) ** 2).sum())
                joint = float((sizes[i][codes[i]] * sizes[j][codes[j]]).sum())
                matrix[at, to] = matrix[to, at] = shared - 2 * joint / n + squares[i] * squares[j] / n**2
        return matrix


def _cells(a: Groups, b: Groups) -> Ints:
    joint: Ints = a.codes * len(b.names) + b.codes
    if len(a.names) * len(b.names) <= 4 * len(joint):
        return joint
    return np.unique(joint, return_inverse=True)[1].astype(np.int64)


def _scaled(matrix: Floats) -> Floats:
    """With a unit diagonal, zero rows staying zero."""
    scale = np.sqrt(np.diag(matrix))
    scale[scale <= 0] = np.inf
    return np.asarray(matrix / scale[:, None] / scale[None, :])


def _well_posed(scaled: Floats) -> bool:
    return bool(np.linalg.svd(scaled, compute_uv=False)[-1] > _SINGULAR)
