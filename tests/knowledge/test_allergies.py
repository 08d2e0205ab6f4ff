"""Allergies are read from records of both languages, and forbid what cross-reacts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_sim.knowledge.allergies import CONTRAST, conflict, forbidden_by, read_allergies
from clinic_sim.knowledge.concepts import rows
from clinic_sim.knowledge.treatment_lexicon import concepts


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Penicillin allergy with a rash.", "class.penicillin"),
        ("青霉素过敏，表现为皮疹。", "class.penicillin"),
        ("5年前服依那普利后出现口唇、舌头肿胀，停药急诊处理后消退。", "drug.enalapril"),
        ("Anaphylaxis to iodinated contrast medium, treated with adrenaline.", CONTRAST),
        ("对碘造影剂过敏", CONTRAST),
        ("Sulfa, codeine", "class.sulfonamide"),
        ("对磺胺类药物过敏，青霉素皮试阴性", "class.sulfonamide"),
        ("No known allergies except penicillin", "class.penicillin"),
        ("除青霉素外无药物过敏", "class.penicillin"),
        ("无食物过敏，头孢过敏", "class.cephalosporin"),
        ("Bactrim - hives", "drug.co_trimoxazole"),
    ],
)
def test_what_a_heading_of_allergies_tells(text: str, first: str) -> None:
    assert read_allergies(text, listed=True)[:1] == (first,)


@pytest.mark.parametrize(
    "text",
    [
        "No known drug allergies.",
        "NKDA",
        "否认药物、食物过敏史。",
        "No drug allergies, penicillin tolerated.",
        "Denies allergy to penicillin, sulfa, aspirin",
        "无青霉素过敏史",
        "海鲜过敏",
        "No drug allergies. Takes lisinopril.",
        "无药物过敏，目前口服二甲双胍",
        "None",
        "",
    ],
)
def test_what_is_denied_or_no_medicine_is_none(text: str) -> None:
    assert read_allergies(text, listed=True) == ()


@pytest.mark.parametrize(
    "text", ["Takes aspirin daily.", "过敏性鼻炎，用布地奈德", "Seasonal allergic rhinitis, takes loratadine"]
)
def test_elsewhere_a_name_alone_is_no_allergy(text: str) -> None:
    assert read_allergies(text) == ()


def test_elsewhere_an_allergy_is_told_in_words() -> None:
    assert read_allergies("She had an allergic reaction to amoxicillin") == ("drug.amoxicillin",)


@pytest.mark.parametrize(
    ("medicine", "allergen"),
    [
        ("drug.amoxicillin", "class.penicillin"),
        ("drug.piperacillin_tazobactam", "drug.amoxicillin"),
        ("drug.ibuprofen", "drug.aspirin"),
        ("drug.aspirin", "class.nsaid"),
        ("drug.ramipril", "drug.enalapril"),
        ("drug.sacubitril_valsartan", "drug.enalapril"),
        ("drug.enoxaparin", "drug.heparin"),
        ("drug.sulfasalazine", "class.sulfonamide"),
        ("drug.lamotrigine", "drug.carbamazepine"),
        ("class.nsaid", "drug.aspirin"),
    ],
)
def test_what_cross_reacts_is_forbidden(medicine: str, allergen: str) -> None:
    assert conflict(medicine, (allergen,)) is not None


@pytest.mark.parametrize(
    ("medicine", "allergen"),
    [
        ("drug.ceftriaxone", "class.penicillin"),
        ("drug.meropenem", "class.penicillin"),
        ("drug.furosemide", "class.sulfonamide"),
        ("drug.celecoxib", "drug.aspirin"),
        ("drug.losartan", "drug.enalapril"),
        ("class.antibiotic", "class.penicillin"),
        ("drug.azithromycin", "class.penicillin"),
    ],
)
def test_what_does_not_is_allowed(medicine: str, allergen: str) -> None:
    assert conflict(medicine, (allergen,)) is None


def test_every_concept_of_the_table_exists() -> None:
    known = concepts()
    for allergen, forbids, why in rows("cross_reactivity.tsv"):
        assert allergen in known
        assert all(c in known for c in forbids.split("|"))
        assert why


@given(st.text(max_size=200))
def test_no_text_breaks_it(text: str) -> None:
    for allergen in read_allergies(text, listed=True):
        assert forbidden_by(allergen)
