"""Handing out: in order, fairly, and no episode is lost, played twice, or given up for what another one did."""

from __future__ import annotations

import random
from collections import Counter, deque

from hypothesis import given
from hypothesis import strategies as st

from clinic_sim.sweeps.planned import Planned
from clinic_sim.sweeps.ray_desk import DEATHS, Desk


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
    planned = episodes(count)
    desk = Desk(deque(planned), workers, slots)
    hands: list[dict[str, Planned]] = [{} for _ in range(workers)]
    ended = Counter[int]()
    failed = set()
    while not desk.over:
        for out in hands:
            desk.hand_out(out)
            if any(p.at in fatal for p in out.values()):
                for lost in desk.lost(out):
                    failed.add(lost.at)
                    ended[lost.at] += 1
                    desk.open -= 1
                continue
            for key in [key for key in out if draws.random() < 0.7]:
                ended[out.pop(key).at] += 1
                desk.open -= 1
    assert ended == Counter(range(count))
    assert failed == {n for n in fatal if n < count}


def test_a_worker_has_as_many_as_it_plays_at_once_where_models_play() -> None:
    desk = Desk(deque(episodes(10)), 2, 3)
    first: dict[str, Planned] = {}
    second: dict[str, Planned] = {}
    assert [p.at for p in desk.hand_out(first)] == [0, 1, 2]
    assert [p.at for p in desk.hand_out(second)] == [3, 4, 5]
    assert desk.hand_out(first) == []
    first.popitem()
    assert [p.at for p in desk.hand_out(first)] == [6]


def test_offline_episodes_go_out_many_at_once_and_few_at_the_end() -> None:
    desk = Desk(deque(episodes(1000)), 2, None)
    sizes = []
    while new := desk.hand_out({}):
        sizes.append(len(new))
    assert sum(sizes) == 1000
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 100
    assert sizes[-1] == 1


def test_what_a_dead_worker_had_goes_out_first_and_at_last_alone() -> None:
    desk = Desk(deque(episodes(6)), 1, 2)
    for _ in range(DEATHS - 1):
        out: dict[str, Planned] = {}
        assert [p.at for p in desk.hand_out(out)] == [0, 1]
        assert desk.lost(out) == []
    alone = []
    while new := desk.hand_out({}):
        alone.append([p.at for p in new])
    assert alone == [[2, 3], [4, 5], [0], [1]]


def test_nothing_goes_out_once_the_cap_is_reached() -> None:
    desk = Desk(deque(episodes(3)), 1, 2)
    desk.capped = True
    assert desk.hand_out({}) == []
    assert desk.over
