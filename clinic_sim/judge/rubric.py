"""`Rubric`: what is scored and how much it counts. YAML on disk, one file a rubric.

A criterion stands for itself, or `generate`s one criterion for each fact, exam, treatment item, red flag or
contraindication of a case, so that one rubric works on any case. Points are relative within a dimension; a criterion
with negative points takes away. The dimension `safety` has only negative points and lowers the total itself. What only
language shows is `judged`: a question to a model, whose answer counts with a quote that stands in the transcript.
What criteria have to do with each other (prerequisites, alternatives, caps, vetoes) is checked in `rubric_links`.
`docs/rubrics.md` shows the language by example.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    StrictBool,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from clinic_sim.cases.loading import read_yaml
from clinic_sim.cases.packs import shipped
from clinic_sim.errors import CaseError, RubricError
from clinic_sim.judge import rubric_links
from clinic_sim.judge.rubric_errors import located
from clinic_sim.judge.rubric_links import SAFETY as SAFETY
from clinic_sim.judge.rubric_parts import (
    LANGUAGES,
    Cap,
    Dimension,
    Language,
    Needs,
    Part,
    Question,
    Source,
    Stage,
    Veto,
    without_unset,
)

Generator = Literal["facts", "history", "red_flags", "essential_exams", "treatment", "contraindicated"]
CheckName = Literal[
    "fact_disclosed",
    "red_flag_covered",
    "exam_ordered",
    "exam_precision",
    "exam_excess",
    "exam_redundancy",
    "orders_before_history",
    "exam_contraindicated",
    "icd_match",
    "comorbid_named",
    "differential_named",
    "basis_cited",
    "treatment_covered",
    "treatment_excess",
    "contraindicated",
    "allergy_conflict",
    "dangerous_dose",
    "unsafe_plan",
    "cost_within",
    "turns_within",
    "history_before_orders",
    "open_before_closed",
    "no_leading_questions",
    "one_question_at_a_time",
    "positives_followed_up",
    "judged",
]
JUDGED: CheckName = "judged"
"""The check that asks a model."""
Speaker = Literal["doctor", "doctor_to_patient", "any"]
"""Whose words prove a judged criterion: all that the doctor said or wrote, what the patient heard of it, anyone's."""


GENERATOR_OF: dict[str, Generator] = {
    "fact_disclosed": "facts",
    "red_flag_covered": "red_flags",
    "open_before_closed": "history",
    "no_leading_questions": "history",
    "one_question_at_a_time": "history",
    "positives_followed_up": "history",
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
    "exam_redundancy": ("allowance", False),
    "orders_before_history": ("facts", False),
    "history_before_orders": ("facts", False),
}
"""The parameter that a check takes, and whether it must be given."""
YES_NO: frozenset[str] = frozenset(
    {
        "fact_disclosed",
        "red_flag_covered",
        "exam_ordered",
        "contraindicated",
        "allergy_conflict",
        "dangerous_dose",
        "cost_within",
        "turns_within",
        "history_before_orders",
        "judged",
    }
)
"""Checks that give 0 or 1 and nothing between; any other may give a degree."""
_UNPLACED = frozenset(
    {
        *("cost_within", "turns_within", "history_before_orders", "orders_before_history"),
        *("exam_precision", "exam_excess", "exam_redundancy", "treatment_excess"),
        *("open_before_closed", "no_leading_questions", "one_question_at_a_time", "positives_followed_up"),
    }
)
"""Checks of the consultation as a whole: what they rest on stands in no stage of it."""
_JUDGED_FIELDS = ("question", "speaker", "quote_required")
_OPTIONAL = ("requires", "required", "veto", "stage", "languages", "source", "beside")
"""Fields that are written only where they say something."""
GRADES: Mapping[Literal["A", "B", "C"], float] = {"A": 0.85, "B": 0.6, "C": 0.3}
_BELOW = 0.01
"""How far below a grade `required: below B` holds a dimension."""


