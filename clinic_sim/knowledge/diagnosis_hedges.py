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
    """Take lead-ins and hedges off both ends, as long as there are any; the strongest doubt wins."""
    certainty: Certainty = "stated"
    left = prepared.strip(_EDGES)
    for _ in range(_ROUNDS):
        before = left
        left = _leadin(chinese).sub("", left, count=1).strip(_EDGES)
        for pattern, table in (_hedges(chinese, True), _hedges(chinese, False)):
            match = pattern.search(left)
            if match is not None and match.group("rest").strip(_EDGES):
                said = table["".join(match.group("hedge").split()) if chinese else match.group("hedge")]
                if DOUBT[said] > DOUBT[certainty]:
                    certainty = said
                left = match.group("rest").strip(_EDGES)
        if left == before:
            break
    return Reading(left, certainty)


def before(prepared: str, chinese: bool) -> Certainty:
    """The doubt that stands before a diagnosis: what such a word says of the first of a list it says of all."""
    left = _leadin(chinese).sub("", prepared.strip(_EDGES), count=1).strip(_EDGES)
    pattern, table = _hedges(chinese, True)
    match = pattern.search(left)
    if match is None or not match.group("rest").strip(_EDGES):
        return "stated"
    return table["".join(match.group("hedge").split()) if chinese else match.group("hedge")]


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
        pattern = rf"^[(\[]?(?P<hedge>{forms})(?![a-z0-9])[)\]:\s]*(?P<rest>.+)$"
    else:
        pattern = rf"^(?P<rest>.+?)(?:(?<![a-z0-9])|(?=\?))[\s,(\[]*(?P<hedge>{forms})[)\]\s]*$"
    return re.compile(pattern, re.DOTALL), table
