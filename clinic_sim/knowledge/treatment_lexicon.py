"""The treatments that the package knows: medicines and their classes (`drugs.tsv`), the rest (`treatments.tsv`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from clinic_sim.knowledge.building import uncollected
from clinic_sim.knowledge.concepts import rows
from clinic_sim.knowledge.matcher import Matcher, build
from clinic_sim.knowledge.packed import Texts
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


class Concepts(Mapping[str, TreatmentConcept]):
    """All treatments by id: kept as the tables have them, and made when they are first asked.

    Args:
        listed: Kind, parents, English and Chinese names and codes of each, apart by tabs.
    """

    __slots__ = ("_listed", "_made")

    def __init__(self, listed: Mapping[str, str]) -> None:
        self._listed = Texts(listed)
        self._made: dict[str, TreatmentConcept] = {}

    def __len__(self) -> int:
        return len(self._listed)

    def __iter__(self) -> Iterator[str]:
        return (id_ for id_, _ in self._listed.items())

    def __contains__(self, id_: object) -> bool:
        return id_ in self._made or (isinstance(id_, str) and id_ in self._listed)

    def __getitem__(self, id_: str) -> TreatmentConcept:
        known = self._made.get(id_)
        if known is None:
            line = self._listed.get(id_)
            if line is None:
                raise KeyError(id_)
            known = self._made[id_] = _concept(id_, line)
        return known

    def every(self) -> Iterator[TreatmentConcept]:
        """All of them in the order of the tables, for who goes through them once."""
        return (_concept(id_, line) for id_, line in self._listed.items())


def _concept(id_: str, line: str) -> TreatmentConcept:
    kind, parents, en, zh, atc = line.split("\t")
    return TreatmentConcept(id_, kind, _listed(parents), en, zh, atc)


@cache
@uncollected
def concepts() -> Concepts:
    """All treatments, loaded once."""
    found = {id_: "\t".join(("drug", parents, en, zh, atc)) for id_, atc, parents, en, zh in rows("drugs.tsv")}
    found |= {id_: "\t".join((*kind_to_zh, "")) for id_, *kind_to_zh in rows("treatments.tsv")}
    return Concepts(found)


@cache
@uncollected
def matcher(language: Language) -> Matcher:
    """Finds the names of treatments in text of one language, loaded once."""
    return build(language, _forms(language), numbers_count=True)


def _forms(language: Language) -> Iterator[tuple[str, tuple[str, ...]]]:
    for concept in concepts().every():
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
