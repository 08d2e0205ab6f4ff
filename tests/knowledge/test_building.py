"""Tables are built once, and building leaves the process as it was."""

from __future__ import annotations

import gc

import pytest

from clinic_sim.knowledge import icd10
from clinic_sim.knowledge.building import uncollected


def test_the_collector_rests_while_a_table_is_built_and_runs_again_after() -> None:
    assert gc.isenabled()
    assert uncollected(gc.isenabled)() is False
    assert gc.isenabled()


def test_the_collector_runs_again_after_a_table_that_could_not_be_built() -> None:
    @uncollected
    def broken() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        broken()
    assert gc.isenabled()


def test_a_collector_that_its_user_stopped_stays_stopped() -> None:
    gc.disable()
    try:
        assert uncollected(gc.isenabled)() is False
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_the_book_is_the_same_from_the_file_as_from_the_package() -> None:
    assert list(icd10._file_items()) == list(icd10._library_items())


def test_the_book_comes_from_the_package_where_its_file_is_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    known = icd10.items()
    monkeypatch.setattr(icd10, "find_spec", lambda name: None)
    icd10.items.cache_clear()
    try:
        assert icd10.items() == known
    finally:
        icd10.items.cache_clear()
