"""Several diagnoses in one text, cut apart: numbered, listed, or joined by `and`.

Marks that always separate (numbers, line ends, semicolons) cut first; commas and `and` cut only where both sides are
diagnoses by themselves, so that `heart failure, NYHA III` and `head and neck cancer` stay whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Resolves = Callable[[str], bool]

PARTS_LIMIT = 60
"""Diagnoses read from one text; who names more names everything."""

_ALWAYS = re.compile(
    r"""[\n;；。①-⑳]+
    |(?:(?<=^)|(?<=[\s;；,，。、.]))[(（]?\d{1,2}(?:[.．、)）:：](?!\d)|(?<=[(（]\d)）)\s*
    |[(（]\d{1,2}[)）]\s*
    |(?<=[\u3400-\u9fff)）])\d{1,2}[.．、](?!\d)\s*
    |\s[-*•]\s
    |(?<=[a-z)]{3})\.\s+(?=[A-Z(])
    """,
    re.VERBOSE,
)
_HEADER = re.compile(r"#+[^#\n]{1,20}#+")
_COMMA = re.compile(r"[,，、]|(?<=\S)\s+/\s+(?=\S)")
_AND = re.compile(
    r"\s+(?:and|as well as|plus|or|vs\.?|versus|along with|together with|complicated by|with concurrent|with superimposed|with associated)\s+|\s*[+＋&]\s*",
    re.IGNORECASE,
)
_AND_ZH = re.compile(r"合并有|合并|并发|伴有|伴|并|以及|及|和|与|或")
_EDGES = " \t\r\n,，;；。、.:：-*•_`~"


def split(text: str, resolves: Resolves, names: Resolves) -> list[str]:
    """The diagnoses of a text in their order. `resolves` says whether a piece is a diagnosis at all, `names` whether it is
    one as it stands, without anything left over."""
    if names(text):
        return [text.strip(_EDGES)]
    parts: list[str] = []
    for line in _ALWAYS.split(_HEADER.sub("\n", text)):
        piece = line.strip(_EDGES)
        if piece and not piece.isdigit():
            parts += _by_commas(piece, resolves, names)
        if len(parts) >= PARTS_LIMIT:
            break
    return parts[:PARTS_LIMIT]


def _by_commas(line: str, resolves: Resolves, names: Resolves) -> list[str]:
    if names(line):
        return [line]
    joined: list[str] = []
    for raw in _COMMA.split(line)[: 2 * PARTS_LIMIT]:
        piece = raw.strip(" \t")
        if not piece:
            continue
        # What is no diagnosis alone (a grade, a site, a qualifier) belongs to the one before it, or waits for the next.
        if joined and (not resolves(piece) or not resolves(joined[-1]) or _open(joined[-1])):
            joined[-1] = f"{joined[-1]}，{piece}" if _han(line) else f"{joined[-1]}, {piece}"
        else:
            joined.append(piece)
    return [part for piece in joined for part in _by_and(piece, names)]


def _open(piece: str) -> bool:
    return piece.count("(") + piece.count("（") > piece.count(")") + piece.count("）")


def _by_and(piece: str, names: Resolves) -> list[str]:
    if names(piece):
        return [piece]
    for match in (_AND_ZH if _han(piece) else _AND).finditer(piece):
        left, right = piece[: match.start()].strip(_EDGES), piece[match.end() :].strip(_EDGES)
        if left and right and names(left) and names(right):
            return [left, right]
        if left and right and names(left):
            tail = _by_and(right, names)
            if len(tail) > 1:
                return [left, *tail]
    return [piece]


def _han(text: str) -> bool:
    return any("\u3400" <= c <= "\u9fff" for c in text)
