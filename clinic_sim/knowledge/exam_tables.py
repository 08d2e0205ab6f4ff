"""The tables behind the examination catalogue and the reading of orders, as they stand in `data/`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Region:
    """A region or organ of the body."""

    id: str
    parents: tuple[str, ...]
    """Regions it lies in."""
    physical: str | None
    """Catalogue code of its physical examination."""
    name_en: str
    name_zh: str
    synonyms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Modality:
    """What is done to a region: CT, ultrasound, biopsy, palpation."""

    id: str
    prefix: str
    """Codes are `prefix.region`; for a manoeuvre (`.palpation`) the suffix of the region's physical examination."""
    kind: str
    part_of: str | None
    """The modality that contains it: CT angiography is a CT."""
    name_en: str
    name_zh: str
    synonyms_en: tuple[str, ...]
    synonyms_zh: tuple[str, ...]
    regions: Mapping[str, str]
    """Region to code; empty for examinations by hand, which any region may have."""
    default: str | None
    """Code meant where no region is named: a plain "endoscopy" is an upper endoscopy."""
    price: float
    minutes: int
    flags: frozenset[str]

    @property
    def composes(self) -> bool:
        """Has codes of its own in the catalogue."""
        return bool(self.regions)


def table(filename: str) -> Iterator[dict[str, str]]:
    """The rows of a table; every row has every column."""
    text = resources.files("clinic_sim.knowledge").joinpath("data", filename).read_text("utf-8")
    lines = [line for line in text.split("\n") if line and not line.startswith("#")]
    header = lines[0].split("\t")
    for line in lines[1:]:
        yield dict(zip(header, line.split("\t"), strict=True))


@cache
def regions() -> tuple[Region, ...]:
    """All regions."""
    return tuple(
        Region(
            id=row["region"],
            parents=_split(row["parents"]),
            physical=row["physical"] or None,
            name_en=row["name_en"],
            name_zh=row["name_zh"],
            synonyms=(*_split(row["synonyms_en"]), *_split(row["synonyms_zh"])),
        )
        for row in table("exam_regions.tsv")
    )


@cache
def modalities() -> tuple[Modality, ...]:
    """All modalities, examination by hand included."""
    return tuple(_modality(row) for row in table("exam_modalities.tsv"))


def _modality(row: dict[str, str]) -> Modality:
    codes: dict[str, str] = {}
    for cell in _split(row["regions"]):
        region, _, code = cell.partition("=")
        if region not in ("*", "-"):
            codes[region] = code or f"{row['prefix']}.{region}"
    return Modality(
        id=row["modality"],
        prefix=row["prefix"],
        kind=row["kind"],
        part_of=row["part_of"] or None,
        name_en=row["name_en"],
        name_zh=row["name_zh"],
        synonyms_en=_split(row["synonyms_en"]),
        synonyms_zh=_split(row["synonyms_zh"]),
        regions=MappingProxyType(codes),
        default=next((cell[2:] for cell in _split(row["regions"]) if cell.startswith("-=")), None),
        price=float(row["price"]),
        minutes=int(row["minutes"]),
        flags=frozenset(_split(row["flags"])),
    )


def _split(cell: str) -> tuple[str, ...]:
    return tuple(part for part in cell.split("|") if part)
