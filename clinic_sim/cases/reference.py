"""The reference against which a consultation is scored: diagnosis, treatment, what must not be done, red flags."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, StringConstraints, model_serializer, model_validator

from clinic_sim.cases.exams import ExamCode
from clinic_sim.cases.facts import Identifier, Part, Source, Text

Icd10 = Annotated[str, StringConstraints(pattern=r"^[A-Z][0-9]{2}(\.[0-9]{1,2})?$")]
"""WHO ICD-10 2019: a category (`I10`) or a subcategory (`I21.9`)."""


class CodedDiagnosis(Part):
    """A disease by code and name."""

    icd10: Icd10 | None
    """None only where an imported name could not be coded: scored by its name then."""
    name: Text
    names: tuple[Text, ...] = ()
    """Further names that count as this one."""


class Alternative(CodedDiagnosis):
    """Another answer that counts."""

    credit: float = Field(default=1.0, gt=0, le=1)


class Differential(CodedDiagnosis):
    """A disease to be considered, and what speaks against it."""

    supported_by: tuple[Identifier, ...] = ()
    refuted_by: tuple[Identifier, ...] = ()


class Diagnosis(Part):
    """The reference diagnosis."""

    primary: CodedDiagnosis
    acceptable: tuple[Alternative, ...] = ()
    comorbid: tuple[CodedDiagnosis, ...] = ()
    differential: tuple[Differential, ...] = ()
    basis: tuple[Identifier, ...] = ()
    """Ids of the facts and exams that prove the primary diagnosis."""
    basis_text: str = ""
    """The record's own words on the basis, where it has any."""
    source: Source | None = None


class TreatmentKind(StrEnum):
    """What sort of treatment."""

    DRUG = "drug"
    PROCEDURE = "procedure"
    NON_DRUG = "non_drug"
    DIET = "diet"
    REFERRAL = "referral"
    ADMISSION = "admission"
    MONITORING = "monitoring"
    FOLLOW_UP = "follow_up"
    EDUCATION = "education"


class Priority(StrEnum):
    """How much a treatment item matters."""

    ESSENTIAL = "essential"
    RECOMMENDED = "recommended"
    OPTIONAL = "optional"

    @property
    def weight(self) -> int:
        """Weight in coverage: 3, 2 and 1."""
        return {Priority.ESSENTIAL: 3, Priority.RECOMMENDED: 2, Priority.OPTIONAL: 1}[self]


class Dosage(Part):
    """How a medicine of a treatment item is given to this patient. What is left out is not asked of the doctor."""

    of: tuple[str, ...] = ()
    """Concept ids of the medicines it is for; every medicine of the item when empty."""
    low: float = Field(gt=0)
    """Least amount, in `unit`."""
    high: float = Field(gt=0)
    """Largest amount that is right, in `unit`."""
    unit: Literal["g", "mg", "ug", "iu", "ml", "mmol"]
    per_kg: bool = False
    """The amount is for each kilogram of body weight."""
    per: Literal["dose", "day", "hour"] = "dose"
    """What the amount is given per: one dose, a day in however many doses, or an hour of infusion."""
    times: float | None = Field(default=None, gt=0)
    """Doses a day; 0.5 is every other day. Schedules with the same amount a day are equal."""
    once: bool = False
    """A single dose: a loading dose, an infusion, a prophylaxis."""
    routes: tuple[Literal["oral", "iv", "im", "sc", "sublingual", "inhaled", "topical", "rectal"], ...] = ()
    days: float | None = Field(default=None, gt=0)
    """Length of the course."""
    most: float | None = Field(default=None, gt=0)
    """More than this, in `unit` and `per`, is dangerous; ten times `high` when absent."""

    @model_validator(mode="after")
    def _in_order(self) -> Dosage:
        if self.low > self.high:
            raise ValueError(f"the dose runs backwards: from {self.low:g} to {self.high:g} {self.unit}")
        if self.most is not None and self.most <= self.high:
            raise ValueError(f"`most` is {self.most:g}, not above the largest right dose, {self.high:g} {self.unit}")
        if self.once and (self.times is not None or self.per != "dose"):
            raise ValueError("a dose that is given `once` has neither `times` nor another `per` than `dose`")
        return self


class Treatment(Part):
    """One item of the reference treatment."""

    id: Identifier
    name: Text
    kind: TreatmentKind
    concepts: tuple[str, ...] = ()
    """Concept ids of the treatment lexicon, any of which covers the item; read from the name when absent."""
    priority: Priority = Priority.RECOMMENDED
    alternatives: tuple[Text, ...] = ()
    """Other treatments, in words, that cover the item."""
    dose: str = ""
    """The dose in the record's or the author's words; read by people."""
    dosage: tuple[Dosage, ...] = ()
    """The dose as it is scored: any of these is right. Empty where the case does not ask for one."""
    indicated_by: tuple[Identifier, ...] = ()
    """Ids of facts and exams; the diagnosis when empty."""
    source: Source | None = None

    @model_serializer(mode="wrap")
    def _without_what_is_not_asked(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """An item without `dosage` is written as it was before there was one: a case's hash stands in old runs."""
        data: dict[str, Any] = handler(self)
        if not self.dosage:
            data.pop("dosage", None)
        return data


class Contraindication(Part):
    """A treatment or an examination that would harm this patient."""

    id: Identifier
    name: Text
    concepts: tuple[str, ...] = ()
    """Concept ids of the treatment lexicon; read from the name when absent and `exams` is empty."""
    exams: tuple[ExamCode, ...] = ()
    reason: Text
    because: tuple[Identifier, ...] = ()
    """Ids of the facts and exams that make it so."""
    severity: int = Field(default=2, ge=1, le=3)
    """1 avoidable, 2 harmful, 3 life-threatening."""


class RedFlag(Part):
    """A danger sign that must be asked or looked for in this presentation."""

    id: Identifier
    statement: Text
    facts: tuple[Identifier, ...] = ()
    exams: tuple[Identifier, ...] = ()

    @model_validator(mode="after")
    def _points_somewhere(self) -> RedFlag:
        if not self.facts and not self.exams:
            raise ValueError(f"red flag {self.id!r} names neither a fact nor an exam")
        return self
