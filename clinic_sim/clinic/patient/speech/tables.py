"""Tables of this part of the clinic: words, and the patterns of speech, kept apart from code.

`patterns.tsv` holds regular expressions over folded text by name.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from clinic_sim.knowledge.patterns import Pattern


def table(name: str) -> list[list[str]]:
    """The rows of a table of this folder, without its comments and its header line."""
    text = files("clinic_sim.clinic.patient").joinpath("data", name).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [line.split("\t") for line in lines[1:]]


@cache
def _patterns() -> dict[str, str]:
    return dict(table("patterns.tsv"))


@cache
def pattern(name: str) -> Pattern:
    """The pattern of that name; KeyError if there is none."""
    return Pattern(_patterns()[name])


@cache
def _word_lists() -> dict[str, frozenset[str]]:
    return {name: frozenset(listed.split("|")) for name, listed in table("word_lists.tsv")}


def word_list(name: str) -> frozenset[str]:
    """The words of that name; KeyError if there are none."""
    return _word_lists()[name]
