"""Every example of docs/rubrics.md is a rubric that loads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from clinic_sim.cases.loading import read_yaml
from clinic_sim.judge.rubric import Criterion, Rubric
from clinic_sim.judge.rubric_lint import check_file

DOCS = Path(__file__).resolve().parents[2] / "docs" / "rubrics.md"
if not DOCS.is_file():
    pytest.skip("the documentation is not beside these tests", allow_module_level=True)
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", DOCS.read_text("utf-8"), re.MULTILINE | re.DOTALL)
HEAD = "schema_version: 1\nname: r\ntitle: r\n"


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_loads(example: str, tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    text = example if "schema_version" in example else HEAD + example
    path.write_text(text, encoding="utf-8")
    data: dict[str, Any] = read_yaml(path)
    if "dimensions" not in data:
        names = dict.fromkeys(c["dimension"] for c in data["criteria"] if c["dimension"] != "safety")
        path.write_text(text + "dimensions:\n" + "".join(f"  {n}: {{weight: 1}}\n" for n in names), encoding="utf-8")
    found = check_file(path)
    assert found.problems == ()
    assert not [w for w in found.warnings if "never" in w]


def test_the_examples_show_the_whole_language() -> None:
    text = DOCS.read_text("utf-8")
    shown = "\n".join(EXAMPLES)
    for name in {*Criterion.model_fields, *Rubric.model_fields}:
        assert f"{name}:" in shown, name
    assert "healthbench" in text
    assert "medsp1000" in text
