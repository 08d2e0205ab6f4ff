"""What may go wrong around a run: servers that are down, a cap of cost, a full disk. Nothing is lost."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from clinic_sim.clinic.staffing import StaffPlan
from clinic_sim.errors import (
    BadReply,
    ConfigError,
    ContextOverflow,
    ProviderError,
    ProviderTimeout,
    RateLimited,
    Refusal,
    Rejected,
    StoreError,
    Unavailable,
)
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.reports.table import RunTable
from clinic_sim.sweeps.cast import make_cast
from clinic_sim.sweeps.spending import check_prices

FAKE = "openai/fake"
CAST: dict[str, Any] = {
    "scenarios": [{"pack": "core-en", "limit": 1}, {"pack": "core-zh", "limit": 1}],
    "doctors": [FAKE],
    "roles": {"patient": FAKE},
    "judge": FAKE,
    "rubric": "clinic-language",
    "limits": {"turns": 6},
    "seeds": [0, 1],
    "concurrency": 2,
}
"""Four episodes with a model as doctor, patient and judge, six calls each."""
CALL = 0.0012
"""US dollars of one call of the counting model."""


def failures(folder: Path) -> list[dict[str, Any]]:
    path = folder / "failures.jsonl"
    return [orjson.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def lines(folder: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in (folder / "episodes.jsonl").read_bytes().splitlines()]


def costs(folder: Path) -> float:
    return sum(own["cost"] for line in lines(folder) for own in line["usage"].values())


# Servers


def test_an_outage_is_kept_by_kind_and_when_the_server_is_back_the_run_is_finished(
    command: Any, plan_file: Any, server: Any, tmp_path: Path
) -> None:
    name = f"openai/mock?base_url={server.url}&attempts=1"
    plan = plan_file(**{**CAST, "doctors": [name], "roles": {"patient": name}, "judge": name})
    server.configure(down=1)
    down = command("sweep", plan, "--out", "run")
    assert down.returncode == 1, down.stderr
    assert "planned 4 = completed 0 + failed 4 (Unavailable 4) + skipped 0" in down.stdout
    assert "go on with `clinic-sim resume run`" in down.stdout
    table = RunTable.read(tmp_path / "run")
    assert table.accounts.to_dict()["failed"] == {"Unavailable": 4}
    assert {(f.kind, f.stage) for f in table.failures} == {("Unavailable", "doctor")}
    for failure in failures(tmp_path / "run"):
        assert (failure["attempt"], failure["resumable"]) == (1, True)
        assert "500" in failure["message"]
        assert failure["episode"]["case"] == failure["case"]
    server.configure(down=0)
    again = command("resume", "run")
    assert again.returncode == 0, again.stderr + again.stdout
    assert "planned 4 = completed 4 + failed 0 + skipped 0" in again.stdout
    assert RunTable.read(tmp_path / "run").accounts.whole
    assert len(failures(tmp_path / "run")) == 4


@pytest.mark.parametrize("role", ["doctor", "patient"])
@pytest.mark.parametrize(
    "kind", [RateLimited, ProviderTimeout, Unavailable, Rejected, ContextOverflow, Refusal, BadReply, ProviderError]
)
def test_whatever_a_model_fails_with_is_counted_and_the_run_can_be_finished(
    carrying: Any, model: Any, tmp_path: Path, kind: type[ProviderError], role: str
) -> None:
    def fails(asked: str, n: int) -> None:
        if asked == role and n >= 2:
            raise kind("injected")

    one = carrying(**CAST)
    model.before = fails
    accounts = one.run(tmp_path / "run").accounts
    assert accounts.planned == 4 == accounts.completed + accounts.failed.total()
    assert accounts.skipped == 0
    assert set(accounts.failed) <= {kind.__name__}
    if kind is not ContextOverflow:  # what does not fit is left out or covered; the rest of a server's failures is not
        assert accounts.failed.total() + sum(accounts.unscored.values()) + _covered(lines(tmp_path / "run")) >= 3
    recorded = failures(tmp_path / "run")
    assert Counter(f["kind"] for f in recorded) == accounts.failed
    assert RunTable.read(tmp_path / "run").accounts == accounts
    model.before = lambda asked, n: None
    finished = one.run(tmp_path / "run").accounts
    assert finished.completed == 4
    assert not finished.failed
    assert RunTable.read(tmp_path / "run").accounts == finished


def _covered(found: list[dict[str, Any]]) -> int:
    """Episodes in which a call failed, and the clinic went on without it."""
    return sum(any(own["failed"] for own in line["usage"].values()) for line in found)


def test_a_judge_that_is_down_leaves_episodes_unscored_and_the_exit_code_says_so(
    command: Any, plan_file: Any, server: Any, tmp_path: Path
) -> None:
    well = f"openai/mock?base_url={server.url}"
    plan = plan_file(**{**CAST, "doctors": [well], "roles": {}, "judge": "openai/mock?base_url=http://127.0.0.1:9/v1&attempts=1"})  # fmt: skip  # noqa: E501
    told = command("sweep", plan, "--out", "run")
    assert told.returncode == 1, told.stderr
    assert "completed 4 + failed 0 + skipped 0; scored 0 + unscored 4" in told.stdout
    assert all(line["scorecard"]["total"] is None for line in lines(tmp_path / "run"))
    assert not failures(tmp_path / "run")
    again = command("resume", "run", "--json")
    assert again.returncode == 1
    data = json.loads(again.stdout)
    assert (data["completed"], data["scored"], sum(data["unscored"].values())) == (4, 0, 4)


def test_a_failed_episode_is_tried_again_as_often_as_the_plan_says(carrying: Any, model: Any, tmp_path: Path) -> None:
    def fails(role: str, n: int) -> None:
        if role == "doctor" and n in (2, 3):
            raise Unavailable("injected")

    model.before = fails
    finished = carrying(**{**CAST, "retries": 2, "concurrency": 1}).run(tmp_path / "run")
    assert finished.accounts.whole
    assert [f["attempt"] for f in failures(tmp_path / "run")] == [1, 2]
    first, *others = lines(tmp_path / "run")
    assert first["attempts"] == ["Unavailable: injected"] * 2
    assert all("attempts" not in line for line in others)
    assert RunTable.read(tmp_path / "run").ints["retried"].tolist() == [2, 0, 0, 0]
    assert model.asked["doctor"] == 4 * 3 + 2  # what it was told before the failure is not asked again


def test_what_was_told_before_a_failure_is_not_paid_for_twice(carrying: Any, model: Any, tmp_path: Path) -> None:
    def fails(role: str, n: int) -> None:
        if role == "doctor" and n in (2, 3):
            raise Unavailable("injected")

    model.before = fails
    finished = carrying(**{**CAST, "retries": 2, "concurrency": 1}).run(tmp_path / "run")
    assert finished.accounts.whole
    assert finished.spent == pytest.approx(costs(tmp_path / "run"))


def test_what_fails_more_often_than_that_is_failed_and_owed(carrying: Any, model: Any, tmp_path: Path) -> None:
    def fails(role: str, n: int) -> None:
        if role == "patient":
            raise Rejected("injected")

    model.before = fails
    one = carrying(**CAST, retries=1)
    assert one.run(tmp_path / "run").accounts.to_dict()["failed"] == {"Rejected": 4}
    assert sorted(f["attempt"] for f in failures(tmp_path / "run")) == [1, 1, 1, 1, 2, 2, 2, 2]
    assert len(RunTable.read(tmp_path / "run").failures) == 4


# The cap of cost


@pytest.mark.parametrize("calls", [*range(14), 23])
def test_wherever_the_cap_is_reached_nothing_fails_and_nothing_is_paid_for_twice(
    carrying: Any, model: Any, digest_of: Any, tmp_path: Path, calls: int
) -> None:
    cap = calls * CALL
    one = carrying(**CAST, max_cost=cap)
    finished = one.run(tmp_path / "run")
    assert finished.capped
    assert model.asked.total() <= calls + 1  # two at once: one may be on its way when the other reaches it
    assert not finished.accounts.failed
    assert not finished.accounts.unscored
    assert finished.accounts.skipped == 4 - len(lines(tmp_path / "run")) > 0
    assert finished.spent == pytest.approx(model.asked.total() * CALL)
    assert not failures(tmp_path / "run")
    before = model.asked.total()
    still = one.run(tmp_path / "run")
    assert still.capped
    assert model.asked.total() <= before + 1
    assert carrying(**CAST, max_cost=1.0).run(tmp_path / "run").accounts.whole
    everything = model.asked.total()
    undisturbed = carrying(**CAST).run(tmp_path / "undisturbed")
    assert model.asked.total() == 2 * everything
    assert undisturbed.spent == pytest.approx(everything * CALL)
    for name in ("episodes.jsonl", "calls.jsonl"):
        assert digest_of(tmp_path / "run", name) == digest_of(tmp_path / "undisturbed", name), name


def test_the_report_says_of_a_run_what_the_command_said(carrying: Any, model: Any, tmp_path: Path) -> None:
    def fails(role: str, n: int) -> None:
        raise Unavailable("injected")

    model.before = fails
    carrying(**CAST).run(tmp_path / "run")
    # Gone on with, and stopped at once: what failed before has neither been tried again nor been forgotten.
    said = carrying(**CAST, max_cost=0).run(tmp_path / "run").accounts
    assert RunTable.read(tmp_path / "run").accounts == said


def test_a_cap_without_prices_is_refused_before_anybody_is_asked(carrying: Any, model: Any, tmp_path: Path) -> None:
    model.prices = None
    with pytest.raises(ConfigError, match=r"(?s)no prices for.*price_in="):
        carrying(**CAST, max_cost=1.0).run(tmp_path / "run")
    assert not model.asked


def test_the_command_says_that_the_cap_was_reached_and_goes_on_with_a_higher_one(
    command: Any, plan_file: Any, server: Any, tmp_path: Path
) -> None:
    name = f"openai/mock?base_url={server.url}&price_in=1000&price_out=1000"
    plan = plan_file(**{**CAST, "doctors": [name], "roles": {"patient": name}, "judge": name})
    told = command("sweep", plan, "--out", "run", "--max-cost", "3")
    assert told.returncode == 1, told.stderr
    assert "the cap of cost, $3, is reached: raise it with `resume --max-cost`" in told.stdout
    assert "failed 0" in told.stdout
    last = command("resume", "run", "--max-cost", "1000", "--json")
    assert last.returncode == 0, last.stderr
    data = json.loads(last.stdout)
    assert (data["completed"], data["capped"]) == (4, False)
    assert data["cost"] == pytest.approx(costs(tmp_path / "run"), rel=1e-6)


# The disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """A small disk of its own; call it with a number of bytes to give it that size."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4096", "none", place], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount")

    def sized(size: int) -> Path:
        subprocess.run(["mount", "-o", f"remount,size={size}", place], check=True)
        return place

    yield sized
    subprocess.run(["umount", place], check=True)


