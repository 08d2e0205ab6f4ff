#!/usr/bin/env python3
"""What a sweep survives: bad servers, kills, a full disk, a second process, dead workers; as a table.

    python bench/faults.py [--kills 20] [--seed 1] [--only NAME] [--json]

Each row carries out a real run with the real command, disturbs it, goes on to the end, and holds it to: planned =
completed + failed + skipped, no key twice, no episode lost, and for offline plans the bytes of an undisturbed run. For
runs with models it counts the requests that the mock server got and nobody has on record: those in flight at a kill.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mock_server import MockServer

from clinic_sim.commands.console import print_table

COLUMNS = (
    "fault",
    "planned",
    "completed",
    "failed",
    "skipped",
    "twice",
    "same bytes",
    "asked",
    "on record",
    "s",
    "ok",
    "note",
)
OFFLINE: dict[str, Any] = {
    "scenarios": ["core-en", "core-zh"],
    "doctors": ["guess", "silent"],
    "seeds": list(range(20)),
}
"""640 episodes, some seconds."""


@dataclass(slots=True)
class Run:
    """One run's folder, and the commands on it."""

    root: Path
    plan: dict[str, Any]
    name: str = "run"
    begun: float = field(default_factory=time.perf_counter)

    @property
    def folder(self) -> Path:
        return self.root / self.name

    def command(self) -> list[str]:
        """Begin, or go on: the plan's own command does both."""
        path = self.root / "plan.yaml"
        path.write_text(json.dumps(self.plan))
        return [sys.executable, "-m", "clinic_sim", "sweep", str(path), "--out", str(self.folder), "--json", "-q"]

    def finish(self, *more: str) -> tuple[int, dict[str, Any], str]:
        """Carry it out; exit code, what it says of itself, and errors."""
        done = subprocess.run([*self.command(), *more], capture_output=True, text=True, timeout=900)
        return done.returncode, json.loads(done.stdout) if done.stdout.startswith("{") else {}, done.stderr

    def start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def written(self) -> int:
        """Bytes on disk."""
        total = 0
        for path in self.folder.rglob("*.jsonl"):
            try:
                total += path.stat().st_size
            except FileNotFoundError:
                continue  # a journal whose episode was finished
        return total

    def digest(self) -> str:
        return hashlib.sha256((self.folder / "episodes.jsonl").read_bytes()).hexdigest()

    def keys(self) -> list[str]:
        return [json.loads(line)["key"] for line in (self.folder / "episodes.jsonl").read_bytes().splitlines()]

    def on_record(self) -> set[tuple[str, str, int]]:
        """Replies that are on record: episode, role, number."""
        found = set()
        for path in (self.folder / "calls.jsonl", *(self.folder / "journal").glob("*.jsonl")):
            for line in path.read_bytes().splitlines(keepends=True) if path.exists() else ():
                if line.endswith(b"\n"):
                    entry = json.loads(line)
                    if "reply" in entry:
                        found.add((entry.get("episode", path.stem), entry["role"], entry["n"]))
        return found


def row(fault: str, run: Run, told: dict[str, Any], *, undisturbed: Run | None = None, good: bool = True,
        asked: int | None = None, note: str = "") -> dict[str, Any]:  # fmt: skip
    """What came of a run, checked."""
    keys = run.keys()
    failed = sum(told["failed"].values())
    same = None if undisturbed is None else run.digest() == undisturbed.digest()
    ok = good and told["planned"] == told["completed"] + failed + told["skipped"] and told["completed"] == len(keys)
    return {
        "fault": fault, "planned": told["planned"], "completed": told["completed"], "failed": failed,
        "skipped": told["skipped"], "twice": len(keys) - len(set(keys)),
        "same bytes": "–" if same is None else "yes" if same else "NO",
        "asked": "–" if asked is None else asked, "on record": "–" if asked is None else len(run.on_record()),
        "s": round(time.perf_counter() - run.begun, 1),
        "ok": "yes" if ok and same is not False and len(keys) == len(set(keys)) else "NO", "note": note,
    }  # fmt: skip


def undisturbed_of(root: Path, plan: dict[str, Any]) -> Run:
    """The same plan, left alone."""
    run = Run(root, plan, "undisturbed")
    code, told, said = run.finish()
    if code:
        raise RuntimeError(f"the undisturbed run failed: {told} {said}")
    return run


