"""Builders for tests, ours and yours: small cases and a doctor with a fixed script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from clinic_sim.cases.case import Case
from clinic_sim.doctors.baselines import Scripted

_SMALL: dict[str, Any] = {
    "schema_version": 1,
    "id": "small",
    "language": "en",
    "title": "Acute appendicitis",
    "provenance": {
        "source": "written for clinic_sim",
        "licence": "Apache-2.0",
        "deidentification": "a fictional patient",
        "rests_on": ["Textbook of Surgery"],
    },
    "demographics": {"age": 24, "sex": "male"},
    "department": "Surgery",
    "setting": "emergency",
    "chief_complaint": "Abdominal pain for one day",
    "opening": "My belly hurts.",
    "facts": [
        {
            "id": "onset",
            "topic": "present_illness",
            "statement": "Abdominal pain began one day ago",
            "words": "It started yesterday.",
            "importance": "relevant",
            "disclosure": "volunteered",
        },
        {
            "id": "migration",
            "topic": "present_illness",
            "statement": "The pain moved from the umbilicus to the right lower abdomen",
            "words": "It began round my belly button and then moved down to the right.",
            "importance": "decisive",
        },
        {
            "id": "nausea",
            "topic": "review_of_systems",
            "statement": "Nausea",
            "words": "I feel sick.",
        },
        {
            "id": "no_fever",
            "topic": "review_of_systems",
            "statement": "Denies fever",
            "words": "No, no fever.",
            "polarity": "absent",
            "importance": "minor",
        },
        {
            "id": "allergy",
            "topic": "allergy",
            "statement": "Allergic to penicillin",
            "words": "Penicillin gives me a rash.",
        },
        {
            "id": "cannabis",
            "topic": "substance",
            "statement": "Smokes cannabis at weekends",
            "words": "I smoke a bit of weed at weekends.",
            "importance": "minor",
            "disclosure": "guarded",
        },
    ],
    "exams": [
        {
            "id": "palpation",
            "code": "phys.abdomen.palpation",
            "report": "Tenderness and guarding in the right iliac fossa.",
            "essential": True,
        },
        {
            "id": "cbc",
            "code": "lab.cbc",
            "report": "White cells raised.",
            "measurements": [{"name": "WBC", "value": 14.2, "unit": "10^9/L", "low": 4, "high": 10}],
            "essential": True,
        },
        {"id": "chest_xray", "code": "img.xr.chest", "report": "Clear lungs.", "normal": True, "noise": True},
    ],
    "diagnosis": {
        "primary": {"icd10": "K35", "name": "Acute appendicitis"},
        "differential": [{"icd10": "N20", "name": "Renal colic", "refuted_by": ["migration"]}],
        "basis": ["migration", "palpation"],
    },
    "treatment": [
        {"id": "operation", "name": "appendicectomy", "kind": "procedure", "priority": "essential"},
        {"id": "fluids", "name": "intravenous fluids", "kind": "non_drug"},
    ],
    "contraindicated": [
        {
            "id": "penicillins",
            "name": "amoxicillin",
            "reason": "allergic to penicillin",
            "because": ["allergy"],
            "severity": 3,
        }
    ],
    "red_flags": [{"id": "peritonism", "statement": "Signs of peritonitis", "exams": ["palpation"]}],
}


def small_case(**changes: Any) -> Case:
    """A complete English case of six facts and three exams; keyword arguments replace top-level fields."""
    return Case.model_validate({**_SMALL, **changes})


class ScriptedDoctor(Scripted):
    """Sends the given actions in order, then repeats the last."""

    name = "scripted"

    def __init__(self, actions: Iterable[Any]) -> None:
        self._actions = list(actions)

    def plan(self) -> Iterator[Any]:
        """The actions, in order."""
        yield from self._actions
