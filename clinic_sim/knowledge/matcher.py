"""Finds every term of a lexicon in a text in one pass: leftmost, longest, never overlapping.

English is matched word by word on stems, so that inflections, articles and fillers do not matter; Chinese is matched
character by character. Both run on one Aho-Corasick automaton a lexicon.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple, Protocol

import ahocorasick

from clinic_sim.knowledge.letters import NO_LETTER, pair
from clinic_sim.knowledge.text import Language, fold, stem, well_spelt

APART = "/"
"""Forms under this id are read piece by piece: the first word of 无/关节 is "no", not the 无关 of "unrelated"."""


class Hit(NamedTuple):
    """A term found: where, and which concepts the words may name."""

    start: int
    end: int
    ids: tuple[str, ...]


class Matcher(Protocol):
    """Terms of one language, ready to be found."""

    def find(self, folded: str) -> list[Hit]:
        """Every term in folded text, in order."""
        ...


# Words that carry no meaning between the words of a term: "pain in your chest" is "pain in chest".
_FILLERS = frozenset(
    {
        *(
            "a",
            "an",
            "the",
            "my",
            "your",
            "his",
            "her",
            "their",
            "its",
            "our",
            "any",
            "some",
            "very",
            "really",
            "quite",
        ),
        *("just", "um", "uh", "uhm", "umm", "er", "ah", "actually", "basically", "also"),
    }
)
_TOKEN = re.compile(r"[a-z\u00c0-\u024f]+(?:'[a-z]+)?|\d+(?:[.,:/]\d+)*|[^\s\w'-]")


class _English:
    def __init__(self, forms: Iterable[tuple[str, tuple[str, ...]]], stem_of: Callable[[str], str] = stem) -> None:
        self._stem = stem_of
        table: dict[tuple[str, ...], tuple[str, ...]] = {}
        for form, ids in forms:
            words = tuple(stem_of(w) for w in _TOKEN.findall(fold(form)) if w not in _FILLERS)
            if words:
                table[words] = _merge(table.get(words, ()), ids)
        # The automaton runs over words, two letters each, and its positions are those of the letters.
        vocabulary = dict.fromkeys(word for key in table for word in key)
        self._letters = {word: pair(n) for n, word in enumerate(vocabulary)}
        self._automaton = ahocorasick.Automaton()
        shared: dict[tuple[int, int, tuple[str, ...]], tuple[int, int, tuple[str, ...]]] = {}
        for key, ids in table.items():
            letters = "".join(map(self._letters.__getitem__, key))
            found = (len(letters), sum(map(len, key)) + 2 * len(key), ids)
            self._automaton.add_word(letters, shared.setdefault(found, found))
        self._automaton.make_automaton()
        self._by_shape = _by_shape(vocabulary)
        stem.cache_clear()  # filled with words that `letters` now answers for
        self._letter = lru_cache(maxsize=32_768)(self._letter_of)

    def find(self, folded: str) -> list[Hit]:
        letter = self._letter
        letters = ""
        tokens: list[re.Match[str]] = []
        for token in _TOKEN.finditer(folded):
            found = letter(token[0])
            if found:
                letters += found
                tokens += (token, token) if len(found) == 2 else (token,)
        return [Hit(tokens[a].start(), tokens[b].end(), ids) for a, b, ids in _largest(self._automaton.iter(letters))]

    def _letter_of(self, word: str) -> str:
        """The letters that stand for a word; none for a filler."""
        return "" if word in _FILLERS else self._letters.get(self._correct_once(word), NO_LETTER)

    def _correct_once(self, word: str) -> str:
        """The stem of a word, or of the one word of the lexicon that is a slip of the pen away from it."""
        known = self._stem(word)
        if known in self._letters or len(word) < 8 or not word.isalpha() or well_spelt(word):
            return known
        candidates = {near for key in dict.fromkeys((word, known)) for near in self._near(key)}
        return candidates.pop() if len(candidates) == 1 else known

    def _near(self, word: str) -> Iterator[str]:
        """Words of the lexicon that a slip of the pen makes this one; its first letter is hardly ever mistaken."""
        letters = _letter_set(word)
        for length in (len(word) - 1, len(word), len(word) + 1):
            for other_letters, other in self._by_shape.get((word[0], length), ()):
                # Each has lost at most one letter of its own: most words differ in more, and are told by that.
                if (letters ^ other_letters).bit_count() <= 2 and _slip(word, other):
                    yield other


def _slip(one: str, other: str) -> bool:
    """Whether two words, at most a letter apart in length, become the same when each loses at most one letter."""
    start = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        start += 1
    if len(one) != len(other):
        short, long = sorted((one, other), key=len)
        return long[start + 1 :] == short[start:]
    end = len(one)
    while end > start and one[end - 1] == other[end - 1]:
        end -= 1
    return one[start + 1 : end] == other[start : end - 1] or one[start : end - 1] == other[start + 1 : end]


class _Chinese:
    def __init__(self, forms: Iterable[tuple[str, tuple[str, ...]]]) -> None:
        self._automaton = ahocorasick.Automaton()
        table: dict[str, tuple[str, ...]] = {}
        self._apart: dict[str, list[str]] = {}
        for form, ids in forms:
            key = fold(form).strip()
            if ids == (APART,):
                self._apart[key.replace("/", "")] = key.split("/")
            elif key:
                table[key] = _merge(table.get(key, ()), ids)
        shared: dict[tuple[int, tuple[str, ...]], tuple[int, tuple[str, ...]]] = {}
        for key, ids in (table | dict.fromkeys(self._apart, (APART,))).items():
            found = (len(key), ids)
            self._automaton.add_word(key, shared.setdefault(found, found))
        self._automaton.make_automaton()
        self._pieces = {piece: table[piece] for pieces in self._apart.values() for piece in pieces if piece in table}

    def find(self, folded: str) -> list[Hit]:
        hits: list[Hit] = []
        for start, last, ids in _longest(self._automaton.iter(folded)):
            if ids != (APART,):
                hits.append(Hit(start, last + 1, ids))
                continue
            for piece in self._apart[folded[start : last + 1]]:
                if piece in self._pieces:
                    hits.append(Hit(start, start + len(piece), self._pieces[piece]))
                start += len(piece)
        return hits


def _largest(found: Iterator[tuple[int, tuple[int, int, tuple[str, ...]]]]) -> list[tuple[int, int, tuple[str, ...]]]:
    """The longest first, wherever they stand, never overlapping: "up at night to urinate" before "at night"."""
    every = [(-size, end - letters + 1, end, ids) for end, (letters, size, ids) in found]
    every.sort()
    chosen: list[tuple[int, int, tuple[str, ...]]] = []
    taken = 0
    for _, start, end, ids in every:
        span = (2 << end) - (1 << start)
        if not taken & span:
            taken |= span
            chosen.append((start, end, ids))
    chosen.sort()
    return chosen


def _longest(found: Iterator[tuple[int, tuple[int, tuple[str, ...]]]]) -> list[tuple[int, int, tuple[str, ...]]]:
    """Leftmost, longest, never overlapping; the automaton's own `iter_long` loses terms after a failed longer one."""
    every = sorted((end - length + 1, -end, ids) for end, (length, ids) in found)
    chosen: list[tuple[int, int, tuple[str, ...]]] = []
    free = 0
    for start, minus_end, ids in every:
        if start >= free:
            chosen.append((start, -minus_end, ids))
            free = 1 - minus_end
    return chosen


