"""Rates, closure and stewardship: by hand, against statsmodels, and in simulations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from clinic_sim.errors import ConfigError
from clinic_sim.reports.stats import Endings, Orders, Undefined, closure, rate, share, stewardship

NAN, NEVER = float("nan"), float("inf")


@pytest.mark.parametrize(("count", "of"), [(0, 12), (3, 12), (12, 12), (499, 1000)])
def test_independent_trials_have_wilsons_interval(count: int, of: int) -> None:
    found = rate([1.0] * count + [0.0] * (of - count))
    assert found.estimate.interval is not None
    expected = proportion_confint(count, of, method="wilson")
    assert (found.estimate.interval.low, found.estimate.interval.high) == pytest.approx(expected)
    assert (found.count, found.of) == (count, of)


def test_clustered_flags_are_covered_where_plain_wilson_is_too_narrow() -> None:
    rng = np.random.default_rng(1)
    runs, hit, plain = 600, 0, 0
    for _ in range(runs):
        case = np.repeat(np.arange(20), 10)
        flags = (rng.random(200) < rng.beta(1.2, 2.8, 20)[case]).astype(float)
        a, b = rate(flags, case).estimate.interval, rate(flags).estimate.interval
        assert a is not None
        assert b is not None
        hit += a.low <= 0.3 <= a.high
        plain += b.low <= 0.3 <= b.high
    assert hit / runs == pytest.approx(0.95, abs=3 * (0.95 * 0.05 / runs) ** 0.5)
    assert plain / runs < 0.85


def test_nothing_flagged_is_bounded_by_the_number_of_cases() -> None:
    found = rate(np.zeros(1000), np.repeat(np.arange(10), 100))
    assert found.estimate.interval is not None
    assert found.estimate.interval.low == 0.0
    assert found.estimate.interval.high == pytest.approx(proportion_confint(0, 10, method="wilson")[1])


def test_a_rare_flag_of_a_few_cases_is_covered() -> None:
    """Clustering that the data cannot show: without the bound by the number of cases, coverage is 85 %."""
    rng = np.random.default_rng(3)
    runs, hit = 600, 0
    for _ in range(runs):
        case = np.repeat(np.arange(20), 20)
        flags = (rng.random(400) < rng.beta(0.02, 0.98, 20)[case]).astype(float)
        found = rate(flags, case).estimate.interval
        assert found is not None
        hit += found.low <= 0.02 <= found.high
    assert hit / runs > 0.95 - 3 * (0.95 * 0.05 / runs) ** 0.5


def test_what_cannot_be_said_is_no_rate() -> None:
    assert rate([NAN], ["a"]).estimate.undefined is Undefined.NOTHING_SCORED
    assert rate([1.0, 0.0], ["a", "a"]).estimate.undefined is Undefined.ONE_CASE
    found = rate([1.0, NAN, 0.0], ["a", "b", "c"])
    assert (found.count, found.of, found.estimate.unscored) == (1, 2, 1)


def endings(rows: list[tuple[str, float, float, float, float, float, float]]) -> Endings:
    cases, turns, concluded, decisive, last_new, courtesy, left = zip(*rows, strict=True)
    return Endings(cases, turns, concluded, decisive, last_new, courtesy, left)


def test_closure_tells_early_from_late() -> None:
    found = closure(
        endings(
            [
                # case, turns, concluded, decisive, last_new, courtesy, left
                ("early", 4, 4, NEVER, 3, 0, 0),
                ("timely", 9, 9, 8, 8, 1, 0),
                ("within the allowance", 9, 9, 5, 6, 2, 0),
                ("late", 12, 12, 6, 6, 5, 0),
                ("at the last", 3, 3, 3, 3, 0, 0),
                ("names no evidence", 5, 5, NAN, 4, 0, 0),
                ("nothing ever found", 1, 1, NEVER, 0, 0, 0),
                ("left", 7, NAN, NEVER, 3, 4, 1),
                ("broke", NAN, NAN, NAN, NAN, NAN, NAN),
            ]
        )
    )
    assert (found.premature.count, found.premature.of, found.premature.estimate.unscored) == (2, 6, 1)
    assert (found.late.count, found.late.of) == (1, 7)
    assert found.late_turns.value == pytest.approx((0 + 0 + 2 + 5 + 0 + 0 + 0) / 7)
    assert (found.courtesy.count, found.courtesy.of) == (12, 50)
    assert (found.left.count, found.left.of) == (1, 8)
    assert (found.unfinished.count, found.unfinished.of) == (1, 8)
    assert found.broken == 1


def test_the_allowance_is_the_readers() -> None:
    rows = endings([("a", 9, 9, 5, 6, 2, 0), ("b", 9, 9, 5, 8, 2, 0)])
    assert closure(rows).late.count == 0
    assert closure(rows, allowance=1).late.count == 1
    assert closure(rows, allowance=1).allowance == 1


def orders(**changed: Any) -> Orders:
    columns: dict[str, Any] = {
        "cases": ["a", "a", "b", "c", "c"],
        "essential": [2, 2, 4, 0, NAN],
        "found": [2, 1, 1, 0, NAN],
        "orders": [4, 2, 10, 0, NAN],
        "useful": [2, 1, 3, 0, NAN],
        "redundant": [0, 1, 5, 0, NAN],
        "contraindicated": [0, 0, 1, 0, NAN],
        "cost": [100.0, 50.0, 900.0, 0.0, NAN],
    }
    return Orders(**{**columns, **changed})


def test_stewardship_averages_in_both_ways_and_counts_what_has_no_share() -> None:
    found = stewardship(orders())
    assert found.recall.micro.value == pytest.approx(4 / 8)
    assert found.recall.macro.value == pytest.approx((1 + 0.5 + 0.25) / 3)
    assert found.precision.micro.value == pytest.approx(6 / 16)
    assert found.precision.macro.value == pytest.approx((0.5 + 0.5 + 0.3) / 3)
    assert found.redundant.micro.value == pytest.approx(6 / 16)
    assert found.contraindicated.micro.value == pytest.approx(1 / 16)
    assert found.cost.value == pytest.approx(1050 / 4)
    assert found.orders.value == pytest.approx(4.0)
    for part in (found.recall, found.precision):
        assert (part.without, part.micro.unscored, part.macro.unscored, part.micro.n) == (1, 1, 1, 3)
        assert part.micro.interval is not None
        assert part.micro.interval.low >= 0


def test_an_unscored_part_of_nothing_is_unscored_and_not_without() -> None:
    found = share([NAN, 0, 1], [0, 0, 2], ["a", "b", "c"])
    assert (found.without, found.micro.unscored, found.macro.unscored) == (1, 1, 1)


def test_macro_intervals_cover_the_truth() -> None:
    rng = np.random.default_rng(2)
    runs, hit = 500, 0
    for _ in range(runs):
        case = np.repeat(np.arange(25), 3)
        essential = rng.integers(0, 6, 25)[case]
        done = rng.binomial(essential, rng.beta(4, 4, 25)[case])
        found = share(done, essential, case).macro.interval
        assert found is not None
        hit += found.low <= 0.5 <= found.high
    assert hit / runs == pytest.approx(0.95, abs=3 * (0.95 * 0.05 / runs) ** 0.5)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: rate([2.0], ["a"]),
        lambda: rate([3.0], ["a"], of=[2.0]),
        lambda: stewardship(orders(useful=[5, 1, 3, 0, NAN])),
        lambda: stewardship(orders(cost=[-1.0, 0, 0, 0, 0])),
        lambda: closure(endings([("a", 9, 9, 5, 6, 2, 0)]), allowance=-1),
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigError):
        wrong()
