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
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Annotated

import typer

from clinic_sim._version import __version__
from clinic_sim.cli import cases, consultations, judging, rubrics, runs
from clinic_sim.errors import ClinicSimError, StoreError

app = typer.Typer(
    name="clinic-sim",
    help="A simulated clinic in which language models are examined as doctors. For research, not for clinical use.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


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


_COMMANDS: dict[str, Callable[..., None]] = {
    "run": consultations.run,
    "play": consultations.play,
    "sweep": runs.sweep,
    "resume": runs.resume,
    "report": runs.report,
    "compare": runs.compare,
    "rescore": runs.rescore,
    "merge": runs.merge,
    "export": runs.export,
    "list": cases.list_,
    "show": cases.show,
    "validate": cases.validate,
    "import": cases.import_,
    "explain": cases.explain,
    "schema": cases.schema,
}
"""In the order of the help."""

for _name, _command in _COMMANDS.items():
    app.command(name=_name)(_command)

judge_app = typer.Typer(name="judge", help="What is known of a judge.", no_args_is_help=True)
judge_app.command()(judging.calibrate)
judge_app.command()(judging.audit)
judge_app.command()(judging.replay)
app.add_typer(judge_app)

rubric_app = typer.Typer(name="rubric", help="Rubrics: check, explain, generate, import.", no_args_is_help=True)
rubric_app.command()(rubrics.validate)
rubric_app.command()(rubrics.explain)
rubric_app.command()(rubrics.generate)
rubric_app.command("import")(rubrics.import_)
app.add_typer(rubric_app)


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
