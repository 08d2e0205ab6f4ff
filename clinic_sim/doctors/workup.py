"""Which tests the checklist doctor orders: what the presentation calls for, what would prove the leading diagnoses."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from clinic_sim.doctors.scripts import Evidence, IllnessScript
from clinic_sim.knowledge.exam_catalogue import catalogue

_BEDSIDE = ("vital", "phys")


@dataclass(frozen=True, slots=True)
class ComplaintTests:
    """The tests of one presentation."""

    concept: str
    sex: str
    ages: tuple[float, float]
    exams: tuple[str, ...]


@cache
def complaint_tests() -> tuple[ComplaintTests, ...]:
    """All presentations with their tests, loaded once."""
    text = resources.files("clinic_sim.doctors").joinpath("data/complaint_tests.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")][1:]
    return tuple(_row(row) for row in rows)


def _row(row: list[str]) -> ComplaintTests:
    concept, sex, ages, exams = row
    low, _, high = ages.partition("-")
    return ComplaintTests(concept, sex, (float(low or 0), float(high or 120)), tuple(exams.split("|")))


def bedside(code: str) -> bool:
    """Done at the bedside: an examination, no test."""
    return code.partition(".")[0] in _BEDSIDE


def called_for(evidence: Evidence, conditions: Collection[str] = ()) -> list[str]:
    """Codes that the complaint calls for."""
    found: dict[str, None] = {}
    for row in complaint_tests():
        if row.concept not in evidence.complaint or (row.sex and evidence.sex and row.sex != evidence.sex):
            continue
        if evidence.age is None or row.ages[0] <= evidence.age <= row.ages[1]:
            found.update(dict.fromkeys(row.exams))
    return safe(found, conditions)


def proving(scripts: Sequence[IllnessScript], shares: Sequence[int], conditions: Collection[str] = ()) -> list[str]:
    """The most decisive tests of the leading scripts, `shares[i]` of the i-th; bedside examinations left out."""
    found: dict[str, None] = {}
    for script, share in zip(scripts, shares, strict=False):
        found.update(dict.fromkeys(safe([e for e in script.exams if not bedside(e)], conditions)[:share]))
    return list(found)


def safe(codes: Iterable[str], conditions: Collection[str]) -> list[str]:
    """Codes without those that a condition forbids: radiation in pregnancy, contrast where it was not borne."""
    book, kept = catalogue(), []
    for code in codes:
        flags = frozenset() if code.startswith("img.us.") else book.get(code).flags
        if "pregnant" in conditions and flags & {"pregnancy_caution", "radiation"}:
            instead = code.replace("img.ct.", "img.mri.")
            kept += [instead] if instead != code and instead in book else []
        elif "contrast" in flags and not {"contrast_allergy", "kidney"}.isdisjoint(conditions):
            continue
        else:
            kept.append(code)
    return kept


def without_repeats(codes: Iterable[str], ordered: Iterable[str]) -> list[str]:
    """Codes not ordered yet, neither themselves nor within a panel, and none inside another of the list."""
    book, before, kept = catalogue(), set(ordered), []
    wanted = list(dict.fromkeys(codes))
    for code in wanted:
        above = set(book.ancestors(code)) | {code}
        if above & before or (above - {code}) & set(wanted):
            continue
        kept.append(code)
    return kept
