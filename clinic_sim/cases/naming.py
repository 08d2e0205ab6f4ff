"""Whether a stated diagnosis is a reference one: by code on the ICD-10 hierarchy, or by name where either has none."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from clinic_sim.cases.reference import CodedDiagnosis
from clinic_sim.knowledge.diagnoses import ReadDiagnosis, resolve_diagnosis
from clinic_sim.knowledge.icd10 import similarity

HIT = 0.8
"""Closeness from which a stated diagnosis is the wanted one: the same ICD-10 category."""
DOUBTFUL = 0.5
"""Below this score a resolved code is a guess at what was meant: it earns credit in proportion."""


def closeness(stated: ReadDiagnosis, reference: CodedDiagnosis) -> float:
    """How near a stated diagnosis is to a reference one, in [0, 1]: by code, or by name where either has none."""
    if _plain(stated.text) in {_plain(name) for name in (reference.name, *reference.names)}:
        return 1.0
    code = reference.icd10
    if code is None:
        guess = resolve_diagnosis(reference.name)
        code = guess[0].icd10 if guess and guess[0].score >= DOUBTFUL else None
    if code is None or not stated.matches:
        return 0.0
    best = stated.matches[0]
    return similarity(best.icd10, code) * min(1.0, best.score / DOUBTFUL)


@lru_cache(maxsize=65_536)
def _plain(name: str) -> str:
    """A name without case, spacing and punctuation."""
    return "".join(c for c in unicodedata.normalize("NFKC", name).casefold() if c.isalnum())
