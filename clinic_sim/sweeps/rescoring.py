"""`rescore`: the episodes of a run judged again, under another rubric or by another judge, without being played again.

The result is a run of its own beside the first, so that it resumes, reports, compares and exports like any other.
"""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from clinic_sim.cases.compiled import compile_case
from clinic_sim.clinic.driving import new_loop
from clinic_sim.clinic.episode import Episode
from clinic_sim.errors import CostCapReached, JudgeError, StoreError
from clinic_sim.judge.scorecard import JUDGE_FAILED
from clinic_sim.models.calls import Calls, Waiting
from clinic_sim.sweeps.accounts import Accounts
from clinic_sim.sweeps.cast import Cast
from clinic_sim.sweeps.interrupts import cancelled_by_interrupt
from clinic_sim.sweeps.journal import FOLDER, Journal
from clinic_sim.sweeps.lines import line_of
from clinic_sim.sweeps.local import side_by_side
from clinic_sim.sweeps.manifest import read_manifest
from clinic_sim.sweeps.planned import Planned, Sweep
from clinic_sim.sweeps.rows import row_of
from clinic_sim.sweeps.source import SourceRun
from clinic_sim.sweeps.spending import Spending, check_prices
from clinic_sim.sweeps.store import FAILURES, RunStore
from clinic_sim.sweeps.sweep import Finished, account


def rescored_manifest(sweep: Sweep, source: Path) -> dict[str, Any]:
    """The manifest of a rescored run: that of its plan, and where its episodes come from.

    Raises:
        StoreError: the source's cases are not those that are there now.
    """
    old, new = read_manifest(source), sweep.manifest()
    changed = [c for c, about in new["cases"].items() if old["cases"].get(c, {}).get("hash") != about["hash"]]
    if changed:
        raise StoreError(
            f"{source}: cases have changed since it was played, so that its transcripts cannot be scored against them: "
            f"{', '.join(changed[:8])}"
        )
    kept = {name: old[name] for name in ("replayed",) if name in old}  # where transcripts of others come from
    return (
        new | kept | {"models": old.get("models", []), "played_by": old["code"], "rescored_from": source.resolve().name}
    )


def rescore(
    sweep: Sweep,
    cast: Cast,
    source: Path,
    store: RunStore,
    *,
    begun: Callable[[RunStore, Accounts, Spending], None] | None = None,
    waiting: Waiting | None = None,
) -> Finished:
    """Judge the finished episodes of a run into a store of their own. The cast is closed, whatever happens.

    An episode that the same rubric and judge have scored already keeps its scorecard, unless a judge failed on it.

    Args:
        sweep: The source's plan with the rubric and judge that are wanted.
        store: Open, with `rescored_manifest`.

    Raises:
        JudgeError: an episode is of another case than the plan's.
        StoreError: the source cannot be read, or the store not written.
    """
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(_rescore(sweep, cast, SourceRun(source), store, begun, waiting))


async def _rescore(
    sweep: Sweep,
    cast: Cast,
    source: SourceRun,
    store: RunStore,
    begun: Callable[[RunStore, Accounts, Spending], None] | None,
    waiting: Waiting | None,
) -> Finished:
    plan = sweep.plan
    spending = Spending(store.spent, plan.max_cost)
    try:
        check_prices(cast, plan.max_cost)
        store.settle_finished(record=plan.record)
        if (source.folder / FAILURES).exists() and not (store.folder / FAILURES).exists():
            shutil.copyfile(source.folder / FAILURES, store.folder / FAILURES)
        accounts = account(sweep, store)
        accounts.failed = Counter(failure["kind"] for failure in source.failures())
        if begun:
            begun(store, accounts, spending)

        async def one(planned: Planned) -> None:
            if spending.reached:
                return
            data = source.line(planned.key)
            judged = await _judged(data, sweep, cast, planned, store.folder, spending, waiting)
            if judged is None:
                return  # the cap of cost
            case = compile_case(sweep.cases[planned.case][1])
            row = row_of(planned.key, judged, case)
            store.add(planned.key, planned.at, line_of(planned.key, judged), row)
            store.settle(planned.key, record=plan.record)
            accounts.completed += 1
            if row["unscored"]:
                accounts.unscored[row["unscored"]] += 1
            await asyncio.sleep(0)  # checks never wait: Ctrl-C gets its turn here

        owed = [p for p in sweep.episodes if p.key not in store.places and p.key in source.places]
        with cancelled_by_interrupt():
            await side_by_side(owed, one, plan.concurrency if cast.judge.suspends else 1)
    finally:
        await cast.aclose()
    path = store.close()
    return Finished(path, accounts, spending.spent, spending.unknown, spending.reached)


async def _judged(
    data: dict[str, Any],
    sweep: Sweep,
    cast: Cast,
    planned: Planned,
    folder: Path,
    spending: Spending,
    waiting: Waiting | None,
) -> dict[str, Any] | None:
    """The line's data with the scorecard that is wanted; None where the cap of cost is reached."""
    judge = cast.judge
    if _same(data, sweep.rubric.content_hash, dict(judge.settings)):
        return {k: v for k, v in data.items() if k != "key"}
    case = sweep.cases[planned.case][1]
    journal = Journal(folder / FOLDER / f"{planned.key}.jsonl") if judge.suspends else None
    name = f"{case.id}:{planned.seed}"
    calls = Calls(name, tape=journal.tape() if journal else None, waiting=waiting, gate=spending.check)
    spending.begin(calls)
    try:
        episode = Episode.from_dict(data["episode"])
        card = await judge.judge(case, episode, calls)
    except CostCapReached:
        return None
    except (KeyError, TypeError, ValueError) as exc:
        raise JudgeError(f"episode {planned.key} ({name}) is no transcript of this version: {exc}") from exc
    finally:
        spending.end(calls)
        if journal is not None:
            journal.close()
    return {
        **{k: v for k, v in data.items() if k != "key"},
        "scorecard": card.to_dict(),
        "models": _with(data["models"], "judge", dict(judge.settings)),
        "usage": _with(data["usage"], "judge", calls.to_dict().get("judge")),
    }


def _same(data: Mapping[str, Any], rubric_hash: str, settings: dict[str, Any]) -> bool:
    card = data["scorecard"]
    same = card["rubric_hash"] == rubric_hash and data["models"].get("judge", {}) == settings
    return same and not card["failure"].startswith(JUDGE_FAILED)


def _with(own: Mapping[str, Any], role: str, value: Any) -> dict[str, Any]:
    rest = {k: v for k, v in own.items() if k != role}
    return {**rest, role: value} if value else rest
