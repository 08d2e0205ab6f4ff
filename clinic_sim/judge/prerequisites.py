"""What a criterion's prerequisites leave of it: it stands, it is not met, it is unscored, or it does not apply."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final, Literal

from clinic_sim.judge.rubric import Criterion
from clinic_sim.judge.scheme import Need, Scheme
from clinic_sim.judge.scorecard import Status, Verdict


class _Standing(Enum):
    HOLDS = "holds"


HOLDS: Final = _Standing.HOLDS
"""The criterion is checked as it stands."""


def settle(scheme: Scheme, look: Callable[[int], Verdict | None]) -> list[Verdict | None]:
    """A verdict for each place of a scheme, each behind those that it needs; None where a criterion does not apply.

    Args:
        scheme: The rubric for the case.
        look: The verdict at a place, its prerequisites aside; asked only where they are met.
    """
    found: list[Verdict | None] = [None] * len(scheme.criteria)
    for n in scheme.order:
        stands = standing(scheme.criteria[n], scheme.needs[n], found) if scheme.needs[n] else HOLDS
        found[n] = look(n) if stands is HOLDS else stands
    return found


def standing(
    criterion: Criterion, needs: Sequence[Need], found: Sequence[Verdict | None]
) -> Verdict | Literal[_Standing.HOLDS] | None:
    """The verdict that prerequisites leave; None where the criterion does not apply; `HOLDS` where they are met.

    An unmet prerequisite decides, whatever else is unscored: no verdict on the rest could make up for it.
    """
    missed: list[Verdict] = []
    unscored: Verdict | None = None
    for need in needs:
        own = [v for n in need.places if (v := found[n]) is not None]
        if not own:
            if need.any:
                return None  # there is nothing to meet in this episode
            continue
        met = [v for v in own if v.status is Status.MET]
        open_ = [v for v in own if v.status is Status.UNSCORED]
        if len(met) == len(own) or (need.any and met):
            continue
        unmet = [v for v in own if v.status is Status.NOT_MET]
        if (unmet and not need.any) or not open_:
            missed += unmet
        else:
            unscored = unscored or open_[0]
    if missed:
        return _unmet(criterion, missed)
    if unscored is None:
        return HOLDS
    return Verdict(
        criterion.id,
        criterion.dimension,
        Status.UNSCORED,
        criterion.points,
        None,
        reason=f"requires {unscored.criterion}, which is unscored",
        failure=unscored.failure,
        beside=criterion.beside,
    )


def _unmet(criterion: Criterion, missed: Sequence[Verdict]) -> Verdict | None:
    if criterion.points < 0:
        return None
    names = ", ".join(v.criterion for v in missed[:3]) + (" and others" if len(missed) > 3 else "")
    return Verdict(
        criterion.id,
        criterion.dimension,
        Status.NOT_MET,
        criterion.points,
        0.0,
        reason=f"counts only with {names}, which {'was' if len(missed) == 1 else 'were'} not met",
        beside=criterion.beside,
    )
