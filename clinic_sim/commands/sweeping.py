"""Carrying a sweep out at the terminal: its folder, its progress line, what is said when it stops half-way."""

from __future__ import annotations

import hashlib
import re
import sys
from contextlib import suppress
from pathlib import Path

from clinic_sim.commands.progress import Progress, shown
from clinic_sim.models.calls import Waiting
from clinic_sim.sweeps.accounts import Accounts
from clinic_sim.sweeps.cast import Cast
from clinic_sim.sweeps.lines import canonical
from clinic_sim.sweeps.planned import Sweep
from clinic_sim.sweeps.spending import Spending
from clinic_sim.sweeps.stage import Replays
from clinic_sim.sweeps.store import RunStore
from clinic_sim.sweeps.sweep import Finished, Watch, run_sweep

_UNFIT = re.compile(r"[^A-Za-z0-9._]+")


def folder_of(sweep: Sweep, root: Path) -> Path:
    """A sweep's own folder among the runs: its plan's name, or one made from the doctors and a hash of the plan."""
    if sweep.plan.name:
        return root / (f"{sweep.plan.name}.{sweep.shard.number}of{sweep.shard.of}" if sweep.shard else sweep.plan.name)
    doctors = sweep.plan.doctors
    first = doctors[0].partition("?")[0]
    # A model's name may hold slashes, a path or an address; the hash tells runs apart, the name is for people.
    who = _UNFIT.sub("-", first if len(doctors) == 1 else f"{first}-and-{len(doctors) - 1}-more").strip("-.")[-60:]
    digest = hashlib.sha256(canonical(sweep.manifest()).encode()).hexdigest()[:12]
    return root / f"{who or 'run'}-{digest}"


def carry_out(
    sweep: Sweep,
    cast: Cast,
    store: RunStore,
    watch: Watch,
    *,
    replays: Replays | None = None,
    plain: bool = False,
    silent: bool = False,
) -> Finished:
    """Run a sweep with a progress line on standard error.

    Args:
        plain: Never draw over the terminal, as between the lines of a transcript.
        silent: No progress line at all.
    """
    waiting = Waiting()
    before = watch.begun

    def begun(opened: RunStore, accounts: Accounts, spending: Spending) -> None:
        if before:
            before(opened, accounts, spending)
        if not silent:
            line.start(Progress(accounts, waiting, spending))

    watch.begun, watch.waiting = begun, waiting
    with shown(plain=plain) as line, store:
        try:
            return run_sweep(sweep, cast, store, watch=watch, replays=replays)
        except BaseException:
            _say_what_is_kept(sweep, store)
            raise


def _say_what_is_kept(sweep: Sweep, store: RunStore) -> None:
    """Where an interrupted run left what it finished and what it paid for, and how it goes on."""
    with suppress(OSError):
        print(
            f"{len(store.places)} of {len(sweep.episodes)} episodes are finished, in {store.folder}; "
            f"go on with `clinic-sim resume {store.folder}`",
            file=sys.stderr,
        )
