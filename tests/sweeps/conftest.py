"""Sweeps for tests: small plans carried out in this process, and the real command in one of its own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any
from zlib import crc32

import orjson
import pytest

from clinic_sim.models.chat import Message, Reply, Schema, Tool, Usage
from clinic_sim.models.structured import parse_object
from clinic_sim.models.usage import Prices
from clinic_sim.sweeps import cast as casting
from clinic_sim.sweeps.cast import Cast
from clinic_sim.sweeps.plan import Plan
from clinic_sim.sweeps.planned import Shard, Sweep
from clinic_sim.sweeps.stage import cast_of
from clinic_sim.sweeps.sweep import Finished, open_store, run_sweep

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
from mock_answers import answer, role_of
from mock_server import MockServer
from mock_stats import State

SHORT: dict[str, Any] = {
    "scenarios": [{"pack": "core-en", "limit": 2}, {"pack": "core-zh", "limit": 1}],
    "doctors": ["silent"],
    "limits": {"turns": 2},
    "seeds": [0, 1],
}
"""Six episodes of a few milliseconds each."""


@dataclass(slots=True)
class Carrying:
    """A plan, resolved and carried out here."""

    plan: Plan
    cast: Cast
    sweep: Sweep

    @classmethod
    def of(cls, shard: str | None = None, **fields: Any) -> Carrying:
        plan = Plan.model_validate({**SHORT, **fields})
        cast = cast_of(plan)
        return cls(plan, cast, Sweep.resolve(plan, cast, Shard.parse(shard) if shard else None))

    def run(self, folder: Path, **options: Any) -> Finished:
        with open_store(self.sweep, folder, **options) as store:
            return run_sweep(self.sweep, self.cast, store)


@pytest.fixture(scope="session")
def carrying() -> Callable[..., Carrying]:
    """Makes a plan like `SHORT`, with other fields."""
    return Carrying.of


@dataclass(slots=True)
class Command:
    """`clinic-sim` as a process of its own."""

    cwd: Path
    begun: list[subprocess.Popen[str]] = field(default_factory=list)

    def __call__(self, *args: object, seconds: float = 120, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._line(args), capture_output=True, text=True, timeout=seconds, cwd=self.cwd, env=_env(), **options
        )

    def begin(self, *args: object, **options: Any) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            self._line(args), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.cwd, env=_env(),
            **options,
        )  # fmt: skip
        self.begun.append(process)
        return process

    def _line(self, args: Sequence[object]) -> list[str]:
        return [sys.executable, "-m", "clinic_sim", *(str(a) for a in args)]


def _env() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("OPENAI")} | {
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)
    }


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Command]:
    """The real command, run in the test's own folder."""
    found = Command(tmp_path)
    yield found
    for process in found.begun:  # where a test failed before it ended
        if process.poll() is None:
            process.kill()
            process.communicate()


