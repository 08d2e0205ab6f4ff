"""`sweep`, `resume` and what is done with runs: `report`, `compare`, `rescore`, `merge`, `export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clinic_sim.cli.options import (
    PLAN,
    Concurrency,
    Doctors,
    Engine,
    Json,
    MaxCost,
    ReportLanguage,
    Retries,
    RunFolder,
    Set,
    Workers,
    given,
)


def sweep(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="A YAML file, or a preset's name.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The run's own folder; by default one under runs/.")
    ] = None,
    doctor: Doctors = None,
    scenarios: Annotated[
        list[str] | None, typer.Option("--scenarios", "-s", help="A pack; repeatable.", rich_help_panel=PLAN)
    ] = None,
    persona: Annotated[
        list[str] | None, typer.Option("--persona", help="A persona; repeatable.", rich_help_panel=PLAN)
    ] = None,
    seed: Annotated[
        list[int] | None, typer.Option("--seed", min=0, help="A seed; repeatable.", rich_help_panel=PLAN)
    ] = None,
    repeats: Annotated[
        int | None, typer.Option(min=1, help="Times each combination is played.", rich_help_panel=PLAN)
    ] = None,
    rubric: Annotated[str | None, typer.Option(help="A rubric's name, or a file.", rich_help_panel=PLAN)] = None,
    judge: Annotated[str | None, typer.Option(help="The model behind `judged` criteria.", rich_help_panel=PLAN)] = None,
    max_cost: MaxCost = None,
    concurrency: Concurrency = None,
    engine: Engine = None,
    workers: Workers = None,
    retries: Retries = None,
    set_: Set = None,
    shard: Annotated[str | None, typer.Option(metavar="I/N", help="Only the I-th of N parts; see merge.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print episodes, calls and a cost estimate; call nobody.")
    ] = False,
    replay: Annotated[Path | None, typer.Option(help="Play from this run's recording: no model is called.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress line.")] = False,
    as_json: Json = False,
) -> None:
    """Carry out a plan: many cases, doctors, personas and seeds. Run again, it goes on where it stopped."""
    from clinic_sim.commands.sweep import SweepRequest, sweep_plan

    overrides = given(
        doctors=doctor,
        scenarios=scenarios,
        personas=persona,
        seeds=seed,
        repeats=repeats,
        rubric=rubric,
        judge=judge,
        max_cost=max_cost,
        concurrency=concurrency,
        engine=engine,
        workers=workers,
        retries=retries,
    )
    request = SweepRequest(
        plan,
        out,
        overrides,
        tuple(set_ or ()),
        shard,
        dry_run=dry_run,
        replay=replay,
        quiet=quiet,
        as_json=as_json,
    )
    raise typer.Exit(sweep_plan(request))


def resume(
    run: RunFolder,
    max_cost: MaxCost = None,
    concurrency: Concurrency = None,
    engine: Engine = None,
    workers: Workers = None,
    retries: Retries = None,
    other_code: Annotated[bool, typer.Option("--other-code", help="It was begun by another version.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress line.")] = False,
    as_json: Json = False,
) -> None:
    """Go on with a run: what was finished stays, and no reply that was paid for is asked for again."""
    from clinic_sim.commands.sweep import resume_run

    overrides = given(max_cost=max_cost, concurrency=concurrency, engine=engine, workers=workers, retries=retries)
    raise typer.Exit(resume_run(run, overrides, other_code=other_code, quiet=quiet, as_json=as_json))


def report(
    run: RunFolder,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The HTML file; by default report.html in the run's folder.")
    ] = None,
    language: ReportLanguage = "en",
    episodes: Annotated[
        int, typer.Option("--episodes", "-n", min=0, help="Worst and best episodes shown of each doctor.")
    ] = 2,
    success: Annotated[
        float, typer.Option(min=0, max=1, help="Total from which a consultation succeeds, for pass^k.")
    ] = 0.6,
    judged: Annotated[
        list[Path] | None,
        typer.Option("--judged", help="The same run rescored by another judge: how much judges differ; repeatable."),
    ] = None,
    terminal: Annotated[bool, typer.Option("--terminal", help="Only print the tables; write no file.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON; a file only with --out.")] = False,
) -> None:
    """Report a run: one HTML file that needs no network, and the headline here."""
    from clinic_sim.commands.report import ReportRequest, report_run

    others = tuple(judged or ())
    request = ReportRequest(run, out, language, episodes, success, terminal=terminal, judged=others, as_json=as_json)
    raise typer.Exit(report_run(request))


def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="A run's folder.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another run's folder, or the same.")],
    a: Annotated[str | None, typer.Option("--a", help="The doctor of A; by default each that both runs have.")] = None,
    b: Annotated[str | None, typer.Option("--b", help="The doctor of B; by default that of A.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Also write this HTML file.")] = None,
    language: ReportLanguage = "en",
    as_json: Json = False,
) -> None:
    """Compare two runs, consultation by consultation: paired differences and what sets the runs apart."""
    from clinic_sim.commands.compare import CompareRequest, compare_runs

    raise typer.Exit(compare_runs(CompareRequest(first, second, a, b, html, language, as_json=as_json)))


def rescore(
    run: RunFolder,
    rubric: Annotated[str | None, typer.Option(help="A rubric's name, or a file.")] = None,
    judge: Annotated[str | None, typer.Option(help="The model behind `judged` criteria.")] = None,
    votes: Annotated[int, typer.Option(min=1, max=25, help="Votes of the judge a criterion.")] = 1,
    no_judge: Annotated[bool, typer.Option("--no-judge", help="The rubric needs no model.")] = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The new run's folder; by default beside it.")] = None,
    max_cost: MaxCost = None,
    concurrency: Concurrency = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress line.")] = False,
    as_json: Json = False,
) -> None:
    """Judge a run's episodes again, under another rubric or by another judge; nothing is played again."""
    from clinic_sim.commands.runs import rescore_run

    named = {"model": judge, "votes": votes} if judge is not None else None
    overrides = given(rubric=rubric, judge=named, max_cost=max_cost, concurrency=concurrency)
    raise typer.Exit(rescore_run(run, out, overrides, no_judge=no_judge, quiet=quiet, as_json=as_json))


def merge(
    out: Annotated[Path, typer.Argument(help="The new run's folder.")],
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Runs of one plan, such as its shards.")],
    as_json: Json = False,
) -> None:
    """Put the shards of one plan together."""
    from clinic_sim.commands.runs import merge as merge_folders

    raise typer.Exit(merge_folders(out, runs, as_json=as_json))


def export(
    run: RunFolder,
    out: Annotated[Path, typer.Option("--out", "-o", help="A file that ends in .csv or .parquet.")],
    what: Annotated[str, typer.Option(help="episodes, verdicts or events.")] = "episodes",
) -> None:
    """Write a run as a flat table; every planned episode has its row."""
    from clinic_sim.commands.runs import export as export_table

    raise typer.Exit(export_table(run, out, what))
