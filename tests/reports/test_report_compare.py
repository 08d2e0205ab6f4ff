"""Two runs against each other: the right consultations are paired, and what cannot be compared is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clinic_sim.errors import ConfigError
from clinic_sim.reports.against import RunComparison, against
from clinic_sim.reports.compare_page import MOST_CASES, largest, render_comparison
from clinic_sim.reports.document import report
from clinic_sim.reports.grouping import short_names
from clinic_sim.reports.table import RunTable
from clinic_sim.reports.tables import Table

Rewrite = Callable[[Path, Path, Callable[[str, Any], Any]], Path]


def kinds(found: RunComparison) -> dict[str, bool]:
    """Warnings, and whether each is severe."""
    return {w.note.key.partition(".")[2]: w.severe for w in found.warnings}


def rows(found: RunComparison, name: str) -> list[dict[str, Any]]:
    return found.tables[name].to_dict()


def with_manifest(run: Path, folder: Path, rewrite: Rewrite, change: Callable[[dict[str, Any]], None]) -> Path:
    """A copy of a run with another manifest."""
    copy = rewrite(run, folder, lambda _, value: value)
    manifest = json.loads((copy / "manifest.json").read_text("utf-8"))
    change(manifest)
    (copy / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    return copy


def test_a_run_against_itself_does_not_differ(played: Path) -> None:
    found = against(played, played)
    assert [(r["first"], r["second"]) for r in rows(found, "comparison")] == [
        ("checklist", "checklist"),
        ("guess", "guess"),
    ]
    for row in rows(found, "comparison"):
        assert (row["difference"]["value"], row["pairs"], row["cases"], row["unpaired"]) == (0.0, 16, 4, 0)
    assert not found.warnings
    assert not found.tables["differs"].rows
    assert not found.tables["unpaired"].rows


def test_two_doctors_of_one_run_differ_as_its_report_says(played: Path) -> None:
    (own,) = rows(against(played, played, "checklist", "guess"), "comparison")
    (reported,) = report(played, each=0).tables["contrasts"].to_dict()
    assert own == reported
    (turned,) = rows(against(played, played, "guess", "checklist"), "comparison")
    assert turned["difference"]["value"] == pytest.approx(-own["difference"]["value"])
    assert turned["p_flip"] == own["p_flip"]


def test_case_rows_are_the_means_of_the_paired_consultations(played: Path) -> None:
    table = RunTable.read(played)
    found = rows(against(played, played, "checklist", "guess"), "cases")
    assert len(found) == 4
    sizes = [abs(row["difference"]) for row in found]
    assert sizes == sorted(sizes, reverse=True)
    for row in found:
        of_case = table.factors["case"] == list(table.manifest["cases"]).index(row["case"])
        first, second = (
            float(table.floats["total"][of_case & (table.factors["doctor"] == doctor)].mean()) for doctor in (0, 1)
        )
        assert row["mean_first"] == pytest.approx(first)
        assert row["mean_second"] == pytest.approx(second)
        assert row["difference"] == pytest.approx(first - second)
        assert row["pairs"] == 4


def test_what_has_no_pair_is_counted_by_reason(played: Path, tmp_path: Path, sweep_into: Callable[..., Path]) -> None:
    fewer = sweep_into(
        tmp_path / "fewer",
        scenarios=[{"pack": "core-en", "limit": 1}],
        doctors=["guess"],
        personas=["plain", "talkative"],
        seeds=[1, 2],
    )
    found = against(played, fewer)
    (row,) = rows(found, "comparison")
    assert (row["first"], row["pairs"], row["cases"]) == ("guess", 1, 1)
    assert {r["why_unpaired"]: r["count"] for r in rows(found, "unpaired")} == {"only_first": 15, "only_second": 3}
    assert row["unpaired"] == 18
    assert {"plan.personas", "plan.seeds", "plan.doctors"} <= {r["field"] for r in rows(found, "differs")}


def test_a_factor_of_one_level_in_each_run_does_not_keep_them_apart(
    tmp_path: Path, sweep_into: Callable[..., Path]
) -> None:
    runs = [sweep_into(tmp_path / name, doctors=["checklist"], personas=[name]) for name in ("plain", "terse")]
    (row,) = rows(against(*runs), "comparison")
    assert (row["pairs"], row["unpaired"]) == (4, 0)


def test_scores_of_other_rubrics_are_compared_with_a_warning(
    played: Path, tmp_path: Path, sweep_into: Callable[..., Path]
) -> None:
    plan = {"doctors": ["checklist", "guess"], "personas": ["plain", "terse"], "seeds": [0, 1]}
    other = sweep_into(tmp_path / "mvme", rubric="mvme", **plan)
    found = against(played, other)
    assert kinds(found)["rubric"]
    assert not found.numbers()["comparable"]
    assert {r["pairs"] for r in rows(found, "comparison")} == {16}
    shared = {r["measure"] for r in rows(found, "measures")}
    assert "diagnosis" in shared
    assert not {"symptom_collection", "symptoms", "basis"} & shared
    page = render_comparison(found)
    assert 'role="alert"' in page
    turns = next(r for r in rows(found, "measures") if r["measure"] == "turns")
    assert turns["difference"]["value"] == 0.0


def test_changed_cases_are_left_out_and_said(played: Path, tmp_path: Path, rewrite: Rewrite) -> None:
    def change(manifest: dict[str, Any]) -> None:
        next(iter(manifest["cases"].values()))["hash"] = "another"
        manifest["code"] = "other"

    edited = with_manifest(played, tmp_path / "edited", rewrite, change)
    found = against(played, edited)
    assert kinds(found) == {"cases_changed": False, "code": False, "same_episodes": False}
    for row in rows(found, "comparison"):
        assert (row["pairs"], row["cases"]) == (12, 3)
    assert {(r["why_unpaired"], r["count"]) for r in rows(found, "unpaired")} == {("case_changed", 4)}


def test_runs_without_a_doctor_in_common_ask_which_to_compare(
    tmp_path: Path, played: Path, one_case: Path, sweep_into: Callable[..., Path]
) -> None:
    others = sweep_into(tmp_path / "others", doctors=["silent", "parrot"], begin_only=True)
    with pytest.raises(ConfigError, match="--a and --b; the first has checklist, guess, the second silent, parrot"):
        against(played, others)
    with pytest.raises(ConfigError, match=r"--b 'nobody': the run .* has silent, parrot"):
        against(played, others, "guess", "nobody")
    assert [r["first"] for r in rows(against(played, one_case), "comparison")] == ["guess"]


def test_a_doctor_goes_by_its_model_and_by_what_tells_it_from_its_twin() -> None:
    names = ["openai/a?base_url=x&temperature=0", "openai/a?base_url=x&temperature=1", "openai/b?base_url=x"]
    assert short_names(names) == ("openai/a?temperature=0", "openai/a?temperature=1", "openai/b")


def test_runs_that_scored_nothing_together_are_said_not_to_be_comparable(played: Path, lossy: Path) -> None:
    found = against(played, lossy, "guess", "guess")
    assert {"rubric", "judge", "none_shared"} <= {kind for kind, severe in kinds(found).items() if severe}
    (row,) = rows(found, "comparison")
    assert row["difference"]["value"] is None
    assert "unscored_second" in {r["why_unpaired"] for r in rows(found, "unpaired")}
    assert render_comparison(found, "zh")


def test_numbers_are_plain_json_and_long_tables_are_cut_in_the_page_alone(played: Path) -> None:
    found = against(played, played, "checklist", "guess")
    assert json.loads(json.dumps(found.numbers(), allow_nan=False))["comparable"] is True
    cases = found.tables["cases"]
    many = Table("cases", cases.columns, tuple(cases.rows[0] for _ in range(MOST_CASES + 5)), cases.notes, cases.lead)
    cut = largest(many, MOST_CASES)
    assert len(cut.rows) == MOST_CASES
    assert cut.notes[-1].values == {"shown": MOST_CASES, "cases": MOST_CASES + 5}


def test_values_of_pairs_without_noise_are_exact(played: Path) -> None:
    table = RunTable.read(played)
    row = next(r for r in rows(against(played, played, "checklist", "guess"), "measures") if r["measure"] == "turns")
    doctor = table.factors["doctor"]
    turns = table.ints["turns"].astype(np.float64)
    assert row["difference"]["value"] == pytest.approx(turns[doctor == 0].mean() - turns[doctor == 1].mean())
