"""Everything that a patient's words can name, found in one pass a language.

The terms of records and what patients say for them, the names of diseases, medicines and operations, of examinations
and of what only they show, and the parts of the body with what goes wrong in them. One lexicon, so that the longest
name wins over all kinds: "heart attack" is a disease and "my heart sank" is nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import chain
from typing import NamedTuple

from clinic_sim.clinic.patient.speech.tables import table, word_list
from clinic_sim.knowledge import diagnosis_tables, treatment_lexicon
from clinic_sim.knowledge.building import uncollected
from clinic_sim.knowledge.concepts import BLOCK, ontology
from clinic_sim.knowledge.concepts import rows as knowledge_rows
from clinic_sim.knowledge.exam_catalogue import catalogue
from clinic_sim.knowledge.matcher import Matcher, build
from clinic_sim.knowledge.scan import Mention, compose
from clinic_sim.knowledge.text import Language, fold

PLAIN = "_"
"""Words that claim nothing."""


NOTHING = "nothing"
"""Words that are no term, and hide the terms inside them."""
CLAIM = "claim."
"""Put before a concept of history or habits where the words claim it, not merely touch it."""


_LONGEST_TITLE = 5


_SHORT = re.compile(r"[A-Z][A-Za-z]?[A-Z0-9/\-]{0,5}s?")


_NO_DISEASE = ("R", "Z", "V", "W", "X", "Y", "S", "T", "U")


_KINDS = frozenset({"laboratory", "imaging", "pathology", "procedure", "function"})


_CLAIMS = frozenset({"hx.smoking", "hx.alcohol", "hx.substance", "hx.transfusion", "hx.miscarriage", "hx.allergy"})
"""Histories and habits whose every term claims them."""


class Contrast(NamedTuple):
    """One value of an attribute."""

    attribute: str
    value: str
    strict: bool
    """A value that no fact gives is an invention."""


@cache
def _everyday() -> frozenset[str]:
    return frozenset(word for (word,) in table("everyday.tsv"))


def _numbered(form: str) -> bool:
    return bool(_NUMBER.search(form)) if form.isascii() else any(c.isdigit() for c in form)


_NUMBER = re.compile("[0-9]")


def _forms(language: Language) -> Iterator[tuple[str, str]]:
    column = 1 if language == "en" else 2
    for row in table("spoken.tsv"):
        id_ = CLAIM + row[0] if row[0].startswith("hx.") else row[0]
        for form in row[column].split("|"):
            yield form, id_
            if language == "en" and id_ != PLAIN:
                for other in _looser(form):
                    yield other, id_
    for id_, listed in knowledge_rows(f"terms_{language}.tsv"):
        for form in listed.split("|"):
            # What only keeps a shorter term from being found in it may still be the name of something else.
            yield form, NOTHING if id_ == BLOCK else id_
            if id_ in _CLAIMS:
                yield form, CLAIM + id_
    for concept in treatment_lexicon.concepts().every():
        id_ = f"tx:{concept.id}"
        for form in concept.names_en if language == "en" else concept.names_zh:
            if not _numbered(form) and fold(form) not in _everyday():
                yield form, id_
    for exam in catalogue():
        if exam.kind.value in _KINDS:
            id_ = f"exam:{exam.code}"
            names = (exam.name_en, *exam.synonyms_en) if language == "en" else (exam.name_zh, *exam.synonyms_zh)
            for form in names:
                if (
                    not form.startswith("~")
                    and not _numbered(form)
                    and fold(form).strip("^") not in _everyday()
                    and len(form) > (3 if language == "en" else 1)
                ):
                    yield form.removeprefix("^"), id_


_IS = re.compile(r" (?:is|are|was|were|gone|went|turned|feels?|looks?|keeps?|has gone|have gone) ")
_BETWEEN = ("all", "so", "a bit", "a little", "rather", "pretty", "ever so", "proper", "well")


def _looser(form: str) -> Iterator[str]:
    """A lay form with what people put between its words: my pee's all frothy, gone a bit yellow."""
    match = _IS.search(f" {form}")
    if match is None:
        return
    before, verb, after = f" {form}"[: match.start()].strip(), match.group().strip(), f" {form}"[match.end() :]
    linked = verb in ("is", "are", "was", "were")
    for between in _BETWEEN:
        yield f"{before} {verb} {between} {after}".strip()
        if linked:
            yield f"{before} {between} {after}".strip()
    if linked and before:
        yield f"{before} {after}"
        yield f"{before} has been {after}"
        yield f"{before} have been {after}"
        yield f"{before} been {after}"
        for turned in ("has gone", "has gone all", "have gone", "went", "goes", "looks", "has turned", "has become"):
            yield f"{before} {turned} {after}"


def _named(language: Language) -> Iterator[diagnosis_tables.Form]:
    yield from diagnosis_tables.table_forms(language)
    if language == "en":
        for form in diagnosis_tables.title_forms():
            if (
                form.source == diagnosis_tables.TITLE
                and 0 < form.name.count(" ") < _LONGEST_TITLE
                and form.name.isascii()
            ):
                yield form


