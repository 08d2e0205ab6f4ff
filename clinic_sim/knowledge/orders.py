"""Reads orders: an utterance, in English, Chinese or both, to examinations of the catalogue and to a case's records.

Three things are told apart, as at a real order entry: examinations that are named (on record or not), orders too broad
to act on ("blood tests", 做个全身检查), which reveal nothing, and names that nobody knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from clinic_sim.knowledge.exam_catalogue import catalogue
from clinic_sim.knowledge.exam_lexicon import Entry, Hit, Lexicon, Word, lexicon, prepare, spellings
from clinic_sim.knowledge.exam_names import CodeMatch, resolve_name
from clinic_sim.knowledge.exam_tables import table
from clinic_sim.knowledge.order_binding import Piece, bind
from clinic_sim.knowledge.order_codes import bare_codes, codes_of, common, modality_table
from clinic_sim.knowledge.order_scan import Scan
from clinic_sim.knowledge.text import Language, detect_language

__all__ = [
    "CodeMatch",
    "OrderItem",
    "OrderReader",
    "OrderReading",
    "RecordedExam",
    "read_order",
    "resolve_name",
]

CACHED_READINGS = 256
"""Readings kept for one case."""
LONGEST_UNKNOWN = 80
"""Characters of an unknown name that are quoted."""


@dataclass(frozen=True, slots=True)
class RecordedExam:
    """An examination on a case's record, as far as orders are concerned."""

    id: str
    codes: tuple[str, ...]
    names: tuple[str, ...]
    """Names it may be ordered by besides the catalogue's; a `local.` code needs them."""


class OrderItem(NamedTuple):
    """One examination ordered."""

    code: str
    name: str
    """In the language of the order."""
    matched_exam_ids: tuple[str, ...]
    """Recorded examinations it reveals: itself, its components, else the panel that contains it."""
    text: str
    """The doctor's words."""


class OrderReading(NamedTuple):
    """What an utterance orders."""

    items: tuple[OrderItem, ...]
    vague: tuple[str, ...]
    """Orders too broad to act on."""
    unknown: tuple[str, ...]
    """Names of examinations that nobody knows."""


class _Found(NamedTuple):
    code: str
    members: tuple[str, ...]
    """Codes that count for the records, where one order stands for several organs."""
    start: int
    end: int


class OrderReader:
    """Reads orders for one case; immutable but for its bounded cache, so that episodes may share it."""

    __slots__ = ("_above", "_below", "_cache", "_exact", "_local", "_local_names", "_order", "_single")

    def __init__(self, exams: Sequence[RecordedExam] = ()) -> None:
        book = catalogue()
        self._order = {exam.id: at for at, exam in enumerate(exams)}
        self._exact: dict[str, list[str]] = {}
        self._below: dict[str, list[str]] = {}
        self._above: dict[str, list[str]] = {}
        for exam in exams:
            for code in exam.codes:
                self._exact.setdefault(code, []).append(exam.id)
                for wider in book.ancestors(code):
                    self._below.setdefault(wider, []).append(exam.id)
                for finer in book.descendants(code):
                    self._above.setdefault(finer, []).append(exam.id)
        self._single = _single_regions(exams)
        self._local_names: dict[str, str] = {}
        self._local = self._local_lexicon(exams)
        self._cache: dict[tuple[str, Language | None], OrderReading] = {}

    def read(self, text: str, language: Language | None = None) -> OrderReading:
        """What an utterance orders. The same words give the same reading.

        Args:
            text: What the doctor said; characters beyond the limit are not read.
            language: Of the names in the reading; the language of the text when absent.
        """
        key = text[:4_000], language
        known = self._cache.get(key)
        if known is None:
            if len(self._cache) >= CACHED_READINGS:
                self._cache.pop(next(iter(self._cache)))
            known = self._cache[key] = self._read(*key)
        return known

    def matches(self, code: str) -> tuple[str, ...]:
        """Ids of the recorded examinations that an order of this code reveals, in the record's order."""
        found = {*self._exact.get(code, ()), *self._below.get(code, ())} or set(self._above.get(code, ()))
        return tuple(sorted(found, key=self._order.__getitem__))

    def _read(self, text: str, language: Language | None) -> OrderReading:
        text, folded = prepare(text)
        hits = lexicon().find(folded, text)
        if self._local is not None:
            hits = _merged(hits, self._local.find(folded, text))
        scan = Scan(folded, hits, _exams)
        bind(scan.pieces)
        technical = {p.sentence for p in scan.pieces if not p.hand and (p.modality or not p.regions)}

        def alone(piece: Piece) -> bool:
            """Nothing beside a finding or a part of the body says that it is only talked about."""
            return not scan.parts[piece.part].residue and (not piece.regions or piece.sentence not in technical)

        found: dict[str, _Found] = {}
        vague = [(v.start, text[v.start : v.end]) for v in scan.vague if not v.explained]
        for piece in scan.pieces:
            items = list(self._codes(piece, alone))
            for item in items:
                found.setdefault(item.code, item)
            unplaced = piece.modality not in (None, "phys") and not piece.bound
            if not items and (unplaced or piece.modality == "any"):
                vague.append((piece.start, text[piece.start : piece.end]))
        language = language or detect_language(text)
        kept = _without_components(found)
        unknown = _unknown(text, scan, bool(kept or vague))
        return OrderReading(
            tuple(self._item(item, text, language) for item in kept),
            tuple(dict.fromkeys(words for _, words in sorted(vague))),
            unknown,
        )

    def _codes(self, piece: Piece, alone: Callable[[Piece], bool]) -> Iterable[_Found]:
        modality = piece.modality
        if modality is None:
            if piece.taken or piece.seat or (piece.bare and not alone(piece)):
                return
            for code in bare_codes(piece):
                yield _Found(code, (code,), piece.start, piece.end)
        elif piece.bound:
            for codes in codes_of(piece):
                if modality == "any" and not any(code in self._exact for code in codes):
                    continue
                start = min(piece.start, *(r.start for r in piece.bound))
                end = max(piece.end, *(r.end for r in piece.bound))
                yield _Found(codes[0] if len(codes) == 1 else common(codes), codes, start, end)
        elif (only := self._single.get(modality)) is not None:
            # One region on record: the department does what the patient came for.
            yield _Found(only, (only,), piece.start, piece.end)
        elif (usual := modality_table()[modality].default) is not None:
            yield _Found(usual, (usual,), piece.start, piece.end)

    def _item(self, item: _Found, text: str, language: Language) -> OrderItem:
        name = self._local_names.get(item.code) or catalogue().name(item.code, language)
        if len(item.members) == 1:
            ids = self.matches(item.members[0])
        else:
            revealed = {exam for code in item.members for exam in self.matches(code)}
            ids = tuple(sorted(revealed, key=self._order.__getitem__))
        return OrderItem(item.code, name, ids, text[item.start : item.end])

    def _local_lexicon(self, exams: Sequence[RecordedExam]) -> Lexicon | None:
        """Names by which this case's records may be ordered that the catalogue does not know."""
        entries: dict[str, Entry] = {}
        book = catalogue()
        for exam in exams:
            strange = [code for code in exam.codes if code not in book]
            for code in strange:
                self._local_names.setdefault(code, exam.names[0] if exam.names else code)
            code = strange[0] if strange else exam.codes[0]
            for name in exam.names:
                if not strange and set(resolve_name(name) or ()) & {*exam.codes}:
                    continue
                for leaf in {name, name.rsplit(">", 1)[-1]}:
                    for form in spellings(leaf.strip()):
                        entry = lexicon_entry(form)
                        if len(form) > 1 and (entry is None or strange) and not _too_common(entry):
                            entries.setdefault(form, Entry(exams=(code,)))
        return Lexicon(entries) if entries else None


