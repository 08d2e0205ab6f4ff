"""What words are about, and which of two opposite things they say of it: areas and poles, in either language.

`areas.tsv` holds words for broad areas (eating, sleep, walking), `poles.tsv` words for the ends of a scale (mild and
severe, seldom and often, better and worse). A sentence and a fact of one area at opposite ends are not the same story.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from clinic_sim.clinic.patient.speech.hearing import Speech
from clinic_sim.clinic.patient.speech.tables import table
from clinic_sim.knowledge.matcher import Matcher, build
from clinic_sim.knowledge.scan import Mention
from clinic_sim.knowledge.text import Language, fold

AREA = "area"
NOTHING = "_"
"""Words that say nothing of the kind, and hide the poles inside them."""
_WORD = re.compile(r"[a-z0-9']+")
_TURNED: Mapping[str, str] = {
    "well=good": "well=bad",
    "well=bad": "well=good",
    "degree=strong": "degree=mild",
    "often=often": "often=seldom",
    "often=never": "often=often",
    "course=better": "course=worse",
    "trigger=eases": "trigger=none",
    "trigger=worsens": "trigger=none",
    "taking=on": "taking=off",
    "knows=knows": "knows=not",
    "wanted=want": "wanted=not",
    "wet=wet": "wet=dry",
    "still=there": "still=gone",
    "still=gone": "still=there",
    "help=yes": "help=no",
}
"""What a denial makes of a pole; of the others it leaves nothing."""
_NEGATIVE = frozenset({"taking=off", "often=never", "knows=not", "wanted=not", "trigger=none"})
"""Poles whose own words deny: a denial in them is theirs."""


class Pole(NamedTuple):
    """One end of a scale that words name, or (dimension `area`) what they are about."""

    start: int
    dimension: str
    value: str


def _rows() -> Iterator[tuple[str, str, str]]:
    """Each area and pole: its name, its English and its Chinese forms."""
    for area, english, chinese in table("areas.tsv"):
        yield f"{AREA}={area}", english, chinese
    for dimension, pole, english, chinese in table("poles.tsv"):
        yield f"{dimension}={pole}", english, chinese


def _inner(form: str, language: Language) -> Iterator[str]:
    """The shorter forms that may stand within a form."""
    if language == "zh":
        parts: list[str] = list(form)
        glue = ""
    else:
        parts, glue = _WORD.findall(form), " "
    for size in range(1, len(parts)):
        for start in range(len(parts) - size + 1):
            yield glue.join(parts[start : start + size])


@cache
def _matcher(language: Language) -> Matcher:
    """All forms; a long one also names what shorter ones within it name on other scales."""
    forms: dict[str, tuple[str, ...]] = {}
    for id_, english, chinese in _rows():
        for form in (english if language == "en" else chinese).split("|"):
            folded = fold(form)
            forms[folded] = (*forms.get(folded, ()), id_)
    whole: list[tuple[str, tuple[str, ...]]] = []
    for form, ids in forms.items():
        scales = {id_.partition("=")[0] for id_ in ids if not id_.startswith(AREA)}
        if NOTHING in scales:
            whole.append((form, ids))
            continue
        within = [
            i for part in _inner(form, language) for i in forms.get(part, ()) if i.partition("=")[0] not in scales
        ]
        whole.append((form, tuple(dict.fromkeys((*ids, *within)))))
    return build(language, whole)


@lru_cache(maxsize=1_024)
def areas_of(folded: str, *, english: bool, chinese: bool) -> frozenset[str]:
    """The areas of a question; a policy repeats itself."""
    return frozenset(
        id_.removeprefix(f"{AREA}=")
        for language in _languages(english=english, chinese=chinese)
        for hit in _matcher(language).find(folded)
        for id_ in hit.ids
        if id_.startswith(AREA)
    )


def _languages(*, english: bool, chinese: bool) -> list[Language]:
    found: list[Language] = ["en"] if english else []
    return [*found, "zh"] if chinese else found


def poles_in(speech: Speech, values: tuple[Mention, ...]) -> list[Pole]:
    """The areas and poles of words, in order; denied poles turned.

    Args:
        values: The values of attributes that the words give: they are poles too.
    """
    found: list[Pole] = []
    for language in _languages(english=speech.english, chinese=speech.chinese):
        for start, end, ids in _matcher(language).find(speech.folded):
            denied = None
            for id_ in ids:
                dimension, _, value = id_.partition("=")
                if dimension == NOTHING:
                    continue
                if dimension != AREA and id_ not in _NEGATIVE:
                    if denied is None:
                        denied = speech.denied(start, end)
                    if denied:
                        value = _TURNED.get(id_, "=").partition("=")[2]
                if value:
                    found.append(Pole(start, dimension, value))
    for mention in values:
        dimension, _, value = mention.id.partition("=")
        if speech.denied(mention.start, mention.end) and mention.id != "help=no":
            value = _TURNED.get(mention.id, "=").partition("=")[2]
        if value:
            found.append(Pole(mention.start, dimension, value))
    return sorted(found)


class Told(NamedTuple):
    """What some words are about, and what they say of it."""

    areas: frozenset[str]
    poles: Mapping[str, frozenset[str]]
    """By dimension."""


def told(found: list[Pole]) -> Told:
    """Poles gathered."""
    poles: dict[str, set[str]] = {}
    for _, dimension, value in found:
        poles.setdefault(dimension, set()).add(value)
    areas = frozenset(poles.pop(AREA, ()))
    return Told(areas, {dimension: frozenset(values) for dimension, values in poles.items()})
