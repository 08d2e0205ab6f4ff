"""Free-text diagnoses, English or Chinese, as ICD-10 codes: resolve one, split and read several.

The public face of the `diagnosis_*` modules. Nothing here raises on any text, and time is bounded: what is longer than
a diagnosis list can be is not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from clinic_sim.knowledge import diagnosis_chinese, diagnosis_english, diagnosis_hedges, diagnosis_split, icd10
from clinic_sim.knowledge import diagnosis_text as texts
from clinic_sim.knowledge.diagnosis_english import Found
from clinic_sim.knowledge.diagnosis_names import names_diagnosis, names_of, preferred_name
from clinic_sim.knowledge.diagnosis_words import Certainty
from clinic_sim.knowledge.text import Language, clean

__all__ = [
    "Certainty",
    "DiagnosisMatch",
    "ReadDiagnosis",
    "names_diagnosis",
    "names_of",
    "preferred_name",
    "read_diagnoses",
    "resolve_diagnosis",
    "split_diagnoses",
]

REFUSE = 0.5
"""Scores below this are guesses and are not returned."""
NAMED = 0.86
"""From here on a text is the name of a diagnosis, at most decorated."""
_DOUBT: dict[Certainty, float] = {"stated": 1.0, "likely": 0.98, "possible": 0.92, "ruled_out": 0.0}
_MOST = 12


@dataclass(frozen=True, slots=True)
class DiagnosisMatch:
    """A code that a text may mean."""

    icd10: str
    name: str
    """The code's name in the language asked for, English where a Chinese name is not known."""
    score: float
    """In [0, 1]; 1 is the name itself."""


@dataclass(frozen=True, slots=True)
class ReadDiagnosis:
    """One diagnosis of a text."""

    text: str
    certainty: Certainty
    matches: tuple[DiagnosisMatch, ...]
    """What the words name, best first, also when it was ruled out."""


@dataclass(frozen=True, slots=True)
class _One:
    certainty: Certainty
    found: tuple[tuple[str, float], ...]


def resolve_diagnosis(text: str, *, language: Language | None = None, limit: int = 5) -> tuple[DiagnosisMatch, ...]:
    """The codes that a text means, best first; nothing when no name is near or the diagnosis was ruled out.

    Of several diagnoses in one text each one's best comes first, in the writer's order.
    """
    return _resolve(clean(text, texts.TEXT_LIMIT).text, language)[: max(limit, 0)]


@lru_cache(maxsize=8_192)
def _resolve(text: str, language: Language | None) -> tuple[DiagnosisMatch, ...]:
    tongue = language or _tongue(text)
    found: dict[str, float] = {}
    later: dict[str, float] = {}
    for place, part in enumerate(_parts(text)):
        one = _one(part)
        doubt = _DOUBT[one.certainty] * (1 - 0.005 * min(place, 20))
        for rank, (code, score) in enumerate(one.found):
            table = later if rank else found
            table[code] = max(table.get(code, 0.0), score * doubt)
    first = sorted(found.items(), key=lambda pair: -pair[1]) if len(_parts(text)) == 1 else list(found.items())
    ranked = [*first, *sorted(later.items(), key=lambda pair: (-pair[1], pair[0]))]
    return tuple(_matches(ranked, tongue))


def _matches(ranked: list[tuple[str, float]], language: Language) -> list[DiagnosisMatch]:
    matches: dict[str, DiagnosisMatch] = {}
    ceiling = 1.0
    for code, score in ranked:
        # Order is part of the answer: a later diagnosis never scores above an earlier one.
        ceiling = min(ceiling, score)
        if ceiling >= REFUSE and code not in matches:
            matches[code] = DiagnosisMatch(code, preferred_name(code, language), round(ceiling, 4))
    return list(matches.values())[:_MOST]


def split_diagnoses(text: str) -> list[str]:
    """The diagnoses of a text, each as it was written: `1. A 2. B`, `A; B`, `甲，乙`, `A and B` where both are diagnoses."""
    return list(_parts(clean(text, texts.TEXT_LIMIT).text))


def read_diagnoses(text: str, *, language: Language | None = None, limit: int = 5) -> list[ReadDiagnosis]:
    """Every diagnosis of a text with how sure its writer is and the codes that it means."""
    bounded = clean(text, texts.TEXT_LIMIT).text
    read = []
    for part in _parts(bounded):
        one = _one(part)
        matches = _matches(list(one.found), language or _tongue(part))
        read.append(ReadDiagnosis(part, one.certainty, tuple(matches[: max(limit, 0)])))
    return read


@lru_cache(maxsize=8_192)
def _parts(text: str) -> tuple[str, ...]:
    return tuple(diagnosis_split.split(text, _is_diagnosis, _is_name))


def _is_diagnosis(text: str) -> bool:
    return bool(_one(text).found)


def _is_name(text: str) -> bool:
    found = _one(text).found
    return bool(found) and found[0][1] >= NAMED


@lru_cache(maxsize=32_768)
def _one(text: str) -> _One:
    """One diagnosis: the name as it stands, else without the words around it."""
    prepared = texts.prepare(text)
    chinese = _tongue(prepared) == "zh"
    resolve = diagnosis_chinese.resolve if chinese else diagnosis_english.resolve
    if _exact(prepared, chinese):
        return _One("stated", _ranked(resolve(prepared)))
    reading = diagnosis_hedges.read(prepared, chinese)
    return _One(reading.certainty, _ranked(resolve(reading.text)))


def _exact(prepared: str, chinese: bool) -> bool:
    if chinese:
        return bool(diagnosis_chinese.exact(texts.chinese_name(prepared))) and "?" not in prepared
    known = diagnosis_english.exact(texts.content(texts.english_words(prepared)))
    return any(score == 1.0 for score, _ in known.values()) and "?" not in prepared


def _ranked(found: Found) -> tuple[tuple[str, float], ...]:
    kept = [(code, min(score, 1.0)) for code, (score, _) in found.items() if score >= REFUSE and code in icd10.items()]
    return tuple(sorted(kept, key=lambda pair: (-pair[1], pair[0]))[:_MOST])


def _tongue(text: str) -> Language:
    """Chinese as soon as one Han character is there: names of diseases keep their Latin abbreviations in both."""
    return "zh" if any("\u3400" <= c <= "\u9fff" for c in text) else "en"
