"""The reading behind `diagnoses`: a text's parts, how sure their writer is, and the codes that each may mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import NamedTuple

from clinic_sim.knowledge import diagnosis_chinese, diagnosis_english, diagnosis_hedges, diagnosis_split, icd10
from clinic_sim.knowledge import diagnosis_text as texts
from clinic_sim.knowledge.diagnoses import DiagnosisMatch, ReadDiagnosis
from clinic_sim.knowledge.diagnosis_english import Found
from clinic_sim.knowledge.diagnosis_family import family_code, relatives_disease
from clinic_sim.knowledge.diagnosis_names import preferred_name
from clinic_sim.knowledge.diagnosis_words import Certainty
from clinic_sim.knowledge.text import Language, clean

REFUSE = 0.5
"""Scores below this are guesses and are not returned."""
NAMED = 0.86
"""From here on a text is the name of a diagnosis, at most decorated."""
EXACT = 0.97
"""From here on it is a name of the tables, word for word."""
LISTED = 0.55
"""Below this a piece between commas is no diagnosis of its own."""
_DOUBT: dict[Certainty, float] = {"stated": 1.0, "likely": 0.98, "possible": 0.92, "ruled_out": 0.0}
_MOST = 12
_NAME_LIMIT = 200
"""Characters beyond which a text is no name, whatever it begins with."""


@dataclass(frozen=True, slots=True)
class _One:
    certainty: Certainty
    found: tuple[tuple[str, float], ...]


def resolve(text: str, language: Language | None) -> tuple[DiagnosisMatch, ...]:
    """The codes that a text means, best first."""
    return _resolve(clean(text, texts.TEXT_LIMIT).text, language)


@lru_cache(maxsize=8_192)
def _resolve(text: str, language: Language | None) -> tuple[DiagnosisMatch, ...]:
    found: dict[str, float] = {}
    later: dict[str, float] = {}
    parts = _parts(text)
    for place, part in enumerate(parts):
        one = _one(part.text)
        doubt = _DOUBT[_stronger(one.certainty, part.floor)] * (1 - 0.005 * min(place, 20))
        for rank, (code, score) in enumerate(one.found):
            table = later if rank else found
            table[code] = max(table.get(code, 0.0), score * doubt)
    rest = sorted(((c, s) for c, s in later.items() if c not in found), key=lambda pair: (-pair[1], pair[0]))
    return _matches([*found.items(), *rest], language or _tongue(text))


def _stronger(one: Certainty, other: Certainty) -> Certainty:
    """The stronger of two doubts."""
    return max(one, other, key=diagnosis_split.DOUBT.__getitem__)


def _matches(ranked: Iterable[tuple[str, float]], language: Language) -> tuple[DiagnosisMatch, ...]:
    matches: list[DiagnosisMatch] = []
    ceiling = 1.0
    for code, score in ranked:
        if score < REFUSE or len(matches) == _MOST:
            continue
        # Order is part of the answer: a later diagnosis never scores above an earlier one.
        ceiling = min(ceiling, score)
        matches.append(DiagnosisMatch(code, preferred_name(code, language), round(ceiling, 4)))
    return tuple(matches)


def split(text: str) -> list[str]:
    """The diagnoses of a text, each as it was written."""
    return [part.text for part in _parts(clean(text, texts.TEXT_LIMIT).text)]


def read(text: str, language: Language | None, limit: int) -> list[ReadDiagnosis]:
    """Every diagnosis of a text with its certainty and at most so many codes."""
    found = []
    for part in _parts(clean(text, texts.TEXT_LIMIT).text):
        one = _one(part.text)
        matches = _matches(one.found, language or _tongue(part.text))
        found.append(ReadDiagnosis(part.text, _stronger(one.certainty, part.floor), matches[:limit]))
    return found


@lru_cache(maxsize=8_192)
def _parts(text: str) -> tuple[diagnosis_split.Part, ...]:
    return tuple(diagnosis_split.split(text, _READER))


def _is_diagnosis(text: str) -> bool:
    found = _one(text).found
    # `fracture` or `infection` in a list qualifies its neighbour; a symptom is a diagnosis of its own.
    if not found or found[0][1] < LISTED:
        return False
    prepared = texts.prepare(text)
    kind = diagnosis_chinese if _tongue(prepared) == "zh" else diagnosis_english
    return not kind.only_says_what(prepared)


def _is_name(text: str) -> bool:
    return _naming(text) >= NAMED


def _is_exact(text: str) -> bool:
    return _naming(text) >= EXACT


@lru_cache(maxsize=8_192)
def _leads(text: str) -> bool:
    prepared = texts.prepare(text)
    if _tongue(prepared) == "zh":
        return diagnosis_chinese.leads(prepared)
    return diagnosis_english.leads(diagnosis_hedges.read(prepared, False).text)


def _doubt_before(text: str) -> Certainty:
    prepared = texts.prepare(text)
    return diagnosis_hedges.before(prepared, _tongue(prepared) == "zh")


_READER = diagnosis_split.Reader(_is_diagnosis, _is_name, _is_exact, _leads, _doubt_before)


class _Seen(NamedTuple):
    """A text as it is looked up."""

    text: str
    certainty: Certainty
    naming: float
    """How much of the text is a name as it stands."""


@lru_cache(maxsize=32_768)
def _seen(text: str) -> _Seen:
    """The name as it stands, else without the words around it."""
    prepared = texts.prepare(text)
    naming = _best(_kind(prepared).whole(prepared))
    if naming == 1.0 and "?" not in prepared:
        return _Seen(prepared, "stated", naming)
    reading = diagnosis_hedges.read(prepared, _tongue(prepared) == "zh")
    if reading.text != prepared:
        naming = _best(_kind(reading.text).whole(reading.text))
    return _Seen(reading.text, reading.certainty, naming)


def _naming(text: str) -> float:
    return _seen(text).naming if len(text) <= _NAME_LIMIT else 0.0


@lru_cache(maxsize=32_768)
def _one(text: str) -> _One:
    """One diagnosis and what it may mean."""
    seen = _seen(text)
    relatives = relatives_disease(seen.text) if seen.naming < 1.0 else None
    if relatives is None:
        return _One(seen.certainty, _ranked(_kind(seen.text).resolve(seen.text)))
    inherited: Found = {}
    for code, score in _ranked(_kind(relatives).resolve(relatives)):
        inherited.setdefault(family_code(code), (score, relatives))
    return _One(seen.certainty, _ranked(inherited))


def _kind(prepared: str) -> ModuleType:
    return diagnosis_chinese if _tongue(prepared) == "zh" else diagnosis_english


def _best(found: Found) -> float:
    return max((score for score, _ in found.values()), default=0.0)


def _ranked(found: Found) -> tuple[tuple[str, float], ...]:
    kept = [(code, min(score, 1.0)) for code, (score, _) in found.items() if score >= REFUSE and code in icd10.items()]
    return tuple(sorted(kept, key=lambda pair: (-pair[1], pair[0]))[:_MOST])


def _tongue(text: str) -> Language:
    """Chinese as soon as one Han character is there: names of diseases keep their Latin abbreviations in both."""
    return "zh" if any("\u3400" <= c <= "\u9fff" for c in text) else "en"
