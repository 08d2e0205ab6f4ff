"""Examinations that need anatomy of the other sex."""

from __future__ import annotations

from clinic_sim.cases.case import Demographics
from clinic_sim.clinic.applicability import _FEMALE_ONLY, _MALE_ONLY, inapplicable
from clinic_sim.knowledge.exam_catalogue import catalogue


def test_every_listed_code_is_in_the_catalogue() -> None:
    assert {c for c in _FEMALE_ONLY | _MALE_ONLY if c not in catalogue()} == set()


def test_sex_decides_and_an_unknown_sex_forbids_nothing() -> None:
    man, woman, unknown = (Demographics(sex=s) for s in ("male", "female", "unknown"))
    assert inapplicable("img.us.obstetric", man)
    assert not inapplicable("img.us.obstetric", woman)
    assert inapplicable("lab.tumor.psa", woman)
    assert not inapplicable("lab.tumor.psa", man)
    assert not inapplicable("lab.tumor.psa", unknown)
    assert not inapplicable("lab.cbc", man)
