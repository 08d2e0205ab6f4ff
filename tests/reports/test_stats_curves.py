"""Score against budget, and the Pareto front: against the definitions, episode by episode."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_sim.errors import ConfigError
from clinic_sim.reports.stats import Progress, Undefined, curve, mean, pareto

NAN = float("nan")


def walk(rng: np.random.Generator, episodes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Events of uneven episodes, some without any: episode, money so far, coverage so far."""
    lengths = rng.integers(0, 12, episodes)
    lengths[0] = 0
    episode = np.repeat(np.arange(episodes), lengths)
    spent = np.concatenate([np.cumsum(rng.choice([0.0, 5.0, 40.0], n)) for n in lengths])
    value = np.concatenate([np.sort(rng.random(n)) for n in lengths])
    return episode, spent, value


def test_every_point_is_the_mean_of_what_each_episode_had_by_then() -> None:
    rng = np.random.default_rng(1)
    case = np.repeat(np.arange(15), 3)
    episode, spent, value = walk(rng, 45)
    grid = [0.0, 3.0, 5.0, 60.0, 61.0, 150.0, 1000.0]
    found = curve(Progress(episode, spent, value), case, grid=grid, start=0.1)
    for point in found:
        by_then = []
        for e in range(45):
            reached = value[(episode == e) & (spent <= point.budget)]
            by_then.append(reached[-1] if len(reached) else 0.1)
        expected = mean(by_then, case)
        assert point.estimate.value == pytest.approx(expected.value)
        assert point.estimate.se == pytest.approx(expected.se)
        assert point.estimate.df == pytest.approx(expected.df)
        ends = [spent[episode == e].max(initial=-1.0) for e in range(45)]
        assert point.running == pytest.approx(np.mean(np.array(ends) > point.budget))
    assert [p.budget for p in found] == grid


def test_turns_are_counted_one_by_one_and_money_in_even_steps() -> None:
    turns = curve(Progress(np.array([0, 0, 1]), [1, 7, 3], [0.2, 0.5, 0.4]), ["a", "b"])
    assert [p.budget for p in turns] == list(range(8))
    assert [p.estimate.value for p in turns] == pytest.approx([0, 0.1, 0.1, 0.3, 0.3, 0.3, 0.3, 0.45])
    assert turns[0].estimate.undefined is Undefined.NO_SPREAD
    money = curve(Progress(np.array([0, 1]), [210.5, 30.0], [0.2, 0.4]), ["a", "b"])
    assert len(money) == 41
    assert money[-1].budget == 210.5


def test_an_unscored_episode_is_left_out_of_every_point_and_counted() -> None:
    progress = Progress(np.array([0, 0, 1, 2]), [1, 2, 1, 1], [0.2, 0.4, NAN, 0.6])
    for point in curve(progress, ["a", "b", "c"]):
        assert (point.estimate.n, point.estimate.unscored) == (2, 1)
    assert curve(progress, ["a", "b", "c"])[-1].estimate.value == pytest.approx(0.5)


def test_one_case_or_none_has_no_interval() -> None:
    assert curve(Progress(np.array([0]), [1], [0.5]), ["a"])[-1].estimate.undefined is Undefined.ONE_CASE
    empty = curve(Progress(np.array([], dtype=np.int64), [], []), [])
    assert [p.estimate.undefined for p in empty] == [Undefined.NOTHING_SCORED]


@pytest.mark.parametrize(
    "progress",
    [
        Progress(np.array([0, 0]), [2, 1], [0.1, 0.2]),
        Progress(np.array([0, 3]), [1, 1], [0.1, 0.2]),
        Progress(np.array([0]), [NAN], [0.1]),
        Progress(np.array([0]), [1, 2], [0.1]),
    ],
)
def test_events_that_cannot_be_are_refused(progress: Progress) -> None:
    with pytest.raises(ConfigError):
        curve(progress, ["a", "b"])


def test_a_grid_rises() -> None:
    with pytest.raises(ConfigError):
        curve(Progress(np.array([0]), [1], [0.5]), ["a"], grid=[2.0, 1.0])


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12))
def test_the_front_is_what_nothing_dominates(points: list[tuple[int, int]]) -> None:
    def dominated(mine: tuple[int, int]) -> bool:
        return any(c <= mine[0] and s >= mine[1] and (c, s) != mine for c, s in points)

    found: Any = pareto([c for c, _ in points], [s for _, s in points])
    assert found.tolist() == [not dominated(p) for p in points]


def test_what_has_no_cost_or_score_is_not_on_the_front() -> None:
    assert pareto([1.0, NAN, 2.0, 0.5], [0.5, 0.9, 0.7, NAN]).tolist() == [True, False, True, False]