def _diseases(language: Language, felt: set[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Names of diseases; not those that are a symptom's, nor capitals that are words too."""
    shortest = 3 if language == "en" else 1
    everyday = _everyday()
    ids_of: dict[str, tuple[str, ...]] = {}
    for code, name, _ in _named(language):
        if len(name) > shortest and code[0] not in _NO_DISEASE and code[:2] != "O8" and not _SHORT.fullmatch(name):
            folded = fold(name)
            if folded not in everyday and folded not in felt:
                yield name, ids_of.get(code) or ids_of.setdefault(code, (f"icd:{code}",))


@cache
@uncollected
def spoken(language: Language) -> Matcher:
    """What a patient's words can name in a language."""
    forms: dict[str, tuple[str, ...]] = {}
    alone: dict[str, tuple[str, ...]] = {}
    """One tuple for all forms of an id: most forms have one, and most ids many forms."""
    for form, id_ in _forms(language):
        known = forms.get(form)
        if known is None:
            forms[form] = alone.get(id_) or alone.setdefault(id_, (id_,))
        elif id_ not in known:
            forms[form] = (*known, id_)
    alone.clear()
    # What is a symptom's name, a part's or plain speech is no name of a disease as well.
    feels = {ids: any(i == PLAIN or i.startswith(_FELT) for i in ids) for ids in forms.values()}
    felt = {known for form, ids in forms.items() if feels[ids] for known in (form, fold(form))}
    return build(language, chain(_taken(forms), _diseases(language, felt)), packed=True)


_FELT = ("sx.", "hx.", "site.", "attr.")


def _taken(forms: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The forms in order, given away: the table goes as the matcher grows, so that the two never stand side by side."""
    for form in list(forms):
        yield form, forms.pop(form)


@cache
def abbreviations() -> dict[str, str]:
    """Abbreviations of diseases, as they are written, to codes."""
    found: dict[str, str] = {}
    for language in ("en", "zh"):
        for form in diagnosis_tables.table_forms(language):
            if _SHORT.fullmatch(form.name) and len(form.name) > 1 and form.code[0] not in _NO_DISEASE:
                found.setdefault(form.name, form.code)
    return {name: code for name, code in found.items() if name not in _WORDS_TOO}


_WORDS_TOO = word_list("capitals.words")

_CAPITALS = re.compile(r"\b[A-Z][A-Za-z]?[A-Z0-9]{1,5}s?\b")


@cache
def contrasts(language: Language) -> Matcher:
    """The values of attributes that words give."""
    column = 3 if language == "en" else 4
    forms = [
        (form, (f"{row[0]}={row[2]}",)) for row in table("contrasts.tsv") for form in row[column].split("|") if form
    ]
    sayings = [
        (form, (PLAIN,))
        for row in table("spoken.tsv")
        if row[0] == PLAIN
        for form in row[1 if language == "en" else 2].split("|")
        if " " in form
    ]
    return build(language, forms + sayings)


@cache
def contrast(id_: str) -> Contrast:
    """The value of an id that `contrasts` finds."""
    attribute, _, value = id_.partition("=")
    strict = any(row[0] == attribute and row[1] == "x" for row in table("contrasts.tsv"))
    return Contrast(attribute, value, strict)


def mentions(text: str, folded: str, *, english: bool, chinese: bool, record: bool = False) -> list[Mention]:
    """Everything named in text, in order; sites joined with the findings beside them.

    In the words of a `record` nothing is plain speech: its discomfort is a pain.
    """
    found: list[Mention] = []
    languages: list[Language] = []
    if english:
        languages.append("en")
    if chinese:
        languages.append("zh")
    for language in languages:
        for start, end, ids in spoken(language).find(folded):
            if PLAIN not in ids:
                found.extend([Mention(start, end, id_) for id_ in ids if id_ != NOTHING])
            elif record:
                found.extend([Mention(start, end, id_) for id_ in ids if id_ not in (PLAIN, NOTHING)])
    if len(languages) > 1:
        found.sort()
    known = ontology().concepts
    named = [m for m in found if m.id in known]
    composed = compose(named, folded) if len(named) > 1 else named
    rest = [m for m in found if m.id not in known]
    if english and not text.islower():
        short = abbreviations()
        shouting = text.isupper()
        for match in _CAPITALS.finditer(text):
            code = short.get(match.group())
            if code is not None and not (shouting and len(match.group()) < 4):
                rest.append(Mention(match.start(), match.end(), f"icd:{code}"))
    return sorted([*composed, *rest])


@cache
def _organs() -> dict[str, tuple[str, ...]]:
    return {organ: tuple(codes.split("|")) for organ, codes in table("organs.tsv")}


def organ_codes(organ: str) -> tuple[str, ...]:
    """How the ICD-10 codes of an organ's diseases begin."""
    return _organs()[organ]
