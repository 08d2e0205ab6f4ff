"""How near a stated diagnosis is to a reference one, as a clinician would have it: by the ICD-10 hierarchy, finer where
care differs, and by how much of the reference a vaguer answer still says.

The hierarchy is `knowledge.icd10`'s; this adds what a classification by organ does not know: that a missed ST elevation
is another treatment, and that a pneumonia whose organism is not named is not."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

from clinic_sim.cases import naming
from clinic_sim.cases.reference import CodedDiagnosis
from clinic_sim.knowledge.diagnoses import ReadDiagnosis, resolve_diagnosis
from clinic_sim.knowledge.icd10 import PARENT, block, category, is_unspecified, is_vague, similarity

DOUBTFUL = naming.DOUBTFUL
SAME_BLOCK = 0.8
"""Credit of the unspecified category of a block for one of its diseases (pneumonia for lobar pneumonia) where nothing
says that care differs."""


@dataclass(frozen=True, slots=True)
class CareRow:
    """Groups of codes between which the next step of care differs."""

    groups: tuple[tuple[str, ...], ...]
    within: float | None
    across: float
    vague: float
    why: str


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near a stated diagnosis is, and why not nearer."""

    value: float
    why: str = ""
    vaguer: bool = False
    """It names the same disease, or what that is a kind of, less exactly."""


@cache
def care_rows() -> tuple[CareRow, ...]:
    """The rows of `data/care_groups.tsv`."""
    found = []
    for groups, within, across, vague, why in _rows("care_groups.tsv"):
        parts = tuple(tuple(group.split(",")) for group in groups.split("|"))
        found.append(CareRow(parts, None if within == "-" else float(within), float(across), float(vague), why))
    return tuple(found)


@cache
def vague_names() -> tuple[tuple[tuple[str, ...], tuple[str, ...], float, str], ...]:
    """The rows of `data/vague_names.tsv`: prefixes of the names, of what they cover, the credit, why."""
    table = _rows("vague_names.tsv")
    return tuple((tuple(n.split(",")), tuple(c.split(",")), float(credit), why) for n, c, credit, why in table)


@cache
def _gravities() -> dict[str, float]:
    return {code: float(weight) for code, weight in _rows("gravity.tsv")}


def _rows(name: str) -> list[list[str]]:
    text = resources.files("clinic_sim.judge").joinpath(f"data/{name}").read_text("utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")][1:]


@lru_cache(maxsize=16_384)
def gravity(code: str) -> float:
    """What an unsupported diagnosis of this code counts against the answer."""
    table = _gravities()
    return next((table[code[:n]] for n in range(len(code), 0, -1) if code[:n] in table), 1.0)


@lru_cache(maxsize=65_536)
def code_nearness(stated: str, wanted: str) -> Nearness:
    """How far a stated code is the wanted one, in [0, 1].

    1 for the same; `PARENT` for a category against its own subcategory; for codes of a category or block, what the
    hierarchy gives, less where `care_groups.tsv` says that the next step differs and more where it says that it does
    not; for an answer that names the whole and not which (`stroke`), what the table says of it, or `SAME_BLOCK`;
    for a name that stands elsewhere in the book (`anaemia`, D64.9), what `vague_names.tsv` says.
    """
    near = similarity(stated, wanted)
    if stated == wanted:
        return Nearness(near)
    for names, covers, credit, why in vague_names():
        if stated.startswith(names) and wanted.startswith(covers) and near < PARENT:
            return Nearness(credit, why, vaguer=True)
    found = [n for row in care_rows() if (n := _by_care(row, stated, wanted, near)) is not None]
    if found:
        return min(found, key=lambda n: n.value)
    if near and near < PARENT and block(stated) == block(wanted) and is_vague(stated) and not is_vague(wanted):
        return Nearness(SAME_BLOCK, "unspecified", vaguer=True)
    return Nearness(near, vaguer=near >= PARENT)


def _by_care(row: CareRow, stated: str, wanted: str, near: float) -> Nearness | None:
    """What a row says of two codes; None where it is not about them."""
    own, other = _group(row, wanted), _group(row, stated)
    if own is None:
        return None
    if other is not None:
        if own == other:
            inside = category(stated) != category(wanted) and row.within is not None
            return Nearness(max(near, row.within), "") if inside and row.within is not None else None
        return Nearness(row.across, row.why)
    # An answer that no group claims may stand above them: the category of them all, or the rest of their block.
    if near and _above(row, own, stated):
        return Nearness(row.vague, f"leaves open: {row.why}", vaguer=True)
    return None


def _above(row: CareRow, own: int, stated: str) -> bool:
    """The stated code stands for a whole that the row divides: a category of several groups, or their block's rest."""
    if not (len(stated) == 3 or is_unspecified(stated)):
        return False
    under = [n for n, group in enumerate(row.groups) if any(category(code) == category(stated) for code in group)]
    if own in under and len(under) > 1:
        return True
    return is_vague(stated) and any(block(code) == block(stated) for code in row.groups[own])


def _group(row: CareRow, code: str) -> int | None:
    """The group that has the longest prefix of a code."""
    best, found = 0, None
    for n, group in enumerate(row.groups):
        for prefix in group:
            if code.startswith(prefix) and len(prefix) > best:
                best, found = len(prefix), n
    return found


@lru_cache(maxsize=32_768)
def _nearness(
    text: str, code: str | None, score: float, name: str, names: tuple[str, ...], wanted: str | None
) -> Nearness:
    if _plain(text) in {_plain(n) for n in (name, *names)}:
        return Nearness(1.0)
    if wanted is None:
        guess = resolve_diagnosis(name)
        wanted = guess[0].icd10 if guess and guess[0].score >= DOUBTFUL else None
    if wanted is None or code is None:
        return Nearness(0.0)
    near = code_nearness(code, wanted)
    sure = min(1.0, score / DOUBTFUL)
    return near if sure == 1.0 else Nearness(near.value * sure, near.why or "the name is read with doubt", near.vaguer)


@lru_cache(maxsize=32_768)
def _plain(name: str) -> str:
    """A name without case, spacing and punctuation."""
    return "".join(c for c in unicodedata.normalize("NFKC", name).casefold() if c.isalnum())


def nearness(stated: ReadDiagnosis, wanted: CodedDiagnosis) -> Nearness:
    """How near a stated diagnosis is to a reference one: by name, or by code as in `code_nearness`."""
    best = stated.matches[0] if stated.matches else None
    return _nearness(
        stated.text, best and best.icd10, best.score if best else 0.0, wanted.name, wanted.names, wanted.icd10
    )
