"""The names of diagnoses, ready to be looked up: exact by words, inverted by word or pair, corrected by spelling.

Built once on first use from all names of `diagnosis_tables`.
"""

from __future__ import annotations

import math
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain, tee
from typing import NamedTuple, TypeVar

from clinic_sim.knowledge import diagnosis_text as text
from clinic_sim.knowledge.automaton import Automaton
from clinic_sim.knowledge.building import uncollected
from clinic_sim.knowledge.diagnosis_tables import TITLE, Form, table_forms, title_forms
from clinic_sim.knowledge.diagnosis_words import words
from clinic_sim.knowledge.packed import Lists, Strings, Table

Forms = Form | tuple[Form, ...]
"""The names under a key: mostly one, which then stands by itself, since there are tens of thousands of them."""


def forms(found: Forms | None) -> tuple[Form, ...]:
    """The names under a key as they can be gone through."""
    return () if found is None else (found,) if isinstance(found, Form) else found


Under = dict[str, int | tuple[int, ...]]
"""Names by what they are looked up by; mostly one, which then stands by itself."""


class English:
    """English names: twenty thousand, so that they stand in one block and are made when they are asked."""

    __slots__ = ("_bags", "_cores", "_names", "_ordered", "listed", "spelling", "tokens", "weights", "words")

    def __init__(self, forms: Iterable[tuple[Form, list[str]]]) -> None:
        self._ordered: Under = {}
        self._bags: Under = {}
        self._cores: Under = {}
        codes: dict[str, int] = {}
        kinds = array("I")
        """What code each name is of."""

        def names() -> Iterator[str]:
            for number, (form, tokens) in enumerate(forms):
                kinds.append(codes.setdefault(form.code, len(codes)))
                words_, bag = " ".join(tokens), sorted(set(tokens))
                core = text.core(bag)
                _list(self._ordered, words_, number, kinds)
                _list(self._bags, words_ if bag == tokens else " ".join(bag), number, kinds)
                if core != bag:
                    _list(self._cores, " ".join(core), number, kinds)
                yield f"{form.code}\t{form.source}\t{form.name}"

        self._names = Strings(names())
        bags = {number: bag for bag, found in self._bags.items() for number in _each(found)}
        self.listed = array("I", sorted(bags))
        """The number of every name; of the names of one code with the same words the first."""
        counts = Counter(token for number in self.listed for token in bags[number].split(" "))
        self.weights = Table({token: _weight(token, count, len(self.listed)) for token, count in counts.items()})
        self.words = Strings(counts)
        """The content words of all names, by number."""
        numbers = {token: number for number, token in enumerate(counts)}
        self.tokens = Lists([[numbers[token] for token in bags[number].split(" ")] for number in self.listed])
        """The numbers of the content words of each listed name, sorted as the words are."""
        spelling: dict[str, list[str]] = defaultdict(list)
        for token in sorted(set(counts) | text.modifier_words().keys() | text.weak_words() | words().equal_en.keys()):
            if len(token) > 3 and token.isalpha():
                spelling[token[0]].append(token)
        self.spelling = {key: tuple(value) for key, value in spelling.items()}
        """Words of the names by first letter, for misspellings."""

    def name(self, number: int) -> Form:
        """A name by its number."""
        code, source, name = self._names[number].split("\t")
        return Form(code, name, int(source))

    def ordered(self, tokens: list[str]) -> tuple[Form, ...]:
        """The names of these content words in this order."""
        return self._made(self._ordered.get(" ".join(tokens)))

    def bag(self, tokens: list[str]) -> tuple[Form, ...]:
        """The names of these content words in any order."""
        return self._made(self._bags.get(_bag(tokens)))

    def core(self, tokens: list[str]) -> tuple[Form, ...]:
        """The names of which these are the core words in any order, where they have others besides."""
        return self._made(self._cores.get(_bag(tokens)))

    def _made(self, found: int | tuple[int, ...] | None) -> tuple[Form, ...]:
        return () if found is None else tuple(map(self.name, _each(found)))


def _bag(tokens: list[str]) -> str:
    return " ".join(sorted(set(tokens)))


def _each(found: int | tuple[int, ...]) -> tuple[int, ...]:
    return (found,) if isinstance(found, int) else found


def _list(under: Under, key: str, number: int, kinds: array[int]) -> None:
    """One more name under a key; the first of each code stays."""
    known = under.setdefault(key, number)
    if known is not number and all(kinds[other] != kinds[number] for other in _each(known)):
        under[key] = (*_each(known), number)


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
    for form in table_forms("zh", ascii_only=True):
        yield form._replace(source=TITLE)


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
    found = English(_english_forms())
    text.canonical.cache_clear()  # filled with every word of the tables
    return found


def _english_forms() -> Iterator[tuple[Form, list[str]]]:
    """Every English name with its content words, the better sources first."""
    titles = sorted(title_forms(), key=lambda f: (f.source, len(f.code)))
    for form in chain(table_forms("en"), _latin_of_chinese(), titles):
        tokens = text.content(text.english_words(text.prepare(form.name)))
        if tokens:
            yield form, tokens


