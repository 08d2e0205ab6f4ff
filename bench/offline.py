"""Speed and memory of the offline clinic, on one core, as tables.

    python bench/offline.py [--episodes 200] [--live 10000] [--json]

Steps are taken through `gymnasium.make`, with the `checklist` doctor's actions, over all cases of a pack. Beside them
stands a bare Gymnasium text environment, measured in the same run, as the ceiling of what any environment can reach.
Three rates are given: the doctor's actions as they come (a policy repeats itself, and readings are cached), utterances
that never occurred before (each carries its own number, so no cache helps), and the bare environment.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import gymnasium

import clinic_sim
from clinic_sim.cases.packs import load_pack
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.clinic.driving import drive
from clinic_sim.doctors import make_doctor
from clinic_sim.envs.spaces import Unicode
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.sweeps.runner import play

REPEATS = 5


class Bare(gymnasium.Env[str, str]):
    """An environment of text that does nothing: the ceiling."""

    def __init__(self) -> None:
        self.action_space = self.observation_space = Unicode()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        super().reset(seed=seed)
        return "", {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        return "", 0.0, False, False, {}


def recorded_actions(pack: str) -> dict[str, list[Any]]:
    """The checklist doctor's actions on every case."""
    actions = {}
    for case in load_pack(pack).cases:
        consultation = Consultation(case)
        drive(lambda c=consultation: play(c, make_doctor("checklist")))  # type: ignore[misc]
        actions[case.id] = consultation.episode().actions
    return actions


def stepping(pack: str, actions: dict[str, list[Any]], episodes: int, *, fresh: bool) -> tuple[int, float]:
    """Steps taken and seconds they took; resets and the final score are inside."""
    env = gymnasium.make(clinic_sim.ENV_ID, scenarios=pack)
    ids = list(actions)
    scripts = []
    for n in range(episodes):
        acts = actions[ids[n % len(ids)]]
        if fresh:
            acts = [_marked(a, f"{n}-{m}-{time.monotonic_ns()}") for m, a in enumerate(acts)]
        scripts.append((ids[n % len(ids)], acts))
    steps = 0
    start = time.perf_counter()
    for case, acts in scripts:
        env.reset(seed=0, options={"case": case})
        for action in acts:
            _, _, terminated, truncated, _ = env.step(action)
            steps += 1
            if terminated or truncated:
                break
    return steps, time.perf_counter() - start


def _marked(action: Any, mark: str) -> Any:
    """The same action with words that no cache has seen."""
    from clinic_sim.clinic.actions import Ask, Order

    if isinstance(action, Ask):
        return Ask(f"{action.text} ({mark})")
    if isinstance(action, Order):
        return Order((*action.exams, f"({mark})"))
    return action


def bare(steps: int) -> float:
    """Seconds for as many steps of the bare environment."""
    gymnasium.register("bench/Bare-v0", entry_point=Bare, disable_env_checker=True)
    env = gymnasium.make("bench/Bare-v0")
    env.reset()
    start = time.perf_counter()
    for _ in range(steps):
        env.step("x")
    seconds = time.perf_counter() - start
    del gymnasium.registry["bench/Bare-v0"]
    return seconds


def median_rate(measure: Callable[[], tuple[int, float]]) -> tuple[float, float, float]:
    """Median, least and most steps a second over the repeats."""
    rates = []
    for _ in range(REPEATS):
        steps, seconds = measure()
        rates.append(steps / seconds)
    return statistics.median(rates), min(rates), max(rates)


def memory_of_live(pack: str, count: int, turns: int) -> dict[str, float]:
    """Resident memory of `count` live episodes, each `turns` turns in."""
    cases = load_pack(pack).cases
    doctor = make_doctor("checklist")
    consultation = Consultation(cases[0])
    drive(lambda: play(consultation, doctor))
    actions = consultation.episode().actions[:turns]
    gc.collect()
    before = _resident()
    live = []
    for n in range(count):
        one = Consultation(cases[n % len(cases)], seed=n)
        for action in actions:
            one.act_sync(action)
        live.append(one)
    gc.collect()
    after = _resident()
    return {"episodes": len(live), "kb_per_episode": (after - before) / 1024 / count, "resident_mb": after / 2**20}


def _resident() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * 4096


def scoring(pack: str, actions: dict[str, list[Any]], times: int) -> float:
    """Milliseconds to score one finished episode."""
    judge = RubricJudge(load_rubric("clinic"))
    finished = []
    for case in load_pack(pack).cases:
        consultation = Consultation(case)
        for action in actions[case.id]:
            if not consultation.ended:
                consultation.act_sync(action)
        finished.append((case, consultation.episode()))
        judge.score(*finished[-1])
    start = time.perf_counter()
    for n in range(times):
        judge.score(*finished[n % len(finished)])
    return (time.perf_counter() - start) / times * 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--live", type=int, default=10_000)
    parser.add_argument("--turns", type=int, default=10, help="turns of each live episode")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    result: dict[str, Any] = {"python": sys.version.split()[0], "gymnasium": gymnasium.__version__, "packs": {}}
    for pack in ("core-en", "core-zh"):
        actions = recorded_actions(pack)
        stepping(pack, actions, 8, fresh=False)
        as_is = median_rate(lambda p=pack, a=actions: stepping(p, a, args.episodes, fresh=False))  # type: ignore[misc]
        fresh = median_rate(lambda p=pack, a=actions: stepping(p, a, args.episodes, fresh=True))  # type: ignore[misc]
        result["packs"][pack] = {
            "steps_per_s": as_is,
            "steps_per_s_unseen_words": fresh,
            "score_ms": scoring(pack, actions, 400),
        }
    ceiling = median_rate(lambda: (200_000, bare(200_000)))
    result["bare_steps_per_s"] = ceiling
    # A fresh process: memory freed by the runs above would hide what the live episodes take.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        result["memory"] = pool.submit(memory_of_live, "core-en", args.live, args.turns).result()
    if args.json:
        print(json.dumps(result))
        return
    print(
        f"Python {result['python']}, Gymnasium {result['gymnasium']}, one core; median (least to most) of {REPEATS}\n"
    )
    print(f"{'':<34}{'steps a second':>28}{'of bare':>10}")
    for pack, row in result["packs"].items():
        for label, key in (("checklist", "steps_per_s"), ("checklist, unseen words", "steps_per_s_unseen_words")):
            median, least, most = row[key]
            rate = f"{median:,.0f} ({least:,.0f} to {most:,.0f})"
            print(f"{pack + ' ' + label:<34}{rate:>28}{median / ceiling[0]:>10.2%}")
    print(f"{'bare Gymnasium text environment':<34}{f'{ceiling[0]:,.0f}':>28}{1:>10.0%}\n")
    for pack, row in result["packs"].items():
        print(f"{pack}: scoring one episode {row['score_ms']:.3f} ms")
    memory = result["memory"]
    print(
        f"{memory['episodes']:,} live episodes of {args.turns} turns in one process: "
        f"{memory['kb_per_episode']:.1f} KB each, {memory['resident_mb']:.0f} MB resident in all"
    )


if __name__ == "__main__":
    main()