@pytest.fixture
def plan_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes a plan like `SHORT`, with other fields, as a file."""

    def write(name: str = "plan.yaml", **fields: Any) -> Path:
        path = tmp_path / name
        path.write_bytes(orjson.dumps({**SHORT, **fields}))  # JSON is YAML
        return path

    return write


def wait_for(what: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise TimeoutError("waited in vain")
        time.sleep(0.002)


@pytest.fixture(scope="session")
def waiting_for() -> Callable[..., None]:
    """Waits until something holds."""
    return wait_for


@dataclass(slots=True)
class CountingModel:
    """A model that answers in every role as the mock server does, the same to the same request, and counts."""

    name: str
    asked: Counter[str] = field(default_factory=Counter)
    """Requests by role."""
    times: Counter[str] = field(default_factory=Counter)
    """Requests by their whole text."""
    before: Callable[[str, int], None] = lambda role, n: None
    """Called with role and number of its request before it is answered; may raise."""
    after: Callable[[str, str], str] = lambda role, content: content
    """What it says instead of what it would, by role."""
    suspends: bool = True
    settings: dict[str, Any] = field(default_factory=dict)
    prices: Prices | None = field(default_factory=lambda: Prices(1.0, 2.0))

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        schema: Schema | None = None,
        tools: Sequence[Tool] | None = None,
        seed: int | None = None,
    ) -> Reply:
        told = [dict(m) for m in messages]
        role = role_of(told)
        text = json.dumps([told, seed])
        self.asked[role] += 1
        self.times[text] += 1
        self.before(role, self.asked[role])
        state = State()
        state.options["conclude_at"] = 3
        state.sequence = crc32(text.encode())
        request: dict[str, Any] = {"messages": told, "tools": list(tools or ())}
        content = self.after(role, answer(role, request, state)["content"])
        return Reply(content, parse_object(content, schema) if schema else None, usage=Usage(1000, 100))

    async def aclose(self) -> None:
        """Nothing to release."""


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> CountingModel:
    """Whatever a plan calls `openai/fake` is this model."""
    found = CountingModel("openai/fake")
    monkeypatch.setattr(casting, "make_model", lambda *_, **__: found)
    monkeypatch.setattr("clinic_sim.clinic.staffing.make_model", lambda *_, **__: found)
    return found


@pytest.fixture(scope="session")
def mock() -> Any:
    """A mock server for the whole session."""
    with MockServer(latency_ms=0, conclude_at=4) as running:
        yield running


@pytest.fixture
def server(mock: MockServer) -> MockServer:
    """The mock server, well and with nothing counted."""
    mock.configure(latency_ms=0, p500=0, p429=0, pmal=0, phang=0, down=0, conclude_at=4, seed=1)
    mock.reset()
    return mock


Files = dict[str, bytes]
"""What lies in a run's folder, by path."""

_WRITERS = frozenset(f"{name}.py" for name in ("store", "index", "calls_file", "files", "journal", "stage", "sweep"))


def files_of(folder: Path) -> Files:
    """Everything in a folder but its lock."""
    paths = [p for p in sorted(folder.rglob("*")) if p.is_file() and p.name != ".lock"]
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in paths}


def every_state(folder: Path, act: Callable[[], object]) -> list[Files]:
    """Every state that a run's folder has while something is done to it, as a kill at that instant would leave it.

    After each line of the modules that write, the folder is looked at; where a file grew, states in which only a part
    of what was added had been written are among them.
    """
    states: list[Files] = [{}]

    def look(*_: object) -> Any:
        with suppress(FileNotFoundError):
            now = files_of(folder)
            if now != states[-1]:
                states.extend(_torn(states[-1], now))
                states.append(now)
        return look

    def enter(frame: FrameType, *_: object) -> Any:
        path = Path(frame.f_code.co_filename)
        return look if path.name in _WRITERS and path.parent.name == "sweeps" else None

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        act()
    finally:
        sys.settrace(before)
    look()
    return states


def _torn(before: Files, now: Files) -> Iterator[Files]:
    for name, content in now.items():
        old = before.get(name, b"")
        if len(content) > len(old) + 1 and content.startswith(old) and not name.endswith((".json", ".yaml")):
            yield {**now, name: content[: (len(old) + len(content)) // 2]}
            yield {**now, name: content[:-1]}


def put(state: Files, folder: Path) -> Path:
    """A folder in that state."""
    for name, content in state.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


@pytest.fixture(scope="session")
def states_of() -> Callable[[Path, Callable[[], object]], list[Files]]:
    """Every state that a folder has while something is done to it."""
    return every_state


@pytest.fixture(scope="session")
def in_state() -> Callable[[Files, Path], Path]:
    """Makes a folder in a state."""
    return put


@pytest.fixture(scope="session")
def all_files() -> Callable[[Path], Files]:
    """Everything in a folder but its lock."""
    return files_of


def digest(folder: Path, name: str = "episodes.jsonl") -> str:
    """SHA-256 of one of a run's files."""
    return hashlib.sha256((folder / name).read_bytes()).hexdigest()


@pytest.fixture(scope="session")
def digest_of() -> Callable[..., str]:
    """SHA-256 of one of a run's files."""
    return digest


def keys(folder: Path) -> list[str]:
    """Keys of the episodes that stand in a run."""
    return [orjson.loads(line)["key"] for line in (folder / "episodes.jsonl").read_bytes().splitlines()]


@pytest.fixture(scope="session")
def keys_of() -> Callable[[Path], list[str]]:
    """Keys of the episodes that stand in a run."""
    return keys
