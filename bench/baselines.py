"""The table of baselines: mean total with a 95 % interval, for each doctor on each pack.

    python bench/baselines.py [PACK_OR_FOLDER ...] [--seed 0] [--markdown]

By default the packs that ship. Imported cases are measured by giving the folder that `clinic-sim import` wrote. The
interval is the percentile bootstrap over cases (10,000 resamples, seeded): the cases are the sample, and a baseline is
deterministic on each.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from clinic_sim.cases.packs import load_pack, pack_names
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.doctors import BASELINES, make_doctor
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.sweeps.runner import run_episode

ORDER = ("oracle", "checklist", *(d for d in BASELINES if d not in ("oracle", "checklist")))
RESAMPLES = 10_000


def totals(doctor: str, pack: str, seed: int) -> tuple[list[float], int, int]:
    """The totals of the scored episodes, the number planned and the number failed."""
    judge, player = RubricJudge(load_rubric("clinic")), make_doctor(doctor)
    outcomes = [run_episode(Consultation(c, seed=seed), player, judge) for c in load_pack(pack).cases]
    scored = [o.scorecard.total for o in outcomes if o.scorecard.total is not None]
    return scored, len(outcomes), sum(bool(o.failure) for o in outcomes)


def interval(values: list[float]) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval of the mean."""
    dice = np.random.default_rng(0)
    means = dice.choice(np.asarray(values), (RESAMPLES, len(values))).mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packs", nargs="*", default=pack_names())
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--markdown", action="store_true")
    args = parser.parse_args()
    header, rows, footer = ["doctor"], [[d] for d in ORDER], []
    for pack in args.packs:
        planned = failed = unscored = 0
        for row, doctor in zip(rows, ORDER, strict=True):
            values, count, broken = totals(doctor, pack, args.seed)
            low, high = interval(values)
            row.append(f"{np.mean(values):.3f} [{low:.3f}, {high:.3f}]")
            planned, failed, unscored = planned + count, failed + broken, unscored + count - len(values)
        name = Path(pack).name
        header.append(f"{name} (n = {planned // len(ORDER)})")
        footer.append(
            f"{name}: planned {planned} = completed {planned - failed} + failed {failed}; unscored {unscored}"
        )
    if args.markdown:
        print("| " + " | ".join(header) + " |\n|" + "---|" * len(header))
        print("\n".join("| " + " | ".join(row) + " |" for row in rows))
    else:
        for row in (header, *rows):
            print(f"{row[0]:<12}" + "".join(f"{cell:>26}" for cell in row[1:]))
    print("\n" + "\n".join(footer))


if __name__ == "__main__":
    main()
