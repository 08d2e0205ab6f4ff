"""The treatments that the package knows: medicines and their classes (`drugs.tsv`), the rest (`treatments.tsv`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from clinic_sim.knowledge.concepts import rows
from clinic_sim.knowledge.matcher import Matcher, build
from clinic_sim.knowledge.text import Language


@dataclass(frozen=True, slots=True)
class TreatmentConcept:
    """One treatment, class of medicines, or measure."""

    id: str
    kind: str
    """`drug`, or the kind in `treatments.tsv` (procedure, non_drug, diet, referral, ...)."""
    parents: tuple[str, ...]
    names_en: tuple[str, ...]
    names_zh: tuple[str, ...]
    atc: tuple[str, ...] = ()


@cache
def concepts() -> dict[str, TreatmentConcept]:
    """All treatments by id, loaded once."""
    found: dict[str, TreatmentConcept] = {}
    for id_, atc, parents, en, zh in rows("drugs.tsv"):
        found[id_] = TreatmentConcept(id_, "drug", _listed(parents), _listed(en), _listed(zh), _listed(atc))
    for id_, kind, parents, en, zh in rows("treatments.tsv"):
        found[id_] = TreatmentConcept(id_, kind, _listed(parents), _listed(en), _listed(zh))
    return found


@cache
def matcher(language: Language) -> Matcher:
    """Finds the names of treatments in text of one language, loaded once."""
    return build(
        language,
        [(form, (c.id,)) for c in concepts().values() for form in (c.names_zh if language == "zh" else c.names_en)],
        numbers_count=True,
    )


@cache
def ancestors(id_: str) -> tuple[str, ...]:
    """What the treatment is a kind of, nearest first, without itself; KeyError for an unknown id."""
    order: list[str] = []
    queue = list(concepts()[id_].parents)
    while queue:
        parent = queue.pop(0)
        if parent not in order and parent != id_:
            order.append(parent)
            queue.extend(concepts()[parent].parents)
    return tuple(order)


def name(id_: str, language: str) -> str:
    """The display name of a treatment; KeyError for an unknown id."""
    concept = concepts()[id_]
    return (concept.names_zh if language == "zh" else concept.names_en)[0]


def _listed(cell: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in cell.split("|") if item.strip())
