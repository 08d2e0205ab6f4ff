#!/usr/bin/env python3
"""What the harness costs beside the models: whole consultations with a model as doctor, patient and judge.

The mock endpoint answers after a fixed latency, so the ideal is known: calls in a row x latency x rounds of episodes.
In the same run stand a bare aiohttp loop with the same requests (the practical limit) and the official OpenAI SDK where
it is installed. Each row is a process of its own; the row of the `processes` engine has workers besides, whose start
and first episodes are outside the clock as those of the other rows are. Its processor time and its memory are summed
over all its processes (pages that they share count once in each).

    python bench/llm_overhead.py [--episodes N] [--concurrency C] [--latency-ms L] [--faults] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from mock_server import MockServer
from start import compile_package

ROWS = ((64, 16), (256, 64), (256, 256))
"""Episodes and concurrency of the published table."""
CONCLUDE_AT = 9
"""Eight questions, each answered, then the conclusion; then the judge."""
CALLS = 2 * CONCLUDE_AT
FAULTS = {"p500": 0.05, "p429": 0.05, "pmal": 0.02, "phang": 0.01}
WORKERS = 2
CREW = f"clinic_sim, {WORKERS} processes"
SUBJECTS = ("clinic_sim", CREW, "bare aiohttp", "bare openai SDK")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int)
    parser.add_argument("--concurrency", type=int)
    parser.add_argument("--latency-ms", type=float, default=50.0)
    parser.add_argument("--faults", action="store_true", help="the fault mix: 32 episodes, 16 at once, 5 s attempts")
    parser.add_argument("--subject", choices=SUBJECTS, help="only this row")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        print(json.dumps(_work(json.loads(args.worker))))
        return 0
    if args.faults:
        return _faults(args)
    sizes = (
        ROWS if args.episodes is None and args.concurrency is None else ((args.episodes or 64, args.concurrency or 16),)
    )
    compile_package()  # `start` is that of an installed package
    found = []
    for subject in SUBJECTS if args.subject is None else (args.subject,):
        for episodes, concurrency in sizes:
            row = _measure(subject, episodes, concurrency, args.latency_ms)
            found.append(row)
            if not args.json:
                _print(row)
    if args.json:
        print(json.dumps(found, indent=1))
    return 0 if all(r.get("skipped") or r["completed"] == r["episodes"] for r in found) else 1


def _measure(subject: str, episodes: int, concurrency: int, latency_ms: float) -> dict[str, Any]:
    """One row: a worker process against a mock of its own."""
    with MockServer(latency_ms=latency_ms, conclude_at=CONCLUDE_AT) as server:
        request = {"subject": subject, "url": server.url, "episodes": episodes, "concurrency": concurrency}
        done = subprocess.run(
            [sys.executable, __file__, "--worker", json.dumps(request)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{subject}: the worker failed:\n{done.stderr[-3000:]}")
        row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        stats = server.stats()
    calls = stats["requests"] - row.pop("warm_calls", 0)
    ideal = CALLS * latency_ms / 1000 * math.ceil(episodes / concurrency)
    row |= {"subject": subject, "episodes": episodes, "concurrency": concurrency, "latency_ms": latency_ms}
    if row.get("skipped"):
        return row
    row |= {
        "ratio": row["wall_s"] / ideal,
        "cpu_ms_a_call": 1000 * row["cpu_s"] / calls,
        "calls_an_episode": calls / episodes,
        "prompt_tokens_an_episode": stats["prompt_tokens"] / (episodes + row["warm_episodes"]),
        "prefix_share": stats["prefix_share"],
        "prefix_share_from_turn_3": stats["prefix_share_from_3"],
        "prefix_by_role": stats["prefix_by_role"],
    }
    return row


def _print(row: dict[str, Any]) -> None:
    if row.get("skipped"):
        print(f"{row['subject']}: {row['skipped']}")
        return
    print(
        f"{row['subject']:<23} C={row['concurrency']:<4} {row['episodes']} episodes: {row['wall_s']:.2f} s = "
        f"{row['ratio']:.2f} x ideal; {row['cpu_ms_a_call']:.2f} ms processor a call; "
        f"{row['base_mb']:.0f} MB base, {row['mb_a_live_episode']:.3f} a live episode; start {row['start_s']:.2f} s; "
        f"{row['calls_an_episode']:.1f} calls, {row['prompt_tokens_an_episode']:.0f} prompt tokens an episode; "
        f"prefix from turn 3 {row['prefix_share_from_turn_3']:.3f}",
        flush=True,
    )


def _faults(args: argparse.Namespace) -> int:
    """The fault mix: everything must finish, nothing twice."""
    with MockServer(
        latency_ms=args.latency_ms, conclude_at=CONCLUDE_AT, hang_s=60, retry_after_s=1, **FAULTS
    ) as server:
        request = {
            "subject": "clinic_sim",
            "url": server.url,
            "episodes": args.episodes or 32,
            "concurrency": args.concurrency or 16,
            "options": "attempt_s=5",
            "warm": False,
        }
        done = subprocess.run(
            [sys.executable, __file__, "--worker", json.dumps(request)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"the worker failed:\n{done.stderr[-3000:]}")
        row = json.loads(done.stdout.splitlines()[-1])
        row["faults"] = server.stats()["faults"]
    row |= {"episodes": request["episodes"]}
    if args.json:
        print(json.dumps(row, indent=1))
    else:
        print(
            f"faults {row['faults']}: {row['completed']} of {row['episodes']} episodes completed and "
            f"{row['scored']} scored in {row['wall_s']:.1f} s; {row['doubled']} doubled"
        )
    return 0 if row["completed"] == row["episodes"] and not row["doubled"] else 1


# The worker: one row, in a process of its own.


def _work(request: dict[str, Any]) -> dict[str, Any]:
    began = time.perf_counter()
    make = dict(zip(SUBJECTS, (_clinic, _processes, _aiohttp, _sdk), strict=True))[request["subject"]]
    factory = None
    if make in (_clinic, _processes):
        from clinic_sim.clinic.driving import new_loop as factory  # the loop that the command runs on
    try:
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(make(request, began))
    except ImportError as exc:
        return {"skipped": f"not installed: {exc.name}"}


async def _clinic(request: dict[str, Any], began: float) -> dict[str, Any]:
    from clinic_sim.cases.packs import load_pack
    from clinic_sim.clinic.staffing import StaffPlan
    from clinic_sim.judge.rubric import load_rubric
    from clinic_sim.sweeps.cast import make_cast
    from clinic_sim.sweeps.journal import Journal
    from clinic_sim.sweeps.local import run_batch
    from clinic_sim.sweeps.outcome import Outcome, Setup

    model = f"openai/mock?base_url={request['url']}"
    if request.get("options"):
        model += f"&{request['options']}"
    cast = make_cast([model], [StaffPlan(patient=model)], load_rubric("clinic-language"), model)
    cases = load_pack("core-en").cases
    folder = tempfile.TemporaryDirectory()
    seat, staff = cast.doctors[0], cast.staffs[0]
    start_s = time.perf_counter() - began
    outcomes: dict[str, list[Outcome]] = {}

    async def run(count: int, concurrency: int, first: int) -> None:
        setups = [Setup(f"{first + n}", cases[n % len(cases)], seat.make, first + n, staff) for n in range(count)]
        await run_batch(
            setups,
            cast.judge,
            lambda at, outcome: outcomes.setdefault(setups[at].name, []).append(outcome),
            concurrency=concurrency,
            # As the command does: every reply is on disk as it arrives.
            journal=lambda setup: Journal(Path(folder.name) / "journal" / f"{setup.name}.jsonl"),
        )

    row = await _timed(request, run, warm=len(cases))
    await cast.aclose()
    folder.cleanup()
    own = [o for name, found in outcomes.items() if int(name) >= 0 for o in found]
    return row | {
        "start_s": start_s,
        "completed": sum(not o.failure for o in own),
        "scored": sum(o.scorecard.total is not None for o in own),
        "doubled": sum(len(found) > 1 for found in outcomes.values()),
        "fallbacks": sum(getattr(e, "by", "") == "fallback" for o in own for e in o.episode.events),
        "failures": sorted({o.failure for o in own if o.failure})[:5],
    }


async def _processes(request: dict[str, Any], began: float) -> dict[str, Any]:
    from llm_processes import crew

    return await crew(request, began, WORKERS, _timed)


async def _timed(
    request: dict[str, Any], run: Callable[[int, int, int], Awaitable[None]], warm: int, pids: Sequence[int] = ()
) -> dict[str, Any]:
    """Run once to load what is loaded once, then for the clock.

    Args:
        pids: Processes beside this one whose processor time and memory count.
    """
    warm = warm if request.get("warm", True) else 0
    if warm:
        await run(warm, warm, -warm)
    pids = (os.getpid(), *pids)
    base = _resident_mb(pids)
    peak = _Peak(pids)
    cpu, wall = _cpu(pids), time.perf_counter()
    await run(request["episodes"], request["concurrency"], 0)
    wall, cpu = time.perf_counter() - wall, _cpu(pids) - cpu
    return {
        "wall_s": wall,
        "cpu_s": cpu,
        "base_mb": base,
        "mb_a_live_episode": (peak.stop() - base) / min(request["episodes"], request["concurrency"]),
        "warm_episodes": warm,
        "warm_calls": warm * CALLS,
    }


async def _aiohttp(request: dict[str, Any], began: float) -> dict[str, Any]:
    import aiohttp

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def call(messages: list[dict[str, Any]]) -> str:
            body = {"model": "mock", "messages": messages}
            async with session.post(request["url"] + "/chat/completions", json=body) as answer:
                text: str = (await answer.json())["choices"][0]["message"]["content"]
                return text

        return await _bare(request, call, began)


async def _sdk(request: dict[str, Any], began: float) -> dict[str, Any]:
    import openai

    client = openai.AsyncOpenAI(api_key="none", base_url=request["url"], max_retries=0)

    async def call(messages: list[Any]) -> str:
        answer = await client.chat.completions.create(model="mock", messages=messages)
        return answer.choices[0].message.content or ""

    row = await _bare(request, call, began)
    await client.close()
    return row


async def _bare(
    request: dict[str, Any], call: Callable[[list[dict[str, Any]]], Awaitable[str]], began: float
) -> dict[str, Any]:
    """The same number of calls in a row with prompts of the same size, and nothing else."""
    start_s = time.perf_counter() - began
    finished = 0

    async def episode(n: int) -> None:
        nonlocal finished
        doctor = [{"role": "system", "content": "ROLE: DOCTOR\n" + "Consult. " * 150}]
        patient = [{"role": "system", "content": "ROLE: PATIENT\n- f1 | pain | It hurts.\n" + f"Case {n}. " * 400}]
        for _ in range(CONCLUDE_AT - 1):
            said = await call(doctor)
            doctor.append({"role": "assistant", "content": said})
            patient.append({"role": "user", "content": said})
            answer = await call(patient)
            patient.append({"role": "assistant", "content": answer})
            doctor.append({"role": "user", "content": answer})
        await call(doctor)
        talk = "\n".join(m["content"] for m in doctor)
        await call([{"role": "system", "content": "ROLE: JUDGE\n- [k1] Clear?"}, {"role": "user", "content": talk}])
        finished += 1

    async def run(count: int, concurrency: int, first: int) -> None:
        gate = asyncio.Semaphore(concurrency)

        async def one(n: int) -> None:
            async with gate:
                await episode(first + n)

        await asyncio.gather(*(one(n) for n in range(count)))

    row = await _timed(request, run, warm=8)
    return row | {"start_s": start_s, "completed": finished - row["warm_episodes"]}


def _cpu(pids: Sequence[int]) -> float:
    """Seconds of the processor that processes which live have used so far."""
    ticks = 0
    for pid in pids:
        used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        ticks += sum(map(int, used))
    return ticks / os.sysconf("SC_CLK_TCK")


def _resident_mb(pids: Sequence[int]) -> float:
    """What they have in memory together; pages that they share count once in each."""
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class _Peak:
    """The highest resident size while it runs."""

    def __init__(self, pids: Sequence[int]) -> None:
        self._pids = pids
        self._peak = _resident_mb(pids)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            self._peak = max(self._peak, _resident_mb(self._pids))

    def stop(self) -> float:
        """The peak, in MB."""
        self._over.set()
        self._thread.join()
        return self._peak


if __name__ == "__main__":
    sys.exit(main())
