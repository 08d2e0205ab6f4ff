"""What holds of every statistic: the order of episodes is nothing, unscored ones only count, sides are symmetric."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_sim.reports.stats import (
    Arm,
    Endings,
    Orders,
    Progress,
    bootstrap_mean,
    closure,
    compare,
    components,
    curve,
    mean,
    pair,
    pass_k,
    rate,
    ratio,
    stewardship,
    strata,
)

NAN = float("nan")
Row = tuple[str, str, int, float, int, int]
score = st.one_of(st.just(NAN), st.floats(0, 1, width=32), st.sampled_from([0.0, 0.1, 0.3, 1.0]))
row = st.tuples(
    st.sampled_from("abcdefg"),
    st.sampled_from(["calm", "curt"]),
    st.integers(0, 2),
    score,
    st.integers(0, 4),
    st.integers(0, 4),
)
rows = st.lists(row, min_size=1, max_size=25)


def columns(table: list[Row]) -> tuple[list[str], list[str], list[int], np.ndarray, np.ndarray, np.ndarray]:
    case, persona, seed, scores, some, more = zip(*table, strict=True)
    return (
        list(case),
        list(persona),
        list(seed),
        np.array(scores),
        np.array(some, float),
        np.array(some, float) + np.array(more, float),
    )


def everything(table: list[Row]) -> dict[str, Any]:
    """Every estimator on one table of episodes."""
    case, persona, seed, y, part, whole = columns(table)
    masked = np.where(np.isnan(y), NAN, part)
    turns = np.where(np.isnan(y), NAN, whole)
    episode = np.repeat(np.arange(len(case)), 2)
    spent, value = np.stack([part, whole], 1).ravel(), np.stack([y / 2, y], 1).ravel()
    half = len(case) // 2
    first = Arm([c for c, w in zip(case, whole, strict=True) if w % 2], (), y[whole % 2 == 1])
    second = Arm([c for c, w in zip(case, whole, strict=True) if not w % 2], (), y[whole % 2 == 0])
    return {
        "mean": mean(y, case),
        "mean of cases": mean(y, case, weight="case"),
        "bootstrap": bootstrap_mean(y, case, draws=100),
        "percentile": bootstrap_mean(y, case, draws=100, method="percentile"),
        "ratio": ratio(masked, turns, case),
        "rate": rate(masked, case, of=turns),
        "pass^k": pass_k(y, case, ks=[1, 2], threshold=0.3),
        "strata": strata(y, case, {"persona": persona, "seed": seed}),
        "closure": closure(Endings(case, turns, turns, part, part, masked, np.zeros(len(case)))),
        "stewardship": stewardship(Orders(case, turns, masked, turns, masked, masked, masked, turns)),
        "components": components(y, {"case": case, "persona": persona}, interactions=[("case", "persona")]),
        "curve": curve(Progress(episode, spent, value), case, grid=[0, 1, 2, 4, 8]),
        "compare": compare(pair(first, second), permutations=99) if half else None,
    }


@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_episodes_changes_no_digit(table: list[Row], random: Any) -> None:
    shuffled = list(table)
    random.shuffle(shuffled)
    assert everything(shuffled) == everything(table)


@given(rows, st.integers(1, 3))
def test_unscored_episodes_change_nothing_but_their_count(table: list[Row], extra: int) -> None:
    case, *_ = columns(table)
    y = columns(table)[3]
    longer, more = [*case, *([case[0]] * extra)], np.append(y, [NAN] * extra)
    for estimate in _means():
        before, after = estimate(y, case), estimate(more, longer)
        assert after == replace(before, unscored=before.unscored + extra)
    before, after = components(y, {"case": case}), components(more, {"case": longer})
    assert after == replace(before, unscored=before.unscored + extra)
    (one,), (two,) = (pass_k(s, c, ks=[2], threshold=0.5) for s, c in ((y, case), (more, longer)))
    assert two == replace(one, unscored=one.unscored + extra)


@given(rows)
def test_a_new_case_without_a_score_changes_nothing_but_counts(table: list[Row]) -> None:
    case, _, _, y, *_ = columns(table)
    for estimate in _means():
        before, after = estimate(y, case), estimate(np.append(y, NAN), [*case, "new"])
        assert after == replace(before, unscored=before.unscored + 1)


@given(rows, rows)
def test_swapping_the_sides_turns_the_sign_and_nothing_else(one: list[Row], two: list[Row]) -> None:
    first, second = (Arm(c, (p, s), y) for c, p, s, y, *_ in (columns(one), columns(two)))
    a, b = (compare(pair(*sides), permutations=99) for sides in ((first, second), (second, first)))
    for found, mirrored in ((a.difference, b.difference), (a.by_pair, b.by_pair)):
        assert (mirrored.value is None) == (found.value is None)
        if found.value is not None:
            assert mirrored.value == pytest.approx(-found.value, abs=1e-12)
        if found.interval is not None and mirrored.interval is not None:
            assert mirrored.interval.low == pytest.approx(-found.interval.high, abs=1e-9)
            assert mirrored.interval.high == pytest.approx(-found.interval.low, abs=1e-9)
        assert mirrored.undefined == found.undefined
    for left, right in ((a.t, b.t), (a.sign_flip, b.sign_flip), (a.wilcoxon, b.wilcoxon)):
        assert (left.p is None) == (right.p is None)
        assert left.p is None or right.p == pytest.approx(left.p, abs=1e-9)
    assert (a.dz is None) == (b.dz is None)
    assert a.dz is None or b.dz == pytest.approx(-a.dz, abs=1e-9)
    assert a.superiority is None or b.superiority == pytest.approx(1 - a.superiority)
    assert (a.pairs, a.cases, a.keys, a.merged) == (b.pairs, b.cases, b.keys, b.merged)
    swapped = {
        k.replace("first", "X").replace("second", "first").replace("X", "second"): v for k, v in b.dropped.items()
    }
    assert swapped == a.dropped


@given(rows, rows)
def test_every_key_is_a_pair_or_dropped(one: list[Row], two: list[Row]) -> None:
    first, second = (Arm(c, (p, s), y) for c, p, s, y, *_ in (columns(one), columns(two)))
    pairs = pair(first, second)
    keys = {(c, p, s) for table in (one, two) for c, p, s, *_ in table}
    assert pairs.keys == len(keys) == len(pairs.differences) + sum(pairs.dropped.values())


@given(rows, st.floats(-5, 5, width=16), st.floats(0.5, 4, width=16))
def test_intervals_move_and_stretch_with_the_scores(table: list[Row], shift: float, factor: float) -> None:
    case, _, _, y, *_ = columns(table)
    before, after = mean(y, case), mean(y * factor + shift, case)
    if before.interval is None or after.interval is None:
        return
    assert after.interval.low == pytest.approx(before.interval.low * factor + shift, abs=1e-9)
    assert after.interval.high == pytest.approx(before.interval.high * factor + shift, abs=1e-9)


def _means() -> list[Callable[[np.ndarray, list[str]], Any]]:
    return [
        mean,
        lambda y, c: mean(y, c, weight="case"),
        lambda y, c: bootstrap_mean(y, c, draws=100),
        lambda y, c: ratio(y, np.ones(len(y)), c),
    ]
