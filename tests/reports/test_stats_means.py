"""Means clustered by case: against matrix algebra, statsmodels, scipy, and simulations whose truth is known."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats as scipy_stats

from clinic_sim.errors import ConfigError
from clinic_sim.reports.clusters import cr2
from clinic_sim.reports.stats import Undefined, bootstrap_mean, mean, pass_k, ratio, strata

NAN = float("nan")


def interval(estimate: Any) -> tuple[float, float]:
    assert estimate.interval is not None, estimate.undefined
    return estimate.interval.low, estimate.interval.high


def clustered(rng: np.random.Generator, cases: int, between: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Scores of uneven cases around a mean of zero, with a random effect by case."""
    sizes = rng.integers(1, 9, cases)
    case = np.repeat(np.arange(cases), sizes)
    return rng.normal(0, between, cases)[case] + rng.normal(0, 1, len(case)), case


def test_cr2_is_the_bias_reduced_sandwich_of_the_textbook() -> None:
    """Closed form against the definition: A_g = (I - H_gg)^(-1/2), degrees of freedom from the whole matrix."""
    rng = np.random.default_rng(3)
    sizes = np.array([1, 2, 7, 3, 3, 12])
    case = np.repeat(np.arange(6), sizes)
    y = rng.normal(size=len(case))
    n = len(case)
    annihilator = np.eye(n) - np.ones((n, n)) / n
    columns = []
    for g in range(6):
        mine = case == g
        block = annihilator[np.ix_(mine, mine)]
        roots, vectors = np.linalg.eigh(block)
        adjust = vectors @ np.diag(roots**-0.5) @ vectors.T
        columns.append(annihilator[:, mine] @ adjust @ np.ones(mine.sum()) / n)
    p = np.array(columns)
    b = p @ p.T
    value, se, df = cr2(np.bincount(case, y).astype(float), sizes.astype(float))
    assert value == pytest.approx(y.mean())
    assert se == pytest.approx(np.sqrt(((p @ y) ** 2).sum()))
    assert df == pytest.approx(np.trace(b) ** 2 / (b**2).sum())


def test_equal_clusters_agree_with_statsmodels_and_the_t_test_of_case_means() -> None:
    rng = np.random.default_rng(4)
    case = np.repeat(np.arange(15), 4)
    y = rng.normal(0.5, 1, 15)[case] + rng.normal(size=60)
    found = mean(y, case)
    ols = sm.OLS(y, np.ones(60)).fit(cov_type="cluster", cov_kwds={"groups": case})
    assert found.se == pytest.approx(ols.bse[0])
    assert found.df == pytest.approx(14)
    means = y.reshape(15, 4).mean(axis=1)
    expected = scipy_stats.ttest_1samp(means, 0).confidence_interval(0.95)
    assert interval(found) == pytest.approx((expected.low, expected.high))


def test_t_interval_covers_the_truth_where_the_naive_one_does_not() -> None:
    rng = np.random.default_rng(5)
    runs, hit, naive = 800, 0, 0
    for _ in range(runs):
        y, case = clustered(rng, 12)
        low, high = interval(mean(y, case))
        hit += low <= 0 <= high
        naive += abs(y.mean()) <= 1.96 * y.std(ddof=1) / len(y) ** 0.5
    margin = 3 * (0.95 * 0.05 / runs) ** 0.5
    assert hit / runs == pytest.approx(0.95, abs=margin)
    assert naive / runs < 0.85


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_bootstrap_covers_the_truth(method: Any) -> None:
    rng = np.random.default_rng(6)
    runs, hit = 400, 0
    for _ in range(runs):
        y, case = clustered(rng, 50)
        low, high = interval(bootstrap_mean(y, case, method=method, draws=600))
        hit += low <= 0 <= high
    # The bootstrap is a little short with fifty cases: its standard error is (G - 1) / G of the unbiased one.
    assert hit / runs == pytest.approx(0.94, abs=3 * (0.94 * 0.06 / runs) ** 0.5)


