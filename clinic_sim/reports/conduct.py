"""How doctors worked: when they closed, how consultations ended, and how they ordered."""

from __future__ import annotations

from collections import Counter
from itertools import compress

import numpy as np

from clinic_sim.reports.closure import ALLOWANCE
from clinic_sim.reports.grouping import Roster
from clinic_sim.reports.stats import Endings, Orders, Stewardship, closure, stewardship
from clinic_sim.reports.tables import Column, Kind, Note, Table, estimated, rated


def closing(roster: Roster) -> Table:
    """Closure by doctor."""
    ints = roster.table.ints
    rows = []
    for doctor, mask in _played(roster):
        turns = ints["turns"][mask].astype(np.float64)
        concluded = np.where(roster.table.concluded[mask], turns, np.nan)
        known, wanted = ints["basis"][mask], ints["basis_of"][mask]
        # Whether all of it was known in the end is what premature closure asks; the turn itself is not kept.
        decisive = np.where(wanted == 0, np.nan, np.where(known >= wanted, 0.0, np.inf))
        last_new = np.maximum(turns - 1 - ints["after_last_new"][mask], 0)
        found = closure(
            Endings(
                roster.cases.where(mask),
                turns,
                concluded,
                decisive,
                last_new,
                np.minimum(ints["courtesy"][mask], turns),
                np.array([reason == "patient_left" for reason in compress(roster.table.ended, mask)], dtype=np.float64),
            )
        )
        rows.append(
            (
                roster.doctors[doctor],
                rated(found.premature),
                rated(found.late),
                estimated(found.late_turns),
                rated(found.courtesy),
                rated(found.left),
                rated(found.unfinished),
            )
        )
    columns = (
        Column("doctor"),
        Column("premature", Kind.PERCENT),
        Column("late", Kind.PERCENT),
        Column("late_turns", Kind.NUMBER),
        Column("courtesy", Kind.PERCENT),
        Column("patient_left", Kind.PERCENT),
        Column("unfinished", Kind.PERCENT),
    )
    return Table("closure", columns, tuple(rows), (Note.of("note.closure", allowance=ALLOWANCE),))


def endings(roster: Roster) -> Table:
    """How often each doctor's consultations ended in each way."""
    reasons = sorted(set(roster.table.ended))
    rows = []
    for doctor, mask in _played(roster):
        counts = Counter(compress(roster.table.ended, mask))
        rows.append((roster.doctors[doctor], *(counts[reason] for reason in reasons), int(mask.sum())))
    columns = (Column("doctor"), *(Column(f"ended:{r}", Kind.COUNT) for r in reasons), Column("episodes", Kind.COUNT))
    return Table("endings", columns, tuple(rows))


def ordering(roster: Roster) -> Table:
    """Exam stewardship by doctor; micro averages, where every order counts alike."""
    rows = []
    for doctor, mask in _played(roster):
        found = _stewardship(roster, mask)
        rows.append(
            (
                roster.doctors[doctor],
                *(estimated(s.micro) for s in (found.recall, found.precision, found.redundant, found.contraindicated)),
                estimated(found.orders),
                estimated(found.cost),
            )
        )
    columns = (
        Column("doctor"),
        Column("recall", Kind.PERCENT),
        Column("precision", Kind.PERCENT),
        Column("redundant", Kind.PERCENT),
        Column("contraindicated", Kind.PERCENT),
        Column("orders", Kind.NUMBER),
        Column("exam_money", Kind.MONEY),
    )
    return Table("stewardship", columns, tuple(rows), (Note.of("note.stewardship"),))


def _stewardship(roster: Roster, mask: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Stewardship:
    ints = {name: column[mask] for name, column in roster.table.ints.items()}
    made = ints["orders"] + ints["redundant"]
    return stewardship(
        Orders(
            cases=roster.cases.where(mask),
            essential=ints["essential_of"],
            found=ints["essential"],
            orders=made,
            useful=ints["useful"],
            redundant=ints["redundant"],
            # One order can offend against several criteria; it is one order.
            contraindicated=np.minimum(ints["harmful_orders"], made),
            cost=roster.table.floats["money"][mask],
        )
    )


def _played(roster: Roster) -> list[tuple[int, np.ndarray[tuple[int], np.dtype[np.bool_]]]]:
    """Doctors with finished episodes, the best first, and their rows."""
    return [(doctor, roster.masks[doctor]) for doctor in roster.ranked if roster.masks[doctor].any()]
