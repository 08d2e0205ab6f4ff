"""What a run leaves on disk: whole lines under the final name or nothing, and the same bytes for the same plan."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from clinic_sim.clinic.consultation import Consultation
from clinic_sim.clinic.episode import Episode
from clinic_sim.doctors import BASELINES, make_doctor
from clinic_sim.errors import StoreError
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.sweeps.runner import Outcome, run_episode
from clinic_sim.sweeps.store import RunStore, canonical, line_of
from clinic_sim.testing import ScriptedDoctor, small_case

PLAN = {"doctor": "test", "seed": 0}
EVERY_BASELINE = """
import hashlib, sys
from clinic_sim.cases.packs import load_pack
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.doctors import BASELINES, make_doctor
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.sweeps.runner import run_episode
from clinic_sim.sweeps.store import line_of
judge = RubricJudge(load_rubric("clinic"))
for doctor in BASELINES:
    for pack in ("core-en", "core-zh"):
        digest = hashlib.sha256()
        for case in load_pack(pack).cases[:4]:
            digest.update(line_of(run_episode(Consultation(case, seed=7), make_doctor(doctor), judge)))
        print(doctor, pack, digest.hexdigest())
"""


def _outcome(*actions: object) -> Outcome:
    return run_episode(Consultation(small_case()), ScriptedDoctor(actions or ["CONCLUDE: flu"]), _judge())


def _judge() -> RubricJudge:
    return RubricJudge(load_rubric("clinic"))


def test_every_baseline_gives_the_same_bytes_under_any_hash_seed(tmp_path: Path) -> None:
    told = set()
    for seed in ("1", "4242"):
        done = subprocess.run(
            [sys.executable, "-c", EVERY_BASELINE],
            capture_output=True,
            cwd=tmp_path,
            timeout=240,
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo" if seed == "1" else "UTC"},
            check=True,
        )
        told.add(done.stdout)
    assert len(told) == 1
    assert len(told.pop().splitlines()) == 2 * len(BASELINES)


def test_a_line_holds_the_whole_episode(tmp_path: Path) -> None:
    outcome = _outcome("Any fever?", "ORDER: CBC", "结论：阑尾炎\n治疗：手术")
    with RunStore(tmp_path, PLAN) as store:
        store.add(outcome)
        path = store.close()
    (line,) = path.read_bytes().splitlines()
    data = json.loads(line)
    assert Episode.from_dict(data["episode"]) == outcome.episode
    assert data["scorecard"]["total"] == outcome.scorecard.total
    assert json.loads((path.parent / "manifest.json").read_text("utf-8")) == PLAN


def test_nothing_stands_under_the_final_name_before_the_run_is_finished(tmp_path: Path) -> None:
    with RunStore(tmp_path, PLAN) as store:
        store.add(_outcome())
        assert not (store.folder / "episodes.jsonl").exists()
    assert not (store.folder / "episodes.jsonl").exists()


def test_an_interrupted_rerun_keeps_the_finished_run(tmp_path: Path) -> None:
    with RunStore(tmp_path, PLAN) as store:
        store.add(_outcome())
        finished = store.close().read_bytes()
    with RunStore(tmp_path, PLAN) as again:
        again.add(_outcome("Any fever?", "CONCLUDE: gout"))
        # Left without `close`, as Ctrl-C leaves it.
    assert (again.folder / "episodes.jsonl").read_bytes() == finished


def test_an_added_line_is_on_disk_at_once(tmp_path: Path) -> None:
    with RunStore(tmp_path, PLAN) as store:
        store.add(_outcome())
        (part,) = store.folder.glob("*.part")
        assert part.read_bytes() == line_of(_outcome())


def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="--out"):
        RunStore(tmp_path / "file", PLAN)


def test_plans_that_differ_get_different_folders(tmp_path: Path) -> None:
    names = set()
    for seed in range(3):
        with RunStore(tmp_path, {**PLAN, "seed": seed}) as store:
            names.add(store.run_id)
            store.close()
    assert len(names) == 3


@pytest.mark.parametrize("doctor", ["silent", "guess"])
def test_hostile_text_survives_as_utf8(doctor: str) -> None:
    outcome = run_episode(Consultation(small_case()), make_doctor(doctor), _judge())
    hostile = _outcome("any \ud800 fever?", "a\u2028b\u0000?", "🤒" * 50, "CONCLUDE: \u202eflu")
    for line in (line_of(outcome), line_of(hostile)):
        assert line.count(b"\n") == 1
        assert line.endswith(b"\n")
        assert json.loads(line.decode("utf-8"))


def test_canonical_text_does_not_depend_on_order() -> None:
    assert canonical({"b": 1, "a": [1, 2]}) == canonical({"a": [1, 2], "b": 1}) == '{"a":[1,2],"b":1}'


def test_the_digest_of_a_plan_is_in_the_name(tmp_path: Path) -> None:
    with RunStore(tmp_path, PLAN) as store:
        assert store.run_id == f"test-{hashlib.sha256(canonical(PLAN).encode()).hexdigest()[:12]}"
        store.close()


def test_two_writers_of_one_plan_do_not_share_a_file(tmp_path: Path) -> None:
    with RunStore(tmp_path, PLAN) as one, RunStore(tmp_path, PLAN) as two:
        one.add(_outcome())
        two.add(_outcome())
        assert one.close() == two.close()
    assert (one.folder / "episodes.jsonl").read_bytes() == line_of(_outcome())
    assert sorted(p.name for p in one.folder.iterdir()) == ["episodes.jsonl", "manifest.json"]


def test_an_aborted_run_keeps_what_was_finished_and_nothing_else(tmp_path: Path) -> None:
    with RunStore(tmp_path, PLAN) as store:
        pass
    assert [p.name for p in store.folder.iterdir()] == ["manifest.json"]
    outcome = _outcome()
    with RunStore(tmp_path, PLAN) as store:
        store.add(outcome)
    kept = [p for p in store.folder.iterdir() if p.name.endswith(".part")]
    assert [p.read_bytes() for p in kept] == [line_of(outcome)]
    assert not (store.folder / "episodes.jsonl").exists()


def test_episodes_that_end_out_of_order_stand_in_the_plans_order(tmp_path: Path) -> None:
    first, second = _outcome("ASK: hello", "CONCLUDE: flu"), _outcome("CONCLUDE: flu")
    with RunStore(tmp_path, PLAN) as store:
        store.add(second, 1)
        store.add(first, 0)
        assert store.close().read_bytes() == line_of(first) + line_of(second)


def test_a_folder_removed_meanwhile_is_a_store_error(tmp_path: Path) -> None:
    with RunStore(tmp_path, PLAN) as store:
        store.add(_outcome())
        shutil.rmtree(store.folder)
        with pytest.raises(StoreError, match="cannot be written"):
            store.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_a_store_error(tmp_path: Path) -> None:
    with RunStore(tmp_path, PLAN) as store:
        store._file.close()
        store._file = Path("/dev/full").open("wb")  # noqa: SIM115 - the store closes it
        with pytest.raises(StoreError, match="No space left"):
            store.add(_outcome())
