"""`judge calibrate`, `judge audit` and `judge replay`: what is known of a judge."""

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


def replay(
    dialogues: Annotated[
        list[Path], typer.Argument(metavar="DIALOGUES...", help="Released dialogues: files, or folders.")
    ],
    cases: Annotated[
        list[str] | None,
        typer.Option(
            "--cases", "-c", help="Whose dialogues: a pack, or the source's own file of patients; repeatable."
        ),
    ] = None,
    references: Annotated[
        Path | None,
        typer.Option(help="AI Hospital's evaluation file: reference answers where no record was released."),
    ] = None,
    format_: Annotated[
        str | None, typer.Option("--format", help="ai-hospital or spbench; by default told from the file.")
    ] = None,
    rubric: RubricName = "mvme",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write a run here, for `report` and `export`.")
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            help="A reference to rank by: DOCTOR=NUMBER, repeatable; by default what was published of these doctors."
        ),
    ] = None,
    column: Annotated[str, typer.Option(help="The dimension that the given numbers are about.")] = "diagnosis",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Score released dialogues of other doctors: facts and results are read from the words, and marked so."""
    from clinic_sim.commands.replaying import ReplayRequest, replay_dialogues

    request = ReplayRequest(
        tuple(dialogues),
        tuple(cases or ()),
        references,
        format_,
        rubric,
        out,
        tuple(against or ()),
        column,
        as_json=as_json,
    )
    raise typer.Exit(replay_dialogues(request))
