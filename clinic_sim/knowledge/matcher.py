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


_FIRST_LETTER = 0xF0000
"""Where the private letters begin that stand for words."""
_NO_LETTER = "\ufffd"


class _English:
    def __init__(self, forms: Iterable[tuple[str, tuple[str, ...]]], stem_of: Callable[[str], str] = stem) -> None:
        self._stem = stem_of
        table: dict[tuple[str, ...], tuple[str, ...]] = {}
        for form, ids in forms:
            words = tuple(stem_of(w) for w in _TOKEN.findall(fold(form)) if w not in _FILLERS)
            if words:
                table[words] = _merge(table.get(words, ()), ids)
        # One character a word: the automaton then runs over words, and its positions are those of the words.
        vocabulary = dict.fromkeys(word for key in table for word in key)
        self._letters = {word: chr(_FIRST_LETTER + n) for n, word in enumerate(vocabulary)}
        self._automaton = ahocorasick.Automaton()
        for key, ids in table.items():
            letters = "".join(map(self._letters.__getitem__, key))
            self._automaton.add_word(letters, (len(key), sum(map(len, key)) + 2 * len(key), ids))
        self._vocabulary = frozenset(vocabulary)
        self._near = _near(self._vocabulary)
        self._automaton.make_automaton()
        self._letter = lru_cache(maxsize=32_768)(self._letter_of)

    def find(self, folded: str) -> list[Hit]:
        letter = self._letter
        letters = ""
        tokens = []
        for token in _TOKEN.finditer(folded):
            found = letter(token[0])
            if found:
                letters += found
                tokens.append(token)
        return [Hit(tokens[a].start(), tokens[b].end(), ids) for a, b, ids in _largest(self._automaton.iter(letters))]

    def _letter_of(self, word: str) -> str:
        """The letter that stands for a word; none for a filler."""
        return "" if word in _FILLERS else self._letters.get(self._correct_once(word), _NO_LETTER)

    def _correct_once(self, word: str) -> str:
        """The stem of a word, or of the one word of the lexicon that is a slip of the pen away from it."""
        known = self._stem(word)
        if known in self._vocabulary or len(word) < 8 or not word.isalpha() or well_spelt(word):
            return known
        candidates = {near for key in (word, known) for cut in _deletions(key) for near in self._near.get(cut, ())}
        return candidates.pop() if len(candidates) == 1 else known


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
        for key, ids in (table | dict.fromkeys(self._apart, (APART,))).items():
            self._automaton.add_word(key, (len(key), ids))
        self._automaton.make_automaton()
        self._table = table

    def find(self, folded: str) -> list[Hit]:
        hits: list[Hit] = []
        for start, last, ids in _longest(self._automaton.iter(folded)):
            if ids != (APART,):
                hits.append(Hit(start, last + 1, ids))
                continue
            for piece in self._apart[folded[start : last + 1]]:
                if piece in self._table:
                    hits.append(Hit(start, start + len(piece), self._table[piece]))
                start += len(piece)
        return hits


def _largest(found: Iterator[tuple[int, tuple[int, int, tuple[str, ...]]]]) -> list[tuple[int, int, tuple[str, ...]]]:
    """The longest first, wherever they stand, never overlapping: "up at night to urinate" before "at night"."""
    every = [(-size, end - words + 1, end, ids) for end, (words, size, ids) in found]
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
    return (*known, *(i for i in more if i not in known))


def _deletions(word: str) -> list[str]:
    # The first letter is almost never mistaken, and keeping it keeps unlike words apart.
    return [word, *(word[:i] + word[i + 1 :] for i in range(1, len(word)))]


def _near(vocabulary: frozenset[str]) -> dict[str, tuple[str, ...]]:
    near: dict[str, tuple[str, ...]] = {}
    for word in sorted(vocabulary):
        if len(word) >= 7 and word.isalpha():
            for cut in _deletions(word):
                near[cut] = _merge(near.get(cut, ()), (word,))
    return near
