"""The `clinic-sim` command. Each subcommand is a thin function over `clinic_sim.commands`.

Exit codes: 0 done; 1 something failed or is invalid, the disk or standard output among it: the same request may succeed
another time; 2 the request cannot be carried out as given: a wrong name or option, or a file or folder that is not
there or not ours to write; 130 interrupted.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from clinic_sim._version import __version__
from clinic_sim.errors import ClinicSimError, StoreError

app = typer.Typer(
    name="clinic-sim",
    help="A simulated clinic in which language models are examined as doctors. For research, not for clinical use.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_CAST = "Who plays whom"
_MODELS = "Models and limits"
Scenarios = Annotated[str, typer.Option("--scenarios", "-s", help="A pack's name, or a folder of cases.")]
CaseId = Annotated[str | None, typer.Option("--case", "-c", help="Only this case.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Same seed, same bytes.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON line a result, nothing else, on standard output.")]
RubricName = Annotated[str, typer.Option("--rubric", help="A rubric's name, or a YAML file.")]
PersonaName = Annotated[
    str, typer.Option("--persona", help="How the patient talks: plain, terse, talkative, unsure, impatient.")
]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"clinic-sim {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of the command itself."""


@app.command()
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
        str, typer.Option(help="Who plays the patient: `offline`, or a model.", rich_help_panel=_CAST)
    ] = "offline",
    examiner: Annotated[str, typer.Option(help="Who plays the examiner.", rich_help_panel=_CAST)] = "offline",
    chief: Annotated[str, typer.Option(help="Who plays the chief physician.", rich_help_panel=_CAST)] = "offline",
    judge: Annotated[
        str | None, typer.Option(help="The model behind a rubric's `judged` criteria.", rich_help_panel=_CAST)
    ] = None,
    votes: Annotated[
        int, typer.Option(min=1, max=25, help="Votes of the judge a criterion.", rich_help_panel=_CAST)
    ] = 1,
    unrecorded: Annotated[
        str,
        typer.Option(
            help="What is said of an examination that the record lacks: not_recorded, normal, model.",
            rich_help_panel=_CAST,
        ),
    ] = "not_recorded",
    concurrency: Annotated[
        int, typer.Option("--concurrency", "-j", min=1, help="Episodes at once.", rich_help_panel=_MODELS)
    ] = 1,
    turns: Annotated[
        int, typer.Option(min=1, help="Doctor's actions before an episode is cut off.", rich_help_panel=_MODELS)
    ] = 40,
    tokens: Annotated[
        int | None,
        typer.Option(min=1, help="Tokens of all roles before an episode is cut off.", rich_help_panel=_MODELS),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0.001, help="Seconds before an episode is cut off.", rich_help_panel=_MODELS)
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(help="SQLite file in which replies are kept and looked up.", rich_help_panel=_MODELS)
    ] = None,
    record: Annotated[
        bool, typer.Option(help="Keep every reply in the run's `calls.jsonl`.", rich_help_panel=_MODELS)
    ] = True,
    replay: Annotated[
        Path | None,
        typer.Option(help="Play from this run's recording: no model is called.", rich_help_panel=_MODELS),
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


_PLAN = "The plan's fields"
Doctors = Annotated[
    list[str] | None, typer.Option("--doctor", "-d", help="A doctor; repeatable.", rich_help_panel=_PLAN)
]
MaxCost = Annotated[float | None, typer.Option(min=0, help="US dollars for the whole run.", rich_help_panel=_PLAN)]
Concurrency = Annotated[
    int | None, typer.Option("--concurrency", "-j", min=1, help="Episodes at once.", rich_help_panel=_PLAN)
]
Engine = Annotated[str | None, typer.Option(help="local or ray.", rich_help_panel=_PLAN)]
Retries = Annotated[
    int | None, typer.Option(min=0, help="Times a failed episode is tried again.", rich_help_panel=_PLAN)
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="field=value, such as limits.turns=20; YAML; repeatable.", rich_help_panel=_PLAN),
]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")]


def _given(**fields: object) -> dict[str, object]:
    """The fields that were given: the others are the plan's."""
    return {name: value for name, value in fields.items() if value is not None and value != []}


@app.command()
def sweep(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="A YAML file, or a preset's name.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The run's own folder; by default one under runs/.")
    ] = None,
    doctor: Doctors = None,
    scenarios: Annotated[
        list[str] | None, typer.Option("--scenarios", "-s", help="A pack; repeatable.", rich_help_panel=_PLAN)
    ] = None,
    persona: Annotated[
        list[str] | None, typer.Option("--persona", help="A persona; repeatable.", rich_help_panel=_PLAN)
    ] = None,
    seed: Annotated[
        list[int] | None, typer.Option("--seed", min=0, help="A seed; repeatable.", rich_help_panel=_PLAN)
    ] = None,
    repeats: Annotated[
        int | None, typer.Option(min=1, help="Times each combination is played.", rich_help_panel=_PLAN)
    ] = None,
    rubric: Annotated[str | None, typer.Option(help="A rubric's name, or a file.", rich_help_panel=_PLAN)] = None,
    judge: Annotated[
        str | None, typer.Option(help="The model behind `judged` criteria.", rich_help_panel=_PLAN)
    ] = None,
    max_cost: MaxCost = None,
    concurrency: Concurrency = None,
    engine: Engine = None,
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

    overrides = _given(
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


@app.command()
def resume(
    run: RunFolder,
    max_cost: MaxCost = None,
    concurrency: Concurrency = None,
    engine: Engine = None,
    retries: Retries = None,
    other_code: Annotated[bool, typer.Option("--other-code", help="It was begun by another version.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress line.")] = False,
    as_json: Json = False,
) -> None:
    """Go on with a run: what was finished stays, and no reply that was paid for is asked for again."""
    from clinic_sim.commands.sweep import resume_run

    overrides = _given(max_cost=max_cost, concurrency=concurrency, engine=engine, retries=retries)
    raise typer.Exit(resume_run(run, overrides, other_code=other_code, quiet=quiet, as_json=as_json))


ReportLanguage = Annotated[str, typer.Option("--language", "-l", help="Of the report: en or zh.")]


@app.command()
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
    terminal: Annotated[bool, typer.Option("--terminal", help="Only print the tables; write no file.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON; a file only with --out.")] = False,
) -> None:
    """Report a run: one HTML file that needs no network, and the headline here."""
    from clinic_sim.commands.report import ReportRequest, report_run

    request = ReportRequest(run, out, language, episodes, success, terminal=terminal, as_json=as_json)
    raise typer.Exit(report_run(request))


