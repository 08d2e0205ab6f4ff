"""What a run with models is doing, on standard error: how many are done, how many calls wait, and for whom longest."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rich.console import Console

from clinic_sim.models.calls import Waiting
from clinic_sim.sweeps.accounts import Accounts
from clinic_sim.sweeps.spending import Spending

_EVERY_S = 0.5
_PLAIN_EVERY_S = 15.0
"""Off a terminal: one line each quarter of a minute, so that a log stays readable."""


class Progress:
    """The progress line of one run.

    Args:
        accounts: Where its episodes stand, kept up to date by whoever carries it out.
        waiting: What is being waited for.
        spending: What it has cost.
    """

    def __init__(self, accounts: Accounts, waiting: Waiting, spending: Spending) -> None:
        self._accounts = accounts
        self._before = accounts.completed + accounts.failed.total()
        self._waiting = waiting
        self._spending = spending
        self._began = time.monotonic()

    def line(self) -> str:
        """Where the run stands."""
        accounts, now = self._accounts, time.monotonic()
        failed = accounts.failed.total()
        over = accounts.completed + failed
        text = f"{over}/{accounts.planned} episodes"
        if failed:
            text += f", {failed} failed"
        if accounts.unscored:
            text += f", {accounts.unscored.total()} unscored"
        passed = now - self._began
        rate = (over - self._before) / passed if passed > 0 else 0.0
        text += f", {_span(passed)}"
        if rate:
            text += f", {rate:.3g}/s, {_span((accounts.planned - over) / rate)} left"
        spent = self._spending.spent
        if spent or self._spending.unknown:
            cap = f" of {self._spending.cap:g}" if self._spending.cap is not None else ""
            text += f", ${spent:.4f}{cap}{' and calls without a price' if self._spending.unknown else ''}"
        longest = self._waiting.longest()
        if longest is not None:
            text += (
                f"; waiting for {len(self._waiting)} calls, longest {now - longest.since:.0f} s: "
                f"{longest.role} of {longest.episode} ({longest.model})"
            )
        return text


def _span(seconds: float) -> str:
    """Seconds, or minutes and hours where they are many."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 7200 else f"{whole / 3600:.1f} h"


class Line:
    """The line on standard error while a run goes on: drawn over itself on a terminal, now and then one off it.

    A thread of its own keeps it: offline episodes leave the event loop no time.
    """

    def __init__(self, *, plain: bool = False) -> None:
        self._plain = plain or not sys.stderr.isatty()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, progress: Progress) -> None:
        """The run has begun."""
        keep = self._now_and_then if self._plain else self._on_terminal
        self._thread = threading.Thread(target=keep, args=(progress,), name="clinic_sim-progress", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """The run is over; the terminal is clean when this returns."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(5)

    def _on_terminal(self, progress: Progress) -> None:
        with Console(stderr=True).status(progress.line()) as status:
            while not self._over.wait(_EVERY_S):
                with suppress(RuntimeError):  # the run changed a table while it was read: the next line will do
                    status.update(progress.line())

    def _now_and_then(self, progress: Progress) -> None:
        while not self._over.wait(_PLAIN_EVERY_S):
            with suppress(RuntimeError, OSError):
                print(progress.line(), file=sys.stderr, flush=True)


@contextmanager
def shown(*, plain: bool = False) -> Iterator[Line]:
    """A line that is gone when the block ends.

    Args:
        plain: Never drawn over itself, as between the lines of a transcript.
    """
    line = Line(plain=plain)
    try:
        yield line
    finally:
        line.stop()
