"""Fits the weighing of the guard on a patient's words, and says how well it generalises to cases it has not seen.

    python bench/guard_weights.py FILE ... [--scenarios PACK_OR_FOLDER ...] [--write] [--json]

Files are labelled sets as `bench/guard.py` reads them; rows whose case is in no given pack are counted and left out.
Logistic models with an L2 penalty, one a kind of fault against honest answers and one for all faults together, are
fitted by L-BFGS: the same files give the same weights. The table shows, by cross-validation over cases (no case is in
both parts of a split), what each model catches of its kind where it rejects 1, 2, 3, 5 and 10 % of honest answers,
alone and beside the rules. With --write the models on all rows replace `clinic_sim/clinic/patient/data/weights.tsv`.
Sets that measure the guard (`tests/guard/utterances_*.jsonl`) are never given to it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from guard import CLEAN, PACKS, compiled_cases, utterances
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.clinic.patient.speech.signs import Signs, signs
from clinic_sim.clinic.patient.speech.weighing import BIAS, Weights
from clinic_sim.clinic.patient.words import answer_of, objections_of_rules

WEIGHTS = Path(__file__).resolve().parent.parent / "clinic_sim" / "clinic" / "patient" / "data" / "weights.tsv"
FOLDS = 5
LEAST = 3
"""Rows that must show a sign for it to be weighed."""
SPREAD = 0.5
"""Variance that the penalty expects of the weights: the smaller, the nearer to 0 they stay."""
MODELLED = 2.0
"""Weight of a row written as a language model plays a patient; the others speak more richly than models do."""
SMALLEST = 0.02
RATES = (0.01, 0.02, 0.03, 0.05, 0.10)

Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled answer with its signs and whether the rules reject it."""

    case: str
    label: str
    signs: Signs
    ruled: bool
    weight: float


def rows_of(paths: list[Path], compiled: dict[str, CompiledCase]) -> tuple[list[Row], int]:
    """The rows whose case is known, and how many were left out."""
    rows, left = [], 0
    for path in paths:
        for row in utterances(path):
            case = compiled.get(row["case"])
            if case is None:
                left += 1
                continue
            answer = answer_of(case, row["text"], row["facts"], row["told"], row["question"])
            ruled = bool(objections_of_rules(case, answer))
            weight = MODELLED if row["style"] == "llm" else 1.0
            rows.append(Row(row["case"], row["label"], signs(answer), ruled, weight))
    return rows, left


def matrix(rows: list[Row]) -> tuple[csr_matrix, list[str]]:
    """One line a row, one column a sign."""
    seen = Counter(sign for row in rows for sign in row.signs)
    names = [BIAS, *sorted(sign for sign, n in seen.items() if n >= LEAST)]
    at = {name: n for n, name in enumerate(names)}
    data, lines, columns = [], [], []
    for n, row in enumerate(rows):
        for sign, size in ((BIAS, 1.0), *row.signs.items()):
            if sign in at:
                data.append(size)
                lines.append(n)
                columns.append(at[sign])
    return csr_matrix((data, (lines, columns)), shape=(len(rows), len(names))), names


def fit(x: csr_matrix, y: Column, weight: Column) -> Column:
    """The coefficients of a logistic model; the bias goes free of the penalty."""
    free = np.ones(x.shape[1])
    free[0] = 0.0

    def loss(w: Column) -> tuple[float, Column]:
        z = x @ w
        value = float(weight @ (np.logaddexp(0.0, z) - y * z)) + 0.5 * float(w @ (free * w)) / SPREAD
        return value, x.T @ (weight * (1 / (1 + np.exp(-z)) - y)) + free * w / SPREAD

    return minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 2_000}).x


def fold(case: str) -> int:
    """The part of a split that a case belongs to, the same in every run."""
    return int.from_bytes(hashlib.sha256(case.encode()).digest()[:4], "big") % FOLDS


def against_honest(labels: NDArray[np.str_], kind: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which rows a model of a kind is fitted on, and which of them it should find."""
    bad = labels != CLEAN if kind == "fault" else labels == kind
    return bad | (labels == CLEAN), bad


def crossed(rows: list[Row], x: csr_matrix) -> dict[str, Column]:
    """The log odds of every row by models that never saw its case."""
    labels = np.array([row.label for row in rows])
    folds = np.array([fold(row.case) for row in rows])
    weight = np.array([row.weight for row in rows])
    scores = {}
    for kind in Weights._fields:
        use, bad = against_honest(labels, kind)
        score = np.zeros(len(rows))
        for part in range(FOLDS):
            train = use & (folds != part)
            score[folds == part] = x[folds == part] @ fit(x[train], bad[train].astype(float), weight[train])
        scores[kind] = score
    return scores


def table(rows: list[Row], scores: dict[str, Column]) -> dict[str, dict[str, Any]]:
    """What each model catches at given rates of rejected honest answers, alone and beside the rules."""
    labels = np.array([row.label for row in rows])
    ruled = np.array([row.ruled for row in rows])
    honest = labels == CLEAN
    found: dict[str, dict[str, Any]] = {}
    for kind, score in scores.items():
        _, bad = against_honest(labels, kind)
        bounds = {rate: float(np.quantile(score[honest], 1 - rate)) for rate in RATES}
        open_ = {rate: float(np.quantile(score[honest & ~ruled], 1 - rate)) for rate in RATES}
        found[kind] = {
            "rows": int(bad.sum()),
            "by_rules": float(ruled[bad].mean()),
            "alone": {rate: float((score[bad] > bound).mean()) for rate, bound in bounds.items()},
            "beside_rules": {rate: float((ruled | (score > bound))[bad].mean()) for rate, bound in open_.items()},
            "bounds": open_,
        }
    return found


def write(names: list[str], columns: list[Column]) -> int:
    """Write the table of weights, without those that hardly count; how many signs are in it."""
    lines = [
        "# Weights of the signs of an answer, fitted by bench/guard_weights.py; see speech/weighing.py.",
        "\t".join(("sign", *Weights._fields)),
    ]
    for n, name in enumerate(names):
        weights = [round(float(column[n]), 2) for column in columns]
        if max(map(abs, weights)) > SMALLEST:
            lines.append("\t".join((name, *(f"{w:g}" for w in weights))))
    WEIGHTS.write_text("\n".join(lines) + "\n", "utf-8")
    return len(lines) - 2


def main() -> None:
    """Measure, print and, if asked, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--scenarios", nargs="+", default=list(PACKS))
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows, left = rows_of(arguments.files, compiled_cases(arguments.scenarios))
    x, names = matrix(rows)
    found = table(rows, crossed(rows, x))
    if arguments.json:
        print(json.dumps({"rows": len(rows), "left_out": left, "signs": len(names), "kinds": found}, indent=2))
    else:
        print(f"{len(rows)} answers, {left} left out (their case is in no pack given), {len(names)} signs")
        for kind, figures in found.items():
            print(f"{kind}: {figures['rows']} rows, {figures['by_rules']:.3f} by rules")
            for rate in RATES:
                print(
                    f"  {rate:4.0%} of honest: alone {figures['alone'][rate]:.3f}, beside the rules"
                    f" {figures['beside_rules'][rate]:.3f} (bound {figures['bounds'][rate]:.2f})"
                )
    if arguments.write:
        labels = np.array([row.label for row in rows])
        weight = np.array([row.weight for row in rows])
        columns = []
        for kind in Weights._fields:
            use, bad = against_honest(labels, kind)
            columns.append(fit(x[use], bad[use].astype(float), weight[use]))
        print(f"{write(names, columns)} signs written to {WEIGHTS.name}")


if __name__ == "__main__":
    main()
