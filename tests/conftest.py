"""Fixtures shared by all tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from clinic_sim.cases.case import Case
from clinic_sim.cases.packs import Pack, load_pack

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"

# Property tests explore the same inputs on every machine, so that a failure can be repeated.
settings.register_profile(
    "clinic_sim", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60
)
settings.load_profile("clinic_sim")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real datasets beside a checkout; the test skips where they are absent."""
    if not SHARED.is_dir():
        pytest.skip(f"the real datasets are not beside this checkout ({SHARED})")
    return SHARED


@pytest.fixture(scope="session")
def core_en() -> Pack:
    """The English pack."""
    return load_pack("core-en")


@pytest.fixture(scope="session")
def core_zh() -> Pack:
    """The Chinese pack."""
    return load_pack("core-zh")


@pytest.fixture
def core_en_case(core_en: Pack) -> Case:
    """One case of the English pack."""
    return core_en.cases[0]
