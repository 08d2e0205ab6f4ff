"""Hostile input at the public faces: only documented errors, nothing slow, nothing that cannot be written down."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

import clinic_sim
from clinic_sim.cases.loading import load_case
from clinic_sim.cases.packs import shipped
from clinic_sim.clinic.actions import Ask, Conclude, Invalid, Order
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.doctors import BASELINES
from clinic_sim.errors import CaseError
from clinic_sim.testing import small_case

_LONG = 20_000

ACTIONS: dict[str, Any] = {
    "bytes": b"any fever?",
    "none": None,
    "huge integer": 10**400,
    "not a number": float("nan"),
    "numpy text": np.str_("Any fever?"),
    "list of 100,000": ["x"] * 100_000,
    "empty mapping": {},
    "foreign keys": {1: 2, None: 3},
    "action is a number": {"action": 5},
    "text is a truth value": {"action": "ask", "text": True},
    "100,000 orders": {"action": "order", "exams": ["ECG"] * 100_000},
    "200 orders of nonsense": {"action": "order", "exams": ["x" * 2_000] * 200},
    "diagnosis is a mapping": {"action": "conclude", "diagnosis": {"x": 1}},
    "tool calls are text": {"tool_calls": "x"},
    "no tool call": {"tool_calls": [None]},
    "arguments are a list": {"name": "ask", "arguments": [1]},
    "arguments are broken": {"name": "ask", "arguments": "[1"},
    "arguments hold a surrogate": {"name": "ask", "arguments": "\ud800{"},
    "action is a surrogate": {"action": "\ud800"},
    "10 MB": "a" * 10_000_000,
    "10 MB of Chinese": "疼" * 10_000_000,
    "lone surrogate": "any \ud800 fever?",
    "escaped surrogate": '{"action": "ask", "text": "\\ud800"}',
    "NUL": "any\x00fever?",
    "right to left": "\u202eany fever?\u202c",
    "emoji": "🤒?" * 200,
    "deep objects": '{"action":' * 3_000,
    "deep list": '{"action": "order", "exams": ' + "[" * 15_000,
    "number of 10,000 digits": '{"action": "order", "exams": [' + "9" * 10_000 + "]}",
    "NaN in JSON": '{"action": "order", "exams": [NaN]}',
    "infinite action": '{"action": Infinity}',
    "JSON that is no object": '["a"]',
    "nested tags": "<ask><ask>hi</ask></ask>",
    "tag in a tag": "<order><conclude>flu</conclude></order>",
    "4,000 open tags": "<ask>" * 4_000,
    "unclosed thought": "<think>" * 2_800,
    "stars": "*" * (_LONG - 3) + "ask",
    "spaces": " " * (_LONG - 6) + "ask: x",
    "question marks": "?" * _LONG,
    "commas": "," * _LONG,
    "repeated question": "any pain, " * 1_900,
    "repeated Chinese question": "有没有疼痛，" * 3_000,
    "repeated order": "order: " + "ecg," * 4_900,
    "one Chinese syllable": "检查：" + "血" * 19_000,
    "list marks": "order: " + "1. " * 6_000,
    "brackets": "conclude: " + "(" * 19_000,
    "repeated negation": "conclude: " + "not " * 4_900,
    "repeated exclusion": "结论：" + "排除" * 3_000,
    "many diagnoses": "conclude: " + "pneumonia, " * 1_800,
    "heads without text": "conclude: " + "\n" * 19_000 + "diagnosis:",
}


@pytest.mark.parametrize("scenarios", ["core-en", "core-zh"])
@pytest.mark.parametrize("what", list(ACTIONS))
def test_no_action_raises_stalls_or_leaves_what_cannot_be_stored(what: str, scenarios: str) -> None:
    env = gymnasium.make(clinic_sim.ENV_ID, scenarios=scenarios, render_mode="ansi")
    env.reset(seed=1)
    started = time.process_time()
    observation, reward, _, _, info = env.step(ACTIONS[what])
    assert time.process_time() - started < 10
    assert env.observation_space.contains(observation)
    assert sum(info["reward_terms"].values()) == reward
    unwrapped = env.unwrapped
    assert isinstance(unwrapped, clinic_sim.envs.ConsultationEnv)  # type: ignore[attr-defined]
    stored = json.dumps(unwrapped.episode.to_dict(), ensure_ascii=False, allow_nan=False).encode("utf-8")
    assert len(stored) < 3_000_000
    env.render()


@pytest.mark.parametrize("what", ["bytes", "none", "list of 100,000", "10 MB", "lone surrogate", "deep objects"])
def test_what_is_no_action_is_explained_and_costs_one_turn(what: str) -> None:
    consultation = Consultation(small_case())
    said = consultation.act_sync(ACTIONS[what]).observation
    assert isinstance(consultation.episode().actions[0], Invalid)
    assert "ORDER" in said
    assert consultation.room.ledger.turns == 1
    assert len(said) < 2_000


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("\ufeffORDER: ECG", Order),
        ("ORDER：ECG", Order),
        ("**Order:** ECG", Order),
        ("order: ecg\r\ntroponin\r\n", Order),
        ("I conclude nothing yet. How do you feel?", Ask),
        ("结论：阑尾炎\r\n治疗：手术", Conclude),
    ],
)
def test_marks_and_line_ends_of_other_systems_are_read(text: str, kind: type[Any]) -> None:
    consultation = Consultation(small_case())
    consultation.act_sync(text)
    assert isinstance(consultation.episode().actions[0], kind)


def _cli(*args: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "clinic_sim", *args],
        capture_output=True,
        timeout=120,
        cwd=cwd,
        env={**os.environ, **env},
        check=False,
    )


@pytest.mark.parametrize(
    "out",
    ["a-file", "a-file/below"],
)
def test_an_out_that_is_a_file_is_one_message(tmp_path: Path, out: str) -> None:
    (tmp_path / "a-file").touch()
    done = _cli("run", "-d", "guess", "-n", "1", "-q", "-o", out, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert b"--out" in done.stderr


@pytest.mark.parametrize("locale", ["C", "POSIX", "en_US.ISO-8859-1"])
def test_chinese_prints_in_any_locale_and_without_a_home(tmp_path: Path, locale: str) -> None:
    done = _cli("list", "core-zh", cwd=tmp_path, LANG=locale, LC_ALL=locale, HOME="/nonexistent", PYTHONUTF8="0")
    assert done.returncode == 0
    assert "岁" in done.stdout.decode("utf-8")


def test_interrupting_a_run_leaves_whole_lines_or_none(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "clinic_sim", "run", "-d", "oracle", "-s", "core-zh", "-o", "runs"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    # 130, or 1 where the signal arrives inside pydantic, which wraps it.
    assert process.returncode in (1, 130)
    for file in tmp_path.glob("runs/*/episodes.jsonl"):
        assert all(json.loads(line)["key"] for line in file.read_bytes().splitlines())


@pytest.mark.parametrize("mark", ["\ufeff", "\r"])
def test_a_byte_order_mark_and_dos_line_ends_are_read(tmp_path: Path, mark: str) -> None:
    file = shipped("scenarios") / "core-en" / "stemi-inferior-en.yaml"
    text = file.read_text("utf-8")
    changed = mark + text if mark == "\ufeff" else text.replace("\n", "\r\n")
    (tmp_path / "case.yaml").write_bytes(changed.encode("utf-8"))
    assert load_case(tmp_path / "case.yaml") == load_case(file)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"~\n",
        b"- a\n- b\n",
        b"\xff\xfe",
        b"id: a\x00b\n",
        b"id: x\nid: y\n",
        b"id: a\n---\nid: b\n",
        b"1: x\n",
        b'id: "\\ud800"\n',
        b'!!python/object/apply:os.system ["true"]\n',
        b"<<: [1]\nid: x\n",
        b"{a: " * 1_000,
    ],
)
def test_a_broken_case_file_is_a_case_error_with_its_file(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.yaml"
    file.write_bytes(content)
    with pytest.raises(CaseError, match=r"broken\.yaml"):
        load_case(file)


def test_every_baseline_is_listed_in_the_error_for_an_unknown_one(tmp_path: Path) -> None:
    done = _cli("run", "-d", "nobody", cwd=tmp_path)
    assert done.returncode == 2
    assert all(name.encode() in done.stderr for name in BASELINES)
    assert not (tmp_path / "runs").exists()
