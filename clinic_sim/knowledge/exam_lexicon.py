"""The words of orders: every phrase for an examination, a modality, a region or a turn of speech, in one automaton.

A phrase may play several roles (`liver` is a region and, alone, an examination by hand); which one it plays is decided
where the order is read (`order_binding`). Phrases of both languages stand in the same automaton, since doctors mix them
(头颅CT).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cache, lru_cache

from clinic_sim.knowledge.automaton import Automaton
from clinic_sim.knowledge.building import uncollected
from clinic_sim.knowledge.exam_catalogue import catalogue
from clinic_sim.knowledge.exam_tables import modalities, regions, table
from clinic_sim.knowledge.letters import NO_LETTER, PRIVATE, letter_of
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


@dataclass(frozen=True, slots=True)
class Entry:
    """All that one phrase may mean; phrases that mean the same share it."""

    word: Word = Word.NONE
    exams: tuple[str, ...] = ()
    scoped: tuple[str, ...] = ()
    """Codes meant only inside a panel that contains them."""
    modality: str | None = None
    regions: tuple[str, ...] = ()
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


_WORDS = re.compile("([a-zA-Z0-9]+)")


class Lexicon:
    """Finds phrases: leftmost, longest, at word boundaries.

    The automaton runs over words of Latin letters and digits, and over any other characters one by one: half the size
    of one over letters, and boundaries hold by themselves.
    """

    __slots__ = ("_entries", "_finder", "_letters")

    def __init__(self, phrases: dict[str, Entry]) -> None:
        letters: dict[str, str] = {}
        spelt: list[str] = []
        self._entries: list[Entry] = []
        while phrases:  # the table goes as the list grows, so that the two never stand side by side
            phrase, entry = phrases.popitem()
            parts = _WORDS.split(phrase)
            for at in range(1, len(parts), 2):  # every other one is a word
                letter = letters.get(parts[at])
                if letter is None:
                    letter = letters[parts[at]] = letter_of(len(letters))
                parts[at] = letter
            spelt.append("".join(parts))
            self._entries.append(entry)
        self._letters = letters
        self._finder = Automaton(spelt)

    def _spelt(self, folded: str) -> tuple[str, list[int]]:
        """The text with a letter for each word, and where in the text each letter stands; last, where it ends.

        An unknown word is its first letter, which by itself is no word's.
        """
        letters = self._letters
        spelt: list[str] = []
        starts: list[int] = []
        at = 0
        is_word = False
        for part in _WORDS.split(folded):
            end = at + len(part)
            if not is_word:
                spelt.append(part)
                starts.extend(range(at, end))
            elif known := letters.get(part):
                spelt.append(known)
                starts.append(at)
            else:
                spelt.append(part[0])
                starts.append(at)
            at = end
            is_word = not is_word
        starts.append(at)
        return "".join(spelt), starts

    def find(self, folded: str, text: str) -> list[Hit]:
        """Phrases in folded text, in order, never overlapping."""
        spelt, starts = self._spelt(folded if folded.isascii() else PRIVATE.sub(NO_LETTER, folded))
        found: list[tuple[int, int, Entry]] = []
        for number, first, stop in self._finder.find(spelt):
            entry, start, end = self._entries[number], starts[first], starts[stop]
            if entry.case is None or text[start:end] == entry.case:
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


@cache
@uncollected
def lexicon() -> Lexicon:
    """The lexicon of the catalogue, built once."""
    return Lexicon(_entries())


def _entries() -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for phrase, meaning in _meanings():
        _add(entries, phrase, meaning)
    for mark in "\n,;:|>":
        entries[mark] = replace(entries.get(mark, Entry()), word=Word.SENTENCE if mark == "\n" else Word.SEPARATOR)
    by_hand = frozenset(m.id for m in modalities() if not m.composes)
    finished: dict[tuple[int, bool], Entry] = {}
    for phrase, entry in entries.items():
        if entry.modality or entry.exams or entry.regions:
            examined = _all_by_hand(entry.exams)
            bare = bool(entry.regions) or _one_han(phrase) or (examined and not _EXPLICIT.search(phrase))
            key = id(entry), bare
            if key not in finished:
                # A name outranks a turn of speech, except where the phrase is too broad to be a name.
                word = entry.word if entry.word in (Word.VAGUE, Word.SYMPTOM) else Word.NONE
                hand = entry.modality in by_hand if entry.modality else examined
                finished[key] = replace(entry, word=word, hand=hand, bare=bare)
            entries[phrase] = finished[key]
    return entries


def _meanings() -> Iterator[tuple[str, Entry]]:
    """Every phrase of the tables and what it means there."""
    for row in table("exam_words.tsv"):
        if row["role"] != "test":
            meaning = Entry(word=Word[row["role"].upper()])
            yield from ((phrase, meaning) for phrase in row["phrases"].split(" ¦ "))
    for modality in modalities():
        meaning = Entry(modality=modality.id)
        yield from ((phrase, meaning) for phrase in (*modality.synonyms_en, *modality.synonyms_zh))
    for region in regions():
        meaning = Entry(regions=(region.id,))
        yield from ((phrase, meaning) for phrase in region.synonyms)
    for exam in catalogue():
        listed = (*exam.synonyms_en, *exam.synonyms_zh)
        if not listed:
            continue  # Composed of a modality and a region, and read as such.
        named, scoped = Entry(exams=(exam.code,)), Entry(scoped=(exam.code,))
        for phrase in (*listed, exam.name_en, exam.name_zh):
            yield phrase.lstrip("~"), scoped if phrase.startswith("~") else named


def _add(entries: dict[str, Entry], phrase: str, meaning: Entry) -> None:
    """One more meaning for all spellings of a phrase; its letter case counts only if it does for all that it means."""
    case = phrase[1:] if phrase.startswith("^") else None
    cased = meaning if case is None else replace(meaning, case=case)
    for spelling in spellings(phrase.lstrip("^")):
        known = entries.get(spelling)
        if known is None:
            entries[spelling] = cased
        elif known is not cased:
            entries[spelling] = Entry(
                word=max(known.word, meaning.word),
                exams=_union(known.exams, meaning.exams),
                scoped=_union(known.scoped, meaning.scoped),
                modality=known.modality or meaning.modality,
                regions=_union(known.regions, meaning.regions),
                case=None if case is None else known.case,
            )


def _union(known: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return (*known, *(item for item in more if item not in known))


def _one_han(phrase: str) -> bool:
    """A single character (钙) is a name only by itself: 钙化 is none."""
    return len(phrase) == 1 and not phrase.isascii()


@lru_cache(maxsize=4096)
def _all_by_hand(codes: tuple[str, ...]) -> bool:
    book = catalogue()
    return all(book[code].kind == "physical" for code in codes)


_EXPLICIT = re.compile(
    r"exam|test|sign\b|manoeuvre|maneuver|auscult|palpat|percuss|inspect|scopy|check|acuity|reflex|nerve"
    r"|[查诊征]$|试验|反射|查体|视力"
)


_BRITISH = [
    (letters, re.compile(pattern), to)
    for letters, pattern, to in (
        ("hem", r"\bhem(?=o|a)", "haem"),
        ("esoph", r"esoph", "oesoph"),
        ("estr", r"\bestr(?=a|o)", "oestr"),
        ("fec", r"\bfec(?=a|e)", "faec"),
        ("tumor", r"\btumor", "tumour"),
        ("color", r"\bcolor(?!ec)", "colour"),
        ("fetal", r"\bfetal", "foetal"),
        ("leuko", r"\bleuko", "leuco"),
        ("gynecol", r"gynecol", "gynaecol"),
        ("anemia", r"\banemia", "anaemia"),
        ("edema", r"\bedema", "oedema"),
        ("ization", r"ization\b", "isation"),
        ("orthoped", r"\borthoped", "orthopaed"),
        ("pediatr", r"\bpediatr", "paediatr"),
        ("celiac", r"\bceliac", "coeliac"),
        ("maneuver", r"\bmaneuver", "manoeuvre"),
        ("emia", r"emia\b", "aemia"),
        ("cecal", r"\bcecal", "caecal"),
        ("lipemia", r"lipemia", "lipaemia"),
    )
]
"""What American letters are written how; the letters stand first, for most phrases have none of them."""
_AMERICAN = re.compile("|".join(letters for letters, _, _ in _BRITISH))
_GREEK = tuple((n, re.compile(rf"\b{n}\b"), letter) for n, letter in (("alpha", "α"), ("beta", "β"), ("gamma", "γ")))
_JOINED = re.compile(r"(?<=[a-z]) (?=\d)|(?<=\d) (?=[a-z]\b)")
_APART = re.compile(r"(?<=[a-z])(?=\d)")
_DIGIT = re.compile(r"\d")
_MIXED = re.compile(r"(?<=[a-z0-9]) (?=[^\x00-\x7f])|(?<=[^\x00-\x7f]) (?=[a-z0-9])")


def spellings(phrase: str) -> set[str]:
    """The phrase as folded text may show it: hyphens, digits, possessives, plurals, British and Greek letters."""
    plain = " ".join(fold(phrase).translate(_SPACED).split())
    found = {plain}
    if not plain or not plain.isascii():
        # A Chinese name may hold Latin letters; only their spacing varies.
        return found | {_MIXED.sub("", plain)} - {""} if " " in plain else found
    if _AMERICAN.search(plain):
        for _, pattern, to in _BRITISH:
            found |= {pattern.sub(to, form) for form in found}
    for form in tuple(found):
        if _DIGIT.search(form):
            found |= {_JOINED.sub("", form), _APART.sub(" ", form)}
        if "'" in form:
            found |= {form.replace("'s", ""), form.replace("'s", "s")}
        if len(form) > 1 and ("/" in form or "'" in form):
            found |= {form.replace("/", " "), form.replace("'", "")}
    for name, word, letter in _GREEK:
        if name in plain:
            found |= {word.sub(letter, form) for form in found}
    found |= {form + "s" for form in tuple(found) if len(form) > 3 and form[-1].isalpha() and form[-1] not in "sy"}
    return {form for form in found if form}
