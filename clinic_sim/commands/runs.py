"""`clinic-sim rescore`, `merge` and `export`: what is done with runs that were played."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from clinic_sim.commands.console import console, print_json
from clinic_sim.commands.progress import Progress, shown
from clinic_sim.errors import ConfigError
from clinic_sim.models.calls import Waiting
from clinic_sim.sweeps.manifest import read_manifest
from clinic_sim.sweeps.merging import merge_runs
from clinic_sim.sweeps.plan_files import dump_plan, load_plan
from clinic_sim.sweeps.planned import Shard, Sweep
from clinic_sim.sweeps.rescoring import rescore, rescored_manifest
from clinic_sim.sweeps.stage import cast_of
from clinic_sim.sweeps.store import PLAN, RunStore
from clinic_sim.sweeps.sweep import rows_of


def rescore_run(
    folder: Path, out: Path | None, overrides: Mapping[str, Any], *, no_judge: bool, quiet: bool, as_json: bool
) -> int:
    """Judge a run's episodes again. Returns 0, or 1 where some are unscored.

    Args:
        out: The new run's folder; None for one beside the first.
        overrides: `rubric`, `judge` and how it is carried out.
        no_judge: The new rubric needs no model.
    """
    manifest = read_manifest(folder)
    if not (folder / PLAN).is_file():
        raise ConfigError(f"{folder}: holds no {PLAN}, which says what was played")
    plan = load_plan(folder / PLAN, overrides)
    if no_judge:
        plan = plan.model_copy(update={"judge": None})
    shard = Shard.parse(manifest["shard"]) if manifest.get("shard") else None
    # The doctors and the clinic are only named: nobody but the judge is called.
    named = cast_of(plan, replay=True)
    sweep = Sweep.resolve(plan, named, shard)
    about = rescored_manifest(sweep, folder)
    target = out or folder.with_name(f"{folder.resolve().name}-rescored-{sweep.rubric.name}")
    if target.resolve() == folder.resolve():
        raise ConfigError(f"{folder}: a rescored run needs a folder of its own; name another --out")
    cast = cast_of(plan, judge_only=True)
    waiting = Waiting()
    with shown() as line, RunStore(target, about, dump_plan(plan), rows_of(sweep)) as store:
        finished = rescore(
            sweep,
            cast,
            folder,
            store,
            begun=lambda _, accounts, spending: None if quiet else line.start(Progress(accounts, waiting, spending)),
            waiting=waiting,
        )
    if as_json:
        print_json(
            {"run": str(target), **finished.accounts.to_dict(), "cost": finished.cost, "capped": finished.capped}
        )
    else:
        console().print(finished.accounts.line())
        console().print(f"Written to {finished.path}; see `clinic-sim compare {folder} {target}`")
    return 0 if not finished.accounts.unscored and not finished.capped else 1


def merge(out: Path, folders: Sequence[Path], *, as_json: bool) -> int:
    """Put runs of one plan together. Returns 0, or 1 where episodes are still owed or unscored."""
    merged = merge_runs(out, folders)
    if as_json:
        print_json({"run": str(out), **merged.accounts.to_dict(), "twice": merged.twice})
    else:
        console().print(merged.accounts.line())
        if merged.twice:
            console().print(f"{merged.twice} episodes stood in several runs; the first one counts")
        console().print(f"Written to {merged.path}; see `clinic-sim report {out}`")
    return 0 if merged.accounts.whole else 1


def export(folder: Path, out: Path, what: str) -> int:
    """Write a run as a table."""
    from clinic_sim.reports.export import WHATS, export_run

    chosen = next((w for w in WHATS if w == what), None)
    if chosen is None:
        raise ConfigError(f"--what {what!r}; there are {', '.join(WHATS)}")
    rows = export_run(folder, out, chosen)
    console().print(f"{rows} rows written to {out}")
    return 0
