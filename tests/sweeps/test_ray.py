"""The `ray` engine: the local one's bytes, and nothing lost when a worker, a budget or the user ends something."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import sys
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
from clinic_sim.sweeps.plan import EnginePlan
from clinic_sim.sweeps.sweep import Finished, Watch, open_store, run_sweep

pytestmark = [
    pytest.mark.xdist_group("ray"),  # one cluster, not one in each process of the test runner
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed: the extra `ray`"),
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc, to find the worker processes"),
]

RAY = {"name": "ray", "workers": 2}
ALONE = {"name": "ray", "workers": 1}
"""A worker takes a second to start."""
PLAN: dict[str, Any] = {
    "scenarios": [{"pack": "core-en", "limit": 4}, {"pack": "core-zh", "limit": 4}],
    "doctors": ["checklist", "silent", "guess"],
    "limits": {"turns": 12},
    "seeds": [0, 1, 2],
}
"""72 offline episodes."""


@pytest.fixture(scope="module", autouse=True)
def _cluster() -> Iterator[None]:
    """One for all tests: to start it takes seconds."""
    from clinic_sim.sweeps.ray_cluster import connected

    with connected(EnginePlan(name="ray")):
        yield


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


def workers() -> list[int]:
    """Process ids of the Ray workers under this process that play."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                named = (entry / "cmdline").read_bytes().startswith(b"ray::Worker")
                if named and _parent(_parent(int(entry.name))) == os.getpid():
                    found.append(int(entry.name))
            except (OSError, IndexError):
                continue  # it ended while we looked
    return found


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


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


def test_the_same_plan_gives_the_same_bytes(carrying: Any, tmp_path: Path, undisturbed: tuple[bytes, bytes]) -> None:
    accounts = carry(carrying, tmp_path, engine=RAY).accounts
    assert (accounts.planned, accounts.completed) == (72, 72)
    assert written(tmp_path) == undisturbed


def test_a_killed_worker_costs_no_episode(
    carrying: Any, tmp_path: Path, undisturbed: tuple[bytes, bytes], capfd: pytest.CaptureFixture[str]
) -> None:
    killed: list[int] = []

    def kill_one(_: Any) -> None:
        if not killed:
            killed.append(workers()[0])
            os.kill(killed[0], signal.SIGKILL)

    accounts = carry(carrying, tmp_path, kill_one, engine=RAY).accounts
    assert killed
    assert (accounts.completed, accounts.failed) == (72, Counter())
    assert written(tmp_path) == undisturbed
    assert not (tmp_path / "failures.jsonl").exists()
    assert capfd.readouterr().out == ""  # where `--json` writes, Ray does not


@pytest.mark.parametrize(("first", "then"), [("local", RAY), (ALONE, "local")], ids=["local-ray", "ray-local"])
def test_one_engine_goes_on_where_the_other_was_stopped(
    carrying: Any, tmp_path: Path, undisturbed: tuple[bytes, bytes], waiting_for: Any, first: Any, then: Any
) -> None:
    with pytest.raises(Stopped):
        carry(carrying, tmp_path, stop_after(9), engine=first)
    assert (tmp_path / "episodes.jsonl").read_bytes().count(b"\n") == 9
    waiting_for(lambda: not workers(), 10)
    assert carry(carrying, tmp_path, engine=then).accounts.completed == 72
    assert written(tmp_path) == undisturbed


