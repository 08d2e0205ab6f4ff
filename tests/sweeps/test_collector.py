"""The cycle collector during a run: seldom, and afterwards as it was."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from clinic_sim.sweeps.collector import THRESHOLDS, seldom


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    found = gc.get_threshold()
    yield
    gc.set_threshold(*found)
    gc.unfreeze()
    gc.enable()


def test_it_is_left_as_it_was_found_also_after_an_error() -> None:
    gc.set_threshold(700, 10, 10)
    with seldom():
        assert gc.get_threshold() == THRESHOLDS
        assert gc.get_freeze_count() > 0
    assert gc.get_threshold() == (700, 10, 10)
    with pytest.raises(KeyError), seldom():
        raise KeyError
    assert gc.get_threshold() == (700, 10, 10)
    assert gc.get_freeze_count() == 0


def test_garbage_made_inside_is_still_collected() -> None:
    class Node:
        me: object

    gc.set_threshold(700, 10, 10)
    with seldom():
        for _ in range(THRESHOLDS[0] + 1_000):
            node = Node()
            node.me = node
        assert gc.get_count()[0] < THRESHOLDS[0]


@pytest.mark.parametrize("own", [(0, 10, 10), (50_000, 5, 5)])
def test_who_set_it_to_be_more_patient_keeps_that(own: tuple[int, int, int]) -> None:
    gc.set_threshold(*own)
    with seldom():
        assert gc.get_threshold() == own
    assert gc.get_threshold() == own


def test_who_froze_objects_before_finds_them_frozen() -> None:
    gc.freeze()
    with seldom():
        pass
    assert gc.get_freeze_count() > 0


def test_one_run_inside_another() -> None:
    gc.set_threshold(700, 10, 10)
    with seldom():
        with seldom():
            assert gc.get_threshold() == THRESHOLDS
        assert gc.get_threshold() == THRESHOLDS
    assert gc.get_threshold() == (700, 10, 10)
