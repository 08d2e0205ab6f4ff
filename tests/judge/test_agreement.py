"""Agreement statistics against published examples, hand computations, other libraries and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from clinic_sim.judge.agreement import (
    accuracy,
    auc,
    bootstrap_kappa,
    cohen_kappa,
    kappa_of,
    krippendorff_alpha,
    macro_f1,
    ranks,
    spearman,
)
from clinic_sim.judge.corrections import AbstentionPoint, abstention_curve, prediction_powered_mean

N = None
# Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), example C: four observers, twelve units.
PUBLISHED = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, N, N, N],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, N, 3],
    [N, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, N],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, N],
]


@pytest.mark.parametrize(("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_of_the_published_example(level, alpha):
    assert krippendorff_alpha(PUBLISHED, level) == pytest.approx(alpha, abs=0.0005)


def test_alpha_ignores_units_that_one_observer_saw_and_is_undefined_without_variation():
    alone = [[1, 2, 1, 5], [1, 2, 2, None]]
    assert krippendorff_alpha(alone) == krippendorff_alpha([row[:3] for row in alone])
    assert krippendorff_alpha([[1, 1, 1], [1, 1, 1]]) is None
    assert krippendorff_alpha([[1, None], [None, 2]]) is None


def test_kappa_of_a_table_computed_by_hand():
    # 20 and 15 agreements of 50; by chance (25 * 30 + 25 * 20) / 50 = 25: (35 - 25) / (50 - 25).
    assert kappa_of(np.array([[20.0, 5.0], [10.0, 15.0]])) == pytest.approx(0.4)


@pytest.mark.parametrize(("weights", "wt"), [("none", None), ("linear", "linear"), ("quadratic", "quadratic")])
def test_kappas_are_those_of_statsmodels(weights, wt):
    inter_rater = pytest.importorskip("statsmodels.stats.inter_rater")
    table = np.array([[44, 5, 1, 0], [7, 20, 3, 1], [9, 5, 16, 2], [1, 2, 2, 9]])
    a = [i for i in range(4) for j in range(4) for _ in range(table[i, j])]
    b = [j for i in range(4) for j in range(4) for _ in range(table[i, j])]
    expected = inter_rater.cohens_kappa(table, weights=None, wt=wt).kappa
    assert cohen_kappa(a, b, range(4), weights) == pytest.approx(expected, abs=1e-12)


def test_kappa_needs_two_categories_in_use():
    assert cohen_kappa("BBB", "BBB", "ABCD") is None
    assert cohen_kappa([], [], "ABCD") is None
    assert cohen_kappa("ABAB", "BABA", "AB") == pytest.approx(-1.0)


def test_the_bootstrap_of_kappa_covers_the_truth_and_repeats_itself():
    rng = np.random.default_rng(3)
    truth = np.array([[0.4, 0.1], [0.1, 0.4]])
    covered = 0
    for _ in range(60):
        cells = rng.choice(4, size=80, p=truth.ravel())
        rows = [np.eye(4)[c].reshape(2, 2) for c in cells]
        low, high = bootstrap_kappa(rows, "none", resamples=200)
        covered += low <= 0.6 <= high
    assert covered >= 52
    assert bootstrap_kappa(rows, "none", resamples=50) == bootstrap_kappa(rows, "none", resamples=50)


def test_macro_f1_by_hand():
    truth, said = ["a", "a", "a", "b"], ["a", "a", "b", "b"]
    # a: precision 1, recall 2/3, F1 0.8; b: precision 1/2, recall 1, F1 2/3.
    assert macro_f1(truth, said) == pytest.approx((0.8 + 2 / 3) / 2)
    assert accuracy(truth, said) == 0.75
    # A category that only the judge uses counts with F1 0.
    assert macro_f1(["a", "a"], ["a", "c"]) == pytest.approx((2 / 3) / 2)
    assert macro_f1([], []) is None


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=4, max_size=60))
def test_spearman_and_ranks_are_those_of_scipy(pairs):
    a, b = [float(x) for x, _ in pairs], [float(y) for _, y in pairs]
    assert ranks(a).tolist() == stats.rankdata(a).tolist()
    found = spearman(a, b)
    if len(set(a)) == 1 or len(set(b)) == 1:
        assert found is None
        return
    assert found.value == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-9)
    assert found.low <= found.value <= found.high


def test_the_interval_of_spearman_covers():
    rng = np.random.default_rng(5)
    rho = 0.6
    expected = 6 / math.pi * math.asin(rho / 2)  # of the ranks of a bivariate normal
    covered = 0
    for _ in range(300):
        x, e = rng.normal(size=(2, 60))
        found = spearman(x.tolist(), (rho * x + math.sqrt(1 - rho**2) * e).tolist())
        covered += found.low <= expected <= found.high
    assert 275 <= covered <= 296


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=50))
def test_auc_is_the_share_of_pairs_in_order(items):
    good, scores = [g for g, _ in items], [float(s) for _, s in items]
    high, low = ([s for g, s in zip(good, scores, strict=True) if g is kind] for kind in (True, False))
    found = auc(good, scores)
    if not high or not low:
        assert found is None
        return
    by_hand = sum((h > w) + 0.5 * (h == w) for h in high for w in low) / len(high) / len(low)
    assert found.value == pytest.approx(by_hand)
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_the_variance_of_auc_is_delongs():
    good, scores = [True] * 4 + [False] * 5, [3.0, 2.5, 4.0, 1.0, 1.5, 0.5, 2.5, 0.2, 0.9]
    high, low = np.array(scores[:4]), np.array(scores[4:])
    wins = (high[:, None] > low) + 0.5 * (high[:, None] == low)
    variance = wins.mean(axis=1).var(ddof=1) / 4 + wins.mean(axis=0).var(ddof=1) / 5
    area = wins.mean()
    reach = 1.959964 * math.sqrt(variance) / (area * (1 - area))
    found = auc(good, scores)
    assert math.log(found.high / (1 - found.high)) == pytest.approx(math.log(area / (1 - area)) + reach, abs=1e-6)


def test_the_interval_of_auc_covers():
    rng = np.random.default_rng(7)
    expected = stats.norm.cdf(1 / math.sqrt(2))
    covered = 0
    for _ in range(300):
        scores = np.concatenate([rng.normal(1, 1, 30), rng.normal(0, 1, 40)])
        found = auc([True] * 30 + [False] * 40, scores.tolist())
        covered += found.low <= expected <= found.high
    assert 275 <= covered <= 297


def _population(rng, n, bias):
    truth = rng.normal(0.5, 0.2, n)
    return truth, truth + bias + rng.normal(0, 0.1, n)


@pytest.mark.parametrize("bias", [0.0, 0.3])
def test_a_biased_judge_corrected_by_a_small_sample_covers_the_truth_and_gains_precision(bias):
    rng = np.random.default_rng(11)
    covered, widths, alone = 0, [], []
    for _ in range(300):
        truth, judged = _population(rng, 400, bias)
        parts = (truth[:40].tolist(), judged[:40].tolist(), judged[40:].tolist())
        found = prediction_powered_mean(*parts)
        covered += found.low <= 0.5 <= found.high
        widths.append(found.high - found.low)
        sample = prediction_powered_mean(*parts, weight=0.0)
        alone.append(sample.high - sample.low)
    assert 274 <= covered <= 297
    assert np.mean(widths) < 0.7 * np.mean(alone)


def test_the_plain_correction_by_hand():
    found = prediction_powered_mean([1.0, 0.0, 1.0], [0.5, 0.5, 0.8], [0.9, 0.7, 0.5, 0.7], weight=1.0)
    assert found.value == pytest.approx(0.7 + (2 / 3 - 0.6))
    # A judge that says nothing about the truth is not trusted, and the sample alone remains.
    useless = prediction_powered_mean([1.0, 0.0, 1.0, 0.0], [0.5] * 4, [0.5] * 9)
    assert (useless.value, useless.weight) == (0.5, 0.0)
    assert prediction_powered_mean([1.0], [1.0], [1.0]) is None


def test_a_worthless_judge_widens_nothing():
    rng = np.random.default_rng(13)
    truth, noise = rng.normal(size=60), rng.normal(size=500)
    found = prediction_powered_mean(truth.tolist(), noise[:60].tolist(), noise[60:].tolist())
    alone = prediction_powered_mean(truth.tolist(), noise[:60].tolist(), noise[60:].tolist(), weight=0.0)
    assert found.high - found.low <= alone.high - alone.low + 1e-9


def test_abstention_leaves_out_the_least_sure_first_and_counts_what_failed():
    curve = abstention_curve([True, False, True, False], [0.9, 0.1, 0.8, 0.2], failed=1, shares=(0, 0.25, 0.5))
    assert curve == [
        AbstentionPoint(pytest.approx(0.2), 4, 0.5),
        AbstentionPoint(pytest.approx(0.4), 3, pytest.approx(2 / 3)),
        AbstentionPoint(pytest.approx(0.6), 2, 1.0),
    ]


def test_abstention_never_tears_equal_confidences_apart():
    curve = abstention_curve([True, False, True], [0.5, 0.5, 0.5], shares=(0, 0.4))
    assert curve == [AbstentionPoint(0.0, 3, pytest.approx(2 / 3))]
    assert abstention_curve([], [], failed=3, shares=(0,)) == [AbstentionPoint(1.0, 0, None)]
