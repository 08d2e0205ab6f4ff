"""`run` and `play`: consultations, shown as they happen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clinic_sim.cli.options import CAST, MODELS, CaseId, Json, PersonaName, RubricName, Scenarios, Seed


def run(
    doctor: Annotated[
        str,
        typer.Option(
            "--doctor", "-d", help="Who is examined: a baseline, or a model such as `openai/gpt-4o?temperature=0`."
        ),
    ] = "checklist",
    scenarios: Scenarios = "core-en",
    case: CaseId = None,
    seed: Seed = 0,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="At most this many cases.")] = None,
    rubric: RubricName = "clinic",
    persona: PersonaName = "plain",
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of runs.")] = Path("runs"),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only the summary, no transcripts.")] = False,
    as_json: Json = False,
    patient: Annotated[
        str, typer.Option(help="Who plays the patient: `offline`, or a model.", rich_help_panel=CAST)
    ] = "offline",
    examiner: Annotated[str, typer.Option(help="Who plays the examiner.", rich_help_panel=CAST)] = "offline",
    chief: Annotated[str, typer.Option(help="Who plays the chief physician.", rich_help_panel=CAST)] = "offline",
    judge: Annotated[
        str | None, typer.Option(help="The model behind a rubric's `judged` criteria.", rich_help_panel=CAST)
    ] = None,
    votes: Annotated[
        int, typer.Option(min=1, max=25, help="Votes of the judge a criterion.", rich_help_panel=CAST)
    ] = 1,
    unrecorded: Annotated[
        str,
        typer.Option(
            help="What is said of an examination that the record lacks: not_recorded, normal, model.",
            rich_help_panel=CAST,
        ),
    ] = "not_recorded",
    concurrency: Annotated[
        int, typer.Option("--concurrency", "-j", min=1, help="Episodes at once.", rich_help_panel=MODELS)
    ] = 1,
    turns: Annotated[
        int, typer.Option(min=1, help="Doctor's actions before an episode is cut off.", rich_help_panel=MODELS)
    ] = 40,
    tokens: Annotated[
        int | None,
        typer.Option(min=1, help="Tokens of all roles before an episode is cut off.", rich_help_panel=MODELS),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0.001, help="Seconds before an episode is cut off.", rich_help_panel=MODELS)
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(help="SQLite file in which replies are kept and looked up.", rich_help_panel=MODELS)
    ] = None,
    record: Annotated[
        bool, typer.Option(help="Keep every reply in the run's `calls.jsonl`.", rich_help_panel=MODELS)
    ] = True,
    replay: Annotated[
        Path | None,
        typer.Option(help="Play from this run's recording: no model is called.", rich_help_panel=MODELS),
    ] = None,
) -> None:
    """Let a doctor consult every case of a pack, and score it."""
    from clinic_sim.clinic.limits import Limits
    from clinic_sim.clinic.staffing import StaffPlan
    from clinic_sim.commands.run import RunRequest, run_cases

    request = RunRequest(
        doctor,
        scenarios,
        out,
        case,
        seed,
        limit,
        rubric,
        persona,
        quiet=quiet,
        as_json=as_json,
        staff=StaffPlan(patient, examiner, chief, unrecorded),
        judge=judge,
        votes=votes,
        limits=Limits(turns=turns, tokens=tokens, seconds=seconds),
        concurrency=concurrency,
        cache=cache,
        record=record,
        replay=replay,
    )
    raise typer.Exit(run_cases(request))


def play(
    scenarios: Scenarios = "core-en",
    case: CaseId = None,
    seed: Seed = 0,
    rubric: RubricName = "clinic",
    persona: PersonaName = "plain",
    patient: Annotated[str, typer.Option(help="Who plays the patient: `offline`, or a model.")] = "offline",
) -> None:
    """You are the doctor."""
    from clinic_sim.commands.play import play_case

    raise typer.Exit(play_case(scenarios, case, seed, rubric, persona, patient))
