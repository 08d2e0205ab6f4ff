"""The case graph: what evidence is worth, what is known, what is hidden, what speaks for and against."""

from __future__ import annotations

import pytest

from clinic_sim.cases.graph import CaseGraph
from clinic_sim.testing import small_case


def test_worth_follows_importance_basis_bans_and_flags() -> None:
    graph = CaseGraph(small_case())
    assert graph.worth("migration") == 3  # decisive, and in the basis
    assert graph.worth("palpation") == 3
    assert graph.worth("allergy") == 3  # makes a drug dangerous
    assert graph.worth("nausea") == 2
    assert graph.worth("no_fever") == 1
    assert graph.worth("chest_xray") == 0  # noise
    assert graph.worth("no such evidence") == 0


def test_coverage_grows_to_one_and_counts_nothing_twice() -> None:
    graph = CaseGraph(small_case())
    assert graph.coverage([]) == 0
    assert graph.coverage(["migration", "migration"]) == pytest.approx(3 / graph.total)
    everything = [f.id for f in graph.case.facts] + [e.id for e in graph.case.exams]
    assert graph.coverage(everything) == 1
    assert graph.hidden(everything) == []


def test_hidden_names_the_most_valuable_first() -> None:
    graph = CaseGraph(small_case())
    hidden = graph.hidden(["migration"])
    assert "migration" not in hidden
    assert [graph.worth(e) for e in hidden] == sorted((graph.worth(e) for e in hidden), reverse=True)


def test_evidence_for_and_against() -> None:
    graph = CaseGraph(small_case())
    assert graph.supporting("dx:K35") == ["migration", "palpation"]
    assert graph.refuting("dx:N20", ["migration", "nausea"]) == ["migration"]
    assert graph.refuting("dx:N20", ["nausea"]) == []
    assert graph.refuting("dx:Z99", ["migration"]) == []


def test_edges_have_the_kinds_of_the_design() -> None:
    case = small_case()
    exams = [e.model_copy(update={"requires": ("lab.cbc",)}) if e.id == "chest_xray" else e for e in case.exams]
    graph = CaseGraph(case.model_copy(update={"exams": tuple(exams)})).graph
    kinds = {(u, v): data["kind"] for u, v, data in graph.edges(data=True)}
    assert kinds["exam:palpation", "finding:palpation"] == "reveals"
    assert kinds["finding:palpation", "dx:K35"] == "supports"
    assert kinds["fact:migration", "dx:N20"] == "refutes"
    assert kinds["dx:K35", "tx:operation"] == "indicates"
    assert kinds["fact:allergy", "ban:penicillins"] == "contraindicates"
    assert kinds["exam:chest_xray", "exam:cbc"] == "requires"


def test_an_echo_counts_once() -> None:
    case = small_case()
    echo = case.fact("nausea").model_copy(update={"id": "nausea_again", "echo_of": "nausea"})
    twice = CaseGraph(case.model_copy(update={"facts": (*case.facts, echo)}))
    assert twice.worth("nausea_again") == 0
    assert twice.total == CaseGraph(case).total
