"""Letters that stand for words, so that an automaton over letters runs over words."""

from __future__ import annotations

import re

_FIRST = 0xF0000
"""Where the private planes begin: room for a hundred and thirty thousand words."""

NO_LETTER = "\ufffd"
"""Stands for what no term has."""

SURROGATE = re.compile("[\ud800-\udfff]")
"""Half a character: no UTF-8, and in no term."""

PRIVATE = re.compile(f"[{chr(_FIRST)}-\U0010ffff]")
"""Letters that a text must not bring along."""


def letter_of(number: int) -> str:
    """The letter of a word by its number."""
    return chr(_FIRST + number)
