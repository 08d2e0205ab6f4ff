"""Paired comparisons: against scipy and statsmodels, and under a null that is known to be true."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats as scipy_stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from clinic_sim.errors import ConfigError
from clinic_sim.reports.stats import (
    Arm,
    Comparison,
    Undefined,
    benjamini_hochberg,
    compare,
    holm,
    pair,
    sign_flip,
    wilcoxon,
)

NAN = float("nan")


def of_differences(d: np.ndarray, **options: Any) -> Comparison:
    """A comparison whose cases differ by exactly this much, one pair a case."""
    cases = np.arange(len(d))
    return compare(pair(Arm(cases, (), d), Arm(cases, (), np.zeros(len(d)))), **options)


def test_pairs_share_every_key_and_what_has_none_is_counted_by_reason() -> None:
    first = Arm(
        ["a", "a", "b", "c", "d", "e"],
        (["calm", "calm", "calm", "calm", "calm", "curt"], [1, 2, 1, 1, 1, 1]),
        [0.9, 0.7, 0.5, NAN, NAN, 0.4],
    )
    second = Arm(
        ["f", "e", "d", "c", "b", "a", "a"],
        (["calm"] * 7, [1, 1, 1, 1, 1, 2, 1]),
        [0.1, 0.3, NAN, 0.6, NAN, 0.2, 0.4],
    )
    pairs = pair(first, second)
    assert sorted(zip([pairs.cases.names[c] for c in pairs.cases.codes], pairs.differences.round(9), strict=True)) == [
        ("a", 0.5),
        ("a", 0.5),
    ]
    assert pairs.dropped == {
        "only_first": 1,
        "only_second": 2,
        "unscored_first": 1,
        "unscored_second": 1,
        "unscored_both": 1,
    }
    assert pairs.keys == len(pairs.differences) + sum(pairs.dropped.values())


def test_repeats_of_a_key_are_averaged_and_counted() -> None:
    pairs = pair(Arm(["a", "a", "a"], (), [1.0, 0.5, NAN]), Arm(["a", "a"], (), [0.25, 0.25]))
    assert pairs.differences.tolist() == [0.5]
    assert pairs.merged == 2


def test_case_means_are_the_unit_of_every_figure() -> None:
    rng = np.random.default_rng(1)
    cases = np.repeat([f"case-{i}" for i in range(14)], 6)
    seeds = np.tile(np.arange(6), 14)
    a = rng.random(84)
    b = a - rng.normal(0.1, 0.3, 84)
    found = compare(pair(Arm(cases, (seeds,), a), Arm(cases, (seeds,), b)))
    mean_a, mean_b = a.reshape(14, 6).mean(axis=1), b.reshape(14, 6).mean(axis=1)
    d = mean_a - mean_b
    expected = scipy_stats.ttest_rel(mean_a, mean_b)
    assert (found.t.statistic, found.t.p) == pytest.approx((expected.statistic, expected.pvalue))
    low, high = expected.confidence_interval(0.95)
    assert found.difference.interval is not None
    assert (found.difference.interval.low, found.difference.interval.high) == pytest.approx((low, high))
    assert found.by_pair.value == pytest.approx(found.difference.value)
    assert found.dz == pytest.approx(d.mean() / d.std(ddof=1))
    assert found.superiority == pytest.approx((d > 0).mean())
    exact = scipy_stats.permutation_test((d,), np.mean, permutation_type="samples", n_resamples=20_000)
    assert found.sign_flip.p == pytest.approx(exact.pvalue)
    assert found.wilcoxon.p == pytest.approx(scipy_stats.wilcoxon(d).pvalue)
    assert (found.pairs, found.cases) == (84, 14)


def test_random_flips_agree_with_all_flips() -> None:
    d = np.random.default_rng(2).normal(0.4, 1, 20)
    exact = sign_flip(d)
    assert exact.method == "exact"
    more = np.append(d, [0.0])  # a case without a difference changes no flip's sum
    drawn = sign_flip(more)
    assert drawn.method == "monte carlo (9999)"
    assert exact.p is not None
    assert drawn.p == pytest.approx(exact.p, abs=4 * (exact.p * (1 - exact.p) / 9999) ** 0.5)


def test_random_flips_never_give_a_p_value_of_zero() -> None:
    assert sign_flip(np.linspace(1, 2, 60), permutations=999).p == 1 / 1000


@pytest.mark.parametrize("cases", [9, 40])
def test_tests_hold_their_level_and_the_interval_covers(cases: int) -> None:
    rng = np.random.default_rng(3)
    runs = 400
    false = {"t": 0, "sign-flip": 0, "wilcoxon": 0}
    covered = 0
    for _ in range(runs):
        sizes = rng.integers(1, 5, cases)
        case = np.repeat(np.arange(cases), sizes)
        seed = np.arange(len(case))
        shared = rng.normal(0, 2, cases)[case]
        effect = rng.normal(0, 0.5, cases)[case]
        a, b = shared + effect + rng.normal(size=len(case)), shared + rng.normal(size=len(case))
        found = compare(pair(Arm(case, (seed,), a), Arm(case, (seed,), b)), permutations=399)
        for test in (found.t, found.sign_flip, found.wilcoxon):
            assert test.p is not None
            false[test.name] += test.p <= 0.05
        assert found.difference.interval is not None
        covered += found.difference.interval.low <= 0 <= found.difference.interval.high
    margin = 3 * (0.05 * 0.95 / runs) ** 0.5
    assert covered / runs == pytest.approx(0.95, abs=margin)
    assert false["t"] / runs == pytest.approx(0.05, abs=margin)
    # Tests of few cases have few p-values to choose from: they may stay below their level, never above.
    assert false["sign-flip"] / runs == pytest.approx(0.045, abs=margin)
    assert 0.015 < false["wilcoxon"] / runs < 0.05 + margin


def test_the_detectable_effect_is_what_the_power_says() -> None:
    rng = np.random.default_rng(4)
    d = rng.normal(0, 1, 25)
    found = of_differences(d)
    assert found.detectable is not None
    expected = TTestPower().solve_power(nobs=25, alpha=0.05, power=0.8) * d.std(ddof=1)
    assert found.detectable == pytest.approx(expected, rel=1e-4)
    shift = TTestPower().solve_power(nobs=25, alpha=0.05, power=0.8)
    samples = rng.normal(shift, 1, (4000, 25))
    power = (scipy_stats.ttest_1samp(samples, 0, axis=1).pvalue <= 0.05).mean()
    assert power == pytest.approx(0.8, abs=3 * (0.8 * 0.2 / 4000) ** 0.5)


@pytest.mark.parametrize("cases", [3, 12, 300, 1999, 2002])
def test_the_detectable_effect_is_right_at_any_number_of_cases(cases: int) -> None:
    d = np.random.default_rng(5).normal(size=cases)
    found = of_differences(d, permutations=99)
    assert found.detectable is not None
    expected = TTestPower().solve_power(nobs=cases, alpha=0.05, power=0.8) * d.std(ddof=1)
    assert found.detectable == pytest.approx(expected, rel=3e-4)


def test_hedges_removes_the_bias_of_few_cases() -> None:
    rng = np.random.default_rng(6)
    found = [of_differences(rng.normal(0.8, 1, 6), permutations=99) for _ in range(1500)]
    dz, hedges = np.array([c.dz for c in found], float), np.array([c.hedges for c in found], float)
    assert hedges.mean() == pytest.approx(0.8, abs=3 * hedges.std() / 1500**0.5)
    assert dz.mean() > 0.9


def test_two_equal_runs_differ_by_nothing() -> None:
    found = of_differences(np.zeros(8))
    assert found.difference.value == 0.0
    assert found.difference.undefined is Undefined.NO_SPREAD
    assert found.t.p is None
    assert found.sign_flip.p == 1.0
    assert found.wilcoxon.p is None
    assert found.dz is None
    assert found.detectable is None
    assert found.superiority == 0.5


def test_nothing_in_common_is_said() -> None:
    found = compare(pair(Arm(["a"], (), [1.0]), Arm(["b"], (), [1.0])))
    assert found.difference.undefined is Undefined.NOTHING_SCORED
    assert found.superiority is None
    assert [t.undefined for t in (found.t, found.sign_flip, found.wilcoxon)] == [Undefined.NOTHING_SCORED] * 3


def test_wilcoxon_with_ties_agrees_with_scipy() -> None:
    d = np.round(np.random.default_rng(7).normal(0.2, 1, 60), 1)
    expected = scipy_stats.wilcoxon(d[d != 0], method="approx", correction=True)
    assert wilcoxon(d).p == pytest.approx(expected.pvalue)


@pytest.mark.parametrize(("ours", "method"), [(holm, "holm"), (benjamini_hochberg, "fdr_bh")])
def test_adjusted_p_values_agree_with_statsmodels(ours: Any, method: str) -> None:
    rng = np.random.default_rng(8)
    for m in (1, 2, 7, 40):
        p = rng.beta(0.4, 1.5, m).round(3)
        assert ours(p) == pytest.approx(multipletests(p, method=method)[1])
    p = np.array([0.01, NAN, 0.04, 0.03, NAN])
    adjusted = ours(p)
    assert np.isnan(adjusted[[1, 4]]).all()
    assert adjusted[[0, 2, 3]] == pytest.approx(multipletests(p[[0, 2, 3]], method=method)[1])
    assert ours([]).tolist() == []


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: holm([1.2]),
        lambda: pair(Arm(["a"], ([1],), [0.5]), Arm(["a"], (), [0.5])),
        lambda: pair(Arm(["a"], ([1, 2],), [0.5]), Arm(["a"], ([1],), [0.5])),
        lambda: pair(Arm(["a"], (), [0.5, 0.5]), Arm(["a"], (), [0.5])),
        lambda: of_differences(np.ones(3), power=0.4),
        lambda: sign_flip(np.ones(30), permutations=5),
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigError):
        wrong()
