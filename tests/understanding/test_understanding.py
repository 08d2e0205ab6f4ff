"""Question understanding on the labelled sets, as a floor under what was measured.

The sets were written on the packs by somebody who had seen neither the lexicon nor the code. They are for measuring: a
change that needs them as examples would make the figures worthless.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
BENCH = HERE.parent.parent / "bench" / "understanding.py"
FLOORS = {"questions_en": (0.80, 0.82), "questions_zh": (0.75, 0.87)}


def bench():  # type: ignore[no-untyped-def]
    spec = importlib.util.spec_from_file_location("bench_understanding", BENCH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", list(FLOORS))
def test_precision_and_recall_hold(name: str) -> None:
    measuring = bench()
    tally, errors = measuring.measure(HERE / f"{name}.jsonl", measuring.cases(measuring.PACKS))
    precision, recall = FLOORS[name]
    assert tally.precision >= precision, errors[:10]
    assert tally.recall >= recall, errors[:10]


@pytest.mark.parametrize("name", list(FLOORS))
def test_the_set_is_large_and_its_labels_exist(name: str) -> None:
    measuring = bench()
    known = measuring.cases(measuring.PACKS)
    items = [json.loads(line) for line in (HERE / f"{name}.jsonl").read_text("utf-8").splitlines()]
    assert len(items) >= 150
    assert len({item["text"] for item in items}) > 0.95 * len(items)
    for item in items:
        ids = {fact.id for fact in known[item["case"]].facts}
        assert set(item["facts"]) | set(item.get("also", ())) <= ids, item
