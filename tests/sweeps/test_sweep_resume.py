"""A run that was killed goes on, and ends as if nothing had happened; what does not belong to it is refused."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from clinic_sim.commands.sweep import resume_run
from clinic_sim.errors import ConfigError, StoreError
from clinic_sim.reports.table import RunTable
from clinic_sim.sweeps import manifest
from clinic_sim.sweeps.sweep import open_store

LONG: dict[str, Any] = {"scenarios": ["core-en"], "doctors": ["guess", "silent"], "seeds": list(range(6))}
"""96 episodes, about a second."""
BOOKS = ("episodes.jsonl", "index.jsonl", "manifest.json", "plan.yaml")


@pytest.fixture(scope="module")
def undisturbed(carrying: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`LONG`, carried out without any disturbance."""
    folder: Path = tmp_path_factory.mktemp("undisturbed") / "run"
    carrying(**LONG).run(folder)
    return folder


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def resumed(folder: Path, *, other_code: bool = False) -> int:
    return resume_run(folder, {}, other_code=other_code, quiet=True, as_json=True)


# Killed at any instant


def test_killed_at_any_instant_a_run_goes_on_to_the_same_bytes(
    carrying: Any, states_of: Any, in_state: Any, all_files: Any, tmp_path: Path
) -> None:
    one = carrying()
    states = states_of(tmp_path / "run", lambda: one.run(tmp_path / "run"))
    undisturbed = all_files(tmp_path / "run")
    assert set(undisturbed) == set(BOOKS)
    assert len(states) > 25  # before, between and in the middle of every write
    for n, state in enumerate(states):
        folder = in_state(state, tmp_path / f"killed{n}")
        finished = one.run(folder)
        assert finished.accounts.completed == finished.accounts.planned == 6, sorted(state)
        assert all_files(folder) == undisturbed, sorted(state)


def test_killed_while_it_puts_lines_in_order_a_run_goes_on_to_the_same_bytes(
    carrying: Any, states_of: Any, in_state: Any, all_files: Any, tmp_path: Path
) -> None:
    one = carrying()
    one.run(tmp_path / "whole")
    undisturbed = all_files(tmp_path / "whole")
    start = dict(undisturbed)
    lines = undisturbed["episodes.jsonl"].splitlines(keepends=True)
    # As episodes that end out of order leave it, with one owed: all must be put in order again.
    start["episodes.jsonl"] = b"".join(reversed(lines[1:]))
    del start["index.jsonl"]
    folder = in_state(start, tmp_path / "run")
    for n, state in enumerate(states_of(folder, lambda: one.run(folder))):
        copy = in_state(state or start, tmp_path / f"killed{n}")
        assert one.run(copy).accounts.completed == 6
        assert all_files(copy) == undisturbed, sorted(state)


@pytest.mark.parametrize("share", [0.0, 0.7])
def test_the_killed_command_is_gone_on_with_and_gives_the_same_bytes(
    command: Any, plan_file: Any, undisturbed: Path, digest_of: Any, waiting_for: Any, tmp_path: Path, share: float
) -> None:
    whole = undisturbed / "episodes.jsonl"
    plan = plan_file(**LONG)
    process = command.begin("sweep", plan, "--out", "run", "-q")
    waiting_for(lambda: size(tmp_path / "run" / "episodes.jsonl") > share * size(whole) or process.poll() is not None)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL, "it had ended: the plan is too short for this machine"
    # A killed process leaves no lock behind, and the plan's own command does as well as `resume`.
    again = command("resume", "run", "--json") if share else command("sweep", plan, "--out", "run", "--json")
    assert again.returncode == 0, again.stderr
    told = json.loads(again.stdout)
    assert (told["planned"], told["completed"], told["failed"], told["skipped"]) == (96, 96, {}, 0)
    for name in BOOKS[:2]:
        assert digest_of(tmp_path / "run", name) == digest_of(undisturbed, name), name


