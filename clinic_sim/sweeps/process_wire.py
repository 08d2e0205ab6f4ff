"""What goes between the driver and a process of its own: messages of JSON, with episodes' lines as they are behind it.

A message is two lengths, its JSON, and its tail. JSON because it is data whoever reads it: nothing in it is executed,
and a class that one side does not know cannot arrive. The lines are bytes already, which the store writes unread.
"""

from __future__ import annotations

import asyncio
import struct
import traceback
from collections.abc import Sequence
from dataclasses import asdict, astuple
from itertools import accumulate, pairwise
from typing import Any

from clinic_sim import errors
from clinic_sim.sweeps.crew_messages import Orders, Package, Report, Result
from clinic_sim.sweeps.lines import decoded, encoded
from clinic_sim.sweeps.planned import Planned

_HEAD = struct.Struct("!QQ")


async def send(writer: asyncio.StreamWriter, data: Any, tail: bytes = b"") -> None:
    """Send a message.

    Raises:
        OSError: the other side is gone.
    """
    text = encoded(data)
    writer.writelines((_HEAD.pack(len(text), len(tail)), text, tail))
    await writer.drain()


async def receive(reader: asyncio.StreamReader) -> tuple[Any, bytes]:
    """The next message: its data and its tail.

    Raises:
        asyncio.IncompleteReadError, OSError: the other side is gone.
    """
    text, tail = _HEAD.unpack(await reader.readexactly(_HEAD.size))
    return decoded(await reader.readexactly(text)), await reader.readexactly(tail)


def of_orders(orders: Orders) -> dict[str, Any]:
    """Orders as data."""
    return asdict(orders)


def to_orders(data: dict[str, Any]) -> Orders:
    """Orders again."""
    return Orders(**data)


def of_packages(packages: Sequence[Package]) -> list[Any]:
    """Episodes to be played, as data."""
    return [[astuple(planned), calls] for planned, calls in packages]


def to_packages(data: list[Any]) -> list[Package]:
    """Episodes again."""
    return [(Planned(*planned), calls) for planned, calls in data]


def of_report(report: Report) -> tuple[dict[str, Any], bytes]:
    """A report as data and a tail, which holds the lines."""
    results = [[r.key, r.begun, len(r.line), r.row, list(r.failures)] for r in report.results]
    data = {
        "results": results,
        "settled": report.settled,
        "in_flight": report.in_flight,
        "unknown": report.unknown,
        "waits": report.waits,
        "longest": report.longest,
    }
    return data, b"".join(r.line for r in report.results)


def to_report(data: dict[str, Any], tail: bytes) -> Report:
    """A report again."""
    told = data.pop("results")
    ends = accumulate((length for _, _, length, _, _ in told), initial=0)
    results = [
        Result(key, begun, tail[start:end], row, tuple(failed))
        for (key, begun, _, row, failed), (start, end) in zip(told, pairwise(ends), strict=True)
    ]
    longest = data.pop("longest")
    return Report(results, **data, longest=tuple(longest) if longest else None)


def of_error(error: Exception) -> dict[str, Any]:
    """An error as data."""
    cause = error.__cause__
    return {
        "kind": type(error).__name__,
        "message": str(error),
        "disk": [cause.errno, cause.strerror] if isinstance(cause, OSError) else None,
        "traceback": "".join(traceback.format_exception(error)),
    }


def to_error(data: dict[str, Any]) -> Exception:
    """An error again: one of ours as what it was, with what the disk said; any other as a RuntimeError about it."""
    kind = getattr(errors, data["kind"], None)
    if not (isinstance(kind, type) and issubclass(kind, errors.ClinicSimError)):
        other = RuntimeError(f"a worker failed: {data['kind']}: {data['message']}")
        other.add_note(data["traceback"])
        return other
    error = kind(data["message"])
    if data["disk"] is not None:
        error.__cause__ = OSError(*data["disk"])
    return error
