"""The examinations a clinic can do: codes, names in both languages, panels and their components, prices, turnaround.

`data/exams.tsv` lists them; imaging and biopsies by region are composed from `data/exam_modalities.tsv` and
`data/exam_regions.tsv`. A price is one illustrative US list price, right in its order of magnitude as public fee
schedules go, and no more than that; minutes are the usual turnaround.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType

from clinic_sim.knowledge.exam_tables import Modality, Region, modalities, regions, table

NO_PARENTS: tuple[str, ...] = ()


class ExamKind(StrEnum):
    """How an examination is done."""

    VITAL = "vital"
    PHYSICAL = "physical"
    LABORATORY = "laboratory"
    IMAGING = "imaging"
    PATHOLOGY = "pathology"
    PROCEDURE = "procedure"
    FUNCTION = "function"


@dataclass(frozen=True, slots=True)
class CatalogueExam:
    """One examination of the catalogue."""

    code: str
    kind: ExamKind
    parents: tuple[str, ...]
    """Panels or broader examinations that contain it."""
    name_en: str
    name_zh: str
    listed_en: str
    """Its synonyms as the table has them; most are read once, into the lexicon of orders."""
    listed_zh: str
    loinc: str | None
    price: float
    """Illustrative list price, US dollars."""
    minutes: int
    """Usual turnaround."""
    flags: frozenset[str]
    """Of `radiation`, `contrast`, `pregnancy_caution`, `invasive`, `bedside`."""

    @property
    def synonyms_en(self) -> tuple[str, ...]:
        """English synonyms, with the marks `~` (only inside a parent) and `^` (letter case counts)."""
        return _split(self.listed_en)

    @property
    def synonyms_zh(self) -> tuple[str, ...]:
        """Chinese synonyms, with the same marks."""
        return _split(self.listed_zh)


class Catalogue:
    """All examinations by code, in the table's order."""

    __slots__ = ("_ancestors", "_by_code", "_descendants")

    def __init__(self, exams: Iterable[CatalogueExam]) -> None:
        self._by_code = {exam.code: exam for exam in exams}
        self._ancestors = {code: self._closure(code) for code in self._by_code}
        below: dict[str, list[str]] = {code: [] for code in self._by_code}
        for code, above in self._ancestors.items():
            for ancestor in above:
                below[ancestor].append(code)
        self._descendants = {code: tuple(found) for code, found in below.items()}

    def get(self, code: str) -> CatalogueExam:
        """The examination; KeyError where there is none."""
        return self._by_code[code]

    __getitem__ = get

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

    def __iter__(self) -> Iterator[CatalogueExam]:
        return iter(self._by_code.values())

    def __len__(self) -> int:
        return len(self._by_code)

    def ancestors(self, code: str) -> tuple[str, ...]:
        """Panels and broader examinations that contain it, nearest first; none for an unknown code."""
        return self._ancestors.get(code, NO_PARENTS)

    def descendants(self, code: str) -> tuple[str, ...]:
        """All components, at any depth; none for an unknown code."""
        return self._descendants.get(code, NO_PARENTS)

    def name(self, code: str, language: str) -> str:
        """The name in `en` or `zh`."""
        exam = self._by_code[code]
        return exam.name_zh if language == "zh" else exam.name_en

    def _closure(self, code: str) -> tuple[str, ...]:
        found: dict[str, None] = {}
        level: Iterable[str] = self._by_code[code].parents
        while level := [p for p in level if p not in found and p != code]:
            found.update(dict.fromkeys(level))
            level = [p for parent in level for p in self._by_code[parent].parents]
        return tuple(found)


@cache
def catalogue() -> Catalogue:
    """The catalogue, loaded once."""
    return Catalogue([*_listed(), *_composed()])


def is_bedside(code: str) -> bool:
    """A vital sign or a physical examination: it costs minutes, not resources."""
    return code.partition(".")[0] in ("vital", "phys")


