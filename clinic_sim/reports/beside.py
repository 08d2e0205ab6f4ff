"""The judge beside the checks: where a model judge and a verifiable check looked at the same thing, how often they
agree, and every disagreement with the reasons of both.

Neither is taken for the truth: a check may read words too narrowly, a judge too kindly. Verdicts of which one side is
unscored are counted apart and compare nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from clinic_sim.judge.agreement import cohen_kappa
from clinic_sim.judge.scorecard import Beside, Scorecard, Status
from clinic_sim.reports.grouping import Roster
from clinic_sim.reports.rates import rate
from clinic_sim.reports.tables import Column, Kind, Note, Table, rated

MOST_REASONS = 3
"""Reasons of a check that generated several criteria."""
_EVERY = "all"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One thing that the judge and the check see differently."""

    doctor: str
    case: str
    key: str
    """Of the episode."""
    anchor: str
    """Of the judge's verdict in the page."""
    criterion: str
    judged: str
    reason: str
    quote: str
    check: str
    """The verifiable criterion."""
    found: str
    degree: float | None
    check_reason: str

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "doctor": self.doctor,
            "case": self.case,
            "key": self.key,
            "criterion": self.criterion,
            "judge": {"status": self.judged, "reason": self.reason, "quote": self.quote},
            "check": {
                "criterion": self.check,
                "status": self.found,
                "value": self.degree,
                "reason": self.check_reason,
            },
        }


def agreement(roster: Roster) -> Table:
    """One row a judged criterion that has a check beside it, and one for all of them."""
    pairs = _pairs(roster)
    rows = [_row(criterion, check, found, roster) for (criterion, check), found in sorted(pairs.items())]
    if len(rows) > 1:
        rows.append(_row(_EVERY, "", [one for found in pairs.values() for one in found], roster))
    columns = (
        Column("judged_criterion"),
        Column("check"),
        Column("compared", Kind.COUNT),
        Column("agreement", Kind.PERCENT),
        Column("kappa", Kind.SCORE),
        Column("both_met", Kind.COUNT),
        Column("judge_only", Kind.COUNT),
        Column("check_only", Kind.COUNT),
        Column("neither", Kind.COUNT),
        Column("unscored", Kind.COUNT),
    )
    return Table("beside", columns, tuple(rows), (Note.of("note.beside"),), lead=2)


def disagreeing(roster: Roster) -> list[int]:
    """Rows of episodes in which the two disagree, in the plan's order."""
    found = [n for n, pairs in enumerate(roster.table.beside) if any(_differ(j, c) for _, _, j, c in pairs)]
    return sorted(found, key=lambda n: int(roster.table.ints["at"][n]))


def disagreements_of(data: Mapping[str, Any], doctor: str, key: str, anchor: str) -> Iterator[Disagreement]:
    """The disagreements of one episode.

    Args:
        data: Its line in `episodes.jsonl`.
        anchor: What its places in the page are named after.
    """
    card = Scorecard.from_dict(data["scorecard"])
    for pair in card.beside:
        if pair.agree is not False:
            continue
        place = card.verdicts.index(pair.judged)
        yield Disagreement(
            doctor=doctor,
            case=card.case,
            key=key,
            anchor=f"{anchor}-v{place}",
            criterion=pair.judged.criterion,
            judged=str(pair.judged.status),
            reason=pair.judged.reason,
            quote=pair.judged.quote,
            check=pair.criterion,
            found=str(pair.status),
            degree=pair.value,
            check_reason=_reasons(card, pair),
        )


def _reasons(card: Scorecard, pair: Beside) -> str:
    """What the check says, of several criteria those that decided it first."""
    name = pair.criterion
    own = [v for v in card.verdicts if (v.criterion == name or v.criterion.startswith(f"{name}.")) and v.reason]
    own.sort(key=lambda v: (v.status is not pair.status, -abs(v.points)))
    listed = "; ".join(v.reason for v in own[:MOST_REASONS])
    return f"{listed}; +{len(own) - MOST_REASONS}" if len(own) > MOST_REASONS else listed


_Found = tuple[int, str, str]
"""Row of the episode, the judge's status and the check's."""


def _pairs(roster: Roster) -> dict[tuple[str, str], list[_Found]]:
    pairs: dict[tuple[str, str], list[_Found]] = {}
    for row, found in enumerate(roster.table.beside):
        for criterion, check, judged, checked in found:
            pairs.setdefault((criterion, check), []).append((row, judged, checked))
    return pairs


def _row(criterion: str, check: str, found: list[_Found], roster: Roster) -> tuple[Any, ...]:
    scored = [one for one in found if Status.UNSCORED not in one[1:]]
    judge = [judged == Status.MET for _, judged, _ in scored]
    checks = [checked == Status.MET for _, _, checked in scored]
    same = np.array([a == b for a, b in zip(judge, checks, strict=True)], dtype=np.float64)
    cases = roster.table.factors["case"][[row for row, _, _ in scored]] if scored else np.empty(0, dtype=np.int64)
    cells = [sum(j is a and c is b for j, c in zip(judge, checks, strict=True)) for a, b in _CELLS]
    kappa = cohen_kappa(judge, checks, (False, True))
    return (criterion, check, len(scored), rated(rate(same, cases)), kappa, *cells, len(found) - len(scored))


_CELLS = ((True, True), (True, False), (False, True), (False, False))


def _differ(judged: str, checked: str) -> bool:
    return Status.UNSCORED not in (judged, checked) and judged != checked