def test_the_studentised_bootstrap_covers_with_few_cases_where_percentiles_do_not() -> None:
    rng = np.random.default_rng(12)
    runs, hit = 400, {"studentised": 0, "percentile": 0}
    for _ in range(runs):
        y, case = clustered(rng, 10)
        for method in hit:
            low, high = interval(bootstrap_mean(y, case, method=method, draws=600))  # type: ignore[arg-type]
            hit[method] += low <= 0 <= high
    assert hit["studentised"] / runs == pytest.approx(0.94, abs=3 * (0.94 * 0.06 / runs) ** 0.5)
    assert hit["percentile"] < hit["studentised"]


def test_too_few_cases_are_not_resampled() -> None:
    found = bootstrap_mean([0.1, 0.5, 0.9, 0.4], list("abcd"))
    assert found.undefined is Undefined.TOO_FEW_CASES
    assert found.value == pytest.approx(0.475)


def test_skewed_cases_have_lopsided_intervals_and_bca_is_scipys() -> None:
    y = np.random.default_rng(7).exponential(1.0, 12)
    found = {
        method: interval(bootstrap_mean(y, np.arange(12), draws=50_000, method=method))  # type: ignore[arg-type]
        for method in ("percentile", "bca", "studentised")
    }
    theirs = scipy_stats.bootstrap((y,), np.mean, n_resamples=50_000, method="BCa", rng=np.random.default_rng(1))
    expected = theirs.confidence_interval
    assert found["bca"] == pytest.approx((expected.low, expected.high), abs=0.012 * y.std())
    assert found["percentile"][0] < found["bca"][0]
    assert found["percentile"][1] < found["bca"][1] < found["studentised"][1]
    low, high = found["studentised"]
    assert high - y.mean() > 1.3 * (y.mean() - low)


def test_the_bootstrap_is_seeded() -> None:
    y, case = clustered(np.random.default_rng(8), 20)
    assert bootstrap_mean(y, case, seed=1) == bootstrap_mean(y, case, seed=1)
    assert bootstrap_mean(y, case, seed=1) != bootstrap_mean(y, case, seed=2)


def test_bounds_hold_every_interval() -> None:
    y, case = [0.9, 1.0, 1.0, 0.2, 1.0, 1.0], list("abcdef")
    assert interval(mean(y, case))[1] > 1
    assert interval(mean(y, case, bounds=(0, 1)))[1] == 1.0
    assert interval(bootstrap_mean(y, case, bounds=(0, 0.9)))[1] == 0.9


def test_unscored_is_left_out_and_counted() -> None:
    found = mean([1.0, NAN, 0.5, NAN, 0.0], ["a", "a", "b", "c", "d"])
    assert found.value == pytest.approx(0.5)
    assert (found.n, found.clusters, found.unscored) == (3, 3, 2)


def test_each_case_can_count_once() -> None:
    scores, cases = [1.0, 1.0, 1.0, 0.0], ["a", "a", "a", "b"]
    assert mean(scores, cases).value == pytest.approx(0.75)
    assert mean(scores, cases, weight="case").value == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("scores", "cases", "value", "reason"),
    [
        ([], [], None, Undefined.NOTHING_SCORED),
        ([NAN, NAN], ["a", "b"], None, Undefined.NOTHING_SCORED),
        ([0.2, 0.4], ["a", "a"], 0.3, Undefined.ONE_CASE),
        ([0.2, 0.4, NAN], ["a", "a", "b"], 0.3, Undefined.ONE_CASE),
        ([0.7] * 9, list("aaabbbccc"), 0.7, Undefined.NO_SPREAD),
        ([0.1, 0.3, 0.3, 0.1], list("aabb"), 0.2, Undefined.NO_SPREAD),
    ],
)
@pytest.mark.parametrize("estimate", [mean, bootstrap_mean])
def test_an_interval_that_cannot_be_had_is_undefined(
    estimate: Any, scores: list[float], cases: list[str], value: float | None, reason: Undefined
) -> None:
    found = estimate(scores, cases)
    assert found.interval is None
    assert found.se is None
    assert found.undefined is reason
    assert found.value == (None if value is None else pytest.approx(value))
    assert "undefined" in str(found) or "nothing scored" in str(found)


