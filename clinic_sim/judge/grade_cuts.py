"""From an offline score to a grade A to D: cut-offs, as shipped, and as fitted to a file's graders."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources

import numpy as np

Cuts = tuple[float, float, float]
"""Least score of A, B and C."""


@cache
def shipped_cuts() -> Mapping[str, Cuts]:
    """Cut-offs from offline scores to grades by view, see the head of `data/grade_cuts.tsv`."""
    text = resources.files("clinic_sim.judge").joinpath("data/grade_cuts.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith(("#", "view\t"))]
    return {view: (float(a), float(b), float(c)) for view, a, b, c in rows}


def fitted_cuts(scores: Sequence[float], grades: Sequence[float]) -> Cuts | None:
    """Cut-offs that give each grade to as many answers as the graders did; nothing else of their grades is used."""
    if not scores:
        return None
    ranked = np.sort(np.asarray(scores, dtype=float))
    cuts = []
    for least in (3.0, 2.0, 1.0):
        below = sum(1 for g in grades if g < least)
        if below == 0:
            cuts.append(0.0)
        elif below == len(ranked):
            cuts.append(math.nextafter(float(ranked[-1]), math.inf))
        else:
            cuts.append(float(ranked[below - 1] + ranked[below]) / 2)
    return cuts[0], cuts[1], cuts[2]


def grade_of(score: float, cuts: Cuts) -> float:
    """3 for A to 0 for D."""
    return float(next((3 - n for n, least in enumerate(cuts) if score >= least), 0))
