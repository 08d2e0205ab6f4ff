"""The names of a code, and whether a text says one of them: what a patient must not say and a lint must find.

Stricter than resolving: only names as they are written in the tables and titles count, never near ones; words that
patients use for what they feel (pain, fever) and names of symptoms (chapter XVIII) never betray a diagnosis.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from itertools import chain
from typing import NamedTuple

from clinic_sim.knowledge import diagnosis_index as index
from clinic_sim.knowledge import diagnosis_tables as tables
from clinic_sim.knowledge import diagnosis_text as texts
from clinic_sim.knowledge import icd10
from clinic_sim.knowledge.diagnosis_words import words
from clinic_sim.knowledge.text import Language

_SYMPTOMS = "XVIII"
_LONGEST_TITLE = 6
"""Words of an official title beyond which nobody says it."""


@lru_cache(maxsize=16_384)
def _names(code: str, language: Language) -> tuple[str, ...]:
    names = dict.fromkeys(tables.table_names(code, language))
    if language == "en" and (titled := tables.title_form(code)) is not None:
        names[titled.name] = None
    return tuple(names)


def names_of(code: str, language: Language, *, whole_category: bool = False) -> tuple[str, ...]:
    """Every name of a code in a language, the preferred first; of its category and siblings too where asked."""
    known = icd10.normalise_code(code)
    if known is None:
        return ()
    names = dict.fromkeys(_names(known, language))
    if whole_category:
        for other in _family(known):
            names |= dict.fromkeys(_names(other, language))
    return tuple(names)


@lru_cache(maxsize=4_096)
def _family(code: str) -> tuple[str, ...]:
    """A category and its subcategories, in the order of the book."""
    category = icd10.category(code)
    return tuple(c for c in icd10.items() if c.startswith(category) and icd10.is_valid(c))


@lru_cache(maxsize=16_384)
def preferred_name(code: str, language: Language) -> str:
    """What to call a code: the official English title, or its Chinese name, else its category's, else the title."""
    if language == "zh":
        for known in (code, icd10.category(code)):
            if names := _names(known, "zh"):
                return names[0]
    return icd10.title(code)


class _Lint(NamedTuple):
    english: re.Pattern[str] | None
    by_key: dict[str, str]
    abbreviations: re.Pattern[str] | None
    chinese: re.Pattern[str] | None
    by_name: dict[str, str]


def names_diagnosis(text: str, codes: Iterable[str], extra_names: Iterable[str] = ()) -> str | None:
    """The first name of these codes, or of the extra ones, that a text says, as the tables write it; None when none.

    English matches whole words in any inflection and spelling, abbreviations only as capitals (`MS` is not `Ms`);
    a name also matches without its modifiers when more than one word is left (`acute bacterial meningitis`).
    """
    lint = _lint(tuple(codes), tuple(extra_names))
    bounded = texts.prepare(text)
    if lint.chinese is not None:
        match = lint.chinese.search(texts.chinese_name(bounded))
        if match:
            return lint.by_name[match.group()]
    if lint.english is not None:
        match = lint.english.search(f" {' '.join(texts.english_words(bounded))} ")
        if match:
            return lint.by_key[match.group(1)]
    if lint.abbreviations is not None:
        match = lint.abbreviations.search(text[: texts.TEXT_LIMIT])
        if match:
            return match.group()
    return None


@lru_cache(maxsize=1_024)
def _lint(codes: tuple[str, ...], extra_names: tuple[str, ...]) -> _Lint:
    by_key: dict[str, str] = {}
    by_name: dict[str, str] = {}
    abbreviations: dict[str, None] = {}
    near = [c for code in codes for c in _near(code)]
    for name in (*dict.fromkeys(n for c in near for n in (*_names(c, "en"), *_names(c, "zh"))), *extra_names):
        prepared = texts.prepare(name)
        if _han(prepared):
            for key in _chinese_keys(prepared):
                by_name.setdefault(key, name)
        elif name.isupper() and len(name) <= 6 and " " not in name:
            abbreviations[name] = None
        else:
            for key in _english_keys(name, titled=tables.only_titled(name, near)):
                by_key.setdefault(key, name)
    return _Lint(
        re.compile(" (" + _any(by_key) + ")(?= )") if by_key else None,
        by_key,
        re.compile(r"(?<![A-Za-z0-9])(?:" + _any(abbreviations) + r")(?![A-Za-z0-9])") if abbreviations else None,
        re.compile(_any(by_name)) if by_name else None,
        by_name,
    )


