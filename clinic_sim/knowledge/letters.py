"""Letters that stand for words, so that an automaton over letters runs over words.

A word is a pair of private letters: in each state the automaton goes through all letters that may follow, one after the
other, and with one letter a word these would be thousands wherever a term may begin.
"""

from __future__ import annotations

import re

_FIRST, _SECOND, _MANY = 0xF0000, 0xF8000, 80
"""Where the two kinds of letters begin, and how many second ones there are."""

NO_LETTER = "\ufffd"
"""Stands for what no term has."""

PRIVATE = re.compile(f"[{chr(_FIRST)}-\U0010ffff]")
"""Letters that a text must not bring along."""


def pair(number: int) -> str:
    """The letters of a word by its number; a first letter is never a second one, so pairs cannot be misread."""
    return chr(_FIRST + number // _MANY) + chr(_SECOND + number % _MANY)
