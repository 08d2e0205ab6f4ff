"""`clinic-sim judge audit`: a user's own rubric, pack and judge against the exploits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from clinic_sim.cli import app
from clinic_sim.judge.exploits import EXPLOITS, FAULTS

FEW = ["--only", "five-names", "--only", "every-examination", "--only", "judge:all-met"]


def _run(*args: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["judge", "audit", *args])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def test_the_table_has_every_exploit_beside_oracle_and_checklist() -> None:
    code, out = _run("-s", "core-zh", "-n", "1", "--rubric", "clinic")
    rows = [line.split("\t")[0] for line in out.splitlines()]
    assert "oracle" in rows
    assert "checklist" in rows
    assert {e.name for e in EXPLOITS} <= set(rows)
    assert {f"judge:{f.name}" for f in FAULTS} <= set(rows)
    assert "planned" in out
    assert (code, "  * " in out) in ((0, False), (1, True))


def test_json_has_one_line_a_row_and_nothing_is_lost() -> None:
    code, out = _run("-s", "core-en", "-s", "core-zh", "-n", "2", *FEW, "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [(r["pack"], r["exploit"]) for r in rows] == [
        (pack, name) for pack in ("core-en", "core-zh") for name in ("every-examination", "five-names", "judge:all-met")
    ]
    for row in rows:
        assert row["planned"] == row["scored"] + row["unscored"] == 2
        assert row["breaches"] == []
        assert row["checklist"] < row["oracle"]
        assert row["rubric"] == "clinic"
    assert [r["mean"] for r in rows if r["exploit"] == "judge:all-met"] == [None, None]


def test_a_rubric_that_pays_for_everything_is_flagged(tmp_path: Path) -> None:
    """Recall without precision: whoever orders all of the catalogue has all of the essential tests."""
    rubric = tmp_path / "recall.yaml"
    rubric.write_text(
        """
schema_version: 1
name: recall
title: Recall of examinations alone
dimensions: {exams: {weight: 1}}
criteria:
  - {id: essential, dimension: exams, generate: essential_exams, check: exam_ordered}
""",
        encoding="utf-8",
    )
    code, out = _run("-s", "core-en", "--rubric", str(rubric), "--only", "every-examination")
    assert code == 1
    assert "every-examination" in out
    assert "above" in out


def test_a_model_judge_is_audited_too(tmp_path: Path) -> None:
    """A judge that breaks leaves nothing scored: no bound, and so no all-clear."""
    script = tmp_path / "judge.json"
    script.write_text('["I would say 10 out of 10."]', encoding="utf-8")
    code, out = _run(
        *("-s", "core-en", "-n", "1", "--rubric", "clinic-language"),
        *("--judge", f"scripted/{script}", "--only", "to-the-judge"),
    )
    assert code == 1
    assert "nothing is bounded" in out


def test_a_rubric_that_asks_a_model_needs_one() -> None:
    from clinic_sim.errors import ConfigError

    with pytest.raises(ConfigError, match="name a model as judge"):
        _run("-s", "core-en", "-n", "1", "--rubric", "clinic-language")


def test_an_unknown_exploit_is_an_error_that_lists_the_known() -> None:
    from clinic_sim.errors import ConfigError

    with pytest.raises(ConfigError, match="five-names"):
        _run("--only", "bribery")
