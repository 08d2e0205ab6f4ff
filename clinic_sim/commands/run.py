"""`clinic-sim run`: a doctor through a pack, shown as it happens, scored, and kept in `runs/`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from clinic_sim.clinic.events import Event
from clinic_sim.clinic.limits import Limits
from clinic_sim.clinic.staffing import StaffPlan
from clinic_sim.clinic.transcript import transcript
from clinic_sim.commands.console import console, print_json
from clinic_sim.commands.results import print_scorecard, print_summary, summary
from clinic_sim.commands.sweeping import carry_out, folder_of
from clinic_sim.sweeps.calls_file import read_calls
from clinic_sim.sweeps.lines import outcome_of
from clinic_sim.sweeps.outcome import Outcome, Setup
from clinic_sim.sweeps.plan import Plan
from clinic_sim.sweeps.plan_files import plan_of
from clinic_sim.sweeps.planned import Sweep
from clinic_sim.sweeps.stage import Done, cast_of
from clinic_sim.sweeps.sweep import Watch, open_store


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What `clinic-sim run` was asked to do."""

    doctor: str
    scenarios: str
    out: Path
    case: str | None = None
    """Only this case; None for all of the pack."""
    seed: int = 0
    limit: int | None = None
    """At most this many cases."""
    rubric: str = "clinic"
    persona: str = "plain"
    quiet: bool = False
    as_json: bool = False
    staff: StaffPlan = field(default_factory=StaffPlan)
    judge: str | None = None
    """The model behind `judged` criteria."""
    votes: int = 1
    limits: Limits = field(default_factory=Limits)
    concurrency: int = 1
    """Episodes at once."""
    cache: Path | None = None
    """SQLite file of replies."""
    record: bool = True
    """Keep every model reply in `calls.jsonl`."""
    replay: Path | None = None
    """Play from this run's recording, without calling any model."""


def run_cases(request: RunRequest) -> int:
    """Run, print, store. Returns 0, or 1 where an episode broke or its judge failed."""
    plan = _plan(request)
    cast = cast_of(plan, replay=request.replay is not None)
    sweep = Sweep.resolve(plan, cast)
    if request.judge and not any(c.check == "judged" for c in sweep.rubric.criteria):
        print(f"rubric {sweep.rubric.name} has no `judged` criteria: its judge is not asked", file=sys.stderr)
    talk = not request.quiet and not request.as_json and request.concurrency == 1
    outcomes: list[Outcome] = []
    store = open_store(sweep, folder_of(sweep, request.out))
    run_id = store.folder.name

    def show(outcome: Outcome) -> None:
        outcomes.append(outcome)
        if request.as_json:
            print_json(summary(run_id, outcome))
        elif talk:
            print_scorecard(outcome.scorecard)

    def done(found: Done) -> None:
        if found.outcome is not None:
            show(found.outcome)

    for planned in sweep.episodes:
        if planned.key in store.places:
            outcome = outcome_of(store.line(planned.key))
            if talk:
                _watcher_of(outcome.episode.case, outcome.episode.language)(outcome.episode.events)
            show(outcome)
    watch = Watch(done=done, episode=_watcher if talk else None)
    replays = read_calls(request.replay) if request.replay else None
    finished = carry_out(sweep, cast, store, watch, replays=replays, plain=talk, silent=not cast.suspends)
    if not request.as_json:
        outcomes.sort(key=lambda o: o.at)
        print_summary(request.doctor, finished.accounts, outcomes)
        console().print(f"\nWritten to {finished.path}")
    return 0 if finished.accounts.whole else 1


def _plan(request: RunRequest) -> Plan:
    source: dict[str, Any] = {"pack": request.scenarios, "limit": request.limit}
    if request.case is not None:
        source["cases"] = [request.case]
    return plan_of(
        {
            "scenarios": [source],
            "doctors": [request.doctor],
            "roles": [asdict(request.staff)],
            "personas": [request.persona],
            "rubric": request.rubric,
            "judge": {"model": request.judge, "votes": request.votes} if request.judge else None,
            "seeds": [request.seed],
            "limits": request.limits,
            "concurrency": request.concurrency,
            "cache": str(request.cache) if request.cache else None,
            "record": request.record,
        }
    )


def _watcher(setup: Setup) -> Callable[[tuple[Event, ...]], None]:
    return _watcher_of(setup.case.id, setup.case.language)


def _watcher_of(case: str, language: str) -> Callable[[tuple[Event, ...]], None]:
    console().print(f"\n── {case} ──", style="bold")

    def show(events: tuple[Event, ...]) -> None:
        console().print(transcript(events, language))

    return show
