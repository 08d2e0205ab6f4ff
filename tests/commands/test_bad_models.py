"""`clinic-sim run` against models and disks that misbehave: what is told, what is counted, what is kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
from mock_server import MockServer

CONTENTS = {
    "nonsense": "blub glorp 42 xyzzy",
    "foreign": "Извините, я не понимаю.",
    "megabyte": "A pain in the head. " * 52_500,
    "schema": json.dumps({"facts": "f1", "say": ["no"], "orders": "x", "result": 7, "verdicts": {"a": 1}}),
}
TALK = ["-n", "2", "-j", "2", "-q", "--turns", "4"]


class _Bad(BaseHTTPRequestHandler):
    """Answers by the first part of the path: one of CONTENTS, or a status."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        way = self.path.split("/")[1]
        message = {"role": "assistant", "content": CONTENTS.get(way)}
        body = json.dumps({"choices": [{"index": 0, "finish_reason": "stop", "message": message}]}).encode()
        self.send_response(200 if way in CONTENTS else int(way))
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the test speaks."""


@pytest.fixture(scope="module")
def bad() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Bad)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def mock() -> Iterator[MockServer]:
    with MockServer(latency_ms=1, conclude_at=3) as running:
        yield running


def _start(out: Path, *args: str, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "clinic_sim", "run", "-o", str(out), *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**{k: v for k, v in os.environ.items() if not k.startswith("OPENAI")}, **env},
    )


def _run(out: Path, *args: str, **env: str) -> tuple[int, str, str]:
    process = _start(out, *args, **env)
    told, error = process.communicate(timeout=90)
    return process.returncode, told, error


def _model(url: str) -> str:
    return f"openai/x?base_url={url}/v1&attempts=2&attempt_s=5&total_s=10"


@pytest.mark.parametrize("way", CONTENTS)
def test_a_patient_that_cannot_be_used_is_covered_and_counted(
    tmp_path: Path, bad: str, mock: MockServer, way: str
) -> None:
    doctor = f"openai/mock?base_url={mock.url}"
    code, told, error = _run(tmp_path, *TALK, "-d", doctor, "--patient", _model(f"{bad}/{way}"))
    assert code == 0, error
    assert "planned 2 = completed 2 + failed 0 + skipped 0; scored 2" in told
    assert "rejected by the guard: form" in told
    (file,) = tmp_path.glob("*/episodes.jsonl")
    episodes = [json.loads(line)["episode"] for line in file.read_text(encoding="utf-8").splitlines()]
    answered = [e for episode in episodes for e in episode["events"] if e["type"] == "patient_answered"]
    assert answered
    assert {e["by"] for e in answered} == {"fallback"}


@pytest.mark.parametrize("way", ["nonsense", "500"])
def test_a_judge_that_cannot_be_used_leaves_the_episode_unscored_and_the_run_says_so(
    tmp_path: Path, bad: str, way: str
) -> None:
    judged = ["--rubric", "clinic-language", "--judge", _model(f"{bad}/{way}")]
    code, told, _ = _run(tmp_path, "-n", "2", "-q", "-d", "checklist", *judged)
    assert code == 1
    assert "scored 0 + unscored 2 (judge_failed 2)" in told
    code, told, _ = _run(tmp_path, "-n", "1", "--json", "-d", "checklist", *judged)
    (line,) = told.splitlines()
    assert code == 1
    assert (json.loads(line)["status"], json.loads(line)["total"]) == ("unscored", None)
    assert json.loads(line)["failure"] == "judge_failed"


def test_an_address_from_the_environment_is_part_of_the_run_so_that_no_server_overwrites_another(
    tmp_path: Path, mock: MockServer
) -> None:
    args = ["-n", "1", "-q", "-d", "openai/x"]
    for url in (mock.url, f"{mock.url}/"):
        code, _, error = _run(tmp_path, *args, OPENAI_BASE_URL=url, OPENAI_API_KEY="none")
        assert code == 0, error
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("content", [b"", b"\x86\xff not a recording", b'{"episode": "x"}\n'])
def test_a_recording_that_holds_no_call_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "calls.jsonl"
    file.write_bytes(content)
    code, _, error = _run(tmp_path / "runs", "-n", "1", "-q", "--replay", str(file))
    assert code == 2
    assert "calls.jsonl" in error
    assert "Traceback" not in error


def test_an_interrupted_run_goes_on_and_nothing_is_asked_twice(tmp_path: Path, mock: MockServer) -> None:
    model = f"openai/mock?base_url={mock.url}"
    args = ["-n", "8", "-j", "1", "--json", "-d", model, "--patient", model]
    mock.configure(latency_ms=150)
    mock.reset()
    try:
        process = _start(tmp_path / "runs", *args)
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        _, error = process.communicate(timeout=20)
    finally:
        mock.configure(latency_ms=1)
    assert process.returncode == 130
    assert time.monotonic() - began < 10
    assert "Traceback" not in error
    assert "of 8 episodes are finished, in " in error
    (folder,) = (tmp_path / "runs").iterdir()
    assert f"clinic-sim resume {folder}" in error
    resumed = subprocess.run(
        [sys.executable, "-m", "clinic_sim", "resume", str(folder), "--other-code", "--json"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(resumed.stdout)["completed"] == 8
    lines = [json.loads(line) for line in (folder / "episodes.jsonl").read_text("utf-8").splitlines()]
    assert lines[0]["scorecard"]["total"] == json.loads(first)["total"]
    calls = sum(role["calls"] for line in lines for role in line["usage"].values())
    # The one that was under way when the signal came may be asked again; its answer was never heard.
    assert mock.stats()["requests"] <= calls + 1
    assert not (folder / "journal").exists()
    replayed, told, error = _run(tmp_path / "again", *args, "--replay", str(folder))
    assert replayed == 0, error
    assert len(told.splitlines()) == 8


def test_a_folder_that_cannot_be_made_is_a_wrong_request(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    code, _, error = _run(tmp_path / "file", "-n", "1", "-q", "-d", "checklist")
    assert code == 2
    assert "choose another --out" in error
    assert "Traceback" not in error


@pytest.mark.parametrize("client", ["http", "sdk"])
def test_a_key_that_was_named_and_is_not_there_is_told_before_anything_is_asked(
    tmp_path: Path, mock: MockServer, client: str
) -> None:
    mock.reset()
    model = f"openai/mock?base_url={mock.url}&client={client}&api_key_env=MY_GATEWAY_KEY"
    code, _, error = _run(tmp_path, "-n", "1", "-q", "-d", model)
    assert code == 2
    assert "MY_GATEWAY_KEY" in error
    assert mock.stats()["requests"] == 0


def test_a_full_disk_stops_a_run_with_one_message_and_it_goes_on_when_there_is_room(
    tmp_path: Path, mock: MockServer
) -> None:
    script = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))\n"
        "from clinic_sim.cli import main\n"
        "sys.argv = ['clinic-sim', *sys.argv[1:]]\n"
        "main()\n"
    )
    model = f"openai/mock?base_url={mock.url}"
    args = ["run", "-o", str(tmp_path), "-n", "4", "-j", "4", "-q", "-d", model]
    done = subprocess.run([sys.executable, "-c", script, *args], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "cannot be written: File too large" in done.stderr
    assert "Traceback" not in done.stderr
    code, _, error = _run(tmp_path, *args[3:])
    assert code == 0, error
    (folder,) = tmp_path.iterdir()
    lines = (folder / "episodes.jsonl").read_bytes().splitlines()
    assert len({json.loads(line)["key"] for line in lines}) == len(lines) == 4
