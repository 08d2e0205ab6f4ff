"""What a report says of its judge: verdicts beside checks, and where the episodes went that it failed on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clinic_sim.cases.compiled import compile_case
from clinic_sim.cases.packs import load_pack
from clinic_sim.errors import RateLimited
from clinic_sim.judge.controls import digest, pool
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.models.scripted import ScriptedModel
from clinic_sim.reports.document import Report, report
from clinic_sim.reports.html import account_line, render
from clinic_sim.reports.table import RunTable
from clinic_sim.reports.words import Words
from clinic_sim.sweeps.lines import line_of
from clinic_sim.sweeps.plan import Plan
from clinic_sim.sweeps.planned import Sweep
from clinic_sim.sweeps.rows import row_of
from clinic_sim.sweeps.stage import cast_of
from clinic_sim.sweeps.sweep import open_store, run_sweep

EVIL = "<script>alert(1)</script>"


def beside(run: Path, folder: Path, says: Callable[[int, dict[str, Any]], tuple[str, str]]) -> Path:
    """A copy of a run whose every episode has a judged verdict beside the check `primary`.

    Args:
        says: The judge's status and reason, of the number of the episode and the check's verdict.
    """
    folder.mkdir(parents=True)
    for name in ("manifest.json", "plan.yaml"):
        (folder / name).write_bytes((run / name).read_bytes())
    cases = {case.id: case for pack in ("core-en", "core-zh") for case in load_pack(pack).cases}
    offset = 0
    with (folder / "episodes.jsonl").open("wb") as episodes, (folder / "index.jsonl").open("wb") as index:
        for n, line in enumerate((run / "episodes.jsonl").read_text("utf-8").splitlines()):
            data = json.loads(line)
            key = data.pop("key")
            check = next(v for v in data["scorecard"]["verdicts"] if v["criterion"] == "primary")
            status, reason = says(n, check)
            data["scorecard"]["verdicts"].append(
                {
                    **check,
                    "criterion": "names_it",
                    "status": status,
                    "value": {"met": 1.0, "not_met": 0.0}.get(status),
                    "reason": reason,
                    "failure": "judge_failed:quote" if status == "unscored" else "",
                    "quote": f"quoted {n}",
                    "votes": {"met": 1, "not_met": 0, "failed": 0},
                    "beside": "primary",
                }
            )
            text = line_of(key, data)
            row = row_of(key, data, compile_case(cases[data["episode"]["case"]]))
            episodes.write(text)
            index.write(json.dumps({**row, "offset": offset, "length": len(text)}).encode() + b"\n")
            offset += len(text)
    return folder


def disagreeing(n: int, check: dict[str, Any]) -> tuple[str, str]:
    """Every eighth verdict is unscored, every fourth the other way round."""
    if n % 8 == 5:
        return "unscored", ""
    other = {"met": "not_met", "not_met": "met"}[check["status"]]
    return (other if n % 4 == 0 else check["status"]), f"because {n} {EVIL}"


def test_agreement_kappa_and_what_is_unscored_are_counted(played: Path, tmp_path: Path) -> None:
    found = report(beside(played, tmp_path / "judged", disagreeing))
    (row,) = found.tables["beside"].to_dict()
    assert (row["judged_criterion"], row["check"]) == ("names_it", "primary")
    assert (row["compared"], row["unscored"]) == (28, 4)
    assert row["agreement"]["value"] == pytest.approx(20 / 28)
    assert row["both_met"] + row["judge_only"] + row["check_only"] + row["neither"] == 28
    assert row["judge_only"] + row["check_only"] == 8
    both, judge, check, none = (row[k] / 28 for k in ("both_met", "judge_only", "check_only", "neither"))
    chance = (both + judge) * (both + check) + (none + judge) * (none + check)
    assert row["kappa"] == pytest.approx((both + none - chance) / (1 - chance))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_disagreement_is_listed_and_leads_to_its_verdict(played: Path, tmp_path: Path, language: str) -> None:
    found = report(beside(played, tmp_path / "judged", disagreeing))
    assert len(found.disagreements) == 8
    shown = {e.key: e for e in found.episodes}
    for one in found.disagreements:
        verdicts = {v.anchor: v for _, _, own in shown[one.key].dimensions for v in own}
        assert verdicts[one.anchor].criterion == one.criterion == "names_it"
        assert one.judged != one.found
        assert one.check_reason
    page = render(found, language)
    words = Words.of(language)
    assert words("section.beside") in page
    assert EVIL not in page
    assert page.count("because ") >= 8
    for one in found.disagreements:
        assert f'href="#{one.anchor}"' in page
        assert re.search(rf'id="{one.anchor}"', page)
    listed = json.loads(json.dumps(found.numbers()))["disagreements"]
    assert [d["judge"]["status"] for d in listed] == [d.judged for d in found.disagreements]
    assert all(d["check"]["criterion"] == "primary" for d in listed)


def test_a_run_without_such_verdicts_has_no_such_section(played: Path) -> None:
    found = report(played)
    assert not found.tables["beside"].rows
    assert found.disagreements == ()
    assert 'id="beside"' not in render(found)
    assert '"beside"' not in (played / "index.jsonl").read_text("utf-8")


def test_a_judge_that_always_says_the_same_has_no_kappa(played: Path, tmp_path: Path) -> None:
    found = report(beside(played, tmp_path / "judged", lambda n, check: ("met", "yes")), each=0)
    (row,) = found.tables["beside"].to_dict()
    assert row["judge_only"] + row["both_met"] == row["compared"] == 32
    assert row["kappa"] == pytest.approx(0.0) or row["kappa"] is None
    assert found.disagreements == ()  # no episode is shown, so none is listed


def _honest(messages: Any, met: Callable[[str], bool]) -> str:
    """Verdicts in the judge's form; control questions are answered truly."""
    prompt = str(messages[1]["content"])
    asked = dict(re.findall(r"^- \[(k\d+)\] (.*?[?？])", prompt, re.MULTILINE))
    never = {item.control.question.in_language(code) for item in pool() for code in ("en", "zh")}
    verdicts = [
        {
            "id": name,
            "reason": "read",
            "quote": "" if question in {*never, *OWN, *NAMES} else "The patient and the doctor speak",
            "met": question not in never and met(question),
        }
        for name, question in asked.items()
    ]
    return json.dumps({"verdicts": verdicts}, ensure_ascii=False)


