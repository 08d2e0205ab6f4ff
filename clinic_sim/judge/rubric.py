"""`Rubric`: what is scored and how much it counts. YAML on disk, one file a rubric.

A criterion stands for itself, or `generate`s one criterion for each fact, exam, treatment item, red flag or
contraindication of a case, so that one rubric works on any case. Points are relative within a dimension; a criterion
with negative points takes away. The dimension `safety` has only negative points and lowers the total itself. What only
language shows is `judged`: a question to a model, whose answer counts with a quote that stands in the transcript.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from clinic_sim.cases.loading import read_yaml
from clinic_sim.cases.packs import shipped
from clinic_sim.errors import CaseError, RubricError

SAFETY = "safety"

Generator = Literal["facts", "red_flags", "essential_exams", "treatment", "contraindicated"]
CheckName = Literal[
    "fact_disclosed",
    "red_flag_covered",
    "exam_ordered",
    "exam_precision",
    "exam_excess",
    "icd_match",
    "comorbid_named",
    "differential_named",
    "basis_cited",
    "treatment_covered",
    "treatment_excess",
    "contraindicated",
    "cost_within",
    "turns_within",
    "history_before_orders",
    "judged",
]
JUDGED: CheckName = "judged"
"""The check that asks a model."""
Speaker = Literal["doctor", "doctor_to_patient", "any"]
"""Whose words prove a judged criterion: all that the doctor said or wrote, what the patient heard of it, anyone's."""


GENERATOR_OF: dict[str, Generator] = {
    "fact_disclosed": "facts",
    "red_flag_covered": "red_flags",
    "exam_ordered": "essential_exams",
    "treatment_covered": "treatment",
    "contraindicated": "contraindicated",
}
"""Checks of one thing of a case, and what generates a criterion for each such thing."""

_PARAMS: dict[str, tuple[str, bool]] = {
    "turns_within": ("turns", True),
    "cost_within": ("money", True),
    "exam_excess": ("allowance", False),
    "treatment_excess": ("allowance", False),
    "history_before_orders": ("facts", False),
}
"""The parameter that a check takes, and whether it must be given."""
_JUDGED_FIELDS = ("question", "speaker", "quote_required")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Dimension(_Part):
    """One dimension of the score."""

    weight: float = Field(gt=0)
    """Share in the total, relative to the other scored dimensions."""
    title: str = ""


class Question(_Part):
    """What the judge is asked, in the language of the consultation."""

    en: str = Field(min_length=8, max_length=600)
    zh: str = Field(min_length=4, max_length=600)

    @field_validator("en", "zh")
    @classmethod
    def _one_line(cls, text: str) -> str:
        return " ".join(text.split())

    def in_language(self, language: str) -> str:
        """The wording for a consultation in that language."""
        return self.zh if language == "zh" else self.en


