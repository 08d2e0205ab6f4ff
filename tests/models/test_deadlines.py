"""Deadlines: what takes too long ends as a timeout, all of a model with one timer, and nobody else's cancelling is
taken for one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from clinic_sim.models.deadlines import Deadline, Deadlines


async def _take(deadlines: Deadlines, seconds: float) -> str:
    try:
        with Deadline(deadlines):
            await asyncio.sleep(seconds)
    except TimeoutError:
        return "late"
    return "in time"


async def test_each_attempt_has_its_own_time_and_only_the_late_ones_end() -> None:
    deadlines = Deadlines(asyncio.get_running_loop(), 0.1)
    first = [asyncio.create_task(_take(deadlines, seconds)) for seconds in (0.01, 5, 0.05, 5)]
    await asyncio.sleep(0.06)
    began = deadlines.loop.time()
    later = [asyncio.create_task(_take(deadlines, seconds)) for seconds in (0.07, 5)]
    assert await asyncio.gather(*first) == ["in time", "late", "in time", "late"]
    assert await asyncio.gather(*later) == ["in time", "late"]
    assert 0.09 < deadlines.loop.time() - began < 1


async def test_after_a_pause_an_attempt_is_timed_again() -> None:
    deadlines = Deadlines(asyncio.get_running_loop(), 0.03)
    assert await _take(deadlines, 0) == "in time"
    await asyncio.sleep(0.1)  # the timer of the first one finds nothing
    assert await _take(deadlines, 5) == "late"
    assert await _take(deadlines, 0.001) == "in time"


async def test_one_timer_serves_all(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    call_at = loop.call_at
    times: list[float] = []

    def counted(when: float, *args: Any, **kwargs: Any) -> asyncio.TimerHandle:
        times.append(when)
        return call_at(when, *args, **kwargs)

    monkeypatch.setattr(loop, "call_at", counted)
    deadlines = Deadlines(loop, 60)
    for _ in range(50):
        with Deadline(deadlines):
            await asyncio.sleep(0)
    assert len(times) == 1


async def test_a_call_that_is_cancelled_by_somebody_else_is_cancelled_and_not_late() -> None:
    deadlines = Deadlines(asyncio.get_running_loop(), 60)
    task = asyncio.create_task(_take(deadlines, 60))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_call_that_is_late_and_cancelled_too_is_cancelled() -> None:
    deadlines = Deadlines(asyncio.get_running_loop(), 0.02)

    async def stubborn() -> None:
        with Deadline(deadlines):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                await asyncio.sleep(0.05)
                raise

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0.04)  # late by now, and still ending
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_late_attempt_that_was_just_answered_leaves_its_task_uncancelled() -> None:
    deadlines = Deadlines(asyncio.get_running_loop(), 0.02)

    async def swallows() -> str:
        with Deadline(deadlines):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                return "answered all the same"
        return ""

    assert await swallows() == "answered all the same"
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
