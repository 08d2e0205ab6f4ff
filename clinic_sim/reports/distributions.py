"""The few distribution functions that the statistics need: the one seam to scipy, typed.

`scipy.special` rather than `scipy.stats`: it imports in a tenth of the time and is what `scipy.stats` calls.
"""

from __future__ import annotations

from scipy import special  # type: ignore[import-untyped]

_NORMAL_FROM = 2000.0
"""Degrees of freedom from which the non-central t is taken as a shifted normal: the difference is below 1e-3 of the
shift there, and the series for the exact one loses digits."""


def normal_cdf(x: float) -> float:
    """P(Z <= x) of the standard normal."""
    return float(special.ndtr(x))


def normal_quantile(p: float) -> float:
    """The x with P(Z <= x) = p."""
    return float(special.ndtri(p))


def t_quantile(p: float, df: float) -> float:
    """The x with P(T <= x) = p of Student's t."""
    return float(special.stdtrit(df, p))


def t_two_sided(t: float, df: float) -> float:
    """P(|T| >= |t|) of Student's t."""
    return float(2.0 * special.stdtr(df, -abs(t)))


def detectable_shift(df: float, level: float, power: float) -> float:
    """The mean, in standard errors, that a two-sided t test at 1 - `level` finds with this `power`.

    Solves P(T' > t_crit) = power for the non-centrality of T' (Cohen 1988, ch. 2); the far tail is left out, below
    1e-4 for any power above one half.
    """
    critical = t_quantile(0.5 + level / 2, df)
    if df >= _NORMAL_FROM:
        return critical + normal_quantile(power)
    return float(special.nctdtrinc(df, 1.0 - power, critical))


def log_gamma(x: float) -> float:
    """log of the gamma function."""
    return float(special.gammaln(x))
