"""Importers: foreign case collections into packs of cases.

`import_records` reads a source record by record: each becomes a case, a failure with its reason, or a duplicate; one
broken record never stops the others. `write_pack` writes them as a pack with a report on every source record. Nothing
that the source lacks is invented: it is listed as missing, and its dimension stays unscored.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from clinic_sim.cases.case import Case
from clinic_sim.cases.importers import agentclinic, ai_hospital, spbench
from clinic_sim.cases.importers.base import (
    BrokenRecord,
    Findings,
    ImportedRecord,
    RawRecord,
    digest_of,
    read_records,
)
from clinic_sim.cases.importers.report import summary, write_pack
from clinic_sim.cases.loading import unknown_codes
from clinic_sim.errors import CaseError


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of source: which files, how a record becomes a case, and its number."""

    title: str
    files: Callable[[Path], list[Path]]
    convert: Callable[[RawRecord, Findings], Case]
    number: Callable[[RawRecord], int]


FORMATS: dict[str, Format] = {
    "agentclinic": Format(agentclinic.SOURCE, agentclinic.files, agentclinic.convert, lambda raw: raw.index),
    "spbench": Format(spbench.SOURCE, spbench.files, spbench.convert, spbench.number),
    "ai-hospital": Format(ai_hospital.SOURCE, ai_hospital.files, ai_hospital.convert, ai_hospital.number),
}


def import_records(format: str, source: Path | Sequence[Path]) -> Iterator[ImportedRecord]:
    """The records of a source, each as a case or with the reason why it is none, in source order.

    Args:
        format: `agentclinic`, `spbench` or `ai-hospital`.
        source: A file, a folder, or several of them.

    Raises:
        CaseError: the format is unknown, or the source as a whole cannot be read.
    """
    spec = FORMATS.get(format.replace("_", "-"))
    if spec is None:
        raise CaseError(f"unknown format {format!r}; known are {', '.join(FORMATS)}")
    paths = _files(spec, [source] if isinstance(source, str | Path) else list(source))
    return _records(spec, paths)


def _files(spec: Format, sources: Sequence[Path | str]) -> list[Path]:
    paths: list[Path] = []
    for source in map(Path, sources):
        if not source.exists():
            raise CaseError(f"{source}: does not exist")
        found = spec.files(source)
        if not found:
            raise CaseError(f"{source}: holds no {spec.title} files")
        paths.extend(found)
    return paths


def _records(spec: Format, paths: Sequence[Path]) -> Iterator[ImportedRecord]:
    by_digest: dict[str, str] = {}
    by_id: set[str] = set()
    for path in paths:
        for raw in read_records(path):
            record = _one(spec, raw, by_digest)
            case = record.case
            if case is not None:
                if case.id in by_id:
                    record = ImportedRecord(
                        record.index, None, "duplicate", origin=raw.origin, problem=f"same id as case {case.id}"
                    )
                else:
                    by_id.add(case.id)
                    by_digest[digest_of(raw.value)] = case.id
            yield record


def _one(spec: Format, raw: RawRecord, known: dict[str, str]) -> ImportedRecord:
    if raw.problem:
        return ImportedRecord(raw.index, None, "failed", problem=raw.problem, origin=raw.origin)
    index = spec.number(raw)
    twin = known.get(digest_of(raw.value))
    if twin:
        return ImportedRecord(index, None, "duplicate", problem=f"same content as case {twin}", origin=raw.origin)
    findings = Findings()
    problem = ""
    try:
        case = spec.convert(raw, findings)
        problem = "; ".join(text for _, text in unknown_codes(case))
    except BrokenRecord as exc:
        problem = str(exc)
    except ValidationError as exc:
        problem = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors(include_url=False)[:3])
    except CaseError as exc:
        problem = str(exc) or "CaseError"
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as exc:
        # A record shaped as none before it, or a bug of ours: it fails alone, and its report says where.
        problem = f"{type(exc).__name__} at {_place(exc)}: {exc}"
    if problem:
        return ImportedRecord(index, None, "failed", problem=problem, origin=raw.origin)
    return ImportedRecord(
        index,
        case,
        "imported",
        missing=case.provenance.missing,
        flags=case.provenance.flags,
        withheld=tuple(findings.withheld),
        unread=tuple(dict.fromkeys(findings.unread)),
        origin=raw.origin,
    )


def _place(exc: BaseException) -> str:
    """`module:line` of the innermost frame of this package through which an exception came."""
    place = "an unknown place"
    for frame, line in traceback.walk_tb(exc.__traceback__):
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] == __name__.partition(".")[0]:
            place = f"{module}:{line}"
    return place


__all__ = ["FORMATS", "Format", "ImportedRecord", "import_records", "summary", "write_pack"]