def lexicon_entry(form: str) -> Entry | None:
    """What the general lexicon holds for exactly this phrase."""
    hits = lexicon().find(form, form)
    return hits[0].entry if len(hits) == 1 and hits[0].end - hits[0].start == len(form) else None


def _too_common(entry: Entry | None) -> bool:
    return entry is not None and entry.word is not Word.NONE


@lru_cache(maxsize=1)
def _plain_reader() -> OrderReader:
    return OrderReader()


def read_order(text: str, language: Language | None = None) -> OrderReading:
    """What an utterance orders, whatever is on record."""
    return _plain_reader().read(text, language)


def _exams(hit: Hit) -> tuple[str, ...]:
    return hit.entry.exams


def _single_regions(exams: Sequence[RecordedExam]) -> dict[str, str]:
    """Modalities of which the record has exactly one region, and its code."""
    found: dict[str, str] = {}
    for modality in modality_table().values():
        if not modality.composes or modality.id == "any":
            continue
        # By prefix only: an echocardiogram, to which ultrasound of the heart is sent, is ordered by its name.
        own = {code for code in (modality.prefix, *modality.regions.values()) if code.startswith(modality.prefix)}
        with_it = [exam for exam in exams if any(code in own for code in exam.codes)]
        codes = dict.fromkeys(code for exam in with_it for code in exam.codes if code in own)
        if len(codes) == 1:
            found[modality.id] = next(iter(codes))
    return found


def _merged(hits: list[Hit], local: list[Hit]) -> list[Hit]:
    """The case's own names win over general phrases inside them, and lose inside longer ones."""
    if not local:
        return hits
    kept = [
        own for own in local if not any(h.start <= own.start and own.end <= h.end and _longer(h, own) for h in hits)
    ]
    rest = [h for h in hits if not any(h.start < own.end and own.start < h.end for own in kept)]
    return sorted((*rest, *kept), key=lambda hit: hit.start)


def _longer(one: Hit, other: Hit) -> bool:
    return one.end - one.start > other.end - other.start


def _without_components(found: dict[str, _Found]) -> list[_Found]:
    """A laboratory panel ordered together with its own components is one order."""
    book = catalogue()
    return [
        item
        for code, item in found.items()
        if code not in book or book[code].kind != "laboratory" or not any(a in found for a in book.ancestors(code))
    ]


def _unknown(text: str, scan: Scan, understood: bool) -> tuple[str, ...]:
    """Parts of the list that name a test nobody knows; the whole utterance where nothing was understood."""
    found = []
    for part in scan.parts:
        if part.residue and not part.named:
            words = text[part.start : part.end].strip(" .。!！?？,，;；")
            core = [text[a:b].strip() for a, b in part.residue]
            if _looks_like_test(words) and len(words) <= LONGEST_UNKNOWN and core:
                found.append(words)
    if not found and not understood and not any(p.named for p in scan.parts):
        words = text.strip()[:LONGEST_UNKNOWN].strip()
        return (words,) if words else ()
    return tuple(dict.fromkeys(found))


def _looks_like_test(words: str) -> bool:
    lowered = words.lower()
    if lowered.isascii():
        return bool(_test_words() & set(lowered.replace("-", " ").split()))
    return any(w in lowered for w in _test_words() if not w.isascii())


@lru_cache(maxsize=1)
def _test_words() -> frozenset[str]:
    for row in table("exam_words.tsv"):
        if row["role"] == "test":
            return frozenset(row["phrases"].split(" ¦ "))
    return frozenset()
