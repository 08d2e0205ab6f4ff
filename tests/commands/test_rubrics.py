"""`clinic-sim rubric validate | explain | generate | import`, as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from clinic_sim.cases.packs import load_pack
from clinic_sim.cli import app
from clinic_sim.judge.rubric import load_rubric

CASE = "appendicitis-pregnancy-en"
ROW: dict[str, Any] = {
    "prompt_id": "p/1",
    "rubrics": [{"criterion": "Asks where it hurts.", "points": 7, "tags": ["axis:completeness"]}],
}


def run(*args: str | Path) -> Result:
    result = CliRunner().invoke(app, ["rubric", *map(str, args)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.yaml"
    path.write_text(
        "schema_version: 1\nname: b\ntitle: b\ndimensions:\n  d: {weight: 1}\ncriteria:\n"
        "  - {id: a, dimension: d, check: icd_match, requires: nobody}\n"
        "  - {id: b, dimension: e, check: icd_match}\n"
    )
    return path


def test_validate_tells_every_error_and_exits_with_1(tmp_path: Path) -> None:
    path = broken(tmp_path)
    found = run("validate", "clinic", path)
    assert found.exit_code == 1
    assert f"{path}:7: criteria.0.requires.0: " in found.stderr
    assert f"{path}:8: criteria.1.dimension: " in found.stderr
    assert "2 rubrics: 1 valid, 1 invalid" in found.stdout
    lines = [json.loads(line) for line in run("validate", "clinic", path, "--json").stdout.splitlines()]
    assert [row["valid"] for row in lines] == [True, False]
    assert lines[0]["hash"] == load_rubric("clinic").content_hash
    assert len(lines[1]["problems"]) == 2


def test_validate_against_a_pack_tells_what_applies_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(
        "schema_version: 1\nname: b\ntitle: b\ndimensions:\n  d: {weight: 1}\ncriteria:\n"
        "  - {id: a, dimension: d, check: icd_match}\n"
        "  - {id: b, dimension: d, check: fact_disclosed, target: of-nobody}\n"
    )
    assert run("validate", path).stderr == ""
    found = run("validate", path, "-s", "core-en")
    assert found.exit_code == 0
    assert f"warning: {path}:8: " in found.stderr


@pytest.mark.parametrize("case", [None, CASE, f"core-en/{CASE}", "core-zh"])
def test_explain_says_what_each_part_decides(case: str | None) -> None:
    args = ["explain", "clinic", *(["--case", case] if case else [])]
    found = run(*args, "--json")
    assert found.exit_code == 0
    for line in found.stdout.splitlines():
        data = json.loads(line)
        assert data["rubric_hash"] == load_rubric("clinic").content_hash
        assert sum(d["share"] for d in data["dimensions"]) == pytest.approx(1, abs=1e-5)
        shares = [c["share"] for c in data["criteria"]]
        if case is None:
            assert None in shares
        else:
            assert sum(s for s in shares if s > 0) == pytest.approx(1, abs=1e-3)
            assert all(c["why"] for c in data["criteria"])
    assert len(found.stdout.splitlines()) == (len(load_pack("core-zh").cases) if case == "core-zh" else 1)
    assert "symptom_collection" in run(*args).stdout


def test_explain_shows_on_what_terms_a_criterion_counts(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(
        "schema_version: 1\nname: r\ntitle: r\ndimensions:\n  d: {weight: 1, cap: 4}\n  n: {weight: 0.5}\ncriteria:\n"
        "  - {id: a, dimension: d, check: icd_match, points: 3, required: below B}\n"
        "  - {id: b, dimension: d, check: comorbid_named, points: 3, requires: a, source: {guideline: G, item: 1-2}}\n"
        "  - {id: c, dimension: n, check: exam_excess, points: -2}\n"
        "  - {id: h, dimension: safety, check: contraindicated, generate: contraindicated, points: -1, veto: total}\n"
        "alternatives: [[a, b]]\n"
    )
    data = json.loads(run("explain", path, "--json").stdout)
    a, b, c, h = data["criteria"]
    assert (a["required"], a["alternatives"], a["share"]) == (0.59, ["b"], 1.0)
    assert (b["requires"], b["source"]) == (["a"], "guideline G, 1-2")
    assert (c["share"], h["veto"], h["share"]) == (-0.5, {"of": "total", "at_most": 0.0}, None)
    out = run("explain", path).stdout
    for words in ("missed, d is at most 0.59", "requires a", "met, the total is at most 0", "guideline G, 1-2", "or b"):
        assert words in out


def test_generate_writes_a_rubric_that_loads_and_names_edges(tmp_path: Path) -> None:
    found = run("generate", CASE)
    assert found.exit_code == 0
    path = tmp_path / "own.yaml"
    path.write_text(found.stdout, encoding="utf-8")
    assert "supports dx:" in found.stdout
    assert "reveals finding:" in found.stdout
    assert load_rubric(path).name == f"clinic-{CASE}"
    assert run("validate", path, "-s", f"core-en/{CASE}").exit_code == 0
    again = tmp_path / "again.yaml"
    assert run("generate", f"core-en/{CASE}", "-o", again).exit_code == 0
    assert again.read_text("utf-8") == found.stdout


def test_generate_for_a_pack_writes_one_file_a_case_and_over_none(tmp_path: Path) -> None:
    assert run("generate", "core-zh", "--rubric", "mvme", "-o", tmp_path / "out").exit_code == 0
    files = sorted(p.stem for p in (tmp_path / "out").iterdir())
    assert files == sorted(c.id for c in load_pack("core-zh").cases)
    with pytest.raises(Exception, match="--force"):
        run("generate", "core-zh", "-o", tmp_path / "out")
    with pytest.raises(Exception, match="-o names the folder"):
        run("generate", "core-zh")
    with pytest.raises(Exception, match="no case, pack or file 'nobody'"):
        run("generate", "nobody")


def test_import_writes_all_or_nothing(tmp_path: Path) -> None:
    source, out = tmp_path / "rows.jsonl", tmp_path / "out"
    source.write_text(json.dumps(ROW) + "\n" + json.dumps({**ROW, "prompt_id": "p2"}) + "\n")
    checked = run("import", source, "--format", "healthbench")
    assert (checked.exit_code, out.exists()) == (0, False)
    assert "2 records: 2 usable, 0 failed; 0 written" in checked.stdout
    assert run("import", source, "--format", "healthbench", "-o", out).exit_code == 0
    assert sorted(p.name for p in out.iterdir()) == ["p2.yaml", "p_1.yaml"]
    assert run("validate", *out.iterdir()).exit_code == 0
    with pytest.raises(Exception, match="--force"):
        run("import", source, "--format", "healthbench", "-o", out)


def test_import_with_a_broken_record_writes_nothing_unless_told_to_go_on(tmp_path: Path) -> None:
    source, out = tmp_path / "rows.jsonl", tmp_path / "out"
    source.write_text(json.dumps(ROW) + "\nnot json\n" + json.dumps({**ROW, "prompt_id": "p 1"}) + "\n")
    found = run("import", source, "--format", "healthbench", "-o", out, "--json")
    assert found.exit_code == 1
    assert f"{source}:2: is not JSON" in found.stderr
    assert f"{source}:3: 'p 1' would be written over the rubric of {source}:1" in found.stderr
    assert json.loads(found.stdout) == {
        "format": "healthbench",
        "out": str(out),
        "records": 3,
        "usable": 1,
        "failed": 2,
        "written": 0,
    }
    assert not out.exists()
    assert run("import", source, "--format", "healthbench", "-o", out, "--keep-going").exit_code == 1
    assert [p.name for p in out.iterdir()] == ["p_1.yaml"]
