"""The names of diagnoses, ready to be looked up: exact by words, inverted by word or pair, corrected by spelling.

Built once on first use from the official titles and the tables of names; owns `data/icd10_en.tsv` and reads every
`data/icd10_zh*.tsv`.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

import ahocorasick
from rapidfuzz.distance import OSA

from clinic_sim.errors import ConfigError
from clinic_sim.knowledge import diagnosis_text as text
from clinic_sim.knowledge import icd10
from clinic_sim.knowledge.diagnosis_words import alternatives, table_rows, words

TABLE, TITLE, REMAINDER = 0, 1, 2
"""Where a name comes from, the better first: our tables, an official title, one that says `other` or `unspecified`."""


class Form(NamedTuple):
    """One name of one code."""

    code: str
    name: str
    source: int


@cache
def table_forms(language: str) -> tuple[Form, ...]:
    """The names of our tables in their order, a code's preferred name first."""
    forms = []
    for where, code, names in _tables(language):
        if not icd10.is_valid(code):
            raise ConfigError(f"{where}: {code!r} is no category or subcategory of the WHO ICD-10 (2019)")
        forms += [Form(code, name, TABLE) for name in names]
    return tuple(forms)


def _tables(language: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    if language == "en":
        for where, (code, synonyms) in table_rows("icd10_en.tsv", 2):
            yield where, code, alternatives(synonyms)
        return
    folder = files("clinic_sim.knowledge").joinpath("data")
    for name in sorted(f.name for f in folder.iterdir() if re.fullmatch(r"icd10_zh\w*\.tsv", f.name)):
        for where, (code, best, synonyms) in table_rows(name, 3):
            yield where, code, (*alternatives(best), *alternatives(synonyms))


_NOISE = re.compile(r"\[[^\]]*\]|\([^)]*\)|, (?:not )?elsewhere classified|, so stated|, so described")
_REMAINDER = re.compile(r"\b(?:other and unspecified|unspecified|other specified|other|specified)\b|, ?$")
_SITE_ONLY = re.compile(r"^malignant neoplasm: |^carcinoma in situ: |^benign neoplasm: ", re.IGNORECASE)


@cache
def title_forms() -> tuple[Form, ...]:
    """The official titles as names, without what only a classifier writes, external causes and reserved codes."""
    forms = []
    for item in icd10.items().values():
        if not icd10.is_valid(item.code) or item.code[0] in "VWXYU" or len(item.code) > 5:
            continue
        plain = _NOISE.sub("", item.title)
        if _SITE_ONLY.match(plain):
            plain = plain.replace(": ", " of ")
        name = " ".join(_REMAINDER.sub(" ", plain.lower()).replace(" : ", " ").split()).strip(" ,:")
        remainder = bool(_REMAINDER.search(plain.lower()))
        if name:
            forms.append(Form(item.code, name, REMAINDER if remainder else TITLE))
    return tuple(forms)


class Posting(NamedTuple):
    """A name as the search sees it."""

    form: Form
    tokens: frozenset[str]
    head: str
    weight: float


@dataclass(frozen=True, slots=True)
class English:
    """English names."""

    ordered: dict[str, tuple[Form, ...]]
    bags: dict[tuple[str, ...], tuple[Form, ...]]
    """By sorted content words."""
    cores: dict[tuple[str, ...], tuple[Form, ...]]
    """By sorted core words, where those are fewer."""
    postings: tuple[Posting, ...]
    by_token: dict[str, tuple[int, ...]]
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


def _latin_of_chinese() -> Iterator[Form]:
    """The abbreviations of the Chinese table: Chinese doctors write HSIL and COPD alone, and English ones know them."""
    for form in table_forms("zh"):
        if form.name.isascii():
            yield Form(form.code, form.name, TITLE)


@cache
def english() -> English:
    """The index of English names."""
    ordered: dict[str, dict[str, Form]] = defaultdict(dict)
    bags: dict[tuple[str, ...], dict[str, Form]] = defaultdict(dict)
    cores: dict[tuple[str, ...], dict[str, Form]] = defaultdict(dict)
    postings: list[tuple[Form, frozenset[str], str]] = []
    seen: set[tuple[str, str]] = set()
    for form in (
        *table_forms("en"),
        *_latin_of_chinese(),
        *sorted(title_forms(), key=lambda f: (f.source, len(f.code))),
    ):
        prepared = text.prepare(form.name)
        tokens = text.content(text.english_words(prepared))
        if not tokens:
            continue
        ordered[" ".join(tokens)].setdefault(form.code, form)
        bag, core = _bag(tokens), _bag(text.core(tokens))
        bags[bag].setdefault(form.code, form)
        if core != bag:
            cores[core].setdefault(form.code, form)
        key = (form.code, " ".join(sorted(set(tokens))))
        if key not in seen:
            seen.add(key)
            postings.append((form, frozenset(tokens), head_of(prepared)))
    counts: dict[str, int] = defaultdict(int)
    for _, bag_of, _ in postings:
        for token in bag_of:
            counts[token] += 1
    weights = {token: _weight(token, count, len(postings)) for token, count in counts.items()}
    by_token: dict[str, list[int]] = defaultdict(list)
    done = []
    for number, (form, bag_of, head) in enumerate(postings):
        done.append(Posting(form, bag_of, head, sum(weights[t] for t in sorted(bag_of))))
        for token in sorted(bag_of):
            by_token[token].append(number)
    spelling: dict[str, list[str]] = defaultdict(list)
    for token in sorted(set(counts) | text.modifier_words().keys() | text.weak_words()):
        if len(token) > 3 and token.isalpha():
            spelling[token[0]].append(token)
    return English(
        {key: tuple(value.values()) for key, value in ordered.items()},
        {key: tuple(value.values()) for key, value in bags.items()},
        {key: tuple(value.values()) for key, value in cores.items()},
        tuple(done),
        {key: tuple(value) for key, value in by_token.items()},
        weights,
        {key: tuple(value) for key, value in spelling.items()},
    )


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

    exact: dict[str, tuple[Form, ...]]
    loose: dict[str, tuple[Form, ...]]
    automaton: ahocorasick.Automaton
    names: tuple[str, ...]
    by_pair: dict[str, tuple[int, ...]]
    sites: ahocorasick.Automaton
    heads: tuple[tuple[str, str], ...]
    """(form, head), longest first."""
    bare_heads: frozenset[str]
    modifiers: re.Pattern[str]


@cache
def chinese() -> Chinese:
    """The index of Chinese names."""
    exact: dict[str, dict[str, Form]] = defaultdict(dict)
    loose: dict[str, dict[str, Form]] = defaultdict(dict)
    for form in table_forms("zh"):
        name = text.chinese_name(text.prepare(form.name))
        if name:
            exact[name].setdefault(form.code, form)
            loose[text.chinese_loose(name)].setdefault(form.code, form)
    automaton = ahocorasick.Automaton()
    by_pair: dict[str, list[int]] = defaultdict(list)
    names = tuple(exact)
    for number, name in enumerate(names):
        if len(name) >= 2 and not name.isascii():
            automaton.add_word(name, name)
            for pair in sorted(pairs(name)):
                by_pair[pair].append(number)
    automaton.make_automaton()
    sites = ahocorasick.Automaton()
    for site_form, site in words().sites_zh.items():
        key = text.chinese_name(text.prepare(site_form))
        sites.add_word(key, (key, site))
    sites.make_automaton()
    heads = {text.chinese_name(text.prepare(f)): head for f, head in words().heads_zh.items()}
    modifiers = sorted({text.chinese_name(text.prepare(f)) for f in words().modifiers_zh}, key=lambda f: (-len(f), f))
    return Chinese(
        {key: tuple(value.values()) for key, value in exact.items()},
        {key: tuple(value.values()) for key, value in loose.items()},
        automaton,
        names,
        {key: tuple(value) for key, value in by_pair.items()},
        sites,
        tuple(sorted(heads.items(), key=lambda pair: (-len(pair[0]), pair[0]))),
        frozenset(heads) - {text.chinese_name(f) for f in words().types if words().types[f] == "pain"},
        re.compile("|".join([*STAGES, *map(re.escape, modifiers)])),
    )


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
