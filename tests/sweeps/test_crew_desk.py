"""Handing out: in order, fairly, and no episode is lost, played twice, or given up for what another one did."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from clinic_sim.sweeps.crew_desk import DEATHS, Desk
from clinic_sim.sweeps.planned import Planned


def episodes(count: int) -> list[Planned]:
    return [Planned(n, f"{n:020x}", 0, 0, 0, 0, 0, 0) for n in range(count)]


@given(
    count=st.integers(1, 300),
    workers=st.integers(1, 5),
    slots=st.none() | st.integers(1, 20),
    fatal=st.sets(st.integers(0, 299), max_size=4),
    draws=st.randoms(use_true_random=False),
)
def test_every_episode_ends_once_and_only_the_fatal_ones_fail(
    count: int, workers: int, slots: int | None, fatal: set[int], draws: random.Random
) -> None:
    desk = Desk(episodes(count), workers, None if slots is None else [slots] * workers)
    hands: list[dict[str, Planned]] = [{} for _ in range(workers)]
    ended = Counter[int]()
    failed = set()
    while not desk.over:
        for seat, out in enumerate(hands):
            out.update((p.key, p) for p in desk.hand_out(seat))
            assert desk.busy(seat) == bool(out)
            if any(p.at in fatal for p in out.values()):
                for lost in desk.lost(seat):
                    failed.add(lost.at)
                    ended[lost.at] += 1
                out.clear()
                continue
            for key in [key for key in out if draws.random() < 0.7]:
                ended[out.pop(key).at] += 1
                assert desk.take(seat, key)
                assert desk.take(seat, key) is None
    assert ended == Counter(range(count))
    assert failed == {n for n in fatal if n < count}


def test_where_models_play_everybody_has_work_before_anybody_has_more_than_it_can_play() -> None:
    desk = Desk(episodes(12), 2, [4, 3])
    assert [p.at for p in desk.hand_out(0)] == [0, 1, 2, 3, 4]  # one ahead: five are left when all places are taken
    assert [p.at for p in desk.hand_out(1)] == [5, 6, 7, 8]
    assert desk.hand_out(0) == []
    assert desk.take(0, f"{0:020x}")
    assert desk.hand_out(0) == []  # the last few go to whoever has a place for them
    assert desk.take(0, f"{1:020x}")
    assert [p.at for p in desk.hand_out(0)] == [9]


def test_nothing_is_handed_out_ahead_where_there_is_a_place_for_all() -> None:
    desk = Desk(episodes(8), 2, [4, 4])
    assert [len(desk.hand_out(seat)) for seat in (0, 1)] == [4, 4]


def test_offline_episodes_go_out_many_at_once_and_few_at_the_end() -> None:
    desk = Desk(episodes(1000), 2, None)
    sizes = []
    while new := desk.hand_out(0):
        sizes.append(len(new))
        for planned in new:
            desk.take(0, planned.key)
    assert sum(sizes) == 1000
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 100
    assert sizes[-1] == 1


def test_what_a_dead_worker_had_goes_out_first_and_at_last_alone() -> None:
    desk = Desk(episodes(5), 1, [2])
    had = [0, 1, 2]
    for _ in range(DEATHS - 1):
        assert [p.at for p in desk.hand_out(0)] == had
        assert desk.lost(0) == []
    alone = []
    while new := desk.hand_out(0):
        alone.append([p.at for p in new])
        for planned in new:
            desk.take(0, planned.key)
    assert alone == [[3, 4], *([at] for at in had)]


def test_nothing_goes_out_once_the_cap_is_reached() -> None:
    desk = Desk(episodes(3), 1, [2])
    desk.capped = True
    assert desk.hand_out(0) == []
    assert desk.over
