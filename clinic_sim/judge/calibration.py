"""`calibrate`: a judge held against the people, or the reference grader, of a label file; one report a view.

Every label is in exactly one of three heaps: compared, ungraded (nobody graded it) or unscored (the judge gave nothing,
by cause). What is unscored is never counted as a low score.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from clinic_sim.judge import agreement as stats
from clinic_sim.judge.agreement import Estimate
from clinic_sim.judge.corrections import CorrectedMean, abstention_curve, prediction_powered_mean
from clinic_sim.judge.grade_cuts import Cuts, fitted_cuts, grade_of
from clinic_sim.judge.graders import Rated
from clinic_sim.judge.labels import GRADES, Label

Split = Literal["dev", "held", "all"]
MET_FROM = 0.5
SAMPLE_SEED = 0
DRAWS = 200
"""Of a checked sample, to try the corrected mean."""
_FEWEST_CHECKED = 10


def in_split(labels: Sequence[Label], split: Split) -> list[Label]:
    """The labels of one half of a file's records: `dev` is its first half, `held` the rest, by position alone."""
    if split == "all":
        return list(labels)
    half = (max((label.record for label in labels), default=-1) + 2) // 2
    return [label for label in labels if (label.record < half) == (split == "dev")]


@dataclass(frozen=True, slots=True)
class _Pair:
    """One label that has both: what its graders said and what the judge gives."""

    label: Label
    rated: Rated
    score: float
    said: float | None
    """The judge's category; None on a scale without any."""

    @property
    def given(self) -> list[float]:
        return [g for g in self.label.grades if g is not None]

    @property
    def mean(self) -> float:
        return sum(self.given) / len(self.given)


def calibrate(
    labels: Sequence[Label],
    rated: Sequence[Rated],
    *,
    cuts: Mapping[str, Cuts],
    default_cuts: Cuts,
    sample: float = 0.1,
) -> dict[str, dict[str, Any]]:
    """A judge's agreement with a file's graders, as plain JSON data by view.

    Args:
        labels: What was graded.
        rated: What the judge gives each of them.
        cuts: From its scores to grades, by view.
        default_cuts: For any other view.
        sample: Share of the labels taken as the small hand-graded sample of the prediction-powered mean.
    """
    views: dict[str, list[tuple[Label, Rated]]] = {}
    for label, found in zip(labels, rated, strict=True):
        for view in (label.view, *label.views):
            views.setdefault(view, []).append((label, found))
    return {view: _view(rows, cuts.get(view, default_cuts), sample) for view, rows in views.items()}


def _view(rows: Sequence[tuple[Label, Rated]], cuts: Cuts, sample: float) -> dict[str, Any]:
    graded = [(label, found) for label, found in rows if label.graded]
    failures = Counter(found.failure or "no_score" for _, found in graded if found.score is None)
    pairs = [
        _Pair(label, found, found.score, _category(label, found, cuts))
        for label, found in graded
        if found.score is not None
    ]
    scale = rows[0][0].scale if len({label.scale for label, _ in rows}) == 1 else "number"
    report: dict[str, Any] = {
        "n": len(pairs),
        "labels": len(rows),
        "ungraded": len(rows) - len(graded),
        "unscored": len(graded) - len(pairs),
        "unscored_by_cause": dict(sorted(failures.items())),
        "scale": scale,
    }
    report |= _ranks(pairs)
    report |= _split_by_quality(pairs, scale)
    report |= _categories(pairs, scale)
    report |= _graders([label for label, _ in graded])
    if scale == "grades":
        by_scores = [p for p in pairs if p.rated.grade is None]
        report["cuts"] = list(cuts) if by_scores else None
        report["fitted_cuts"] = _rounded(fitted_cuts([p.score for p in by_scores], [p.mean for p in by_scores]))
    report["abstention"] = _abstention(pairs, cuts, len(graded) - len(pairs), scale)
    report["bias"] = _bias(pairs, scale)
    report["mean"] = _means(pairs, scale, sample)
    return report


def _category(label: Label, found: Rated, cuts: Cuts) -> float | None:
    if found.grade is not None:
        return found.grade
    if label.scale == "number" or found.score is None:
        return None
    return grade_of(found.score, cuts) if label.scale == "grades" else float(found.score >= MET_FROM)


def _ranks(pairs: Sequence[_Pair]) -> dict[str, Any]:
    found = stats.spearman([p.score for p in pairs], [p.mean for p in pairs])
    return _named("spearman", found)


