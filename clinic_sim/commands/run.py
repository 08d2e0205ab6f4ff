"""`clinic-sim run`: a doctor through a pack, shown as it happens, scored, and kept in `runs/`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from clinic_sim._version import __version__
from clinic_sim.cases.packs import load_pack
from clinic_sim.clinic.driving import new_loop
from clinic_sim.clinic.events import Event
from clinic_sim.clinic.limits import Limits
from clinic_sim.clinic.persona import find_persona
from clinic_sim.clinic.staffing import StaffPlan
from clinic_sim.clinic.transcript import transcript
from clinic_sim.commands.cast import Cast, make_cast
from clinic_sim.commands.console import console, print_json
from clinic_sim.commands.progress import Progress, shown
from clinic_sim.commands.results import print_scorecard, print_summary, summary
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.models.calls import Waiting
from clinic_sim.sweeps.code import code_hash
from clinic_sim.sweeps.recording import FILE, Recording
from clinic_sim.sweeps.runner import Outcome, Setup, run_batch
from clinic_sim.sweeps.store import RunStore


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
    pack = load_pack(request.scenarios)
    cases = (pack.case(request.case),) if request.case is not None else pack.cases
    cases = cases[: request.limit]
    persona = find_persona(request.persona)
    rubric = load_rubric(request.rubric)
    cast = make_cast(
        request.doctor,
        request.staff,
        rubric,
        request.judge,
        votes=request.votes,
        cache=request.cache,
        replay=request.replay is not None,
    )
    plan: dict[str, Any] = {
        "clinic_sim": __version__,
        "code": code_hash(),
        "doctor": request.doctor,
        "scenarios": pack.name,
        "cases": {c.id: c.content_hash for c in cases},
        "seed": request.seed,
        "rubric": {"name": rubric.name, "hash": rubric.content_hash},
        "persona": persona.name,
        "limits": request.limits.model_dump(mode="json"),
        "staff": asdict(request.staff),
        "judge": {"model": request.judge, "votes": request.votes} if request.judge else None,
    }
    if cast.settings:
        # Names alone do not tell two servers apart, whose address may come from the environment.
        plan["models"] = cast.settings
    if request.judge and not any(c.check == "judged" for c in rubric.criteria):
        print(f"rubric {rubric.name} has no `judged` criteria: its judge is not asked", file=sys.stderr)
    outcomes: list[Outcome | None] = [None] * len(cases)
    talk = not request.quiet and not request.as_json and request.concurrency == 1
    with ExitStack() as stack:
        store = stack.enter_context(RunStore(request.out, plan))
        recording = stack.enter_context(_recording(request, cast, store.folder))
        waiting = Waiting()
        progress = Progress(len(cases), waiting)
        tape = recording.tape if cast.suspends or request.replay else None
        setups = [
            Setup(f"{c.id}:{request.seed}", c, cast.doctor, request.seed, cast.staff, persona, request.limits, tape)
            for c in cases
        ]

        def done(at: int, outcome: Outcome) -> None:
            store.add(outcome, at)
            outcomes[at] = outcome
            progress.done += 1
            progress.failed += bool(outcome.failure)
            if request.as_json:
                print_json(summary(store.run_id, outcome))
            elif talk:
                print_scorecard(outcome.scorecard)

        async def batch() -> None:
            async with shown(progress, silent=not cast.suspends, plain=talk):
                try:
                    await run_batch(
                        setups,
                        cast.judge,
                        done,
                        concurrency=request.concurrency,
                        waiting=waiting,
                        watch=_watcher if talk else None,
                    )
                finally:
                    await cast.aclose()

        try:
            with asyncio.Runner(loop_factory=new_loop) as runner:
                runner.run(batch())
        except BaseException:
            _say_what_is_kept(len(cases), store, recording)
            raise
        path = store.close()
        recording.publish(store.folder / FILE)
    finished = [o for o in outcomes if o is not None]
    if not request.as_json:
        print_summary(request.doctor, len(cases), finished)
        console().print(f"\nWritten to {path}")
    return 1 if any(o.failure or o.scorecard.failure for o in finished) else 0


def _say_what_is_kept(planned: int, store: RunStore, recording: Recording) -> None:
    """Where an interrupted run left what it finished and what it paid for."""
    with suppress(OSError):
        if store.finished:
            print(f"{store.finished} of {planned} episodes are finished, in {store.part}", file=sys.stderr)
        if recording.holds_calls:
            print(f"the models' replies so far are in {recording.target}", file=sys.stderr)


def _recording(request: RunRequest, cast: Cast, folder: Path) -> Recording:
    """What is replayed, and where new calls go: beside the episodes, as they arrive."""
    record = request.record and (cast.suspends or request.replay is not None)
    return Recording(request.replay, folder if record else None, only_replay=request.replay is not None)


def _watcher(setup: Setup) -> Callable[[tuple[Event, ...]], None]:
    console().print(f"\n── {setup.case.id} ──", style="bold")

    def show(events: tuple[Event, ...]) -> None:
        console().print(transcript(events, setup.case.language))

    return show
