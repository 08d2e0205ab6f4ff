"""`Unicode`: a Gymnasium space of text in any script.

The stock `Text` space enumerates its alphabet, so spaces and Chinese are outside it. This one holds any valid Unicode
string (no lone surrogates, which cannot be encoded) of up to `max_length` code points.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from gymnasium import spaces

_PHRASES = (
    "What brings you in today?",
    "When did it start?",
    "Any fever?",
    "ORDER: complete blood count",
    "EXAMINE: vital signs",
    "您哪里不舒服？",
    "什么时候开始的？",
    "检查：血常规",
    "有没有发热？",
    "",
)


class Unicode(spaces.Space[str]):
    """Text of 0 to `max_length` code points.

    Args:
        max_length: Longest text, in code points.
        seed: Seed of `sample`.
    """

    def __init__(self, max_length: int = 20_000, seed: int | np.random.Generator | None = None) -> None:
        if max_length < 1:
            raise ValueError(f"max_length is {max_length}; at least 1")
        self.max_length = max_length
        super().__init__(shape=None, dtype=str, seed=seed)

    @property
    def is_np_flattenable(self) -> bool:
        """Text has no fixed-size array form."""
        return False

    def sample(self, mask: Any | None = None, probability: Any | None = None) -> str:
        """A short phrase, in either language; masks have no meaning here."""
        if mask is not None or probability is not None:
            raise ValueError("a text space takes neither mask nor probability")
        return _PHRASES[int(self.np_random.integers(len(_PHRASES)))][: self.max_length]

    def contains(self, x: Any) -> bool:
        """A `str` of valid Unicode, short enough."""
        if not isinstance(x, str) or len(x) > self.max_length:
            return False
        try:
            x.encode("utf-8")
        except UnicodeEncodeError:
            return False
        return True

    def to_jsonable(self, sample_n: Iterable[str]) -> list[Any]:
        """Text is JSON already."""
        return list(sample_n)

    def from_jsonable(self, sample_n: list[Any]) -> list[str]:
        """Text is JSON already."""
        return [str(x) for x in sample_n]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unicode) and other.max_length == self.max_length

    def __hash__(self) -> int:
        return hash((Unicode, self.max_length))

    def __repr__(self) -> str:
        return f"Unicode({self.max_length})"
