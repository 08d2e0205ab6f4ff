"""`judge calibrate` and `judge audit`: what is known of a judge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clinic_sim.cli.options import Json, RubricName


def calibrate(
    labels: Annotated[Path, typer.Argument(metavar="LABELS", help="Graded answers: JSON Lines.")],
    format_: Annotated[
        str | None,
        typer.Option("--format", help="ai-hospital, healthbench or clinic; by default told from the file."),
    ] = None,
    judge: Annotated[
        str | None,
        typer.Option(help="A model, `offline`, or `labels`: the verdicts in the file (the default where it has any)."),
    ] = None,
    rubric: Annotated[
        str | None, typer.Option(help="Whose cut-offs turn scores into grades; by default the calibrated ones.")
    ] = None,
    split: Annotated[str, typer.Option(help="dev (the file's first half), held (its second) or all.")] = "all",
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="At most this many records.")] = None,
    sample: Annotated[
        float, typer.Option(min=0.001, max=1, help="Share of labels taken as the checked sample of the corrected mean.")
    ] = 0.1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, the views by name.")] = False,
) -> None:
    """Agreement of a judge with human or reference grades, with intervals, bias and a corrected mean."""
    from clinic_sim.commands.judging import CalibrateRequest, calibrate_judge

    request = CalibrateRequest(labels, format_, rubric, judge, split, limit, sample, as_json=as_json)
    raise typer.Exit(calibrate_judge(request))


def audit(
    scenarios: Annotated[
        list[str] | None,
        typer.Option("--scenarios", "-s", help="A pack, or a folder of cases; repeatable; by default all that ship."),
    ] = None,
    rubric: RubricName = "clinic",
    judge: Annotated[
        str | None, typer.Option(help="The model behind the rubric's `judged` criteria: its manners are tried too.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="At most this many cases a pack.")] = None,
    only: Annotated[list[str] | None, typer.Option("--only", help="Only this exploit; repeatable.")] = None,
    as_json: Json = False,
) -> None:
    """Try to score without the work: every exploit on every pack, beside `oracle` and `checklist`."""
    from clinic_sim.commands.auditing import AuditRequest, audit_judge

    request = AuditRequest(tuple(scenarios or ()), rubric, judge, limit, tuple(only or ()), as_json=as_json)
    raise typer.Exit(audit_judge(request))
