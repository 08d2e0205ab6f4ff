"""`report` and `compare` as a user and a script meet them: the real commands, in their own process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from clinic_sim.reports.document import report

PLAN = """
scenarios: [{pack: core-en, limit: 2}, {pack: core-zh, limit: 1}]
doctors: [checklist, guess]
seeds: [0, 1]
"""


def cli(*args: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "clinic_sim", *map(str, args)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120, check=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("commands")
    (folder / "plan.yaml").write_text(PLAN, "utf-8")
    done = cli("sweep", folder / "plan.yaml", "--out", folder / "run", "--quiet")
    assert done.returncode == 0, done.stderr
    return folder / "run"


def test_report_writes_one_page_into_the_run_and_prints_the_headline(run: Path) -> None:
    done = cli("report", run)
    assert done.returncode == 0, done.stderr
    assert (run / "report.html").read_text("utf-8").lstrip().startswith("<!doctype html>")
    assert str(run / "report.html") in done.stdout
    head = [line.split("\t") for line in done.stdout.splitlines()]
    columns = next(line for line in head if line[0] == "Doctor")
    rows = {line[0]: line for line in head if line[0] in ("checklist", "guess") and len(line) == len(columns)}
    assert columns[1] == "Total"
    assert rows["checklist"][columns.index("Cases")] == "3"
    assert "planned 12 = completed 12 + failed 0 + skipped 0; scored 12 + unscored 0" in done.stdout
    assert not list(run.glob("*.part"))


def test_json_is_one_line_and_writes_no_file_unless_asked(run: Path, tmp_path: Path) -> None:
    (run / "report.html").unlink(missing_ok=True)
    done = cli("report", run, "--json")
    (line,) = done.stdout.splitlines()
    numbers = json.loads(line)
    assert numbers["accounts"]["planned"] == 12
    assert [row["doctor"] for row in numbers["tables"]["headline"]] == ["checklist", "guess"]
    assert not (run / "report.html").exists()
    asked = cli("report", run, "--json", "--out", tmp_path / "deep" / "page.html")
    assert asked.stdout == done.stdout
    assert (tmp_path / "deep" / "page.html").is_file()


def test_terminal_writes_no_file_and_the_chinese_report_speaks_chinese(run: Path, tmp_path: Path) -> None:
    (run / "report.html").unlink(missing_ok=True)
    done = cli("report", run, "--terminal", "--language", "zh")
    assert done.returncode == 0, done.stderr
    assert "医生\t总分" in done.stdout
    assert not (run / "report.html").exists()
    page = tmp_path / "page.html"
    assert cli("report", run, "-l", "zh", "-o", page, "-n", "0").returncode == 0
    text = page.read_text("utf-8")
    assert '<html lang="zh-Hans">' in text
    assert 'class="episode ' not in text


def test_success_moves_pass_k(run: Path) -> None:
    done = cli("report", run, "--json", "--success", "1")
    assert json.loads(done.stdout)["tables"]["headline"][0]["pass_k"]["value"] == 0.0
    assert report(run, each=0, success=0.0).tables["headline"].to_dict()[0]["pass_k"]["value"] == 1.0


def test_compare_prints_differences_and_writes_a_page(run: Path, tmp_path: Path) -> None:
    page = tmp_path / "compare.html"
    done = cli("compare", run, run, "--a", "checklist", "--b", "guess", "--html", page)
    assert done.returncode == 0, done.stderr
    assert "checklist\tguess\t+0." in done.stdout
    assert page.read_text("utf-8").lstrip().startswith("<!doctype html>")


def test_a_rescored_run_is_compared_with_its_source(run: Path, tmp_path: Path) -> None:
    other, page = tmp_path / "mvme", tmp_path / "page.html"
    assert cli("rescore", run, "--rubric", "mvme", "--out", other, "--quiet").returncode == 0
    done = cli("compare", run, other, "--json", "--html", page)
    assert done.returncode == 0, done.stderr
    numbers = json.loads(done.stdout)
    assert numbers["comparable"] is False
    assert {"rubric", "same_episodes"} <= {w["kind"] for w in numbers["warnings"]}
    assert all(row["pairs"] == 6 and not row["unpaired"] for row in numbers["tables"]["comparison"])
    assert "not comparable" in page.read_text("utf-8")
    assert report(other).provenance.rescored_from == run.name


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("report", "nowhere"), "is no run"),
        (("report", "{run}", "--language", "fr"), "en, zh"),
        (("report", "{run}", "--out", "/dev/null/page.html"), "cannot be written"),
        (("compare", "{run}", "nowhere"), "is no run"),
        (("compare", "{run}", "{run}", "--a", "nobody"), "checklist, guess"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(run: Path, args: tuple[str, ...], said: str) -> None:
    done = cli(*(arg.replace("{run}", str(run)) for arg in args))
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
