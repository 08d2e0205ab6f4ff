"""Cases and how they are understood: `list`, `validate`, `show`, `import`, `explain`, `schema`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from clinic_sim.cli.options import CaseId, Json, Scenarios


def list_(
    scenarios: Annotated[str | None, typer.Argument(help="A pack; by default all that ship.")] = None,
    as_json: Json = False,
) -> None:
    """List packs and their cases."""
    from clinic_sim.commands.cases import list_cases

    list_cases(scenarios, as_json=as_json)


def validate(
    paths: Annotated[list[str], typer.Argument(help="Case files, folders or names of packs.")],
    as_json: Json = False,
) -> None:
    """Check cases: every problem with its file, line and field."""
    from clinic_sim.commands.cases import validate_cases

    raise typer.Exit(validate_cases(paths, as_json=as_json))


def show(
    case: Annotated[str, typer.Argument(help="Id of a case.")],
    scenarios: Annotated[
        str | None, typer.Option("--scenarios", "-s", help="Where to look; by default every pack.")
    ] = None,
    reference: Annotated[bool, typer.Option("--reference", help="Also diagnosis and treatment.")] = False,
    as_json: Json = False,
) -> None:
    """Show a case; its reference only when asked for."""
    from clinic_sim.commands.cases import show_case

    show_case(case, scenarios, reference=reference, as_json=as_json)


def import_(
    format_: Annotated[str, typer.Argument(metavar="FORMAT", help="agentclinic, spbench or ai-hospital.")],
    source: Annotated[list[Path], typer.Argument(metavar="SRC", help="The source's files or folder.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write the cases to.")],
    as_json: Json = False,
) -> None:
    """Turn a dataset's records into cases."""
    from clinic_sim.commands.importing import import_dataset

    raise typer.Exit(import_dataset(format_, source, out, as_json=as_json))


def explain(
    what: Annotated[str, typer.Argument(help="question, order or diagnosis.")],
    text: Annotated[str | None, typer.Argument(help="The utterance; not with --jsonl.")] = None,
    scenarios: Scenarios = "core-en",
    case: CaseId = None,
    language: Annotated[str | None, typer.Option("--language", help="en or zh; by default read from the text.")] = None,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help='Read {"case", "text"} lines from standard input, write one line each.')
    ] = False,
    as_json: Json = False,
) -> None:
    """Show how the clinic understands a question, an order or a diagnosis."""
    from clinic_sim.commands.explain import explain_many, explain_one

    if jsonl:
        raise typer.Exit(explain_many(what, scenarios, language, sys.stdin.buffer))
    raise typer.Exit(explain_one(what, text, scenarios, case, language, as_json=as_json))


def schema(what: Annotated[str, typer.Argument(help="case, rubric or plan.")] = "case") -> None:
    """Print the JSON Schema of case files, rubrics or plans."""
    from clinic_sim.commands.cases import print_schema

    print_schema(what)
