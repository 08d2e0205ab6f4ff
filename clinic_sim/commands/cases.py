"""`clinic-sim list | validate | show | schema`: looking at cases."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pydantic import BaseModel

from clinic_sim.cases.case import Case
from clinic_sim.cases.compiled import compile_case
from clinic_sim.cases.loading import load_case
from clinic_sim.cases.packs import Pack, case_files, load_pack, pack_folder, pack_names
from clinic_sim.clinic.examiner import exam_name
from clinic_sim.clinic.patient.guard import said
from clinic_sim.clinic.scene import who
from clinic_sim.commands.console import console, print_json, print_table
from clinic_sim.commands.schemas import schema_of
from clinic_sim.errors import CaseError, ConfigError
from clinic_sim.judge.rubric import Rubric
from clinic_sim.sweeps.plan import Plan


def list_cases(scenarios: str | None, *, as_json: bool) -> None:
    """One row a case. Titles are left out: they may name the disease."""
    packs = [load_pack(scenarios)] if scenarios is not None else [load_pack(name) for name in pack_names()]
    rows = [(pack, case) for pack in packs for case in pack.cases]
    if as_json:
        for pack, case in rows:
            print_json(
                {
                    "pack": pack.name,
                    "case": case.id,
                    "language": case.language,
                    "department": case.department,
                    "setting": case.setting,
                    "difficulty": case.difficulty,
                    "patient": who(case),
                    "facts": len(case.facts),
                    "exams": len(case.exams),
                    "missing": list(case.provenance.missing),
                    "flags": list(case.provenance.flags),
                }
            )
        return
    print_table(
        "",
        ["pack", "case", "language", "department", "setting", "patient", "difficulty", "facts", "exams"],
        [
            [
                pack.name,
                case.id,
                case.language,
                case.department,
                case.setting,
                who(case),
                case.difficulty,
                str(len(case.facts)),
                str(len(case.exams)),
            ]
            for pack, case in rows
        ],
        left=7,
    )


def validate_cases(paths: list[str], *, as_json: bool) -> int:
    """Check every file; returns 1 where one is invalid."""
    files = [file for path in paths for file in _files_of(path)]
    bad = 0
    for file in files:
        problems: list[str] = []
        try:
            compile_case(load_case(file))
        except CaseError as exc:
            problems = str(exc).splitlines()
            bad += 1
        if as_json:
            print_json({"file": str(file), "valid": not problems, "problems": problems})
        else:
            for problem in problems:
                sys.stderr.write(problem + "\n")
    if not as_json:
        console().print(f"{len(files)} cases: {len(files) - bad} valid, {bad} invalid")
    return 1 if bad else 0


def _files_of(path: str) -> list[Path]:
    if Path(path).is_file():
        return [Path(path)]
    if ("/" in path or Path(path).suffix in {".yaml", ".yml"}) and not Path(path).exists():
        raise CaseError(f"{path}: does not exist")
    folder = pack_folder(path)
    files = case_files(folder)
    if not files:
        raise CaseError(f"{folder}: holds no case files (*.yaml)")
    return files


def show_case(case_id: str, scenarios: str | None, *, reference: bool, as_json: bool) -> None:
    """A case as its author reads it."""
    case = _find(case_id, scenarios)
    if as_json:
        hidden = set() if reference else {"title", "diagnosis", "treatment", "contraindicated", "red_flags"}
        print_json(case.model_dump(mode="json", exclude_defaults=True, exclude=hidden))
        return
    compiled = compile_case(case)
    out = console()
    out.print(f"{case.id}  ({case.language}, {case.department}, {case.setting}, {case.difficulty})", style="bold")
    out.print(f"{who(case)}: {case.chief_complaint}")
    print_table(
        "Facts",
        ["id", "topic", "statement", "as the patient says it", "told", "weight"],
        [
            [f.id, f.topic, f.statement, said(compiled, f.id), f.disclosure, f"{compiled.graph.worth(f.id):g}"]
            for f in case.facts
        ],
        left=5,
    )
    print_table(
        "Examinations",
        ["id", "code", "name", "report", "essential"],
        [
            [e.id, " ".join(e.codes), exam_name(e, case.language), e.report, "yes" if e.essential else ""]
            for e in case.exams
        ],
        left=5,
    )
    if not reference:
        out.print("Diagnosis and treatment are hidden; --reference shows them.")
        return
    out.print(
        json.dumps(
            case.model_dump(
                mode="json",
                exclude_defaults=True,
                include={"title", "diagnosis", "treatment", "contraindicated", "red_flags", "provenance"},
            ),
            ensure_ascii=False,
            indent=2,
        )
    )


def _find(case_id: str, scenarios: str | None) -> Case:
    packs: list[Pack] = [load_pack(name) for name in (pack_names() if scenarios is None else [scenarios])]
    for pack in packs:
        for case in pack.cases:
            if case.id == case_id:
                return case
    raise CaseError(f"no case {case_id!r} in {', '.join(p.name for p in packs)}; `clinic-sim list` shows them all")


def print_schema(what: str) -> None:
    """The JSON Schema of case files, rubrics or plans."""
    models: dict[str, type[BaseModel]] = {"case": Case, "rubric": Rubric, "plan": Plan}
    if what not in models:
        raise ConfigError(f"no schema {what!r}; there are {', '.join(models)}")
    sys.stdout.write(json.dumps(schema_of(models[what]), ensure_ascii=False, indent=2) + "\n")
