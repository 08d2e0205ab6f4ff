"""What is the `processes` engine's own: its children, what they say and print, and that none outlives the run."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_sim.errors import ConfigError, StoreError
from clinic_sim.models.calls import Waiting
from clinic_sim.sweeps import process_hands, process_wire
from clinic_sim.sweeps.crew_messages import Report, Result
from clinic_sim.sweeps.sweep import Watch, open_store, run_sweep

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the engine needs Linux or macOS")
ENGINE = {"name": "processes", "workers": 2}
ALONE = {"name": "processes", "workers": 1}
AGENT = """
import os, sys
from langchain.agents import create_agent
from langchain_core.language_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage

class Model(FakeMessagesListChatModel):
    def bind_tools(self, tools, **kwargs):
        return self

def make(tools, instructions):
    {first}
    call = {{"name": "conclude", "args": {{"diagnosis": "flu"}}, "id": "1", "type": "tool_call"}}
    return create_agent(Model(responses=[AIMessage("", tool_calls=[call]) for _ in range(2)]), tools=tools)
"""


def agent(folder: Path, first: str) -> str:
    """The name of an agent that does something before it concludes."""
    path = folder / "agent.py"
    path.write_text(AGENT.format(first=first))
    return f"langgraph/{path}:make"


def children(driver: int) -> list[int]:
    """Process ids of the workers of a driver, as far as they live."""
    listed = subprocess.run(["ps", "-wwAo", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True)
    rows = [line.split(maxsplit=3) for line in listed.stdout.splitlines()]
    return [int(r[0]) for r in rows if int(r[1]) == driver and "process_worker" in r[3] and not r[2].startswith("Z")]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_a_worker_prints_disturbs_nothing_and_an_agent_plays_as_it_does_locally(
    carrying: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("langchain")
    doctor = agent(tmp_path, "print('noise', flush=True); os.write(1, b'x' * 100_000); os.write(2, b'y' * 300_000)")
    engines = {"local": "local", "processes": ENGINE}
    for name, engine in engines.items():
        found = carrying(doctors=[doctor], seeds=[0], engine=engine)
        assert found.run(tmp_path / name).accounts.whole
        assert ("noise" in capfd.readouterr().out) == (name == "local")
    local, processes = (
        [
            orjson.loads(line)["episode"]["events"]
            for line in (tmp_path / n / "episodes.jsonl").read_bytes().splitlines()
        ]
        for n in engines
    )
    assert local == processes


def test_it_is_told_what_a_worker_died_of(carrying: Any, tmp_path: Path) -> None:
    pytest.importorskip("langchain")
    doctor = agent(
        tmp_path, "sys.stderr.write('loading\\nno licence for this model\\n'); sys.stderr.flush(); os._exit(7)"
    )
    found = carrying(scenarios=[{"pack": "core-en", "limit": 1}], doctors=[doctor], seeds=[0], engine=ALONE)
    accounts = found.run(tmp_path / "run").accounts
    assert dict(accounts.failed) == {"WorkerDied": 1}
    (failure,) = (orjson.loads(line) for line in (tmp_path / "run" / "failures.jsonl").read_bytes().splitlines())
    assert "exit code 7: no licence for this model" in failure["message"]


def test_workers_that_cannot_start_end_the_run_with_the_reason(
    carrying: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_hands, "_START", "import sys; sys.exit('no such library')")
    with pytest.raises(ConfigError, match="die as they start: it ended with exit code 1: no such library"):
        carrying(engine=ENGINE).run(tmp_path / "run")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    with pytest.raises(ConfigError, match="cannot be started"):
        carrying(engine=ENGINE).run(tmp_path / "run")
    none_left = SimpleNamespace(AF_UNIX=1, socketpair=lambda: os.open(tmp_path / "none", os.O_RDONLY))
    monkeypatch.setattr(process_hands, "socket", none_left)
    with pytest.raises(ConfigError, match="cannot be started"):
        carrying(engine=ENGINE).run(tmp_path / "run")


def test_other_code_in_a_worker_is_refused(carrying: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clinic_sim.sweeps.crew_worker.code_hash", lambda: "of a checkout that was edited meanwhile")
    with pytest.raises(ConfigError, match="other code than this process"):
        carrying(engine=ENGINE).run(tmp_path / "run")


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGINT], ids=["kill", "int"])
def test_no_worker_outlives_its_driver_whatever_ends_it(
    command: Any, plan_file: Callable[..., Path], server: Any, tmp_path: Path, waiting_for: Any, signum: int
) -> None:
    server.configure(latency_ms=60_000)  # while they wait for a model
    plan = plan_file(doctors=[f"openai/mock?base_url={server.url}"], engine=ENGINE)
    driver = command.begin("sweep", plan, "--out", "run", "--quiet")
    waiting_for(lambda: driver.poll() is not None or server.stats()["peak"] >= 6)
    workers = children(driver.pid)
    assert len(workers) == 2
    os.kill(driver.pid, signum)  # the driver alone
    driver.communicate(timeout=20)
    assert driver.returncode == (130 if signum == signal.SIGINT else -signum)
    waiting_for(lambda: not any(alive(pid) for pid in workers), 10)
    server.configure(latency_ms=0)
    done = command("resume", "run", "--engine", "local", "--json", "--quiet")
    assert json.loads(done.stdout)["completed"] == 6


def test_a_worker_whose_loop_is_busy_ends_with_its_driver_too(
    command: Any, plan_file: Callable[..., Path], tmp_path: Path, waiting_for: Any
) -> None:
    pytest.importorskip("langchain")
    doctor = agent(tmp_path, "import time; open('busy', 'w').close(); time.sleep(60)")
    driver = command.begin("sweep", plan_file(doctors=[doctor], engine=ALONE), "--out", "run", "--quiet")
    waiting_for(lambda: driver.poll() is not None or (tmp_path / "busy").exists())
    workers = children(driver.pid)
    assert len(workers) == 1
    driver.kill()
    driver.communicate(timeout=20)
    waiting_for(lambda: not alive(workers[0]), 10)


def test_a_script_without_a_guard_may_start_a_run(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\n"
        "from clinic_sim.sweeps.plan import Plan\n"
        "from clinic_sim.sweeps.planned import Sweep\n"
        "from clinic_sim.sweeps.stage import cast_of\n"
        "from clinic_sim.sweeps.sweep import open_store, run_sweep\n"
        "print('begun')\n"
        "plan = Plan(doctors=['silent'], scenarios=['core-en'], engine={'name': 'processes', 'workers': 2})\n"
        "cast = cast_of(plan)\n"
        "sweep = Sweep.resolve(plan, cast)\n"
        "print(run_sweep(sweep, cast, open_store(sweep, Path('run'))).accounts.whole)\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    told = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path, env=env, timeout=90
    )
    assert (told.stdout.split(), told.stderr) == (["begun", "True"], "")


def test_the_progress_line_hears_what_workers_wait_for(carrying: Any, tmp_path: Path, server: Any) -> None:
    server.configure(latency_ms=1200)
    waiting = Waiting()
    seen: list[tuple[int, str]] = []

    def begun(*_: Any) -> None:
        import asyncio

        async def look() -> None:
            while True:
                if longest := waiting.longest():
                    seen.append((len(waiting), longest.role))
                await asyncio.sleep(0.05)

        asyncio.get_running_loop().create_task(look())

    found = carrying(doctors=[f"openai/mock?base_url={server.url}"], seeds=[0], limits={"turns": 1}, engine=ENGINE)
    with open_store(found.sweep, tmp_path / "run") as store:
        run_sweep(found.sweep, found.cast, store, watch=Watch(begun=begun, waiting=waiting))
    assert max(n for n, _ in seen) == 3
    assert {role for _, role in seen} == {"doctor"}


def test_by_default_there_is_one_worker_for_each_processor_that_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1, 4, 5}, raising=False)
    assert process_hands.processors() == 3


_data = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_records = st.dictionaries(st.text(), _data, max_size=3)
_results = st.builds(
    Result,
    st.text(max_size=20),
    st.booleans(),
    st.binary(max_size=99),
    _records,
    st.lists(_records, max_size=2).map(tuple),
)


@given(st.lists(_results, max_size=4), st.none() | st.tuples(st.text(), st.text(), st.text(), st.floats(0, 1e6)))
def test_a_report_arrives_as_it_was_sent(results: list[Result], longest: tuple[str, str, str, float] | None) -> None:
    report = Report(results, 0.1, 2.5e-7, True, 3, longest)
    data, tail = process_wire.of_report(report)
    assert process_wire.to_report(process_wire.decoded(process_wire.encoded(data)), tail) == report


def test_half_a_surrogate_pair_that_a_model_wrote_arrives() -> None:
    result = Result("k", True, b"{}\n", {"said": "\ud83d"}, ({"message": "\udc00"},))
    data, tail = process_wire.of_report(Report([result], 0, 0, False, 0, None))
    assert process_wire.to_report(process_wire.decoded(process_wire.encoded(data)), tail).results == [result]


def test_an_error_arrives_as_what_it_was_and_a_full_disk_as_a_full_disk() -> None:
    full = StoreError("journal: cannot be written")
    full.__cause__ = OSError(errno.ENOSPC, "no space left")
    found = process_wire.to_error(process_wire.of_error(full))
    assert (type(found), str(found)) == (StoreError, str(full))
    assert isinstance(found.__cause__, OSError)
    assert found.__cause__.errno == errno.ENOSPC
    other = process_wire.to_error(process_wire.of_error(KeyError("x")))
    assert type(other) is RuntimeError
    assert "KeyError: 'x'" in str(other)