def _named(name: str, found: Estimate | None) -> dict[str, Any]:
    if found is None:
        return {name: None, f"{name}_interval": None}
    return {name: round(found.value, 6), f"{name}_interval": [round(found.low, 6), round(found.high, 6)]}


def _split_by_quality(pairs: Sequence[_Pair], scale: str) -> dict[str, Any]:
    """AUC of good against not: A and B against C and D, met against not met; items whose graders are split are out."""
    if scale == "number":
        return _named("auc", None)
    edge = 1.5 if scale == "grades" else 0.5
    clear = [p for p in pairs if p.mean != edge]
    return _named("auc", stats.auc([p.mean > edge for p in clear], [p.score for p in clear]))


def _categories(pairs: Sequence[_Pair], scale: str) -> dict[str, Any]:
    """What needs categories; each grader of an item counts, and the items are resampled, not the graders."""
    names = ("accuracy", "kappa", "linear_kappa", "weighted_kappa", "weighted_kappa_interval", "macro_f1", "confusion")
    if scale == "number" or not pairs:
        return {**dict.fromkeys(names), "alpha": _alpha([[p.mean for p in pairs], [p.score for p in pairs]], scale)}
    k = len(GRADES) if scale == "grades" else 2
    rows: list[NDArray[np.float64]] = []
    for p in pairs:
        table = np.zeros((k, k))
        for g in p.given:
            table[int(g), int(p.said or 0)] += 1
        rows.append(table)
    whole = np.sum(rows, axis=0)
    truth = [g for p in pairs for g in p.given]
    given = [p.said for p in pairs for _ in p.given]
    interval = stats.bootstrap_kappa(rows, "quadratic")
    widest = max(len(p.label.grades) for p in pairs)
    by_grader = [[p.label.grades[i] if i < len(p.label.grades) else None for p in pairs] for i in range(widest)]
    return {
        "accuracy": _round(stats.accuracy(truth, given)),
        "kappa": _round(stats.kappa_of(whole)),
        "linear_kappa": _round(stats.kappa_of(whole, "linear")),
        "weighted_kappa": _round(stats.kappa_of(whole, "quadratic")),
        "weighted_kappa_interval": _rounded(interval),
        "macro_f1": _round(stats.macro_f1(truth, given)),
        "confusion": whole.astype(int).tolist(),
        "alpha": _alpha([*by_grader, [p.said for p in pairs]], scale),
    }


_LEVELS: Mapping[str, tuple[stats.Level, ...]] = {
    "grades": ("nominal", "ordinal", "interval"),
    "met": ("nominal",),
    "number": ("interval",),
}


def _alpha(ratings: Sequence[Sequence[float | None]], scale: str) -> dict[str, float | None]:
    levels = _LEVELS[scale]
    return {level: _round(stats.krippendorff_alpha(ratings, level)) for level in levels}


def _graders(labels: Sequence[Label]) -> dict[str, Any]:
    """How far the graders agree among themselves: what a judge can reach at best.

    Macro-F1 is over all ordered pairs of graders of one item, each in turn held against the other.
    """
    widest = max((len(label.grades) for label in labels), default=0)
    if widest < 2:
        return {"graders_alpha": None, "graders_macro_f1": None}
    scale = labels[0].scale
    ratings = [[label.grades[i] if i < len(label.grades) else None for label in labels] for i in range(widest)]
    pairs = [
        (one, other)
        for label in labels
        for i, one in enumerate(label.grades)
        for j, other in enumerate(label.grades)
        if i != j and one is not None and other is not None
    ]
    f1 = None if scale == "number" else stats.macro_f1([a for a, _ in pairs], [b for _, b in pairs])
    return {"graders_alpha": _alpha(ratings, scale), "graders_macro_f1": _round(f1)}


def _abstention(pairs: Sequence[_Pair], cuts: Cuts, unscored: int, scale: str) -> list[dict[str, Any]]:
    if scale == "number":
        return []
    # No score is below a cut at 0: it parts nothing, so that nothing is near it.
    edges = tuple(c for c in cuts if c > 0) if scale == "grades" else (MET_FROM,)
    sure = [
        p.rated.certainty * (1.0 if p.rated.grade is not None else min((abs(p.score - c) for c in edges), default=1.0))
        for p in pairs
    ]
    agrees = [sum(g == p.said for g in p.given) * 2 > len(p.given) for p in pairs]
    curve = abstention_curve(agrees, sure, unscored, shares=tuple(n / 10 for n in range(9)))
    return [{"unscored": _round(c.unscored), "n": c.n, "agreement": _round(c.agreement)} for c in curve]


