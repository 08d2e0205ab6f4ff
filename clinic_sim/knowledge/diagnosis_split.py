"""Several diagnoses in one text, cut apart: numbered, listed, joined by `and` or `or`, set against each other by `not`.

Marks that always separate (numbers, line ends, semicolons) cut first; commas, `and` and `not` cut only where both sides
are diagnoses by themselves, so that `heart failure, NYHA III` and `head and neck cancer` stay whole. A word of doubt
reaches across `or` and the Chinese list comma: in `possible X or Y` both are possible.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from clinic_sim.knowledge.diagnosis_words import Certainty
from clinic_sim.knowledge.patterns import Pattern

PARTS_LIMIT = 40
"""Diagnoses read from one text; who names more names everything."""

PIECE_LIMIT = 400
"""Characters of one piece that are read: no diagnosis is longer, and each cut that is tried reads the piece again."""
_CUTS_TRIED = 8
"""Joining words that one name may hold: how far a name is sought before the next one begins."""

DOUBT: dict[Certainty, int] = {"stated": 0, "likely": 1, "possible": 2, "ruled_out": 3}
"""The certainties, the surest first."""


class Part(NamedTuple):
    """One diagnosis of a text as it was written."""

    text: str
    floor: Certainty = "stated"
    """The doubt that the words around it cast on it; its own words may cast more."""


@dataclass(frozen=True, slots=True)
class Reader:
    """What cutting needs to know about a piece of text."""

    resolves: Callable[[str], bool]
    """Whether it is a diagnosis at all."""
    names: Callable[[str], bool]
    """Whether it is one as it stands, without anything left over."""
    exact: Callable[[str], bool]
    """Whether a table lists these very words."""
    leads: Callable[[str], bool]
    """Whether it begins with a name, before its company and cause."""
    doubt: Callable[[str], Certainty]
    """The doubt that stands before it and so may reach what follows."""


_ALWAYS = Pattern(
    r"""[\n;；。①-⑳]+
    |(?:(?<=^)|(?<=[\s;；,，。、.]))[(（]?\d{1,2}(?:[.．、)）:：](?!\d)|(?<=[(（]\d)）)\s*
    |[(（]\d{1,2}[)）]\s*
    |(?<=[\u3400-\u9fff)）])\d{1,2}[.．、](?!\d)\s*
    |\s[-*•]\s
    |(?<=[?？])\s*(?=\w)
    |(?<=[a-z)]{3})\.\s+(?=[A-Z(])
    """,
    re.VERBOSE,
)
_HEADER = re.compile(r"#+[^#\n]{1,20}#+")
_QUALIFIER = re.compile(
    r"(?:(?:current|single|recurrent|most recent) episode|due to|secondary to|caused by|likely due|of|in|at)\b",
    re.IGNORECASE,
)
"""What begins so qualifies the diagnosis before it."""
_COMMA = re.compile(r"([,，、]|(?<=\S)\s+/\s+(?=\S))")
_AND = Pattern(
    r"""(?:\s+|(?<=(?-i:[\u3400-\u9fff)）])))
        (?P<en>and/or|and|as\ well\ as|plus|or|nor|vs\.?|versus|along\ with|together\ with|accompanied\ by
        |complicated\ by|complicating|secondary\ to|with\ concurrent|with\ superimposed|with\ associated|on\ top\ of)
        (?:\s+|(?=(?-i:[\u3400-\u9fff(（])))
    |\s*[+＋&]\s*
    |合并有|合并|并发|伴随|伴发|伴有|伴|继发于|继发(?!性)|并|以及|及|和|与|(?P<zh>或者|或)
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""What joins two diagnoses, in both languages at once: doctors mix them. Han has no letter case, and to
look for it takes longer than all else."""
_EITHER = frozenset(("or", "nor", "and/or", "vs", "vs.", "versus", "或", "或者"))
_NOT = Pattern(
    r"[\s,，]+(?:(?:but|and|yet)\s+)?(?=(?:not|no|rather than|instead of|as opposed to|without evidence of"
    r"|without signs of|unlikely|ruling out|ruled out|excluding|rule out|r/o)(?-i:[\s\u3400-\u9fff]))"
    r"|[,，、\s]*但?(?=不是|并非|排除|除外|不考虑|不支持|不太可能|不大可能)|(?=而非|而不是)",
    re.IGNORECASE,
)
_DIFFERENTIAL = re.compile(
    r"^\W*(?:differential(?:s| diagnos[ei]s)?|ddx|鉴别诊断)\s*(?:includes?|are|is|包括|为|有)?\W*", re.IGNORECASE
)
_SECTION = Pattern(
    r"^\W*[a-z\u3400-\u9fff ]{0,24}(?:diagnos[ei]s|impression|assessment|诊断|印象|结论)\s*[:：]", re.IGNORECASE
)
_EDGES = " \t\r\n,，;；。、.:：-*•_`~"


def split(text: str, reader: Reader) -> list[Part]:
    """The diagnoses of a text in their order."""
    if len(text) <= PIECE_LIMIT and reader.exact(text):
        return [Part(text.strip(_EDGES))]
    parts: list[Part] = []
    floor: Certainty = "stated"
    for line in _ALWAYS.split(_HEADER.sub("\n", text)):
        piece = line.strip(_EDGES)[:PIECE_LIMIT]
        differential = _DIFFERENTIAL.match(piece)
        if differential:
            floor, piece = "possible", piece[differential.end() :].strip(_EDGES)
        elif _SECTION.match(piece):
            floor = "stated"
        if piece and not piece.isdigit():
            parts += [_doubted(part, floor) for part in _by_commas(piece, reader)]
        if len(parts) >= PARTS_LIMIT:
            break
    return parts[:PARTS_LIMIT]


def _doubted(part: Part, floor: Certainty) -> Part:
    return part if DOUBT[floor] <= DOUBT[part.floor] else Part(part.text, floor)


def _by_commas(line: str, reader: Reader) -> list[Part]:
    if reader.exact(line):
        return [Part(line)]
    pieces = _COMMA.split(line)[: 4 * PARTS_LIMIT]
    if len(pieces) > 1 and reader.names(line) and not all(reader.names(p) for p in pieces[::2] if p.strip()):
        return [Part(line)]
    joined: list[Part] = []
    open_list = False
    for raw, before in zip(pieces[::2], ["", *pieces[1::2]], strict=False):
        piece = raw.strip(" \t")
        if not piece:
            continue
        # What is no diagnosis alone (a grade, a site, a qualifier) belongs to the one before it, or waits for the next;
        # so does what makes one name of the two, as a register turns it: `anaemia, iron deficiency`.
        last = joined[-1] if joined else None
        if last and (
            _qualifies(piece, last.text)
            or not reader.resolves(piece)
            or not reader.resolves(last.text)
            or (not _han(line) and reader.exact(f"{last.text}, {piece}"))
        ):
            joined[-1] = Part(f"{last.text}，{piece}" if _han(line) else f"{last.text}, {piece}", last.floor)
            continue
        open_list = before == "、" and (open_list or bool(joined))
        reaches = reader.doubt(last.text) if last and open_list else "stated"
        floor = max(reaches, last.floor, key=DOUBT.__getitem__) if last and open_list else "stated"
        joined.append(Part(piece, floor))
    return [_doubted(part, piece.floor) for piece in joined for part in _by_not(piece.text, reader)]


def _qualifies(piece: str, last: str) -> bool:
    """Whether a piece goes on with what the last one began: a bracket is open, or it begins as a qualifier does."""
    return _open(last) or _QUALIFIER.match(piece) is not None


def _open(piece: str) -> bool:
    return piece.count("(") + piece.count("（") > piece.count(")") + piece.count("）")


def _by_not(piece: str, reader: Reader) -> list[Part]:
    if reader.exact(piece):
        return [Part(piece)]
    for match in islice(_NOT.finditer(piece), _CUTS_TRIED):
        left, right = piece[: match.start()].strip(_EDGES), piece[match.end() :].strip(_EDGES)
        if left and right and (reader.names(left) or reader.leads(left)) and reader.names(right):
            return [*_by_and(left, reader), *_by_and(right, reader)]
    return _by_and(piece, reader)


def _by_and(piece: str, reader: Reader) -> list[Part]:
    """Cut at joining words, from the last to the first: what follows a word is cut once, however it is reached."""
    joints = list(islice(_AND.finditer(piece), PARTS_LIMIT))
    starts = [0, *(joint.end() for joint in joints)]
    cut: list[list[Part]] = [[] for _ in starts]
    for at in reversed(range(len(starts))):
        cut[at] = _cut(piece, starts[at], joints[at : at + _CUTS_TRIED], cut[at + 1 :], reader)
    return cut[0]


def _cut(piece: str, start: int, joints: list[re.Match[str]], tails: list[list[Part]], reader: Reader) -> list[Part]:
    """The diagnoses from a place on, where those after each later joining word are known."""
    here = piece[start:].strip(_EDGES) if start else piece
    if reader.exact(here):
        return [Part(here)]
    whole = reader.names(here)

    def begins(right: str) -> bool:
        """Whether a name stands before the next joining word: `gout + something unknown` is another diagnosis."""
        after = _AND.search(right)
        return after is not None and reader.names(right[: after.start()].strip(_EDGES))

    for joint, tail in zip(joints, tails, strict=False):
        left, right = piece[start : joint.start()].strip(_EDGES), piece[joint.end() :].strip(_EDGES)
        if not (left and right and reader.names(left)):
            continue
        if len(tail) > 1 or reader.names(right) or (not whole and (reader.leads(right) or begins(right))):
            word = (joint.group("en") or joint.group("zh") or "").lower()
            if word not in _EITHER:
                return [Part(left), *tail]
            doubt = reader.doubt(left)
            reaching = doubt if doubt != "stated" else "possible"
            return [_doubted(Part(left), reaching), *(_doubted(part, reaching) for part in tail)]
    return [Part(here)]


def _han(text: str) -> bool:
    return any("\u3400" <= c <= "\u9fff" for c in text)