def test_a_finished_run_that_is_resumed_plays_nothing_and_stays_the_same(
    command: Any, plan_file: Any, all_files: Any, tmp_path: Path
) -> None:
    assert command("sweep", plan_file(), "--out", "run").returncode == 0
    before = all_files(tmp_path / "run")
    again = command("resume", "run")
    assert again.returncode == 0, again.stderr
    assert "6 of 6 episodes are finished already" in again.stdout
    assert "planned 6 = completed 6 + failed 0 + skipped 0" in again.stdout
    assert all_files(tmp_path / "run") == before


def test_shards_are_runs_of_their_own_that_hold_every_episode_once(carrying: Any, keys_of: Any, tmp_path: Path) -> None:
    carrying().run(tmp_path / "whole")
    found = []
    for n in (1, 2, 3, 4):
        finished = carrying(f"{n}/4").run(tmp_path / str(n))
        assert finished.accounts.completed == finished.accounts.planned == len(RunTable.read(tmp_path / str(n)))
        found += keys_of(tmp_path / str(n))
    assert sorted(found) == sorted(keys_of(tmp_path / "whole"))


def test_a_shard_goes_on_as_that_shard(carrying: Any, tmp_path: Path) -> None:
    carrying("2/4").run(tmp_path / "run")
    path = tmp_path / "run" / "episodes.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    assert resumed(tmp_path / "run") == 0
    assert path.read_bytes() == whole
    assert whole.count(b"\n") == 2


def test_a_run_that_was_moved_goes_on_where_it_is_now(carrying: Any, all_files: Any, tmp_path: Path) -> None:
    carrying().run(tmp_path / "run")
    undisturbed = all_files(tmp_path / "run")
    path = tmp_path / "run" / "episodes.jsonl"
    path.write_bytes(path.read_bytes()[:-10])
    moved = (tmp_path / "run").rename(tmp_path / "运行 2")
    assert resumed(moved) == 0
    assert all_files(moved) == undisturbed


# Interrupted


def test_control_c_says_what_is_kept_and_how_to_go_on(
    command: Any, plan_file: Any, undisturbed: Path, digest_of: Any, waiting_for: Any, tmp_path: Path
) -> None:
    process = command.begin("sweep", plan_file(**LONG), "--out", "run")
    waiting_for(lambda: size(tmp_path / "run" / "index.jsonl") > 2000 or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert "of 96 episodes are finished" in said
    assert "clinic-sim resume run" in said
    assert command("resume", "run", "-q").returncode == 0
    assert digest_of(tmp_path / "run") == digest_of(undisturbed)


# Two processes


def test_a_second_process_is_refused_while_the_first_writes_and_harms_nothing(
    command: Any, plan_file: Any, undisturbed: Path, digest_of: Any, waiting_for: Any, tmp_path: Path
) -> None:
    plan = plan_file(**LONG)
    first = command.begin("sweep", plan, "--out", "run", "-q")
    waiting_for(lambda: size(tmp_path / "run" / "index.jsonl") > 0 or first.poll() is not None)
    first.send_signal(signal.SIGSTOP)  # so that it is still there however slow this machine is
    try:
        for second in (command("sweep", plan, "--out", "run"), command("resume", "run")):
            assert second.returncode == 2, second.stdout
            assert "another process writes to this run" in second.stderr
            assert "clinic-sim resume run" in second.stderr
            assert "Traceback" not in second.stderr
    finally:
        first.send_signal(signal.SIGCONT)
    _, said = first.communicate(timeout=120)
    assert first.returncode == 0, said
    assert digest_of(tmp_path / "run") == digest_of(undisturbed)


def test_one_process_cannot_open_a_run_twice_either_and_can_when_it_is_closed(carrying: Any, tmp_path: Path) -> None:
    one = carrying()
    with open_store(one.sweep, tmp_path / "run"), pytest.raises(StoreError, match="another process"):
        open_store(one.sweep, tmp_path / "run")
    assert one.run(tmp_path / "run").accounts.whole


# What does not belong to it


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"doctors": ["guess"]}, 'plan.doctors: was ["silent"], is ["guess"]'),
        ({"seeds": [0, 1, 2]}, "plan.seeds: was [0, 1], is [0, 1, 2]"),
        ({"limits": {"turns": 3}}, "plan.limits.turns: was 2, is 3"),
        ({"rubric": "mvme"}, 'plan.rubric: was "clinic", is "mvme"'),
        ({"repeats": 2}, "plan.repeats: was 1, is 2"),
        ({"personas": ["terse"]}, 'plan.personas: was ["plain"], is ["terse"]'),
        ({"roles": {"unrecorded": "normal"}}, "unrecorded"),
        ({"scenarios": [{"pack": "core-en", "limit": 3}]}, "cases."),
    ],
)
def test_another_plan_is_refused_with_the_difference_and_nothing_is_changed(
    carrying: Any, all_files: Any, tmp_path: Path, change: dict[str, Any], shown: str
) -> None:
    carrying().run(tmp_path / "run")
    before = all_files(tmp_path / "run")
    with pytest.raises(StoreError, match="begun with another plan") as caught:
        open_store(carrying(**change).sweep, tmp_path / "run", accept_code=True)
    assert shown in str(caught.value)
    assert "--out" in str(caught.value)
    assert all_files(tmp_path / "run") == before
    with pytest.raises(StoreError, match="shard: was null, is"):
        open_store(carrying("1/2").sweep, tmp_path / "run")


