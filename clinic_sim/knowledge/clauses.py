"""Free text of a record cut into atomic facts, each with its place in the source and whether it is affirmed or denied.

A clause ends where the next finding or habit begins; a list keeps its negation ("denies fever, cough or rash" are
three denials). What would lose its meaning alone stays together: a body site with its finding, the duration that a
list shares, a list whose last word says that all of it is normal.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from clinic_sim.knowledge.concepts import ontology
from clinic_sim.knowledge.scan import Mention, Polarity, Scan, scan
from clinic_sim.knowledge.text import Language, Span, fold, sentences

__all__ = ["Clause", "Polarity", "polarity_of", "split_clauses"]


class Clause(NamedTuple):
    """One atomic statement of a record, verbatim."""

    text: str
    start: int
    end: int
    polarity: Polarity


_SEAM_EN = re.compile(
    r"\s*[,;]\s+(?:(?:and|or|but|nor|yet)\s+)?|\s+(?:and|or|but|nor|while|however|although|as well as)\s+|\s+-\s+"
    r"|\s+(?=(?:which|who)\b)"
)
_SEAM_ZH = re.compile(r"\s*[,;、](?!\d)\s*|(?<=[^\d])(?=但|并且|同时)|(?=不伴)|(?<!不)(?=伴(?!侣|随))")
_RESTART_EN = re.compile(
    r"(?:and\s+|but\s+)?(?:she|he|they|it|patient|the patient|works?|worked|drinks?|lives?|takes?|taking|has|had|is|"
    r"was|are|were|uses?|smokes?|reports?|admits?|notes?|states?|complains?|mentions?|describes?|retired|married|occasional|"
    r"moderate|social|positive|currently|recently|family|mother|father)\b"
)
_LIST_EN = re.compile(r"\b(?:or|and|nor)\b")
_CARRIES = ("sx.", "dx.", "hx.", "drug.", "kin.")
_STANDALONE = frozenset(
    {"attr.aggravating", "attr.relieving", "attr.radiation", "attr.trigger", "attr.drug_effect", "attr.effect"}
)
_SHARED_ZH = re.compile(r"[\d一二两三四五六七八九十半数几][^,。;]*(?:年|月|周|天|日|小时|分钟)|接触史|居住史")
_OFFSPRING = frozenset({"hx.children", "hx.parity", "hx.birth"})
_AFTERWARDS = re.compile(r"(?::|史)\s*$")
_LONG_NEGATION_ZH = frozenset({"无", "否认", "未见", "没有"})


def split_clauses(text: str, language: Language) -> list[Clause]:
    """The atomic statements of a record's text, in order; their offsets are those of `text`."""
    folded = fold(text)
    clauses: list[Clause] = []
    for sentence in sentences(folded, language):
        piece = folded[sentence.start : sentence.end]
        found = scan(piece, language)
        for span, polarity in _cut(piece, found, language):
            start, end = _trim(text, sentence.start + span.start, sentence.start + span.end)
            if end > start:
                clauses.append(Clause(text[start:end], start, end, polarity))
    return clauses


def polarity_of(text: str, language: Language) -> Polarity:
    """Whether a single statement is affirmed or denied."""
    folded = fold(text)
    found = scan(folded, language)
    return _polarities([Span(0, len(folded))], folded, found, language)[0]


def _cut(piece: str, found: Scan, language: Language) -> list[tuple[Span, Polarity]]:
    spans = _segments(piece, found, language)
    return list(zip(spans, _polarities(spans, piece, found, language), strict=True))


def _segments(piece: str, found: Scan, language: Language) -> list[Span]:
    seams = list((_SEAM_ZH if language == "zh" else _SEAM_EN).finditer(piece))
    spans: list[Span] = []
    start = 0
    held: Span | None = None
    for end, resume in [*((s.start(), s.end()) for s in seams), (len(piece), len(piece))]:
        span = Span(held.start if held else start, end)
        held = None
        here = _within(found.mentions, Span(start, end))
        if not _carries(here):
            if spans and not (language == "zh" and _stands(piece[start:end])):
                spans[-1] = Span(spans[-1].start, end)
            elif spans:
                spans.append(span)
            else:
                held = span
        elif spans and held is None and _belongs(piece, spans[-1], Span(start, end), found, language):
            spans[-1] = Span(spans[-1].start, end)
        else:
            spans.append(span)
        start = resume
    if held is not None:
        spans.append(held)
    return spans


def _stands(words: str) -> bool:
    return len(words.strip()) > 8


def _within(mentions: list[Mention], span: Span) -> list[Mention]:
    return [m for m in mentions if span.start <= m.start < span.end]


def _carries(mentions: list[Mention]) -> bool:
    return any(m.id.startswith(_CARRIES) or m.id in _STANDALONE for m in mentions)


