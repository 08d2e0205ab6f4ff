"""What a process pays before its first episode, and for the first of everything: seconds and resident memory.

    python bench/start.py [--pack core-en] [--runs 5] [--json]

Each run is a process of its own, in which the stages follow one another; times (on the clock, and of the processor) and
memory are cumulative since the interpreter was ready. Reported are the least of all runs: what other processes do to
the machine is noise that only adds. Where the package imports Gymnasium, its first stage includes it; the row above
shows how much that is. The package's byte code is written first, as pip does when it installs: a checkout in whose
environment Python writes none (PYTHONDONTWRITEBYTECODE) would be compiled anew by every process.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

QUESTION = {"en": "When did the pain start?", "zh": "什么时候开始痛的？"}
ORDER = {"en": "ORDER: ECG; troponin", "zh": "检查：心电图；肌钙蛋白"}
CONCLUSION = {
    "en": "CONCLUDE: acute appendicitis\nTreatment: appendicectomy",
    "zh": "结论：急性阑尾炎\n治疗：阑尾切除术",
}
MEASURE = "--measure-in-this-process"


def main() -> None:
    """Run the stages in fresh processes and print the table."""
    import argparse

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", default="core-en", help="the pack whose cases are read")
    parser.add_argument("--runs", type=int, default=5, help="processes a row is the best of")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    args = parser.parse_args()
    rows = [row for stages in ("bare", "gymnasium", "clinic") for row in best(stages, args.pack, args.runs)]
    if args.json:
        print(json.dumps({"pack": args.pack, "runs": args.runs, "stages": rows}))
        return
    print(f"{'stage':<34}{'seconds':>9}{'processor':>11}{'MB':>8}")
    for row in rows:
        print(f"{row['stage']:<34}{row['seconds']:>9.3f}{row['processor']:>11.3f}{row['mb']:>8.1f}")


def best(stages: str, pack: str, runs: int) -> list[dict[str, Any]]:
    """The least time and memory of each stage over several processes; the first one only warms the disk."""
    import subprocess

    compile_package()
    command = [sys.executable, __file__, MEASURE, stages, pack]
    every = [json.loads(subprocess.check_output(command)) for _ in range(runs + 1)][1:]
    return [
        {"stage": same[0]["stage"], **{of: min(row[of] for row in same) for of in ("seconds", "processor", "mb")}}
        for same in zip(*every, strict=True)
    ]


def compile_package() -> None:
    """The byte code of the package, where it is missing or older than its source."""
    from compileall import compile_dir
    from importlib.util import find_spec

    spec = find_spec("clinic_sim")
    for folder in (spec and spec.submodule_search_locations) or ():
        compile_dir(folder, quiet=2)


def measured(stages: str, pack: str) -> list[dict[str, Any]]:
    """The stages in this process, in order."""
    rows: list[dict[str, Any]] = []
    begun, worked = time.perf_counter(), time.process_time()

    def stage(name: str, run: Callable[[], Any]) -> Any:
        value = run()
        seconds, processor = time.perf_counter() - begun, time.process_time() - worked
        rows.append(
            {
                "stage": name,
                "seconds": round(seconds, 4),
                "processor": round(processor, 4),
                "mb": round(resident(), 2),
            }
        )
        return value

    if stages == "bare":
        stage("bare Python", lambda: None)
    elif stages == "gymnasium":
        stage("import gymnasium", lambda: __import__("gymnasium"))
    else:
        clinic(stage, pack)
    return rows


def clinic(stage: Callable[[str, Callable[[], Any]], Any], pack: str) -> None:
    """One process from the import to the first score."""
    clinic_sim = stage("import clinic_sim", lambda: __import__("clinic_sim"))
    cases = stage(f"load_pack {pack}", lambda: clinic_sim.load_pack(pack)).cases
    language = cases[0].language
    room = stage("first consultation opened", lambda: clinic_sim.Consultation(cases[0]))
    stage("first question answered", lambda: room.act_sync(QUESTION[language]))
    stage("first order reported", lambda: room.act_sync(ORDER[language]))
    stage("all cases compiled", lambda: compiled(cases))
    stage("first conclusion reviewed", lambda: concluded(room, CONCLUSION[language]))
    judge = stage("rubric read", lambda: clinic_sim.RubricJudge(clinic_sim.load_rubric("clinic")))
    stage("first episode scored", lambda: judge.score(cases[0], room.episode()))


def compiled(cases: Any) -> None:
    """Everything that is read from each case once."""
    from clinic_sim.cases.compiled import compile_case

    for case in cases:
        compile_case(case)


def concluded(room: Any, conclusion: str) -> None:
    """The conclusion, again where the chief challenged it."""
    while not room.ended:
        room.act_sync(conclusion)


def resident() -> float:
    """Megabytes resident now; the peak where the system does not tell."""
    import resource

    try:
        with open("/proc/self/statm", encoding="ascii") as status:
            return int(status.read().split()[1]) * resource.getpagesize() / 1e6
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


if __name__ == "__main__":
    if sys.argv[1:2] == [MEASURE]:
        # Not by the parser of arguments: it would be counted.
        print(json.dumps(measured(*sys.argv[2:4])))
    else:
        main()
