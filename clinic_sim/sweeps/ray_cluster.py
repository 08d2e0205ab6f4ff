"""A connection to Ray for the length of a run: started here or joined, quiet, and given up whatever happens."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import socket
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any

from clinic_sim.errors import ConfigError
from clinic_sim.sweeps.plan import EnginePlan

_REACH_S = 10.0
"""To reach the head of a cluster; Ray's own client would try for minutes."""
_STORE_BYTES = 256 * 2**20
"""Shared memory of a cluster started here: results are fetched, and gone, as soon as they are there."""
_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
"""Read by Ray as it is imported and as it starts; what the user has set stays."""


@contextmanager
def connected(engine: EnginePlan) -> Iterator[ModuleType]:
    """Ray, connected as the plan says; what was started here is shut down at the end.

    Raises:
        ConfigError: Ray is not installed, cannot be started, or its cluster cannot be reached.
    """
    ray = _imported()
    with _quiet(ray):
        if ray.is_initialized():  # by whoever called us, a notebook for one: theirs to shut down
            yield ray
            return
        term = signal.getsignal(signal.SIGTERM)
        try:
            _join(ray, engine)
            yield ray
        finally:
            ray.shutdown()
            # Ray puts its own in its place, and leaves it there.
            if threading.current_thread() is threading.main_thread() and term is not None:
                signal.signal(signal.SIGTERM, term)


def _imported() -> ModuleType:
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module("ray")
    except ImportError as exc:
        raise ConfigError("engine ray: Ray is not installed; run pip install 'clinic-sim[ray]'") from exc


def _join(ray: ModuleType, engine: EnginePlan) -> None:
    if engine.address is not None:
        _check_reachable(engine.address)
    options: dict[str, Any] = {"address": engine.address}
    if engine.address is None:
        # `local` starts one even where another runs on this machine: a plan without an address joins nobody's.
        options = {
            "address": "local",
            "num_cpus": max(engine.workers or 0, os.cpu_count() or 1),
            "include_dashboard": False,
            "object_store_memory": _STORE_BYTES,
        }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ray.init(log_to_driver=False, configure_logging=False, **options)
        except Exception as exc:  # ConnectionError, RuntimeError, ValueError and Ray's own, by version
            where = f"the cluster at {engine.address} cannot be joined" if engine.address else "Ray does not start here"
            advice = "; it wants its token: set RAY_AUTH_MODE=token" if "AuthToken" in _told_by(exc) else ""
            raise ConfigError(f"engine ray: {where}: {_first_line(exc)}{advice}") from exc


def _check_reachable(address: str) -> None:
    """Raises ConfigError where nothing listens: Ray would try for long, and then end the process."""
    if address in ("auto", "local"):
        return
    host, _, port = address.rpartition(":")
    if "://" in address or not host or not port.isdigit():
        raise ConfigError(
            f"engine ray: address {address!r}: give host:port of the cluster's head, such as 10.0.0.1:6379, or `auto` "
            "on one of its machines (the driver writes the run's folder, so it runs on a machine of the cluster)"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_REACH_S).close()
    except (OSError, OverflowError) as exc:
        raise ConfigError(
            f"engine ray: no cluster at {address} ({exc}); start one with `ray start --head`, or leave the address out "
            "to have one started here"
        ) from exc


@contextmanager
def _quiet(ray: ModuleType) -> Iterator[None]:
    """Ray tells its dead workers on standard output, where our own JSON may stand; we tell them in our own words."""
    logger = logging.getLogger("ray")
    level = logger.level
    worker = importlib.import_module("ray._private.worker")
    printing = getattr(worker, "_worker_logs_enabled", None)
    logger.setLevel(logging.CRITICAL)
    if printing is not None:
        worker._worker_logs_enabled = False  # type: ignore[attr-defined]
    try:
        yield
    finally:
        logger.setLevel(level)
        if printing is not None:
            with suppress(AttributeError):
                worker._worker_logs_enabled = printing  # type: ignore[attr-defined]


def _told_by(exc: BaseException | None) -> str:
    """The messages of an error and of what caused it."""
    return f"{exc} {_told_by(exc.__cause__ or exc.__context__)}" if exc is not None else ""


def _first_line(exc: BaseException) -> str:
    lines = str(exc).strip().splitlines()
    return f"{type(exc).__name__}: {lines[0][:500]}" if lines else type(exc).__name__
