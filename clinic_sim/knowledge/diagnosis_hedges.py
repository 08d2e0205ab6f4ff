"""How sure the writer of a diagnosis is, and the diagnosis without the words that say so.

`not pneumonia`, `排除肺炎` are ruled out; `rule out pneumonia`, `肺炎待排` are possible. Words that belong to a name
(`无菌性`, `疑病症`) are the caller's to protect: it asks for a reading only of what is no name as it stands.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from clinic_sim.knowledge import diagnosis_text as text
from clinic_sim.knowledge.diagnosis_split import DOUBT
from clinic_sim.knowledge.diagnosis_words import Certainty, words

_ROUNDS = 6
_EDGES = " \t\n,.;:!*#_`~\"'-=>|/、。"


class Reading(NamedTuple):
    """A prepared diagnosis without lead-in and hedges."""

    text: str
    certainty: Certainty


def read(prepared: str, chinese: bool) -> Reading:
    """Take lead-ins and hedges off both ends, as long as there are any; the strongest doubt wins.

    Chinese is also read with the English words: `not 肺炎`, `肺炎 (unlikely)`.
    """
    certainty: Certainty = "stated"
    left = prepared.strip(_EDGES)
    for _ in range(_ROUNDS):
        started = left
        for tongue in (True, False) if chinese else (False,):
            left = _leadin(tongue).sub("", left, count=1).strip(_EDGES)
            for first in (True, False):
                found = _taken(left, tongue, first)
                if found is not None:
                    left = found.text
                    certainty = max(certainty, found.certainty, key=DOUBT.__getitem__)
        if left == started:
            break
    return Reading(left, certainty)


def before(prepared: str, chinese: bool) -> Certainty:
    """The doubt that stands before a diagnosis: what such a word says of the first of a list it says of all."""
    for tongue in (True, False) if chinese else (False,):
        left = _leadin(tongue).sub("", prepared.strip(_EDGES), count=1).strip(_EDGES)
        found = _taken(left, tongue, True)
        if found is not None:
            return found.certainty
    return "stated"


def _taken(left: str, chinese: bool, first: bool) -> Reading | None:
    """The text without the hedge before or after it, and what the hedge says; None when it has none."""
    pattern, table = _hedges(chinese, first)
    match = pattern.search(left)
    rest = match.group("rest").strip(_EDGES) if match else ""
    if match is None or not rest:
        return None
    hedge = match.group("hedge")
    return Reading(rest, table["".join(hedge.split()) if chinese else hedge])


@cache
def _leadin(chinese: bool) -> re.Pattern[str]:
    if chinese:
        forms = "|".join(re.escape(text.prepare(form)) for form in words().leadins_zh if len(form) > 1)
        # One-syllable lead-ins only before a colon: 为 and 是 occur in names.
        return re.compile(rf"^(?:(?:{forms})\s*(?:(?:为|是)\s*)?[::]?|(?:为|是)\s*[::]?)\s*")
    forms = "|".join(re.escape(form) for form in words().leadins_en)
    return re.compile(rf"^(?:{forms})\b(?:\s*(?:is|are|was)\b)?\s*[:\-]*\s*")


@cache
def _hedges(chinese: bool, before: bool) -> tuple[re.Pattern[str], dict[str, Certainty]]:
    hedges = [h for h in (words().hedges_zh if chinese else words().hedges_en) if h.before == before]
    table: dict[str, Certainty] = {}
    for hedge in hedges:
        table.setdefault(text.prepare(hedge.words), hedge.certainty)
    forms = "|".join(re.escape(form) for form in sorted(table, key=lambda form: (-len(form), form)))
    if chinese:
        pattern = (
            rf"^(?P<hedge>{forms})[::\s]*(?P<rest>.+)$"
            if before
            else rf"^(?P<rest>.+?)[\s,(\[]*(?P<hedge>{forms})[)\]\s]*$"
        )
    elif before:
        # Two letters before a Chinese character may be an abbreviation: NO中毒 is no `no`.
        pattern = (
            rf"^[(\[]?(?P<hedge>{forms})(?![a-z0-9])(?:(?<=[a-z/]{{3}})|(?![\u3400-\u9fff]))[)\]:\s]*(?P<rest>.+)$"
        )
    else:
        pattern = rf"^(?P<rest>.+?)(?:(?<![a-z0-9])|(?=\?))[\s,(\[]*(?P<hedge>{forms})[)\]\s]*$"
    return re.compile(pattern, re.DOTALL), table
