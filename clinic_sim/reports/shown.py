"""One episode as the report shows it: plain data, as `transcripts` makes it and the template writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Link:
    """To a place in the page."""

    anchor: str
    text: str
    status: str = ""


@dataclass(frozen=True, slots=True)
class Revealed:
    """A piece of evidence that came out."""

    id: str
    statement: str


@dataclass(slots=True)
class Line:
    """One event of a turn."""

    anchor: str
    kind: str
    """`patient`, `exam`, `clarify`, `chief`, `rejected`, `ended`."""
    text: str = ""
    name: str = ""
    """Of the examination."""
    tag: str = ""
    """What sort of answer or outcome."""
    by: str = ""
    """Whose words, where they are not the record's own."""
    money: float = 0.0
    minutes: int = 0
    revealed: list[Revealed] = field(default_factory=list)
    """New at this event."""
    cited: list[Link] = field(default_factory=list)
    """Verdicts that rest on it."""


@dataclass(slots=True)
class Turn:
    """What the doctor did, and what came of it."""

    number: int
    anchor: str
    action: str
    """`ask`, `examine`, `order`, `consult`, `conclude`, `invalid`; empty for the opening."""
    said: list[tuple[str, list[str]]] = field(default_factory=list)
    """Field of the action and its texts."""
    lines: list[Line] = field(default_factory=list)
    quiet: list[Line] = field(default_factory=list)
    """Exam reports without a result that no verdict cites: shown in short."""
    cited: list[Link] = field(default_factory=list)

    @property
    def money(self) -> float:
        """US dollars of its examinations."""
        return sum(line.money for line in (*self.lines, *self.quiet))

    @property
    def minutes(self) -> int:
        """Minutes of its examinations."""
        return sum(line.minutes for line in (*self.lines, *self.quiet))

    @property
    def revealed(self) -> int:
        """Pieces of evidence that were new in it."""
        return sum(len(line.revealed) for line in self.lines)


@dataclass(frozen=True, slots=True)
class Judged:
    """One verdict."""

    anchor: str
    criterion: str
    status: str
    points: float
    earned: float | None
    """None where it is unscored."""
    reason: str
    failure: str
    quote: str
    votes: Mapping[str, int] | None
    evidence: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """One episode."""

    anchor: str
    why: str
    key: str
    doctor: str
    case: str
    language: str
    factors: tuple[tuple[str, str], ...]
    """Persona, clinic, seed and repeat."""
    total: float | None
    failure: str
    """Why it failed or is unscored; empty where it is scored."""
    dimensions: tuple[tuple[str, float | None, tuple[Judged, ...]], ...]
    turns: tuple[Turn, ...]
    turns_taken: int
    money: float
    ended: str
