"""What scoring one episode offline takes, on one core, with terminologies loaded.

    python bench/judge.py [--packs core-en core-zh] [--cases FOLDER ...] [--run RUN ...] [--profile] [--json]

Real episodes: every baseline on every case of the packs, and, where a run's folder is named, its episodes with the
cases of its own packs (replayed dialogues of real models are such a run). Five ways are timed, episode by episode:

    cold        the first episode of a fresh process: terminologies are loaded on the way
    first       the first episode of a case: compiling it and expanding the rubric are inside
    all new     the case is known and no word that the doctor said is: every question and every item of the conclusion
                carries its own mark, so that no cache of texts helps; a stored episode that is scored again
    concluded   the questions are known and the conclusion is not: an episode that was just played here, where the
                patient has read the questions
    seen        the same episode again

An episode's time is the median over the rounds, in processor time; the table gives median, 95th percentile and worst
over the episodes, and what the worst one is.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import json
import pstats
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from clinic_sim.cases.case import Case
from clinic_sim.cases.compiled import compile_case
from clinic_sim.cases.packs import load_pack
from clinic_sim.clinic.actions import Action, Ask, Conclude, Order
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.clinic.driving import drive
from clinic_sim.clinic.episode import Episode
from clinic_sim.clinic.events import DoctorActed, Ended, Opened, TerminationReason
from clinic_sim.doctors import BASELINES, make_doctor
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.sweeps.lines import decoded
from clinic_sim.sweeps.manifest import read_manifest
from clinic_sim.sweeps.runner import play

RUBRICS = ("clinic", "mvme")
AIM_MS = 1.0
WAYS = ("first", "all new", "concluded", "seen")


@dataclass(frozen=True, slots=True)
class Item:
    """An episode to score."""

    name: str
    """Doctor and case."""
    case: Case
    episode: Episode


def played(pack: str) -> list[Item]:
    """Every baseline's episode on every case of a pack."""
    items = []
    for case in load_pack(pack).cases:
        for name in BASELINES:
            consultation = Consultation(case, seed=1)
            drive(lambda c=consultation, n=name: play(c, make_doctor(n)))  # type: ignore[misc]
            items.append(Item(f"{name} {case.id}", case, consultation.episode()))
    return items


def recorded(run: Path, most: int) -> list[Item]:
    """Episodes of a run, evenly taken from all of it."""
    cases = {
        case.id: case for source in read_manifest(run)["plan"]["scenarios"] for case in load_pack(source["pack"]).cases
    }
    lines = (run / "episodes.jsonl").read_bytes().splitlines(keepends=True)
    items = []
    for line in lines[:: max(1, len(lines) // most)][:most]:
        data = decoded(line)
        episode = Episode.from_dict(data["episode"])
        items.append(Item(f"{data['doctor']} {episode.case}", cases[episode.case], episode))
    return items


def marked(episode: Episode, mark: str, *, asked: bool = True) -> Episode:
    """The same episode with words that nobody has read before: the conclusion's, and the questions' where asked."""

    def new(action: Action, at: int) -> Action:
        def each(items: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(f"{item} [{mark}-{n}]" for n, item in enumerate(items))

        if isinstance(action, Ask):
            return Ask(f"{action.text} ({mark}-{at})") if asked else action
        if not isinstance(action, Conclude):
            return action
        return Conclude(
            f"{action.diagnosis} [{mark}]", each(action.differential), each(action.basis), each(action.treatment)
        )

    events = tuple(replace(e, action=new(e.action, e.n)) if isinstance(e, DoctorActed) else e for e in episode.events)
    return replace(episode, events=events)


def timed(judge: RubricJudge, case: Case, episode: Episode) -> float:
    """Milliseconds of processor time to score an episode once: nothing waits, and other processes do not count."""
    start = time.thread_time_ns()
    judge.score(case, episode)
    return (time.thread_time_ns() - start) / 1e6


Times = list[tuple[float, str]]


def measure(items: list[Item], rubric: str, rounds: int) -> dict[str, Times]:
    """Way to milliseconds and name, one an episode (for `first`, one a case)."""
    judge = RubricJudge(load_rubric(rubric))
    for item in items[:3]:  # terminologies: words of these few are not new below, their marks are
        judge.score(item.case, item.episode)
    found: dict[str, Times] = {way: [] for way in WAYS}
    for item in {item.case.id: item for item in items}.values():
        case, episode = item.case, item.episode
        times = []
        for n in range(rounds):
            twin = case.model_copy(update={"id": f"{case.id}-{rubric}-{n}"})  # nobody has met this one
            fresh = replace(marked(episode, f"f{n}"), case=twin.id, case_hash=twin.content_hash)
            times.append(timed(judge, twin, fresh))
        found["first"].append((statistics.median(times), item.name))
    for item in items:
        compile_case(item.case)
        judge.score(item.case, item.episode)
    gc.collect()
    for k, item in enumerate(items):
        for way, episodes in (
            ("all new", [marked(item.episode, f"{rubric}{k}a{n}") for n in range(rounds)]),
            ("concluded", [marked(item.episode, f"{rubric}{k}c{n}", asked=False) for n in range(rounds)]),
            ("seen", [item.episode] * rounds),
        ):
            ms = statistics.median(timed(judge, item.case, episode) for episode in episodes)
            found[way].append((ms, item.name))
    return found


def cold(pack: str, rubric: str) -> float:
    """Milliseconds for the first score of this process, which must be a fresh one: imports are not inside."""
    case = load_pack(pack).cases[0]
    name = case.diagnosis.primary.name if case.diagnosis else "pneumonia"
    plan = tuple(t.name for t in case.treatment) or ("rest",)
    events = (
        Opened(0, case.chief_complaint),
        DoctorActed(1, Order(tuple(e.name or e.code for e in case.exams[:3]))),
        DoctorActed(2, Conclude(name, (), (case.facts[0].statement,), plan)),
        Ended(3, TerminationReason.CONCLUDED),
    )
    episode = Episode(case.id, case.content_hash, case.language, 0, "bench", {}, events)
    return timed(RubricJudge(load_rubric(rubric)), case, episode)


def summary(found: Times) -> dict[str, float | int | str]:
    """Median, 95th percentile and worst."""
    ordered = sorted(ms for ms, _ in found)
    return {
        "n": len(ordered),
        "median_ms": statistics.median(ordered),
        "p95_ms": ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))],
        "worst_ms": ordered[-1],
        "worst": max(found)[1],
        "under_aim": sum(t < AIM_MS for t in ordered) / len(ordered),
    }


