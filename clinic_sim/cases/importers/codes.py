"""Names of examinations to codes of the catalogue, else `local.<name>`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from clinic_sim.cases.exams import Kind
from clinic_sim.cases.importers.base import slug
from clinic_sim.knowledge.exam_catalogue import catalogue
from clinic_sim.knowledge.orders import resolve_name
from clinic_sim.knowledge.text import Language


@dataclass(frozen=True, slots=True)
class Coded:
    """A code, further codes that the same record answers, the kind, and whether the catalogue knows it."""

    code: str
    also: tuple[str, ...]
    kind: Kind
    known: bool


def code_exam(names: Sequence[str], language: Language, kind: Kind) -> Coded:
    """The code of the first name that the catalogue knows; a local code of the first name otherwise."""
    return _code(tuple(names), language, kind)


@lru_cache(maxsize=16_384)
def _code(names: tuple[str, ...], language: Language, kind: Kind) -> Coded:
    for name in names:
        codes = resolve_name(name, language)
        if codes:
            book = catalogue()
            return Coded(codes[0], tuple(codes[1:]), book[codes[0]].kind, known=True)
    return Coded(f"local.{slug(names[0])}", (), kind, known=False)
