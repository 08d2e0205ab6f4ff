"""Every mistake in a rubric file is told with its file, line and field; what is to no effect is told too."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from clinic_sim.cases.compiled import compile_case
from clinic_sim.errors import RubricError
from clinic_sim.judge.rubric import Rubric, load_rubric
from clinic_sim.judge.rubric_lint import Checked, check_file
from clinic_sim.testing import small_case

HEAD = """\
schema_version: 1
name: r
title: r
dimensions:
  d: {weight: 1}
  e: {weight: 1}
criteria:
  - {id: base, dimension: e, check: exam_precision}
"""
"""Eight lines; what a test adds begins at the ninth."""


def checked(tmp_path: Path, body: str, head: str = HEAD) -> Checked:
    path = tmp_path / "r.yaml"
    path.write_text(head + body, encoding="utf-8")
    return check_file(path)


def judged(name: str, more: str = "", points: float = 1, dimension: str = "d") -> str:
    asked = 'question: {en: "Does the doctor do it?", zh: 医生做了吗？}'
    more = f", {more}" if more else ""
    return f"  - {{id: {name}, dimension: {dimension}, check: judged, points: {points}, {asked}{more}}}\n"


@pytest.mark.parametrize(
    ("body", "line", "says"),
    [
        (judged("a", "requires: b"), 9, "requires 'b', and there is no such criterion"),
        (judged("a") + judged("b", "requires: [a, {any: [a, x]}]"), 10, "requires 'x'"),
        (judged("a", "requires: c") + judged("b", "requires: a") + judged("c", "requires: b"), 9, "a -> c -> b -> a"),
        (judged("a", "requires: a"), 9, "a -> a"),
        (
            "  - {id: f, dimension: d, check: fact_disclosed, generate: facts}\n" + judged("a", "requires: f"),
            10,
            "`{all: f}`",
        ),
        (judged("a") + judged("a"), 10, "stands twice"),
        (judged("a", points=3) + judged("b", "requires: bad") + judged("bad", points=-1), 10, "harm would pay"),
        (
            judged("a") + judged("z", "requires: bad", 0) + judged("bad", points=-1) + judged("b", "requires: z"),
            12,
            "pay",
        ),
        (judged("a") + judged("b", "requires: base", -1), 10, "put both into one dimension"),
        (judged("a") + judged("b") + judged("n", "requires: [a, b]", -1), 11, "hang on one of them"),
        (judged("a") + judged("b") + judged("n", "requires: {all: [a, b]}", -1), 11, "hang on one of them"),
        (judged("a") + judged("z", "requires: a", 0) + judged("n", "requires: z", -1), 11, "hang on"),
        (
            judged("a") + judged("b") + judged("n", "requires: a", -1) + judged("m", "requires: {any: [a, b]}", -1),
            12,
            "overlapping",
        ),
        (judged("a") + judged("v", "veto: dimension, requires: a", 0), 10, "doing right would cost"),
        (judged("a", "veto: total"), 9, "`veto` is for harm"),
        (judged("a", "required: true", -1), 9, "`required` is for what must be met"),
        (judged("a", "required: true, veto: total", 0), 9, "choose one"),
        (judged("a", "veto: dimension", -1, "safety") + judged("b"), 9, "veto: total"),
        (judged("a", "veto: {of: total, at_most: 1}", -1), 9, "less than 1"),
        (judged("a", "required: 1.5"), 9, "required"),
        (judged("a", "required: below E"), 9, "'below A', 'below B' or 'below C'"),
        (judged("a", "stage: lunch"), 9, "'history', 'workup' or 'conclusion'"),
        (judged("a", "stage: history, quote_required: false"), 9, "proved by a quote"),
        ("  - {id: a, dimension: d, check: exam_excess, points: 1, stage: history}\n", 9, "takes no `stage`"),
        (judged("a", "languages: [en, en]"), 9, "twice"),
        (judged("a", "languages: [fr]"), 9, "'en' or 'zh'"),
        ("  - {id: a, dimension: d, check: judged, question: {en: Is it so at all?}}\n", 9, "no wording in zh"),
        (judged("a", "beside: b"), 9, "stands beside 'b'"),
        (judged("b") + judged("a", "beside: b"), 10, "judged itself"),
        ("  - {id: a, dimension: d, check: icd_match, beside: base}\n", 9, "only `judged` does"),
        (judged("a", "source: {guideline: x, textbook: y}"), 9, "names one of"),
        (judged("a", "source: NICE"), 9, "source"),
        (judged("a", "points_: 3"), 9, "no such field"),
        (judged("a", points=11), 9, "less than or equal to 10"),
        (judged("a", points=1, dimension="safety") + judged("b"), 9, "negative, or 0"),
        (judged("a", dimension="x") + judged("b"), 9, "'x' is not declared; there are d, e"),
        (judged("a", points=-1) + judged("b", points=0), 5, ""),
        (judged("a", points=0), 5, "no criterion with points"),
        (judged("a") + "alternatives: [[a]]\n", 10, "no alternative"),
        (judged("a") + "alternatives: [[a, base]]\n", 10, "different dimensions"),
        (judged("a") + "alternatives: [[a, x]]\n", 10, "'x', and there is no"),
        (judged("a") + judged("b", points=0) + "alternatives: [[a, b]]\n", 11, "earns nothing"),
        (judged("a") + judged("b") + judged("c") + "alternatives: [[a, b], [b, c]]\n", 12, "stands twice"),
        (judged("a") + "caps: [{of: [a, a], points: 1}]\n", 10, "stands twice"),
        (judged("a") + "caps: [{of: [a], points: 0}]\n", 10, "greater than 0"),
        (
            judged("a") + judged("b") + "alternatives: [[a, b]]\ncaps: [{of: [a], points: 1}]\n",
            12,
            "take all or none",
        ),
        (judged("a") + "grades: {A: 0.5, B: 0.6, C: 0.3}\n", 10, "no higher than the one before"),
        (judged("a") + "grades: {A: 0.9}\n", 10, "give A, B and C"),
    ],
)
def test_a_mistake_is_told_where_it_stands(tmp_path: Path, body: str, line: int, says: str) -> None:
    found = checked(tmp_path, body)
    if not says:
        assert found.problems == ()
        return
    assert any(p.startswith(f"{tmp_path / 'r.yaml'}:{line}: ") and says in p for p in found.problems), found.problems
    assert not any("Value error" in p or "[criteria" in p for p in found.problems)
    with pytest.raises(RubricError, match=f"r.yaml:{line}: "):
        load_rubric(tmp_path / "r.yaml")


def test_one_broken_criterion_does_not_hide_the_mistakes_of_others(tmp_path: Path) -> None:
    body = judged("a", "stage: lunch") + judged("b", "requires: nobody") + judged("c", "requires: a") + judged("c")
    problems = checked(tmp_path, body).problems
    assert [p.split(":")[1] for p in problems] == ["9", "10", "12"]
    assert "lunch" not in problems[1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "valid dictionary"),
        ("- 1\n- 2\n", "valid dictionary"),
        ("a: [1\n", "r.yaml:"),
        ("name: &x r\nb: *x\n", "anchors"),
        ("criteria: 3\ndimensions: []\n", "r.yaml:1: "),
        ("criteria: [3, null, {}]\nalternatives: 4\ncaps: [7]\n", "r.yaml:"),
        ("criteria: [{id: {a: b}}]\n", "criteria.0.id"),
    ],
)
def test_what_is_no_rubric_at_all_is_told(tmp_path: Path, text: str, says: str) -> None:
    found = checked(tmp_path, "", text)
    assert found.rubric is None
    assert any(says in p for p in found.problems), found.problems


@pytest.mark.parametrize(
    ("body", "line", "says"),
    [
        ("  - {id: a, dimension: d, check: icd_match, stage: history}\n", 9, "can never be met"),
        ("  - {id: a, dimension: d, check: exam_ordered, generate: essential_exams, stage: history}\n", 9, "never"),
        (judged("a", "stage: conclusion, speaker: doctor_to_patient"), 9, "hardly"),
        (judged("a", "languages: en") + judged("b", "languages: zh, requires: a"), 10, "never apply"),
        ("  - {id: a, dimension: d, check: judged, question: Does the doctor do it?}\n", 9, "one wording"),
        (judged("a", points=5), 9, "do not matter"),
        (judged("a") + judged("b") + "caps: [{of: [a, b], points: 2}]\n", 11, "never holds"),
        (
            judged("a") + judged("b") + judged("h", points=-1, dimension="safety") + "penalty_per_point: 0\n",
            12,
            "nothing",
        ),
    ],
)
def test_what_is_to_no_effect_is_a_warning(tmp_path: Path, body: str, line: int, says: str) -> None:
    found = checked(tmp_path, body)
    assert found.problems == ()
    assert any(f":{line}: " in w and says in w for w in found.warnings), found.warnings


def test_weights_that_do_not_matter_are_warned_of(tmp_path: Path) -> None:
    head = HEAD.replace("  e: {weight: 1}", "  e: {weight: 5000, cap: 9}")
    found = checked(tmp_path, judged("a"), head)
    assert any(":5: " in w and "hardly matters" in w for w in found.warnings)
    assert any(":6: " in w and "never holds" in w for w in found.warnings)
    alone = (
        HEAD.replace("  e: {weight: 1}\n", "").replace("weight: 1", "weight: 7").replace("dimension: e", "dimension: d")
    )
    assert any("only dimension" in w for w in checked(tmp_path, "", alone).warnings)


def test_what_applies_to_none_of_the_cases_is_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(
        HEAD + "  - {id: a, dimension: d, check: fact_disclosed, target: onset}\n"
        "  - {id: b, dimension: d, check: fact_disclosed, target: rash}\n" + judged("c", "languages: zh"),
        encoding="utf-8",
    )
    told = check_file(path, [compile_case(small_case())]).warnings
    assert [w.split(":")[1] for w in told if "none of the 1 cases" in w] == ["10", "11"]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-20, 20) | st.floats(allow_nan=False) | st.text("abc.{};是", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=6,
)
SOUND = yaml.safe_load(
    HEAD
    + judged("a", "requires: [{any: [base]}], required: true, stage: history, source: {expert: me, item: x}")
    + judged("b", "beside: base, languages: en")
    + judged("c", "veto: {of: total, at_most: 0.2}", -1)
    + "alternatives: [[a, b]]\ncaps: [{of: [a, b], points: 1}]\n"
)


@given(st.data())
def test_no_file_however_odd_ends_in_anything_but_told_problems(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    tree = json.loads(json.dumps(SOUND))
    for _ in range(data.draw(st.integers(1, 3))):
        at: Any = tree
        while isinstance(at, dict | list) and at:
            keys = sorted(at) if isinstance(at, dict) else range(len(at))
            key = data.draw(st.sampled_from(list(keys)))
            if not isinstance(at[key], dict | list) or data.draw(st.booleans()):
                at[key] = data.draw(JUNK)
                break
            at = at[key]
    path = tmp_path_factory.getbasetemp() / "odd.yaml"
    path.write_text(yaml.safe_dump(tree, allow_unicode=True), encoding="utf-8")
    found = check_file(path)
    assert (found.rubric is None) is bool(found.problems)
    for problem in found.problems:
        assert re.match(rf"{path}:\d+: .", problem), problem


@pytest.mark.parametrize("name", ["clinic", "clinic-language", "mvme", "second-opinion"])
def test_shipped_rubrics_have_no_warnings(name: str) -> None:
    assert not list(check_file(Path(__file__).parents[2] / "rubrics" / f"{name}.yaml").warnings)


def test_a_rubric_without_the_newer_fields_is_written_without_them() -> None:
    plain = Rubric.model_validate(yaml.safe_load(HEAD + judged("a")))
    written = plain.model_dump_json()
    for name in (
        "requires",
        "required",
        "veto",
        "stage",
        "languages",
        "source",
        "beside",
        "alternatives",
        "caps",
        "cap",
    ):
        assert f'"{name}"' not in written
    # What a score was made with can be told for good: this form never changes.
    assert plain.content_hash == "924677223ef42791"
    assert Rubric.model_validate_json(written) == plain


def test_every_field_changes_the_hash(tmp_path: Path) -> None:
    base = HEAD + judged("a") + judged("b")
    changes = [
        judged("b", "requires: a"),
        judged("b", "required: true"),
        judged("b", "required: 0"),
        judged("b", "stage: history"),
        judged("b", "languages: en"),
        judged("b", "beside: base"),
        judged("b", "source: {expert: me}"),
        judged("b", "veto: total", 0),
        judged("b") + "alternatives: [[a, b]]\n",
        judged("b") + "caps: [{of: [a, b], points: 1}]\n",
    ]
    texts = [
        base,
        *(HEAD + judged("a") + change for change in changes),
        base.replace("d: {weight: 1}", "d: {weight: 1, cap: 1}"),
    ]
    hashes = set()
    for text in texts:
        rubric = Rubric.model_validate(yaml.safe_load(text))
        assert Rubric.model_validate_json(rubric.model_dump_json()) == rubric
        hashes.add(rubric.content_hash)
    assert len(hashes) == len(texts)
