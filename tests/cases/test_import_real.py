"""The real datasets beside a checkout: every record imports, validates, loads back, and gives nothing away."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from clinic_sim.cases.importers import import_records, write_pack
from clinic_sim.cases.leaks import lint_case
from clinic_sim.cases.packs import load_pack

SOURCES = {"agentclinic": ("agentclinic", 107, 0), "spbench": ("spbench", 29, 0), "ai-hospital": ("ai_hospital", 8, 5)}


@pytest.mark.parametrize("name", SOURCES)
def test_every_record_imports_and_loads_back(shared_data: Path, tmp_path: Path, name: str) -> None:
    folder, imported, duplicates = SOURCES[name]
    records = write_pack(import_records(name, shared_data / folder), tmp_path / "out")
    counts = Counter(r.status for r in records)
    assert (counts["imported"], counts["duplicate"], counts["failed"]) == (imported, duplicates, 0)
    cases = load_pack(tmp_path / "out").cases
    assert {c.id for c in cases} == {r.case.id for r in records if r.case}
    assert {c.content_hash for c in cases} == {r.case.content_hash for r in records if r.case}
    report = json.loads((tmp_path / "out" / "import.json").read_text("utf-8"))
    assert len(report) == len(records)


@pytest.mark.parametrize("name", SOURCES)
def test_no_patient_names_the_diagnosis(shared_data: Path, name: str) -> None:
    for record in import_records(name, shared_data / SOURCES[name][0]):
        if record.case and "diagnosis_is_complaint" not in record.flags:
            leaks = [leak for leak in lint_case(record.case) if leak.severity == "leak"]
            told = [leak for leak in leaks if not leak.where.startswith(("phys", "vital", "local"))]
            assert not told, (record.case.id, told)


@pytest.mark.parametrize("name", SOURCES)
def test_everything_keeps_its_source_and_nothing_is_empty(shared_data: Path, name: str) -> None:
    coded = total = 0
    for record in import_records(name, shared_data / SOURCES[name][0]):
        if record.case is None:
            continue
        assert len(record.case.facts) >= 5, record.case.id
        for item in (*record.case.facts, *record.case.exams):
            assert item.source
            assert item.source.words.strip()
        total += len(record.case.exams)
        coded += sum(not e.code.startswith("local.") for e in record.case.exams)
    assert coded >= 0.9 * total, f"{coded} of {total} exams are coded"
