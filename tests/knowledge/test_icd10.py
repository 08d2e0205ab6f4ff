"""The ICD-10 hierarchy as the judge uses it: codes read as people write them, and how near two of them are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_sim.knowledge import icd10


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("I21.9", "I21.9"),
        ("i219", "I21.9"),
        (" k35.8 ", "K35.8"),
        ("I48.91", "I48.9"),  # a national extension
        ("J81.0", "J81"),  # a subcategory that the WHO has not
        ("g44.009", "G44.0"),
        ("G01*", "G01"),
        ("A17.0†", "A17.0"),
        ("I21", "I21"),
    ],
)
def test_a_code_is_read_however_it_is_written(written: str, code: str) -> None:
    assert icd10.normalise_code(written) == code


@pytest.mark.parametrize("written", ["", "I", "21.9", "I20-I25", "IX", "pneumonia", "Ⅸ21", "I99.99.9", "急性"])
def test_what_is_no_code_is_none(written: str) -> None:
    assert icd10.normalise_code(written) is None


@given(st.text(max_size=12))
def test_normalising_never_raises_and_gives_valid_codes(written: str) -> None:
    code = icd10.normalise_code(written)
    assert code is None or (icd10.is_valid(code) and icd10.normalise_code(code) == code)


def test_chapters_and_blocks_are_no_diagnosis_codes() -> None:
    assert not icd10.is_valid("IX")
    assert not icd10.is_valid("I20-I25")
    assert icd10.is_valid("I21")
    assert icd10.is_valid("I21.9")


def test_a_code_stands_under_its_category_block_and_chapter() -> None:
    assert icd10.ancestors("I21.0")[0] == "I21"
    assert icd10.category("I21.0") == "I21"
    assert icd10.block("I21.0") == "I20-I25"
    assert icd10.chapter("I21.0") == "IX"
    assert "infarction" in icd10.title("I21.0")


def test_similarity_falls_with_the_distance() -> None:
    own, parent, sibling = (icd10.similarity("I21.1", other) for other in ("I21.1", "I21", "I21.0"))
    vague, block, chapter, far = (
        icd10.similarity(a, b)
        for a, b in (("I63.9", "I64"), ("I21.1", "I20.0"), ("I21.1", "I50.9"), ("I21.1", "J18.9"))
    )
    assert own == 1.0 > parent > sibling > vague > block > chapter > far == 0.0


def test_an_unspecified_subcategory_counts_as_its_category() -> None:
    assert icd10.similarity("J45.9", "J45.0") == icd10.similarity("J45", "J45.0")


def test_a_vague_answer_is_nearer_than_a_wrong_one() -> None:
    # Appendicitis for acute appendicitis, diabetes for its type 2; not chronic for acute, type 1 for type 2.
    assert icd10.similarity("K35.8", "K37") > icd10.similarity("K35.8", "K36")
    assert icd10.similarity("E11.9", "E14.9") > icd10.similarity("E11.9", "E10.9")


def test_pneumonia_and_lung_cancer_have_nothing_in_common() -> None:
    assert icd10.similarity("J18.9", "C34.9") == 0.0


_SOME = sorted(code for code in icd10.items() if icd10.is_valid(code))[::97]


@given(st.sampled_from(_SOME), st.sampled_from(_SOME))
def test_similarity_is_symmetric_and_bounded(a: str, b: str) -> None:
    assert icd10.similarity(a, b) == icd10.similarity(b, a)
    assert 0.0 <= icd10.similarity(a, b) <= 1.0
    assert (icd10.similarity(a, b) == 1.0) == (a == b)


def test_codes_that_do_not_exist_are_like_nothing() -> None:
    assert icd10.similarity("ZZZ", "I21") == 0.0
    assert icd10.similarity("", "") == 0.0
