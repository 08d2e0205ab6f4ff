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
    """The code of the first name that the catalogue knows, a name being read under the headings that ` > ` puts before
    it; a local code of the first name otherwise."""
    return _code(tuple(names), language, kind)


def panel_of(labels: Sequence[str], language: Language) -> Coded | None:
    """The panel that most of the labelled parts belong to, None where they have none in common."""
    book = catalogue()
    above: list[tuple[str, ...]] = []
    for label in labels:
        coded = code_exam([label], language, "laboratory")
        if coded.known and coded.kind == "laboratory":
            above.append((coded.code, *book.ancestors(coded.code)))
    if not above or len(above) * 2 < len(labels):
        return None
    shared = next((c for c in above[0] if all(c in other for other in above)), None)
    return Coded(shared, (), book[shared].kind.value, known=True) if shared else None


_BY_HAND = {"physical", "vital"}


@lru_cache(maxsize=16_384)
def _code(names: tuple[str, ...], language: Language, kind: Kind) -> Coded:
    for name in names:
        codes = resolve_name(name, language)
        if codes:
            book = catalogue()
            own: Kind = book[codes[0]].kind.value
            # The left wrist of an aspiration is where it was done, not a physical examination of it.
            also = tuple(c for c in codes[1:] if own in _BY_HAND or book[c].kind.value not in _BY_HAND)
            return Coded(codes[0], also, own, known=True)
    return Coded(f"local.{slug(names[0].rsplit(' > ', 1)[-1])}", (), kind, known=False)