def kill_often(run: Run, kills: int, dice: random.Random, expected: int) -> int:
    """Begin and kill until it was killed so often, or had ended before; how many it were."""
    for done in range(kills):
        before, process = run.written(), run.start()
        # Some of the kills hit the start and the reading of what is there; the others while it plays and writes.
        early = dice.random() < 0.2
        until = time.monotonic() + (dice.uniform(0.1, 2.0) if early else 120.0)
        wanted = before + dice.uniform(0, 1.5 * expected / kills)
        while time.monotonic() < until and process.poll() is None and (early or run.written() <= wanted):
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        if process.wait() != -signal.SIGKILL:
            return done
    return kills


def killed_offline(root: Path, kills: int, dice: random.Random) -> dict[str, Any]:
    """kill -9 while nobody waits for a server."""
    undisturbed = undisturbed_of(root, OFFLINE)
    run = Run(root, OFFLINE)
    done = kill_often(run, kills, dice, undisturbed.written())
    code, told, _ = run.finish()
    return row("kill -9, offline", run, told, undisturbed=undisturbed, good=code == 0, note=f"{done} kills")


def cast(server: MockServer, more: str = "") -> dict[str, Any]:
    """32 episodes with a model in every role, 16 at once."""
    name = f"openai/mock?base_url={server.url}{more}"
    return {
        "scenarios": ["core-en", "core-zh"], "doctors": [name],
        "roles": {"patient": name, "examiner": name, "chief": name}, "judge": name, "rubric": "clinic-language",
        "seeds": [0, 1], "concurrency": 16,
    }  # fmt: skip


def killed_with_models(root: Path, kills: int, dice: random.Random) -> dict[str, Any]:
    """kill -9 while replies are on their way: what is on record is not asked again."""
    with MockServer(latency_ms=30, conclude_at=8) as server:
        undisturbed = undisturbed_of(root, cast(server))
        once = server.stats()["requests"]
        server.reset()
        run = Run(root, cast(server))
        done = kill_often(run, kills, dice, undisturbed.written())
        code, told, _ = run.finish()
        asked, kept = server.stats()["requests"], len(run.on_record())
    note = f"{done} kills; {asked - kept} asked again, at most {done * 16} were in flight; undisturbed {once}"
    good = code == 0 and asked - kept <= done * 16
    return row("kill -9, models, 16 at once", run, told, good=good, asked=asked, note=note)


def bad_server(root: Path, kills: int, dice: random.Random) -> dict[str, Any]:
    """5 % 500, 5 % 429 with Retry-After, 2 % malformed, 1 % hang; then the server is well, and the run goes on."""
    with MockServer(latency_ms=10, p500=0.05, p429=0.05, pmal=0.02, phang=0.01, hang_s=20, retry_after_s=0.2) as server:
        run = Run(root, cast(server, "&attempts=4&attempt_s=2"))
        code, first, _ = run.finish()
        faults = server.stats()["faults"]
        note = (
            f"{sum(faults.values())} faults; first {code}: completed {first['completed']}, unscored {first['unscored']}"
        )
        server.configure(p500=0, p429=0, pmal=0, phang=0)
        _, told, _ = run.finish()
        asked = server.stats()["requests"]
    good = told["completed"] == told["planned"] == first["completed"] + sum(first["failed"].values()) + first["skipped"]
    return row("13 % of the server's answers", run, told, good=good, asked=asked, note=note)


def server_down(root: Path, kills: int, dice: random.Random) -> dict[str, Any]:
    """The server goes down in the middle and comes back."""
    with MockServer(latency_ms=30) as server:
        run = Run(root, cast(server, "&attempts=2"))
        process = run.start()
        while len(run.on_record()) < 100 and process.poll() is None:
            time.sleep(0.02)
        server.configure(down=1)
        code = process.wait(timeout=300)
        failed = len((run.folder / "failures.jsonl").read_bytes().splitlines())
        kept, before = len(run.on_record()), server.stats()["requests"]
        server.configure(down=0)
        last, told, _ = run.finish()
        asked, now = server.stats()["requests"] - before, len(run.on_record())
    note = f"{failed} failed, exit {code}; then {asked} asked for {now - kept} that were owed, exit {last}"
    return row("server down in the middle", run, told, good=(code, last) == (1, 0) and failed > 0, note=note)


