"""The statistics of a run, in one place to import from: plain arrays in, frozen dataclasses out.

Unscored is nan and never zero; every result says how many were left out. Intervals are clustered by case. What cannot
be had (one case, no spread) is `Undefined` with its reason. All of it is deterministic: bootstraps and permutations are
seeded, and the order of episodes changes nothing.
"""

from __future__ import annotations

from clinic_sim.reports.bootstrap import bootstrap_mean
from clinic_sim.reports.closure import Closure, Endings, closure
from clinic_sim.reports.clusters import Groups, Labels
from clinic_sim.reports.components import RESIDUAL, Component, Components, Unseparable, components
from clinic_sim.reports.curves import CurvePoint, Progress, curve, pareto
from clinic_sim.reports.estimates import Estimate, Interval, Undefined
from clinic_sim.reports.means import UNIT, mean, ratio
from clinic_sim.reports.multiple import benjamini_hochberg, holm
from clinic_sim.reports.paired import Arm, Comparison, Pairs, compare, pair
from clinic_sim.reports.passk import PassK, pass_k
from clinic_sim.reports.rates import Rate, rate, wilson
from clinic_sim.reports.reliability import Reliability, reliability, repeats_for, spearman_brown
from clinic_sim.reports.signed import Test, sign_flip, t_test, wilcoxon
from clinic_sim.reports.stewardship import Orders, Share, Stewardship, share, stewardship
from clinic_sim.reports.strata import FEW_CASES, UNSTATED, Stratum, strata

__all__ = [
    "FEW_CASES",
    "RESIDUAL",
    "UNIT",
    "UNSTATED",
    "Arm",
    "Closure",
    "Comparison",
    "Component",
    "Components",
    "CurvePoint",
    "Endings",
    "Estimate",
    "Groups",
    "Interval",
    "Labels",
    "Orders",
    "Pairs",
    "PassK",
    "Progress",
    "Rate",
    "Reliability",
    "Share",
    "Stewardship",
    "Stratum",
    "Test",
    "Undefined",
    "Unseparable",
    "benjamini_hochberg",
    "bootstrap_mean",
    "closure",
    "compare",
    "components",
    "curve",
    "holm",
    "mean",
    "pair",
    "pareto",
    "pass_k",
    "rate",
    "ratio",
    "reliability",
    "repeats_for",
    "share",
    "sign_flip",
    "spearman_brown",
    "stewardship",
    "strata",
    "t_test",
    "wilcoxon",
    "wilson",
]