class Criterion(_Part):
    """One thing that is checked."""

    id: str = Field(pattern=r"^[a-z0-9_.\-]{1,120}$")
    dimension: str
    points: float = Field(default=1.0, ge=-10, le=10)
    """Relative within the dimension; with `generate`, multiplied by the item's own weight."""
    check: CheckName
    generate: Generator | None = None
    """Make one criterion for each of these of the case."""
    target: str = ""
    """Id of the one fact, exam, treatment item, red flag or contraindication that a hand-written criterion is about; in
    a case without it the criterion does not apply."""
    params: dict[str, float] = {}
    """The check's parameters, see `judge.checks`."""
    question: Question | None = None
    """For `judged`: what is asked about the consultation, answered by yes or no; one text, or one for `en` and `zh`."""
    speaker: Speaker = "doctor"
    """For `judged`: whose words must be quoted."""
    quote_required: bool = True
    """For `judged`: `met` counts only with a quote that stands in the transcript. False only for what shows by its
    absence, as nothing can be quoted for that."""
    why: str = ""
    """Why the criterion exists; generated ones name the edge of the case graph."""

    @field_validator("question", mode="before")
    @classmethod
    def _in_both(cls, value: Any) -> Any:
        return {"en": value, "zh": value} if isinstance(value, str) else value

    @model_serializer(mode="wrap")
    def _own_fields(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Verifiable criteria are written without the fields of judged ones, which would only say nothing."""
        data: dict[str, Any] = handler(self)
        if self.check != JUDGED:
            for name in _JUDGED_FIELDS:
                data.pop(name, None)
        return data

    @model_validator(mode="after")
    def _fits_its_check(self) -> Criterion:
        if self.check == JUDGED and self.question is None:
            raise ValueError("`judged` needs `question`: what is asked about the consultation, as text or {en: , zh: }")
        given_for_judged = sorted(self.model_fields_set & set(_JUDGED_FIELDS))
        if self.check != JUDGED and given_for_judged:
            raise ValueError(
                f"`{self.check}` takes no {', '.join(f'`{n}`' for n in given_for_judged)}: only `judged` does"
            )
        wanted = GENERATOR_OF.get(self.check)
        if wanted is None and (self.generate or self.target):
            raise ValueError(f"`{self.check}` looks at the case as a whole: it takes neither `generate` nor `target`")
        if wanted is not None and bool(self.generate) == bool(self.target):
            raise ValueError(f"`{self.check}` needs either `generate: {wanted}` or `target`, the id it is about")
        if self.generate and self.generate != wanted:
            raise ValueError(f"`{self.check}` cannot be generated for {self.generate}, only for {wanted}")
        name, needed = _PARAMS.get(self.check, ("", False))
        for given, value in self.params.items():
            if given != name:
                raise ValueError(f"`{self.check}` has no parameter {given!r}" + (f", only {name!r}" if name else ""))
            if value <= 0:
                raise ValueError(f"`{self.check}`: {given!r} is {value:g}; it must be above 0")
        if needed and name not in self.params:
            raise ValueError(f"`{self.check}` needs `params: {{{name}: ...}}`")
        return self


class Rubric(_Part):
    """A rubric."""

    schema_version: Literal[1]
    name: str
    title: str
    dimensions: dict[str, Dimension]
    criteria: tuple[Criterion, ...] = Field(min_length=1)
    grades: dict[Literal["A", "B", "C"], float] = {"A": 0.85, "B": 0.6, "C": 0.3}
    """Least score of each grade; below C is D."""
    penalty_per_point: float = Field(default=0.03, ge=0, le=0.1)
    """What one negative point of `safety` takes from the total."""

    @model_validator(mode="after")
    def _sound(self) -> Rubric:
        seen: set[str] = set()
        for criterion in self.criteria:
            if criterion.id in seen:
                raise ValueError(f"criterion {criterion.id!r} stands twice")
            seen.add(criterion.id)
            if criterion.dimension == SAFETY:
                if criterion.points >= 0:
                    raise ValueError(f"criterion {criterion.id!r}: points of `safety` are negative")
            elif criterion.dimension not in self.dimensions:
                raise ValueError(f"criterion {criterion.id!r}: dimension {criterion.dimension!r} is not declared")
        for name in self.dimensions:
            if not any(c.dimension == name and c.points > 0 for c in self.criteria):
                raise ValueError(f"dimension {name!r} has no criterion with positive points")
        return self

    @property
    def content_hash(self) -> str:
        """SHA-256 over the canonical JSON, 16 hex digits; stands in every scorecard."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def grade(self, value: float) -> str:
        """A to D, as AI Hospital's MVME grades a view."""
        return next((g for g in ("A", "B", "C") if value >= self.grades[g]), "D")


def load_rubric(name: str | Path) -> Rubric:
    """Read a rubric by shipped name (`clinic`, `mvme`) or by path.

    Raises:
        RubricError: what is wrong, with the file and the field.
    """
    path = shipped("rubrics") / f"{name}.yaml"
    if not path.is_file():
        path = Path(name)
    if not path.is_file():
        names = ", ".join(sorted(p.stem for p in shipped("rubrics").glob("*.yaml")))
        raise RubricError(f"no rubric {str(name)!r}: give a YAML file, or one of {names}")
    return _load(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=32)
def _load(path: Path, stamp: int) -> Rubric:
    try:
        return Rubric.model_validate(read_yaml(path))
    except CaseError as exc:
        raise RubricError(str(exc)) from exc
    except ValidationError as exc:
        lines = [
            ": ".join(filter(None, (str(path), ".".join(map(str, e["loc"])), e["msg"])))
            for e in exc.errors(include_url=False)
        ]
        raise RubricError("\n".join(lines)) from exc
