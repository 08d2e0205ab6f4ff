#!/usr/bin/env python3
"""Sweeps: episodes a second, memory, and what it costs to open and to read a run of many episodes, as tables.

    python bench/sweep.py [--episodes 1000] [--lines 100000] [--resume] [--report] [--json]

Every figure is taken in a process of its own; the rows of the `processes` engine have workers besides, whose start is
inside the clock, whose processor time counts, and whose memory is that of the largest. Wall and processor time both
stand there: on a machine that others use too only the second can be repeated. `--resume` and `--report` write a run of
`--lines` lines first: real lines of the `guess` doctor, each under its own key and place, added through the store as a
run adds them.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from clinic_sim.cases.compiled import compile_case
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.clinic.driving import drive
from clinic_sim.commands.console import print_table
from clinic_sim.doctors import make_doctor
from clinic_sim.reports.table import RunTable
from clinic_sim.sweeps.lines import line_data, line_of
from clinic_sim.sweeps.outcome import Outcome
from clinic_sim.sweeps.plan import EnginePlan, Plan
from clinic_sim.sweeps.planned import Sweep
from clinic_sim.sweeps.rows import row_of
from clinic_sim.sweeps.runner import play
from clinic_sim.sweeps.stage import cast_of
from clinic_sim.sweeps.sweep import account, open_store, owed, run_sweep

PACKS = ("core-en", "core-zh")
DOCTORS = ("checklist", "oracle", "guess", "parrot", "random", "silent")
MIX = ("checklist", "guess", "parrot", "silent")
STEPS = ("play", "judge", "line", "row", "write")
AIM_S = 60.0
AIM_EPISODES = 10_000


def plan_of(doctors: tuple[str, ...], episodes: int, workers: int = 0) -> tuple[Plan, Sweep]:
    """A plan of at least so many episodes over both packs, for the local engine where it has no workers."""
    one = Sweep.resolve(plan := Plan(doctors=doctors), cast_of(plan)).size
    engine = EnginePlan(name="processes", workers=workers) if workers else EnginePlan()
    plan = Plan(doctors=doctors, seeds=tuple(range(-(-episodes // one))), engine=engine)
    return plan, Sweep.resolve(plan, cast_of(plan))


def peak_mb(who: int = resource.RUSAGE_SELF) -> float:
    """Most memory that was resident so far, in MB."""
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(who).ru_maxrss * scale / 1e6


def timed(act: Callable[[], Any]) -> tuple[Any, float, float]:
    """What it returns, and seconds by the clock and of the processor, with that of children that have ended."""
    wall, cpu = time.perf_counter(), cpu_s()
    found = act()
    return found, time.perf_counter() - wall, cpu_s() - cpu


def cpu_s() -> float:
    """Seconds of the processor so far, of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def speed(doctors: tuple[str, ...], episodes: int, root: str, workers: int = 0) -> dict[str, Any]:
    """A sweep from its plan to its closed store; reading the cases is inside, and so is the start of workers."""
    before = peak_mb()
    folder = Path(root) / f"speed-{'-'.join(doctors)}-{episodes}"

    def carry() -> Any:
        plan, sweep = plan_of(doctors, episodes, workers)
        return sweep.size, run_sweep(sweep, cast_of(plan), open_store(sweep, folder))

    (size, finished), wall, cpu = timed(carry)
    assert finished.accounts.whole
    written = (folder / "episodes.jsonl").stat().st_size
    shutil.rmtree(folder)
    return {
        "doctors": ", ".join(doctors),
        "workers": workers or "none",
        "episodes": size,
        "wall_s": wall,
        "cpu_s": cpu,
        "per_s": size / wall,
        "per_cpu_s": size / cpu,
        "for_10000_cpu_s": cpu / size * AIM_EPISODES,
        "kb_an_episode": written / size / 1000,
        "before_mb": before,
        "peak_mb": max(peak_mb(), peak_mb(resource.RUSAGE_CHILDREN)),
    }


