"""Talk of grading, by its words: the wide net behind the narrow cues of `addressed`.

A phrase that orders a grader about can be put in endless ways, but hardly without several words of grading, graders,
machines, criteria or conduct. Each word has a weight (`data/grading_words.tsv`); a sentence talks of grading where the
weights of at least two groups add up to the limit, or where one word says it all. Next to nothing that is said in real
consultations does.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import ahocorasick

LIMIT = 2.5
MOST_OF_GROUP = 3.0
"""A group counts no more: one kind of word, said often, is a topic and no order."""


def talks_of_grading(folded: str) -> bool:
    """Whether folded text, a sentence or more, talks of grading. What holds of a part holds of the whole."""
    found: dict[str, tuple[str, float]] = {}
    for end, (word, name, group, weight) in _automaton().iter(folded):
        if name not in found and _stands_alone(folded, end + 1 - len(word), end + 1):
            found[name] = group, weight
    sums: dict[str, float] = {}
    for group, weight in found.values():
        sums[group] = min(MOST_OF_GROUP, sums.get(group, 0.0) + weight)
    if len(sums) == 1:
        return max(weight for _, weight in found.values()) >= MOST_OF_GROUP
    return sum(sums.values()) >= LIMIT


@cache
def word_table() -> str:
    """The table as it stands on disk; part of what determines a judge's prompt."""
    return resources.files("clinic_sim.judge").joinpath("data/grading_words.tsv").read_text("utf-8")


def _stands_alone(text: str, start: int, end: int) -> bool:
    """An English word is no part of a longer one; Chinese has no such bounds."""
    if not text[start].isascii():
        return True
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (before.isascii() and before.isalnum()) and not (after.isascii() and after.isalnum())


@cache
def _automaton() -> ahocorasick.Automaton:
    automaton = ahocorasick.Automaton()
    for line in word_table().splitlines():
        if line and not line.startswith(("#", "id\t")):
            name, group, weight, words = line.split("\t")
            for word in words.split("|"):
                automaton.add_word(word, (word, name, group, float(weight)))
    automaton.make_automaton()
    return automaton
