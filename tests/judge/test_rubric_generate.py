"""A case's own rubric: it scores that case as its template does, and says of each criterion where it comes from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from clinic_sim.cases.case import Case
from clinic_sim.cases.compiled import compile_case
from clinic_sim.cases.packs import load_pack, pack_names
from clinic_sim.clinic.actions import Ask, Conclude, Examine, Order
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.clinic.driving import drive
from clinic_sim.clinic.episode import Episode
from clinic_sim.errors import RubricError
from clinic_sim.judge.exploits.audit import play
from clinic_sim.judge.exploits.exploit import Play, Target
from clinic_sim.judge.exploits.faults import strict_judge
from clinic_sim.judge.exploits.talk import history
from clinic_sim.judge.generate import case_rubric, expand
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import Rubric, load_rubric
from clinic_sim.judge.rubric_yaml import dump_rubric, write_rubric
from clinic_sim.judge.scorecard import Scorecard
from clinic_sim.testing import small_case

CASES = [case for name in pack_names() for case in load_pack(name).cases]
EVERYTHING: dict[str, Any] = {
    "schema_version": 1,
    "name": "everything",
    "title": "Every feature at once",
    "dimensions": {
        "history": {"weight": 2, "cap": 20},
        "workup": {"weight": 1},
        "answer": {"weight": 3},
        "care": {"weight": 1},
        "order": {"weight": 0.5},
    },
    "criteria": [
        {"id": "fact", "dimension": "history", "check": "fact_disclosed", "generate": "facts", "points": 7},
        {"id": "flag", "dimension": "history", "check": "red_flag_covered", "generate": "red_flags", "required": 0.8},
        {"id": "early", "dimension": "history", "check": "fact_disclosed", "target": "onset", "stage": "history"},
        {"id": "exam", "dimension": "workup", "check": "exam_ordered", "generate": "essential_exams"},
        {"id": "few", "dimension": "workup", "check": "exam_precision", "requires": {"any": "exam"}},
        {"id": "icd", "dimension": "answer", "check": "icd_match", "points": 9, "requires": [{"any": "fact"}]},
        {"id": "why", "dimension": "answer", "check": "basis_cited", "requires": ["icd", {"all": ["flag"]}]},
        {"id": "zh", "dimension": "answer", "check": "comorbid_named", "languages": ["zh"]},
        {"id": "tx", "dimension": "care", "check": "treatment_covered", "generate": "treatment", "points": 5},
        {"id": "many", "dimension": "care", "check": "treatment_excess", "points": -2, "requires": {"any": "tx"}},
        {"id": "late", "dimension": "order", "check": "exam_excess", "points": -3},
        {
            "id": "harm",
            "dimension": "safety",
            "check": "contraindicated",
            "generate": "contraindicated",
            "points": -2,
            "veto": {"of": "total", "at_most": 0.4},
        },
    ],
    "alternatives": [["few", "exam"]],
    "caps": [{"of": ["fact"], "points": 60}],
    "penalty_per_point": 0.02,
}


def _knows(t: Target) -> Play:
    yield from (action for action in history(t) if not isinstance(action, Conclude))
    yield Examine(t.manoeuvres or ("vital signs",))
    yield Order(t.tests[:4])
    yield Conclude(t.answer, (t.wrong[0],), t.facts[:5], t.plan[:2])


def _harms(t: Target) -> Play:
    yield Ask(t.say("What brings you in?", "您哪里不舒服？"))
    yield Conclude(t.answer, (), (), (*t.plan, *t.bans))


POLICIES = (_knows, _harms)


def both(template: Rubric, case: Case, episode: Episode) -> tuple[Scorecard, Scorecard]:
    own = case_rubric(template, compile_case(case))
    judges = [RubricJudge(r, strict_judge()) for r in (template, own)]
    first, second = (drive(lambda j=j: j.judge(case, episode)) for j in judges)  # type: ignore[misc]
    return first, second


@pytest.mark.parametrize("template", ["clinic", "mvme", "clinic-language", "everything"])
@pytest.mark.parametrize("case", CASES[::3], ids=lambda c: c.id)
def test_a_cases_own_rubric_scores_it_as_the_template_does(template: str, case: Case) -> None:
    rules = Rubric.model_validate(EVERYTHING) if template == "everything" else load_rubric(template)
    for policy in POLICIES:
        first, second = both(rules, case, play(case, policy))
        assert first.total is not None
        assert first.total == pytest.approx(second.total, abs=2e-6), policy.__name__
        assert first.safety == pytest.approx(second.safety, abs=2e-6)
        assert first.limited_by == second.limited_by
        for name, score in second.dimensions.items():
            assert score.value == pytest.approx(first.dimensions[name].value, abs=2e-6), name
        for name in set(first.dimensions) - set(second.dimensions):
            assert first.dimensions[name].value is None
        mine = {v.criterion: v.value for v in first.verdicts}
        assert {v.criterion: v.value for v in second.verdicts}.items() <= mine.items()


def test_where_the_source_holds_nothing_the_dimension_is_left_out() -> None:
    case = small_case(
        treatment=[],
        provenance={"source": "x", "licence": "x", "deidentification": "x", "missing": ["treatment"]},
    )
    consultation = Consultation(case, review=False)
    consultation.act_sync(Conclude("acute appendicitis", (), (), ("appendicectomy",)))
    rules = Rubric.model_validate(EVERYTHING)
    first, second = both(rules, case, consultation.episode())
    assert first.dimensions["care"].value is None
    assert "care" not in second.dimensions
    assert first.total == pytest.approx(second.total, abs=2e-6)


def test_a_case_of_which_nothing_is_scored_has_no_rubric() -> None:
    data = {**EVERYTHING, "dimensions": {"care": {"weight": 1}}, "criteria": [EVERYTHING["criteria"][8]]}
    rules = Rubric.model_validate({**data, "alternatives": [], "caps": []})
    case = small_case(
        treatment=[],
        provenance={"source": "x", "licence": "x", "deidentification": "x", "missing": ["treatment"]},
    )
    with pytest.raises(RubricError, match="'small' holds nothing"):
        case_rubric(rules, compile_case(case))


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_it_is_read_back_as_it_was_written(case: Case, tmp_path: Path) -> None:
    for template in (load_rubric("clinic-language"), Rubric.model_validate(EVERYTHING)):
        own = case_rubric(template, compile_case(case))
        path = tmp_path / f"{template.name}.yaml"
        write_rubric(path, dump_rubric(own, "made for a test", "第二行"))
        assert load_rubric(path) == own
        assert load_rubric(path).content_hash == own.content_hash


def test_nothing_is_written_over_and_nothing_half_written(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    write_rubric(path, "mine\n")
    with pytest.raises(RubricError, match="--force"):
        write_rubric(path, "theirs\n")
    assert path.read_text() == "mine\n"
    write_rubric(path, "theirs\n", force=True)
    assert [p.name for p in tmp_path.iterdir()] == ["r.yaml"]
    with pytest.raises(RubricError, match="cannot be written"):
        write_rubric(path / "below" / "r.yaml", "x")


KINDS = "supports|refutes|indicates|contraindicates|reveals|requires"
EDGE = re.compile(rf"\b((?:fact|exam|finding|dx|tx|ban):[^;\s]+)(?: \([^;]*\))? ({KINDS}) ([^;\s]+)")


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_every_generated_criterion_names_edges_that_stand_in_the_graph(case: Case) -> None:
    compiled = compile_case(case)
    edges = {(a, d["kind"], b) for a, b, d in compiled.graph.graph.edges(data=True)}
    told = 0
    for criterion, target in expand(load_rubric("clinic"), compiled):
        if not target:
            continue
        assert criterion.why
        named = EDGE.findall(criterion.why)
        told += len(named)
        for edge in named:
            assert edge in edges, (criterion.id, edge)
        if criterion.check in ("exam_ordered", "treatment_covered"):
            assert named, criterion.id
        if criterion.check == "fact_disclosed" and any(a == f"fact:{target}" for a, _, _ in edges):
            assert any(a == f"fact:{target}" for a, _, _ in named), criterion.id
    assert told > 10


def test_a_fact_that_proves_the_diagnosis_says_so() -> None:
    whys = {c.id: c.why for c, _ in expand(load_rubric("clinic"), compile_case(small_case()))}
    assert whys["fact.migration"].startswith("fact:migration supports dx:K35")
    assert "contraindicates ban:penicillins" in whys["fact.allergy"]
    assert "no edge" in whys["fact.no_fever"] or "refutes" in whys["fact.no_fever"]
