"""Finds every term of a lexicon in a text in one pass: leftmost, longest, never overlapping.

English is matched word by word on stems, so that inflections, articles and fillers do not matter; Chinese is matched
character by character. Both run on one automaton a lexicon, or on its strings packed where it is big and asked seldom.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, lru_cache
from typing import NamedTuple, Protocol, TypeAlias

from clinic_sim.knowledge.automaton import Automaton
from clinic_sim.knowledge.letters import NO_LETTER, letter_of
from clinic_sim.knowledge.packed import Packed, Strings
from clinic_sim.knowledge.text import Language, fold, stem, stem_once, well_spelt

APART = "/"
"""Forms under this id are read piece by piece: the first word of 无/关节 is "no", not the 无关 of "unrelated"."""


class Hit(NamedTuple):
    """A term found: where, and which concepts the words may name."""

    start: int
    end: int
    ids: tuple[str, ...]


Forms = Iterable[tuple[str, tuple[str, ...]]]
"""Terms as they are written, each with the concepts that it names."""


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


class _Spelling(dict[str, str]):
    """Words as they stand in a lexicon to the letters of their stems, given out as they come; none for a filler.

    Shared by all forms while a matcher is built, and dropped then: most words stand in many forms.
    """

    def __init__(self, numbers_count: bool) -> None:
        self._numbers_count = numbers_count
        self.numbers: dict[str, int] = {}
        """The stems, in the order of their letters."""

    def __missing__(self, word: str) -> str:
        if word in _FILLERS:
            self[word] = ""
        else:
            known = word if self._numbers_count and word[0].isdigit() else stem_once(word)
            self[word] = letter_of(self.numbers.setdefault(known, len(self.numbers)))
        return self[word]


class _English:
    def __init__(self, forms: Forms, numbers_count: bool, packed: bool) -> None:
        self._stem: Callable[[str], str] = _stem_but_numbers if numbers_count else stem
        # The automaton runs over words, a letter each, so its positions are those of the words.
        spelling = _Spelling(numbers_count)
        spelt = (("".join(map(spelling.__getitem__, _TOKEN.findall(fold(form)))), ids) for form, ids in forms)
        self._finder, self._ids, words, _ = _table(spelt, packed)
        size_of = {letter_of(n): len(word) + 2 for word, n in spelling.numbers.items()}.__getitem__
        self._numbers = Packed(spelling.numbers) if packed else spelling.numbers
        del spelling
        self._sizes = array("H", (sum(map(size_of, letters)) for letters in words))
        self._letter = lru_cache(maxsize=32_768)(self._letter_of)

    def find(self, folded: str) -> list[Hit]:
        letter = self._letter
        letters = ""
        tokens: list[re.Match[str]] = []
        for token in _TOKEN.finditer(folded):
            found = letter(token[0])
            if found:
                letters += found
                tokens.append(token)
        hits = self._finder.find(letters)
        if not hits:
            return []
        sizes, ids = self._sizes, self._ids
        if len(hits) > 1:
            hits = _largest(hits, sizes)
        return [Hit(tokens[start].start(), tokens[end - 1].end(), ids[n]) for n, start, end in hits]

    def _letter_of(self, word: str) -> str:
        """The letter that stands for a word; none for a filler."""
        if word in _FILLERS:
            return ""
        number = self._numbers.get(self._correct_once(word))
        return NO_LETTER if number is None else letter_of(number)

    def _correct_once(self, word: str) -> str:
        """The stem of a word, or of the one word of the lexicon that is a slip of the pen away from it."""
        known = self._stem(word)
        if known in self._numbers or len(word) < 8 or not word.isalpha() or well_spelt(word):
            return known
        candidates = {near for key in dict.fromkeys((word, known)) for near in self._near(key)}
        return candidates.pop() if len(candidates) == 1 else known

    @cached_property
    def _by_shape(self) -> Shapes:
        """The words that others may be slips of, sorted when the first word that nobody knows is met."""
        return _by_shape(self._numbers)

    def _near(self, word: str) -> Iterator[str]:
        """Words of the lexicon that a slip of the pen makes this one; its first letter is hardly ever mistaken."""
        letters = _letter_set(word)
        for length in (len(word) - 1, len(word), len(word) + 1):
            for other_letters, other in zip(*self._by_shape.get((word[0], length), ((), ())), strict=True):
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
    def __init__(self, forms: Forms, packed: bool) -> None:
        self._apart: dict[str, list[str]] = {}
        self._finder, ids, _, ids_of = _table(self._spelt(forms), packed)
        pieces = {piece: ids_of(piece) for listed in self._apart.values() for piece in listed}
        self._pieces = {piece: own for piece, all_ids in pieces.items() if (own := _without_apart(all_ids))}
        self._ids = [(APART,) if APART in all_ids else all_ids for all_ids in ids]

    def _spelt(self, forms: Forms) -> Forms:
        """The forms as they are looked for, those that are read piece by piece last."""
        for form, ids in forms:
            key = fold(form).strip()
            if ids == (APART,):
                self._apart[key.replace("/", "")] = key.split("/")
            else:
                yield key, ids
        yield from ((key, (APART,)) for key in self._apart)

    def find(self, folded: str) -> list[Hit]:
        found = self._finder.find(folded)
        if not found:
            return []
        if len(found) > 1:
            found = _longest(found)
        table = self._ids
        hits: list[Hit] = []
        for number, start, end in found:
            ids = table[number]
            if ids != (APART,):
                hits.append(Hit(start, end, ids))
                continue
            for piece in self._apart[folded[start:end]]:
                if piece in self._pieces:
                    hits.append(Hit(start, start + len(piece), self._pieces[piece]))
                start += len(piece)
        return hits


def _without_apart(ids: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(id_ for id_ in ids if id_ != APART)


class _Table(NamedTuple):
    """Terms and what they name, by the numbers that their finder gives them."""

    finder: Automaton | Packed
    ids: list[tuple[str, ...]]
    words: Iterable[str]
    ids_of: Callable[[str], tuple[str, ...]]


def _table(spelt: Forms, packed: bool) -> _Table:
    """The table of terms as they are looked for; one that is there already names all concepts of both."""
    if packed:
        return _packed_table(spelt)
    table: dict[str, tuple[str, ...]] = {}
    for word, ids in spelt:
        if word:
            known = table.get(word)
            table[word] = ids if known is None else _merge(known, ids)
    return _Table(Automaton(table), list(table.values()), table, lambda word: table.get(word, ()))


def _packed_table(spelt: Forms) -> _Table:
    """The same without ever having its words side by side as objects: they would be many, and all for nothing."""
    named: list[tuple[str, ...]] = []

    def words() -> Iterator[str]:
        for word, ids in spelt:
            if word:
                named.append(ids)
                yield word

    listed = Strings(words())
    finder = Packed(listed)
    every: list[tuple[str, ...]] = [()] * len(finder)
    for number, ids in zip(finder.numbers(listed), named, strict=True):
        every[number] = _merge(every[number], ids)

    def ids_of(word: str) -> tuple[str, ...]:
        number = finder.get(word)
        return () if number is None else every[number]

    return _Table(finder, every, finder, ids_of)


Found = list[tuple[int, int, int]]
"""What an automaton found: the number of the word, where it starts and ends."""


def _largest(found: Found, sizes: array[int]) -> Found:
    """The longest first, wherever they stand, never overlapping: "up at night to urinate" before "at night"."""
    every = [(-sizes[number], start, end, number) for number, start, end in found]
    every.sort()
    chosen: Found = []
    taken = 0
    for _, start, end, number in every:
        span = (1 << end) - (1 << start)
        if not taken & span:
            taken |= span
            chosen.append((number, start, end))
    chosen.sort(key=_start)
    return chosen


def _longest(found: Found) -> Found:
    """Leftmost, longest, never overlapping; the automaton's own way to that loses terms after a failed longer one."""
    every = [(start, -end, number) for number, start, end in found]
    every.sort()
    chosen: Found = []
    free = 0
    for start, minus_end, number in every:
        if start >= free:
            free = -minus_end
            chosen.append((number, start, free))
    return chosen


