"""Scores of replayed dialogues by doctor, and how far they rank the doctors as a reference does: plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clinic_sim.cases.case import Case
from clinic_sim.judge.grade_cuts import grade_of, shipped_cuts
from clinic_sim.judge.graders import grade_offline
from clinic_sim.judge.labels import GRADES, Label
from clinic_sim.judge.replays import REPLAYED
from clinic_sim.judge.replays.dialogues import Dialogue
from clinic_sim.judge.replays.episodes import conclusion_of
from clinic_sim.judge.replays.ranking import Ranked, rank
from clinic_sim.judge.rubric import Rubric
from clinic_sim.judge.scorecard import Scorecard
from clinic_sim.reports.means import mean
from clinic_sim.reports.published import GRADE_POINTS, VIEWS, published_of
from clinic_sim.reports.tables import estimated
from clinic_sim.sweeps.replaying import Replayed

Scores = dict[str, dict[str, float | None]]
"""Doctor to case to score."""
VIEW_OF = {"symptom_collection": "symptoms", "exam_ordering": "examinations"}
"""Dimensions of other rubrics, as MVME calls them."""


def name_of(doctor: str) -> str:
    """A replayed doctor's own name."""
    return doctor.removeprefix(REPLAYED)


def has_record(case: Case) -> bool:
    """It holds more than a reference answer."""
    return "facts" not in case.provenance.missing


def published_reference(doctors: Sequence[str]) -> dict[str, dict[str, float]]:
    """Dimension to doctor to what was published; empty where fewer than two of these doctors were."""
    rows = {doctor: row for doctor in doctors if (row := published_of(doctor)) is not None}
    if len(rows) < 2:
        return {}
    columns = {view: {doctor: row.views[view] for doctor, row in rows.items()} for view in VIEWS}
    return {**columns, **{own: columns[view] for own, view in VIEW_OF.items()}}


def summarise(
    replayed: Sequence[Replayed],
    dialogues: Sequence[tuple[Dialogue, Case]],
    texts: Mapping[str, Mapping[str, str]],
    rubric: Rubric,
    reference: Mapping[str, Mapping[str, float]],
    source: str,
) -> dict[str, Any]:
    """Means by doctor with intervals by case, and the rank agreement of each dimension with its reference.

    Args:
        replayed: Scored episodes.
        dialogues: What they were made of.
        texts: Record to view to the reference's own words; empty where there are none.
        reference: Dimension to doctor to number.
        source: Of the reference.
    """
    scores: dict[str, Scores] = {}
    for one in replayed:
        for name, value in _values(one.scorecard).items():
            scores.setdefault(name, {}).setdefault(name_of(one.doctor), {})[one.case.id] = value
    graded = {name: _by_rubric(rubric, own) for name, own in scores.items()}
    views = view_scores(dialogues, texts)
    view_grades = {view: _by_cuts(view, own) for view, own in views.items()}
    doctors = list(dict.fromkeys(name_of(one.doctor) for one in replayed))
    return {
        "rubric": {"name": rubric.name, "hash": rubric.content_hash},
        "ledger": "facts read from text",
        "unscored": dict(sorted(Counter(o.scorecard.failure for o in replayed if o.scorecard.failure).items())),
        "doctors": {
            doctor: {
                "n": sum(name_of(one.doctor) == doctor for one in replayed),
                "with_record": sum(d.doctor == doctor and has_record(case) for d, case in dialogues),
                "scores": {name: _estimate(own[doctor]) for name, own in scores.items()},
                "grades": {name: _estimate(own[doctor], 100.0) for name, own in graded.items()},
                "views": {
                    view: {
                        **_estimate(own.get(doctor, {})),
                        "grades": _estimate(view_grades[view].get(doctor, {}), 100.0),
                    }
                    for view, own in views.items()
                },
            }
            for doctor in doctors
        },
        "against": {
            what: {
                "reference": dict(column),
                "source": source,
                "rubric": _ranked(scores.get(what), column),
                "rubric_grades": _ranked(graded.get(what), column),
                "view": _ranked(views.get(what), column),
                "view_grades": _ranked(view_grades.get(what), column),
            }
            for what, column in reference.items()
            if what in scores or what in views
        },
    }


RANKED_BY = ("rubric", "rubric_grades", "view", "view_grades")
"""What doctors are ranked by: the rubric's score and the grades that it makes; the likeness of each answer to the
reference's own words, as `judge calibrate` has it, and the grades that its calibrated cut-offs make."""


def view_scores(
    dialogues: Sequence[tuple[Dialogue, Case]], texts: Mapping[str, Mapping[str, str]]
) -> dict[str, Scores]:
    """View to scores of each conclusion against the reference's own words."""
    labels: list[Label] = []
    whose: list[tuple[str, str]] = []
    for n, (dialogue, case) in enumerate(dialogues):
        if dialogue.closing is None or dialogue.record not in texts:
            continue
        said = conclusion_of(dialogue)
        answers = {"diagnosis": said.diagnosis, "basis": "\n".join(said.basis), "treatment": "\n".join(said.treatment)}
        for view, reference in texts[dialogue.record].items():
            name = f"{dialogue.doctor}:{dialogue.record}"
            answer, language = answers[view], dialogue.language
            labels.append(
                Label(name, view, "grades", (None,), answer, reference, record=n, position=n, language=language)
            )
            whose.append((dialogue.doctor, case.id))
    found: dict[str, Scores] = {}
    for (doctor, case_id), label, rated in zip(whose, labels, grade_offline(labels), strict=True):
        found.setdefault(label.view, {}).setdefault(doctor, {})[case_id] = rated.score
    return found


def _values(card: Scorecard) -> dict[str, float | None]:
    return {"total": card.total, **{name: d.value for name, d in card.dimensions.items()}}


def _by_rubric(rubric: Rubric, scores: Scores) -> Scores:
    """Grades by the rubric's cut-offs, counted as MVME counts its own."""
    return {
        doctor: {c: None if v is None else GRADE_POINTS[rubric.grade(v)] for c, v in own.items()}
        for doctor, own in scores.items()
    }


def _by_cuts(view: str, scores: Scores) -> Scores:
    """Grades by the calibrated cut-offs, counted the same; None where none are shipped."""
    cuts = shipped_cuts().get(view)
    most = len(GRADES) - 1
    return {
        doctor: {c: None if v is None or cuts is None else grade_of(v, cuts) / most * 100 for c, v in own.items()}
        for doctor, own in scores.items()
    }


def _estimate(scores: Mapping[str, float | None], most: float = 1.0) -> dict[str, Any]:
    values = np.array([np.nan if v is None else v for v in scores.values()], dtype=np.float64)
    return estimated(mean(values, list(scores), bounds=(0.0, most)))


def _ranked(scores: Scores | None, column: Mapping[str, float]) -> dict[str, Any] | None:
    found: Ranked | None = None if scores is None else rank(scores, column)
    if found is None:
        return None
    return {
        "doctors": found.doctors,
        "cases": found.cases,
        "tau": found.tau,
        "tau_interval": found.tau_interval,
        "spearman": found.rho,
        "spearman_interval": found.rho_interval,
        "by_chance": found.by_chance,
    }
