"""The names of diagnoses, ready to be looked up: exact by words, inverted by word or pair, corrected by spelling.

Built once on first use from all names of `diagnosis_tables`.
"""

from __future__ import annotations

import math
import re
from array import array
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple, TypeVar

from clinic_sim.knowledge import diagnosis_text as text
from clinic_sim.knowledge.automaton import Automaton
from clinic_sim.knowledge.building import uncollected
from clinic_sim.knowledge.diagnosis_tables import TITLE, Form, table_forms, title_forms
from clinic_sim.knowledge.diagnosis_words import words
from clinic_sim.knowledge.packed import Table

Forms = Form | tuple[Form, ...]
"""The names under a key: mostly one, which then stands by itself, since there are tens of thousands of them."""


def forms(found: Forms | None) -> tuple[Form, ...]:
    """The names under a key as they can be gone through."""
    return () if found is None else (found,) if isinstance(found, Form) else found


@dataclass(frozen=True, slots=True)
class English:
    """English names."""

    ordered: dict[str, Forms]
    bags: dict[tuple[str, ...], Forms]
    """By sorted content words."""
    cores: dict[tuple[str, ...], Forms]
    """By sorted core words, where those are fewer."""
    listed: tuple[Form, ...]
    """Every name, by number; of the names of one code with the same words the first."""
    tokens: tuple[tuple[str, ...], ...]
    """The content words of each of these, sorted."""
    weights: dict[str, float]
    spelling: dict[str, tuple[str, ...]]
    """Words of the names by first letter, for misspellings."""


_LINK = re.compile(r"\b(?:of|in|with|due|following|without|from|by|during|caused|complicating|associated)\b|[,;:]")


def head_of(prepared: str) -> str:
    """The word that says what is wrong: the last core word before the first `of`, `in`, `with`, `due to`."""
    for piece in _LINK.split(prepared):
        tokens = text.english_words(piece)
        modifiers = text.modifier_words()
        strong = [t for t in text.core(text.content(tokens)) if t not in modifiers] if tokens else []
        if strong:
            return strong[-1]
    return ""


@lru_cache(maxsize=16_384)
def head_of_name(name: str) -> str:
    """The head of a name as the tables write it."""
    return head_of(text.prepare(name))


def _latin_of_chinese() -> Iterator[Form]:
    """The abbreviations of the Chinese table: Chinese doctors write HSIL and COPD alone, and English ones know them."""
    for form in table_forms("zh"):
        if form.name.isascii():
            yield Form(form.code, form.name, TITLE)


K = TypeVar("K")


def _add(table: dict[K, Forms], key: K, form: Form) -> None:
    """One more name under a key; the first of each code stays."""
    known = table.setdefault(key, form)
    if known is not form and all(other.code != form.code for other in forms(known)):
        table[key] = (*forms(known), form)


@cache
@uncollected
def english() -> English:
    """The index of English names."""
    ordered: dict[str, Forms] = {}
    bags: dict[tuple[str, ...], Forms] = {}
    cores: dict[tuple[str, ...], Forms] = {}
    named: dict[tuple[str, tuple[str, ...]], Form] = {}
    titles = sorted(title_forms(), key=lambda f: (f.source, len(f.code)))
    for form in (*table_forms("en"), *_latin_of_chinese(), *titles):
        tokens = text.content(text.english_words(text.prepare(form.name)))
        if not tokens:
            continue
        bag, core = _bag(tokens), _bag(text.core(tokens))
        _add(ordered, " ".join(tokens), form)
        _add(bags, bag, form)
        if core != bag:
            _add(cores, core, form)
        named.setdefault((form.code, bag), form)
    counts: dict[str, int] = defaultdict(int)
    for _, bag in named:
        for token in bag:
            counts[token] += 1
    spelling: dict[str, list[str]] = defaultdict(list)
    for token in sorted(set(counts) | text.modifier_words().keys() | text.weak_words()):
        if len(token) > 3 and token.isalpha():
            spelling[token[0]].append(token)
    text.canonical.cache_clear()  # filled with every word of the tables
    return English(
        ordered,
        bags,
        cores,
        tuple(named.values()),
        tuple(bag for _, bag in named),
        {token: _weight(token, count, len(named)) for token, count in counts.items()},
        {key: tuple(value) for key, value in spelling.items()},
    )


class Postings(NamedTuple):
    """Where each word occurs, for the search of names that are near."""

    by_token: dict[str, array[int]]
    """The numbers of the names with a word."""
    weights: array[float]
    """What all words of a name weigh together."""


@cache
@uncollected
def postings() -> Postings:
    """The inverted index of English names; built only when a diagnosis is no name of the tables as it stands."""
    names = english()
    by_token: dict[str, array[int]] = {token: array("I") for token in names.weights}
    for number, tokens in enumerate(names.tokens):
        for token in tokens:
            by_token[token].append(number)
    return Postings(by_token, array("d", (sum(map(names.weights.__getitem__, tokens)) for tokens in names.tokens)))


def _bag(tokens: list[str]) -> tuple[str, ...]:
    return tuple(sorted(set(tokens)))