@app.command()
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


@app.command()
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
    overrides = _given(rubric=rubric, judge=named, max_cost=max_cost, concurrency=concurrency)
    raise typer.Exit(rescore_run(run, out, overrides, no_judge=no_judge, quiet=quiet, as_json=as_json))


@app.command()
def merge(
    out: Annotated[Path, typer.Argument(help="The new run's folder.")],
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Runs of one plan, such as its shards.")],
    as_json: Json = False,
) -> None:
    """Put the shards of one plan together."""
    from clinic_sim.commands.runs import merge as merge_folders

    raise typer.Exit(merge_folders(out, runs, as_json=as_json))


@app.command()
def export(
    run: RunFolder,
    out: Annotated[Path, typer.Option("--out", "-o", help="A file that ends in .csv or .parquet.")],
    what: Annotated[str, typer.Option(help="episodes, verdicts or events.")] = "episodes",
) -> None:
    """Write a run as a flat table; every planned episode has its row."""
    from clinic_sim.commands.runs import export as export_table

    raise typer.Exit(export_table(run, out, what))


@app.command(name="list")
def list_(
    scenarios: Annotated[str | None, typer.Argument(help="A pack; by default all that ship.")] = None,
    as_json: Json = False,
) -> None:
    """List packs and their cases."""
    from clinic_sim.commands.cases import list_cases

    list_cases(scenarios, as_json=as_json)


@app.command()
def validate(
    paths: Annotated[list[str], typer.Argument(help="Case files, folders or names of packs.")],
    as_json: Json = False,
) -> None:
    """Check cases: every problem with its file, line and field."""
    from clinic_sim.commands.cases import validate_cases

    raise typer.Exit(validate_cases(paths, as_json=as_json))


@app.command()
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


@app.command()
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


@app.command(name="import")
def import_(
    format_: Annotated[str, typer.Argument(metavar="FORMAT", help="agentclinic, spbench or ai-hospital.")],
    source: Annotated[list[Path], typer.Argument(metavar="SRC", help="The source's files or folder.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write the cases to.")],
    as_json: Json = False,
) -> None:
    """Turn a dataset's records into cases."""
    from clinic_sim.commands.importing import import_dataset

    raise typer.Exit(import_dataset(format_, source, out, as_json=as_json))


@app.command()
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


@app.command()
def schema(what: Annotated[str, typer.Argument(help="case, rubric or plan.")] = "case") -> None:
    """Print the JSON Schema of case files, rubrics or plans."""
    from clinic_sim.commands.cases import print_schema

    print_schema(what)


judge_app = typer.Typer(name="judge", help="What is known of a judge.", no_args_is_help=True)
app.add_typer(judge_app)


@judge_app.command()
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


@judge_app.command()
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


class _Interrupted(BaseException):
    """Ctrl-C. Not a KeyboardInterrupt, which libraries on the way catch and answer in ways of their own."""


def main() -> None:
    """Entry point: whatever ends a command ends it with a clear message and an exit code."""
    interrupted = False

    def interrupt(signum: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        raise _Interrupted

    # Where a shell started us with the signal ignored, it stays ignored.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)
    code = 0
    try:
        code = _run()
    except BaseException:
        # A library may have turned the interrupt into an error of its own.
        if not interrupted:
            raise
    if interrupted:
        code = 130
        _say("interrupted")
    sys.exit(code)


def _run() -> int:
    """Run the command; returns its exit code."""
    if sys.stdout is None:
        _say("standard output is closed")
        return 1
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            # Chinese must print in any locale, and what cannot be printed must not kill a run.
            reconfigure(encoding="utf-8", errors="replace")
    try:
        try:
            app()
        except SystemExit as exc:
            sys.stdout.flush()
            return exc.code if isinstance(exc.code, int) else int(exc.code is not None)
        return 0
    except ClinicSimError as exc:
        _say(str(exc))
        return 1 if _disk_failed(exc) else 2
    except OSError as exc:
        # Python would try to flush once more at exit, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        # A reader that is gone (`| head`) wants to hear nothing more.
        if not isinstance(exc, BrokenPipeError):
            _say(f"cannot go on: {exc}")
        return 1


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def _disk_failed(exc: ClinicSimError) -> bool:
    """What was asked for is right, but the disk is full or broken; not that the place was wrongly chosen."""
    cause = exc.__cause__ if isinstance(exc, StoreError) else None
    return isinstance(cause, OSError) and cause.errno in _FULL


def _say(message: str) -> None:
    with suppress(OSError):
        if sys.stderr is not None:
            sys.stderr.write(f"clinic-sim: {message}\n")
            sys.stderr.flush()


if __name__ == "__main__":
    main()
