"""The `processes` engine: a crew of processes of our own on this machine, each told over a socket of its own.

A worker is a fresh interpreter that is given this one's search path, folder and environment. It does not import the
caller's `__main__`, as multiprocessing would, so a script without a guard may start a run. What it prints goes nowhere
and disturbs nothing; the last line on its standard error says what it died of.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from typing import Any

from clinic_sim.errors import ConfigError
from clinic_sim.sweeps import process_wire as wire
from clinic_sim.sweeps.crew import Crew
from clinic_sim.sweeps.crew_hand import Died, crew_size, refuse_weights
from clinic_sim.sweeps.crew_messages import Orders, Package, Report
from clinic_sim.sweeps.planned import Planned
from clinic_sim.sweeps.stage import Done, Stage

_START = (
    "import sys; sys.path[:], sys.argv[1:] = sys.argv[2:], sys.argv[1:2]; "
    "from clinic_sim.sweeps.process_worker import main; main()"
)
"""Not `-m`, which would put the folder in front of the path: the worker must find the code that runs here."""
_BUFFER = 2**20
_TAIL = 4000
"""Bytes of standard error that are kept."""
_DEAD_S = 2.0
"""For the system to say what a process died of, once its socket is closed."""


async def play_in_processes(stage: Stage, owed: Iterable[Planned], done: Callable[[Done], None]) -> None:
    """Play episodes in processes of this machine, and give each to `done` here; what `done` raises stops them all.

    Raises:
        ConfigError: processes cannot be started, or cannot play this plan.
        StoreError: a worker cannot write a journal.
    """
    pending = list(owed)
    if not pending or stage.spending.reached:
        return
    refuse_weights(stage)
    await Crew(stage, pending, done, crew_size(stage, len(pending), processors()), ProcessHand).play()


def processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class ProcessHand:
    """One process, which is started at once.

    Raises:
        ConfigError: it cannot be started.
    """

    def __init__(self) -> None:
        if not hasattr(socket, "AF_UNIX") or not sys.executable:
            raise ConfigError("engine processes: it needs Linux or macOS and a Python of its own; use local or ray")
        with ExitStack() as stack:
            try:
                self._socket, theirs = socket.socketpair()
                stack.enter_context(self._socket)
                with theirs:
                    self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
                        [sys.executable, "-c", _START, str(theirs.fileno()), *sys.path],
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL,
                        stderr=subprocess.PIPE,
                        pass_fds=(theirs.fileno(),),
                    )
            except OSError as exc:
                raise ConfigError(f"engine processes: a worker cannot be started: {exc}; ask for fewer") from exc
            stack.pop_all()
        self.pid = self._process.pid
        self._said = _Tail()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._listening: asyncio.BaseTransport | None = None

    async def begin(self, orders: Orders) -> dict[str, str]:
        """As of `Worker`."""
        loop = asyncio.get_running_loop()
        self._listening, _ = await loop.connect_read_pipe(lambda: self._said, self._process.stderr)
        self._streams = await asyncio.open_unix_connection(sock=self._socket, limit=_BUFFER)
        found: dict[str, str] = (await self._told("begin", wire.of_orders(orders)))[0]
        return found

    async def exchange(self, new: Sequence[Package], elsewhere: float) -> Report:
        """As of `Worker`."""
        return wire.to_report(*await self._told("exchange", [wire.of_packages(new), elsewhere]))

    async def close(self) -> None:
        """As of `Worker`."""
        await self._told("close", None)

    def kill(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        if self._listening is not None:
            self._listening.close()
        elif self._process.stderr is not None:
            self._process.stderr.close()
        if self._streams is not None:
            self._streams[1].close()
        else:
            self._socket.close()

    async def _told(self, asked: str, data: Any) -> tuple[Any, bytes]:
        assert self._streams is not None  # noqa: S101 - `begin` comes first
        reader, writer = self._streams
        try:
            await wire.send(writer, [asked, data])
            answer, tail = await wire.receive(reader)
        except (asyncio.IncompleteReadError, OSError) as exc:
            raise Died(await self._reason()) from exc
        if "error" in answer:
            raise wire.to_error(answer["error"])
        return answer["answer"], tail

    async def _reason(self) -> str:
        """What it died of, in a line."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_DEAD_S):
                while self._process.poll() is None:  # noqa: ASYNC110 - a process has no event to wait for
                    await asyncio.sleep(0.01)
                await self._said.over.wait()
        code = self._process.returncode
        if code is None:
            return "it closed its connection"
        last = f": {said}" if (said := self._said.last_line()) else ""
        if code >= 0:
            return f"it ended with exit code {code}{last}"
        with suppress(ValueError):
            name = signal.Signals(-code).name
            out_of_memory = ", as where the machine is out of memory" if name == "SIGKILL" else ""
            return f"it was ended by {name}{out_of_memory}{last}"
        return f"it was ended by signal {-code}{last}"


class _Tail(asyncio.Protocol):
    """The end of what a process says."""

    def __init__(self) -> None:
        self._text = b""
        self.over = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self._text = (self._text + data)[-_TAIL:]

    def connection_lost(self, exc: Exception | None) -> None:
        self.over.set()

    def last_line(self) -> str:
        """The last that holds anything."""
        lines = self._text.decode(errors="replace").strip().splitlines()
        return lines[-1].strip()[:300] if lines else ""