def build(language: Language, forms: Iterable[tuple[str, tuple[str, ...]]], *, numbers_count: bool = False) -> Matcher:
    """A matcher for (form, concept ids) pairs; a form given twice names all its concepts.

    Args:
        numbers_count: Numbers are part of a name (vitamin B12, 0.9 % saline) rather than any number.
    """
    return _Chinese(forms) if language == "zh" else _English(forms, _stem_but_numbers if numbers_count else stem)


def _stem_but_numbers(word: str) -> str:
    return word if word[0].isdigit() else stem(word)


def _merge(known: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return (*known, *(i for i in more if i not in known)) if known else more


def _by_shape(vocabulary: Iterable[str]) -> dict[tuple[str, int], tuple[tuple[int, str], ...]]:
    """The words long enough to be misspelt, each with its set of letters, by first letter and length."""
    found: dict[tuple[str, int], list[tuple[int, str]]] = {}
    for word in vocabulary:
        if len(word) >= 7 and word.isalpha():
            found.setdefault((word[0], len(word)), []).append((_letter_set(word), word))
    return {shape: tuple(words) for shape, words in found.items()}


def _letter_set(word: str) -> int:
    """The letters of a word as bits; letters that share a bit only make more words alike."""
    letters = 0
    for letter in word:
        letters |= 1 << (ord(letter) & 31)
    return letters
