"""Driving coroutines from synchronous code.

The offline clinic's coroutines never suspend, so the first `send` runs them to their end without an event loop. One
that does suspend needs a loop: it is run on one private loop in a daemon thread, shared by all synchronous faces, so
that a caller's own running loop (a notebook) is never touched.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def drive(make: Callable[[], Coroutine[Any, Any, T]], *, suspends: bool = False) -> T:
    """The result of a coroutine, from synchronous code.

    Args:
        make: Makes the coroutine (it is made where it will run).
        suspends: It waits for something outside (a model, a clock), so it runs on the shared loop.

    Raises:
        RuntimeError: a coroutine suspended although `suspends` is false.
    """
    if suspends:
        return asyncio.run_coroutine_threadsafe(make(), _shared_loop()).result()
    coroutine = make()
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    coroutine.close()
    raise RuntimeError("an offline role suspended; roles that wait must say so with `suspends = True`")


def new_loop() -> asyncio.AbstractEventLoop:
    """An event loop; uvloop's, which takes less of the processor, where it is installed."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _shared_loop() -> asyncio.AbstractEventLoop:
    global _loop
    with _lock:
        if _loop is None or _loop.is_closed():
            _loop = new_loop()
            threading.Thread(target=_loop.run_forever, name="clinic_sim-loop", daemon=True).start()
        return _loop
