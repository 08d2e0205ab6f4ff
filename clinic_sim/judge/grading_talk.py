"""Talk of grading, by its words: the wide net behind the narrow cues of `addressed`.

A phrase that orders a grader about can be put in endless ways, but hardly without several words of grading, graders,
machines, criteria or conduct. Each word has a weight (`data/grading_words.tsv`); a sentence talks of grading where the
weights of at least two groups add up to the limit, or where one word says it all. Next to nothing that is said in real
consultations does.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

from clinic_sim.knowledge.automaton import Automaton

LIMIT = 2.5
MOST_OF_GROUP = 3.0
"""A group counts no more: one kind of word, said often, is a topic and no order."""


def talks_of_grading(folded: str) -> bool:
    """Whether folded text, a sentence or more, talks of grading. What holds of a part holds of the whole."""
    found: dict[str, tuple[str, float]] = {}
    automaton, meanings = _words()
    for number, start, end in automaton.find(folded):
        name, group, weight = meanings[number]
        if name not in found and _stands_alone(folded, start, end):
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
def _words() -> tuple[Automaton, tuple[tuple[str, str, float], ...]]:
    """The words, and the (name, group, weight) of each by its number."""
    table: dict[str, tuple[str, str, float]] = {}
    for line in word_table().splitlines():
        if line and not line.startswith(("#", "id\t")):
            name, group, weight, words = line.split("\t")
            for word in words.split("|"):
                table[word] = name, group, float(weight)
    return Automaton(table), tuple(table.values())