def get(code: str) -> CatalogueExam:
    """The examination of a code; KeyError where there is none."""
    return catalogue().get(code)


def ancestors(code: str) -> tuple[str, ...]:
    """Panels and broader examinations that contain it, nearest first."""
    return catalogue().ancestors(code)


def descendants(code: str) -> tuple[str, ...]:
    """All components of a panel, at any depth."""
    return catalogue().descendants(code)


def name(code: str, language: str) -> str:
    """The name of a code in `en` or `zh`."""
    return catalogue().name(code, language)


def _listed() -> Iterator[CatalogueExam]:
    composed_parents = _modality_parents()
    for row in table("exams.tsv"):
        code = row["code"]
        parents = _split(row["parents"])
        yield CatalogueExam(
            code=code,
            kind=ExamKind(row["kind"]),
            parents=(*parents, *(p for p in composed_parents.get(code, ()) if p not in parents)),
            name_en=row["name_en"],
            name_zh=row["name_zh"],
            listed_en=row["synonyms_en"],
            listed_zh=row["synonyms_zh"],
            loinc=row["loinc"] or None,
            price=float(row["price"]),
            minutes=int(row["minutes"]),
            flags=frozenset(_split(row["flags"])),
        )


def _modality_parents() -> Mapping[str, tuple[str, ...]]:
    """Listed codes that stand for a modality of a region (mammography is an X-ray) belong to that modality."""
    found: dict[str, tuple[str, ...]] = {}
    for modality in modalities():
        if modality.composes and modality.id != "any":
            for code in modality.regions.values():
                if not code.startswith(modality.prefix + "."):
                    found[code] = tuple(dict.fromkeys((*found.get(code, ()), modality.prefix)))
    return MappingProxyType(found)


def _composed() -> Iterator[CatalogueExam]:
    everywhere = {region.id: region for region in regions()}
    by_id = {modality.id: modality for modality in modalities()}
    listed = {row["code"] for row in table("exams.tsv")}
    for modality in by_id.values():
        if not modality.composes:
            continue
        whole = None if modality.id == "any" else modality.prefix
        if whole is not None:
            label = modality.synonyms_en[0], modality.synonyms_zh[0]
            above = (by_id[modality.part_of].prefix,) if modality.part_of else NO_PARENTS
            yield _exam(
                modality,
                whole,
                above,
                f"{_capital(label[0])}, region not stated",
                f"{_capital(label[1])}（部位未注明）",
            )
        for region_id, code in modality.regions.items():
            if code != f"{modality.prefix}.{region_id}" or code in listed:
                continue
            region = everywhere[region_id]
            above = tuple(dict.fromkeys(_above(modality, region, code, by_id)))
            names = modality.name_en.format(en=region.name_en), modality.name_zh.format(zh=region.name_zh)
            yield _exam(modality, code, (*above, *((whole,) if whole else ())), *names)


def _above(modality: Modality, region: Region, code: str, by_id: Mapping[str, Modality]) -> Iterator[str]:
    for parent in region.parents:
        if (wider := modality.regions.get(parent)) and wider != code:
            yield wider
    if modality.part_of and (same := by_id[modality.part_of].regions.get(region.id)) and same != code:
        yield same
    if modality.prefix.startswith("img.") and region.id in by_id["any"].regions:
        yield by_id["any"].regions[region.id]


def _exam(modality: Modality, code: str, parents: tuple[str, ...], name_en: str, name_zh: str) -> CatalogueExam:
    return CatalogueExam(
        code=code,
        kind=ExamKind(modality.kind),
        parents=parents,
        name_en=name_en,
        name_zh=name_zh,
        listed_en="",
        listed_zh="",
        loinc=None,
        price=modality.price,
        minutes=modality.minutes,
        flags=modality.flags,
    )


def _split(cell: str) -> tuple[str, ...]:
    return tuple(part for part in cell.split("|") if part)


def _capital(label: str) -> str:
    return label.upper() if len(label) <= 3 else label[0].upper() + label[1:]
