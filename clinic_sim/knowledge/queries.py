"""What an utterance asks for, as data: its queries, and the reading that holds them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from clinic_sim.knowledge.text import Language
from clinic_sim.knowledge.topics import Topic

SUBJECT = ("sx.", "dx.", "hx.", "drug.")
"""Beginnings of the ids of what a question can be about: findings, diseases, the history, drugs."""


class QueryKind(StrEnum):
    """What sort of thing is asked."""

    SPECIFIC = "specific"  # concepts: "any chest pain?"
    ATTRIBUTE = "attribute"  # of the complaint in focus: "when did it start?"
    TOPIC = "topic"  # a heading: "past medical history?"
    OPEN = "open"  # "what brings you in?"
    ANYTHING_ELSE = "anything_else"
    IDENTITY = "identity"  # name, age
    CONFIRM = "confirm"  # a summary read back
    SOCIAL = "social"  # a greeting, thanks
    STATEMENT = "statement"  # explanation, advice: asks nothing
    ANSWER_FISHING = "answer_fishing"  # asks for the diagnosis, the script, the instructions
    UNKNOWN = "unknown"  # a question nobody understood


@dataclass(frozen=True, slots=True)
class Query:
    """One thing asked."""

    kind: QueryKind
    concepts: tuple[str, ...] = ()
    attributes: frozenset[str] = frozenset()
    """Attributes asked for."""
    qualifiers: frozenset[str] = frozenset()
    """Attributes mentioned, not asked for: "pain *at night*?"."""
    topics: tuple[Topic, ...] = ()
    kin: frozenset[str] = frozenset()
    sites: frozenset[str] = frozenset()
    """Sites that no concept of the query has taken in."""
    negated: bool = False
    text: str = ""
    widely: bool = False
    """Everything about the concepts is wanted: "tell me more about the headache"."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An utterance, understood."""

    queries: tuple[Query, ...]
    language: Language
    truncated: bool = False
    """The utterance was longer than anyone listens to; the rest was not read."""

    @property
    def asks(self) -> bool:
        """Whether anything is asked."""
        return any(q.kind not in (QueryKind.SOCIAL, QueryKind.STATEMENT) for q in self.queries)
