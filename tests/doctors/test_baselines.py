"""Every baseline finishes every case, and the table ranks them as it must."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

import pytest

from clinic_sim.cases.case import Case
from clinic_sim.cases.importers import import_records
from clinic_sim.cases.packs import load_pack
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.doctors import BASELINES, make_doctor
from clinic_sim.errors import ConfigError
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.sweeps.runner import Outcome, run_episode

FLOOR = [d for d in BASELINES if d not in ("oracle", "checklist")]
SOURCES = {
    "agentclinic": ("agentclinic/agentclinic_medqa.jsonl", 107),
    "spbench": ("spbench", 29),
    "ai-hospital": ("ai_hospital", 8),
}


def outcomes(doctor: str, cases: tuple[Case, ...]) -> Iterator[Outcome]:
    judge, player = RubricJudge(load_rubric("clinic")), make_doctor(doctor)
    for case in cases:
        yield run_episode(Consultation(case, seed=1), player, judge)


def means(cases: tuple[Case, ...]) -> dict[str, float]:
    table = {}
    for doctor in BASELINES:
        totals = []
        for outcome in outcomes(doctor, cases):
            assert outcome.failure == ""
            assert outcome.scorecard.total is not None
            assert 0 <= outcome.scorecard.total <= 1
            totals.append(outcome.scorecard.total)
        table[doctor] = fmean(totals)
    return table


def ranked(table: dict[str, float]) -> None:
    assert table["oracle"] > table["checklist"] + 0.05, table
    for doctor in FLOOR:
        assert table["checklist"] > table[doctor] + 0.1, table
    assert table["silent"] < 0.01, table
    # What a rubric says of allergies, doses and other diseases asks for some, said to a patient.
    assert table["parrot"] < table["checklist"] / 6, table


@pytest.mark.parametrize("pack", ["core-en", "core-zh"])
def test_baselines_rank_on_the_packs(pack: str) -> None:
    ranked(means(load_pack(pack).cases))


@pytest.mark.parametrize("source", list(SOURCES))
def test_baselines_rank_on_imported_cases(source: str, shared_data: Path) -> None:
    path, count = SOURCES[source]
    cases = tuple(r.case for r in import_records(source, shared_data / path) if r.case)
    assert len(cases) == count
    ranked(means(cases))


def test_an_unknown_doctor_lists_the_known() -> None:
    with pytest.raises(ConfigError, match="checklist, guess"):
        make_doctor("house")


def test_a_doctor_that_raises_breaks_its_own_episode_only(core_en_case: Case) -> None:
    class Fails(type(make_doctor("silent"))):  # type: ignore[misc]
        async def decide(self, observation: str) -> str:
            raise ConnectionError("model server is gone")

    outcome = run_episode(Consultation(core_en_case), Fails(), RubricJudge(load_rubric("clinic")))
    assert outcome.failure == "ConnectionError: model server is gone"
    assert outcome.scorecard.total is None
    assert outcome.scorecard.failure == "episode_failed"
