"""What runs in a process of the `processes` engine: a `Worker`, told over a socket what to do by who started it.

It never outlives its driver: when the other end of the socket is closed, by whatever killed it, the process ends, also
in the middle of an episode. What was paid for is in the journals.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
import sys
import threading
from types import FrameType
from typing import Any

from clinic_sim.clinic.driving import new_loop
from clinic_sim.sweeps import process_wire as wire
from clinic_sim.sweeps.crew_worker import Worker


def main() -> None:
    """The process, from its beginning to its end; the number of its socket is its only argument."""
    descriptor = int(sys.argv.pop())
    # Ctrl-C at a terminal goes to all processes there: it is the driver's to end the run. No `SIG_IGN`, which whatever
    # an agent starts here would inherit.
    signal.signal(signal.SIGINT, _left_to_the_driver)
    os.set_inheritable(descriptor, False)
    threading.Thread(target=_end_with_the_driver, args=(descriptor,), daemon=True).start()
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(_serve(socket.socket(fileno=descriptor)))


async def _serve(ours: socket.socket) -> None:
    """Answer until the driver is done with us."""
    reader, writer = await asyncio.open_unix_connection(sock=ours)
    worker = Worker()
    asked = ""
    while asked != "close":
        try:
            (asked, data), _ = await wire.receive(reader)
        except (asyncio.IncompleteReadError, OSError):
            return
        try:
            answer, tail = await _answer(worker, asked, data)
        except Exception as exc:  # noqa: BLE001 - the driver raises it
            await wire.send(writer, {"error": wire.of_error(exc)})
        else:
            await wire.send(writer, {"answer": answer}, tail)


async def _answer(worker: Worker, asked: str, data: Any) -> tuple[Any, bytes]:
    if asked == "begin":
        return await worker.begin(wire.to_orders(data)), b""
    if asked == "exchange":
        packages, elsewhere = data
        return wire.of_report(await worker.exchange(wire.to_packages(packages), elsewhere))
    await worker.close()
    return None, b""


def _left_to_the_driver(signum: int, frame: FrameType | None) -> None:
    """Nothing."""


def _end_with_the_driver(descriptor: int) -> None:
    """Wait until the other end is closed. A thread, because an episode or an agent may keep the loop busy."""
    closed = select.poll()
    closed.register(descriptor, 0)  # asks for nothing: that it hung up is told always
    closed.poll()
    os._exit(1)
