"""The words of orders: every phrase for an examination, a modality, a region or a turn of speech, in one automaton.

A phrase may play several roles (`liver` is a region and, alone, an examination by hand); which one it plays is decided
where the order is read (`order_binding`). Phrases of both languages stand in the same automaton, since doctors mix them
(头颅CT).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache

import ahocorasick

from clinic_sim.knowledge.exam_catalogue import catalogue
from clinic_sim.knowledge.exam_tables import modalities, regions, table
from clinic_sim.knowledge.text import fold

TEXT_LIMIT = 4_000
"""Characters of an order that are read."""

_SPACED = str.maketrans({"-": " ", "_": " ", "~": " ", "=": " "})


class Word(IntEnum):
    """What a phrase does in an order, apart from naming an examination."""

    NONE = 0
    FILLER = 1
    CONJUNCTION = 2
    SEPARATOR = 3
    SENTENCE = 4
    NEGATION = 5
    REASON = 6
    """Opens the reason for an order; what follows is not ordered."""
    RESUME = 7
    """Opens an order again, after a reason or a negation."""
    SYMPTOM = 8
    """Makes the region beside it the seat of a complaint."""
    VAGUE = 9
    GENERIC = 10
    """Heads a result in a record, and names nothing."""


@dataclass(slots=True)
class Entry:
    """All that one phrase may mean."""

    word: Word = Word.NONE
    exams: list[str] = field(default_factory=list)
    scoped: list[str] = field(default_factory=list)
    """Codes meant only inside a panel that contains them."""
    modality: str | None = None
    regions: list[str] = field(default_factory=list)
    case: str | None = None
    """The letter case in which alone it counts."""
    hand: bool = False
    """Done by hand and eye: a manoeuvre, or a physical examination."""
    bare: bool = False
    """Names a finding or a part of the body, so it is an order only where nothing else stands beside it."""


class Hit:
    """A phrase found in a text."""

    __slots__ = ("end", "entry", "start")

    def __init__(self, start: int, end: int, entry: Entry) -> None:
        self.start = start
        self.end = end
        self.entry = entry


def prepare(text: str) -> tuple[str, str]:
    """The text as it will be quoted, and folded position by position for matching."""
    text = text[:TEXT_LIMIT]
    folded = fold(text).translate(_SPACED)
    if "  " in folded:
        # Runs of spaces hide phrases; both forms are squeezed alike, so that positions still agree.
        keep = [i for i, c in enumerate(folded) if c != " " or (i and folded[i - 1] != " ")]
        text = "".join(text[i] for i in keep)
        folded = "".join(folded[i] for i in keep)
    return text, folded


class Lexicon:
    """Finds phrases: leftmost, longest, at word boundaries."""

    __slots__ = ("_automaton",)

    def __init__(self, phrases: dict[str, Entry]) -> None:
        self._automaton = ahocorasick.Automaton()
        for phrase, entry in phrases.items():
            self._automaton.add_word(phrase, (len(phrase), _is_word(phrase[0]), _is_word(phrase[-1]), entry))
        self._automaton.make_automaton()

    def find(self, folded: str, text: str) -> list[Hit]:
        """Phrases in folded text, in order, never overlapping."""
        found: list[tuple[int, int, Entry]] = []
        size = len(folded)
        for last, (length, opens, closes, entry) in self._automaton.iter(folded):
            start, end = last - length + 1, last + 1
            if opens and start and _is_word(folded[start - 1]):
                continue
            if closes and end < size and _is_word(folded[end]):
                continue
            if entry.case is not None and text[start:end] != entry.case:
                continue
            found.append((start, -end, entry))
        found.sort(key=_place)
        hits: list[Hit] = []
        free = 0
        for start, negative_end, entry in found:
            if start >= free:
                free = -negative_end
                hits.append(Hit(start, free, entry))
        return hits


def _place(item: tuple[int, int, Entry]) -> tuple[int, int]:
    return item[0], item[1]


def _is_word(char: str) -> bool:
    return char.isascii() and char.isalnum()


@cache
def lexicon() -> Lexicon:
    """The lexicon of the catalogue, built once."""
    return Lexicon(_entries())


def _entries() -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    _add_words(entries)
    for modality in modalities():
        for phrase in (*modality.synonyms_en, *modality.synonyms_zh):
            for entry in _entry(entries, phrase):
                entry.modality = entry.modality or modality.id
    for region in regions():
        for phrase in region.synonyms:
            for entry in _entry(entries, phrase):
                _append(entry.regions, region.id)
    _add_exams(entries)
    for phrase, entry in entries.items():
        if entry.modality or entry.exams or entry.regions:
            # A name outranks a turn of speech, except where the phrase is too broad to be a name.
            entry.word = entry.word if entry.word in (Word.VAGUE, Word.SYMPTOM) else Word.NONE
            by_hand = {m.id for m in modalities() if not m.composes}
            entry.hand = entry.modality in by_hand if entry.modality else _all_by_hand(entry.exams)
            entry.bare = (
                bool(entry.regions) or _one_han(phrase) or (_all_by_hand(entry.exams) and not _EXPLICIT.search(phrase))
            )
    return entries


def _add_words(entries: dict[str, Entry]) -> None:
    for row in table("exam_words.tsv"):
        if row["role"] == "test":
            continue
        for phrase in row["phrases"].split(" ¦ "):
            for entry in _entry(entries, phrase):
                entry.word = max(entry.word, Word[row["role"].upper()])
    for mark in "\n,;:|>":
        entries.setdefault(mark, Entry()).word = Word.SENTENCE if mark == "\n" else Word.SEPARATOR


def _add_exams(entries: dict[str, Entry]) -> None:
    for exam in catalogue():
        listed = (*exam.synonyms_en, *exam.synonyms_zh)
        if not listed:
            continue  # Composed of a modality and a region, and read as such.
        for phrase in (*listed, exam.name_en, exam.name_zh):
            scoped = phrase.startswith("~")
            for entry in _entry(entries, phrase.lstrip("~")):
                _append(entry.scoped if scoped else entry.exams, exam.code)


def _one_han(phrase: str) -> bool:
    """A single character (钙) is a name only by itself: 钙化 is none."""
    return len(phrase) == 1 and not phrase.isascii()


def _all_by_hand(codes: Iterable[str]) -> bool:
    book = catalogue()
    return all(book[code].kind == "physical" for code in codes)


_EXPLICIT = re.compile(
    r"exam|test|sign\b|manoeuvre|maneuver|auscult|palpat|percuss|inspect|scopy|check|acuity|reflex|nerve"
    r"|[查诊征]$|试验|反射|查体|视力"
)


def _append(items: list[str], item: str) -> None:
    if item not in items:
        items.append(item)


def _entry(entries: dict[str, Entry], phrase: str) -> Iterator[Entry]:
    """The entries of all spellings of a phrase."""
    case = phrase[1:] if phrase.startswith("^") else None
    for spelling in spellings(phrase.lstrip("^")):
        entry = entries.setdefault(spelling, Entry(case=case))
        if case is None:
            entry.case = None
        yield entry


_BRITISH = [
    (re.compile(pattern), to)
    for pattern, to in (
        (r"\bhem(?=o|a)", "haem"),
        (r"esoph", "oesoph"),
        (r"\bestr(?=a|o)", "oestr"),
        (r"\bfec(?=a|e)", "faec"),
        (r"\btumor", "tumour"),
        (r"\bcolor(?!ec)", "colour"),
        (r"\bfetal", "foetal"),
        (r"\bleuko", "leuco"),
        (r"gynecol", "gynaecol"),
        (r"\banemia", "anaemia"),
        (r"\bedema", "oedema"),
        (r"ization\b", "isation"),
        (r"\borthoped", "orthopaed"),
        (r"\bpediatr", "paediatr"),
        (r"\bceliac", "coeliac"),
        (r"\bmaneuver", "manoeuvre"),
        (r"emia\b", "aemia"),
        (r"\bcatheter(?=iz)", "catheter"),
        (r"\bcecal", "caecal"),
        (r"lipemia", "lipaemia"),
    )
]
_GREEK = (("alpha", "α"), ("beta", "β"), ("gamma", "γ"))
_JOINED = re.compile(r"(?<=[a-z]) (?=\d)|(?<=\d) (?=[a-z]\b)")
_APART = re.compile(r"(?<=[a-z])(?=\d)")


def spellings(phrase: str) -> set[str]:
    """The phrase as folded text may show it: hyphens, digits, possessives, plurals, British and Greek letters."""
    plain = " ".join(fold(phrase).translate(_SPACED).split())
    found = {plain}
    if not plain or not plain.isascii():
        # A Chinese name may hold Latin letters; only their spacing varies.
        return found | {re.sub(r"(?<=[a-z0-9]) (?=[^\x00-\x7f])|(?<=[^\x00-\x7f]) (?=[a-z0-9])", "", plain)} - {""}
    for pattern, to in _BRITISH:
        found |= {pattern.sub(to, form) for form in found}
    for form in tuple(found):
        found |= {_JOINED.sub("", form), _APART.sub(" ", form), form.replace("'s", ""), form.replace("'s", "s")}
        found |= {form.replace("/", " "), form.replace("'", "")} if len(form) > 1 else set()
    for name, letter in _GREEK:
        found |= {re.sub(rf"\b{name}\b", letter, form) for form in found}
    found |= {form + "s" for form in tuple(found) if len(form) > 3 and form[-1].isalpha() and form[-1] not in "sy"}
    return {form for form in found if form}