OWN = ("Did the doctor stay polite all the time?", "医生是否始终保持礼貌？")
RUBRIC = """
schema_version: 1
name: asked
title: What is asked of a model
dimensions: {diagnosis: {weight: 1}, talk: {weight: 1}}
criteria:
  - {id: primary, dimension: diagnosis, check: icd_match, points: 4}
  - id: rude
    dimension: talk
    check: judged
    points: 1
    quote_required: false
    question: {en: "Did the doctor stay polite all the time?", zh: "医生是否始终保持礼貌？"}
"""
NAMES = ("Does the conclusion name the disease?", "结论是否说出了所患的疾病？")
BESIDE = f"""
  - id: names_it
    dimension: talk
    check: judged
    points: 0
    quote_required: false
    beside: primary
    question: {{en: "{NAMES[0]}", zh: "{NAMES[1]}"}}
"""


def flaky(folder: Path, rubric: Path, share: int) -> tuple[Path, int]:
    """A run whose judge fails on one episode of `share`; its folder and how many those were."""
    plan = Plan.model_validate(
        {
            "scenarios": ["core-en", "core-zh"],
            "doctors": ["checklist", "guess", "silent"],
            "rubric": str(rubric),
            "judge": "openai/never-called?base_url=http://127.0.0.1:9/v1",
            "record": False,
        }
    )
    failed: set[int] = set()

    def script(messages: Any) -> Any:
        number = int(digest(str(messages[1]["content"])), 16)
        if share and number % share == 0:
            failed.add(number)  # it is asked again where its form was broken
            return RateLimited("injected") if number // share % 2 else "not JSON at all"
        return _honest(messages, lambda question: True)

    cast = replace(cast_of(plan), judge=RubricJudge(load_rubric(rubric), ScriptedModel(script, name="scripted/flaky")))
    sweep = Sweep.resolve(plan, cast)
    with open_store(sweep, folder) as store:
        run_sweep(sweep, cast, store)
    return folder, len(failed)


def _mean(found: Report) -> float:
    rows = found.tables["headline"].to_dict()
    return float(sum(row["total"]["value"] * row["total"]["n"] for row in rows) / sum(r["total"]["n"] for r in rows))


def test_a_tenth_of_failing_judge_calls_shows_as_unscored_in_every_table(tmp_path: Path) -> None:
    rubric = tmp_path / "asked.yaml"
    rubric.write_text(RUBRIC, "utf-8")
    whole, none = flaky(tmp_path / "whole", rubric, 0)
    run, failed = flaky(tmp_path / "flaky", rubric, 10)
    assert none == 0
    assert failed > 0
    found = report(run)
    accounts = found.accounts
    assert accounts.planned == accounts.completed == 48
    assert accounts.unscored.total() == failed
    assert set(accounts.unscored) == {"judge_failed"}
    assert accounts.scored + accounts.unscored.total() == accounts.planned
    for row in found.tables["headline"].to_dict():
        assert row["total"]["n"] + row["unscored"] == row["episodes"] == 16
    lost = found.tables["unscored"].to_dict()
    assert sum(row["episodes"] for row in lost) == failed
    assert {row["reason"] for row in lost} <= {"judge_failed:RateLimited", "judge_failed:format"}
    for language in ("en", "zh"):
        line = account_line(accounts, Words.of(language))
        assert line in render(found, language)
        assert str(failed) in line
    shown = [e for e in found.episodes if e.why == "unscored"]
    assert len(shown) == min(failed, 20)
    reasons = {v.failure for e in shown for _, _, own in e.dimensions for v in own if v.status == "unscored"}
    assert reasons <= {"judge_failed:RateLimited", "judge_failed:format"}
    assert reasons
    # No episode is scored otherwise for it, and none as zero: the mean is that of the episodes that are left.
    with_all, with_some = (RunTable.read(folder).floats["total"] for folder in (whole, run))
    left = ~np.isnan(with_some)
    assert (with_some[left] == with_all[left]).all()
    assert _mean(found) == pytest.approx(with_all[left].mean())


def test_a_judge_asked_the_same_as_a_check_stands_beside_it_in_the_report(tmp_path: Path) -> None:
    """From the rubric's `beside` to the report's table: this judge says yes to everything."""
    rubric = tmp_path / "asked.yaml"
    rubric.write_text(RUBRIC + BESIDE, "utf-8")
    run, _ = flaky(tmp_path / "run", rubric, 0)
    found = report(run)
    (row,) = found.tables["beside"].to_dict()
    assert (row["judged_criterion"], row["check"], row["compared"], row["unscored"]) == ("names_it", "primary", 48, 0)
    assert row["both_met"] + row["judge_only"] == 48
    checked = [
        next(v["value"] for v in json.loads(line)["scorecard"]["verdicts"] if v["criterion"] == "primary")
        for line in (run / "episodes.jsonl").read_text("utf-8").splitlines()
    ]
    assert row["judge_only"] == sum(value < 0.5 for value in checked) > 0
    assert found.disagreements
    assert all((d.judged, d.found) == ("met", "not_met") for d in found.disagreements)
    assert {d.doctor for d in found.disagreements} >= {"silent"}
