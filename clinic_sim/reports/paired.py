"""Two doctors, or two runs, over the same consultations: how much better is the first, and is it more than chance?

Pairs share case, persona and seed (whatever the keys are), so what makes a case hard cancels. The unit of inference is
the case: repeats and personas of a case are averaged first, and every figure of a comparison rests on these case means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from clinic_sim.errors import ConfigError
from clinic_sim.reports.clusters import ClusterSums, Flags, Floats, Groups, Ints, Labels, cluster_sums, column
from clinic_sim.reports.distributions import detectable_shift, log_gamma
from clinic_sim.reports.estimates import Estimate
from clinic_sim.reports.means import t_estimate
from clinic_sim.reports.signed import PERMUTATIONS, Test, sign_flip, t_test, wilcoxon


@dataclass(frozen=True, slots=True, eq=False)
class Arm:
    """The episodes of one side."""

    cases: Labels
    keys: tuple[Labels, ...]
    """Further columns that must agree in a pair: persona, seed, repeat."""
    scores: ArrayLike
    """nan where unscored."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Matched consultations; keys = pairs + those dropped, by reason."""

    cases: Groups
    """Case of each pair."""
    differences: Floats
    """First minus second."""
    keys: int
    """Different keys on either side."""
    dropped: Mapping[str, int]
    """Keys without a pair: `only_first`, `only_second`, `unscored_first`, `unscored_second`, `unscored_both`."""
    merged: int
    """Scored episodes averaged into another one of the same side and key."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """First minus second, every case counting once."""

    difference: Estimate
    """Mean of case means with its t interval, G - 1 degrees of freedom; `n` counts cases."""
    by_pair: Estimate
    """Mean over pairs, clustered by case (CR2): the same where every case has as many pairs."""
    t: Test
    sign_flip: Test
    wilcoxon: Test
    dz: float | None
    """Cohen's dz: mean case difference over its standard deviation; None without spread."""
    hedges: float | None
    """dz with Hedges' correction for few cases."""
    superiority: float | None
    """Share of cases in which the first is better, ties counted half."""
    detectable: float | None
    """Smallest true difference that a t test on as many cases with this spread finds with the power asked for."""
    power: float
    pairs: int
    cases: int
    keys: int
    dropped: Mapping[str, int]
    merged: int


def pair(first: Arm, second: Arm) -> Pairs:
    """Match two sides by case and keys. Several scored episodes of one side and key are averaged, and counted."""
    if len(first.keys) != len(second.keys):
        raise ConfigError(f"the sides have {len(first.keys)} and {len(second.keys)} key columns; give both the same")
    cases, split = _joined(first.cases, second.cases)
    scores = np.concatenate(
        [column(first.scores, split, "first scores"), column(second.scores, len(cases) - split, "second scores")]
    )
    codes = cases.codes
    for left, right in zip(first.keys, second.keys, strict=True):
        key, at = _joined(left, right)
        if len(key) != len(cases) or at != split:
            raise ConfigError(f"a key column has {at} and {len(key) - at} rows for {split} and {len(cases) - split}")
        codes = np.unique(codes * len(key.names) + key.codes, return_inverse=True)[1].astype(np.int64)
    _, at_row, codes = np.unique(codes, return_index=True, return_inverse=True)
    is_first = np.arange(len(cases)) < split
    a, b = _side(codes, scores, is_first, len(at_row)), _side(codes, scores, ~is_first, len(at_row))
    both = (a.scored > 0) & (b.scored > 0)
    met = (a.rows > 0) & (b.rows > 0)
    dropped = {
        "only_first": b.rows == 0,
        "only_second": a.rows == 0,
        "unscored_first": met & (a.scored == 0) & (b.scored > 0),
        "unscored_second": met & (a.scored > 0) & (b.scored == 0),
        "unscored_both": met & (a.scored == 0) & (b.scored == 0),
    }
    return Pairs(
        cases=Groups(cases.names, cases.codes[at_row[both]]),
        differences=(a.sums / np.maximum(a.scored, 1) - b.sums / np.maximum(b.scored, 1))[both],
        keys=len(at_row),
        dropped={reason: int(mask.sum()) for reason, mask in dropped.items()},
        merged=int((a.scored + b.scored - 2)[both].sum()),
    )