def full_disk(root: Path, kills: int, dice: random.Random) -> dict[str, Any] | None:
    """A disk that is full until it is made larger."""
    disk = root / "disk"
    disk.mkdir()
    if os.name != "posix" or os.geteuid() != 0:
        return None
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", disk], capture_output=True).returncode:
        return None
    try:
        undisturbed = undisturbed_of(root, OFFLINE)
        run = Run(root, OFFLINE, "disk/run")
        said = []
        for size in ("2m", "4m", "6m"):
            subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)
            code, _, errors = run.finish()
            said.append(code == 1 and "No space left" in errors and "make room" in errors and "Traceback" not in errors)
        subprocess.run(["mount", "-o", "remount,size=200m", disk], check=True)
        code, told, _ = run.finish()
        good = code == 0 and all(said)
        return row("disk full", run, told, undisturbed=undisturbed, good=good, note=f"full {len(said)} times, said so")
    finally:
        subprocess.run(["umount", disk], check=True)


def two_processes(root: Path, kills: int, dice: random.Random) -> dict[str, Any]:
    """Others write to the same folder: they are refused."""
    undisturbed = undisturbed_of(root, OFFLINE)
    run = Run(root, OFFLINE)
    first = run.start()
    while run.written() == 0 and first.poll() is None:
        time.sleep(0.001)
    first.send_signal(signal.SIGSTOP)
    refused = [run.finish() for _ in range(3)]
    first.send_signal(signal.SIGCONT)
    good = first.wait() == 0 and all(code == 2 and "another process" in said for code, _, said in refused)
    _, told, _ = run.finish()
    return row("two processes", run, told, undisturbed=undisturbed, good=good, note="3 refused")


def dead_workers(root: Path, kills: int, dice: random.Random) -> dict[str, Any] | None:
    """Workers of Ray are killed while they play."""
    if importlib.util.find_spec("ray") is None or not Path("/proc").is_dir():
        return None
    undisturbed = undisturbed_of(root, OFFLINE)
    run = Run(root, {**OFFLINE, "engine": {"name": "ray", "workers": 2}})
    process = run.start()
    killed: set[int] = set()
    whole = undisturbed.written()
    while process.poll() is None and len(killed) < 3:
        if run.written() > whole * (len(killed) + 0.5) / 6:
            workers = [pid for pid in ray_workers(process.pid) if pid not in killed]
            if workers:
                killed.add(victim := dice.choice(sorted(workers)))
                os.kill(victim, signal.SIGKILL)
        time.sleep(0.02)
    code = process.wait(timeout=300)
    _, told, _ = run.finish()
    good = code == 0 and bool(killed)
    return row("Ray workers killed", run, told, undisturbed=undisturbed, good=good, note=f"{len(killed)} killed")


def ray_workers(ancestor: int) -> list[int]:
    """Process ids of the workers that a process started."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cmdline").read_bytes().startswith(b"ray::Worker"):
                pid = int(entry.name)
                while pid > 1 and pid != ancestor:
                    pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
                if pid == ancestor:
                    found.append(int(entry.name))
        except (OSError, IndexError, ValueError):
            continue  # it ended while we looked
    return found


FAULTS: dict[str, Callable[[Path, int, random.Random], dict[str, Any] | None]] = {
    "bad-server": bad_server,
    "server-down": server_down,
    "kill-offline": killed_offline,
    "kill-models": killed_with_models,
    "full-disk": full_disk,
    "two-processes": two_processes,
    "ray": dead_workers,
}


def main() -> int:
    """Disturb, go on, check; 1 where something was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1, help="of the instants")
    parser.add_argument("--only", choices=list(FAULTS), action="append", help="only this one; repeatable")
    parser.add_argument("--json", action="store_true", help="one JSON line a fault")
    args = parser.parse_args()
    rows = []
    for name in args.only or FAULTS:
        with tempfile.TemporaryDirectory(prefix="clinic-sim-faults-") as root:
            found = FAULTS[name](Path(root), args.kills, random.Random(args.seed))  # noqa: S311 - instants, no secrets
        if found is None:
            print(f"{name}: cannot be tried on this machine", file=sys.stderr)
            continue
        rows.append(found)
        if args.json:
            print(json.dumps(found), flush=True)
    if not args.json:
        print_table("Faults", COLUMNS, [[str(r[c]) for c in COLUMNS] for r in rows])
    return 0 if all(r["ok"] == "yes" for r in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
