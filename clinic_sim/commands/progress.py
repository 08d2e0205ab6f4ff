"""What a run with models is doing, on standard error: how many are done, how many calls wait, and for whom longest."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from rich.console import Console

from clinic_sim.models.calls import Waiting

_EVERY_S = 0.5
_PLAIN_EVERY_S = 15.0
"""Off a terminal: one line each quarter of a minute, so that a log stays readable."""


class Progress:
    """The progress line of one run."""

    def __init__(self, planned: int, waiting: Waiting) -> None:
        self.planned = planned
        self.done = 0
        self.failed = 0
        self._waiting = waiting
        self._began = time.monotonic()

    def line(self) -> str:
        """Where the run stands."""
        now = time.monotonic()
        text = f"{self.done}/{self.planned} episodes"
        if self.failed:
            text += f", {self.failed} failed"
        text += f", {now - self._began:.0f} s"
        longest = self._waiting.longest()
        if longest is not None:
            text += (
                f"; waiting for {len(self._waiting)} calls, longest {now - longest.since:.0f} s: "
                f"{longest.role} of {longest.episode} ({longest.model})"
            )
        return text


@asynccontextmanager
async def shown(progress: Progress, *, silent: bool = False, plain: bool = False) -> AsyncIterator[None]:
    """The line is kept up to date while the block runs.

    Args:
        plain: Now and then a line of its own, even on a terminal, as between the lines of a transcript.
    """
    if silent:
        yield
        return
    task = asyncio.create_task(_on_terminal(progress) if sys.stderr.isatty() and not plain else _plain(progress))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _on_terminal(progress: Progress) -> None:
    with Console(stderr=True).status(progress.line()) as status:
        while True:
            await asyncio.sleep(_EVERY_S)
            status.update(progress.line())


async def _plain(progress: Progress) -> None:
    while True:
        await asyncio.sleep(_PLAIN_EVERY_S)
        print(progress.line(), file=sys.stderr, flush=True)
