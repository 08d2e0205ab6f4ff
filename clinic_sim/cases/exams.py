"""What examinations of this patient showed: recorded results, as the examiner reports them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from clinic_sim.cases.facts import Identifier, Part, Source, Text

ExamCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*$")]
"""A code of the examination catalogue, or `local.<name>` for an examination that the catalogue lacks."""

Kind = Literal["vital", "physical", "laboratory", "imaging", "pathology", "procedure", "function"]


class Measurement(Part):
    """One measured quantity."""

    name: Text
    value: float | Text
    """A number, or words where the record gives words (`elevated`, `positive`)."""
    unit: str = ""
    low: float | None = None
    """Lower limit of the reference range, in `unit`."""
    high: float | None = None
    """Upper limit of the reference range, in `unit`."""

    @model_validator(mode="after")
    def _range_in_order(self) -> Measurement:
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"the reference range of {self.name!r} runs backwards: {self.low} > {self.high}")
        return self

    @property
    def abnormal(self) -> bool | None:
        """Outside its range; None where it cannot be told."""
        if not isinstance(self.value, int | float) or (self.low is None and self.high is None):
            return None
        return bool(
            (self.low is not None and self.value < self.low) or (self.high is not None and self.value > self.high)
        )


class Attachment(Part):
    """A picture or waveform that belongs to a result."""

    path: Text
    """Relative to the case's file."""
    media_type: Text
    caption: str = ""


class Exam(Part):
    """One examination on record, with its result."""

    id: Identifier
    code: ExamCode
    also: tuple[ExamCode, ...] = ()
    """Further codes that the same record answers (a CT of chest and abdomen carries two)."""
    name: Text | None = None
    """The name on the report; the catalogue's when absent."""
    kind: Kind | None = None
    """The catalogue's when absent; required for a `local.` code."""
    report: Text
    """The result in the words of the report; it interprets only where the report does."""
    measurements: tuple[Measurement, ...] = ()
    normal: bool = False
    """Recorded, and normal."""
    pending: bool = False
    """Ordered or sent, but the record holds no result yet."""
    essential: bool = False
    """Needed to reach or prove the diagnosis, or to treat safely."""
    noise: bool = False
    """Recorded, but contributes nothing to this case."""
    requires: tuple[ExamCode, ...] = ()
    """Codes that are done first in good practice (a blood group before transfusion)."""
    attachments: tuple[Attachment, ...] = ()
    price: float | None = Field(default=None, ge=0)
    """US dollars; the catalogue's when absent."""
    minutes: int | None = Field(default=None, ge=0)
    """Turnaround; the catalogue's when absent."""
    source: Source | None = None

    @model_validator(mode="after")
    def _sound(self) -> Exam:
        if self.essential and self.noise:
            raise ValueError("an exam cannot be both essential and noise")
        if self.code.startswith("local.") and self.kind is None:
            raise ValueError(f"{self.code} is not in the catalogue, so its kind must be given")
        return self

    @property
    def codes(self) -> tuple[str, ...]:
        """All codes that this record answers."""
        return (self.code, *self.also)
