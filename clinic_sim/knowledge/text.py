"""Text as the rest of the package sees it: bounded, folded, its language known, cut into sentences.

Folding keeps every character's position, so that an offset in folded text is an offset in the source record.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

Language = Literal["en", "zh"]

UTTERANCE_LIMIT = 4_000
"""Characters of an utterance that are read; no doctor says more in one turn, and time must be bounded."""


class Cleaned(NamedTuple):
    """An utterance without control characters and surrogates, cut to the limit."""

    text: str
    truncated: bool


class Span(NamedTuple):
    """Where a piece of text stands."""

    start: int
    end: int


def _fold_table() -> dict[int, int]:
    table = dict.fromkeys((*range(0x20), *range(0x7F, 0xA1), 0x3000, 0xFEFF, *range(0x2000, 0x2010)), 0x20)
    table |= {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
    table |= dict.fromkeys(range(0xD800, 0xE000), 0x20)
    table |= {ord(c): ord("'") for c in "‘’ʼ`´"} | {ord(c): ord('"') for c in "“”„«»「」『』"}
    table |= {ord(c): ord("-") for c in "‐‑‒–—−"} | {ord("İ"): ord("i"), ord("～"): ord("~"), ord("﹖"): ord("?")}
    table[0x0A] = 0x0A
    return table


_FOLD = _fold_table()
_UNSPEAKABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\u200b-\u200f\ufeff]+")


def clean(text: str, limit: int = UTTERANCE_LIMIT) -> Cleaned:
    """Drop what cannot be spoken and cut to `limit` characters; the cost is bounded by the limit."""
    truncated = len(text) > limit
    return Cleaned(_UNSPEAKABLE.sub(" ", text[:limit] if truncated else text).strip(), truncated)


def fold(text: str) -> str:
    """Lower case, ASCII punctuation for full-width and typographic, spaces for control characters; same length."""
    if text.isascii() and text.isprintable():  # most of all text; of these characters the table changes one
        return text.lower().replace("`", "'")
    folded = text.translate(_FOLD)
    lowered = folded.lower()
    return lowered if len(lowered) == len(folded) else "".join(c.lower() if len(c.lower()) == 1 else c for c in folded)


_HAN = re.compile("[\u3400-\u9fff]")
_LATIN = re.compile("[A-Za-z]+")


def detect_language(text: str) -> Language:
    """Chinese when Han characters outnumber Latin words, English otherwise."""
    head = text[:2_000]
    han = len(_HAN.findall(head))
    return "zh" if han and han >= len(_LATIN.findall(head)) else "en"


_MARK_EN = re.compile(r"[.!?;\n]+")
_ABBREVIATION = re.compile(r"(?:\b(?:dr|mr|ms|mrs|vs|approx)|e\.g|i\.e)$")
_END_ZH = re.compile(r"(?:[。!?;\n]|(?<!\d)\.(?!\d))+")


def sentences(folded: str, language: Language) -> list[Span]:
    """The sentences of folded text, each with its closing mark; never empty ones."""
    spans = []
    start = 0
    for mark in (_END_ZH if language == "zh" else _MARK_EN).finditer(folded):
        if language == "en" and not _ends(mark, folded):
            continue
        if folded[start : mark.start()].strip():
            spans.append(Span(start, mark.end()))
            start = mark.end()
    if folded[start:].strip():
        spans.append(Span(start, len(folded)))
    return spans


def _ends(mark: re.Match[str], folded: str) -> bool:
    """Whether an English mark ends a sentence; a full stop within a number or after an abbreviation does not."""
    start, end = mark.span()
    if folded.startswith(".", start) and mark.group().strip(".") == "":
        return (end == len(folded) or folded[end].isspace()) and not _ABBREVIATION.search(
            folded, max(0, start - 7), start
        )
    return True


_IRREGULAR = {
    form: lemma
    for lemma, forms in {
        "be": "is are was were been being am be",
        "have": "has had having have",
        "do": "does did done doing do",
        "not": "don't doesn't didn't isn't aren't wasn't weren't haven't hasn't hadn't won't wouldn't shouldn't not",
        "cannot": "can't cannot couldn't cant",
        "go": "goes went gone going go",
        "get": "gets got gotten getting get",
        "feel": "felt feels feeling feel feelings",
        "eat": "ate eaten eats eating eat",
        "drink": "drank drunk drinks drinking drink drinker drinkers",
        "sleep": "slept sleeps sleeping sleep",
        "begin": "began begun begins beginning begin",
        "take": "took taken takes taking take",
        "throw": "threw thrown throws throwing throw",
        "fall": "fell fallen falls falling fall",
        "break": "broke broken breaks breaking break",
        "born": "born borne",
        "lasts": "lasts lasted lasting",
        "spine": "spine spines spinal",
        "lose": "lost loses losing lose",
        "swell": "swollen swell swells swelling swellings swelled",
        "bleed": "bled bleeds bleeding bleed bleeds",
        "see": "saw seen sees seeing see",
        "come": "came comes coming come",
        "give": "gave given gives giving give",
        "bring": "brought brings bringing bring",
        "hear": "hears hear",
        "stand": "stood stands standing stand",
        "sit": "sat sits sitting sit",
        "wake": "woke woken wakes waking wake awaken awakens awakened",
        "lie": "lay lain lies lying lie",
        "foot": "feet foot",
        "tooth": "teeth tooth",
        "woman": "women woman",
        "man": "men man",
        "bad": "worse worst bad",
        "bite": "bitten bites biting bite",
        "cough": "coughs coughed coughing cough",
        "smoke": "smokes smoked smoking smoke smoker smokers",
        "worsen": "worsens worsened worsening worsen",
        "use": "uses used using use user users",
        "evening": "evening evenings",
        "during": "during",
        "diabetes": "diabetes",
        "diarrhea": "diarrhea diarrhoea diarrheal diarrhoeal",
        "tumor": "tumor tumors tumour tumours",
        "edema": "edema oedema",
        "anemia": "anemia anaemia",
        "color": "color colour colors colours colored coloured",
        "hemorrhoid": "hemorrhoid hemorrhoids haemorrhoids haemorrhoid",
        "urine": "urine urines",
        "red": "red reddish",
        "different": "different",
        "news": "news",
        "gas": "gas gases",
        "mood": "mood moods moody",
        "period": "period periods",
        "note": "note notes noted noting",
    }.items()
    for form in forms.split()
} | {"worse": "worse", "worst": "worst"}
# Words that mean something else than the words they look inflected from: spots are no spotting, a site is not to sit.
_WHOLE = """
    added adding adds admits aids backed balls bit bumped bumps catching changing checking children contacts cycling
    discharged drops drugs engaged expecting extending extends facing fasting fits following formed functioning
    glasses goals grades graves handed heard hearing hives imaging isolate isolates kids limited listing moved
    nursing operating packs pads pounding raised reports running scratching shots site sites solids sores spots
    spotting stabbing straining substances tearing testes thirties tics tripped visited voices waves winded