def compare(
    pairs: Pairs, *, level: float = 0.95, power: float = 0.8, permutations: int = PERMUTATIONS, seed: int = 0
) -> Comparison:
    """Difference, interval, tests, effect sizes and detectable effect of matched consultations.

    Cohen's dz = mean / sd of case differences (Cohen 1988, 2.3.5), corrected by J = G(m/2) / (sqrt(m/2) G((m-1)/2))
    with m degrees of freedom (Hedges 1981, J. Educational Statistics 6(2)). Superiority is P(D > 0) + P(D = 0) / 2
    (Grissom and Kim 2012, ch. 6). The detectable effect solves the power of the two-sided t test for the observed
    standard error (`distributions.detectable_shift`). Independent cases are assumed throughout; the tests add theirs
    (`signed`).
    """
    if not 0.5 < power < 1:
        raise ConfigError(f"power={power}: lies between 0.5 and 1; 0.8 is usual")
    sums = cluster_sums(pairs.differences, pairs.cases)
    of_cases = sums.equal_weight()
    differences = np.sort(of_cases.sums)
    estimate = t_estimate(ClusterSums(differences, of_cases.sizes, len(differences), 0), level, None)
    dz = hedges = detectable = None
    if estimate.se is not None and estimate.value is not None:
        df = len(differences) - 1.0
        dz = estimate.value / (estimate.se * len(differences) ** 0.5)
        hedges = dz * _hedges_factor(df)
        detectable = estimate.se * detectable_shift(df, level, power)
    return Comparison(
        difference=estimate,
        by_pair=t_estimate(sums, level, None),
        t=t_test(estimate),
        sign_flip=sign_flip(differences, permutations=permutations, seed=seed),
        wilcoxon=wilcoxon(differences),
        dz=dz,
        hedges=hedges,
        superiority=_superiority(differences),
        detectable=detectable,
        power=power,
        pairs=len(pairs.differences),
        cases=len(differences),
        keys=pairs.keys,
        dropped=pairs.dropped,
        merged=pairs.merged,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """Rows, scored rows and their sum by key."""

    rows: Ints
    scored: Ints
    sums: Floats


def _side(codes: Ints, scores: Floats, mine: Flags, keys: int) -> _Side:
    scored = mine & ~np.isnan(scores)
    kept, values = codes[scored], scores[scored]
    order = np.lexsort((values, kept))
    return _Side(
        np.bincount(codes[mine], minlength=keys),
        np.bincount(kept, minlength=keys),
        np.bincount(kept[order], values[order], keys).astype(np.float64),
    )


def _joined(first: Labels, second: Labels) -> tuple[Groups, int]:
    """One grouping over the rows of both sides, and where the second begins."""
    a, b = Groups.of(first), Groups.of(second)
    names = Groups.of([*a.names, *b.names])
    codes = np.concatenate([names.codes[: len(a.names)][a.codes], names.codes[len(a.names) :][b.codes]])
    return Groups(names.names, codes), len(a)


def _hedges_factor(df: float) -> float:
    if df < 2:
        return 0.0  # G(0) is infinite: with two cases nothing is left of the effect
    return float(np.exp(log_gamma(df / 2) - log_gamma((df - 1) / 2)) / (df / 2) ** 0.5)


def _superiority(differences: Floats) -> float | None:
    if not len(differences):
        return None
    tied = np.abs(differences) <= 1e-12
    return float((((differences > 0) & ~tied).sum() + 0.5 * tied.sum()) / len(differences))