def test_how_it_is_carried_out_may_change(carrying: Any, digest_of: Any, tmp_path: Path) -> None:
    carrying().run(tmp_path / "run")
    before = digest_of(tmp_path / "run")
    other = carrying(concurrency=3, retries=2, record=False, max_cost=1.0, name="other")
    assert other.run(tmp_path / "run").accounts.whole
    assert digest_of(tmp_path / "run") == before


def test_other_code_is_refused_unless_it_is_asked_for(carrying: Any, tmp_path: Path) -> None:
    one = carrying()
    one.run(tmp_path / "run")
    path = tmp_path / "run" / manifest.FILE
    about = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**about, "code": "0123456789abcdef"}), "utf-8")
    with pytest.raises(StoreError, match=r"code: was \"0123456789abcdef\"(?s:.*)--other-code"):
        resumed(tmp_path / "run")
    with pytest.raises(StoreError, match="--other-code"):
        one.run(tmp_path / "run")
    assert resumed(tmp_path / "run", other_code=True) == 0
    assert json.loads(path.read_text("utf-8"))["code"] == about["code"]
    path.write_text(json.dumps({**about, "code": "0", "planned": 7}), "utf-8")
    with pytest.raises(StoreError, match="planned: was 7, is 6"):
        resumed(tmp_path / "run", other_code=True)


def test_what_is_no_run_is_refused_by_name_and_left_alone(tmp_path: Path, all_files: Any) -> None:
    contents = {
        "other": b"[]",
        "old": b'{"doctor": "silent", "cases": {}}',
        "torn": b'{"plan": {\xff',
        "null": b"null",
        "wrong": b'{"plan": {"doctors": ["silent"]}, "cases": {}}',
        "foreign": b'{"plan": {}, "cases": {}, "shard": "9"}',
    }
    for name, content in contents.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_bytes(content)
    for name in ("wrong", "foreign"):
        (tmp_path / name / "plan.yaml").write_text("doctors: silent\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    before = all_files(tmp_path)
    for name in (*contents, "empty", "file", "nowhere"):
        with pytest.raises((ConfigError, StoreError), match=f"{name}|--shard"):
            resumed(tmp_path / name)
    assert all_files(tmp_path) == before


def test_resume_of_what_is_no_run_is_one_line(command: Any, tmp_path: Path) -> None:
    told = command("resume", "nowhere")
    assert told.returncode == 2
    assert told.stderr.startswith("clinic-sim: nowhere: is no run")
    assert told.stderr.count("\n") == 1


def test_episodes_whose_manifest_is_lost_are_neither_taken_over_nor_thrown_away(carrying: Any, tmp_path: Path) -> None:
    carrying(doctors=["guess"]).run(tmp_path / "run")
    (tmp_path / "run" / manifest.FILE).unlink()
    path = tmp_path / "run" / "episodes.jsonl"
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"manifest\.json"):
        carrying().run(tmp_path / "run")
    assert path.read_bytes() == before


