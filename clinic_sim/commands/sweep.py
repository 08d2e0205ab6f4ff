"""`clinic-sim sweep` and `resume`: a plan carried out, or gone on with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clinic_sim.commands.console import console, print_json
from clinic_sim.commands.estimate import print_estimate
from clinic_sim.commands.sweeping import carry_out, folder_of
from clinic_sim.errors import ConfigError
from clinic_sim.sweeps.calls_file import read_calls
from clinic_sim.sweeps.cast import Cast
from clinic_sim.sweeps.manifest import read_manifest
from clinic_sim.sweeps.plan_files import load_plan
from clinic_sim.sweeps.planned import Shard, Sweep
from clinic_sim.sweeps.spending import check_prices
from clinic_sim.sweeps.stage import cast_of
from clinic_sim.sweeps.store import PLAN
from clinic_sim.sweeps.sweep import Finished, Watch, open_store


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """What `clinic-sim sweep` was asked to do."""

    plan: str
    """A YAML file, or a preset's name."""
    out: Path | None = None
    """The run's own folder; None for one of its own under `runs/`."""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    sets: tuple[str, ...] = ()
    shard: str | None = None
    dry_run: bool = False
    replay: Path | None = None
    quiet: bool = False
    as_json: bool = False


def sweep_plan(request: SweepRequest) -> int:
    """Carry out a plan. Returns 0, or 1 where an episode failed, is unscored or was not played."""
    plan = load_plan(request.plan, request.overrides, request.sets)
    shard = Shard.parse(request.shard) if request.shard else None
    # A dry run calls nobody, so that it needs no key.
    cast = cast_of(plan, replay=request.dry_run or request.replay is not None)
    sweep = Sweep.resolve(plan, cast, shard)
    if request.dry_run:
        print_estimate(sweep, cast, as_json=request.as_json)
        return 0
    folder = request.out if request.out is not None else folder_of(sweep, Path("runs"))
    return _carry_out(sweep, cast, folder, request)


def resume_run(folder: Path, overrides: Mapping[str, Any], *, other_code: bool, quiet: bool, as_json: bool) -> int:
    """Go on with a run: what is not finished is played, from where its journal ends.

    Args:
        overrides: How it is carried out from here on; what determines it cannot be changed.
        other_code: Accept that it was begun by another version.
    """
    manifest = read_manifest(folder)
    if not (folder / PLAN).is_file():
        raise ConfigError(f"{folder}: holds no {PLAN}; run the sweep's own command again")
    plan = load_plan(folder / PLAN, overrides)
    shard = Shard.parse(manifest["shard"]) if manifest.get("shard") else None
    cast = cast_of(plan)
    sweep = Sweep.resolve(plan, cast, shard)
    return _carry_out(sweep, cast, folder, SweepRequest(PLAN, folder, quiet=quiet, as_json=as_json), other_code)


def _carry_out(sweep: Sweep, cast: Cast, folder: Path, request: SweepRequest, other_code: bool = False) -> int:
    check_prices(cast, sweep.plan.max_cost)  # before anything is written
    replays = read_calls(request.replay) if request.replay else None
    store = open_store(sweep, folder, accept_code=other_code)
    found = len(store.places)
    if found and not request.as_json:
        console().print(f"{found} of {len(sweep.episodes)} episodes are finished already")
    finished = carry_out(sweep, cast, store, Watch(), replays=replays, silent=request.quiet)
    _tell(finished, folder, sweep, as_json=request.as_json)
    return 0 if finished.accounts.whole else 1


def _tell(finished: Finished, folder: Path, sweep: Sweep, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "run": str(folder),
                **finished.accounts.to_dict(),
                "cost": finished.cost,
                "capped": finished.capped,
            }
        )
        return
    out = console()
    out.print(finished.accounts.line())
    if (sweep.plan.doctors and finished.spent) or finished.cost_unknown:
        out.print(f"cost ${finished.spent:.4f}{', and calls without a price' if finished.cost_unknown else ''}")
    if finished.capped:
        out.print(f"the cap of cost, ${sweep.plan.max_cost:g}, is reached: raise it with `resume --max-cost`")
    if finished.accounts.failed or finished.accounts.skipped:
        out.print(f"go on with `clinic-sim resume {folder}`")
    out.print(f"Written to {finished.path}; see `clinic-sim report {folder}`")