class Criterion(Part):
    """One thing that is checked."""

    id: str = Field(pattern=r"^[a-z0-9_.\-]{1,120}$")
    dimension: str
    points: float = Field(default=1.0, ge=-10, le=10)
    """Relative within the dimension; with `generate`, multiplied by the item's own weight. Negative points take away;
    0 is for what is only reported, or only required, or only a veto."""
    check: CheckName
    generate: Generator | None = None
    """Make one criterion for each of these of the case."""
    target: str = ""
    """Id of the one fact, exam, treatment item, red flag or contraindication that a hand-written criterion is about; in
    a case without it the criterion does not apply."""
    params: dict[str, float] = Field(default_factory=dict)
    """The check's parameters, see `judge.checks`."""
    question: Question | None = None
    """For `judged`: what is asked about the consultation, answered by yes or no; one text, or one for `en` and `zh`."""
    speaker: Speaker = "doctor"
    """For `judged`: whose words must be quoted."""
    quote_required: bool = True
    """For `judged`: `met` counts only with a quote that stands in the transcript. False only for what shows by its
    absence, as nothing can be quoted for that."""
    requires: tuple[str | Needs, ...] = ()
    """What must be met for it to count: ids, `{all: ids}` or `{any: ids}`. Positive points count only then; what takes
    away does not apply otherwise, and takes no more than the criterion that it hangs on has earned."""
    required: StrictBool | Annotated[float, Field(ge=0, lt=1)] | Literal["below A", "below B", "below C"] = False
    """Missing it holds its dimension down: true or `below B` keeps it under that grade, a number is the most left."""
    veto: Veto | None = None
    """Being met holds its dimension, or the total, down: `veto: total`, or `{of: total, at_most: 0.3}`."""
    stage: Stage | None = None
    """Counts only with evidence of this part of the consultation: `history` (before the first examination or order),
    `workup` (from there on) or `conclusion` (from the first conclusion on)."""
    languages: tuple[Language, ...] = ()
    """Applies only to consultations in these; empty for all."""
    beside: str = ""
    """For `judged`: the verifiable criterion that asks the same thing. Both verdicts are reported side by side, and the
    judge is shown what the record holds of it."""
    source: Source | None = None
    """Where it comes from."""
    why: str = ""
    """Why the criterion exists; generated ones name the edge of the case graph."""

    @field_validator("question", mode="before")
    @classmethod
    def _in_both(cls, value: Any) -> Any:
        return {"en": value, "zh": value} if isinstance(value, str) else value

    @field_validator("requires", "languages", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str | dict) else value

    @field_validator("veto", mode="before")
    @classmethod
    def _of(cls, value: Any) -> Any:
        return {"of": value} if isinstance(value, str) else value

    @model_serializer(mode="wrap")
    def _own_fields(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Verifiable criteria are written without the fields of judged ones, which would only say nothing."""
        data: dict[str, Any] = without_unset(handler(self), _OPTIONAL)
        if self.required is not False:
            data["required"] = self.required
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
        self._limits_fit()
        self._judged_fits()
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

    def _limits_fit(self) -> None:
        if self.required is not False and self.points < 0:
            raise ValueError("`required` is for what must be met; what must not be done is a `veto`")
        if self.veto is not None and self.points > 0:
            raise ValueError("`veto` is for harm: its points are negative, or 0")
        if self.veto is not None and self.required is not False:
            raise ValueError("`veto` holds down when it is met and `required` when it is missed: choose one")
        if self.veto is not None and self.veto.of == "dimension" and self.dimension == SAFETY:
            raise ValueError("`safety` has no score of its own: a veto there is `veto: total`")
        if self.stage is not None and self.check in _UNPLACED:
            raise ValueError(f"`{self.check}` looks at the whole consultation: it takes no `stage`")
        if len(set(self.languages)) < len(self.languages):
            raise ValueError("`languages` names one language twice")

    def _judged_fits(self) -> None:
        if self.check != JUDGED:
            if self.beside:
                raise ValueError(f"`{self.check}` takes no `beside`: only `judged` does")
            return
        if self.stage is not None and not self.quote_required:
            raise ValueError("`stage` is proved by a quote: it does not go with `quote_required: false`")
        for language in self.languages or LANGUAGES:
            if self.question is not None and getattr(self.question, language) is None:
                raise ValueError(
                    f"`question` has no wording in {language}: add one, or say `languages` with those that it has"
                )

    @property
    def needs(self) -> tuple[Needs, ...]:
        """Its prerequisites in one form. One id is any of one: in a case without it, the criterion does not apply."""
        return tuple(Needs(any=(item,)) if isinstance(item, str) else item for item in self.requires)

    def spoken(self, language: str) -> bool:
        """It applies to consultations in this language."""
        return not self.languages or language in self.languages


class Rubric(Part):
    """A rubric."""

    schema_version: Literal[1]
    name: str
    title: str
    dimensions: dict[str, Dimension]
    criteria: tuple[Criterion, ...] = Field(min_length=1)
    alternatives: tuple[tuple[str, ...], ...] = ()
    """Sets of criteria any of which earns the points, once: the best one counts."""
    caps: tuple[Cap, ...] = ()
    """Sets of criteria that earn no more than so many points together."""
    grades: Mapping[Literal["A", "B", "C"], Annotated[float, Field(ge=0, le=1)]] = GRADES
    """Least score of each grade; below C is D."""
    penalty_per_point: float = Field(default=0.03, ge=0, le=0.1)
    """What one negative point of `safety` takes from the total."""

    @model_serializer(mode="wrap")
    def _own_fields(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return without_unset(handler(self), ("alternatives", "caps"))

    @model_validator(mode="after")
    def _sound(self) -> Rubric:
        places = dict(enumerate(self.criteria))
        problems = rubric_links.problems(self.dimensions, places, self.alternatives, self.caps)
        if not self.grades.get("A", 0) >= self.grades.get("B", 2) >= self.grades.get("C", 2):
            problems.append((("grades",), "give A, B and C, each no higher than the one before"))
        if problems:
            raise rubric_links.error(problems)
        return self

    @property
    def content_hash(self) -> str:
        """SHA-256 over the canonical JSON, 16 hex digits; stands in every scorecard."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def ceiling(self, required: bool | float | str) -> float:
        """What a dimension reaches at most where a `required` criterion was missed."""
        if isinstance(required, bool | str):
            grade: Any = required.removeprefix("below ") if isinstance(required, str) else "B"
            return max(0.0, round(self.grades[grade] - _BELOW, 6))
        return required

    @property
    def deducting(self) -> frozenset[str]:
        """Dimensions without positive points: nothing is earned there, what is lost there is taken from the total."""
        return frozenset(self.dimensions) - {c.dimension for c in self.criteria if c.points > 0}

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
        raise RubricError("\n".join(located(path, exc))) from exc
