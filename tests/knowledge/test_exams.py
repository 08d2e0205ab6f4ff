"""The catalogue: complete, bilingual, and sound as a hierarchy."""

from __future__ import annotations

from itertools import pairwise

import pytest

from clinic_sim.knowledge import exam_catalogue
from clinic_sim.knowledge.exam_catalogue import ExamKind, catalogue

FLAGS = {"radiation", "contrast", "pregnancy_caution", "invasive", "bedside"}


def test_it_is_wide_and_holds_every_kind() -> None:
    book = catalogue()
    assert len(book) >= 450
    counts = {kind: sum(exam.kind is kind for exam in book) for kind in ExamKind}
    assert all(counts[kind] >= 10 for kind in ExamKind), counts


def test_every_examination_has_both_names_a_price_and_a_turnaround() -> None:
    for exam in catalogue():
        assert exam.name_en.isascii() or "ü" in exam.name_en, exam.code
        assert any("\u4e00" <= c <= "\u9fff" or c.isupper() for c in exam.name_zh), exam.code
        assert exam.price >= 0, exam.code
        assert exam.minutes > 0, exam.code
        assert exam.flags <= FLAGS, exam.code


def test_names_are_told_apart() -> None:
    for language in ("en", "zh"):
        names = sorted(catalogue().name(exam.code, language) for exam in catalogue())
        assert [a for a, b in pairwise(names) if a == b] == []


def test_the_hierarchy_has_no_cycle_and_agrees_in_both_directions() -> None:
    book = catalogue()
    for exam in book:
        above = book.ancestors(exam.code)
        assert exam.code not in above
        assert set(exam.parents) <= set(above)
        assert all(exam.code in book.descendants(code) for code in above)


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        ("lab.cbc.hemoglobin", "lab.cbc"),
        ("phys.abdomen.palpation", "phys.abdomen"),
        ("lab.lft.alt", "lab.lft"),
        ("lab.lft.alt", "lab.cmp"),
        ("lab.immune.achr", "lab.immune"),
        ("phys.neuro.cranial", "phys.neuro"),
        ("img.ct.liver", "img.ct.abdomen"),
        ("img.cta.head", "img.ct.head"),
        ("vital.bp", "vital"),
    ],
)
def test_a_component_belongs_to_its_panel(part: str, whole: str) -> None:
    assert whole in exam_catalogue.ancestors(part)
    assert part in exam_catalogue.descendants(whole)


def test_x_rays_and_ct_carry_radiation_and_ultrasound_does_not() -> None:
    assert "radiation" in exam_catalogue.get("img.ct.chest").flags
    assert "pregnancy_caution" in exam_catalogue.get("img.xr.pelvis_bone").flags
    assert "radiation" not in exam_catalogue.get("img.us.abdomen").flags


def test_an_unknown_code_is_an_error() -> None:
    assert "lab.nonsense" not in catalogue()
    with pytest.raises(KeyError):
        exam_catalogue.get("lab.nonsense")


def test_names_come_in_the_language_asked_for() -> None:
    assert exam_catalogue.name("lab.cbc", "en") == "Complete blood count"
    assert exam_catalogue.name("lab.cbc", "zh") == "血常规"
