"""How consultations end: concluded too early, too late, padded with courtesy, or walked out of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from clinic_sim.errors import ConfigError
from clinic_sim.reports.clusters import Floats, Groups, Labels, column
from clinic_sim.reports.estimates import Estimate
from clinic_sim.reports.means import mean
from clinic_sim.reports.rates import Rate, rate

ALLOWANCE = 2
"""Turns without anything new that a doctor may spend before concluding: a summary and a last question."""


@dataclass(frozen=True, slots=True, eq=False)
class Endings:
    """One row an episode. A row whose `turns` is nan (the episode broke) enters nothing and is counted."""

    cases: Labels
    turns: ArrayLike
    """Turns that the doctor took."""
    concluded: ArrayLike
    """Turn of the conclusion that counts; nan where there is none."""
    decisive: ArrayLike
    """Turn with which all decisive evidence was found; inf where it never was, nan where the case names none."""
    last_new: ArrayLike
    """Turn of the last new fact or exam result; 0 where nothing was found."""
    courtesy: ArrayLike
    """Turns that revealed nothing, ordered nothing and concluded nothing."""
    left: ArrayLike
    """1 where the patient left, else 0."""


@dataclass(frozen=True, slots=True)
class Closure:
    """Counts and rates over the episodes that did not break."""

    premature: Rate
    """Concluded before the decisive evidence was complete, of the conclusions on cases that name such evidence."""
    late: Rate
    """Concluded more than the allowance of turns after the last new finding, of all conclusions."""
    late_turns: Estimate
    """Mean turns between the last new finding and the conclusion, over conclusions."""
    courtesy: Rate
    """Courtesy turns of all turns."""
    left: Rate
    """Episodes in which the patient left."""
    unfinished: Rate
    """Episodes without a conclusion, for whatever reason."""
    allowance: int
    broken: int
    """Episodes that entered nothing."""


def closure(endings: Endings, *, allowance: int = ALLOWANCE, level: float = 0.95) -> Closure:
    """Rates of premature and late closure, courtesy, and leaving; Wilson intervals widened for clustering (`rate`).

    "Premature" follows premature closure in diagnostic error (Graber, Franklin and Gordon 2005, Archives of Internal
    Medicine 165(13)): the doctor stopped before what proves the diagnosis was found. Idle turns are those strictly
    between the last new finding and the conclusion.
    """
    if allowance < 0:
        raise ConfigError(f"allowance={allowance}: a number of turns, 0 or more")
    groups = Groups.of(endings.cases)
    rows = len(groups)
    turns = column(endings.turns, rows, "turns")
    ran = ~np.isnan(turns)
    groups, turns = groups.where(ran), turns[ran]
    concluded = column(endings.concluded, rows, "concluded")[ran]
    decisive = _turn_or_never(endings.decisive, rows)[ran]
    last_new = column(endings.last_new, rows, "last_new")[ran]
    courtesy = column(endings.courtesy, rows, "courtesy")[ran]
    left = column(endings.left, rows, "left")[ran]
    ended = ~np.isnan(concluded)
    of_ended = groups.where(ended)
    idle = np.maximum((concluded - last_new - 1)[ended], 0.0)
    early = np.where(np.isnan(decisive), np.nan, decisive > concluded)[ended]
    return Closure(
        premature=rate(early, of_ended, level=level),
        late=rate(np.where(np.isnan(idle), np.nan, idle > allowance), of_ended, level=level),
        late_turns=mean(idle, of_ended, level=level, bounds=(0.0, np.inf)),
        courtesy=rate(courtesy, groups, of=turns, level=level),
        left=rate(left, groups, level=level),
        unfinished=rate(~ended, groups, level=level),
        allowance=allowance,
        broken=int((~ran).sum()),
    )


def _turn_or_never(turns: ArrayLike, rows: int) -> Floats:
    """The column, where inf says that the turn never came."""
    array = np.asarray(turns, dtype=np.float64)
    never = np.isposinf(array)
    checked = column(np.where(never, 0.0, array), rows, "decisive")
    return np.where(never, np.inf, checked)
