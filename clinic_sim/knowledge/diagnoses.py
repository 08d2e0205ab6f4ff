"""Free-text diagnoses, English or Chinese, as ICD-10 codes: resolve one, split and read several.

The public face of the `diagnosis_*` modules. Nothing here raises on any text, and time is bounded: what is longer than
a diagnosis list can be is not read. Reading is imported by whoever reads first: the names alone, which every patient's
guard needs, are a tenth of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from clinic_sim.knowledge.diagnosis_names import names_diagnosis, names_of, preferred_name
from clinic_sim.knowledge.diagnosis_words import Certainty
from clinic_sim.knowledge.text import Language

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


def resolve_diagnosis(text: str, *, language: Language | None = None, limit: int = 5) -> tuple[DiagnosisMatch, ...]:
    """The codes that a text means, best first; nothing when no name is near or the diagnosis was ruled out.

    Of several diagnoses in one text each one's best comes first, in the writer's order.
    """
    from clinic_sim.knowledge import diagnosis_reading

    return diagnosis_reading.resolve(text, language)[: max(limit, 0)]


def split_diagnoses(text: str) -> list[str]:
    """The diagnoses of a text, each as it was written: `1. A 2. B`, `A; B`, `甲，乙`, `A and B`."""
    from clinic_sim.knowledge import diagnosis_reading

    return diagnosis_reading.split(text)


def read_diagnoses(text: str, *, language: Language | None = None, limit: int = 5) -> list[ReadDiagnosis]:
    """Every diagnosis of a text with how sure its writer is and the codes that it means."""
    from clinic_sim.knowledge import diagnosis_reading

    return diagnosis_reading.read(text, language, max(limit, 0))
