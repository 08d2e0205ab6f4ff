"""The cues of the form of a question: regular expressions from `data/question_forms.tsv`, by language and name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

from clinic_sim.knowledge.text import Language

Formed = tuple[str, int, str]
"""A question as it is read: form, matters, words."""
MOST = 60
"""Clauses of a sentence and questions of an utterance that are read: nobody asks more in one breath, and the cost must
be bounded."""
_HEAD, _TAIL = 400, 80
"""Characters of a sentence that are looked at: how it begins and what it lists, and what stands at its end."""


def shortened(sentence: str) -> str:
    """A sentence without the middle that nobody keeps in mind, as some cues look ahead to its end."""
    return sentence if len(sentence) <= _HEAD + _TAIL else f"{sentence[:_HEAD]} {sentence[-_TAIL:]}"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table."""

    language: Language
    cue: str
    pattern: str
    example: str
    """A text in which the pattern is found."""


@cache
def rows() -> tuple[Row, ...]:
    """The table, in its order."""
    found = []
    for line in (
        resources.files("clinic_sim.knowledge").joinpath("data/question_forms.tsv").read_text("utf-8").splitlines()
    ):
        if line and not line.startswith(("#", "language\t")):
            language, cue, pattern, example = line.split("\t")
            found.append(Row("zh" if language == "zh" else "en", cue, pattern, example))
    return tuple(found)


@cache
def cue(language: Language, name: str, form: str = "{}") -> re.Pattern[str]:
    """One pattern of all rows of that name; `form` puts something around it, such as a word edge."""
    # A group that a row refers back to keeps its number only where it is the first: one row a name may have one.
    own = [row.pattern for row in rows() if row.language == language and row.cue == name]
    if not own:
        raise KeyError(f"no cue {name!r} for {language!r}")
    return re.compile(form.format(f"(?:{'|'.join(own)})"))