def _start(item: tuple[int, int, int]) -> int:
    return item[1]


def build(language: Language, forms: Forms, *, numbers_count: bool = False, packed: bool = False) -> Matcher:
    """A matcher for (form, concept ids) pairs; a form given twice names all its concepts.

    Args:
        numbers_count: Numbers are part of a name (vitamin B12, 0.9 % saline) rather than any number.
        packed: It shall be small rather than quick.
    """
    if language == "zh":
        return _Chinese(forms, packed)
    return _English(forms, numbers_count, packed)


def _stem_but_numbers(word: str) -> str:
    return word if word[0].isdigit() else stem(word)


def _merge(known: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return (*known, *(i for i in more if i not in known)) if known else more


Shapes: TypeAlias = "dict[tuple[str, int], tuple[array[int], list[str]]]"
"""By first letter and length: the sets of letters of words, and the words."""


def _by_shape(vocabulary: Iterable[str]) -> Shapes:
    """The words long enough to be misspelt."""
    found: Shapes = {}
    for word in vocabulary:
        if len(word) >= 7 and word.isalpha():
            sets, words = found.setdefault((word[0], len(word)), (array("I"), []))
            sets.append(_letter_set(word))
            words.append(word)
    return found


def _letter_set(word: str) -> int:
    """The letters of a word as bits; letters that share a bit only make more words alike."""
    letters = 0
    for letter in word:
        letters |= 1 << (ord(letter) & 31)
    return letters