def test_a_run_without_limit_of_turns_goes_on_by_its_own_plan(carrying: Any, tmp_path: Path) -> None:
    carrying(limits={"turns": None}, doctors=["guess"]).run(tmp_path / "run")
    assert resumed(tmp_path / "run") == 0


@pytest.mark.parametrize("content", [b"nonsense\n", b"\x00" * 999, b'{"key"'])
def test_garbage_among_the_failures_does_not_stop_a_run(carrying: Any, tmp_path: Path, content: bytes) -> None:
    carrying().run(tmp_path / "run")
    (tmp_path / "run" / "failures.jsonl").write_bytes(content)
    assert carrying().run(tmp_path / "run").accounts.whole
    assert len(RunTable.read(tmp_path / "run").failures) == 0


@pytest.mark.parametrize("content", [b'{"key":"abc"}\n', b'{"key":"abc",}\n'])
def test_a_failure_that_is_none_does_not_stop_a_run(carrying: Any, tmp_path: Path, content: bytes) -> None:
    carrying().run(tmp_path / "run")
    (tmp_path / "run" / "failures.jsonl").write_bytes(content)
    assert carrying().run(tmp_path / "run").accounts.whole


@pytest.mark.parametrize("content", [b'{"key":"abc"}\n', b'{"key":"abc",}\n'])
def test_a_failure_that_is_none_does_not_stop_a_report(carrying: Any, tmp_path: Path, content: bytes) -> None:
    carrying().run(tmp_path / "run")
    (tmp_path / "run" / "failures.jsonl").write_bytes(content)
    assert len(RunTable.read(tmp_path / "run").failures) == 0


# Places that cannot be written


@pytest.mark.skipif(os.name != "posix", reason="file modes are of POSIX")
def test_a_folder_that_cannot_be_written_is_refused_with_what_to_do(
    command: Any, carrying: Any, plan_file: Any, tmp_path: Path
) -> None:
    plan = plan_file()
    closed = tmp_path / "closed"
    closed.mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "closed").chmod(stat.S_IRUSR | stat.S_IXUSR)
    told = command("sweep", plan, "--out", tmp_path / "file")
    assert told.returncode == 2, (told.stdout, told.stderr)
    assert str(tmp_path / "file") in told.stderr
    assert "--out" in told.stderr
    assert told.stderr.count("\n") == 1
    one = carrying()
    places = [tmp_path / "file" / "run"]
    if os.geteuid() != 0:  # root writes anywhere
        places.append(closed / "run")
    for place in places:
        with pytest.raises(StoreError, match="--out"):
            one.run(place)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can mount")
def test_a_run_on_a_disk_that_is_mounted_read_only_is_refused_and_left_alone(
    command: Any, carrying: Any, all_files: Any, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "none", disk], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        carrying().run(disk / "run")
        before = all_files(disk)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        told = command("resume", disk / "run")
        assert told.returncode == 2, told.stdout
        assert "Read-only file system" in told.stderr
        assert "Traceback" not in told.stderr
        with pytest.raises(StoreError, match="Read-only file system"):
            carrying().run(disk / "new")
        assert all_files(disk) == before
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_folder_that_is_removed_while_it_is_written_is_a_store_error(
    carrying: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    one = carrying()
    store = open_store(one.sweep, tmp_path / "run")
    shutil.rmtree(tmp_path / "run")
    with store, pytest.raises(StoreError, match="cannot be written"):
        store.close()


def test_opening_waits_for_nobody(carrying: Any, tmp_path: Path) -> None:
    # A command that hangs until another one ends would look as if it worked.
    one = carrying()
    with open_store(one.sweep, tmp_path / "run"):
        begun = time.monotonic()
        with pytest.raises(StoreError):
            open_store(one.sweep, tmp_path / "run")
        assert time.monotonic() - begun < 5
