"""Importing as a whole: broken records fail alone, packs are written all or nothing, and only over an import."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clinic_sim.cases.importers import import_records, summary, write_pack
from clinic_sim.cases.packs import load_pack
from clinic_sim.errors import CaseError


def osce(diagnosis: str = "Gout", **actor: object) -> dict[str, object]:
    """A small OSCE record."""
    patient = {
        "Demographics": "52-year-old male",
        "History": "The patient reports severe pain in his left big toe since last night. He denies any injury.",
        "Symptoms": {"Primary_Symptom": "Painful left big toe", "Secondary_Symptoms": ["No fever"]},
        "Past_Medical_History": "Hypertension, treated with hydrochlorothiazide.",
        "Social_History": "Drinks four beers daily. Works as a butcher.",
        "Review_of_Systems": "Denies fever, chills, or recent travel.",
        **actor,
    }
    return {
        "OSCE_Examination": {
            "Objective_for_Doctor": f"Diagnose {diagnosis}.",
            "Patient_Actor": patient,
            "Physical_Examination_Findings": {
                "Vital_Signs": {"Temperature": "37.2°C (99°F)", "Blood_Pressure": "148/92 mmHg"},
                "Foot_Examination": {"Inspection": "Red, swollen first metatarsophalangeal joint."},
            },
            "Test_Results": {"Blood_Tests": {"Uric_Acid": "9.1 mg/dL (elevated)", "Creatinine": "Pending"}},
            "Correct_Diagnosis": diagnosis,
        }
    }


def write_lines(path: Path, records: list[object]) -> Path:
    """A JSON-lines file; a string stands for itself."""
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in records) + "\n", "utf-8")
    return path


def test_a_broken_record_fails_with_its_line_and_the_others_go_on(tmp_path: Path) -> None:
    source = write_lines(
        tmp_path / "agentclinic_small.jsonl",
        [
            osce(),
            '{"OSCE_Examination": ',
            {"something": "else"},
            [1, 2],
            "null",
            osce("Cellulitis", History=None, Symptoms=None, Review_of_Systems=None),
        ],
    )
    records = list(import_records("agentclinic", source))
    assert [r.index for r in records] == [1, 2, 3, 4, 5, 6]
    assert [r.status for r in records[:5]] == ["imported", "failed", "failed", "failed", "failed"]
    assert "line 2" in records[1].problem
    assert all(r.problem for r in records if r.status == "failed")
    assert summary(records)["records"] == 6


def test_deep_and_huge_records_fail_alone(tmp_path: Path) -> None:
    deep = '{"OSCE_Examination": ' * 3000 + "1" + "}" * 3000
    source = write_lines(tmp_path / "a.jsonl", [deep, {"x": "y" * 1_200_000}, osce()])
    assert [r.status for r in import_records("agentclinic", source)] == ["failed", "failed", "imported"]


def test_control_characters_and_surrogates_are_cleaned(tmp_path: Path) -> None:
    record = json.dumps(osce()).replace("Works as a butcher", "Works as a \\ud800 butc\\u0007her")
    source = write_lines(tmp_path / "a.jsonl", [record])
    records = write_pack(import_records("agentclinic", source), tmp_path / "out")
    assert records[0].status == "imported"
    assert "butcher" in (tmp_path / "out" / f"{records[0].case.id}.yaml").read_text("utf-8")  # type: ignore[union-attr]


def test_the_same_record_twice_is_a_duplicate(tmp_path: Path) -> None:
    source = write_lines(tmp_path / "a.jsonl", [osce(), osce(), osce("Septic arthritis")])
    records = list(import_records("agentclinic", source))
    assert [r.status for r in records] == ["imported", "duplicate", "imported"]
    assert records[0].case is not None
    assert records[0].case.id in records[1].problem


def test_the_pack_loads_and_the_report_lists_every_record(tmp_path: Path) -> None:
    source = write_lines(tmp_path / "a.jsonl", [osce(), "{", osce("Septic arthritis")])
    out = tmp_path / "deep" / "pack"
    write_pack(import_records("agentclinic", source), out)
    pack = load_pack(out)
    report = json.loads((out / "import.json").read_text("utf-8"))
    assert [e["index"] for e in report] == [1, 2, 3]
    assert [e["status"] for e in report] == ["imported", "failed", "imported"]
    assert {e["case"] for e in report if e["case"]} == {c.id for c in pack.cases}
    assert set(report[0]) >= {"index", "case", "status", "missing", "flags", "problem"}
    assert "treatment" in report[0]["missing"]
    assert not [p for p in out.parent.iterdir() if p != out], "nothing temporary is left"


def test_importing_again_replaces_the_old_import_byte_for_byte(tmp_path: Path) -> None:
    source = write_lines(tmp_path / "a.jsonl", [osce(), osce("Septic arthritis")])
    out = tmp_path / "pack"
    write_pack(import_records("agentclinic", source), out)
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    write_pack(import_records("agentclinic", source), out)
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before
    write_pack(import_records("agentclinic", write_lines(source, [osce()])), out)
    assert len(load_pack(out).cases) == 1


def test_a_folder_that_is_no_import_is_not_touched(tmp_path: Path) -> None:
    out = tmp_path / "mine"
    out.mkdir()
    (out / "notes.txt").write_text("precious")
    source = write_lines(tmp_path / "a.jsonl", [osce()])
    with pytest.raises(CaseError, match="not an earlier import"):
        write_pack(import_records("agentclinic", source), out)
    assert [p.name for p in out.iterdir()] == ["notes.txt"]


def test_nothing_is_written_when_nothing_could_be_imported(tmp_path: Path) -> None:
    source = write_lines(tmp_path / "a.jsonl", ["{", "[]"])
    with pytest.raises(CaseError, match="line 1"):
        write_pack(import_records("agentclinic", source), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("problem", ["absent", "format", "binary", "empty folder"])
def test_a_source_that_cannot_be_read_says_so(tmp_path: Path, problem: str) -> None:
    source = tmp_path / "a.json"
    source.write_bytes(b"\xff\xfe\x00[")
    name = "ai-hospital"
    if problem == "absent":
        source = tmp_path / "b.json"
    elif problem == "format":
        name = "nosuch"
    elif problem == "empty folder":
        source = tmp_path / "empty"
        source.mkdir()
    with pytest.raises(CaseError):
        list(import_records(name, source))
