"""Which doctors of two runs are compared, and which of their consultations are the same one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from clinic_sim.errors import ConfigError
from clinic_sim.reports.clusters import Flags, Floats, Groups
from clinic_sim.reports.grouping import Roster
from clinic_sim.reports.stats import Arm, Pairs, pair

_NAMED = ("persona", "roles")
_NUMBERED = ("seed", "repeat")


@dataclass(frozen=True, slots=True)
class Match:
    """One doctor of the first run against one of the second, by their places in the plans."""

    first: int
    second: int


def match_doctors(first: Roster, second: Roster, a: str | None, b: str | None) -> list[Match]:
    """The doctors to compare: those named, else those that both runs have, else the only one of each.

    Raises:
        ConfigError: a doctor is unknown, or the runs share none and must be told which to compare.
    """
    if a is not None or b is not None:
        return [Match(_find(first, a or b or "", "--a"), _find(second, b or a or "", "--b"))]
    shared = _shared(first, second)
    if shared:
        return shared
    if len(first.doctors) == len(second.doctors) == 1:
        return [Match(0, 0)]
    raise ConfigError(
        f"the runs share no doctor: choose one of each with --a and --b; the first has {', '.join(first.doctors)}, "
        f"the second {', '.join(second.doctors)}"
    )


def _shared(first: Roster, second: Roster) -> list[Match]:
    """Doctors of one name; else of one name without its parameters, such as a server's address."""
    found = {n: second.table.doctors.index(d) for n, d in enumerate(first.table.doctors) if d in second.table.doctors}
    for n, short in enumerate(first.doctors):
        if n not in found and short in second.doctors:
            place = second.doctors.index(short)
            if place not in found.values():
                found[n] = place
    return [Match(n, found[n]) for n in sorted(found)]


@dataclass(frozen=True)
class Matched:
    """The consultations of two runs side by side.

    A persona, clinic, seed or repeat is matched by its name. Where each run has but one of a kind, these two are
    matched whatever their names: the difference between them is then what is compared.
    """

    first: Roster
    second: Roster

    def changed(self) -> frozenset[str]:
        """Cases that both runs name and whose content differs."""
        ours, theirs = (r.table.manifest["cases"] for r in (self.first, self.second))
        return frozenset(case for case in ours if case in theirs and ours[case]["hash"] != theirs[case]["hash"])

    def pairs(self, match: Match, name: str) -> Pairs:
        """Consultations of the same case and content, by their values in a column."""
        return pair(*self._arms(match, name, changed=False))

    def values_of_first(self, match: Match, name: str) -> Pairs:
        """The same pairs, their first value in the place of the difference."""
        a, b = self._arms(match, name, changed=False)
        theirs = np.asarray(b.scores, dtype=np.float64)
        return pair(a, replace(b, scores=np.where(np.isnan(theirs), np.nan, 0.0)))

    def unpaired(self, match: Match) -> dict[str, int]:
        """Consultations without a pair that both scored, by reason."""
        found = {reason: n for reason, n in self.pairs(match, "total").dropped.items() if n}
        changed = pair(*self._arms(match, "total", changed=True)).keys
        return found | ({"case_changed": changed} if changed else {})

    def same_episodes(self, match: Match) -> int:
        """Episodes of one key in both runs: nothing that determines the consultation differs."""
        ours, theirs = (
            {roster.table.keys[row] for row in np.flatnonzero(roster.masks[doctor])}
            for roster, doctor in ((self.first, match.first), (self.second, match.second))
        )
        return len(ours & theirs)

    def _arms(self, match: Match, name: str, *, changed: bool) -> tuple[Arm, Arm]:
        cases = self.changed()
        sides = ((self.first, match.first), (self.second, match.second))
        single = [f for f in (*_NAMED, *_NUMBERED) if all(_levels(roster, f) == 1 for roster, _ in sides)]
        arms = []
        for roster, doctor in sides:
            of_changed = np.array([case in cases for case in roster.cases.names], dtype=bool)[roster.cases.codes]
            mask = roster.masks[doctor] & (of_changed == changed)
            arms.append(Arm(roster.cases.where(mask), _keys(roster, mask, single), _values(roster, name)[mask]))
        return arms[0], arms[1]


def _values(roster: Roster, name: str) -> Floats:
    """A column; `safety` only where there is a total."""
    values = roster.column(name)
    return np.where(np.isnan(roster.table.floats["total"]), np.nan, values) if name == "safety" else values


def _keys(roster: Roster, mask: Flags, single: Sequence[str]) -> tuple[Groups, ...]:
    table = roster.table
    labels = {"persona": table.personas, "roles": roster.clinics}
    return tuple(
        Groups.of([labels[name][code] for code in table.factors[name][mask].tolist()])
        if name in _NAMED
        else Groups.of(table.factors[name][mask])
        for name in (*_NAMED, *_NUMBERED)
        if name not in single
    )


def _levels(roster: Roster, name: str) -> int:
    plan = roster.table.manifest["plan"]
    return {
        "persona": len(plan["personas"]),
        "roles": len(plan["roles"]),
        "seed": len(plan["seeds"]),
        "repeat": int(plan["repeats"]),
    }[name]


def _find(roster: Roster, name: str, option: str) -> int:
    for names in (roster.table.doctors, list(roster.doctors)):
        if name in names:
            return names.index(name)
    raise ConfigError(f"{option} {name!r}: the run {roster.table.folder} has {', '.join(roster.doctors)}")
