"""The course of treatment (诊治经过) into treatment items: only what the text states, and masked words stay masked."""

from __future__ import annotations

from clinic_sim.cases.reference import Treatment
from clinic_sim.knowledge.text import Language


def read_course(path: str, text: str, language: Language = "zh") -> tuple[Treatment, ...]:
    """The treatment items that a course states."""
    return ()