def test_ratio_weighs_every_order_alike_and_covers_the_truth() -> None:
    assert ratio([1, 9], [2, 10], ["a", "b"]).value == pytest.approx(10 / 12)
    rng = np.random.default_rng(9)
    runs, hit = 600, 0
    for _ in range(runs):
        case = np.repeat(np.arange(30), 4)
        orders = rng.integers(1, 9, 120)
        chance = rng.beta(6, 4, 30)[case]
        low, high = interval(ratio(rng.binomial(orders, chance), orders, case))
        hit += low <= 0.6 <= high
    assert hit / runs == pytest.approx(0.95, abs=3 * (0.95 * 0.05 / runs) ** 0.5)


def test_pass_k_counts_draws_without_replacement() -> None:
    scores = {"a": [1, 1, 0, 1], "b": [0, 0, 1, 0, 0], "c": [1, 1], "d": [1, NAN, NAN]}
    flat = [(case, float(s)) for case, repeats in scores.items() for s in repeats]
    cases, values = [case for case, _ in flat], [value for _, value in flat]
    for found in pass_k(values, cases, ks=[1, 2, 3], threshold=0.5):
        draws = {
            case: list(itertools.combinations([s for s in repeats if s == s], found.k))
            for case, repeats in scores.items()
        }
        kept = [d for d in draws.values() if d]
        assert found.every.value == pytest.approx(np.mean([np.mean([all(x) for x in d]) for d in kept]))
        assert found.any.value == pytest.approx(np.mean([np.mean([any(x) for x in d]) for d in kept]))
        assert found.too_few == 4 - len(kept)
        assert found.every.clusters == len(kept)
        assert found.unscored == 2


def test_pass_k_is_unbiased_for_all_succeed() -> None:
    rng = np.random.default_rng(10)
    chance = rng.beta(2, 1, 4000)
    scores = rng.random((4000, 5)) < chance[:, None]
    (found,) = pass_k(scores.ravel(), np.repeat(np.arange(4000), 5), ks=[3], threshold=1.0)
    low, high = interval(found.every)
    assert low < (chance**3).mean() < high
    low, high = interval(found.any)
    assert low < (1 - (1 - chance) ** 3).mean() < high


def test_pass_k_without_enough_repeats_says_so() -> None:
    (found,) = pass_k([1.0, 0.0], ["a", "b"], ks=[4], threshold=0.5)
    assert found.every.value is None
    assert found.too_few == 2


def test_strata_are_means_of_their_own_and_small_ones_are_marked() -> None:
    rng = np.random.default_rng(11)
    case = np.repeat(np.arange(9), 4)
    department = np.array(["chest", "belly"])[(case >= 4).astype(int)]
    language: list[str | None] = ["zh" if c % 2 else None for c in case]
    y = rng.random(36)
    y[:2] = NAN
    found = strata(y, case, {"department": department, "language": language})
    assert [(s.by, s.label, s.episodes, s.small) for s in found] == [
        ("department", "belly", 20, False),
        ("department", "chest", 16, True),
        ("language", "unstated", 20, False),
        ("language", "zh", 16, True),
    ]
    chest = found[1].mean
    assert chest == mean(y[:16], case[:16])
    assert (chest.n, chest.unscored) == (14, 2)


def test_a_stratum_without_a_score_is_still_listed() -> None:
    (found,) = strata([NAN], ["a"], {"setting": ["ward"]})
    assert found.mean.value is None
    assert found.episodes == 1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: mean([0.1, 0.2], ["a"]),
        lambda: mean([float("inf")], ["a"]),
        lambda: mean([0.1, 0.2], ["a", 1]),  # type: ignore[list-item]
        lambda: mean([0.1], [0.5]),  # type: ignore[list-item]
        lambda: mean([0.1], ["a"], level=95),
        lambda: ratio([1.0], [0.0], ["a"]),
        lambda: ratio([1.0], [-1.0], ["a"]),
        lambda: bootstrap_mean([0.1, 0.2], ["a", "b"], draws=10),
        lambda: pass_k([0.1], ["a"], ks=[0], threshold=0.5),
        lambda: strata([0.1], ["a"], {"setting": ["ward", "clinic"]}),
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigError):
        wrong()
