"""Fits the weighing of the guard on a patient's words, and says how well it generalises to cases it has not seen.

    python bench/guard_weights.py FILE ... [--scenarios PACK_OR_FOLDER ...] [--reject 0.06] [--write] [--json]

Files are labelled sets as `bench/guard.py` reads them; rows whose case is in no given pack are counted and left out.
Logistic models with an L2 penalty, one a kind of fault against honest answers and one for all faults together, weigh
the signs of a whole answer and those of its worst sentence. Which sentence is the worst is learned too: first each
sentence counts for its answer, then a model is fitted on the sentence that the last one found worst, a few times over
(multiple-instance learning, as in Andrews, Tsochantaridis and Hofmann, 2002). L-BFGS fits them: the same files give the
same weights. The table shows, by cross-validation over cases (no case is in both parts of a split), what all together
catch where their bounds reject so many of the honest answers that are written as a language model plays a patient. With
--write the models on all rows, and the bounds for --reject, replace `clinic_sim/clinic/patient/data/weights.tsv`.
Sets that measure the guard (`tests/guard/utterances_*`, `fresh_*`, `second_*`) are never given to it.
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
from guard import BAD, CLEAN, PACKS, compiled_cases, utterances
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix, hstack

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.clinic.patient.speech.sentence_signs import Signs
from clinic_sim.clinic.patient.speech.signs import Described, described
from clinic_sim.clinic.patient.speech.weighing import BIAS, BOUND, Weights, certain
from clinic_sim.clinic.patient.words import answer_of, objections_of_rules

WEIGHTS = Path(__file__).resolve().parent.parent / "clinic_sim" / "clinic" / "patient" / "data" / "weights.tsv"
FOLDS = 5
LEAST = 3
"""Rows or sentences that must show a sign for it to be weighed."""
SPREAD = 0.5
"""Variance that the penalty expects of the weights: the smaller, the nearer to 0 they stay."""
ROUNDS = 6
"""Times that the worst sentence of each answer is chosen anew."""
MODELLED = 2.0
"""Weight of a row written as a language model plays a patient; the others speak more richly than models do."""
SMALLEST = 0.02
RATES = (0.02, 0.03, 0.05, 0.06, 0.10)
LEAKS_SHARE = 0.4
"""Share of the rejected honest answers that the bound on leaks alone may reject: leaks spoil more than inventions."""
REST = 0.97
"""Quantile of honest answers at which the other bounds stand to one another."""

Column = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled answer with its signs."""

    case: str
    label: str
    style: str
    found: Described


class Data:
    """All rows as matrices: one line an answer, and one line a sentence."""

    def __init__(self, rows: list[Row]) -> None:
        self.labels = np.array([row.label for row in rows])
        self.folds = np.array([fold(row.case) for row in rows])
        self.modelled = np.array([row.style == "llm" for row in rows])
        self.weight = np.where(self.modelled, MODELLED, 1.0)
        self.certain = np.array([certain(row.found) for row in rows])
        self.whole, self.whole_names = matrix([{BIAS: 1.0, **row.found.whole} for row in rows], BIAS)
        each = [signs for row in rows for signs in row.found.sentences]
        self.each, self.each_names = matrix(each)
        counts = np.array([len(row.found.sentences) for row in rows])
        self.owner = np.repeat(np.arange(len(rows)), counts)
        self.first = np.concatenate(([0], np.cumsum(counts)))
        self.count = counts

    def fit(self, rows: NDArray[np.int_], bad: Column) -> Column:
        """The coefficients of one model: of the whole answer, then of its worst sentence."""
        lines = np.concatenate([np.arange(self.first[n], self.first[n + 1]) for n in rows])
        owner = self.owner[lines]
        shared = self.weight[owner] / self.count[owner]
        found = fit(csr_matrix(hstack([self.whole[owner], self.each[lines]])), bad[owner], shared)
        for _ in range(ROUNDS):
            size = self.each @ found[self.whole.shape[1] :]
            worst = np.array([self.first[n] + int(np.argmax(size[self.first[n] : self.first[n + 1]])) for n in rows])
            found = fit(csr_matrix(hstack([self.whole[rows], self.each[worst]])), bad[rows], self.weight[rows])
        return found

    def score(self, found: Column) -> Column:
        """The log odds of every row."""
        size = self.each @ found[self.whole.shape[1] :]
        return self.whole @ found[: self.whole.shape[1]] + np.maximum.reduceat(size, self.first[:-1])


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
            faults = objections_of_rules(case, answer)
            rows.append(Row(row["case"], row["label"], row["style"], described(answer, faults)))
    return rows, left