"""
_IRREGULAR |= {word: word for word in _WHOLE.split()}
# Contractions whose first word is the one that matters.
_IRREGULAR |= {f"{word}'s": word for word in ("what", "that", "it", "there", "where", "how", "who", "let", "she", "he")}
_IRREGULAR |= {f"{word}'{rest}": word for word in ("you", "i", "it", "we", "they") for rest in ("ve", "re", "m", "d")}

# Well-spelt words that are a letter away from a word of the lexicon.
_WELL_SPELT = """
    addiction bacteria chloride cognition compliant conclusion containing cortisol ejection employer erythematous
    evaluation evaluations exerting exertion generate importance initiate initiated initiating investigating material
    medicated neighborhood operating perineal peroneal personal possibly postnatal prepared presence presented
    producing produces probable protecting regulate relative relation respond selection sensible significance
    sweetening thirties thorough untreated versatile withdraws
"""
_SPELT = frozenset(_WELL_SPELT.split()) | _IRREGULAR.keys()


def well_spelt(word: str) -> bool:
    """Whether a lower-case English word is known to be no slip of the pen."""
    return word in _SPELT


_VOWEL = re.compile("[aeiouy]")


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """What a lower-case English word shares with its inflections: smoke, smokes, smoked, smoking are one."""
    return stem_once(word)


def stem_once(word: str) -> str:
    """The same for who goes through thousands of words and keeps what he finds."""
    known = _IRREGULAR.get(word)
    if known is not None:
        return known
    if word[0].isdigit():
        return "#"
    word = word.removesuffix("'s")
    if len(word) < 4:
        return word
    if word.endswith(("ies", "ied")) and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("ing") and len(word) > 5 and _VOWEL.search(word[:-3]):
        word = _undouble(word[:-3])
    elif word.endswith("ed") and not word.endswith("eed") and len(word) > 4 and _VOWEL.search(word[:-2]):
        word = _undouble(word[:-2])
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    return word[:-1] if len(word) > 3 and word.endswith("e") and not word.endswith("ee") else word


def _undouble(word: str) -> str:
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiouls" else word