class Postings(NamedTuple):
    """Where each word occurs, for the search of names that are near."""

    names: Lists
    """The places in `English.listed` of the names with a word, by the word's number."""
    weights: array[float]
    """What all words of a name weigh together."""

    def having(self, token: str) -> array[int]:
        """The places in `English.listed` of the names with a word that is in one."""
        return self.names[english().weights.number(token)]


@cache
@uncollected
def postings() -> Postings:
    """The inverted index of English names; built only when a diagnosis is no name of the tables as it stands."""
    names = english()
    having: list[list[int]] = [[] for _ in range(len(names.words))]
    weights = [names.weights[word] for word in names.words]
    whole = array("d")
    for place, tokens in enumerate(names.tokens):
        whole.append(sum(map(weights.__getitem__, tokens)))
        for token in tokens:
            having[token].append(place)
    return Postings(Lists(having), whole)


def _weight(token: str, count: int, total: int) -> float:
    base = math.log(1 + total / count)
    if token in text.weak_words():
        return 0.2 * base
    return 0.3 * base if token in text.modifier_words() else base


def known_word(token: str) -> bool:
    """Whether an English word occurs in a name, or is one of the words around names."""
    return token in english().weights or token in text.modifier_words() or token in text.weak_words()


@lru_cache(maxsize=16_384)
def correct(written: str) -> tuple[str, float]:
    """The canonical word that a written one is or is a misspelling of, and how near it is in (0, 1]."""
    token = text.canonical(written)
    if len(written) < _SHORTEST_CORRECTED or not written.isalpha() or known_word(token):
        return token, 1.0
    from rapidfuzz.distance import OSA

    # The ending that makes a plural may be all that is left of another: gastrits is no gastric.
    tried = dict.fromkeys((written, token))
    short = len(written) == _SHORTEST_CORRECTED
    distance = 1 if len(written) < 7 else 2 if len(written) < 12 else 3
    best: tuple[float, float, str] | None = None
    blocks = english().spelling
    # The first letter is seldom wrong; where it is, it was silent and left out (neumonia, soriasis) or swapped.
    for first in dict.fromkeys((written[0], *_SILENT.get(written[0], ""), written[1])):
        for word in blocks.get(first, ()):
            for form in tried:
                if abs(len(word) - len(form)) > distance or not _same_prefix(word, form):
                    continue
                off = OSA.distance(word, form, score_cutoff=distance)
                if off > distance or (short and not _slip(word, form)):
                    continue
                # Of words as near as each other the one that more names have is the likelier.
                rank = (off + 0.5 * (form != written) + (first != written[0]), _rarity(word), word)
                if best is None or rank < best:
                    best, distance = rank, min(distance, off)
    if best is None:
        return token, 1.0
    return text.canonical(best[2]), 1 - best[0] / (len(written) + 4)


_SHORTEST_CORRECTED = 4
_COMMON_WORD = 7.0
"""The weight up to which a word is common enough for a misspelling of four letters to mean it."""


def _rarity(word: str) -> float:
    weight = english().weights.get(text.canonical(word))
    return math.inf if weight is None else weight


def _slip(word: str, form: str) -> bool:
    """Whether a word of four letters is a common one with two letters swapped, or one left out or written twice."""
    swapped = len(word) == len(form) and sorted(word) == sorted(form)
    return (swapped or len(word) == len(form) + 1) and _rarity(word) <= _COMMON_WORD


_SILENT = {"n": "pgm", "s": "pc", "t": "p", "c": "s", "f": "p", "k": "c", "z": "x", "e": "oh", "i": "e", "h": ""}


def _same_prefix(word: str, token: str) -> bool:
    # One letter apart and opposite: hyper and hypo must not correct each other.
    return all(word.startswith(p) == token.startswith(p) for p in ("hypo", "hyper"))


@dataclass(frozen=True, slots=True)
class Chinese:
    """Chinese names."""

    exact: Table[Forms]
    loose: Table[Forms]
    """By the name without what writers drop, where that leaves less than the name."""
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
    listed, again = tee(table_forms("zh"))
    for form, name in zip(listed, text.chinese_names(text.prepare(form.name) for form in again), strict=True):
        if name:
            _add(exact, name, form)
            dropped = text.chinese_loose(name)
            if dropped != name:
                _add(loose, dropped, form)
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
    r"(?<=[颈胸腰骶])\d{1,4}",
    r"c?(?:ti|bi|pi|lung|o)rads(?:分级|分类)?[0-6][a-c]?(?:类|级)?",
)
"""What says stage, grade or level in a Chinese name, as regular expressions on the canonical string."""


def pairs(name: str) -> frozenset[str]:
    """The character pairs of a name."""
    return frozenset(name[i : i + 2] for i in range(len(name) - 1))
