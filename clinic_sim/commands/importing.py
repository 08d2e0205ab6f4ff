"""`clinic-sim import`: a dataset's records to a pack of cases."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from clinic_sim.cases.importers import import_records, write_pack
from clinic_sim.cases.importers.report import summary
from clinic_sim.commands.console import console, print_json


def import_dataset(format_: str, sources: list[Path], out: Path, *, as_json: bool) -> int:
    """Import and report; returns 1 where a record failed."""
    records = write_pack(import_records(format_, sources), out)
    counts = summary(records)
    missing = Counter(m for r in records if r.case for m in r.missing)
    flags = Counter(f.split(":", 1)[0] for r in records for f in r.flags)
    if as_json:
        print_json({"format": format_, "out": str(out), **counts, "missing": dict(missing), "flags": dict(flags)})
        return 1 if counts["failed"] else 0
    for record in records:
        if record.status == "failed":
            sys.stderr.write(f"record {record.index}: {record.problem}\n")
    line = ", ".join(f"{n} {status}" for status, n in counts.items() if status != "records")
    console().print(f"{counts['records']} records: {line}")
    if missing:
        console().print("the source lacks: " + ", ".join(f"{what} in {n}" for what, n in missing.most_common()))
    if flags:
        console().print("lint: " + ", ".join(f"{what} in {n}" for what, n in flags.most_common()))
    console().print(f"Written to {out}; details in {out / 'import.json'}")
    return 1 if counts["failed"] else 0
