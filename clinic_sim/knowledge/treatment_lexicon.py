"""The treatments that the package knows: medicines and their classes (`drugs.tsv`), the rest (`treatments.tsv`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from clinic_sim.knowledge.building import uncollected
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
    listed_en: str
    """Its names as the table has them; of twenty thousand names most are read once, into the matcher."""
    listed_zh: str
    listed_atc: str = ""

    @property
    def names_en(self) -> tuple[str, ...]:
        """English names, the one to show first."""
        return _listed(self.listed_en)

    @property
    def names_zh(self) -> tuple[str, ...]:
        """Chinese names, the one to show first."""
        return _listed(self.listed_zh)

    @property
    def atc(self) -> tuple[str, ...]:
        """Codes of the Anatomical Therapeutic Chemical classification."""
        return _listed(self.listed_atc)


@cache
@uncollected
def concepts() -> dict[str, TreatmentConcept]:
    """All treatments by id, loaded once."""
    found: dict[str, TreatmentConcept] = {}
    for id_, atc, parents, en, zh in rows("drugs.tsv"):
        found[id_] = TreatmentConcept(id_, "drug", _listed(parents), en, zh, atc)
    for id_, kind, parents, en, zh in rows("treatments.tsv"):
        found[id_] = TreatmentConcept(id_, kind, _listed(parents), en, zh)
    return found


@cache
@uncollected
def matcher(language: Language) -> Matcher:
    """Finds the names of treatments in text of one language, loaded once."""
    return build(language, _forms(language), numbers_count=True)


def _forms(language: Language) -> Iterator[tuple[str, tuple[str, ...]]]:
    for concept in concepts().values():
        ids = (concept.id,)
        yield from ((form, ids) for form in (concept.names_zh if language == "zh" else concept.names_en))


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