def _belongs(piece: str, before: Span, here: Span, found: Scan, language: Language) -> bool:
    """Whether two neighbouring segments would lose their meaning apart."""
    known = ontology()
    left, right = _within(found.mentions, before), _within(found.mentions, here)
    seam = piece[before.end : here.start + 1]
    names = {m.id for m in right if m.id.startswith(_CARRIES)}
    if names and names <= {m.id for m in left}:
        return True
    if names == {"hx.past"} and any(m.id.startswith("kin.") or m.id in _OFFSPRING for m in left):
        return True
    if _of_relative(piece, left, right, here, found):
        return True
    if language == "en" and names and all(n.startswith("kin.") for n in names):
        # "Lives with her mother and father" is one statement.
        kin = any(m.id.startswith("kin.") or m.id == "hx.household" for m in left)
        listed = left and right and left[-1].end >= before.end and right[0].start <= here.start + 4
        if kin and "," not in seam and (listed or len(piece[here.start : here.end].split()) <= 3):
            return True
    if language == "en":
        lone = [m for m in left if m.id in known.composable]
        joined = ("and" in seam or "or" in seam) and "," not in seam
        return bool(
            joined
            and lone
            and lone[-1] == [m for m in left if m.id.startswith(_CARRIES)][-1:][0]
            and any(m.id.startswith("site.") for m in right)
            and not any(m.id.startswith("site.") for m in left)
        )
    if "、" not in seam:
        return False
    tail = piece[here.start :]
    stop = re.search("[,;。]", tail)
    tail = tail[: stop.start()] if stop else tail
    clause_start = max(piece.rfind(c, 0, before.start) for c in ",;。") + 1
    denied = any(m.id == "neg" and clause_start <= m.start < here.start for m in found.markers)
    span = Span(here.start, here.start + len(tail))
    if any(m.id == "normal" and span.start <= m.start < span.end for m in found.markers) and not denied:
        return True
    return bool(_SHARED_ZH.search(tail)) and (not denied or "接触史" in tail or "居住史" in tail)


_ANEW = re.compile(
    r"\s*(?:and\s+|but\s+)?(?:she|he|they|patient|the patient|den|no |has|reports|takes|works|lives|患|否认|无|自)"
)


def _of_relative(piece: str, left: list[Mention], right: list[Mention], here: Span, found: Scan) -> bool:
    """Whether a segment goes on with the illnesses of the relative named before it."""
    kin = any(m.id.startswith("kin.") or m.id == "hx.family" for m in left)
    if not kin or any(m.id == "informant" for m in found.markers) or _ANEW.match(piece, here.start):
        return False
    named = [m.id for m in right if m.id.startswith(_CARRIES)]
    return all(id_.startswith(("sx.", "dx.")) for id_ in named)


def _polarities(spans: list[Span], piece: str, found: Scan, language: Language) -> list[Polarity]:
    """The polarity of each segment; a denial reaches over the items of its list and no further."""
    marks = iter(sorted([*found.markers, *(m for m in found.mentions if m.id.startswith(_CARRIES))]))
    pending = next(marks, None)
    result: list[Polarity] = []
    denying = listing = here = False
    denied_to = -1
    for number, span in enumerate(spans):
        words = piece[span.start : span.end].strip(" ,;、.:")
        if number and not _continues(piece, spans[number - 1], span, words, listing, found, language):
            denying = listing = False
        here = here and bool(number) and "or" in piece[spans[number - 1].end : span.start + 1].split()
        seen: list[bool] = []
        unknown = normal = False
        while pending is not None and pending.start < span.end:
            mark = pending
            if mark.id == "neg":
                if seen and _AFTERWARDS.search(piece[span.start : mark.start]):
                    seen = [True] * len(seen)
                denying, denied_to = True, mark.end
                listing = _lists(piece, mark, language)
            elif mark.id == "neg.here":
                here = True
            elif mark.id == "neg.stop":
                if piece.rfind("(", 0, mark.start) > piece.rfind(")", 0, mark.start):
                    pending = next(marks, None)
                    continue
                denying = here = denying and mark.start == denied_to
            elif mark.id == "unknown":
                unknown = True
            elif mark.id == "normal":
                normal = True
            elif not mark.id.startswith(("q.", "informant")):
                seen.append(denying or here)
            pending = next(marks, None)
        if unknown and not any(seen):
            result.append(Polarity.UNKNOWN)
        elif (seen and sum(seen) * 2 + seen[0] > len(seen)) or (not seen and (denying or here) and not normal):
            result.append(Polarity.ABSENT)
        else:
            result.append(Polarity.PRESENT)
    return result


def _lists(piece: str, mark: Mention, language: Language) -> bool:
    word = piece[mark.start : mark.end]
    if language == "zh":
        return word in _LONG_NEGATION_ZH
    return word.startswith(("den", "without", "negative", "nor")) or bool(_LIST_EN.search(piece, mark.end))


def _continues(
    piece: str, before: Span, here: Span, words: str, listing: bool, found: Scan, language: Language
) -> bool:
    seam = piece[before.end : here.start + 1]
    if language == "zh":
        if "、" in piece[before.end : here.start] or before.end == here.start:
            return True
        bare = [
            m
            for m in found.mentions
            if m.start == here.start + (len(piece[here.start : here.end]) - len(piece[here.start : here.end].lstrip()))
        ]
        return listing and any(m.end - m.start == len(words) for m in bare)
    if "but" in seam or _RESTART_EN.match(words):
        return False
    return listing or not ("," in seam or ";" in seam)


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and (text[start].isspace() or text[start] in ",;，；、。.:："):
        start += 1
    while end > start and (text[end - 1].isspace() or text[end - 1] in ",;，；、。.:："):
        end -= 1
    return start, end