def steps(doctor: str, episodes: int, root: str) -> dict[str, Any]:
    """Milliseconds of the processor an episode, step by step."""
    plan, sweep = plan_of((doctor,), episodes)
    cast = cast_of(plan)
    spent = dict.fromkeys(STEPS, 0.0)
    folder = Path(root) / f"steps-{doctor}"
    with open_store(sweep, folder) as store:
        for n, planned in enumerate(sweep.episodes):
            if n == len(sweep.cases):
                spent = dict.fromkeys(STEPS, 0.0)  # each case was compiled once
            case = sweep.cases[planned.case][1]
            consultation = Consultation(case, seed=planned.seed, limits=plan.limits)
            marks = [time.process_time()]
            drive(lambda c=consultation: play(c, make_doctor(doctor)))  # type: ignore[misc]
            episode = consultation.episode()
            marks.append(time.process_time())
            card = drive(lambda c=case, e=episode: cast.judge.judge(c, e))  # type: ignore[misc]
            marks.append(time.process_time())
            data = line_data(Outcome(episode, card, doctor, at=planned.at))
            line = line_of(planned.key, data)
            marks.append(time.process_time())
            row = row_of(planned.key, data, compile_case(case))
            marks.append(time.process_time())
            store.add(planned.key, planned.at, line, row)
            marks.append(time.process_time())
            for step, start, end in zip(STEPS, marks, marks[1:], strict=False):
                spent[step] += end - start
        store.close()
    shutil.rmtree(folder)
    measured = max(1, sweep.size - len(sweep.cases))
    return {"doctor": doctor, **{step: total / measured * 1000 for step, total in spent.items()}}


def write_many(lines: int, root: str) -> dict[str, Any]:
    """A run of many lines, added as a run adds them."""
    _, few = plan_of(("guess",), 1)
    model = Path(root) / "model"
    run_sweep(few, cast_of(few.plan), open_store(few, model))
    table = RunTable.read(model)
    _, sweep = plan_of(("guess",), lines)
    templates = []
    for n in range(len(few.cases)):
        data = table.episode(n)
        key, at = data.pop("key"), data["at"]
        templates.append((data, row_of(key, data, compile_case(sweep.cases[at][1]))))

    def write() -> None:
        with open_store(sweep, Path(root) / "many") as store:
            for planned in sweep.episodes:
                data, row = templates[planned.case]
                line = line_of(planned.key, {**data, "at": planned.at})
                store.add(planned.key, planned.at, line, {**row, "key": planned.key, "at": planned.at})
            store.close()

    _, wall, cpu = timed(write)
    size = sum((Path(root) / "many" / n).stat().st_size for n in ("episodes.jsonl", "index.jsonl"))
    return {"what": "add lines and close", "lines": sweep.size, "wall_s": wall, "cpu_s": cpu, "peak_mb": peak_mb(),
            "note": f"{wall / sweep.size * 1e6:.0f} µs a line, {size / 1e6:.0f} MB on disk"}  # fmt: skip


def open_many(lines: int, root: str, lose_index: bool) -> dict[str, Any]:
    """What `resume` does before it plays and after."""
    if lose_index:
        (Path(root) / "many" / "index.jsonl").unlink()
    _, sweep = plan_of(("guess",), lines)

    def go_on() -> tuple[int, int]:
        with open_store(sweep, Path(root) / "many") as store:
            done = account(sweep, store).completed, len(owed(sweep, store))
            store.close()
            return done

    (completed, left), wall, cpu = timed(go_on)
    assert (completed, left) == (sweep.size, 0)
    what = "open it, its index lost" if lose_index else "open it, as resume does"
    return {"what": what, "lines": sweep.size, "wall_s": wall, "cpu_s": cpu, "peak_mb": peak_mb(),
            "note": "" if lose_index else "aim: under 10 s"}  # fmt: skip


