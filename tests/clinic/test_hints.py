"""Words in which laymen talk around a disease."""

from __future__ import annotations

import re

from clinic_sim.clinic.patient.speech.hints import Hints, hints_at
from clinic_sim.clinic.patient.speech.tables import table
from clinic_sim.knowledge import icd10


def test_every_row_of_the_table_is_a_category_with_words_in_both_languages() -> None:
    rows = table("hints.tsv")
    assert len({code for code, *_ in rows}) == len(rows) > 300
    for code, english, chinese in rows:
        assert icd10.normalise_code(code) == code, code
        assert re.fullmatch(r"[A-Z][0-9][0-9A-Z]", code), code
        assert english == english.lower(), code
        assert min(len(english.split(";")), len(chinese.split(";"))) >= 5, code


def test_hints_of_a_disease_and_of_its_block() -> None:
    own, near = hints_at({"E05"})
    assert "butterfly" in own.stems
    assert near.stems - own.stems


def test_an_entry_counts_once_and_only_where_something_in_it_is_unlicensed() -> None:
    hints = Hints(frozenset({"womb"}), ((" blood thinner ", frozenset({"blood", "thinner"})),), ("宫外",))
    assert hints.count("the womb, my womb", {"womb"}) == 1
    assert hints.count("the womb", set()) == 0
    assert hints.count("they gave me a blood-thinner", {"thinner"}) == 1
    assert hints.count("blood is thinner than water", {"thinner"}) == 0
    assert hints.count("是不是怀到宫外去了", {"宫外"}) == 1
    assert hints.count("是不是怀到宫外去了", {"怀到"}) == 0
    assert hints.count("", set()) == 0


def test_a_disease_without_a_row_has_no_hints() -> None:
    own, _ = hints_at({"V99"})
    assert own == Hints(frozenset(), (), ())
    assert hints_at(set()) == (own, own)