def _weight(token: str, count: int, total: int) -> float:
    base = math.log(1 + total / count)
    if token in text.weak_words():
        return 0.2 * base
    return 0.3 * base if token in text.modifier_words() else base


def known_word(token: str) -> bool:
    """Whether an English word occurs in a name, or is one of the words around names."""
    return token in english().weights or token in text.modifier_words() or token in text.weak_words()


@lru_cache(maxsize=16_384)
def correct(token: str) -> tuple[str, float]:
    """A word of the names that a misspelt word is near, and how near in (0, 1]; the word itself when none is."""
    if len(token) < 5 or not token.isalpha() or known_word(token):
        return token, 1.0
    from rapidfuzz.distance import OSA

    allowed = 1 if len(token) < 7 else 2 if len(token) < 12 else 3
    best, distance = token, allowed + 1
    blocks = english().spelling
    # The first letter is seldom wrong; where it is, it was silent and left out (neumonia, soriasis) or swapped.
    for first in dict.fromkeys((token[0], *_SILENT.get(token[0], ""), token[1])):
        for word in blocks.get(first, ()):
            if abs(len(word) - len(token)) < distance and _same_prefix(word, token):
                off = OSA.distance(word, token, score_cutoff=distance - 1)
                if off < distance:
                    best, distance = word, off
    return (best, 1 - distance / (len(token) + 4)) if distance <= allowed else (token, 1.0)


_SILENT = {"n": "pgm", "s": "pc", "t": "p", "c": "s", "f": "p", "k": "c", "z": "x", "e": "oh", "i": "e", "h": ""}


def _same_prefix(word: str, token: str) -> bool:
    # One letter apart and opposite: hyper and hypo must not correct each other.
    return all(word.startswith(p) == token.startswith(p) for p in ("hypo", "hyper"))


@dataclass(frozen=True, slots=True)
class Chinese:
    """Chinese names."""

    exact: Table[Forms]
    loose: Table[Forms]
    sites: Automaton
    site_names: tuple[tuple[str, str], ...]
    """(form, site) by number."""
    heads: tuple[tuple[str, str], ...]
    """(form, head), longest first."""
    bare_heads: frozenset[str]
    modifiers: re.Pattern[str]


@cache
@uncollected
def chinese() -> Chinese:
    """The index of Chinese names."""
    exact: dict[str, Forms] = {}
    loose: dict[str, Forms] = {}
    for form in table_forms("zh"):
        name = text.chinese_name(text.prepare(form.name))
        if name:
            _add(exact, name, form)
            _add(loose, text.chinese_loose(name), form)
    sites = {text.chinese_name(text.prepare(form)): site for form, site in words().sites_zh.items()}
    heads = {text.chinese_name(text.prepare(f)): head for f, head in words().heads_zh.items()}
    return Chinese(
        Table(exact),
        Table(loose),
        Automaton(sites),
        tuple(sites.items()),
        tuple(sorted(heads.items(), key=lambda pair: (-len(pair[0]), pair[0]))),
        frozenset(heads) - {text.chinese_name(f) for f in words().types if words().types[f] == "pain"},
        chinese_modifiers(),
    )


class Pairs(NamedTuple):
    """Where each pair of characters occurs, for the search of names that are near."""

    names: tuple[str, ...]
    by_pair: dict[str, array[int]]
    """The numbers of the names with a pair."""


@cache
@uncollected
def chinese_pairs() -> Pairs:
    """The inverted index of Chinese names; built only when a diagnosis is no name of the tables as it stands."""
    names = tuple(chinese().exact)
    by_pair: dict[str, array[int]] = defaultdict(lambda: array("I"))
    for number, name in enumerate(names):
        if len(name) >= 2 and not name.isascii():
            for pair in pairs(name):
                by_pair[pair].append(number)
    return Pairs(names, dict(by_pair))


@cache
def chinese_modifiers() -> re.Pattern[str]:
    """What may be left out of a Chinese name, as a pattern over canonical strings."""
    forms = {text.chinese_name(text.prepare(form)) for form in words().modifiers_zh}
    return re.compile("|".join([*STAGES, *map(re.escape, sorted(forms, key=lambda form: (-len(form), form)))]))


STAGES = (
    r"c?p?t[0-4x][abc]?n[0-3x][abc]?m[01x]",
    r"(?:nyha|killip|who|figo|child-?pugh|garden|braden|eln)?(?:分级|分期|分型|分类)?(?:第)?[0-9ivx]+(?:[-~至/][0-9ivx]+)?[abc]?\d?(?:级|期|度|型)",
    r"(?:心功能|肝功能)(?:nyha|killip|child-?pugh)?(?:分级)?[0-9a-civx]+(?:[-~至/][0-9a-civx]+)?级",
    r"(?:nyha|killip|child-?pugh|who)(?:分级|分期)?",
    r"(?:hr|er|pr|her-?2|alk|egfr|hbsag|hla-?b27)(?:阳性|阴性)",
    r"[clts]\d{1,2}(?:[-/、~][clts]?\d{1,2})*",
)
"""What says stage, grade or level in a Chinese name, as regular expressions on the canonical string."""


def pairs(name: str) -> frozenset[str]:
    """The character pairs of a name."""
    return frozenset(name[i : i + 2] for i in range(len(name) - 1))
