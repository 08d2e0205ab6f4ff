"""How many repeats make a score reliable: Spearman and Brown's formula over variance components."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from clinic_sim.errors import ConfigError
from clinic_sim.reports.components import RESIDUAL, Components


@dataclass(frozen=True, slots=True)
class Reliability:
    """Signal against noise, for one repeat and for the mean of many."""

    signal: tuple[str, ...]
    noise: tuple[str, ...]
    single: float | None
    """Reliability of one repeat; None where there is neither signal nor noise."""
    target: float
    repeats: int | None
    """Repeats whose mean reaches the target; None where no number does (there is no signal)."""


def reliability(
    found: Components, signal: Collection[str], *, noise: Collection[str] | None = None, target: float = 0.8
) -> Reliability:
    """Generalizability of a mean over repeats: E rho^2 = signal / (signal + noise / k).

    `signal` are the components that stay the same over the repeats, `noise` those drawn anew at each: by default the
    residual and every interaction of the signal with something else. To rank doctors by a mean over cases, the signal
    is `["doctor"]`, a repeat is another case, and the noise the doctor-by-case interaction with the residual. To repeat
    one doctor on one case with other seeds, the signal is `["doctor", "case", "doctor:case"]` and the noise the
    residual. Components that the design cannot tell count as zero. Brennan, Generalizability Theory (2001), ch. 2;
    Spearman (1910) and Brown (1910), British Journal of Psychology 3.
    """
    if not 0 < target < 1:
        raise ConfigError(f"target={target}: a reliability lies between 0 and 1; 0.8 is usual")
    if not signal:
        raise ConfigError("name at least one component as the signal")
    if noise is None:
        noise = [p.name for p in found.parts if p.name not in signal and _meets(p.name, signal)]
    both = sorted(set(signal) & set(noise))
    if both:
        raise ConfigError(f"{', '.join(both)}: a component is signal or noise, not both")
    s = sum(found[name].variance or 0.0 for name in signal)
    e = sum(found[name].variance or 0.0 for name in noise)
    single = s / (s + e) if s + e > 0 else None
    needed = None if single is None else repeats_for(single, target)
    return Reliability(tuple(signal), tuple(noise), single, target, needed)


def spearman_brown(single: float, k: float) -> float:
    """Reliability of the mean of k repeats, of which one alone has `single`: k r / (1 + (k - 1) r)."""
    return k * single / (1 + (k - 1) * single)


def repeats_for(single: float, target: float) -> int | None:
    """The fewest repeats whose mean reaches the target; None where a single one has no reliability at all."""
    if single <= 0:
        return None
    if single >= 1:
        return 1
    k = target * (1 - single) / (single * (1 - target))
    return max(1, math.ceil(k - 1e-9))


def _meets(name: str, signal: Collection[str]) -> bool:
    """The residual, or an interaction that one of the signal's factors is part of."""
    factors = {factor for term in signal for factor in term.split(":")}
    return name == RESIDUAL or (":" in name and bool(factors & set(name.split(":"))))
