"""Writes an import as a pack: one YAML file a case, `pack.yaml` and `import.json`, all or nothing.

The pack is built in a temporary sibling folder and renamed into place, so that a crash leaves the old import or none,
never half of one. A folder that holds anything but what an earlier import wrote there is not touched.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from clinic_sim.cases.importers.base import ImportedRecord
from clinic_sim.cases.loading import dump_case
from clinic_sim.cases.packs import MANIFEST
from clinic_sim.errors import CaseError

REPORT = "import.json"


def write_pack(records: Iterable[ImportedRecord], out: Path, *, title: str = "") -> list[ImportedRecord]:
    """Write the imported cases and the report on every source record to a folder, replacing an earlier import.

    Returns:
        The records, in source order.

    Raises:
        CaseError: the folder holds something that no import wrote, or it cannot be written.
    """
    try:
        # A link stays, and the folder that it names is replaced.
        out = Path(out).resolve()
        _refuse_foreign(out)
    except (OSError, RuntimeError) as exc:
        raise CaseError(f"{out}: cannot be used: {getattr(exc, 'strerror', None) or exc}") from exc
    done = list(records)
    if not any(r.case for r in done):
        first = next((r.problem for r in done if r.problem), "the source holds no records")
        raise CaseError(f"nothing could be imported, so {out} is not written; first problem: {first}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        staging = _staging(out)
    except OSError as exc:
        raise CaseError(f"{out}: cannot be written: {exc.strerror or exc}") from exc
    try:
        _fill(staging, done, out.name, title)
        _swap(staging, out)
    except OSError as exc:
        raise CaseError(f"{out}: cannot be written: {exc.strerror or exc}") from exc
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return done


def _staging(out: Path) -> Path:
    """A new folder beside the pack, with the permissions that the umask gives: a pack is meant to be read."""
    while True:
        folder = out.with_name(f".{out.name}.{secrets.token_hex(4)}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder


def _refuse_foreign(out: Path) -> None:
    """Replacing a folder removes what is in it, so everything in it must be of an earlier import."""
    if not out.exists():
        return
    if not out.is_dir():
        raise CaseError(f"{out}: is a file; give a folder for the import")
    present = {p.name: p for p in out.iterdir()}
    if not present:
        return
    written = _written(out / REPORT)
    if not written:
        raise CaseError(f"{out}: is not empty and not an earlier import; give another folder, or empty this one")
    foreign = sorted(n for n, p in present.items() if n not in written or p.is_symlink() or not p.is_file())
    if foreign:
        names = ", ".join(foreign[:5]) + (f" and {len(foreign) - 5} more" if len(foreign) > 5 else "")
        raise CaseError(
            f"{out}: holds {names}, which no import wrote, and replacing the import would delete it; "
            f"move it away, or give another folder"
        )


def _written(report: Path) -> set[str]:
    """The files that an earlier import wrote, by its own report; none where there is no such report."""
    try:
        entries = json.loads(report.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return set()
    if not isinstance(entries, list) or not all(isinstance(e, dict) and "case" in e for e in entries):
        return set()
    return {REPORT, MANIFEST, *(f"{e['case']}.yaml" for e in entries if e["case"])}


def _fill(folder: Path, records: Sequence[ImportedRecord], name: str, title: str) -> None:
    cases = [r.case for r in records if r.case]
    for case in cases:
        _write(folder / f"{case.id}.yaml", dump_case(case))
    first = cases[0].provenance
    manifest = {
        "name": name,
        "title": title or f"{first.source}, imported",
        "source": first.source,
        "licence": first.licence,
        "url": first.url,
        "cases": len(cases),
    }
    _write(folder / MANIFEST, yaml.safe_dump(manifest, allow_unicode=True, sort_keys=False))
    _write(folder / REPORT, json.dumps([_entry(r) for r in records], ensure_ascii=False, indent=1) + "\n")


def _entry(record: ImportedRecord) -> dict[str, Any]:
    return {
        "index": record.index,
        "case": record.case.id if record.case else None,
        "status": record.status,
        "missing": list(record.missing),
        "flags": list(record.flags),
        "problem": record.problem,
        "withheld": list(record.withheld),
        "unread": list(record.unread),
        "origin": record.origin,
    }


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def _swap(staging: Path, out: Path) -> None:
    """Put the staged folder in place; the old one is moved aside first and removed only when the new one stands."""
    if not out.exists():
        os.rename(staging, out)
        return
    aside = staging.with_name(staging.name + ".old")
    os.rename(out, aside)
    try:
        os.rename(staging, out)
    except OSError:
        os.rename(aside, out)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def summary(records: Sequence[ImportedRecord]) -> dict[str, int]:
    """How many records were imported, failed and were duplicates; they add up to all."""
    counts = Counter(r.status for r in records)
    return {"records": len(records), **{s: counts[s] for s in ("imported", "failed", "duplicate")}}
