"""A broken case file gets an error that names the file, the line and the field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from clinic_sim.cases.case import Case
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
