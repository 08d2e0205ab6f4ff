"""From the phrases of an utterance to its pieces: what is named, how it is listed, and what is denied or only a reason.

"No need for a CT", "because of the raised troponin" and 心电图不用做 name examinations that nobody orders; their pieces
are dropped here, so that what remains is what the doctor asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from clinic_sim.knowledge.exam_lexicon import Hit, Word
from clinic_sim.knowledge.order_binding import Link, Piece

_EXAMPLES = re.compile(r" ?(including|such as|like|e\.?g|namely|specifically|包括|包含|比如|例如|如|特别是|主要是)")
"""Opens the list that makes a broad order precise."""
Exams = Callable[[Hit], tuple[str, ...]]


class Part:
    """A stretch between two marks of a list; tells whether its words were understood."""

    __slots__ = ("end", "named", "residue", "start")

    def __init__(self, start: int) -> None:
        self.start = start
        self.end = start
        self.residue: list[tuple[int, int]] = []
        """Words that the lexicon lacks."""
        self.named = False
        """Something was named here, whether ordered or dropped."""


class Vague:
    """A catch-all phrase."""

    __slots__ = ("end", "explained", "sentence", "start")

    def __init__(self, start: int, end: int, sentence: int) -> None:
        self.start = start
        self.end = end
        self.sentence = sentence
        self.explained = False
        """Examples follow at once: "blood tests: CBC and ferritin"."""


class Scan:
    """The pieces of one utterance."""

    __slots__ = (
        "_clause",
        "_dropped",
        "_link",
        "_seat_next",
        "_sentence",
        "_text",
        "_vague_open",
        "parts",
        "pieces",
        "vague",
    )

    def __init__(self, folded: str, hits: Sequence[Hit], exams: Exams, *, order: bool = True) -> None:
        self._text = folded
        self.pieces: list[Piece] = []
        self.parts = [Part(0)]
        self.vague: list[Vague] = []
        self._link = Link.APART
        self._sentence = 0
        self._seat_next = False
        self._vague_open: Vague | None = None
        self._clause: list[Piece | Vague | Word] = []
        self._dropped: set[int] = set()
        at = 0
        for hit in hits:
            self._gap(at, hit.start)
            self._take(hit, exams, order)
            at = hit.end
        self._gap(at, len(folded))
        self._close_clause(None)
        self.parts[-1].end = len(folded)
        if self._dropped:
            self.pieces = [p for p in self.pieces if id(p) not in self._dropped]
            self.vague = [v for v in self.vague if id(v) not in self._dropped]

    def _gap(self, start: int, end: int) -> None:
        if start >= end:
            return
        words = self._text[start:end].strip()
        if words and any(c.isalpha() for c in words):
            self.parts[-1].residue.append((start, end))
            self._link = Link.APART
            self._seat_next = False
            self._vague_open = None

    def _take(self, hit: Hit, exams: Exams, order: bool) -> None:
        entry = hit.entry
        word = entry.word
        if entry.modality or entry.regions or entry.exams or entry.scoped:
            self._name(hit, exams(hit))
        elif word is Word.CONJUNCTION:
            self._link = min(self._link, Link.LISTED)
            self._vague_open = None
            self._seat_next = False
            self._new_part(hit)
        elif word is Word.SEPARATOR:
            self._seat_next = False
            self._link = min(self._link, Link.LISTED)
            if self._text[hit.start] not in ":(" and not _EXAMPLES.match(self._text, hit.end):
                self._vague_open = None
            self._close_clause(hit)
            self._new_part(hit)
        elif word is Word.SENTENCE:
            if not self._inside_number(hit):
                self._close_clause(None)
                self._link = Link.APART
                self._sentence += 1
                self._seat_next = False
                self._vague_open = None
                self._new_part(hit)
        elif word is Word.SYMPTOM:
            self._symptom()
        elif word is Word.VAGUE:
            self._broad(hit)
        elif order and word in (Word.NEGATION, Word.REASON, Word.RESUME):
            self._clause.append(word)
            self._seat_next = False

    def _name(self, hit: Hit, exams: tuple[str, ...]) -> None:
        entry = hit.entry
        by_hand = entry.modality == "phys"
        if by_hand and entry.word is Word.VAGUE and not self._continues():
            # "Physical examination" alone is broad; "of the abdomen" makes it precise.
            self._broad(hit)
            return
        if (by_hand or entry.modality == "any") and self._continues():
            return
        if not (entry.modality or entry.regions or exams):
            return
        if entry.modality is not None and self._link is Link.CLOSE and entry.modality == self._last_modality():
            return
        if entry.word is Word.SYMPTOM and self._continues() and self.pieces[-1].regions:
            self._symptom()
            return
        piece = Piece(hit.start, hit.end, self._link, self._sentence)
        piece.exams = exams
        piece.modality = entry.modality
        piece.regions = entry.regions
        piece.bare = entry.bare
        piece.hand = entry.hand
        piece.part = len(self.parts) - 1
        piece.seat = self._seat_next and bool(entry.regions)
        if self._vague_open is not None and self._link is not Link.APART:
            self._vague_open.explained = True
        self._vague_open = None
        self._seat_next = False
        self.parts[-1].named = True
        self.pieces.append(piece)
        self._clause.append(piece)
        self._link = Link.CLOSE

    def _continues(self) -> bool:
        """Whether the last piece runs on into what follows, with nothing but fillers between."""
        return (
            bool(self.pieces)
            and self._link is Link.CLOSE
            and self.pieces[-1].part == len(self.parts) - 1
            and (
                self.pieces[-1].modality not in (None, "phys")
                or bool(self.pieces[-1].exams and not self.pieces[-1].regions)
            )
        )

    def _last_modality(self) -> str | None:
        return self.pieces[-1].modality if self.pieces else None

    def _symptom(self) -> None:
        if self.pieces and self._link is Link.CLOSE and self.pieces[-1].modality is None:
            self.pieces[-1].seat = bool(self.pieces[-1].regions)
        self._seat_next = True
        self._link = Link.APART
        self.parts[-1].named = True

    def _broad(self, hit: Hit) -> None:
        part = self.parts[-1]
        if self.pieces and self._link is Link.CLOSE and self.pieces[-1].part == len(self.parts) - 1:
            return
        vague = Vague(hit.start, hit.end, self._sentence)
        self.vague.append(vague)
        self._clause.append(vague)
        self._vague_open = vague
        part.named = True
        self._link = Link.LISTED

    def _new_part(self, hit: Hit) -> None:
        self.parts[-1].end = hit.start
        self.parts.append(Part(hit.end))

    def _inside_number(self, hit: Hit) -> bool:
        return (
            hit.start > 0
            and hit.end < len(self._text)
            and self._text[hit.start - 1].isdigit()
            and self._text[hit.end].isdigit()
        )

    def _close_clause(self, mark: Hit | None) -> None:
        """Apply denials and reasons of the clause that ends at `mark`; a list may carry a denial on."""
        clause, self._clause = self._clause, []
        if not any(isinstance(item, Word) for item in clause):
            return
        dropping = False
        for at, item in enumerate(clause):
            if isinstance(item, Word):
                if item is Word.RESUME:
                    dropping = False
                    continue
                ahead = clause[at + 1 :]
                stop = next((n for n, x in enumerate(ahead) if x is Word.RESUME), len(ahead))
                dropping = True
                if item is Word.NEGATION and not any(not isinstance(x, Word) for x in ahead[:stop]):
                    self._drop_back(clause[:at])
                    dropping = False
            elif dropping:
                self._dropped.add(id(item))
        if dropping and clause[0] is Word.NEGATION and mark is not None and self._list_goes_on(mark):
            self._clause = [Word.NEGATION]

    def _drop_back(self, before: Sequence[Piece | Vague | Word]) -> None:
        for item in reversed(before):
            if isinstance(item, Word):
                if item is Word.RESUME:
                    continue
                return
            self._dropped.add(id(item))

    def _list_goes_on(self, mark: Hit) -> bool:
        """ "No CT, MRI or X-ray": the list ends with "or" within this sentence, and nothing new is asked for."""
        rest = self._text[mark.end :]
        stop = min((i for i in (rest.find("."), rest.find("\n"), rest.find("。")) if i >= 0), default=len(rest))
        rest = rest[:stop]
        return (" or " in rest or " nor " in rest) and not any(
            w in rest for w in (" but ", " just ", " get ", " order ")
        )
