"""`clinic-sim run` with models behind the roles: what is recorded, replayed and counted, and what an outage does."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
from mock_server import MockServer

TALK = ["--turns", "12", "-q"]


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer(latency_ms=1, conclude_at=4) as running:
        yield running


def _run(out: Path, *args: str, seconds: float = 120, **env: str) -> subprocess.CompletedProcess[str]:
    import os

    return subprocess.run(
        [sys.executable, "-m", "clinic_sim", "run", "-o", str(out), *args],
        capture_output=True,
        text=True,
        timeout=seconds,
        env={**{k: v for k, v in os.environ.items() if not k.startswith("OPENAI")}, **env},
    )


def _model(server: MockServer, **options: object) -> str:
    return "openai/mock?" + "&".join(f"{k}={v}" for k, v in {"base_url": server.url, **options}.items())


def _everybody(model: str) -> list[str]:
    cast = [f"--{role}={model}" for role in ("doctor", "patient", "examiner", "chief", "judge")]
    return [*cast, "--rubric", "clinic-language", *TALK]


def _episodes(out: Path) -> tuple[Path, list[dict[str, Any]]]:
    (folder,) = out.iterdir()
    return folder, [json.loads(line) for line in (folder / "episodes.jsonl").read_text().splitlines()]


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


@pytest.mark.parametrize("pack", ["core-en", "core-zh"])
def test_every_role_can_be_a_model_and_a_replay_gives_the_same_bytes(
    tmp_path: Path, server: MockServer, pack: str
) -> None:
    args = ["-s", pack, "-n", "3", "-j", "3", *_everybody(_model(server, price_in=1, price_out=2))]
    first = _run(tmp_path / "live", *args)
    assert first.returncode == 0, first.stdout + first.stderr
    folder, lines = _episodes(tmp_path / "live")
    assert len(lines) == 3
    for line in lines:
        assert not line["failure"]
        assert line["usage"]["doctor"]["calls"] >= 4
        assert line["usage"]["patient"]["cost"] > 0
        assert line["models"]["doctor"]["model"] == "openai/mock"
        assert line["episode"]["settings"]["models"]["patient"]["model"] == "openai/mock"
    before = server.stats()["requests"]
    second = _run(tmp_path / "again", *args, "--replay", str(folder))
    assert second.returncode == 0, second.stdout + second.stderr
    assert server.stats()["requests"] == before
    again, _ = _episodes(tmp_path / "again")
    assert again.name == folder.name
    assert (again / "episodes.jsonl").read_bytes() == (folder / "episodes.jsonl").read_bytes()


def test_a_replay_with_other_settings_is_refused(tmp_path: Path, server: MockServer) -> None:
    args = ["-n", "1", *TALK]
    assert _run(tmp_path / "a", *args, f"--doctor={_model(server)}").returncode == 0
    folder, _ = _episodes(tmp_path / "a")
    other = _run(tmp_path / "b", *args, f"--doctor={_model(server, temperature=1)}", "--replay", str(folder))
    assert other.returncode == 2
    assert "differs from the recorded one" in other.stdout + other.stderr
    missing = _run(tmp_path / "c", *args, f"--doctor={_model(server)}", "--replay", str(tmp_path / "nowhere"))
    assert missing.returncode == 2
    assert "--replay takes the folder of a run" in missing.stderr


def test_a_cache_answers_the_same_requests_again(tmp_path: Path, server: MockServer) -> None:
    args = ["-n", "2", *TALK, f"--doctor={_model(server)}", "--cache", str(tmp_path / "replies.sqlite"), "--json"]
    first = _run(tmp_path / "a", *args)
    assert first.returncode == 0, first.stderr
    before = server.stats()["requests"]
    second = _run(tmp_path / "b", *args)
    assert second.returncode == 0, second.stderr
    assert server.stats()["requests"] == before
    strip = [{k: v for k, v in json.loads(line).items() if k != "usage"} for line in first.stdout.splitlines()]
    assert [{k: v for k, v in json.loads(line).items() if k != "usage"} for line in second.stdout.splitlines()] == strip


def test_faults_lose_and_double_nothing(tmp_path: Path) -> None:
    faults = {"p500": 0.1, "p429": 0.1, "pmal": 0.05, "phang": 0.01, "retry_after_s": 0, "hang_s": 20}
    with MockServer(latency_ms=1, conclude_at=4, **faults) as server:
        # A quarter of all answers is bad: with the usual six attempts one run in 60 loses an episode.
        model = _model(server, attempt_s=1, attempts=15)
        args = ["-j", "8", f"--doctor={model}", f"--patient={model}", *TALK]
        done = _run(tmp_path, *args)
        assert done.returncode == 0, done.stdout + done.stderr
        assert sum(server.stats()["faults"].values()) > 0
    _, lines = _episodes(tmp_path)
    cases = [line["episode"]["case"] for line in lines]
    assert len(cases) == len(set(cases)) == 8
    assert all(line["scorecard"]["status"] == "scored" for line in lines)


def test_an_outage_ends_in_bounded_time_and_every_episode_is_accounted_for(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{_free_port()}/v1"
    began = time.monotonic()
    done = _run(tmp_path, "-j", "4", "-q", f"--doctor=openai/mock?base_url={url}&attempts=3&total_s=5", seconds=60)
    assert time.monotonic() - began < 50
    assert done.returncode == 1
    assert "planned 8 = completed 0 + failed 8" in done.stdout
    folder, finished = _episodes(tmp_path)
    assert finished == []
    failures = [json.loads(line) for line in (folder / "failures.jsonl").read_text().splitlines()]
    assert len({line["key"] for line in failures}) == len(failures) == 8
    assert {(line["stage"], line["kind"]) for line in failures} == {("doctor", "Unavailable")}
    assert all(line["episode"]["events"][-1]["reason"] == "doctor_failed" for line in failures)


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--doctor", "open-ai/gpt"], "providers are openai, vllm, langchain, scripted"),
        (["--doctor", "openai/gpt-x"], "OPENAI_API_KEY"),
        (["--doctor", "openai/gpt-x?temprature=1"], "unknown parameter 'temprature'"),
        (["--doctor", "openai/gpt-x?temperature=hot"], "temperature"),
        (["--doctor", "nobody"], "unknown doctor 'nobody'"),
        (["--patient", "somebody"], "somebody"),
        (["--doctor", "scripted/none.json"], "none.json"),
        (["--rubric", "clinic-language"], "judge"),
        (["--unrecorded", "model"], "--examiner"),
        (["--unrecorded", "sometimes"], "not_recorded"),
    ],
)
def test_what_cannot_be_run_says_what_to_do(tmp_path: Path, args: list[str], told: str) -> None:
    done = _run(tmp_path / "runs", "-n", "1", *args)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_scripted_doctor_needs_no_server(tmp_path: Path) -> None:
    script = tmp_path / "doctor.json"
    script.write_text(json.dumps(["ASK: Where does it hurt?", "CONCLUDE: appendicitis\nTreatment: appendicectomy"]))
    done = _run(tmp_path / "runs", "-n", "1", "--json", "--doctor", f"scripted/{script}")
    assert done.returncode == 0, done.stderr
    line = json.loads(done.stdout)
    assert line["usage"]["doctor"]["calls"] == line["turns"]
    assert line["doctor"] == f"scripted/{script}"
