"""`Deadlines`: how long an attempt may take, with one timer of the event loop for all attempts of a model.

A timer for each, set and cancelled again by nearly every one, costs more than what it guards. All attempts of a model
may take equally long, so they are due in the order in which they began, and only the first needs a timer.
"""

from __future__ import annotations

import asyncio
from types import TracebackType


class Deadlines:
    """The attempts in flight in one event loop.

    Args:
        loop: The event loop; it is running.
        seconds: What each attempt may take.
    """

    __slots__ = ("_open", "_timed", "loop", "seconds")

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self.loop = loop
        self.seconds = seconds
        self._open: dict[Deadline, None] = {}
        """In the order in which they are due."""
        self._timed = False
        """A timer is set, for the first of them or for one that has ended since."""

    def add(self, deadline: Deadline) -> None:
        """One more attempt begins."""
        self._open[deadline] = None
        if not self._timed:
            self._timed = True
            self.loop.call_at(deadline.due, self._look)

    def drop(self, deadline: Deadline) -> None:
        """It has ended."""
        self._open.pop(deadline, None)

    def _look(self) -> None:
        now = self.loop.time()
        for deadline in list(self._open):
            if deadline.due > now:
                self.loop.call_at(deadline.due, self._look)
                return
            del self._open[deadline]
            deadline.pass_()
        self._timed = False


class Deadline:
    """One attempt: what runs inside of it is cancelled when its time is over, and ends as a TimeoutError."""

    __slots__ = ("_cancelling", "_deadlines", "_passed", "_task", "due")

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._passed = False

    def __enter__(self) -> None:
        deadlines = self._deadlines
        task = asyncio.current_task(deadlines.loop)
        assert task is not None  # noqa: S101 - an attempt is awaited, so a task awaits it
        self._task = task
        self._cancelling = task.cancelling()
        self.due = deadlines.loop.time() + deadlines.seconds
        """By the clock of the event loop."""
        deadlines.add(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._deadlines.drop(self)
        # Whoever else cancelled the task meanwhile wants it cancelled, not late.
        if self._passed and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def pass_(self) -> None:
        """The time is over."""
        self._passed = True
        self._task.cancel()
