"""How a chatty patient gives the reference away: misspelt names, names run together or spelt out, hints at them."""

from __future__ import annotations

import re

from rapidfuzz.distance import OSA

from clinic_sim.clinic.patient.speech.reference import Reference
from clinic_sim.clinic.patient.speech.tables import pattern, word_list
from clinic_sim.knowledge.text import stem
from clinic_sim.knowledge.treatments import covers

_ALLOWED_SLIPS = ((12, 3), (8, 2), (6, 1))


_PLAIN_WORDS = word_list("no.misspelling")


_HINT_EN = pattern("hint.en")


_HINT_ZH = pattern("hint.zh")


def hinted(folded: str, reference: Reference) -> str | None:
    """A hint at the name: what it begins or rhymes with, how it is spelt."""
    for match in _HINT_EN.finditer(folded):
        start = match["start"]
        if start is None:
            return match.group()
        words = {w for name in reference.initials for w in (name, *name.split())}
        if any(w.startswith(start) and w != start for w in words) or len(start) == 1:
            return match.group()
    found = _HINT_ZH.search(folded)
    return found.group() if found else None


_PHONETIC = (
    ("ph", "f"),
    ("ae", "e"),
    ("oe", "e"),
    ("y", "i"),
    ("ck", "k"),
    ("ch", "k"),
    ("c", "k"),
    ("z", "s"),
    ("rh", "r"),
    ("gh", "g"),
    ("x", "ks"),
)


def _sound(word: str) -> str:
    for this, that in _PHONETIC:
        word = word.replace(this, that)
    word = re.sub(r"(.)\1+", r"\1", word)
    return re.sub(r"^(?:pn|ps|pt)", lambda m: m.group()[1], word)


def misspelt(word: str, reference: Reference) -> str | None:
    """The word of the reference that a word of text is a misspelling or a part of, None where it is none."""
    if word in _PLAIN_WORDS or len(word) < 5:
        return None
    if word in reference.innocent:
        return None
    found = _misspelt(word, reference)
    if found is None and len(reference.innocent) < _MOST_WORDS:
        reference.innocent.add(word)
    return found


def _misspelt(word: str, reference: Reference) -> str | None:
    for wanted in reference.words:
        if word == wanted:
            return wanted
        slips = next((n for least, n in _ALLOWED_SLIPS if len(wanted) >= least), 0)
        if len(wanted) >= 6 and abs(len(word) - len(wanted)) <= slips + 1:
            if slips and OSA.distance(word, wanted, score_cutoff=slips) <= slips:
                return wanted
            if len(wanted) >= 6 and OSA.distance(_sound(word), _sound(wanted), score_cutoff=1) <= (
                1 if len(wanted) >= 8 else 0
            ):
                return wanted
        if _same_root(word, wanted):
            return wanted
        if len(word) >= 6 and (
            wanted.startswith(word)
            or (
                len(wanted) >= 7
                and wanted[:6] == word[:6]
                and word.endswith(("itis", "ytis", "ites", "iti", "osis", "emia", "oma"))
            )
        ):
            return wanted
    return None


_ROOT = 7


def _same_root(word: str, wanted: str) -> bool:
    """Whether a word is the beginning of a long name, misspelt or with another ending: hyperthiroid, listeria."""
    if len(wanted) < _ROOT + 2 or len(word) < _ROOT or word[:3] != wanted[:3] or word in _FEELINGS:
        return False
    if word[:_ROOT] == wanted[:_ROOT] and len(word) - _ROOT <= 2:
        return True
    return len(word) >= _ROOT + 2 and OSA.distance(word, wanted[: len(word)], score_cutoff=1) <= 1


_FEELINGS = word_list("feelings")


def run_together(folded: str, reference: Reference) -> str | None:
    """A name in letters run together or apart: `appendi citis`, `heart-attack` as one word."""
    if not reference.runs:
        return None
    letters = "".join(_LETTERS.findall(folded))
    return next((run for run in reference.runs if run in letters), None)


def spelt_right(word: str, reference: Reference) -> str:
    """The stem of a word, or of the word of the reference's names that it is a slip away from."""
    known = reference.corrected.get(word)
    if known is None:
        known = stem(word)
        if len(word) >= 5 and word not in _PLAIN_WORDS:
            slips = 2 if len(word) >= 9 else 1
            for wanted in reference.vocabulary:
                if wanted[0] == word[0] and OSA.distance(word, wanted, score_cutoff=slips) <= slips:
                    known = stem(wanted)
                    break
        if len(reference.corrected) < _MOST_WORDS:
            reference.corrected[word] = known
    return known


_MOST_WORDS = 4_096


def phrase(words: list[str], reference: Reference) -> str | None:
    """A name of several words, however they are spelt."""
    if reference.phrases is None:
        return None
    found = reference.phrases.search(f" {' '.join([spelt_right(w, reference) for w in words])} ")
    return found.group().strip() if found else None


_PARTLY = pattern("named.partly")
_REST = re.compile(r"thing|whats|what'?s it|whatever|call|other|dot dot|disease|syndrome|disorder|blah|and so on")


def partly_named(folded: str, reference: Reference) -> str | None:
    """The beginning of a name with a word for the rest: multiple system something."""
    for match in _PARTLY.finditer(folded) if _REST.search(folded) else ():
        if any(name.startswith(f"{match['start']} ") for name in reference.initials):
            return match.group()
    return None


_PARTLY_ZH = pattern("named.partly.zh")


def partly_named_zh(folded: str, reference: Reference) -> str | None:
    """The first two characters of the reference's own name with a word for the rest, or in quotes: 异位什么的."""
    for match in _PARTLY_ZH.finditer(folded):
        if any(len(name) > 3 and name.startswith(match["start"]) for name in reference.names):
            return match.group()
    return None


_LETTERS = re.compile("[a-z]+")


def covers_reference(concept: str, reference: Reference) -> float:
    """How far a named treatment is one of the reference's; half where it is the class of one."""
    return max((covers(concept, wanted) for wanted in reference.treatments), default=0.0)
