"""The smaller parts of a rubric's language: dimension, question, prerequisite, veto, cap, source.

They hold no knowledge of each other; what must fit together is checked in `rubric` and `rubric_links`.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
Stage = Literal["history", "workup", "conclusion"]
"""Before the first examination or order; from there on; from the first conclusion on."""
ORIGINS = ("guideline", "textbook", "article", "dataset", "expert")


class Part(BaseModel):
    """A part of a rubric file: no unknown field passes, and nothing changes once it is read."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Dimension(Part):
    """One dimension of the score."""

    weight: float = Field(gt=0)
    """Share in the total, relative to the other scored dimensions."""
    title: str = ""
    cap: float | None = Field(default=None, gt=0)
    """So many points are all that can be earned, however many its criteria offer: more ways than needed."""

    @model_serializer(mode="wrap")
    def _without_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return without_unset(handler(self), ("cap",))


class Question(Part):
    """What the judge is asked, in the language of the consultation."""

    en: str | None = Field(default=None, min_length=8, max_length=4_000)
    zh: str | None = Field(default=None, min_length=4, max_length=4_000)

    @field_validator("en", "zh")
    @classmethod
    def _one_line(cls, text: str | None) -> str | None:
        return None if text is None else " ".join(text.split())

    @model_validator(mode="after")
    def _asks(self) -> Question:
        if self.en is None and self.zh is None:
            raise ValueError("a question needs a wording: `en`, `zh`, or one text for both")
        return self

    def in_language(self, language: str) -> str:
        """The wording for a consultation in that language; the other one where it has none."""
        first, other = (self.zh, self.en) if language == "zh" else (self.en, self.zh)
        return first or other or ""


class Source(Part):
    """Where a criterion comes from: `guideline`, `textbook`, `article`, `dataset` or `expert`, and which item of it."""

    guideline: str = ""
    textbook: str = ""
    article: str = ""
    dataset: str = ""
    expert: str = ""
    item: str = ""
    """Recommendation, chapter, page or record."""
    url: str = ""

    @model_validator(mode="after")
    def _one_origin(self) -> Source:
        named = [name for name in ORIGINS if getattr(self, name)]
        if len(named) != 1:
            raise ValueError(f"`source` names one of {', '.join(ORIGINS)}; this one names {len(named) or 'none'}")
        return self

    @model_serializer(mode="wrap")
    def _without_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in handler(self).items() if value}

    def __str__(self) -> str:
        origin = next(name for name in ORIGINS if getattr(self, name))
        parts = (f"{origin} {getattr(self, origin)}", self.item, self.url)
        return ", ".join(part for part in parts if part)


class Needs(Part):
    """A prerequisite on several criteria: `all` or `any` of them are met."""

    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()

    @field_validator("all", "any", mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_of_both(self) -> Needs:
        if bool(self.all) == bool(self.any):
            raise ValueError("a prerequisite is an id, `{all: [ids]}` or `{any: [ids]}`")
        return self

    @model_serializer(mode="wrap")
    def _without_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return without_unset(handler(self), ("all", "any"))

    @property
    def ids(self) -> tuple[str, ...]:
        """The criteria that it speaks of."""
        return self.all or self.any


class Veto(Part):
    """What a criterion does when it is met, whatever its points."""

    of: Literal["dimension", "total"] = "dimension"
    """Which score it holds down: that of its own dimension, or the total."""
    at_most: float = Field(default=0.0, ge=0, lt=1)
    """What is left of it at most."""


class Cap(Part):
    """Several criteria of a dimension that earn no more than so many points together."""

    of: tuple[str, ...] = Field(min_length=1)
    """Ids; that of a generating criterion stands for all that it makes."""
    points: float = Field(gt=0)


def without_unset(data: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """The data without those of these fields that say nothing: a field that is not used changes no hash."""
    return {name: value for name, value in data.items() if name not in names or value not in (None, "", (), [], False)}