def _any(forms: Iterable[str]) -> str:
    return "|".join(re.escape(form) for form in sorted(forms, key=lambda form: (-len(form), form)))


def _near(code: str) -> tuple[str, ...]:
    """The codes by whose names a text betrays a code: itself, its category, and the unspecified member."""
    known = icd10.normalise_code(code)
    if known is None or icd10.chapter(known) == _SYMPTOMS:
        return ()
    return (known, icd10.category(known), f"{icd10.category(known)}.9")


def _english_keys(name: str, titled: bool) -> list[str]:
    tokens = texts.english_words(texts.prepare(name))
    if not tokens or (titled and len(tokens) > _LONGEST_TITLE):
        return []
    modifiers = texts.modifier_words()
    bare = [t for t in tokens if t not in modifiers]
    keys = [tokens]
    if len(bare) > 1 and len(bare) < len(tokens) and bare[0] not in _joints() and bare[-1] not in _joints():
        keys.append(bare)
    short = len(tokens) > 1 and tokens[-1] in texts.weak_words() and (len(tokens) > 2 or name[0].isupper())
    if short and not (tokens[-1] == "syndrome" and _is_felt(tokens[:-1])):
        # `Crohn's` alone betrays Crohn's disease; `sleep` alone betrays no sleep disorder, nor does what is felt
        # (`respiratory distress`, `chronic fatigue`) betray the syndrome of it.
        keys.append(tokens[:-1])
    # A name of the tables is a name with all its words (`heart attack`); what is left of it must tell by itself.
    named = not titled and len(tokens) > 1 and not _is_generic(tokens)
    return [" ".join(key) for key in keys if (named and key is tokens) or _tells(key)]


def _tells(tokens: list[str]) -> bool:
    generic = _generic_words()
    known = texts.weak_words() | texts.site_words() | texts.modifier_words().keys() | _joints()
    return not _is_generic(tokens) and not all(t in known or t in generic for t in tokens)


def _is_generic(tokens: list[str]) -> bool:
    return " ".join(tokens) in _generic_words()


def _is_felt(tokens: list[str]) -> bool:
    """Whether the words are a symptom: its own word comes last, and those before it say of what sort and where."""
    names, words_of = _felt()
    known = words_of | texts.site_words() | texts.modifier_words().keys() | _joints()
    return tokens[-1] in names and all(t in known for t in tokens)


@cache
def _felt() -> tuple[frozenset[str], frozenset[str]]:
    """The words that name a symptom, those of patients with them, and all words of the names of symptoms."""
    every = chain(tables.table_forms("en"), tables.title_forms())
    forms = [form for form in every if icd10.chapter(form.code) == _SYMPTOMS]
    plain = frozenset(form for form in _generic_words() if " " not in form)
    # Capitals are those of a person or an abbreviation (PFAPA): no word for what is felt.
    prepared = [texts.prepare(form.name) for form in forms if form.name.islower()]
    named = frozenset(index.head_of(name) for name in prepared) - texts.site_words() - texts.modifier_words().keys()
    return named | plain, plain | {token for name in prepared for token in texts.english_words(name)}


@cache
def _joints() -> frozenset[str]:
    return words().stop


@cache
def _generic_words() -> frozenset[str]:
    return frozenset(" ".join(texts.english_words(form)) for form in words().generic_en)


def _chinese_keys(prepared: str) -> list[str]:
    name = texts.chinese_name(prepared)
    bare = index.chinese_modifiers().sub("", name)
    keys = dict.fromkeys((name, bare) if len(bare) > 2 else (name,))
    return [key for key in keys if len(key) >= 2 and key not in _generic_zh()]


@cache
def _generic_zh() -> frozenset[str]:
    return frozenset(texts.chinese_name(texts.prepare(form)) for form in words().generic_zh) | frozenset(
        words().generic_zh
    )


def _han(text: str) -> bool:
    return any("\u3400" <= c <= "\u9fff" for c in text)
