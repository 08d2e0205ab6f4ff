"""`Report`: everything a report says, as data: where the episodes went, the tables, the episodes shown in full."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clinic_sim._version import __version__
from clinic_sim.reports import (
    beside,
    breakdown,
    budgets,
    conduct,
    contrasts,
    losses,
    published,
    spending,
    spread,
    summary,
)
from clinic_sim.reports.chosen import choose, failed_lines
from clinic_sim.reports.grouping import Roster
from clinic_sim.reports.shown import Shown
from clinic_sim.reports.statements import Statements
from clinic_sim.reports.table import RunTable
from clinic_sim.reports.tables import Table
from clinic_sim.reports.transcripts import shown_of
from clinic_sim.sweeps.accounts import Accounts
from clinic_sim.sweeps.store import PLAN

REPORT_SCHEMA = 1
EACH = 2
"""Worst and best episodes shown of every doctor."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the numbers come from."""

    name: str
    """Of the run's folder."""
    version: str
    """That played and scored it."""
    code: str
    """Hash of the code that scored it."""
    played_by: str
    """Hash of the code that played it, where that was another."""
    rescored_from: str
    """Name of the run whose episodes were scored again; empty where they were played here."""
    reported_by: str
    """Version that wrote the report."""
    replayed: int
    """Transcripts of other simulators that it consists of; 0 where its episodes were played here."""
    rubric: str
    rubric_hash: str
    judge: str
    shard: str
    plan: str
    """As YAML."""
    cases: tuple[tuple[str, str, str, str], ...]
    """Pack, id, content hash, source."""
    doctors: tuple[tuple[str, str], ...]
    """Short name and full name."""


@dataclass(frozen=True, slots=True)
class Report:
    """One run."""

    provenance: Provenance
    accounts: Accounts
    success: float
    """Total from which a consultation counts as a success in pass^k."""
    tables: Mapping[str, Table]
    episodes: tuple[Shown, ...]
    disagreements: tuple[beside.Disagreement, ...] = ()
    """Where a judge and a check disagree, of the episodes shown."""

    def numbers(self) -> dict[str, Any]:
        """The figures as JSON data; transcripts are named, not repeated."""
        found = self.provenance
        return {
            "schema": REPORT_SCHEMA,
            "run": found.name,
            "clinic_sim": found.version,
            "code": found.code,
            "rubric": {"name": found.rubric, "hash": found.rubric_hash},
            "judge": found.judge or None,
            "doctors": dict(found.doctors),
            "replayed": found.replayed,
            "accounts": self.accounts.to_dict(),
            "success": self.success,
            "tables": {name: table.to_dict() for name, table in self.tables.items()},
            "disagreements": [one.to_dict() for one in self.disagreements],
            "episodes": [
                {"why": e.why, "key": e.key, "doctor": e.doctor, "case": e.case, "total": e.total}
                for e in self.episodes
            ],
        }


def report(folder: Path, *, each: int = EACH, success: float = summary.SUCCESS, judged: Sequence[Path] = ()) -> Report:
    """The report of a run's folder.

    Args:
        each: Worst and best episodes shown of every doctor.
        success: Total from which a consultation counts as a success in pass^k.
        judged: Runs that hold the same episodes scored by other judges: the judge is one of the sources of spread then.

    Raises:
        ConfigError: one of `judged` is of another plan.
        StoreError: it is no run, or cannot be read.
    """
    roster = Roster(RunTable.read(folder))
    episodes, disagreements = _episodes(roster, each)
    return Report(
        provenance(roster),
        roster.table.accounts,
        success,
        {table.name: table for table in _tables(roster, success, [RunTable.read(other) for other in judged])},
        tuple(episodes),
        tuple(disagreements),
    )


def provenance(roster: Roster) -> Provenance:
    """What a run's manifest and plan say."""
    manifest = roster.table.manifest
    plan = roster.table.folder / PLAN
    text = plan.read_text("utf-8") if plan.is_file() else json.dumps(manifest["plan"], ensure_ascii=False, indent=1)
    judge = manifest["judge"] or {}
    return Provenance(
        name=roster.table.folder.resolve().name,
        version=str(manifest["clinic_sim"]),
        code=str(manifest["code"]),
        played_by=str(manifest.get("played_by") or ""),
        rescored_from=str(manifest.get("rescored_from") or ""),
        replayed=int((manifest.get("replayed") or {}).get("matched", 0)),
        reported_by=__version__,
        rubric=str(manifest["rubric"]["name"]),
        rubric_hash=str(manifest["rubric"]["hash"]),
        judge=str(judge.get("model") or judge.get("name") or ""),
        shard=str(manifest["shard"] or ""),
        plan=text,
        cases=tuple(
            (str(about["pack"]), str(case_id), str(about["hash"]), str(about.get("source") or ""))
            for case_id, about in manifest["cases"].items()
        ),
        doctors=tuple(zip(roster.doctors, roster.table.doctors, strict=True)),
    )


def _tables(roster: Roster, success: float, judged: Sequence[RunTable]) -> list[Table]:
    return [
        losses.accounting(roster),
        summary.headline(roster, success),
        published.beside_published(roster),
        beside.agreement(roster),
        contrasts.contrasts(roster),
        summary.repeats(roster, success),
        *(budgets.budget_curve(roster, budget) for budget in budgets.BUDGETS),
        breakdown.by_case(roster),
        breakdown.by_clinic(roster),
        conduct.closing(roster),
        conduct.endings(roster),
        conduct.ordering(roster),
        spread.spread(roster, judged),
        spending.spending(roster),
        spending.models(roster),
        losses.failures(roster),
        losses.unscored(roster),
    ]


def _episodes(roster: Roster, each: int) -> tuple[list[Shown], list[beside.Disagreement]]:
    chosen = choose(roster, each)
    failed = failed_lines(roster, (c.key for c in chosen if c.row is None))
    statements = Statements(roster.table.manifest["plan"]["scenarios"])
    shown: list[Shown] = []
    differing: list[beside.Disagreement] = []
    for n, one in enumerate(chosen):
        data = roster.table.episode(one.row) if one.row is not None else failed.get(one.key, {})
        shown.append(shown_of(roster, one, data, f"x{n}", statements))
        if one.row is not None and roster.table.beside[one.row]:
            differing.extend(beside.disagreements_of(data, roster.doctors[one.doctor], one.key, f"x{n}"))
    return shown, differing