def read_table(lines: int, root: str) -> dict[str, Any]:
    """`RunTable.read`, which every report begins with."""
    table, wall, cpu = timed(lambda: RunTable.read(Path(root) / "many"))
    assert len(table) >= lines
    return {
        "what": "read its table",
        "lines": len(table),
        "wall_s": wall,
        "cpu_s": cpu,
        "peak_mb": peak_mb(),
        "note": "",
    }


def report(lines: int, root: str) -> dict[str, Any] | None:
    """`clinic-sim report`, as a process of its own; None where there is no such command."""
    if importlib.util.find_spec("clinic_sim.commands.report") is None:
        return None
    command = [sys.executable, "-m", "clinic_sim", "report", str(Path(root) / "many")]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    wall = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"report failed: {done.stderr[-2000:]}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"what": "clinic-sim report", "lines": lines, "wall_s": wall, "cpu_s": used.ru_utime + used.ru_stime,
            "peak_mb": peak_mb(resource.RUSAGE_CHILDREN), "note": "aim: under 60 s and 1000 MB"}  # fmt: skip


def alone(act: Callable[..., Any], *args: Any) -> Any:
    """The result of a function that has a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(act, *args).result()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--episodes", type=int, default=1000, help="of each doctor; ten times as many for memory and processes"
    )
    parser.add_argument("--lines", type=int, default=100_000, help="of the run that is opened and read")
    parser.add_argument("--resume", action="store_true", help="also write and open a run of many lines")
    parser.add_argument("--report", action="store_true", help="also read it, as reports do")
    parser.add_argument("--only", choices=["speed", "processes", "steps", "memory", "large"], help="only these figures")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    args = parser.parse_args()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="clinic-sim-bench-") as root:
        if args.only in (None, "speed"):
            found["speed"] = [alone(speed, d, args.episodes, root) for d in (*((d,) for d in DOCTORS), MIX)]
        if args.only in (None, "processes"):
            # More episodes, for the start not to be all that is seen.
            found["processes"] = [alone(speed, MIX, 10 * args.episodes, root, n) for n in (0, 1, 2)]
        if args.only in (None, "steps"):
            found["steps"] = [alone(steps, d, min(args.episodes, 480), root) for d in DOCTORS]
        if args.only in (None, "memory"):
            found["memory"] = [alone(speed, ("silent",), n, root) for n in (args.episodes, args.episodes * 10)]
        if args.resume or args.report or args.only == "large":
            found["large"] = [alone(write_many, args.lines, root)]
            if args.resume or args.only == "large":
                found["large"] += [alone(open_many, args.lines, root, lose) for lose in (False, True)]
            if args.report or args.only == "large":
                found["large"] += [alone(read_table, args.lines, root), alone(report, args.lines, root)]
            found["large"] = [row for row in found["large"] if row]
    show(found, as_json=args.json)


def show(found: dict[str, Any], *, as_json: bool) -> None:
    """Print the figures."""
    if as_json:
        print(json.dumps({"cpus": os.cpu_count(), **found}, indent=1))
        return
    speeds = ("doctors", "workers", "episodes", "per_s", "per_cpu_s", "for_10000_cpu_s", "kb_an_episode", "peak_mb")
    tables: tuple[tuple[str, str, tuple[str, ...], int], ...] = (
        ("speed", "Offline sweeps, one process", speeds, 1),
        ("processes", "Offline sweeps, one process and the engine of several", speeds, 1),
        ("memory", "Memory", speeds, 1),
        ("steps", "Milliseconds of the processor an episode", ("doctor", *STEPS), 3),
        ("large", "A run of many lines", ("what", "lines", "wall_s", "cpu_s", "peak_mb", "note"), 1),
    )
    for name, title, columns, digits in tables:
        if name in found:
            print_table(title, columns, [cells(row, columns, digits) for row in found[name]])


def cells(row: dict[str, Any], columns: tuple[str, ...], digits: int) -> list[str]:
    """One row as text."""
    return [f"{row[c]:.{digits}f}" if isinstance(row[c], float) else str(row[c]) for c in columns]


if __name__ == "__main__":
    main()
