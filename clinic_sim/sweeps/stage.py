"""`Stage`: what plays the episodes of a sweep in one process: cast, journals, spending. Engines feed it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from clinic_sim.cases.compiled import compile_case
from clinic_sim.errors import CostCapReached
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.models.calls import Calls, Waiting
from clinic_sim.sweeps import failures
from clinic_sim.sweeps.cast import Cast, make_cast
from clinic_sim.sweeps.journal import FOLDER, Journal
from clinic_sim.sweeps.lines import line_data, line_of
from clinic_sim.sweeps.outcome import Outcome, Setup
from clinic_sim.sweeps.plan import Plan
from clinic_sim.sweeps.planned import Planned, Sweep
from clinic_sim.sweeps.rows import row_of
from clinic_sim.sweeps.runner import Watcher, play_setup
from clinic_sim.sweeps.spending import Spending

Replays = Mapping[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one planned episode in this run: finished, failed for now, or left owed."""

    planned: Planned
    line: bytes = b""
    """Empty where it is not finished."""
    row: Mapping[str, Any] = field(default_factory=dict)
    failures: tuple[Mapping[str, Any], ...] = ()
    """Each failed attempt, in order."""
    outcome: Outcome | None = None
    """For whoever watches in the same process; a worker process does not send it."""


class Stage:
    """Plays episodes.

    Args:
        sweep: What is played.
        cast: Who plays it.
        folder: The run's folder, for journals.
        spending: The run's cost and cap.
        waiting: Where the progress line sees what is being waited for.
        replays: Recorded calls by episode, of another run: nothing else is played.
    """

    def __init__(
        self,
        sweep: Sweep,
        cast: Cast,
        folder: Path,
        spending: Spending,
        waiting: Waiting | None = None,
        replays: Replays | None = None,
    ) -> None:
        self.sweep = sweep
        self.cast = cast
        self.spending = spending
        self.folder = folder
        self.waiting = waiting
        self.replays = replays

    def setup(self, planned: Planned) -> Setup:
        """A planned episode, ready to be played."""
        sweep, plan = self.sweep, self.sweep.plan
        case = sweep.cases[planned.case][1]
        seat = self.cast.doctors[planned.doctor]
        # The name tells apart what the plan tells apart.
        parts = [case.id, seat.name] if len(plan.doctors) > 1 else [case.id]
        if len(plan.roles) > 1:
            parts.append(f"roles {planned.roles + 1}")
        if len(plan.personas) > 1:
            parts.append(sweep.personas[planned.persona].name)
        parts.append(str(planned.seed))
        if plan.repeats > 1:
            parts.append(f"repeat {planned.repeat + 1}")
        return Setup(
            ":".join(parts),
            case,
            seat.make,
            planned.seed,
            self.cast.staffs[planned.roles],
            sweep.personas[planned.persona],
            plan.limits,
            planned.repeat,
            planned.key,
            planned.at,
        )

    async def play(self, planned: Planned, watch: Callable[[Setup], Watcher] | None = None) -> Done:
        """Play one episode, again where the plan says so.

        Raises:
            StoreError: what it was told cannot be recorded.
        """
        setup = self.setup(planned)
        failed: list[Mapping[str, Any]] = []
        for attempt in range(1, self.sweep.plan.retries + 2):
            outcome = await self._attempt(setup, watch)
            if outcome is None:
                break  # the cap of cost: it stays owed
            if not outcome.failure:
                told = tuple(f"{f['kind']}: {f['message']}"[:500] for f in failed)
                data = line_data(replace(outcome, attempts=told))
                row = row_of(planned.key, data, compile_case(setup.case))
                return Done(planned, line_of(planned.key, data), row, tuple(failed), outcome)
            record = failures.of_outcome(outcome, setup, attempt)
            failed.append(record)
            if not record["resumable"]:
                self._path(setup).unlink(missing_ok=True)
            if attempt > self.sweep.plan.retries:
                return Done(planned, failures=tuple(failed), outcome=outcome)
            if record["resumable"] and self.cast.suspends:
                self.spending.recount(record["cost"] or 0.0)
        return Done(planned, failures=tuple(failed))

    async def _attempt(self, setup: Setup, watch: Callable[[Setup], Watcher] | None) -> Outcome | None:
        journal = self._journal(setup)
        tape = journal.tape() if journal is not None else None
        calls = Calls(setup.name, tape=tape, waiting=self.waiting, gate=self.spending.check)
        self.spending.begin(calls)
        try:
            return await play_setup(setup, self.cast.judge, calls, journal, watch(setup) if watch else None)
        except CostCapReached:
            return None
        finally:
            self.spending.end(calls)
            if journal is not None:
                journal.close()

    def _journal(self, setup: Setup) -> Journal | None:
        if self.replays is not None:
            return Journal(None, self.replays.get(setup.key, []), only_replay=True)
        return Journal(self._path(setup)) if self.cast.suspends else None

    def _path(self, setup: Setup) -> Path:
        return self.folder / FOLDER / f"{setup.key}.jsonl"


def cast_of(plan: Plan, *, replay: bool = False, judge_only: bool = False) -> Cast:
    """The cast that a plan names.

    Args:
        replay: Models are named, not called, so that no key is needed.
        judge_only: Nobody but the judge is there; the doctors' and the clinic's places are empty.

    Raises:
        ConfigError: a name is neither a baseline nor a model, or a key is missing.
        RubricError: the rubric cannot be used.
    """
    return make_cast(
        () if judge_only else plan.doctors,
        () if judge_only else [roles.staff() for roles in plan.roles],
        load_rubric(plan.rubric),
        plan.judge.model if plan.judge else None,
        votes=plan.judge.votes if plan.judge else 1,
        cache=Path(plan.cache) if plan.cache else None,
        replay=replay,
    )
