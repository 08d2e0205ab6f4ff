"""Variance components: against ANOVA and REML where they have a known answer, and against simulated truth."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from statsmodels.stats.anova import anova_lm

from clinic_sim.errors import ConfigError
from clinic_sim.reports.stats import Unseparable, components, reliability, repeats_for, spearman_brown


def crossed(*levels: int) -> list[np.ndarray]:
    """Columns of a full crossing."""
    return [np.array(x) for x in zip(*itertools.product(*map(range, levels)), strict=True)]


def test_a_balanced_design_has_the_anova_estimates() -> None:
    rng = np.random.default_rng(1)
    doctor, case, _repeat = crossed(5, 9, 3)
    y = rng.normal(0, 2, 5)[doctor] + rng.normal(0, 1, 9)[case] + rng.normal(0, 1, (5, 9))[doctor, case]
    y = y + rng.normal(0, 1, len(y))
    table = anova_lm(smf.ols("y ~ C(doctor) * C(case)", pd.DataFrame({"y": y, "doctor": doctor, "case": case})).fit())
    squares = table["mean_sq"]
    of_doctor, of_case = squares["C(doctor)"], squares["C(case)"]
    both, error = squares["C(doctor):C(case)"], squares["Residual"]
    found = components(y, {"doctor": doctor, "case": case}, interactions=[("doctor", "case")])
    assert found["residual"].raw == pytest.approx(error)
    assert found["doctor:case"].raw == pytest.approx((both - error) / 3)
    assert found["doctor"].raw == pytest.approx((of_doctor - both) / 27)
    assert found["case"].raw == pytest.approx((of_case - both) / 15)
    assert sum(part.share or 0.0 for part in found.parts) == pytest.approx(1.0)


def test_one_balanced_factor_has_the_reml_estimates() -> None:
    rng = np.random.default_rng(2)
    case, _ = crossed(20, 6)
    y = rng.normal(0, 1.5, 20)[case] + rng.normal(size=120)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reml = smf.mixedlm("y ~ 1", pd.DataFrame({"y": y, "case": case}), groups=case).fit(reml=True)
    found = components(y, {"case": case})
    assert found["case"].variance == pytest.approx(float(reml.cov_re.iloc[0, 0]), rel=1e-3)
    assert found["residual"].variance == pytest.approx(float(reml.scale), rel=1e-3)


def test_a_lopsided_design_gives_the_truth_on_average_and_its_spread_over_cases() -> None:
    rng = np.random.default_rng(3)
    truth = {"doctor": 0.5, "patient": 0.2, "judge": 0.1, "case": 1.0, "doctor:case": 0.4, "residual": 0.8}
    doctor, patient, judge, case = crossed(4, 3, 3, 30)
    runs = 120
    raw, se = np.zeros((runs, 6)), np.zeros((runs, 6))
    for run in range(runs):
        kept = rng.random(len(case)) < np.where(doctor == 0, 0.25, 0.6)
        d, p, j, c = doctor[kept], patient[kept], judge[kept], case[kept]
        y = sum(
            rng.normal(0, truth[name] ** 0.5, n)[codes]
            for name, n, codes in [
                ("doctor", 4, d),
                ("patient", 3, p),
                ("judge", 3, j),
                ("case", 30, c),
                ("doctor:case", 120, d * 30 + c),
            ]
        ) + rng.normal(0, truth["residual"] ** 0.5, len(d))
        found = components(y, {"doctor": d, "patient": p, "judge": j, "case": c}, interactions=[("doctor", "case")])
        assert [part.name for part in found.parts] == list(truth)
        raw[run] = [part.raw for part in found.parts]
        se[run] = [part.se for part in found.parts]
    error = raw.std(axis=0, ddof=1) / runs**0.5
    assert np.abs((raw.mean(axis=0) - list(truth.values())) / error).max() < 3.5
    # Of the components that cases give, the jackknife's standard error is the true one.
    for at, name in enumerate(truth):
        if name in ("case", "doctor:case", "residual"):
            assert se[:, at].mean() == pytest.approx(raw[:, at].std(ddof=1), rel=0.25)


def test_what_the_design_cannot_tell_is_said() -> None:
    rng = np.random.default_rng(4)
    doctor, case = crossed(3, 10)
    y = rng.normal(size=30)
    found = components(
        y,
        {
            "doctor": doctor,
            "patient": doctor + 7,  # every doctor met one patient model
            "judge": np.zeros(30, dtype=int),
            "case": case,
            "seed": np.arange(30),
        },
        interactions=[("doctor", "case")],
    )
    reasons = {part.name: part.undefined for part in found.parts}
    assert reasons == {
        "doctor": None,
        "patient": Unseparable.CONFOUNDED,
        "judge": Unseparable.ONE_LEVEL,
        "case": None,
        "seed": Unseparable.AS_RESIDUAL,
        "doctor:case": Unseparable.AS_RESIDUAL,
        "residual": None,
    }
    assert found["judge"].variance is None
    plain = components(y, {"doctor": doctor, "case": case})
    assert found["doctor"].raw == pytest.approx(plain["doctor"].raw)


def test_a_negative_estimate_is_shown_raw_and_counts_as_none() -> None:
    case, _ = crossed(6, 4)
    y = np.tile([0.0, 1.0, 2.0, 3.0], 6)  # cases agree exactly: less spread than chance gives
    part = components(y, {"case": case})["case"]
    assert part.raw is not None
    assert part.raw < 0
    assert part.variance == 0.0
    assert part.share == 0.0


def test_nothing_scored_and_no_spread_have_no_shares() -> None:
    nothing = components([float("nan")] * 3, {"case": ["a", "b", "c"]})
    assert {part.undefined for part in nothing.parts} == {Unseparable.NOTHING_SCORED}
    assert (nothing.n, nothing.unscored) == (0, 3)
    flat = components([0.1] * 6, {"case": list("aabbcc")})
    assert flat.total == 0.0
    assert {part.share for part in flat.parts} == {None}
    assert reliability(flat, ["case"]).single is None


def test_repeats_reach_the_reliability_that_they_promise() -> None:
    rng = np.random.default_rng(5)
    case, _ = crossed(4000, 2)
    y = rng.normal(0, 1, 4000)[case] + rng.normal(0, 1.5, 8000)
    found = reliability(components(y, {"case": case}), ["case"], target=0.8)
    assert found.noise == ("residual",)
    assert found.single == pytest.approx(1 / 3.25, abs=0.05)
    assert found.repeats in (8, 9, 10, 11)
    # Two independent means of that many repeats correlate by the target.
    k = found.repeats or 0
    truth = rng.normal(0, 1, 4000)
    first, second = (truth + rng.normal(0, 1.5, (k, 4000)).mean(axis=0) for _ in range(2))
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(0.8, abs=0.05)


def test_ranking_doctors_takes_the_interaction_as_noise_and_not_the_case() -> None:
    rng = np.random.default_rng(6)
    doctor, case, _ = crossed(4, 10, 2)
    found = components(rng.normal(size=80), {"doctor": doctor, "case": case}, interactions=[("doctor", "case")])
    assert reliability(found, ["doctor"]).noise == ("doctor:case", "residual")
    assert reliability(found, ["doctor", "case", "doctor:case"]).noise == ("residual",)


@pytest.mark.parametrize("single", [0.05, 0.3, 0.5, 0.79, 0.8, 0.99])
def test_repeats_are_the_fewest_that_do(single: float) -> None:
    k = repeats_for(single, 0.8)
    assert k is not None
    assert spearman_brown(single, k) >= 0.8 - 1e-9
    assert k == 1 or spearman_brown(single, k - 1) < 0.8


def test_no_signal_no_number_of_repeats() -> None:
    assert repeats_for(0.0, 0.8) is None
    assert repeats_for(1.0, 0.8) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: components([0.5], {}),
        lambda: components([0.5], {"residual": ["a"]}),
        lambda: components([0.5, 0.6], {"case": ["a", "b"], "doctor": ["x"]}),
        lambda: components([0.5], {"case": ["a"]}, interactions=[("case", "weather")]),
        lambda: reliability(components([0.5, 0.2], {"case": ["a", "a"]}), ["weather"]),
        lambda: reliability(components([0.5, 0.2], {"case": ["a", "a"]}), []),
        lambda: reliability(components([0.5, 0.2], {"case": ["a", "a"]}), ["case"], target=80),
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigError):
        wrong()
