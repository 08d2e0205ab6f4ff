"""`clinic-sim judge`: what is known of a judge: its agreement with the graders of a label file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from clinic_sim.clinic.driving import drive
from clinic_sim.commands.console import number, print_json, print_table
from clinic_sim.errors import ConfigError
from clinic_sim.judge.calibration import Split, calibrate, in_split
from clinic_sim.judge.grade_cuts import Cuts, shipped_cuts
from clinic_sim.judge.graders import Rated, carried, grade_by_model, grade_offline
from clinic_sim.judge.label_files import read_labels
from clinic_sim.judge.labels import Label
from clinic_sim.judge.rubric import Rubric, load_rubric
from clinic_sim.judge.scorecard import JUDGE_FAILED
from clinic_sim.models.build import make_model

OFFLINE, CARRIED = "offline", "labels"
_DEFAULT_RUBRIC = "mvme"
"""Its grades are those of a view that no cut-offs were calibrated for."""
MAX_TOKENS = 1_024
"""Most tokens of a model's verdict, where its name does not say."""


@dataclass(frozen=True, slots=True)
class CalibrateRequest:
    """What `clinic-sim judge calibrate` was asked to do."""

    labels: Path
    format: str | None = None
    """None: told from the file."""
    rubric: str | None = None
    """Whose cut-offs turn scores into grades; None: the calibrated ones."""
    judge: str | None = None
    """A model, `offline`, or `labels` for the verdicts in the file; None: `labels` where the file has any."""
    split: str = "all"
    limit: int | None = None
    """At most this many records."""
    sample: float = 0.1
    as_json: bool = False


def calibrate_judge(request: CalibrateRequest) -> int:
    """Compare, and print one report a view. Returns 0, or 1 where the judge failed on a label."""
    split = next((s for s in get_args(Split) if s == request.split), None)
    if split is None:
        raise ConfigError(f"--split {request.split}: give dev, held or all")
    rubric = load_rubric(request.rubric or _DEFAULT_RUBRIC)
    format_, labels = read_labels(request.labels, request.format)
    chosen = in_split(labels, split)
    if request.limit is not None:
        kept = sorted({label.record for label in chosen})[: request.limit]
        chosen = [label for label in chosen if label.record <= kept[-1]] if kept else []
    if not chosen:
        raise ConfigError(f"{request.labels}: no labels in its {split!r} half; give --split all")
    judge, rated = _rated(request, chosen)
    report = calibrate(
        chosen,
        rated,
        cuts={} if request.rubric else shipped_cuts(),
        default_cuts=_cuts_of(rubric),
        sample=request.sample,
    )
    # The views stand at the top, so that a reader finds each by its name; whose they are stands in each.
    head = {"judge": judge, "format": format_, "split": split}
    if request.as_json:
        print_json({view: {**head, **found} for view, found in report.items()})
    else:
        _print(report, head)
    return int(any(r.failure.startswith(JUDGE_FAILED) for r in rated))


def _rated(request: CalibrateRequest, labels: Sequence[Label]) -> tuple[str, list[Rated]]:
    """The judge's name and what it gives each label."""
    judge = request.judge or (CARRIED if any(label.carries_judge for label in labels) else OFFLINE)
    if judge == CARRIED:
        if not any(label.carries_judge for label in labels):
            raise ConfigError(f"{request.labels}: carries no judge's verdicts; name a model with --judge, or `offline`")
        return CARRIED, carried(labels)
    if judge == OFFLINE:
        return OFFLINE, grade_offline(labels)
    model = make_model(judge, role="judge", max_tokens=MAX_TOKENS)

    async def ask() -> list[Rated]:
        try:
            return await grade_by_model(labels, model)
        finally:
            await model.aclose()

    return model.name, drive(ask, suspends=model.suspends)


def _cuts_of(rubric: Rubric) -> Cuts:
    return rubric.grades["A"], rubric.grades["B"], rubric.grades["C"]


_COLUMNS = ("n", "spearman", "auc", "kappa", "weighted_kappa", "macro_f1")


def _print(report: dict[str, dict[str, Any]], head: dict[str, str]) -> None:
    title = f"Agreement of {head['judge']} with the graders ({head['format']}, split {head['split']})"
    rows = [
        [view, str(found["n"]), *(_with_interval(found, name) for name in _COLUMNS[1:])]
        for view, found in report.items()
    ]
    print_table(title, ["view", "n", *(name.replace("_", " ") for name in _COLUMNS[1:])], rows)
    print_table(
        "Labels: all = compared + ungraded + unscored",
        ["view", "all", "compared", "ungraded", "unscored", "causes"],
        [
            [
                view,
                *(str(found[k]) for k in ("labels", "n", "ungraded", "unscored")),
                ", ".join(f"{cause} {n}" for cause, n in found["unscored_by_cause"].items()) or "–",
            ]
            for view, found in report.items()
        ],
    )
    print_table(
        "Mean: the graders', the judge's, and the judge's corrected by a small checked sample (95 % interval)",
        ["view", "graders", "judge", "checked", "corrected", "sample alone", "coverage", "width to sample's"],
        [
            [
                view,
                number(found["mean"]["graders"]),
                number(found["mean"]["judge"]),
                str(found["mean"]["checked"]),
                _mean(found["mean"]["corrected"]),
                _mean(found["mean"]["sample_only"]),
                number(found["mean"].get("coverage"), 2),
                number(found["mean"].get("width"), 2),
            ]
            for view, found in report.items()
        ],
    )
    print_table(
        "Bias: rank correlation with how much higher the judge ranks an answer than its graders do",
        ["view", "length", "position", "language (judge minus graders)"],
        [
            [
                view,
                _with_interval(found["bias"]["length"], "difference"),
                _with_interval(found["bias"]["position"], "difference"),
                ", ".join(f"{k} {number(v['difference'])} (n {v['n']})" for k, v in found["bias"]["language"].items()),
            ]
            for view, found in report.items()
        ],
    )
    print_table(
        "Abstention: agreement where the judge leaves out what it is least sure of",
        ["view", "unscored", "n", "agreement"],
        [
            [view, number(point["unscored"], 2), str(point["n"]), number(point["agreement"])]
            for view, found in report.items()
            for point in found["abstention"]
        ],
    )


def _with_interval(found: dict[str, Any], name: str) -> str:
    text = number(found.get(name))
    interval = found.get(f"{name}_interval")
    return f"{text} [{number(interval[0], 2)}, {number(interval[1], 2)}]" if interval else text


def _mean(found: dict[str, Any] | None) -> str:
    if found is None:
        return "–"
    return f"{number(found['value'])} [{number(found['interval'][0], 2)}, {number(found['interval'][1], 2)}]"
