"""How the words of a diagnosis are compared: English as canonical words, Chinese as a canonical string.

Both sides of a comparison (tables and texts) pass through the same functions, so a rule here need not be good spelling,
only the same for every spelling of one word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache
from itertools import islice

from clinic_sim.knowledge.diagnosis_words import words
from clinic_sim.knowledge.text import clean, fold

TEXT_LIMIT = 4_000
"""Characters of a text that are read; more is not a diagnosis, and time must be bounded."""

_WORD = re.compile(r"[a-z0-9]+")
_POSSESSIVE = re.compile(r"(?<=[a-z])'s?\b")
_PREFIX = re.compile(
    r"\b(?:(pre|non|ante|peri|gastro|broncho)[ -](?=[a-z])"
    r"|(post)[ -](?=partum|term|natal|menopausal|traumatic|operative|infectious|viral|streptococcal|herpetic))"
)
"""A prefix written apart: pre-eclampsia, non Hodgkin, post partum."""
_GREEK = str.maketrans(
    {"α": " alpha ", "β": " beta ", "γ": " gamma ", "δ": " delta ", "ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l"}
)
_ROMAN = str.maketrans(
    {"ⅰ": "i", "ⅱ": "ii", "ⅲ": "iii", "ⅳ": "iv", "ⅴ": "v", "ⅵ": "vi", "ⅶ": "vii", "ⅷ": "viii", "×": "x", "°": "度"}
)


_PLAIN = re.compile("[ -_a-~\u4e00-\u9fff]*")
"""Text that folding and normalising leave as it is, but for its case."""


def prepare(text: str) -> str:
    """Bounded, folded, accents and ligatures undone; lower case."""
    if len(text) <= TEXT_LIMIT and ((text.isascii() and text.isprintable()) or _PLAIN.fullmatch(text)):
        return text.strip().lower()
    folded = fold(clean(text, TEXT_LIMIT).text).translate(_ROMAN)
    if not folded.isascii():
        folded = folded.translate(_GREEK)
        folded = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    return folded


@lru_cache(maxsize=65_536)
def canonical(word: str) -> str:
    """The word that stands for an English word: kidneys, renal are kidney; haemorrhage, bleeding are hemorrhage."""
    equal = words().equal_en
    known = equal.get(word)
    if known is not None:
        return known
    spelt = _american(word)
    known = equal.get(spelt)
    if known is not None:
        return known
    single = _singular(spelt)
    return equal.get(single, single)


def _american(word: str) -> str:
    if len(word) < 5:
        return word
    word = word.replace("ae", "e").replace("oe", "e").replace("leuco", "leuko").replace("sulph", "sulf")
    if word.endswith(("our", "tre")):
        return word[:-3] + ("or" if word.endswith("our") else "ter")
    return word.replace("isation", "ization").replace("yse", "yze")


_VOWELS = frozenset("aeiouy")


def _singular(word: str) -> str:
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")) or _VOWELS.isdisjoint(word):
        return word
    if word.endswith("ies") and len(word) > 5:
        return word[:-3] + "y"
    if word.endswith("oses"):
        return word[:-2] + "is"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1]


def written_words(prepared: str) -> list[str]:
    """The words of prepared text as they are written, in order."""
    joined = _PREFIX.sub(lambda m: m.group(m.lastindex or 0), prepared)
    if "'" in joined:
        joined = _POSSESSIVE.sub("", joined)
    return _WORD.findall(joined)


def english_words(prepared: str) -> list[str]:
    """The canonical words of prepared text, in order."""
    return [canonical(word) for word in written_words(prepared)]


@cache
def _canonical_stop() -> frozenset[str]:
    return words().stop


@cache
def weak_words() -> frozenset[str]:
    """Words that name almost nothing alone, canonical."""
    return frozenset(canonical(word) for word in words().weak)


@cache
def modifier_words() -> dict[str, str]:
    """Words that may be left out, canonical, and their class."""
    return {canonical(part): kind for word, kind in words().modifiers_en.items() for part in _WORD.findall(word)}


@cache
def site_words() -> frozenset[str]:
    """Canonical words that are the name of a site; alone they name no disease."""
    return frozenset(canonical(form) for form in words().sites_en if " " not in form)


def content(tokens: list[str]) -> list[str]:
    """Canonical words without those that name nothing; all of them when nothing would be left (`AS`, `IT`)."""
    stop = _canonical_stop()
    if stop.isdisjoint(tokens) and "secondary" not in tokens:
        return tokens
    around = zip(["", *tokens], tokens, [*tokens[1:], ""], strict=False)
    kept = [t for before, t, after in around if (t not in stop or _is_letter(before, t)) and (t, after) != _CAUSED]
    return kept or tokens


def _is_letter(before: str, word: str) -> bool:
    return word == "a" and before in _LETTERED


_CAUSED = ("secondary", "to")
"""Here secondary is no word of the name, as it is in secondary syphilis."""
_LETTERED = frozenset(("hepatitis", "hemophilia", "influenza", "type", "group", "vitamin"))
"""What goes by letters: the A of hepatitis A is no article."""


def core(tokens: list[str]) -> list[str]:
    """Content words without disease, disorder, syndrome and their like; all of them when nothing would be left."""
    weak = weak_words()
    if weak.isdisjoint(tokens):
        return tokens
    return [token for token in tokens if token not in weak] or tokens


_BLANK = re.compile(r"\s+")
_NUMBER = (("iv", "4"), ("iii", "3"), ("ii", "2"), ("i", "1"), ("四", "4"), ("三", "3"), ("二", "2"), ("一", "1"))
_COUNTED = re.compile(r"(?<![a-z])(iv|iii|ii|i|四|三|二|一)(?=[型期级度]|呼)")
_COUNTS = dict(_NUMBER)
_VERTEBRA = re.compile(r"(?<![a-z0-9])(?:c[1-7]|t(?:1[0-2]|[1-9])|l[1-5])(?=椎)")
_SPINES = {"c": "颈", "t": "胸", "l": "腰"}
"""The spine that a vertebra belongs to: T12椎体 is one of the 胸椎."""
_QUIET = re.compile(r"[\s\-_'\"*#/`~^|\\·•.,:!<>=+&]+")


@cache
def _equal_zh() -> tuple[re.Pattern[str], dict[str, str]]:
    table = {_BLANK.sub("", prepare(form)): prepare(best) for form, best in words().equal_zh.items()}
    longest = sorted(table, key=lambda form: (-len(form), form))
    # Latin abbreviations only where they stand alone: the HP of HPV is not a bacterium.
    parts = (rf"(?<![a-z]){re.escape(f)}(?![a-z])" if f.isascii() else re.escape(f) for f in longest)
    return re.compile("|".join(parts)), table


def chinese(prepared: str) -> str:
    """Prepared text as one canonical string: no blanks, one spelling, `II型` as `2型`; brackets are kept."""
    packed = _BLANK.sub("", prepared)
    packed = _COUNTED.sub(lambda m: _COUNTS[m.group()], packed)
    packed = _VERTEBRA.sub(lambda m: _SPINES[m.group()[0]], packed)
    pattern, table = _equal_zh()
    return pattern.sub(lambda m: table[m.group()], packed)


def chinese_name(prepared: str) -> str:
    """A name without any punctuation, as names are looked up."""
    return unpunctuated(chinese(prepared))


def unpunctuated(prepared: str) -> str:
    """Prepared text without blanks and punctuation, each of its words as it was written."""
    return _QUIET.sub("", prepared.replace("(", "").replace(")", "").replace("[", "").replace("]", ""))


_APART = "\0"
"""Between names that are read together: nothing that a rule of this module looks for."""


_AT_ONCE = 1_000
"""Names that are read together: enough to be fast, few enough to take no memory."""


def chinese_names(prepared: Iterable[str]) -> Iterator[str]:
    """Many names as `chinese_name` makes each, in a tenth of the time."""
    return _together(chinese_name, prepared)


def plain_names(prepared: Iterable[str]) -> Iterator[str]:
    """Many names as `unpunctuated` makes each."""
    return _together(unpunctuated, prepared)


def _together(read: Callable[[str], str], prepared: Iterable[str]) -> Iterator[str]:
    names = iter(prepared)
    while some := [name.replace(_APART, "") for name in islice(names, _AT_ONCE)]:
        yield from read(_APART.join(some)).split(_APART)


_LOOSE = re.compile("[性型的症病氏]")


def chinese_loose(name: str) -> str:
    """A name without the syllables that writers add and drop freely: 抑郁症 and 抑郁, 不稳定型 and 不稳定性."""
    loose = _LOOSE.sub("", name)
    return loose if len(loose) >= 2 else name