def _bias(pairs: Sequence[_Pair], scale: str) -> dict[str, Any]:
    """What moves the judge that does not move the graders: length, position, language.

    `difference` is the rank correlation of a property with how much higher the judge ranks an answer than its graders
    do: 0 for a judge without that bias, whatever the property is worth to the graders themselves.
    """
    return {
        "length": _pull(pairs, [len(p.label.answer) for p in pairs]),
        "position": _pull(pairs, [p.label.position for p in pairs]),
        "language": _languages(pairs, scale),
    }


def _pull(pairs: Sequence[_Pair], by: Sequence[int]) -> dict[str, Any]:
    judged, graded = [p.score for p in pairs], [p.mean for p in pairs]
    excess = (_standing(judged) - _standing(graded)).tolist() if pairs else []
    out: dict[str, Any] = {}
    for name, values in (("judge", judged), ("graders", graded), ("difference", excess)):
        out |= _named(name, stats.spearman(by, values))
    return out


def _standing(values: Sequence[float]) -> NDArray[np.float64]:
    """Ranks in units of their own spread, so that few grades and fine scores can be told apart only by order."""
    ranks = stats.ranks(values)
    spread = float(ranks.std())
    return np.asarray((ranks - ranks.mean()) / (spread or 1.0), dtype=float)


def _languages(pairs: Sequence[_Pair], scale: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for language in sorted({p.label.language for p in pairs}):
        own = [p for p in pairs if p.label.language == language]
        judged, graded = _values(own, scale)
        found[language] = {
            "n": len(own),
            "judge": _round(float(np.mean(judged))),
            "graders": _round(float(np.mean(graded))),
            "difference": _round(float(np.mean(judged) - np.mean(graded))),
        }
    return found


def _values(pairs: Sequence[_Pair], scale: str) -> tuple[list[float], list[float]]:
    """The judge's and the graders' values on one scale: grades in [0, 1], shares met, or numbers as they are."""
    top = len(GRADES) - 1 if scale == "grades" else 1
    judged = [p.score if p.said is None else p.said / top for p in pairs]
    return judged, [p.mean / top for p in pairs]


def _means(pairs: Sequence[_Pair], scale: str, sample: float) -> dict[str, Any]:
    """The graders' mean, the judge's, and the judge's corrected by a small sample of the graders' labels.

    As all labels are known here, the correction itself is tried: `coverage` is the share of draws of such a sample
    whose interval holds the graders' mean, `width` the mean width of that interval to that of the sample alone.
    """
    if not pairs:
        return {"graders": None, "judge": None, "checked": 0, "corrected": None, "sample_only": None}
    judged, graded = (np.asarray(v) for v in _values(pairs, scale))
    truth = float(graded.mean())
    checked = min(len(pairs), max(_FEWEST_CHECKED, round(sample * len(pairs))))
    drawn = [_corrected(judged, graded, checked, np.random.default_rng(SAMPLE_SEED + n)) for n in range(DRAWS)]
    made = [(found, alone) for found, alone in drawn if found is not None and alone is not None]
    widths = [(found.high - found.low, alone.high - alone.low) for found, alone in made]
    plain = sum(alone for _, alone in widths)
    return {
        "graders": _round(truth),
        "judge": _round(float(judged.mean())),
        "checked": checked,
        "corrected": _mean(drawn[0][0]),
        "sample_only": _mean(drawn[0][1]),
        "coverage": _round(sum(f.low <= truth <= f.high for f, _ in made) / len(made)) if made else None,
        "width": _round(sum(width for width, _ in widths) / plain) if plain else None,
    }


def _corrected(
    judged: NDArray[np.float64], graded: NDArray[np.float64], checked: int, rng: np.random.Generator
) -> tuple[CorrectedMean | None, CorrectedMean | None]:
    """The corrected mean of one draw of a checked sample, and that of the sample alone."""
    order = rng.permutation(len(judged))
    hand, rest = order[:checked], order[checked:]
    parts = (graded[hand].tolist(), judged[hand].tolist(), judged[rest].tolist())
    return prediction_powered_mean(*parts), prediction_powered_mean(*parts, weight=0.0)


def _mean(found: CorrectedMean | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "value": _round(found.value),
        "interval": [_round(found.low), _round(found.high)],
        "weight": _round(found.weight),
    }


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 6) + 0.0


def _rounded(values: Sequence[float] | None) -> list[float] | None:
    return None if values is None else [round(v, 6) for v in values]
