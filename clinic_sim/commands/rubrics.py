"""`clinic-sim rubric validate | explain | generate | import`: writing rubrics, and seeing what they amount to."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clinic_sim.cases.case import Case
from clinic_sim.cases.compiled import CompiledCase, compile_case
from clinic_sim.cases.loading import load_case
from clinic_sim.cases.packs import load_pack, pack_names, shipped
from clinic_sim.commands.console import console, print_json, print_table
from clinic_sim.errors import CaseError, ConfigError, RubricError
from clinic_sim.judge.generate import case_rubric
from clinic_sim.judge.rubric import SAFETY, load_rubric
from clinic_sim.judge.rubric_explain import Explained, explain
from clinic_sim.judge.rubric_import import Imported, import_rubrics
from clinic_sim.judge.rubric_lint import check_file
from clinic_sim.judge.rubric_yaml import dump_rubric, write_rubric

_YAML = (".yaml", ".yml")


def validate_rubrics(files: Sequence[str], scenarios: str | None, *, as_json: bool) -> int:
    """Check every file; returns 1 where one is invalid."""
    cases = [compile_case(case) for case in cases_of(scenarios)] if scenarios is not None else []
    bad = told = 0
    for name in files:
        found = check_file(_rubric_file(name), cases)
        bad += found.rubric is None
        told += len(found.warnings)
        if as_json:
            print_json(
                {
                    "file": found.file,
                    "valid": found.rubric is not None,
                    "hash": found.rubric.content_hash if found.rubric else None,
                    "problems": list(found.problems),
                    "warnings": list(found.warnings),
                }
            )
            continue
        for problem in found.problems:
            sys.stderr.write(problem + "\n")
        for warning in found.warnings:
            sys.stderr.write(f"warning: {warning}\n")
    if not as_json:
        console().print(f"{len(files)} rubrics: {len(files) - bad} valid, {bad} invalid, {told} warnings")
    return 1 if bad else 0


def _rubric_file(name: str) -> Path:
    named = shipped("rubrics") / f"{name}.yaml"
    if named.is_file():
        return named
    path = Path(name)
    if not path.exists():
        raise RubricError(f"{name}: does not exist")
    return path


def explain_rubric(name: str, case: str | None, *, as_json: bool) -> int:
    """What each dimension and criterion decides, at large or on cases."""
    rubric = load_rubric(name)
    for compiled in [compile_case(c) for c in cases_of(case)] if case is not None else [None]:
        found = explain(rubric, compiled)
        if as_json:
            print_json(found.to_dict())
        else:
            _print(found)
    return 0


def _print(found: Explained) -> None:
    rubric, out = found.rubric, console()
    out.print(f"{rubric.name} ({rubric.content_hash}): {rubric.title}" + (f", on {found.case}" if found.case else ""))
    print_table(
        "",
        ["dimension", "share of the total", "points offered", "cap", ""],
        [
            [
                d["name"],
                _share(d["share"]),
                "by case" if d["points"] is None else f"{d['points']:g}",
                "" if d["cap"] is None else f"{d['cap']:g}",
                "only takes away" if d["deducting"] else d["title"],
            ]
            for d in found.dimensions
        ],
    )
    for name in (*rubric.dimensions, SAFETY):
        own = [c for c in found.criteria if c["dimension"] == name]
        if own:
            out.print("")
            print_table(
                name,
                ["criterion", "check", "points", "share", "on what terms", "why"],
                [[c["id"], c["check"], f"{c['points']:g}", _share(c["share"]), _terms(c), _reason(c)] for c in own],
                left=2,
            )


def _share(value: float | None) -> str:
    return "by case" if value is None else f"{value:+.1%}" if value < 0 else f"{value:.1%}"


def _terms(c: dict[str, Any]) -> str:
    """Everything that decides whether the criterion counts."""
    parts = []
    if "generate" in c:
        parts.append(f"one for each of {c['generate']}")
    if "requires" in c:
        parts.append(f"requires {'; '.join(c['requires'])}")
    if "required" in c:
        parts.append(f"missed, {c['dimension']} is at most {c['required']:g}")
    if "veto" in c:
        where = "the total" if c["veto"]["of"] == "total" else c["dimension"]
        parts.append(f"met, {where} is at most {c['veto']['at_most']:g}")
    if "alternatives" in c:
        parts.append(f"or {', '.join(c['alternatives'])}")
    if "cap" in c:
        parts.append(f"in a set that earns at most {c['cap']:g}")
    parts += [f"in the {c['stage']}"] if "stage" in c else []
    parts += [f"only in {', '.join(c['languages'])}"] if "languages" in c else []
    parts += [f"beside {c['beside']}"] if "beside" in c else []
    return "; ".join(parts)


def _reason(c: dict[str, Any]) -> str:
    return "; ".join(part for part in (c["why"], c["source"]) if part)


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """What `clinic-sim rubric generate` was asked to do."""

    cases: str
    template: str = "clinic"
    out: Path | None = None
    force: bool = False


def generate_rubrics(request: GenerateRequest) -> int:
    """One rubric a case: to a file, a folder, or standard output for a single case. Returns 1 where a case has none."""
    template, cases = load_rubric(request.template), cases_of(request.cases)
    if request.out is None and len(cases) > 1:
        raise ConfigError(f"{request.cases}: has {len(cases)} cases; -o names the folder for their rubrics")
    texts: list[tuple[Case, str]] = []
    failed = 0
    for case in cases:
        try:
            texts.append((case, _generated(template.name, template.content_hash, request.template, compile_case(case))))
        except RubricError as exc:
            failed += 1
            sys.stderr.write(f"{exc}\n")
    if request.out is None:
        for _, text in texts:
            sys.stdout.write(text)
        return 1 if failed else 0
    single = len(cases) == 1 and (request.out.suffix in _YAML)
    for case, text in texts:
        path = request.out if single else request.out / f"{case.id}.yaml"
        write_rubric(path, text, force=request.force)
    console().print(f"{len(cases)} cases: {len(texts)} rubrics written to {request.out}, {failed} without one")
    return 1 if failed else 0


def _generated(name: str, content_hash: str, template: str, compiled: CompiledCase) -> str:
    case = compiled.case
    return dump_rubric(
        case_rubric(load_rubric(template), compiled),
        f"Rubric of case {case.id} ({compiled.content_hash}), made from {name} ({content_hash}).",
        "Each generated criterion says which edges of the case graph it comes from. Edit freely, then run",
        "`clinic-sim rubric validate` and `clinic-sim rubric explain` on this file.",
    )


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What `clinic-sim rubric import` was asked to do."""

    source: Path
    format: str
    out: Path | None = None
    keep_going: bool = False
    """Write what can be used even if some record cannot."""
    force: bool = False
    as_json: bool = False


