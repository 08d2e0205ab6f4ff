"""Ctrl-C while a run waits for a model: the loop must not swallow it, and what was set up is given up in order."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from types import FrameType

import pytest

from clinic_sim.clinic.driving import new_loop
from clinic_sim.sweeps.interrupts import cancelled_by_interrupt


class Interrupted(BaseException):
    """What the command's own handler raises."""


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise Interrupted


@pytest.fixture
def _handler() -> object:
    before = signal.signal(signal.SIGINT, _interrupt)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_handler")
@pytest.mark.parametrize("loop", [new_loop, asyncio.new_event_loop])
def test_an_idle_run_ends_at_once_and_in_order(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    tidied = []

    async def run() -> None:
        with cancelled_by_interrupt():
            try:
                asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGINT)
                await asyncio.sleep(30)
            finally:
                await asyncio.sleep(0)
                tidied.append(True)

    began = time.monotonic()
    with asyncio.Runner(loop_factory=loop) as runner, pytest.raises(Interrupted):
        runner.run(run())
    assert time.monotonic() - began < 5
    assert tidied == [True]
    assert signal.getsignal(signal.SIGINT) is _interrupt


@pytest.mark.usefixtures("_handler")
def test_what_ends_otherwise_stays_as_it_is() -> None:
    async def run() -> str:
        with cancelled_by_interrupt():
            await asyncio.sleep(0)
            return "done"

    async def cancelled() -> None:
        with cancelled_by_interrupt():
            raise asyncio.CancelledError

    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(run()) == "done"
        assert signal.getsignal(signal.SIGINT) is _interrupt
        with pytest.raises(asyncio.CancelledError):
            runner.run(cancelled())


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)

    async def run() -> None:
        with cancelled_by_interrupt():
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(0.05)

    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(run())
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
