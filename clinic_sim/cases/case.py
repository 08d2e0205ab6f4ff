"""`Case`: one de-identified health record, made askable. Every cross reference is checked when it is built."""

from __future__ import annotations

import datetime
import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import Literal

from pydantic import Field, model_validator

from clinic_sim.cases.exams import Exam
from clinic_sim.cases.facts import Fact, Identifier, Part, Text
from clinic_sim.cases.reference import Contraindication, Diagnosis, RedFlag, Treatment

Language = Literal["en", "zh"]
Section = Literal["facts", "exams", "diagnosis", "basis", "treatment", "differential"]


class Provenance(Part):
    """Where the case comes from and what it rests on."""

    source: Text
    """Dataset, or `written for clinic_sim`."""
    ref: str = ""
    """Index of the record in its source."""
    licence: Text
    url: str = ""
    released: datetime.date | None = None
    """When the case became public: for contamination by date."""
    deidentification: Text
    """How identifiers were removed, or why there are none."""
    rests_on: tuple[Text, ...] = ()
    """Guidelines or textbooks behind the medicine."""
    missing: tuple[Section, ...] = ()
    """What the source does not hold. Its dimension is unscored; nothing is invented."""
    flags: tuple[str, ...] = ()
    """Findings of the import lints, such as `leak:history`."""
    canary: str = ""
    """A unique string by which training on this case can be detected."""


class Demographics(Part):
    """Who the patient is, as far as a record without identifiers tells."""

    age: float | None = Field(default=None, ge=0, le=120)
    age_unit: Literal["years", "months", "weeks", "days"] = "years"
    sex: Literal["female", "male", "unknown"] = "unknown"
    pregnant: bool | None = None

    @property
    def years(self) -> float | None:
        """The age in years."""
        if self.age is None:
            return None
        return self.age * {"years": 1.0, "months": 1 / 12, "weeks": 7 / 365.25, "days": 1 / 365.25}[self.age_unit]


class Case(Part):
    """One patient: what can be asked, what can be examined, and the reference that stays hidden."""

    schema_version: Literal[1] = 1
    id: Identifier
    language: Language
    title: Text
    """For authors and reports; may name the disease, so the doctor never sees it."""
    twin: Identifier | None = None
    """Id of the same patient in the other language."""
    provenance: Provenance
    demographics: Demographics
    department: Text
    setting: Literal["outpatient", "emergency", "inpatient", "primary_care", "telehealth"] = "outpatient"
    difficulty: Literal["easy", "medium", "hard"] = "medium"
    rarity: Literal["common", "uncommon", "rare"] | None = None
    """`rare` as Orphanet lists it (at most 5 in 10,000 people), `common` where a general hospital sees it most weeks;
    None where nobody said."""
    speaker: Literal["patient", "parent", "relative", "caregiver"] = "patient"
    """Who answers: for a small child, a parent."""
    chief_complaint: Text
    """In clinical words."""
    opening: Text | None = None
    """The patient's first words; spoken from the chief complaint when absent."""
    facts: tuple[Fact, ...] = Field(min_length=1)
    exams: tuple[Exam, ...] = ()
    diagnosis: Diagnosis | None = None
    treatment: tuple[Treatment, ...] = ()
    contraindicated: tuple[Contraindication, ...] = ()
    red_flags: tuple[RedFlag, ...] = ()

    @model_validator(mode="after")
    def _references_hold(self) -> Case:
        facts, exams = {f.id for f in self.facts}, {e.id for e in self.exams}
        evidence = facts | exams
        problems: list[str] = []

        def unique(where: str, ids: Iterable[str]) -> None:
            problems.extend(f"{where}: id {i!r} stands {n} times" for i, n in Counter(ids).items() if n > 1)

        def known(where: str, ids: Iterable[str], pool: set[str], what: str) -> None:
            problems.extend(f"{where}.{n}: {i!r} is no {what} of this case" for n, i in enumerate(ids) if i not in pool)

        unique("facts and exams", (*(f.id for f in self.facts), *(e.id for e in self.exams)))
        unique("treatment", (t.id for t in self.treatment))
        unique("contraindicated", (c.id for c in self.contraindicated))
        unique("red_flags", (r.id for r in self.red_flags))
        for n, fact in enumerate(self.facts):
            if fact.echo_of is not None:
                known(f"facts.{n}.echo_of", [fact.echo_of], facts - {fact.id}, "other fact")
        if self.diagnosis:
            known("diagnosis.basis", self.diagnosis.basis, evidence, "fact or exam")
            for n, other in enumerate(self.diagnosis.differential):
                known(f"diagnosis.differential.{n}.supported_by", other.supported_by, evidence, "fact or exam")
                known(f"diagnosis.differential.{n}.refuted_by", other.refuted_by, evidence, "fact or exam")
        for n, item in enumerate(self.treatment):
            known(f"treatment.{n}.indicated_by", item.indicated_by, evidence, "fact or exam")
        for n, ban in enumerate(self.contraindicated):
            known(f"contraindicated.{n}.because", ban.because, evidence, "fact or exam")
        for n, flag in enumerate(self.red_flags):
            known(f"red_flags.{n}.facts", flag.facts, facts, "fact")
            known(f"red_flags.{n}.exams", flag.exams, exams, "exam")
        if not self.diagnosis and "diagnosis" not in self.provenance.missing:
            problems.append("diagnosis: absent, and `provenance.missing` does not say so")
        if not self.treatment and "treatment" not in self.provenance.missing:
            problems.append("treatment: absent, and `provenance.missing` does not say so")
        if not self.exams and "exams" not in self.provenance.missing:
            problems.append("exams: absent, and `provenance.missing` does not say so")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def content_hash(self) -> str:
        """SHA-256 over the case's canonical JSON, 16 hex digits: stands in every run that used it."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def fact(self, fact_id: str) -> Fact:
        """The fact of that id; KeyError if there is none."""
        for fact in self.facts:
            if fact.id == fact_id:
                return fact
        raise KeyError(fact_id)

    def exam(self, exam_id: str) -> Exam:
        """The exam of that id; KeyError if there is none."""
        for exam in self.exams:
            if exam.id == exam_id:
                return exam
        raise KeyError(exam_id)