def import_rubric_files(request: ImportRequest) -> int:
    """One rubric file a record; nothing is written where a record is wrong. Returns 1 then."""
    found = _distinct(list(import_rubrics(request.source, request.format)))
    good = [i for i in found if i.rubric is not None]
    bad = len(found) - len(good)
    for item in found:
        for note in item.notes:
            sys.stderr.write(f"note: {note}\n")
        for problem in item.problems:
            sys.stderr.write(f"{problem}\n")
    written = 0
    if request.out is not None and good and (not bad or request.keep_going):
        texts = [(request.out / f"{_file_name(i.name)}.yaml", _imported(i, request.format)) for i in good]
        standing = [path for path, _ in texts if path.exists()]
        if standing and not request.force:
            raise RubricError(f"{standing[0]}: exists; give --force to replace it, or another folder")
        for path, text in texts:
            write_rubric(path, text, force=request.force)
            written += 1
    line = {"records": len(found), "usable": len(good), "failed": bad, "written": written}
    if request.as_json:
        print_json({"format": request.format, "out": str(request.out) if request.out else None, **line})
    else:
        where = f" to {request.out}" if request.out else "; -o names a folder to write them to"
        console().print(f"{len(found)} records: {len(good)} usable, {bad} failed; {written} written{where}")
    return 1 if bad else 0


def _distinct(found: list[Imported]) -> list[Imported]:
    """Names that would be one file are told apart or refused."""
    seen: dict[str, str] = {}
    checked = []
    for item in found:
        file = _file_name(item.name)
        if item.rubric is not None and file in seen:
            problem = f"{item.where}: {item.name!r} would be written over the rubric of {seen[file]}"
            item = Imported(item.where, item.name, None, (*item.problems, problem), item.notes)
        elif item.rubric is not None:
            seen[file] = item.where
        checked.append(item)
    return checked


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.\-]+", "_", name).strip("._")[:100] or "rubric"


def _imported(item: Imported, format_: str) -> str:
    if item.rubric is None:
        raise RubricError(f"{item.where}: cannot be used")
    return dump_rubric(item.rubric, f"Imported from {format_}: {item.name}")


def cases_of(name: str) -> tuple[Case, ...]:
    """Cases by id, by file, by `PACK/ID`, or all of a pack.

    Raises:
        CaseError: there is no such thing.
    """
    path = Path(name)
    if path.suffix in _YAML and path.is_file():
        return (load_case(path),)
    if name in pack_names() or path.is_dir():
        return load_pack(name).cases
    pack, _, case_id = name.rpartition("/")
    if pack:
        return (load_pack(pack).case(case_id),)
    for known in pack_names():
        for case in load_pack(known).cases:
            if case.id == name:
                return (case,)
    raise CaseError(
        f"no case, pack or file {name!r}: give a case's id, PACK/ID, a YAML file, or a pack "
        f"({', '.join(pack_names())}, or a folder); `clinic-sim list` shows them all"
    )
