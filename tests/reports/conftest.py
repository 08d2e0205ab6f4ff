"""Real runs for the reports: played offline, with a server that is not there, with a judge that fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from clinic_sim.sweeps.plan import Plan
from clinic_sim.sweeps.planned import Sweep
from clinic_sim.sweeps.stage import cast_of
from clinic_sim.sweeps.sweep import open_store, run_sweep

GONE = "openai/gone?base_url=http://127.0.0.1:9/v1&attempts=1&connect_s=1"
"""A model whose server is not there: every episode of it fails."""
TWO = [{"pack": "core-en", "limit": 2}, {"pack": "core-zh", "limit": 2}]

Play = Callable[..., Path]


def play(folder: Path, *, begin_only: bool = False, **plan: Any) -> Path:
    """Carry a plan out into a folder; with `begin_only`, only open the run."""
    found = Plan.model_validate({"scenarios": TWO, "doctors": ["checklist"], **plan})
    cast = cast_of(found)
    sweep = Sweep.resolve(found, cast)
    with open_store(sweep, folder) as store:
        if begin_only:
            store.close()
        else:
            run_sweep(sweep, cast, store)
    return folder


def rewritten(run: Path, folder: Path, change: Callable[[str, Any], Any]) -> Path:
    """A copy of a run in which every value of every file went through `change(field, value)`."""
    folder.mkdir(parents=True)

    def walk(name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {k: walk(k, v) for k, v in value.items()}
        if isinstance(value, list):
            return [walk(name, v) for v in value]
        return change(name, value)

    manifest = json.loads((run / "manifest.json").read_text("utf-8"))
    (folder / "manifest.json").write_text(json.dumps(walk("", manifest)), "utf-8")
    (folder / "plan.yaml").write_text(change("plan", (run / "plan.yaml").read_text("utf-8")), "utf-8")
    if (run / "failures.jsonl").exists():
        lines = [json.loads(line) for line in (run / "failures.jsonl").read_text("utf-8").splitlines()]
        with (folder / "failures.jsonl").open("wb") as file:
            for line in lines:
                file.write(_line({"key": line["key"], **walk("", line)}))
    rows = [json.loads(line) for line in (run / "index.jsonl").read_text("utf-8").splitlines()]
    with (folder / "episodes.jsonl").open("wb") as episodes, (folder / "index.jsonl").open("wb") as index:
        for row, line in zip(rows, (run / "episodes.jsonl").read_bytes().splitlines(), strict=True):
            text = _line(walk("", orjson.loads(line)))
            row = {**walk("", row), "offset": episodes.tell(), "length": len(text)}
            episodes.write(text)
            index.write(_line(row))
    return folder


def _line(data: Any) -> bytes:
    """One line of ASCII, so that it can hold half a surrogate pair."""
    return json.dumps(data, separators=(",", ":")).encode() + b"\n"


@pytest.fixture(scope="session")
def rewrite() -> Callable[[Path, Path, Callable[[str, Any], Any]], Path]:
    """See `rewritten`."""
    return rewritten


@pytest.fixture(scope="session")
def sweep_into() -> Play:
    """See `play`."""
    return play


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two baselines, four cases in two languages, two personas, two seeds."""
    return play(
        tmp_path_factory.mktemp("runs") / "played",
        doctors=["checklist", "guess"],
        personas=["plain", "terse"],
        seeds=[0, 1],
    )


@pytest.fixture(scope="session")
def lossy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A baseline beside a model whose server is not there, and a judge that always fails: failed and unscored."""
    return play(
        tmp_path_factory.mktemp("runs") / "lossy",
        scenarios=TWO[:1],
        doctors=["guess", GONE],
        rubric="clinic-language",
        judge=GONE,
    )


@pytest.fixture(scope="session")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of which nothing was played."""
    return play(tmp_path_factory.mktemp("runs") / "begun", begin_only=True)


@pytest.fixture(scope="session")
def all_failed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of which every episode failed."""
    return play(tmp_path_factory.mktemp("runs") / "all-failed", scenarios=TWO[:1], doctors=[GONE])


@pytest.fixture(scope="session")
def one_case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One case, two doctors, two seeds."""
    folder = tmp_path_factory.mktemp("runs") / "one-case"
    return play(folder, scenarios=[{"pack": "core-en", "limit": 1}], doctors=["guess", "silent"], seeds=[0, 1])


@pytest.fixture(scope="session")
def one_episode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One episode."""
    folder = tmp_path_factory.mktemp("runs") / "one-episode"
    return play(folder, scenarios=[{"pack": "core-zh", "limit": 1}], doctors=["guess"])
