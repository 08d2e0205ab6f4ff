"""A server that is gone, for each role: the episode ends in bounded time, says why, and is never scored as zero."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clinic_sim.clinic.staffing import StaffPlan
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.models import retry
from clinic_sim.models.calls import Waiting
from clinic_sim.sweeps.cast import Cast, make_cast
from clinic_sim.sweeps.local import run_batch
from clinic_sim.sweeps.outcome import Outcome, Setup
from clinic_sim.testing import ScriptedDoctor, small_case

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
from mock_server import MockServer

ROLES = ("patient", "examiner", "chief", "doctor", "judge")
ACTIONS = ["ASK: Since when?", "ORDER: thyroid ultrasound", "CONSULT: What now?", "CONCLUDE: appendicitis"]
HASTY = "attempts=2&total_s=2&attempt_s=0.3"
CALM = "attempts=2&total_s=30&attempt_s=10"
"""Enough for a busy machine; a server that is down says so at once."""


@pytest.fixture(scope="module")
def running() -> Iterator[MockServer]:
    with MockServer() as found:
        yield found


@pytest.fixture
def server(running: MockServer, monkeypatch: pytest.MonkeyPatch) -> MockServer:
    """The mock, whole again; and little patience, which changes only how long a test takes."""
    monkeypatch.setattr(retry, "FIRST_WAIT_S", 0.02)
    running.configure(latency_ms=5, conclude_at=3, hang_s=30, down=0, phang=0)
    running.reset()
    return running


def dead_url() -> str:
    """Where nobody listens."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{s.getsockname()[1]}/v1"


def cast_of(urls: dict[str, str], patience: str = CALM) -> Cast:
    """Models at these addresses."""
    names = {role: f"openai/mock?base_url={url}&{patience}" for role, url in urls.items()}
    plan = StaffPlan(*(names.get(r, "offline") for r in ROLES[:3]), "model" if "examiner" in names else "not_recorded")
    rubric = load_rubric("clinic-language" if "judge" in names else "clinic")
    return make_cast([names.get("doctor", "silent")], [plan], rubric, names.get("judge"))


async def run(
    cast: Cast, count: int, *, concurrency: int = 1, scripted: bool = False, after: dict[int, object] | None = None
) -> list[Outcome]:
    """A batch; `after` so many episodes, something is done."""
    found: dict[int, Outcome] = {}

    def done(at: int, outcome: Outcome) -> None:
        assert at not in found
        found[at] = outcome
        act = (after or {}).get(len(found))
        if callable(act):
            act()

    doctor = (lambda: ScriptedDoctor(ACTIONS)) if scripted else cast.doctors[0].make
    setups = [Setup(f"small:{n}", small_case(), doctor, n, cast.staffs[0]) for n in range(count)]
    await run_batch(setups, cast.judge, done, concurrency=concurrency, waiting=Waiting())
    assert sorted(found) == list(range(count))
    return [found[n] for n in range(count)]


@pytest.mark.parametrize("way", ["refused", "500", "hangs"])
@pytest.mark.parametrize("role", ROLES)
async def test_each_roles_outage_ends_the_episode_soon_and_by_name(server: MockServer, role: str, way: str) -> None:
    server.configure(down=int(way == "500"), phang=float(way == "hangs"))
    cast = cast_of({role: dead_url() if way == "refused" else server.url}, HASTY if way == "hangs" else CALM)
    began = time.monotonic()
    (outcome,) = await run(cast, 1, scripted=role != "doctor")
    assert time.monotonic() - began < 5
    await cast.aclose()
    assert outcome.scorecard.status == "unscored"
    kind = "ProviderTimeout" if way == "hangs" else "Unavailable"
    if role == "judge":
        assert not outcome.failure
        assert any(kind in v.failure for v in outcome.scorecard.verdicts)
    else:
        assert kind in outcome.failure
        assert "2 attempts" in outcome.failure
    assert outcome.usage[role]["failed"] >= 1


async def test_an_outage_in_the_middle_loses_no_episode_and_the_next_run_is_whole(server: MockServer) -> None:
    urls = dict.fromkeys(("patient", "doctor", "judge"), server.url)
    cast = cast_of(urls)
    began = time.monotonic()
    outcomes = await run(cast, 12, concurrency=3, after={3: lambda: server.configure(down=1)})
    assert time.monotonic() - began < 20
    good = [o for o in outcomes if o.scorecard.status == "scored"]
    bad = [o for o in outcomes if o.scorecard.status == "unscored"]
    assert len(good) >= 3
    assert len(bad) >= 6
    assert len(good) + len(bad) == 12
    assert all(o.failure or any("Unavailable" in v.failure for v in o.scorecard.verdicts) for o in bad)
    server.configure(down=0)
    again = await run(cast, 4, concurrency=4)
    await cast.aclose()
    assert [o.scorecard.status for o in again] == ["scored"] * 4
    assert not any(o.failure for o in again)


async def test_a_run_that_is_stopped_leaves_nothing_running(server: MockServer) -> None:
    server.configure(latency_ms=60_000)
    cast = cast_of(dict.fromkeys(ROLES, server.url))
    before = asyncio.all_tasks()
    task = asyncio.create_task(run(cast, 20, concurrency=10))
    while server.stats()["requests"] < 10:  # noqa: ASYNC110 - the server is another process
        await asyncio.sleep(0.02)
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await cast.aclose()
    assert time.monotonic() - began < 5
    assert asyncio.all_tasks() == before
    assert server.stats()["requests"] == 10


def test_a_batch_may_be_run_on_one_event_loop_after_the_other(server: MockServer) -> None:
    cast = cast_of(dict.fromkeys(("doctor", "patient"), server.url))
    for _ in range(3):
        outcomes = asyncio.run(run(cast, 3, concurrency=3))
        assert [o.failure for o in outcomes] == [""] * 3
    asyncio.run(cast.aclose())
