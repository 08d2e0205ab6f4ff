"""Runs that were played: judged again under another rubric, put together from shards, written as tables."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from clinic_sim.cli import app
from clinic_sim.errors import ClinicSimError, ConfigError, StoreError

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
from mock_server import MockServer

PLAN = """
scenarios: [{pack: core-en, limit: 2}, {pack: core-zh, limit: 2}]
doctors: [checklist, guess]
seeds: [0, 1]
"""


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plan") / "plan.yaml"
    path.write_text(PLAN)
    return path


@pytest.fixture(scope="module")
def played(plan: Path) -> Path:
    folder = plan.parent / "played"
    assert cli("sweep", plan, "--out", folder, "-q")["completed"] == 16
    return folder


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer(latency_ms=1, conclude_at=3) as running:
        yield running


def cli(*args: object, code: int = 0) -> dict[str, Any]:
    """One command in this process; its JSON."""
    done = CliRunner().invoke(app, [*map(str, args), "--json"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "episodes.jsonl").read_text("utf-8").splitlines()]


def test_shards_put_together_are_the_whole_run(plan: Path, played: Path, tmp_path: Path) -> None:
    shards = [tmp_path / str(n) for n in (1, 2, 3)]
    for n, shard in enumerate(shards, 1):
        cli("sweep", plan, "--shard", f"{n}/3", "--out", shard, "-q")
    merged = cli("merge", tmp_path / "whole", *reversed(shards))
    assert (merged["planned"], merged["completed"], merged["twice"]) == (16, 16, 0)
    for name in ("episodes.jsonl", "index.jsonl", "manifest.json"):
        assert (tmp_path / "whole" / name).read_bytes() == (played / name).read_bytes()


def test_a_merge_without_all_shards_is_owed_the_rest_and_resumes(plan: Path, played: Path, tmp_path: Path) -> None:
    cli("sweep", plan, "--shard", "2/2", "--out", tmp_path / "half", "-q")
    merged = cli("merge", tmp_path / "whole", tmp_path / "half", code=1)
    assert (merged["planned"], merged["completed"], merged["skipped"]) == (16, 8, 8)
    again = cli("merge", tmp_path / "twice", tmp_path / "half", played)
    assert (again["completed"], again["twice"]) == (16, 8)
    assert cli("resume", tmp_path / "whole", "-q")["completed"] == 16
    assert (tmp_path / "whole" / "episodes.jsonl").read_bytes() == (played / "episodes.jsonl").read_bytes()


def test_runs_of_different_plans_are_not_put_together(plan: Path, played: Path, tmp_path: Path) -> None:
    cli("sweep", plan, "--seed", 7, "--out", tmp_path / "other", "-q")
    with pytest.raises(StoreError, match=r"plan\.seeds: \[0, 1\] there, \[7\] here"):
        cli("merge", tmp_path / "whole", played, tmp_path / "other")
    with pytest.raises(ConfigError, match="one of the runs"):
        cli("merge", played, played)
    with pytest.raises(StoreError, match="is no run"):
        cli("merge", tmp_path / "whole", tmp_path)


def test_rescoring_under_another_rubric_is_what_playing_under_it_gives(
    plan: Path, played: Path, tmp_path: Path
) -> None:
    told = cli("rescore", played, "--rubric", "mvme", "--out", tmp_path / "again", "-q")
    assert (told["planned"], told["completed"], told["failed"]) == (16, 16, {})
    cli("sweep", plan, "--rubric", "mvme", "--out", tmp_path / "fresh", "-q")
    assert lines(tmp_path / "again") == lines(tmp_path / "fresh")
    manifest = json.loads((tmp_path / "again" / "manifest.json").read_text())
    assert manifest["rubric"]["name"] == "mvme"
    assert manifest["rescored_from"] == played.name
    # Once more with nothing to do, and the source is as it was.
    assert cli("rescore", played, "--rubric", "mvme", "--out", tmp_path / "again", "-q")["completed"] == 16
    assert {line["scorecard"]["rubric"] for line in lines(played)} == {"clinic"}


def test_a_judge_that_failed_is_asked_again_without_anything_being_played(server: MockServer, tmp_path: Path) -> None:
    model = f"openai/mock?base_url={server.url}&price_in=1&price_out=1"
    dead = "openai/mock?base_url=http://127.0.0.1:9/v1&attempts=1&total_s=1&price_in=1&price_out=1"
    plan = tmp_path / "plan.yaml"
    plan.write_text("scenarios: [{pack: core-en, limit: 3}]\ndoctors: [guess]\nrubric: clinic-language\n")
    told = cli("sweep", plan, "--judge", dead, "--out", tmp_path / "run", "-q", code=1)
    assert (told["completed"], told["scored"], told["unscored"]) == (3, 0, {"judge_failed": 3})
    server.reset()
    told = cli("rescore", tmp_path / "run", "--judge", model, "--out", tmp_path / "judged", "-q")
    assert (told["completed"], told["scored"], told["unscored"]) == (3, 3, {})
    assert server.stats()["requests"] == 3
    assert told["cost"] > 0
    for line in lines(tmp_path / "judged"):
        assert line["usage"]["judge"]["calls"] == 1
        assert line["models"]["judge"]["model"] == "openai/mock"
    # The same judge again: what it has scored is kept.
    cli("rescore", tmp_path / "judged", "--judge", model, "--out", tmp_path / "third", "-q")
    assert server.stats()["requests"] == 3


def test_rescoring_refuses_what_it_cannot_do(played: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is no run"):
        cli("rescore", tmp_path, "--rubric", "mvme")
    with pytest.raises(ConfigError, match="folder of its own"):
        cli("rescore", played, "--rubric", "mvme", "--out", played)
    with pytest.raises(ConfigError, match="asks a model about language"):
        cli("rescore", played, "--rubric", "clinic-language", "--out", tmp_path / "x")
    with pytest.raises(ClinicSimError, match="nosuch"):
        cli("rescore", played, "--rubric", "nosuch", "--out", tmp_path / "x")


def _export(*args: object) -> None:
    done = CliRunner().invoke(app, ["export", *map(str, args)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output


def test_every_planned_episode_has_its_row(plan: Path, tmp_path: Path) -> None:
    dead = "openai/mock?base_url=http://127.0.0.1:9/v1&attempts=1&total_s=1"
    cli("sweep", plan, "-d", "guess", "-d", dead, "--out", tmp_path / "run", "-q", code=1)
    _export(tmp_path / "run", "-o", tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 16
    assert {r["doctor"]: r["status"] for r in rows} == {"guess": "completed", dead: "failed"}
    found = {line["key"]: line for line in lines(tmp_path / "run")}
    for row in rows:
        if row["status"] == "completed":
            line = found[row["key"]]
            assert float(row["total"]) == line["scorecard"]["total"]
            assert float(row["dimension_diagnosis"]) == line["scorecard"]["dimensions"]["diagnosis"]["value"]
            assert (row["case"], int(row["seed"])) == (line["episode"]["case"], line["episode"]["seed"])
        else:
            assert row["failure"] == "doctor:Unavailable"
            assert row["total"] == ""


def test_parquet_holds_the_same_with_types(played: Path, tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    _export(played, "-o", tmp_path / "t.parquet")
    _export(played, "-o", tmp_path / "v.parquet", "--what", "verdicts")
    _export(played, "-o", tmp_path / "e.parquet", "--what", "events")
    table, found = pq.read_table(tmp_path / "t.parquet"), lines(played)
    assert table.column("total").to_pylist() == [line["scorecard"]["total"] for line in found]
    assert str(table.schema.field("turns").type) == "int64"
    verdicts = sum(len(line["scorecard"]["verdicts"]) for line in found)
    assert pq.read_table(tmp_path / "v.parquet").num_rows == verdicts
    assert pq.read_table(tmp_path / "e.parquet").num_rows == sum(len(x["episode"]["events"]) for x in found)


def test_a_cell_is_no_formula_and_an_unknown_ending_is_refused(played: Path, tmp_path: Path) -> None:
    from clinic_sim.reports.export import _plain

    assert _plain('=HYPERLINK("x")') == '\'=HYPERLINK("x")'
    with pytest.raises(ConfigError, match=r"\.csv or \.parquet"):
        _export(played, "-o", tmp_path / "t.xlsx")
    with pytest.raises(ConfigError, match="episodes, verdicts, events"):
        _export(played, "-o", tmp_path / "t.csv", "--what", "turns")
    assert not list(tmp_path.iterdir())


def test_how_much_judges_differ_is_a_source_of_spread(plan: Path, played: Path, tmp_path: Path) -> None:
    cli("rescore", played, "--rubric", "mvme", "--out", tmp_path / "other", "-q")
    alone = cli("report", played)["tables"]["components"]
    both = cli("report", played, "--judged", tmp_path / "other")["tables"]["components"]
    assert "judge" not in {row["source"] for row in alone}
    assert "judge" in {row["source"] for row in both}
    cli("sweep", plan, "--seed", 9, "--out", tmp_path / "foreign", "-q")
    with pytest.raises(ConfigError, match="judged again"):
        cli("report", played, "--judged", tmp_path / "foreign")
