"""Strings by the tens of thousands, packed: a hundredth of what a dict of them takes, and slower to ask.

For tables that are big and asked now and then: the names of diseases and medicines, and all that a patient's words can
name. What every question and order is read by stands in an `Automaton`.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, TypeVar

import marisa_trie

from clinic_sim.knowledge.letters import NO_LETTER, SURROGATE

_LETTERS = 1 << 15
"""Letters that are told apart where a string may begin; those that share a place only cost a look into the trie."""


class Packed:
    """Strings, each with its number: its place in the order in which they were given.

    Args:
        words: Each once, and none empty.
    """

    __slots__ = ("_first", "_longest", "_numbers", "_trie")

    def __init__(self, words: Iterable[str]) -> None:
        listed = list(words)
        self._trie = marisa_trie.Trie(listed)
        self._numbers = array("I", bytes(4 * len(listed)))
        """Our numbers by those of the trie, which gives its own."""
        for number, own in enumerate(map(self._trie.__getitem__, listed)):
            self._numbers[own] = number
        self._longest = max(map(len, listed), default=0)
        first = bytearray(_LETTERS)
        for letter in {word[0] for word in listed}:
            first[ord(letter) % _LETTERS] = 1
        self._first = bytes(first)
        """Whether one may begin with a letter."""

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[str]:
        """The strings, by number."""
        return map(self._trie.restore_key, sorted(range(len(self._numbers)), key=self._numbers.__getitem__))

    def __contains__(self, word: str) -> bool:
        return word in self._trie

    def get(self, word: str) -> int | None:
        """The number of a string; None for an unknown one."""
        number = self._trie.get(word)
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
        number = self._keys.get(key)
        if number is None:
            raise KeyError(key)
        return self._values[number]

    def get(self, key: str) -> V | None:
        """What stands under a key; None for an unknown one."""
        number = self._keys.get(key)
        return None if number is None else self._values[number]

    def places(self, text: str) -> list[tuple[int, int]]:
        """(start, end) of every key in a text, by end; of those with one end the longest first."""
        found = [(end, start) for _, start, end in self._keys.find(text)]
        found.sort()
        return [(start, end) for end, start in found]
