"""Replayed dialogues as a run: scored episodes in a store of their own, so that it reports and exports like any other.

Its doctors are named, never made: the run cannot be resumed or played again, only written anew from the transcripts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clinic_sim.cases.case import Case
from clinic_sim.cases.compiled import compile_case
from clinic_sim.cases.importers.base import ImportedRecord
from clinic_sim.cases.importers.report import write_pack
from clinic_sim.clinic.episode import Episode
from clinic_sim.clinic.persona import Persona
from clinic_sim.errors import StoreError
from clinic_sim.judge.rubric import Rubric
from clinic_sim.judge.scorecard import Scorecard
from clinic_sim.sweeps.accounts import Accounts
from clinic_sim.sweeps.lines import line_data, line_of
from clinic_sim.sweeps.outcome import Outcome
from clinic_sim.sweeps.plan import Plan, Source
from clinic_sim.sweeps.plan_files import dump_plan
from clinic_sim.sweeps.planned import Sweep
from clinic_sim.sweeps.rows import row_of
from clinic_sim.sweeps.store import RunStore
from clinic_sim.sweeps.sweep import account, rows_of

CASES = "cases"
"""Folder of a replayed run that holds the cases that its episodes are about, as a pack."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """One dialogue, replayed and scored."""

    doctor: str
    """As the plan names it."""
    case: Case
    episode: Episode
    scorecard: Scorecard


def write_replays(
    folder: Path, replayed: Sequence[Replayed], rubric_name: str, rubric: Rubric, about: Mapping[str, Any]
) -> Accounts:
    """Write a run of replayed episodes; each doctor and case once.

    Args:
        folder: The run's own folder.
        rubric_name: As the plan names it: a shipped name or a path.
        about: What stands in the manifest of where the transcripts come from.

    Raises:
        CaseError: the cases cannot be written.
        StoreError: the folder holds another run, or cannot be written.
    """
    cases = tuple({one.case.id: one.case for one in replayed}.values())
    doctors = tuple(dict.fromkeys(one.doctor for one in replayed))
    _check_free(folder)
    pack = str((folder / CASES).resolve())
    plan = Plan(scenarios=(Source(pack=pack),), doctors=doctors, rubric=rubric_name, record=False)
    settings: tuple[tuple[Mapping[str, Any], ...], ...] = tuple(({},) for _ in doctors)
    sweep = Sweep(plan, tuple((CASES, case) for case in cases), (Persona(),), rubric, settings)
    places = {(sweep.cases[p.case][1].id, doctors[p.doctor]): p for p in sweep.episodes}
    with RunStore(folder, sweep.manifest() | {"replayed": dict(about)}, dump_plan(plan), rows_of(sweep)) as store:
        # After the store has refused a folder of another run: its cases are not replaced.
        records = [ImportedRecord(n, case, "imported", case.provenance.missing) for n, case in enumerate(cases)]
        write_pack(records, folder / CASES, title="Cases of replayed dialogues")
        for one in replayed:
            planned = places[one.case.id, one.doctor]
            if planned.key in store.places:
                continue
            outcome = Outcome(one.episode, one.scorecard, one.doctor, at=planned.at)
            data = line_data(outcome)
            row = row_of(planned.key, data, compile_case(one.case))
            store.add(planned.key, planned.at, line_of(planned.key, data), row)
        accounts = account(sweep, store)
        store.close()
    return accounts


def digest(path: Path) -> str:
    """SHA-256 of a file, 16 hex digits."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError as exc:
        raise StoreError(f"{path}: cannot be read: {exc.strerror or exc}") from exc


def _check_free(folder: Path) -> None:
    """Whatever else the folder holds stays untouched.

    Raises:
        StoreError: it is not empty and no replayed run.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / CASES).is_dir():
        raise StoreError(f"{folder}: is not empty and no run of replayed dialogues; choose another --out")
