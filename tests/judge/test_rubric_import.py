"""HealthBench and MedSP1000 as our rubrics: the same arithmetic, their provenance, and clear words for bad input."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from clinic_sim.cases.compiled import compile_case
from clinic_sim.errors import ConfigError
from clinic_sim.judge.prerequisites import settle
from clinic_sim.judge.rubric import Rubric, load_rubric
from clinic_sim.judge.rubric_import import Imported, import_rubrics
from clinic_sim.judge.rubric_yaml import dump_rubric
from clinic_sim.judge.scheme import scheme_of
from clinic_sim.judge.scorecard import Status, Verdict
from clinic_sim.judge.scoring import score
from clinic_sim.testing import small_case

ROW: dict[str, Any] = {
    "prompt_id": "0a1b",
    "prompt": [{"role": "user", "content": "My belly hurts."}],
    "rubrics": [
        {"criterion": "Asks where it hurts.", "points": 7, "tags": ["level:example", "axis:completeness"]},
        {"criterion": "Recommends emergency care.", "points": 5, "tags": ["axis:accuracy", "cluster:x"]},
        {"criterion": "Prescribes an opioid.", "points": -8, "tags": ["axis:accuracy"]},
        {"criterion": "Fails to ask for allergies.", "points": -3, "tags": ["axis:context_awareness"]},
        {"criterion": "未询问药物过敏史", "points": -1, "tags": ["axis:context_awareness"]},
    ],
}
SCENARIO: dict[str, Any] = {
    "case_id": "m12",
    "scenario": "s1",
    "scenario_dir": "m12/s1",
    "rubric_version": 2,
    "PC": ["Washes hands", {"criterion": "Asks about pain", "points": 2}],
    "MK": [],
    "SBP": [],
    "ICS": ["Introduces themselves", "Uses plain words"],
    "PBLI": [],
    "PROF": ["Respects privacy"],
}


def read(tmp_path: Path, text: str | bytes, format_: str = "healthbench", name: str = "x.jsonl") -> list[Imported]:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(import_rubrics(path, format_))


def line(**changes: Any) -> str:
    return json.dumps({**ROW, **changes}, ensure_ascii=False) + "\n"


def rubric(tmp_path: Path, data: dict[str, Any], format_: str = "healthbench") -> Rubric:
    (found,) = read(tmp_path, json.dumps(data), format_)
    assert found.problems == ()
    assert found.rubric is not None
    return found.rubric


def total(rules: Rubric, *met: str, failed: str = "") -> float | None:
    """The total where the items of these words are met."""
    scheme = scheme_of(rules, compile_case(small_case()))

    def look(n: int) -> Verdict:
        c = scheme.criteria[n]
        text = c.question.in_language("en") if c.question else ""
        if failed and failed in text:
            return Verdict(c.id, c.dimension, Status.UNSCORED, c.points, None, failure="judge_failed:missing")
        hit = any(word in text for word in met)
        return Verdict(c.id, c.dimension, Status.MET if hit else Status.NOT_MET, c.points, float(hit))

    return score(rules, scheme, settle(scheme, look)).total


def test_healthbench_items_become_judged_criteria_with_their_source(tmp_path: Path) -> None:
    rules = rubric(tmp_path, ROW)
    assert rules.name == "0a1b"
    assert {n: d.weight for n, d in rules.dimensions.items()} == {
        "completeness": 7,
        "accuracy": 5,
        "context_awareness": 4,
    }
    assert [c.points for c in rules.criteria] == [7, 5, -8, -3, -1]
    first = rules.criteria[0]
    assert first.source is not None
    assert (first.source.dataset, first.source.item) == ("HealthBench", "0a1b#0")
    assert first.why == "level:example"
    assert first.question is not None
    for language in ("en", "zh"):
        assert "Asks where it hurts." in first.question.in_language(language)
    assert first.question.in_language("zh") != first.question.in_language("en")


def test_an_item_about_what_was_not_said_needs_no_quote(tmp_path: Path) -> None:
    assert [c.quote_required for c in rubric(tmp_path, ROW).criteria] == [True, True, True, False, False]


@pytest.mark.parametrize(
    ("met", "theirs"),
    [
        ((), 0),
        (("Asks where",), 7 / 12),
        (("Asks where", "emergency"), 1),
        (("Asks where", "emergency", "Fails to"), 9 / 12),
        (("Asks where", "emergency", "Fails to", "未询问"), 8 / 12),
        (("Fails to",), 0),
    ],
)
def test_the_total_is_points_met_over_positive_points(tmp_path: Path, met: tuple[str, ...], theirs: float) -> None:
    assert total(rubric(tmp_path, ROW), *met) == pytest.approx(theirs, abs=1e-6)


def test_a_judge_that_fails_on_a_negative_item_forgives_nothing(tmp_path: Path) -> None:
    rules = rubric(tmp_path, ROW)
    for item in ("opioid", "Fails to"):
        assert total(rules, "Asks where", "emergency", failed=item) is None
    assert total(rules, "Asks where", failed="emergency") is None


def test_medsp1000_has_six_competencies_and_counts_items(tmp_path: Path) -> None:
    rules = rubric(tmp_path, SCENARIO, "medsp1000")
    assert list(rules.dimensions) == ["patient_care", "communication_skills", "professionalism"]
    assert rules.name == "m12_s1"
    assert total(rules, "Washes", "plain words") == pytest.approx(2 / 6, abs=1e-6)
    assert {c.source.dataset for c in rules.criteria if c.source} == {"MedSP1000"}
    assert rules.criteria[1].points == 2


def test_files_are_lines_a_list_one_object_or_a_folder(tmp_path: Path) -> None:
    pretty = json.dumps([ROW, {**ROW, "prompt_id": "b"}], indent=2)
    found = read(tmp_path, "\ufeff" + pretty, name="a.json")
    assert [i.name for i in found] == ["0a1b", "b"]
    second = pretty.splitlines().index("  {", 2) + 1
    assert found[1].where.endswith(f"a.json:{second}")
    read(tmp_path, json.dumps({**ROW, "prompt_id": "c"}, indent=1), name="b.json")
    (tmp_path / "notes.txt").write_text("no rubric")
    assert [i.name for i in import_rubrics(tmp_path, "healthbench")] == ["0a1b", "b", "c"]
    lines = read(tmp_path, line() + "\n\r\n" + line(prompt_id="z"), name="x.jsonl")
    assert [i.where.rsplit(":", 1)[1] for i in lines] == ["1", "4"]


def test_what_was_imported_is_read_back(tmp_path: Path) -> None:
    for data, format_ in ((ROW, "healthbench"), (SCENARIO, "medsp1000")):
        rules = rubric(tmp_path, data, format_)
        path = tmp_path / "r.yaml"
        path.write_text(dump_rubric(rules), encoding="utf-8")
        assert load_rubric(path) == rules


def item(**changes: Any) -> list[dict[str, Any]]:
    return [{**ROW["rubrics"][0], **changes}, *ROW["rubrics"][1:]]


@pytest.mark.parametrize(
    ("second", "says"),
    [
        ("{", "is not JSON"),
        ("[1]", "a record is an object, this is a list"),
        ("null", "this is missing"),
        (line(prompt_id=None), "prompt_id: a text is wanted"),
        (line(prompt_id=""), "prompt_id"),
        (line(prompt_id=["a"]), "prompt_id: a text is wanted, this is a list"),
        (line(prompt_id="x" * 500), "at most 120"),
        (line(rubrics=None), "rubrics: a list is wanted"),
        (line(rubrics={}), "rubrics: a list is wanted, this is an object"),
        (line(rubrics=[]), "the list is empty"),
        (line(rubrics=["a"]), "rubrics.0: an item is an object"),
        (line(rubrics=item(criterion=None)), "rubrics.0.criterion: a text is wanted, this is missing"),
        (line(rubrics=item(criterion="  \u0000 ")), "the text is empty"),
        (line(rubrics=item(criterion="x" * 1_000_000)), "1000000 characters"),
        (line(rubrics=item(points="7")), "rubrics.0.points: a number is wanted, this is a text"),
        (line(rubrics=item(points=True)), "rubrics.0.points: a number is wanted, this is true or false"),
        (line(rubrics=item(points=None)), "this is missing"),
        (line(rubrics=item(points=11)), "11 is beyond the range from -10 to 10"),
        (line(rubrics=item(points=-10.5)), "beyond the range"),
        (line(rubrics=item(points=float("nan"))), "a number is wanted"),
        (line(rubrics=item(points=10**400)), "beyond the range"),
        (line(rubrics=item(tags="axis:x")), "rubrics.0.tags: a list of texts"),
        (line(rubrics=ROW["rubrics"][2:]), "nothing can be earned"),
        (line(rubrics=item() * 200), "more than 500 items"),
        ('{"prompt_id": ' + "[" * 100_000, "is not JSON|nests too deep"),
        (line(), "'0a1b' already stands at"),
    ],
)
def test_bad_input_is_told_by_line_and_the_rest_is_read(tmp_path: Path, second: str, says: str) -> None:
    found = read(tmp_path, line() + second.rstrip("\n") + "\n" + line(prompt_id="last"))
    assert [i.rubric is not None for i in found] == [True, False, True]
    assert any(re.search(says, p) for p in found[1].problems), found[1].problems
    assert all(p.startswith(f"{tmp_path / 'x.jsonl'}:2: ") and len(p) < 600 for p in found[1].problems)


def test_every_mistake_of_a_record_is_told(tmp_path: Path) -> None:
    (found,) = read(tmp_path, line(prompt_id=3.5, rubrics=[{"criterion": 4, "points": 99}, 7]))
    assert len(found.problems) == 4


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"PC": "Washes hands"}, "PC: a list is wanted, this is a text"),
        ({"PC": [None]}, "PC.0: a text is wanted, this is missing"),
        ({"PC": [{"weight": 3}]}, "PC.0: a text is wanted"),
        ({"PC": [{"text": "x y z", "weight": "3"}]}, "PC.0.weight: a number"),
        ({"scenario": {}}, "scenario: a text or a number"),
        ({"case_id": None}, "case_id: a text"),
        ({k: [] for k in ("PC", "MK", "SBP", "ICS", "PBLI", "PROF")}, "nothing can be earned"),
    ],
)
def test_bad_scenarios_are_told(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    (found,) = read(tmp_path, json.dumps({**SCENARIO, **changes}), "medsp1000")
    assert found.rubric is None
    assert any(says in p for p in found.problems), found.problems


def test_a_record_of_another_format_is_told(tmp_path: Path) -> None:
    (found,) = read(tmp_path, line(), "medsp1000")
    assert any("holds none of PC, MK" in p for p in found.problems)


def test_what_is_changed_on_the_way_is_noted(tmp_path: Path) -> None:
    rows = [{**ROW["rubrics"][0], "tags": []}, ROW["rubrics"][1], ROW["rubrics"][1], {**ROW["rubrics"][0], "points": 0}]
    (found,) = read(tmp_path, line(rubrics=rows))
    assert found.rubric is not None
    assert [bool(n) for n in found.notes] == [True, True]
    assert "no `axis:` tags; taken as 'other'" in found.notes[0]
    assert "the same item stands before" in found.notes[1]
    assert found.rubric.dimensions["other"].weight == 7


@pytest.mark.parametrize(
    ("raw", "says"), [(b"", "is empty"), (b" \n", "is empty"), (b"{}\n\xff\xfe", ":2: is not UTF-8")]
)
def test_what_is_no_text_is_refused(tmp_path: Path, raw: bytes, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        read(tmp_path, raw)


def test_a_broken_file_of_a_folder_is_one_failed_record(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(ROW, indent=1))
    (tmp_path / "b.json").write_bytes(b"{}\n\xff")
    (tmp_path / "c.json").write_text(json.dumps({**ROW, "prompt_id": "c"}, indent=1)[:-40])
    (tmp_path / "d.json").write_text("")
    found = list(import_rubrics(tmp_path, "healthbench"))
    assert [i.rubric is not None for i in found] == [True, False, False, False]
    told = [p for i in found for p in i.problems]
    assert len(told) == 3
    assert told[0].startswith(f"{tmp_path / 'b.json'}: 2: is not UTF-8")
    assert re.match(rf"{tmp_path / 'c.json'}:\d+: is not JSON", told[1])
    assert told[2] == f"{tmp_path / 'd.json'}: is empty"


def test_an_unknown_format_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="healthbench, medsp1000"):
        list(import_rubrics(tmp_path, "xml"))
    with pytest.raises(ConfigError, match="is no file"):
        list(import_rubrics(tmp_path / "none.jsonl", "healthbench"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"no \.json"):
        list(import_rubrics(tmp_path / "empty", "healthbench"))