def matrix(lines: list[Signs], first: str | None = None) -> tuple[csr_matrix, list[str]]:
    """One line each, one column a sign."""
    seen = Counter(sign for line in lines for sign in line)
    names = sorted((sign for sign, n in seen.items() if n >= LEAST), key=lambda sign: (sign != first, sign))
    at = {name: n for n, name in enumerate(names)}
    cells = [(size, n, at[sign]) for n, line in enumerate(lines) for sign, size in line.items() if sign in at]
    data, rows, columns = zip(*cells, strict=True)
    return csr_matrix((data, (rows, columns)), shape=(len(lines), len(names))), names


def fit(x: csr_matrix, y: Column, weight: Column) -> Column:
    """The coefficients of a logistic model; the bias, which comes first, goes free of the penalty."""
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


def against_honest(labels: NDArray[np.str_], kind: str) -> tuple[Flags, Flags]:
    """Which rows a model of a kind is fitted on, and which of them it should find."""
    bad = labels != CLEAN if kind == "fault" else labels == kind
    return bad | (labels == CLEAN), bad


def crossed(data: Data) -> dict[str, Column]:
    """The log odds of every row by models that never saw its case."""
    scores = {}
    for kind in Weights._fields:
        use, bad = against_honest(data.labels, kind)
        score = np.zeros(len(data.labels))
        for part in range(FOLDS):
            model = data.fit(np.where(use & (data.folds != part))[0], bad.astype(float))
            score[data.folds == part] = data.score(model)[data.folds == part]
        scores[kind] = score
    return scores


def bounds_for(rate: float, data: Data, scores: dict[str, Column]) -> dict[str, float]:
    """Bounds that together reject a share of the honest answers written as a language model plays a patient."""
    honest = (data.labels == CLEAN) & data.modelled
    bounds = {kind: float(np.quantile(score[honest], REST)) for kind, score in scores.items()}
    bounds["leak"] = float(np.quantile(scores["leak"][honest], 1 - rate * LEAKS_SHARE))
    rest = np.max([scores[kind] - bounds[kind] for kind in bounds if kind != "leak"], axis=0)[honest]
    by_leak = data.certain[honest] | (scores["leak"][honest] > bounds["leak"])
    moves = np.sort(rest)
    rejected = np.array([(by_leak | (rest > move)).mean() for move in moves])
    move = float(moves[int(np.argmax(rejected <= rate))])
    return {kind: bound if kind == "leak" else bound + move for kind, bound in bounds.items()}


def table(data: Data, scores: dict[str, Column]) -> dict[float, dict[str, Any]]:
    """What all models together catch at given rates of rejected honest answers."""
    found: dict[float, dict[str, Any]] = {}
    for rate in RATES:
        bounds = bounds_for(rate, data, scores)
        rejected = data.certain | (np.max([scores[kind] - bounds[kind] for kind in bounds], axis=0) > 0)
        found[rate] = {
            name: {label: float(rejected[group & (data.labels == label)].mean()) for label in (CLEAN, *BAD)}
            for name, group in (("modelled", data.modelled), ("others", ~data.modelled))
        }
    return found


def write(names: list[str], columns: list[Column], bounds: dict[str, float]) -> int:
    """Write the table of weights, without those that hardly count; how many signs are in it."""
    lines = [
        "# Weights of the signs of an answer, fitted by bench/guard_weights.py; see speech/weighing.py.",
        "\t".join(("sign", *Weights._fields)),
        "\t".join((BOUND, *(f"{bounds[kind]:.2f}" for kind in Weights._fields))),
    ]
    for n, name in enumerate(names):
        weights = [round(float(column[n]), 2) for column in columns]
        if max(map(abs, weights)) > SMALLEST:
            lines.append("\t".join((name, *(f"{w:g}" for w in weights))))
    WEIGHTS.write_text("\n".join(lines) + "\n", "utf-8")
    return len(lines) - 3


def main() -> None:
    """Measure, print and, if asked, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--scenarios", nargs="+", default=list(PACKS))
    parser.add_argument("--reject", type=float, default=0.06, help="share of honest answers the bounds may reject")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows, left = rows_of(arguments.files, compiled_cases(arguments.scenarios))
    data = Data(rows)
    names = data.whole_names + data.each_names
    scores = crossed(data)
    found = table(data, scores)
    if arguments.json:
        print(json.dumps({"rows": len(rows), "left_out": left, "signs": len(names), "rates": found}, indent=2))
    else:
        print(f"{len(rows)} answers, {left} left out (their case is in no pack given), {len(names)} signs")
        for rate, groups in found.items():
            for name, shares in groups.items():
                print(f"{rate:4.0%} {name:9}", "  ".join(f"{label} {share:.3f}" for label, share in shares.items()))
    if arguments.write:
        columns = []
        for kind in Weights._fields:
            use, bad = against_honest(data.labels, kind)
            columns.append(data.fit(np.where(use)[0], bad.astype(float)))
        print(f"{write(names, columns, bounds_for(arguments.reject, data, scores))} signs written to {WEIGHTS.name}")


if __name__ == "__main__":
    main()
