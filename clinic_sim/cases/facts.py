"""What a patient can tell: atomic facts, and where in the source record each one came from."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from clinic_sim.knowledge.scan import Polarity
from clinic_sim.knowledge.topics import Topic

__all__ = [
    "Disclosure",
    "Fact",
    "FactKind",
    "Identifier",
    "Importance",
    "Part",
    "Polarity",
    "Source",
    "Text",
]

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.\-]{0,79}$")]
"""Lower-case letters, digits, `_`, `.`, `-`; at most 80 characters."""
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]


class Part(BaseModel):
    """Base of every part of a case: frozen, and an unknown field is an error rather than a typo that does nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FactKind(StrEnum):
    """What sort of thing a fact states."""

    SYMPTOM = "symptom"  # a complaint or the denial of one
    COURSE = "course"  # an attribute of a complaint: onset, duration, character, what makes it worse
    HISTORY = "history"  # past, surgical, drug, allergy, obstetric, family history
    LIFESTYLE = "lifestyle"  # habits, work, home, exposures
    PERSPECTIVE = "perspective"  # ideas, concerns, expectations
    CONTEXT = "context"  # identity, earlier care and anything else


class Importance(StrEnum):
    """How much the fact matters for this patient's diagnosis, its differential and safe treatment."""

    DECISIVE = "decisive"
    RELEVANT = "relevant"
    MINOR = "minor"
    NOISE = "noise"

    @property
    def weight(self) -> int:
        """Weight in coverage: 3, 2, 1 and 0."""
        return _WEIGHTS[self]


_WEIGHTS = {Importance.DECISIVE: 3, Importance.RELEVANT: 2, Importance.MINOR: 1, Importance.NOISE: 0}


class Disclosure(StrEnum):
    """What it takes for the patient to say it."""

    VOLUNTEERED = "volunteered"  # said when asked openly
    ASKED = "asked"  # said when its heading or itself is asked for
    SPECIFIC = "specific"  # said only when it itself is asked for, not under a general heading
    GUARDED = "guarded"  # said only when it itself is asked for, a second time or with assurance of confidence


class Source(Part):
    """Where a fact or a result came from."""

    path: Text
    """Path in the source record, for example `Patient_Actor.Social_History` or `medical_record.现病史`."""
    words: Text
    """The source record's own words."""


class Fact(Part):
    """One thing the patient knows, small enough to be asked for alone."""

    id: Identifier
    topic: Topic
    """The heading of the history under which it stands."""
    statement: Text
    """The fact in clinical words, as the doctor would write it."""
    words: Text | None = None
    """The fact in the patient's own words; when absent, spoken from the statement."""
    kind: FactKind | None = None
    """Derived from the topic when absent."""
    polarity: Polarity = Polarity.PRESENT
    importance: Importance = Importance.RELEVANT
    disclosure: Disclosure = Disclosure.ASKED
    about: tuple[str, ...] = ()
    """Concept ids of the lexicon, added to those read from the statement: for what the words do not say."""
    echo_of: Identifier | None = None
    """Another fact which this one repeats (records say things twice): told with it, counted once."""
    source: Source | None = None

    @property
    def sort(self) -> FactKind:
        """The kind, given or derived."""
        return self.kind or _KIND_OF_TOPIC.get(self.topic, FactKind.CONTEXT)


_KIND_OF_TOPIC: dict[Topic, FactKind] = {
    Topic.CHIEF_COMPLAINT: FactKind.SYMPTOM,
    Topic.PRESENT_ILLNESS: FactKind.SYMPTOM,
    Topic.REVIEW_OF_SYSTEMS: FactKind.SYMPTOM,
    Topic.GENERAL_STATE: FactKind.SYMPTOM,
    Topic.MOOD: FactKind.SYMPTOM,
    **dict.fromkeys(
        (
            Topic.PAST_HISTORY,
            Topic.SURGERY,
            Topic.TRANSFUSION,
            Topic.INFECTION,
            Topic.VACCINATION,
            Topic.MEDICATION,
            Topic.ALLERGY,
            Topic.MENSTRUAL,
            Topic.OBSTETRIC,
            Topic.BIRTH_DEVELOPMENT,
            Topic.FAMILY,
        ),
        FactKind.HISTORY,
    ),
    **dict.fromkeys(
        (
            Topic.SMOKING,
            Topic.ALCOHOL,
            Topic.SUBSTANCE,
            Topic.OCCUPATION,
            Topic.LIVING,
            Topic.TRAVEL,
            Topic.EXPOSURE,
            Topic.DIET,
            Topic.EXERCISE,
            Topic.SEXUAL,
        ),
        FactKind.LIFESTYLE,
    ),
    **dict.fromkeys((Topic.IDEA, Topic.CONCERN, Topic.EXPECTATION), FactKind.PERSPECTIVE),
}
