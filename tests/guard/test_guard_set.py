"""The guard on a patient's words: floors under what a labelled set measured, and the soundness of that set.

The set was written on the packs by somebody who had seen nothing of the guard. Six cases are its development half
(`dev_*.jsonl`), on which the guard may be tuned; the other ten (`utterances_*.jsonl`) are for measuring only: a change
that needs them as examples would make the figures worthless. So are `second_*` and `fresh_*`, by other authors. The
weighing of signs learns from the other sets.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from clinic_sim.cases.packs import Pack

RECALL_FLOORS = {"leak": 0.94, "invention": 0.7, "contradiction": 0.8}
CLEAN_REJECTED_CEILING = 0.08
SECOND_FLOORS = {"leak": 0.88, "invention": 0.75, "contradiction": 0.7}
SECOND_CEILING = 0.03
BLIND_FLOORS = {"leak": 0.88, "invention": 0.8, "contradiction": 0.84}
BLIND_CEILING = 0.04
LEARNED = ("dev", "blind", "imported", "llm", "asides")
"""Sets that the weighing learns from."""

HERE = Path(__file__).resolve().parent
BENCH = HERE.parent.parent / "bench" / "guard.py"
LANGUAGES = ("en", "zh")
LABELS = {"clean", "leak", "invention", "contradiction"}


def bench() -> Any:
    spec = importlib.util.spec_from_file_location("bench_guard", BENCH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def rows(language: str) -> list[dict[str, Any]]:
    """Both halves."""
    halves = (HERE / f"{half}_{language}.jsonl" for half in ("dev", "utterances"))
    return [json.loads(line) for half in halves for line in half.read_text("utf-8").splitlines()]


def figures_of(files: str) -> Any:
    measuring = bench()
    compiled = measuring.compiled_cases(measuring.PACKS)
    items = [item for path in sorted(HERE.glob(files)) for item in measuring.review(path, compiled)]
    return measuring.figures(items)


@pytest.fixture(scope="module")
def measured() -> Any:
    return figures_of("utterances_*.jsonl")


@pytest.fixture(scope="module")
def second() -> Any:
    return figures_of("second_*.jsonl")


@pytest.fixture(scope="module")
def blind() -> Any:
    return figures_of("blind_*.jsonl")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("label", sorted(RECALL_FLOORS))
def test_bad_words_are_rejected(measured: Any, language: str, label: str) -> None:
    assert measured[language].recall[label].value >= RECALL_FLOORS[label], str(measured[language].recall[label])


@pytest.mark.parametrize("language", LANGUAGES)
def test_honest_words_are_accepted(measured: Any, language: str) -> None:
    share = measured[language].clean_rejected
    assert share.value <= CLEAN_REJECTED_CEILING, str(share)


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_of_another_author_are_told_apart(second: Any, language: str) -> None:
    shares = second[language].recall
    assert {label: share.value >= SECOND_FLOORS[label] for label, share in shares.items()} == dict.fromkeys(
        shares, True
    )
    assert second[language].clean_rejected.value <= SECOND_CEILING, str(second[language].clean_rejected)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_repaired_stays_repaired(blind: Any, language: str) -> None:
    shares = blind[language].recall
    assert {label: share.value >= BLIND_FLOORS[label] for label, share in shares.items()} == dict.fromkeys(shares, True)
    assert blind[language].clean_rejected.value <= BLIND_CEILING, str(blind[language].clean_rejected)


def test_ids_and_texts_are_unique_over_both_languages() -> None:
    items = [row for language in LANGUAGES for row in rows(language)]
    assert len(items) >= 400
    assert len({row["id"] for row in items}) == len(items)
    assert len({(row["case"], tuple(row["facts"]), row["text"]) for row in items}) == len(items)


def test_what_is_learned_from_is_labelled_once_and_is_not_what_is_measured() -> None:
    learned = [
        json.loads(line)
        for name in LEARNED
        for language in LANGUAGES
        for line in (HERE / f"{name}_{language}.jsonl").read_text("utf-8").splitlines()
    ]
    assert len(learned) > 6_000
    keys = {"id", "case", "question", "facts", "told", "text", "label", "kind", "style"}
    assert all(set(row) == keys and row["label"] in LABELS for row in learned)
    assert len({row["id"] for row in learned}) == len(learned)
    texts = {(row["case"], row["text"]) for row in learned}
    held_out = [
        json.loads(line)
        for name in ("utterances", "fresh", "second")
        for language in LANGUAGES
        for line in (HERE / f"{name}_{language}.jsonl").read_text("utf-8").splitlines()
    ]
    assert not [row["id"] for row in held_out if (row["case"], row["text"]) in texts]


@pytest.mark.parametrize("language", LANGUAGES)
def test_labels_speak_of_facts_that_exist(language: str, request: pytest.FixtureRequest) -> None:
    pack: Pack = request.getfixturevalue(f"core_{language}")
    known = {case.id: {fact.id for fact in case.facts} for case in pack.cases}
    for row in rows(language):
        assert set(row) == {"id", "case", "question", "facts", "told", "text", "label", "kind", "style"}, row
        assert row["id"].startswith(f"{language}-")
        assert row["label"] in LABELS
        assert set(row["facts"]) | set(row["told"]) <= known[row["case"]], row
        assert len(set(row["facts"])) == len(row["facts"]), row
        assert not set(row["facts"]) & set(row["told"]), row
        assert all(row[name].strip() for name in ("question", "text", "kind", "style")), row
        if row["label"] == "contradiction":
            assert row["facts"], f"{row['id']} contradicts nothing"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_case_stands_in_both_halves(language: str) -> None:
    halves = [
        {json.loads(line)["case"] for line in (HERE / f"{half}_{language}.jsonl").read_text("utf-8").splitlines()}
        for half in ("dev", "utterances")
    ]
    assert len(halves[0]) == 3
    assert not halves[0] & halves[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_case_and_label_has_its_share(language: str, request: pytest.FixtureRequest) -> None:
    pack: Pack = request.getfixturevalue(f"core_{language}")
    items = rows(language)
    assert len(items) >= 240
    labels = Counter(row["label"] for row in items)
    for label, share in {"clean": 0.5, "leak": 0.25, "invention": 0.125, "contradiction": 0.125}.items():
        assert abs(labels[label] / len(items) - share) < 0.05, labels
    for case in pack.cases:
        of_case = Counter(row["label"] for row in items if row["case"] == case.id)
        assert set(of_case) == LABELS, case.id
        assert of_case.total() >= 25, case.id
    clean_styles = Counter(row["style"] for row in items if row["label"] == "clean")
    assert len(clean_styles) >= 8, clean_styles