@pytest.mark.parametrize("kind", ["offline", "models"])
def test_on_a_full_disk_a_run_stops_and_goes_on_when_there_is_room(
    carrying: Any, model: Any, disk: Any, all_files: Any, tmp_path: Path, kind: str
) -> None:
    one = carrying(**CAST) if kind == "models" else carrying()
    one.run(tmp_path / "undisturbed")
    undisturbed = all_files(tmp_path / "undisturbed")
    everything = model.asked.total()
    whole = sum(map(len, undisturbed.values()))
    model.asked.clear()
    stopped: list[str] = []
    finished = None
    step = max(1, whole // 4096 // 10)
    for pages in range(1, 3 * whole // 4096 + 16, step):
        folder = disk(pages * 4096) / "run"
        with suppress_into(stopped):
            finished = one.run(folder)
            break
    assert finished is not None
    assert finished.accounts.whole
    assert all_files(folder) == undisturbed
    assert len(stopped) >= 8
    for said in stopped:
        assert os.strerror(errno.ENOSPC) in said
        assert str(folder) in said
        assert "make room" in said
    # A reply that could not be written down is asked for again, once for each episode at once.
    assert everything <= model.asked.total() <= everything + 2 * len(stopped)


@contextmanager
def suppress_into(said: list[str]) -> Iterator[None]:
    """Go on after a store error, and keep what it said."""
    try:
        yield
    except StoreError as exc:
        said.append(str(exc))


@pytest.mark.parametrize("size", [3000, 70_000])
def test_the_command_on_a_full_disk_says_so_in_one_line_and_goes_on_when_there_is_room(
    command: Any, plan_file: Any, carrying: Any, digest_of: Any, tmp_path: Path, size: int
) -> None:
    # A limit on the size of files does to anybody what a full disk does.
    plan = plan_file()
    full = command(
        "sweep", plan, "--out", "run", "-q", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    )
    assert full.returncode == 1, full.stdout + full.stderr
    assert "Traceback" not in full.stderr
    assert os.strerror(errno.EFBIG) in full.stderr
    assert "make room" in full.stderr
    again = command("sweep", plan, "--out", "run", "-q")
    assert again.returncode == 0, again.stderr
    carrying().run(tmp_path / "undisturbed")
    assert digest_of(tmp_path / "run") == digest_of(tmp_path / "undisturbed")
    assert digest_of(tmp_path / "run", "index.jsonl") == digest_of(tmp_path / "undisturbed", "index.jsonl")


def test_bad_servers_lose_no_episode(command: Any, plan_file: Any, server: Any, keys_of: Any, tmp_path: Path) -> None:
    server.configure(p500=0.1, p429=0.1, pmal=0.05, retry_after_s=0.01)
    name = f"openai/mock?base_url={server.url}&attempts=2"
    plan = plan_file(**{**CAST, "doctors": [name], "roles": {"patient": name}, "judge": name, "concurrency": 4})
    told = command("sweep", plan, "--out", "run", "--json", "--retries", "2")
    data = json.loads(told.stdout)
    assert data["planned"] == 4 == data["completed"] + sum(data["failed"].values()) + data["skipped"]
    server.configure(p500=0, p429=0, pmal=0)
    again = command("resume", "run", "--json")
    data = json.loads(again.stdout)
    assert data["completed"] == 4
    assert again.returncode == (0 if data["scored"] == 4 else 1)
    found = keys_of(tmp_path / "run")
    assert len(found) == len(set(found)) == 4


def test_a_cap_is_refused_for_an_agent_without_prices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_agent.py").write_text("def make(tools, instructions):\n    raise NotImplementedError\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    priced = "langgraph/my_agent:make?price_in=1&price_out=2"
    for doctor, refused in (("langgraph/my_agent:make", True), (priced, False)):
        cast = make_cast([doctor], [StaffPlan()], load_rubric("clinic"))
        if refused:
            with pytest.raises(ConfigError, match=r"no prices for doctor \(langgraph/my_agent:make\)"):
                check_prices(cast, 1.0)
        else:
            check_prices(cast, 1.0)
