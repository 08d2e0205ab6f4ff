"""What a run leaves on disk: whole lines under the final name or nothing, and the same bytes for the same plan."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clinic_sim.cases.compiled import compile_case
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.doctors import BASELINES, make_doctor
from clinic_sim.errors import StoreError
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.sweeps import index
from clinic_sim.sweeps.lines import canonical, key_of, line_data, line_of, outcome_of
from clinic_sim.sweeps.outcome import Outcome
from clinic_sim.sweeps.rows import row_of
from clinic_sim.sweeps.runner import run_episode
from clinic_sim.sweeps.store import RunStore
from clinic_sim.testing import ScriptedDoctor, small_case

PLAN = {"plan": {"doctors": ["test"], "seeds": [0]}, "cases": {}, "code": "0", "clinic_sim": "0"}
EVERY_BASELINE = """
import hashlib, sys
from clinic_sim.cases.packs import load_pack
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.doctors import BASELINES, make_doctor
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.sweeps.runner import run_episode
from clinic_sim.sweeps.lines import line_data, line_of
judge = RubricJudge(load_rubric("clinic"))
for doctor in BASELINES:
    for pack in ("core-en", "core-zh"):
        digest = hashlib.sha256()
        for case in load_pack(pack).cases[:4]:
            digest.update(line_of("k", line_data(run_episode(Consultation(case, seed=7), make_doctor(doctor), judge))))
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


def _store(folder: Path, about: dict[str, Any] = PLAN, **options: Any) -> RunStore:
    return RunStore(folder, about, "doctors: [test]\n", _row, **options)


def _row(key: str, data: Mapping[str, Any]) -> dict[str, Any]:
    return row_of(key, data, compile_case(small_case()))


def _add(store: RunStore, key: str, at: int, *actions: object) -> bytes:
    data = line_data(replace(_outcome(*actions), at=at))
    line = line_of(key, data)
    store.add(key, at, line, _row(key, data))
    return line


def test_a_line_holds_the_whole_episode(tmp_path: Path) -> None:
    outcome = _outcome("Any fever?", "ORDER: CBC", "结论：阑尾炎\n治疗：手术")
    with _store(tmp_path) as store:
        _add(store, "a1", 0, "Any fever?", "ORDER: CBC", "结论：阑尾炎\n治疗：手术")
        path = store.close()
    (line,) = path.read_bytes().splitlines()
    found = outcome_of(json.loads(line))
    assert found == outcome
    assert json.loads((tmp_path / "manifest.json").read_text("utf-8")) == PLAN


def test_an_added_line_is_on_disk_at_once(tmp_path: Path) -> None:
    with _store(tmp_path) as store:
        line = _add(store, "a1", 0)
        assert (tmp_path / "episodes.jsonl").read_bytes() == line


def test_a_run_that_was_left_goes_on_and_writes_a_key_once(tmp_path: Path) -> None:
    with _store(tmp_path) as store:
        first = _add(store, "a1", 0)
    with _store(tmp_path) as store:
        assert list(store.places) == ["a1"]
        assert store.line("a1")["scorecard"] == json.loads(first)["scorecard"]
        with pytest.raises(StoreError, match="second time"):
            _add(store, "a1", 0)
        second = _add(store, "a2", 1)
        assert store.close().read_bytes() == first + second


def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="--out"):
        _store(tmp_path / "file")


def test_another_plan_is_refused_and_the_difference_shown(tmp_path: Path) -> None:
    with _store(tmp_path) as store:
        store.close()
    other = {**PLAN, "plan": {"doctors": ["test"], "seeds": [0, 1]}}
    with pytest.raises(StoreError, match=r"plan\.seeds: was \[0\], is \[0, 1\]"):
        _store(tmp_path, other)
    with pytest.raises(StoreError, match=r"code: was .* is .*\n.*--other-code"):
        _store(tmp_path, {**PLAN, "code": "1"})
    with _store(tmp_path, {**PLAN, "code": "1"}, accept_code=True) as store:
        store.close()


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    with _store(tmp_path) as store:
        with pytest.raises(StoreError, match="another process writes"):
            _store(tmp_path)
        store.close()
    with _store(tmp_path):
        pass


@pytest.mark.parametrize("doctor", ["silent", "guess"])
def test_hostile_text_survives_as_utf8(doctor: str) -> None:
    outcome = run_episode(Consultation(small_case()), make_doctor(doctor), _judge())
    hostile = _outcome("any \ud800 fever?", "a\u2028b\u0000?", "🤒" * 50, "CONCLUDE: \u202eflu")
    for found in (outcome, hostile):
        line = line_of("a1", line_data(found))
        assert line.count(b"\n") == 1
        assert key_of(line) == "a1"
        assert outcome_of(json.loads(line.decode("utf-8"))) == found


def test_canonical_text_does_not_depend_on_order() -> None:
    assert canonical({"b": 1, "a": [1, 2]}) == canonical({"a": [1, 2], "b": 1}) == '{"a":[1,2],"b":1}'


def test_episodes_that_end_out_of_order_stand_in_the_plans_order(tmp_path: Path) -> None:
    with _store(tmp_path) as store:
        last = _add(store, "a2", 2, "ASK: hello", "CONCLUDE: flu")
        first = _add(store, "a0", 0)
        middle = _add(store, "a1", 1, "ASK: Any fever?")
        assert store.close().read_bytes() == first + middle + last
    rows = list(index.read(tmp_path))
    assert [row["key"] for row in rows] == ["a0", "a1", "a2"]
    assert [(row["offset"], row["length"]) for row in rows] == [
        (0, len(first)),
        (len(first), len(middle)),
        (len(first) + len(middle), len(last)),
    ]


def test_a_folder_removed_meanwhile_is_a_store_error(tmp_path: Path) -> None:
    with _store(tmp_path / "run") as store:
        _add(store, "a1", 1)
        _add(store, "a0", 0)
        shutil.rmtree(tmp_path / "run")
        with pytest.raises(StoreError, match="cannot be written"):
            store.close()
