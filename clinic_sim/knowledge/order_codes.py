"""From bound pieces to catalogue codes: a modality and its regions, an examination by hand, a name of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache

from clinic_sim.knowledge.exam_catalogue import catalogue
from clinic_sim.knowledge.exam_tables import Modality, Region, modalities, regions
from clinic_sim.knowledge.order_binding import Piece


@cache
def modality_table() -> dict[str, Modality]:
    """Modalities by id."""
    return {modality.id: modality for modality in modalities()}


@cache
def _region_table() -> dict[str, Region]:
    return {region.id: region for region in regions()}


def codes_of(piece: Piece) -> Iterator[tuple[str, ...]]:
    """For each region of a modality the codes it means: more than one where a phrase names several organs."""
    modality = piece.modality
    if modality is None:
        return
    for region in piece.bound:
        codes = region_codes(modality, region.regions, region.exams)
        if codes:
            yield codes


@lru_cache(maxsize=4096)
def region_codes(modality_id: str, named: tuple[str, ...], exams: tuple[str, ...]) -> tuple[str, ...]:
    """Codes of a modality for the regions that one phrase may name, the most specific ones only."""
    modality = modality_table()[modality_id]
    if not modality.regions:
        return _by_hand(modality, named, exams)
    found: dict[str, str] = {}
    for region_id in named:
        code = modality.regions.get(region_id)
        if code is not None:
            found[region_id] = code
    if not found:
        return _wider(modality, named)
    above = {parent for region_id in found for parent in _lineage(region_id)}
    return tuple(dict.fromkeys(code for region_id, code in found.items() if region_id not in above))


def _wider(modality: Modality, named: tuple[str, ...]) -> tuple[str, ...]:
    """Nothing of this region is on the list: the nearest wider region, else the modality as such."""
    for region_id in named:
        for wider in _lineage(region_id):
            if wider in modality.regions:
                return (modality.regions[wider],)
    return (modality.prefix,) if modality.id != "any" else ()


def _by_hand(modality: Modality, named: tuple[str, ...], exams: tuple[str, ...]) -> tuple[str, ...]:
    book = catalogue()
    own = [code for code in exams if book[code].kind == "physical"]
    table = _region_table()
    above = {parent for region_id in named for parent in _lineage(region_id)}
    own = own[:1] if named else own
    own = own or [
        physical
        for region_id in named
        if region_id not in above and (physical := table[region_id].physical) is not None
    ]
    return tuple(dict.fromkeys(manoeuvre(modality.id, code) for code in own))


def manoeuvre(modality_id: str, code: str) -> str:
    """`phys.abdomen` and palpation give `phys.abdomen.palpation`, where the catalogue has it."""
    if modality_id == "phys":
        return code
    finer = code + modality_table()[modality_id].prefix
    return finer if finer in catalogue() else code


@lru_cache(maxsize=1024)
def _lineage(region_id: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    queue = list(_region_table()[region_id].parents)
    while queue:
        region = queue.pop(0)
        found[region] = None
        queue.extend(_region_table()[region].parents)
    return tuple(found)


def bare_codes(piece: Piece) -> tuple[str, ...]:
    """Codes of a name that no modality claimed."""
    return piece.exams or region_codes("phys", piece.regions, ())


@lru_cache(maxsize=1024)
def common(codes: tuple[str, ...]) -> str:
    """One code for several organs examined together: the nearest examination that contains them all."""
    book = catalogue()
    for ancestor in book.ancestors(codes[0]):
        if all(ancestor in book.ancestors(code) for code in codes[1:]):
            return ancestor
    return codes[0]
