"""Strings by the tens of thousands, packed: a hundredth of what a dict of them takes, and slower to ask.

For tables that are big and asked now and then: the names of diseases and medicines, and all that a patient's words can
name. What every question and order is read by stands in an `Automaton`.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, chain
from typing import Generic, TypeVar

import marisa_trie

from clinic_sim.knowledge.letters import NO_LETTER, SURROGATE

_NONE = (1 << 32) - 1
_LETTERS = 1 << 15
"""Letters that are told apart where a string may begin; those that share a place only cost a look into the trie."""


def _place(trie: marisa_trie.Trie, word: str) -> int | None:
    """The number that a trie gives a string; half a character stands in none."""
    try:
        place: int | None = trie.get(word)
    except UnicodeEncodeError:
        return None
    return place


class Packed:
    """Strings, each with its number: its place in the order in which they were first given.

    Args:
        words: None empty. Gone through more than once, so that they need not all be there together.
    """

    __slots__ = ("_first", "_longest", "_numbers", "_trie")

    def __init__(self, words: Collection[str] | Strings) -> None:
        self._trie = marisa_trie.Trie(words)
        numbers = self._numbers = array("I", [_NONE]) * len(self._trie)
        """Our numbers by those of the trie, which gives its own."""
        number = 0
        for own in map(self._trie.__getitem__, words):
            if numbers[own] == _NONE:
                numbers[own] = number
                number += 1
        self._longest = max(map(len, words), default=0)
        first = bytearray(_LETTERS)
        for letter in {word[0] for word in words}:
            first[ord(letter) % _LETTERS] = 1
        self._first = bytes(first)
        """Whether one may begin with a letter."""

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[str]:
        """The strings, by number."""
        return map(self._trie.restore_key, sorted(range(len(self._numbers)), key=self._numbers.__getitem__))

    def __contains__(self, word: str) -> bool:
        return self.get(word) is not None

    def numbers(self, words: Iterable[str]) -> Iterator[int]:
        """The numbers of known strings."""
        return map(self._numbers.__getitem__, map(self._trie.__getitem__, words))

    def get(self, word: str) -> int | None:
        """The number of a string; None for an unknown one."""
        number = _place(self._trie, word)
        return None if number is None else self._numbers[number]

    def find(self, text: str) -> list[tuple[int, int, int]]:
        """(number of the string, start, end) of every one in a text, by start; of those with one start the shortest
        first."""
        try:
            return self._found(text)
        except UnicodeEncodeError:
            return self._found(SURROGATE.sub(NO_LETTER, text))

    def _found(self, text: str) -> list[tuple[int, int, int]]:
        first, longest, numbers, prefixes = self._first, self._longest, self._numbers, self._trie.iter_prefixes_with_ids
        found: list[tuple[int, int, int]] = []
        for start, letter in enumerate(text):
            if first[ord(letter) % _LETTERS]:
                for word, number in prefixes(text[start : start + longest]):
                    found.append((numbers[number], start, start + len(word)))
        return found


V = TypeVar("V")


class Table(Generic[V]):
    """A dict that never changes, its keys packed."""

    __slots__ = ("_keys", "_values")

    def __init__(self, items: Mapping[str, V]) -> None:
        self._keys = Packed(items)
        self._values = list(items.values())

    def __iter__(self) -> Iterator[str]:
        """The keys, in the order in which they were given."""
        return iter(self._keys)

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def __getitem__(self, key: str) -> V:
        return self._values[self.number(key)]

    def number(self, key: str) -> int:
        """Which of all a key is; KeyError for an unknown one."""
        number = self._keys.get(key)
        if number is None:
            raise KeyError(key)
        return number

    def get(self, key: str) -> V | None:
        """What stands under a key; None for an unknown one."""
        number = self._keys.get(key)
        return None if number is None else self._values[number]

    def places(self, text: str) -> list[tuple[int, int]]:
        """(start, end) of every key in a text, by end; of those with one end the longest first."""
        found = [(end, start) for _, start, end in self._keys.find(text)]
        found.sort()
        return [(start, end) for end, start in found]


_END = re.compile(rb"\n")
_AT_ONCE = 500
"""Strings that are made together where all are gone through."""


class Strings:
    """Strings by number, as one block of text.

    Args:
        listed: None holds a line break.
    """

    __slots__ = ("_block", "_places")

    def __init__(self, listed: Iterable[str]) -> None:
        block = bytearray()
        for string in listed:
            block += string.encode()
            block += b"\n"
        self._block = bytes(block)
        self._places = array("I", [0])
        """Where each begins, and last where the block ends."""
        self._places.extend(end.end() for end in _END.finditer(self._block))

    def __len__(self) -> int:
        return len(self._places) - 1

    def __getitem__(self, number: int) -> str:
        return self._block[self._places[number] : self._places[number + 1] - 1].decode()

    def __iter__(self) -> Iterator[str]:
        for first in range(0, len(self), _AT_ONCE):
            last = min(first + _AT_ONCE, len(self))
            yield from self._block[self._places[first] : self._places[last] - 1].decode().split("\n")

    def holding(self, part: str) -> Iterator[str]:
        """Those in which something stands, found without looking at each."""
        sought = SURROGATE.sub(NO_LETTER, part).encode()
        found = self._block.find(sought)
        while 0 <= found < len(self._block):
            number = bisect_right(self._places, found) - 1
            yield self[number]
            found = self._block.find(sought, self._places[number + 1])


class Texts:
    """A dict of strings that never changes, its keys packed and its texts in one block.

    Args:
        items: Key and text, each key once; none holds a line break, and no key a tab.
    """

    __slots__ = ("_lines", "_numbers")

    def __init__(self, items: Mapping[str, str]) -> None:
        self._lines = Strings(f"{key}\t{text}" for key, text in items.items())
        self._numbers = Packed(items)

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, key: str) -> bool:
        return key in self._numbers

    def number(self, key: str) -> int | None:
        """Which of all a key is; None for an unknown one."""
        return self._numbers.get(key)

    def get(self, key: str) -> str | None:
        """The text under a key; None for an unknown one."""
        number = self._numbers.get(key)
        return None if number is None else self.at(number)[1]

    def at(self, number: int) -> tuple[str, str]:
        """The key and the text of a number."""
        return _cut(self._lines[number])

    def items(self) -> Iterator[tuple[str, str]]:
        """Every key and its text, in the order in which they were given."""
        return map(_cut, self._lines)

    def holding(self, part: str) -> Iterator[tuple[str, str]]:
        """The keys and texts in which something stands."""
        return map(_cut, self._lines.holding(part))


def _cut(line: str) -> tuple[str, str]:
    key, _, text = line.partition("\t")
    return key, text


class Lists:
    """Numbers by number: some to each."""

    __slots__ = ("_places", "flat")

    def __init__(self, listed: Sequence[Sequence[int]]) -> None:
        self.flat = array("I", chain.from_iterable(listed))
        """All of them one after the other."""
        self._places = array("I", accumulate(map(len, listed), initial=0))
        """Where the numbers of each begin, and last where all end."""

    def __len__(self) -> int:
        return len(self._places) - 1

    def __getitem__(self, number: int) -> array[int]:
        return self.flat[self._places[number] : self._places[number + 1]]

    def __iter__(self) -> Iterator[array[int]]:
        return map(self.__getitem__, range(len(self)))
