"""What is Ray's own in the `ray` engine: its installation and its cluster. How it plays stands in `test_crew.py`."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from clinic_sim.errors import ConfigError
from clinic_sim.sweeps.sweep import open_store, run_sweep

pytestmark = [
    pytest.mark.xdist_group("ray"),
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed: the extra `ray`"),
]


def test_without_ray_it_is_said_what_to_install(carrying: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    found = carrying(engine="ray")
    with open_store(found.sweep, tmp_path) as store, pytest.raises(ConfigError, match=r"clinic-sim\[ray\]"):
        run_sweep(found.sweep, found.cast, store)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1"])
def test_a_cluster_that_is_not_there_is_a_clear_error(command: Any, plan_file: Any, address: str) -> None:
    plan = plan_file(engine={"name": "ray", "address": address})
    done = command("sweep", plan, "--out", "run", "--quiet", seconds=60)
    assert done.returncode == 2
    assert address in done.stderr
    assert "Traceback" not in done.stderr
