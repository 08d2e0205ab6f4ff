"""`rubric validate`, `rubric explain`, `rubric generate` and `rubric import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clinic_sim.cli.options import Json

Force = Annotated[bool, typer.Option("--force", help="Replace files that are there.")]


def validate(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Rubric files, or names of shipped rubrics.")],
    scenarios: Annotated[
        str | None,
        typer.Option("--scenarios", "-s", help="A pack, folder or case: also tell what applies to none of its cases."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check rubrics: every error with its file, line and field; warnings for what is to no effect."""
    from clinic_sim.commands.rubrics import validate_rubrics

    raise typer.Exit(validate_rubrics(files, scenarios, as_json=as_json))


def explain(
    rubric: Annotated[str, typer.Argument(help="A rubric's name, or a YAML file.")],
    case: Annotated[
        str | None, typer.Option("--case", "-c", help="A case's id, PACK/ID, a file, or a pack: shares on each case.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what each dimension and criterion decides of the total, on what terms, and why it is there."""
    from clinic_sim.commands.rubrics import explain_rubric

    raise typer.Exit(explain_rubric(rubric, case, as_json=as_json))


def generate(
    cases: Annotated[str, typer.Argument(metavar="CASE|PACK", help="A case's id, PACK/ID, a file, or a pack.")],
    rubric: Annotated[str, typer.Option("--rubric", help="The template: a rubric's name, or a YAML file.")] = "clinic",
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="A YAML file for one case, a folder for several; standard output without."),
    ] = None,
    force: Force = False,
) -> None:
    """Write a case's own rubric: each criterion with the edge of the case graph that it comes from, ready to edit."""
    from clinic_sim.commands.rubrics import GenerateRequest, generate_rubrics

    raise typer.Exit(generate_rubrics(GenerateRequest(cases, rubric, out, force)))


def import_(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="JSON Lines, JSON, or a folder of such files.")],
    format_: Annotated[str, typer.Option("--format", help="healthbench or medsp1000.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder to write to; only checked without.")] = None,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Write the usable records although others failed.")
    ] = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Turn the rubrics of HealthBench or MedSP1000 into ours, one file a record; all of them or none."""
    from clinic_sim.commands.rubrics import ImportRequest, import_rubric_files

    request = ImportRequest(source, format_, out, keep_going, force, as_json)
    raise typer.Exit(import_rubric_files(request))