def in_fresh_process(work: Callable[..., float], *args: Any) -> float:
    """The result of a function in a new interpreter."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *args).result()


def profile(items: Iterable[Item], rubric: str) -> str:
    """Where the time of new words goes."""
    judge = RubricJudge(load_rubric(rubric))
    work = [(item.case, marked(item.episode, f"p{k}")) for k, item in enumerate(items)]
    for item in items:
        judge.score(item.case, item.episode)
    profiler = cProfile.Profile()
    profiler.enable()
    for case, episode in work:
        judge.score(case, episode)
    profiler.disable()
    import io

    out = io.StringIO()
    pstats.Stats(profiler, stream=out).sort_stats("tottime").print_stats(25)
    pstats.Stats(profiler, stream=out).sort_stats("cumulative").print_stats(35)
    return out.getvalue()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packs", nargs="*", default=["core-en", "core-zh"])
    parser.add_argument("--cases", nargs="*", default=[], metavar="FOLDER", help="further packs, such as imported ones")
    parser.add_argument("--run", nargs="*", default=[], type=Path, metavar="RUN", help="folders of runs to take from")
    parser.add_argument("--most", type=int, default=200, help="at most so many episodes of a run")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--profile", action="store_true", help="print where the time goes instead")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    groups = {Path(pack).name: played(pack) for pack in (*args.packs, *args.cases)}
    groups |= {run.name: recorded(run, args.most) for run in args.run}
    if args.profile:
        print(profile([item for items in groups.values() for item in items], RUBRICS[0]))
        return
    result: dict[str, Any] = {"python": sys.version.split()[0], "aim_ms": AIM_MS, "rounds": args.rounds, "cold_ms": {}}
    for pack in args.packs:
        result["cold_ms"][pack] = in_fresh_process(cold, pack, RUBRICS[0])
    result["rubrics"] = {
        rubric: {
            name: {way: summary(times) for way, times in measure(items, rubric, args.rounds).items()}
            for name, items in groups.items()
        }
        for rubric in RUBRICS
    }
    if args.json:
        print(json.dumps(result))
        return
    print(f"Python {result['python']}, one core; milliseconds of processor time, median of {args.rounds} rounds each")
    for pack, ms in result["cold_ms"].items():
        print(f"{pack}: first episode of a fresh process {ms:,.0f} ms, terminologies loaded on the way")
    print(
        f"\n{'rubric':<8}{'episodes of':<24}{'way':<12}{'n':>5}{'median':>9}{'p95':>9}{'worst':>9}{'< 1 ms':>8}  worst"
    )
    for rubric, rows in result["rubrics"].items():
        for name, ways in rows.items():
            for way, row in ways.items():
                print(
                    f"{rubric:<8}{name:<24}{way:<12}{row['n']:>5}{row['median_ms']:>9.3f}{row['p95_ms']:>9.3f}"
                    f"{row['worst_ms']:>9.3f}{row['under_aim']:>8.0%}  {row['worst']}"
                )


if __name__ == "__main__":
    main()
