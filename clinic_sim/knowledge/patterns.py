"""Regular expressions that are compiled when they are first asked.

The clinic speaks two languages and hears them in hundreds of ways; a process that meets one of them pays for what it
meets. What is compiled is `re`'s own, and from then on its methods are called directly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

_METHODS = ("search", "match", "fullmatch", "finditer", "findall", "split", "sub", "subn")


class Pattern:
    """A regular expression, asked as `re.Pattern` is.

    Args:
        pattern: As `re.compile` takes it; a mistake in it is an error when it is first asked.
        flags: Of `re`.
    """

    __slots__ = ("_compiled", "_flags", "pattern", *_METHODS)

    pattern: str
    search: Callable[..., re.Match[str] | None]
    match: Callable[..., re.Match[str] | None]
    fullmatch: Callable[..., re.Match[str] | None]
    finditer: Callable[..., Iterator[re.Match[str]]]
    findall: Callable[..., list[Any]]
    split: Callable[..., list[Any]]
    sub: Callable[..., str]
    subn: Callable[..., tuple[str, int]]

    def __init__(self, pattern: str, flags: re.RegexFlag | int = 0) -> None:
        self.pattern = pattern
        self._flags = flags
        self._compiled: re.Pattern[str] | None = None

    def __repr__(self) -> str:
        return f"Pattern({self.pattern!r})"

    def __getattr__(self, name: str) -> Any:
        """A method that has not been asked for: from now on it is the compiled expression's own."""
        if name not in _METHODS:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        if self._compiled is None:
            self._compiled = re.compile(self.pattern, self._flags)
        method = getattr(self._compiled, name)
        setattr(self, name, method)
        return method
