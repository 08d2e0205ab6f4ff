"""Ctrl-C while an event loop waits: it cancels the run's task, so that everything on the way is given up in order.

What a signal's handler raises goes wherever the interpreter happens to be. Inside an idle loop that is the loop itself,
and uvloop logs and forgets it. So the loop takes the signal, and the handler that was there is asked at the end.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def cancelled_by_interrupt() -> Iterator[None]:
    """While the block runs, Ctrl-C cancels the task that it runs in; then the former handler raises what it raises."""
    former = signal.getsignal(signal.SIGINT)
    task = asyncio.current_task()
    # Elsewhere than in the main thread no handler can be set; where the signal is ignored it stays so.
    if task is None or not callable(former) or threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = task.get_loop()
    interrupted = False

    def interrupt() -> None:
        nonlocal interrupted
        interrupted = True
        task.cancel()

    try:
        loop.add_signal_handler(signal.SIGINT, interrupt)
    except NotImplementedError:  # Windows, whose loop hears the former handler
        yield
        return
    try:
        yield
    except asyncio.CancelledError:
        if interrupted:
            former(signal.SIGINT, None)
        raise
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, former)