def test_models_are_asked_by_workers_and_every_call_is_kept(carrying: Any, tmp_path: Path, server: Any) -> None:
    server.configure(latency_ms=5)
    model = f"openai/mock?base_url={server.url}&price_in=1&price_out=2"
    finished = carry(
        carrying, tmp_path, doctors=[model], roles={"patient": model}, seeds=[0], concurrency=6, engine=RAY
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


def kept(folder: Path) -> int:
    """Calls on record."""
    return (folder / "calls.jsonl").read_bytes().count(b'"role"')


def test_the_cap_of_cost_holds_over_all_workers_and_nothing_is_paid_twice(
    carrying: Any, tmp_path: Path, server: Any
) -> None:
    server.configure(latency_ms=20)
    model = f"openai/mock?base_url={server.url}&price_in=1000&price_out=1000"
    plan: dict[str, Any] = {"doctors": [model], "seeds": [0], "concurrency": 4}
    whole = carry(carrying, tmp_path / "whole", **plan).spent
    undisturbed = server.stats()["requests"]
    server.reset()
    cap = whole / 3
    first = carry(carrying, tmp_path / "run", max_cost=cap, engine=RAY, **plan)
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

    def __init__(self, words: str) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.words = words
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
            for pid in workers():
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


def test_an_episode_that_kills_every_worker_fails_alone(carrying: Any, tmp_path: Path) -> None:
    fatal = load_pack("core-en").cases[1]
    server = Deadly(Consultation(fatal).introduction().split("\n")[0])
    try:
        plan: dict[str, Any] = {
            "scenarios": [{"pack": "core-en", "limit": 4}],
            "doctors": [f"openai/m?base_url={server.url}"],
            "seeds": [0],
            "concurrency": 4,
        }
        accounts = carry(carrying, tmp_path, engine=ALONE, **plan).accounts
        assert server.kills == 3
        assert (accounts.completed, dict(accounts.failed)) == (3, {"WorkerDied": 1})
        (failure,) = (orjson.loads(line) for line in (tmp_path / "failures.jsonl").read_bytes().splitlines())
        assert (failure["case"], failure["stage"], failure["kind"]) == (fatal.id, "worker", "WorkerDied")
        server.words = "nobody says this"
        assert carry(carrying, tmp_path, **plan).accounts.whole
    finally:
        server.shutdown()
        server.server_close()


def test_a_recording_is_replayed_by_workers(carrying: Any, tmp_path: Path, server: Any) -> None:
    from clinic_sim.sweeps.calls_file import read_calls

    plan = {"doctors": [f"openai/mock?base_url={server.url}"], "seeds": [0], "concurrency": 4, "record": True}
    assert carry(carrying, tmp_path / "live", **plan).accounts.whole
    asked = server.stats()["requests"]
    found = carrying(**{**PLAN, **plan, "engine": ALONE})
    with open_store(found.sweep, tmp_path / "replayed") as store:
        finished = run_sweep(found.sweep, found.cast, store, replays=read_calls(tmp_path / "live"))
    assert finished.accounts.whole
    assert server.stats()["requests"] == asked
    assert written(tmp_path / "replayed") == written(tmp_path / "live")


def test_what_a_worker_cannot_write_ends_the_run(carrying: Any, tmp_path: Path, server: Any) -> None:
    (tmp_path / "journal").touch()  # where the folder of journals should be made
    with pytest.raises(StoreError, match="journal"):
        carry(carrying, tmp_path, doctors=[f"openai/mock?base_url={server.url}"], seeds=[0], engine=ALONE)


def test_weights_are_not_loaded_by_each_worker(carrying: Any, tmp_path: Path, model: Any) -> None:
    model.name = "vllm/some"
    with pytest.raises(ConfigError, match="vllm serve"):
        carry(carrying, tmp_path, doctors=["openai/fake"], engine=RAY)


def test_without_ray_it_is_said_what_to_install(carrying: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"clinic-sim\[ray\]"):
        carry(carrying, tmp_path, engine=RAY)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1"])
def test_a_cluster_that_is_not_there_is_a_clear_error(command: Any, plan_file: Any, address: str) -> None:
    plan = plan_file(engine={"name": "ray", "address": address})
    done = command("sweep", plan, "--out", "run", "--quiet", seconds=60)
    assert done.returncode == 2
    assert address in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_leaves_a_run_that_goes_on(
    command: Any, plan_file: Any, waiting_for: Any, tmp_path: Path, undisturbed: tuple[bytes, bytes]
) -> None:
    plan = plan_file(**{**PLAN, "seeds": list(range(20))}, engine=RAY)
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
