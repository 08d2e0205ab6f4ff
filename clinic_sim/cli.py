"""The `clinic-sim` command. Each subcommand is a thin function over `clinic_sim.commands`.

Exit codes: 0 done; 1 done, but something failed or is invalid, or the output cannot be written; 2 the request cannot be
carried out as given; 130 interrupted.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from clinic_sim._version import __version__
from clinic_sim.errors import ClinicSimError

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
PersonaName = Annotated[str, typer.Option("--persona", help="How the patient talks: plain, terse, talkative, unsure.")]


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
def schema(what: Annotated[str, typer.Argument(help="case or rubric.")] = "case") -> None:
    """Print the JSON Schema of case files or rubrics."""
    from clinic_sim.commands.cases import print_schema

    print_schema(what)


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
        return 2
    except OSError as exc:
        # Python would try to flush once more at exit, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        # A reader that is gone (`| head`) wants to hear nothing more.
        if not isinstance(exc, BrokenPipeError):
            _say(f"cannot go on: {exc}")
        return 1


def _say(message: str) -> None:
    with suppress(OSError):
        if sys.stderr is not None:
            sys.stderr.write(f"clinic-sim: {message}\n")
            sys.stderr.flush()


if __name__ == "__main__":
    main()
