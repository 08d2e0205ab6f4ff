"""The score: verifiable, bounded, and never zero for what could not be scored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clinic_sim.cases.case import Case
from clinic_sim.clinic.actions import Ask, Conclude, Examine, Order
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.clinic.events import TerminationReason
from clinic_sim.errors import JudgeError, RubricError
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import Rubric, load_rubric
from clinic_sim.judge.scorecard import Scorecard, Status
from clinic_sim.testing import small_case

HISTORY = [
    Ask("What brings you in today?"),
    Ask("When did it start?"),
    Ask("Where did the pain start and where is it now?"),
    Ask("How bad is the pain, and what makes it worse?"),
    Ask("Any nausea? Any fever?"),
    Ask("Any allergies?"),
    Ask("In confidence: do you take any drugs such as cannabis?"),
]
EXAMS = [Examine(("abdominal palpation",)), Order(("CBC",))]
PLAN = ("appendicectomy", "IV fluids")


def card(*actions: Any, case: Case | None = None, rubric: str = "clinic") -> Scorecard:
    case = case or small_case()
    consultation = Consultation(case, review=False)
    for action in actions:
        consultation.act_sync(action)
    return RubricJudge(load_rubric(rubric)).score(case, consultation.episode())


def value(scorecard: Scorecard, dimension: str) -> float:
    found = scorecard.dimensions[dimension].value
    assert found is not None
    return found


def right(**changes: Any) -> Conclude:
    fields: dict[str, Any] = {
        "diagnosis": "acute appendicitis",
        "basis": ("abdominal palpation", "the pain moved to the right lower abdomen"),
        "treatment": PLAN,
    }
    return Conclude(**{**fields, **changes})


def test_a_complete_consultation_scores_nearly_one() -> None:
    full = card(*HISTORY, *EXAMS, right())
    assert full.total is not None
    assert full.total > 0.95
    assert {d.grade for d in full.dimensions.values()} == {"A"}
    assert full.safety == 0


def test_an_empty_one_scores_zero_and_is_scored() -> None:
    empty = card(Conclude("headache"))
    assert empty.total == 0
    assert empty.status == "scored"


def test_each_dimension_answers_to_its_own_work() -> None:
    only_history = card(*HISTORY, Conclude("no idea"))
    assert value(only_history, "symptom_collection") > 0.8
    assert value(only_history, "exam_ordering") == value(only_history, "treatment") == 0
    only_diagnosis = card(right(basis=()))
    assert value(only_diagnosis, "diagnosis") > 0.8
    assert value(only_diagnosis, "symptom_collection") == 0


def test_every_verdict_points_at_events_that_exist() -> None:
    case = small_case()
    consultation = Consultation(case, review=False)
    for action in (*HISTORY, *EXAMS, right()):
        consultation.act_sync(action)
    episode = consultation.episode()
    scorecard = RubricJudge(load_rubric("clinic")).score(case, episode)
    fact = next(v for v in scorecard.verdicts if v.criterion == "fact.migration")
    assert fact.status is Status.MET
    assert "migration" in episode.events[fact.evidence[0]].facts  # type: ignore[union-attr]
    assert all(0 <= n < len(episode.events) for v in scorecard.verdicts for n in v.evidence)


def test_naming_ten_diagnoses_does_not_beat_naming_one() -> None:
    ten = "; ".join(
        [
            "acute appendicitis",
            "renal colic",
            "gastroenteritis",
            "pneumonia",
            "asthma",
            "migraine",
            "gout",
            "psoriasis",
            "hypothyroidism",
            "anaemia",
        ]
    )
    assert value(card(right(diagnosis=ten)), "diagnosis") < 0.3 < value(card(right()), "diagnosis")


def test_a_related_diagnosis_earns_part_and_a_wrong_one_nothing() -> None:
    def of(diagnosis: str) -> float:
        return value(card(Conclude(diagnosis)), "diagnosis")

    assert of("acute appendicitis") > of("chronic appendicitis") > of("migraine") == 0


def test_a_ruled_out_diagnosis_is_not_a_stated_one() -> None:
    assert value(card(Conclude("gastroenteritis, not appendicitis")), "diagnosis") < 0.3


def test_an_order_is_credited_once_and_over_ordering_costs() -> None:
    careful = value(card(*EXAMS, right()), "exam_ordering")
    assert value(card(*EXAMS, *EXAMS, right()), "exam_ordering") == careful
    many = (
        "MRI brain",
        "PET-CT",
        "colonoscopy",
        "EEG",
        "bone marrow biopsy",
        "TSH",
        "ferritin",
        "vitamin B12",
        "HIV test",
        "cortisol",
        "CA-125",
        "PSA",
        "ANA",
        "D-dimer",
        "troponin",
    )
    assert value(card(*EXAMS, Order(many), right()), "exam_ordering") < careful - 0.2


def test_harm_lowers_the_total_and_says_why() -> None:
    safe, harmful = card(*EXAMS, right()), card(*EXAMS, right(treatment=(*PLAN, "amoxicillin 500 mg")))
    assert safe.total is not None
    assert harmful.total is not None
    assert harmful.safety == pytest.approx(-0.3)
    assert harmful.total < safe.total - 0.25
    harm = next(v for v in harmful.verdicts if v.criterion == "harm.penicillins")
    assert "allergic to penicillin" in harm.reason


def test_avoiding_a_drug_is_not_giving_it() -> None:
    assert card(right(treatment=(*PLAN, "avoid amoxicillin"))).safety == 0


def test_what_was_not_found_out_cannot_be_cited() -> None:
    with_evidence = card(*HISTORY, *EXAMS, right())
    without = card(right())
    cited = {v.criterion: v.value for v in with_evidence.verdicts}["basis"]
    assert cited == 1.0
    assert {v.criterion: v.value for v in without.verdicts}["basis"] == 0.0


def test_a_reference_that_the_source_lacks_leaves_its_dimension_unscored() -> None:
    case = small_case(
        treatment=[],
        provenance={"source": "x", "licence": "x", "deidentification": "x", "missing": ["treatment"]},
    )
    scorecard = card(*HISTORY, *EXAMS, right(), case=case)
    assert scorecard.dimensions["treatment"].value is None
    assert scorecard.dimensions["treatment"].failure == "missing_reference"
    assert scorecard.total is not None
    assert scorecard.total > 0.9


def test_exams_that_stand_only_in_the_history_do_not_make_their_dimension_scored() -> None:
    case = small_case(
        provenance={"source": "x", "licence": "x", "deidentification": "x", "missing": ["exams"]},
    )
    scorecard = card(*HISTORY, *EXAMS, right(), case=case)
    assert scorecard.dimensions["exam_ordering"].value is None
    assert scorecard.total is not None


def test_a_broken_episode_is_unscored_not_zero() -> None:
    case = small_case()
    consultation = Consultation(case)
    consultation.act_sync(HISTORY[0])
    consultation.abort(TerminationReason.DOCTOR_FAILED, "server down")
    scorecard = RubricJudge(load_rubric("clinic")).score(case, consultation.episode())
    assert scorecard.total is None
    assert scorecard.failure == "episode_failed"
    assert {v.status for v in scorecard.verdicts} == {Status.UNSCORED}


def test_a_doctor_that_never_concludes_is_scored_on_what_it_did() -> None:
    consultation = Consultation(small_case())
    for action in (*HISTORY, *EXAMS):
        consultation.act_sync(action)
    while not consultation.ended:
        consultation.act_sync("Hm.")
    scorecard = RubricJudge(load_rubric("clinic")).score(small_case(), consultation.episode())
    assert scorecard.total is not None
    assert value(scorecard, "diagnosis") == 0
    assert value(scorecard, "symptom_collection") > 0.8


def test_an_episode_of_another_case_is_refused() -> None:
    consultation = Consultation(small_case())
    with pytest.raises(JudgeError, match="of case 'small'"):
        RubricJudge(load_rubric("clinic")).score(small_case(department="Medicine"), consultation.episode())


def test_mvme_grades_five_views() -> None:
    scorecard = card(*HISTORY, *EXAMS, right(), rubric="mvme")
    assert list(scorecard.dimensions) == ["symptoms", "examinations", "diagnosis", "basis", "treatment"]
    assert {d.grade for d in scorecard.dimensions.values()} == {"A"}
    assert {d.grade for d in card(Conclude("migraine"), rubric="mvme").dimensions.values()} == {"D"}


@pytest.mark.parametrize("name", ["clinic", "clinic-language", "mvme", "second-opinion"])
def test_shipped_rubrics_load_and_have_stable_hashes(name: str) -> None:
    rubric = load_rubric(name)
    assert rubric.name == name
    assert rubric.content_hash == Rubric.model_validate(rubric.model_dump()).content_hash


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("dimension: symptoms", "not declared"),
        ("check: magic", "check"),
        ("points: 11", "less than or equal to 10"),
        ("extra: 1", "extra"),
    ],
)
def test_a_broken_rubric_says_what_is_wrong(tmp_path: Path, change: str, says: str) -> None:
    fields = {"id": "a", "dimension": "x", "check": "icd_match", "points": "1"}
    key, _, new = change.partition(": ")
    fields[key] = new
    body = "\n".join(f"    {k}: {v}" for k, v in fields.items()).replace("    id", "  - id", 1)
    path = tmp_path / "r.yaml"
    path.write_text(f"schema_version: 1\nname: r\ntitle: r\ndimensions:\n  x: {{weight: 1}}\ncriteria:\n{body}\n")
    with pytest.raises(RubricError, match=r"r\.yaml") as caught:
        load_rubric(path)
    assert says in str(caught.value)


def test_an_unknown_rubric_lists_the_known() -> None:
    with pytest.raises(RubricError, match="clinic, clinic-language, mvme, second-opinion"):
        load_rubric("nope")


def test_a_stored_scorecard_keeps_the_order_of_its_dimensions() -> None:
    scorecard = card(*HISTORY, *EXAMS, right())
    stored = json.loads(json.dumps(scorecard.to_dict(), sort_keys=True))
    assert list(Scorecard.from_dict(stored).dimensions) == list(scorecard.dimensions)
    assert Scorecard.from_dict(stored).dimensions == scorecard.dimensions
