"""Engines of several processes: the local one's bytes, and nothing lost when something is killed, spent or stopped."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest

from clinic_sim.cases.packs import load_pack
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.errors import ConfigError, StoreError
from clinic_sim.sweeps import crew
from clinic_sim.sweeps.calls_file import read_calls
from clinic_sim.sweeps.plan import EnginePlan
from clinic_sim.sweeps.sweep import Finished, Watch, open_store, run_sweep

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc, to find the worker processes")
RAY = [
    pytest.mark.xdist_group("ray"),  # one cluster, not one in each process of the test runner
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed: the extra `ray`"),
]
PLAN: dict[str, Any] = {
    "scenarios": [{"pack": "core-en", "limit": 4}, {"pack": "core-zh", "limit": 4}],
    "doctors": ["checklist", "silent", "guess"],
    "limits": {"turns": 12},
    "seeds": [0, 1, 2],
}
"""72 offline episodes."""


class Engine:
    """An engine under test."""

    def __init__(self, name: str) -> None:
        self.plan = {"name": name, "workers": 2}
        self.alone = {"name": name, "workers": 1}
        """A worker takes a second to start."""
        self._ray = name == "ray"

    def workers(self) -> list[int]:
        """Process ids of the workers that play for this process."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    command = (entry / "cmdline").read_bytes()
                    parent = _parent(int(entry.name))
                    if self._ray:
                        named, parent = command.startswith(b"ray::Worker"), _parent(parent)
                    else:
                        named = b"process_worker" in command
                    if named and parent == os.getpid():
                        found.append(int(entry.name))
                except (OSError, IndexError):
                    continue  # it ended while we looked
        return found


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.fixture(scope="module", params=["processes", pytest.param("ray", marks=RAY)])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Each of them; one cluster of Ray for all tests, because to start it takes seconds."""
    if request.param != "ray":
        yield Engine(request.param)
        return
    from clinic_sim.sweeps.ray_cluster import connected

    with connected(EnginePlan(name="ray")):
        yield Engine("ray")


def carry(carrying: Any, folder: Path, done: Callable[[Any], None] | None = None, **fields: Any) -> Finished:
    """Carry out a plan like `PLAN`."""
    found = carrying(**{**PLAN, **fields})
    with open_store(found.sweep, folder) as store:
        return run_sweep(found.sweep, found.cast, store, watch=Watch(done=done))


def written(folder: Path) -> tuple[bytes, bytes]:
    return (folder / "episodes.jsonl").read_bytes(), (folder / "index.jsonl").read_bytes()


@pytest.fixture(scope="module")
def undisturbed(carrying: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """What the local engine makes of `PLAN`."""
    folder = tmp_path_factory.mktemp("local")
    assert carry(carrying, folder).accounts.whole
    return written(folder)


class Stopped(Exception):
    """A test stops a run."""


def stop_after(episodes: int) -> Callable[[Any], None]:
    """Ends a run by an error after so many episodes, as a full disk would."""
    seen: list[Any] = []

    def done(found: Any) -> None:
        seen.append(found)
        if len(seen) == episodes:
            raise Stopped

    return done


def test_the_same_plan_gives_the_same_bytes(
    carrying: Any, tmp_path: Path, engine: Engine, undisturbed: tuple[bytes, bytes], waiting_for: Any
) -> None:
    accounts = carry(carrying, tmp_path, engine=engine.plan).accounts
    assert (accounts.planned, accounts.completed) == (72, 72)
    assert written(tmp_path) == undisturbed
    waiting_for(lambda: not engine.workers(), 10)


def test_a_killed_worker_costs_no_episode(
    carrying: Any, tmp_path: Path, engine: Engine, undisturbed: tuple[bytes, bytes], capfd: pytest.CaptureFixture[str]
) -> None:
    killed: list[int] = []

    def kill_one(_: Any) -> None:
        if not killed:
            killed.append(engine.workers()[0])
            os.kill(killed[0], signal.SIGKILL)

    accounts = carry(carrying, tmp_path, kill_one, engine=engine.plan).accounts
    assert killed
    assert (accounts.completed, accounts.failed) == (72, Counter())
    assert written(tmp_path) == undisturbed
    assert not (tmp_path / "failures.jsonl").exists()
    assert capfd.readouterr().out == ""  # where `--json` writes, Ray does not


def test_a_worker_that_says_nothing_is_killed_and_replaced(
    carrying: Any,
    tmp_path: Path,
    engine: Engine,
    undisturbed: tuple[bytes, bytes],
    monkeypatch: pytest.MonkeyPatch,
    waiting_for: Any,
) -> None:
    monkeypatch.setattr(crew, "_SILENT_S", 3.0)  # six times as long as it takes to give a sign of life
    stopped: list[int] = []

    def stop_one(_: Any) -> None:
        if not stopped:
            stopped.append(engine.workers()[0])
            os.kill(stopped[0], signal.SIGSTOP)

    accounts = carry(carrying, tmp_path, stop_one, engine=engine.alone).accounts
    assert (accounts.completed, accounts.failed) == (72, Counter())
    assert written(tmp_path) == undisturbed
    waiting_for(lambda: stopped[0] not in engine.workers(), 10)


@pytest.mark.parametrize("local_first", [True, False])
def test_one_engine_goes_on_where_the_other_was_stopped(
    carrying: Any,
    tmp_path: Path,
    engine: Engine,
    undisturbed: tuple[bytes, bytes],
    waiting_for: Any,
    local_first: bool,
) -> None:
    first, then = ("local", engine.plan) if local_first else (engine.alone, "local")
    with pytest.raises(Stopped):
        carry(carrying, tmp_path, stop_after(9), engine=first)
    assert (tmp_path / "episodes.jsonl").read_bytes().count(b"\n") == 9
    waiting_for(lambda: not engine.workers(), 10)
    assert carry(carrying, tmp_path, engine=then).accounts.completed == 72
    assert written(tmp_path) == undisturbed


def test_models_are_asked_by_workers_and_every_call_is_kept(
    carrying: Any, tmp_path: Path, engine: Engine, server: Any
) -> None:
    server.configure(latency_ms=5)
    model = f"openai/mock?base_url={server.url}&price_in=1&price_out=2"
    finished = carry(
        carrying, tmp_path, doctors=[model], roles={"patient": model}, seeds=[0], concurrency=5, engine=engine.plan
    )
    assert (finished.accounts.completed, finished.accounts.failed) == (8, Counter())
    requests = server.stats()["requests"]
    assert kept(tmp_path) == requests
    usage = Counter[str]()
    for line in (tmp_path / "episodes.jsonl").read_bytes().splitlines():
        usage.update({role: own["calls"] for role, own in orjson.loads(line)["usage"].items()})
    assert usage.total() == requests
    assert set(usage) == {"doctor", "patient"}
    rows = [orjson.loads(row) for row in (tmp_path / "index.jsonl").read_bytes().splitlines()]
    assert finished.spent == pytest.approx(sum(row["cost"] for row in rows))
    assert finished.spent > 0


def test_all_workers_together_play_as_many_episodes_at_once_as_the_plan_says(
    carrying: Any, tmp_path: Path, engine: Engine, server: Any
) -> None:
    server.configure(latency_ms=20)
    model = f"openai/mock?base_url={server.url}"
    fields: dict[str, Any] = {"doctors": [model], "seeds": [0, 1], "limits": {"turns": 4}}
    assert carry(carrying, tmp_path, concurrency=3, engine=engine.plan, **fields).accounts.completed == 16
    assert server.stats()["peak"] == 3


def kept(folder: Path) -> int:
    """Calls on record."""
    return (folder / "calls.jsonl").read_bytes().count(b'"role"')


def test_no_reply_that_a_killed_worker_was_given_is_asked_for_again(
    carrying: Any, tmp_path: Path, engine: Engine, server: Any
) -> None:
    server.configure(latency_ms=10)
    model = f"openai/mock?base_url={server.url}"
    plan: dict[str, Any] = {"doctors": [model], "roles": {"patient": model}, "seeds": [0], "concurrency": 4}
    assert carry(carrying, tmp_path / "whole", **plan).accounts.completed == 8
    undisturbed = server.stats()["requests"]
    server.reset()

    def kill_all(_: Any) -> None:
        if not killed:
            killed.extend(engine.workers())
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    killed: list[int] = []
    assert carry(carrying, tmp_path / "run", kill_all, engine=engine.alone, **plan).accounts.completed == 8
    assert killed
    assert undisturbed <= server.stats()["requests"] <= undisturbed + 4  # one a place, which was in flight
    assert kept(tmp_path / "run") == undisturbed


def test_the_cap_of_cost_holds_over_all_workers_and_nothing_is_paid_twice(
    carrying: Any, tmp_path: Path, engine: Engine, server: Any
) -> None:
    server.configure(latency_ms=20)
    model = f"openai/mock?base_url={server.url}&price_in=1000&price_out=1000"
    plan: dict[str, Any] = {"doctors": [model], "seeds": [0], "concurrency": 4}
    whole = carry(carrying, tmp_path / "whole", **plan).spent
    undisturbed = server.stats()["requests"]
    server.reset()
    cap = whole / 3
    first = carry(carrying, tmp_path / "run", max_cost=cap, engine=engine.plan, **plan)
    assert first.capped
    assert cap <= first.spent < whole
    assert first.accounts.completed + first.accounts.skipped == 8
    assert first.accounts.skipped > 0
    second = carry(carrying, tmp_path / "run", max_cost=10 * whole, **plan)
    assert second.accounts.completed == 8
    assert not second.capped
    assert server.stats()["requests"] == undisturbed
    assert second.spent == pytest.approx(whole, rel=0.05)


class Deadly(ThreadingHTTPServer):
    """A model's server that kills whatever worker asks about one case."""

    daemon_threads = True

    def __init__(self, words: str, workers: Callable[[], list[int]]) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.words = words
        self.workers = workers
        self.kills = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Answers(BaseHTTPRequestHandler):
    server: Deadly
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if any(self.server.words in str(message["content"]) for message in body["messages"]):
            for pid in self.server.workers():
                self.server.kills += 1
                os.kill(pid, signal.SIGKILL)
            self.close_connection = True
            return
        message = {"role": "assistant", "content": "CONCLUDE: influenza"}
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        answer = json.dumps({"id": "1", "object": "chat.completion", "choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: it is called from threads while pytest captures."""


def test_an_episode_that_kills_every_worker_fails_alone(carrying: Any, tmp_path: Path, engine: Engine) -> None:
    fatal = load_pack("core-en").cases[1]
    server = Deadly(Consultation(fatal).introduction().split("\n")[0], engine.workers)
    try:
        plan: dict[str, Any] = {
            "scenarios": [{"pack": "core-en", "limit": 4}],
            "doctors": [f"openai/m?base_url={server.url}"],
            "seeds": [0],
            "concurrency": 4,
        }
        accounts = carry(carrying, tmp_path, engine=engine.alone, **plan).accounts
        assert server.kills == 3
        assert (accounts.completed, dict(accounts.failed)) == (3, {"WorkerDied": 1})
        (failure,) = (orjson.loads(line) for line in (tmp_path / "failures.jsonl").read_bytes().splitlines())
        assert (failure["case"], failure["stage"], failure["kind"]) == (fatal.id, "worker", "WorkerDied")
        server.words = "nobody says this"
        assert carry(carrying, tmp_path, **plan).accounts.whole
    finally:
        server.shutdown()
        server.server_close()


def test_a_recording_is_replayed_by_workers(carrying: Any, tmp_path: Path, engine: Engine, server: Any) -> None:
    plan = {"doctors": [f"openai/mock?base_url={server.url}"], "seeds": [0], "concurrency": 4, "record": True}
    assert carry(carrying, tmp_path / "live", **plan).accounts.whole
    asked = server.stats()["requests"]
    found = carrying(**{**PLAN, **plan, "engine": engine.alone})
    with open_store(found.sweep, tmp_path / "replayed") as store:
        finished = run_sweep(found.sweep, found.cast, store, replays=read_calls(tmp_path / "live"))
    assert finished.accounts.whole
    assert server.stats()["requests"] == asked
    assert written(tmp_path / "replayed") == written(tmp_path / "live")


def test_what_a_worker_cannot_write_ends_the_run(carrying: Any, tmp_path: Path, engine: Engine, server: Any) -> None:
    (tmp_path / "journal").touch()  # where the folder of journals should be made
    with pytest.raises(StoreError, match="journal"):
        carry(carrying, tmp_path, doctors=[f"openai/mock?base_url={server.url}"], seeds=[0], engine=engine.alone)


def test_weights_are_not_loaded_by_each_worker(carrying: Any, tmp_path: Path, engine: Engine, model: Any) -> None:
    model.name = "vllm/some"
    with pytest.raises(ConfigError, match="vllm serve"):
        carry(carrying, tmp_path, doctors=["openai/fake"], engine=engine.plan)


def test_ctrl_c_leaves_a_run_that_goes_on(
    command: Any, plan_file: Any, waiting_for: Any, tmp_path: Path, engine: Engine
) -> None:
    plan = plan_file(**{**PLAN, "seeds": list(range(20))}, engine=engine.alone)
    episodes = tmp_path / "run" / "episodes.jsonl"
    # A group of its own, of which each process gets the signal: as at a terminal.
    running = command.begin("sweep", plan, "--out", "run", "--json", start_new_session=True)
    try:
        waiting_for(lambda: running.poll() is not None or (episodes.exists() and episodes.stat().st_size > 0), 90)
        os.killpg(running.pid, signal.SIGINT)
        out, err = running.communicate(timeout=30)
    finally:
        running.kill()
    assert running.returncode == 130
    assert out == ""
    assert "go on with" in err
    assert "Traceback" not in err
    finished = episodes.read_bytes().count(b"\n")
    assert 0 < finished < 480
    done = command("resume", "run", "--engine", "local", "--json", "--quiet")
    assert json.loads(done.stdout)["completed"] == 480
