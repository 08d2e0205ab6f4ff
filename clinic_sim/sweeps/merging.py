"""`merge`: the shards of one plan, or parts of it, put together into one run."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clinic_sim.errors import ConfigError, StoreError
from clinic_sim.sweeps import calls_file, index
from clinic_sim.sweeps.accounts import Accounts
from clinic_sim.sweeps.journal import FOLDER
from clinic_sim.sweeps.manifest import differences, read_manifest
from clinic_sim.sweeps.source import SourceRun
from clinic_sim.sweeps.store import FAILURES, PLAN, RunStore

_OF_A_SHARD = ("shard", "planned")


@dataclass(frozen=True, slots=True)
class Merged:
    """What came of a merge."""

    path: Path
    accounts: Accounts
    twice: int
    """Episodes that stood in several runs; the first one counts."""


def merge_runs(out: Path, folders: Sequence[Path]) -> Merged:
    """Put runs of one plan together.

    Args:
        out: The new run's own folder.
        folders: Runs of the same plan, such as its shards.

    Raises:
        ConfigError: no run, or `out` among them.
        StoreError: they are of different plans (the difference is shown), or cannot be read or written.
    """
    if not folders:
        raise ConfigError("merge: name at least one run")
    if out.resolve() in {f.resolve() for f in folders}:
        raise ConfigError(f"merge: {out} is one of the runs; name a new folder")
    manifests = [read_manifest(folder) for folder in folders]
    for folder, manifest in zip(folders[1:], manifests[1:], strict=True):
        found = [d for d in differences(manifests[0], manifest) if d[0] not in _OF_A_SHARD]
        if found:
            shown = "".join(f"\n  {where}: {one} there, {two} here" for where, one, two in found[:12])
            raise StoreError(f"{folder}: is of another plan than {folders[0]}:{shown}")
    whole = {**manifests[0], "shard": None, "planned": _size(manifests[0])}
    accounts = Accounts(int(whole["planned"]))
    twice = 0
    failed: dict[str, str] = {}
    with RunStore(out, whole, (folders[0] / PLAN).read_text("utf-8"), _no_rows) as store:
        for folder in folders:
            source = SourceRun(folder)
            for row in index.read(folder) if source.places else ():
                key = row["key"]
                if key in store.places:
                    twice += 1
                    continue
                own = {k: v for k, v in row.items() if k not in ("offset", "length")}
                store.add(key, row["at"], source.raw(key), own)
            failed |= {f["key"]: f["kind"] for f in source.failures()}
            _append(folder / FAILURES, out / FAILURES)
            _append(folder / calls_file.FILE, out / calls_file.FILE)
            if (folder / FOLDER).is_dir():
                shutil.copytree(folder / FOLDER, out / FOLDER, dirs_exist_ok=True)
        for key, kind in failed.items():
            if key not in store.places:
                accounts.failed[kind] += 1
        accounts.completed = len(store.places)
        path = store.close()
    for row in index.read(out) if accounts.completed else ():
        if row["unscored"]:
            accounts.unscored[row["unscored"]] += 1
    return Merged(path, accounts, twice)


def _size(manifest: Mapping[str, Any]) -> int:
    plan = manifest["plan"]
    size = len(manifest["cases"]) * int(plan["repeats"])
    for name in ("doctors", "roles", "personas", "seeds"):
        size *= len(plan[name])
    return size


def _append(source: Path, target: Path) -> None:
    if source.exists():
        try:
            with source.open("rb") as read, target.open("ab") as write:
                shutil.copyfileobj(read, write)
        except OSError as exc:
            raise StoreError(f"{target}: cannot be written: {exc.strerror or exc}") from exc


def _no_rows(key: str, data: Mapping[str, Any]) -> dict[str, Any]:
    raise StoreError(f"episode {key}: the merged run has lost its index; merge into a new folder")
