"""Labels that a judge is held against: what people, or a reference grader, said of answers; one shape for all formats.

A label that is not there is none: it is counted as ungraded, and nothing stands in for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from clinic_sim.knowledge.text import Language

GRADES = ("D", "C", "B", "A")
"""MVME's, worst first."""
Scale = Literal["grades", "met", "number"]


@dataclass(frozen=True, slots=True)
class Label:
    """One answer on one view, with what its graders said."""

    id: str
    view: str
    scale: Scale
    grades: tuple[float | None, ...]
    """One a grader, None where that grader said nothing. A to D are 3 to 0, met is 1 and not met 0."""
    answer: str
    reference: str = ""
    question: str = ""
    """The criterion, where the view is one."""
    context: str = ""
    """What the answer answers."""
    record: int = 0
    """Number of its record in the file, from 0."""
    position: int = 0
    """Where a grader saw the answer, as the record gives it; else that of the record."""
    language: Language = "en"
    judged: float | None = None
    """The score of the judge under test, where the file carries it."""
    judged_grade: float | None = None
    """The same as a grade of the scale, where the judge gave grades."""
    carries_judge: bool = False
    """The file says what the judge gave, and be it nothing."""
    views: tuple[str, ...] = ()
    """Further views that it also counts in."""

    @property
    def graded(self) -> bool:
        """Somebody graded it."""
        return any(g is not None for g in self.grades)


_HAN = re.compile("[\u3400-\u9fff]")


def language_of(text: str) -> Language:
    """Chinese where a tenth of the letters are Han characters: Chinese clinical text keeps Latin abbreviations."""
    letters = sum(c.isalpha() for c in text)
    return "zh" if letters and len(_HAN.findall(text)) * 10 >= letters else "en"
