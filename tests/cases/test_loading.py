"""A broken case file gets an error that names the file, the line and the field."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from clinic_sim.cases.case import Case
from clinic_sim.cases.importers import FORMATS, ImportedRecord, import_records, write_pack
from clinic_sim.cases.loading import dump_case, load_case
from clinic_sim.cases.packs import load_pack
from clinic_sim.errors import CaseError
from clinic_sim.testing import small_case


@pytest.fixture
def text() -> str:
    """A valid case as YAML."""
    return dump_case(small_case())


def write(folder: Path, text: str) -> Path:
    path = folder / "case.yaml"
    path.write_text(text, "utf-8")
    return path


def line_of(text: str, words: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if words in line)


def test_what_is_dumped_loads_back_equal(tmp_path: Path, text: str) -> None:
    assert load_case(write(tmp_path, text)) == small_case()


@pytest.mark.parametrize(
    ("old", "new", "at", "says"),
    [
        ("language: en", "language: english", "language: english", "language"),
        ("code: lab.cbc", "code: lab.no_such_test", "lab.no_such_test", "unknown exam code 'lab.no_such_test'"),
        ("- id: cbc", "- id: onset", None, "'onset' stands 2 times"),
        ("  basis:\n  - migration", "  basis:\n  - migratoin", "migratoin", "'migratoin' is no fact or exam"),
        ("icd10: K35", "icd10: appendix", "icd10: appendix", "icd10"),
        ("importance: decisive", "importance: vital", "importance: vital", "importance"),
        ("topic: allergy", "topik: allergy", None, "topik"),
        ("high: 10.0", "high: 1.0", None, "runs backwards"),
        ("polarity: absent", "polarity: no", "polarity: no", "polarity"),
    ],
)
def test_errors_name_file_line_and_field(
    tmp_path: Path, text: str, old: str, new: str, at: str | None, says: str
) -> None:
    assert old in text, text
    broken = text.replace(old, new, 1)
    path = write(tmp_path, broken)
    with pytest.raises(CaseError) as caught:
        load_case(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:")
    assert says in message
    if at is not None:
        assert f"{path}:{line_of(broken, at)}:" in message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("- a\n- b\n", "mapping"),
        ("id: [unclosed\n", ":2:"),
        ("id: a\nid: b\n", "stands twice"),
        ("a: &x [1]\nb: *x\n", "case.yaml:"),
        ("\tid: a\n", ":1:"),
        ("!!python/object/apply:os.system ['true']\n", "could not determine a constructor"),
    ],
)
def test_what_is_no_case_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(CaseError, match=r"case\.yaml") as caught:
        load_case(write(tmp_path, text))
    assert says in str(caught.value)


def test_bytes_that_are_no_text_and_files_that_are_too_big(tmp_path: Path) -> None:
    path = tmp_path / "case.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CaseError, match="UTF-8"):
        load_case(path)
    path.write_bytes(b"a" * 5_000_000)
    with pytest.raises(CaseError, match="5000000 bytes"):
        load_case(path)
    with pytest.raises(CaseError, match="cannot be read"):
        load_case(tmp_path / "absent.yaml")


def test_absent_parts_must_be_declared_missing() -> None:
    with pytest.raises(ValueError, match="treatment: absent"):
        small_case(treatment=[])


def test_schema_is_json_and_describes_its_fields() -> None:
    schema = json.loads(json.dumps(Case.model_json_schema()))
    assert {"facts", "exams", "diagnosis", "treatment"} <= set(schema["properties"])
    assert schema["$defs"]["Fact"]["properties"]["disclosure"]["default"] == "asked"


def test_one_id_twice_in_a_pack(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(text, "utf-8")
    (tmp_path / "b.yaml").write_text(text, "utf-8")
    with pytest.raises(CaseError, match=r"already stands in a\.yaml"):
        load_pack(tmp_path)


def test_empty_and_unknown_packs(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="no case files"):
        load_pack(tmp_path)
    with pytest.raises(CaseError, match="core-en"):
        load_pack("no-such-pack")


def test_a_changed_file_is_read_again(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text)
    assert load_pack(tmp_path).cases[0].department == "Surgery"
    data: dict[str, Any] = yaml.safe_load(text)
    data["department"] = "Paediatrics"
    path.write_text(yaml.safe_dump(data), "utf-8")
    assert load_pack(tmp_path).cases[0].department == "Paediatrics"


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ("a: " + "[" * 100_000, ":1: nests deeper"),
        ("".join(" " * n + "a:\n" for n in range(100)), "nests deeper"),
        ("id: x\n? [a, b]\n: 1\n", ":2: a key is a plain word"),
        ("a: 1\nid: 2020-13-45\n", ":2: not a usable timestamp"),
        ("a: 1\nid: " + "9" * 5_000 + "\n", ":2: not a usable int"),
        ("id: !!int x\n", ":1: not a usable int"),
        ("id: !!set [a]\n", ":1:"),
        ("x: 1\na: &x [1]\nb: *x\n", ":2: anchors"),
    ],
)
def test_yaml_that_would_kill_the_process_names_its_line(tmp_path: Path, broken: str, says: str) -> None:
    with pytest.raises(CaseError) as caught:
        load_case(write(tmp_path, broken))
    assert says in str(caught.value)


def test_a_repeated_id_is_told_where_it_is_repeated(tmp_path: Path, text: str) -> None:
    broken = text.replace("- id: cbc", "- id: onset", 1)
    path = write(tmp_path, broken)
    second = [n for n, line in enumerate(broken.splitlines(), 1) if line == "- id: onset"][1]
    with pytest.raises(CaseError, match=rf":{second}: .*'onset' stands 2 times"):
        load_case(path)


def test_links_that_lead_nowhere_in_a_pack(tmp_path: Path, text: str) -> None:
    write(tmp_path, text)
    for target in ("nowhere.yaml", "link.yaml"):
        (tmp_path / "link.yaml").symlink_to(target)
        with pytest.raises(CaseError, match=r"link\.yaml: cannot be read"):
            load_pack(tmp_path)
        (tmp_path / "link.yaml").unlink()


def import_into(out: Path) -> None:
    record = ImportedRecord(1, small_case(), "imported")
    write_pack([record], out)


def test_a_file_that_no_import_wrote_is_not_deleted(tmp_path: Path) -> None:
    out = tmp_path / "pack"
    import_into(out)
    (out / "mine.yaml").write_text("precious", "utf-8")
    with pytest.raises(CaseError, match=r"mine\.yaml"):
        import_into(out)
    assert (out / "mine.yaml").read_text("utf-8") == "precious"


def test_an_import_through_a_link_keeps_the_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "link"
    link.symlink_to("real")
    for _ in range(2):
        import_into(link)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "real"]
    assert link.is_symlink()
    assert load_pack(link).cases == (small_case(),)


def test_a_bug_in_an_importer_reads_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(raw: object, findings: object) -> Case:
        small_case().fact("none")
        return small_case()

    source = tmp_path / "a.jsonl"
    source.write_text('{"OSCE_Examination": {}}\n', "utf-8")
    monkeypatch.setitem(FORMATS, "agentclinic", dataclasses.replace(FORMATS["agentclinic"], convert=broken))
    (record,) = import_records("agentclinic", source)
    assert record.status == "failed"
    assert record.problem.startswith("KeyError at clinic_sim.cases.case:")
