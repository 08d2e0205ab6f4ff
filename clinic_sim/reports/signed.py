"""Three tests of "no difference" on the mean differences of cases: t, sign-flip permutation, signed ranks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clinic_sim.errors import ConfigError
from clinic_sim.reports.clusters import Floats
from clinic_sim.reports.distributions import t_two_sided
from clinic_sim.reports.estimates import Estimate, Undefined

PERMUTATIONS = 9999
EXACT_UP_TO = 20
"""Cases up to which all 2^G sign flips are counted."""
_FLIPS = 200_000_000
"""Sign flips drawn at most, cases times permutations: two seconds."""
_CHUNK = 4_000_000


@dataclass(frozen=True, slots=True)
class Test:
    """One two-sided test."""

    __test__ = False  # pytest: no test case

    name: str
    statistic: float | None
    p: float | None
    """None where the test is undefined."""
    method: str
    """How the p-value was had: `t(11)`, `exact`, `monte carlo (9999)`, `normal`."""
    undefined: Undefined | None = None


def t_test(difference: Estimate) -> Test:
    """One-sample t test of case means, the paired t test by case: |t| = |mean| / se with G - 1 degrees of freedom.

    Assumes independent cases whose mean differences are near to normal, or many. Gosset (1908).
    """
    if difference.se is None or difference.df is None or difference.value is None:
        return Test("t", None, None, "t", difference.undefined)
    statistic = difference.value / difference.se
    return Test("t", statistic, t_two_sided(statistic, difference.df), f"t({difference.df:.0f})")


def sign_flip(differences: Floats, *, permutations: int = PERMUTATIONS, seed: int = 0) -> Test:
    """Permutation test of the mean: under "no difference" each case's difference is as likely with the other sign.

    Exact over all 2^G flips up to `EXACT_UP_TO` cases, else over seeded random flips with p = (1 + b) / (1 + B), which
    holds its level for any B (Phipson and Smyth 2010, Statistical Applications in Genetics 9(1)). Assumes differences
    that are symmetric about zero under the null, and no normality. Fisher (1935), The Design of Experiments, 21.
    """
    if permutations < 99:
        raise ConfigError(f"permutations={permutations}: too few for a p-value; 9999 is usual")
    cases = len(differences)
    if not cases:
        return Test("sign-flip", None, None, "exact", Undefined.NOTHING_SCORED)
    statistic = float(differences.mean())
    # Flips of the sizes have the same distribution, and swapping the sides then changes no digit of it.
    sizes = np.sort(np.abs(differences))
    # Sums that are equal but for the order of adding must count as ties.
    least = abs(float(differences.sum())) - 1e-12 * float(sizes.sum())
    if cases <= EXACT_UP_TO:
        return Test("sign-flip", statistic, float((np.abs(_all_flips(sizes)) >= least).mean()), "exact")
    drawn = min(permutations, max(999, _FLIPS // cases))
    at_least = sum(int((np.abs(chunk) >= least).sum()) for chunk in _random_flips(sizes, drawn, seed))
    return Test("sign-flip", statistic, (1 + at_least) / (1 + drawn), f"monte carlo ({drawn})")


def wilcoxon(differences: Floats) -> Test:
    """Wilcoxon's signed-rank test (scipy): exact for up to 50 untied cases, else the normal approximation.

    Cases without a difference are left out before ranking (Wilcoxon 1945, Biometrics Bulletin 1(6)); differences that
    agree to 12 digits are ties. Assumes symmetry about zero under the null; the statistic is the smaller rank sum.
    """
    from scipy import stats  # type: ignore[import-untyped]

    moved = np.round(differences, 12)
    moved = moved[moved != 0]
    if not len(moved):
        reason = Undefined.NO_SPREAD if len(differences) else Undefined.NOTHING_SCORED
        return Test("wilcoxon", None, None, "exact", reason)
    exact = len(moved) <= 50 and len(np.unique(np.abs(moved))) == len(moved)
    method = "exact" if exact else "normal"
    result = stats.wilcoxon(moved, method="exact" if exact else "approx", correction=not exact)
    return Test("wilcoxon", float(result.statistic), float(result.pvalue), method)


def _all_flips(sizes: Floats) -> Floats:
    """Sums under all flips that leave the first sign as it is: the others mirror them."""
    sums = sizes[:1]
    for size in sizes[1:]:
        sums = np.concatenate([sums + size, sums - size])
    return sums


def _random_flips(sizes: Floats, draws: int, seed: int) -> list[Floats]:
    rng = np.random.default_rng(seed)
    cases = len(sizes)
    step = max(1, _CHUNK // cases)
    total = float(sizes.sum())
    found: list[Floats] = []
    for start in range(0, draws, step):
        rows = min(step, draws - start)
        bits = np.unpackbits(rng.integers(0, 256, (rows, (cases + 7) // 8), dtype=np.uint8), axis=1, count=cases)
        found.append(total - 2.0 * (bits.astype(np.float64) @ sizes))
    return found
