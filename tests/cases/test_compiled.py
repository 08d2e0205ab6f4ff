"""A compiled case: its parts are built when first asked for, once, and are those of the case."""

from __future__ import annotations

from pathlib import Path

import pytest

from clinic_sim.cases.compiled import CompiledCase, compile_case
from clinic_sim.cases.loading import dump_case, load_case
from clinic_sim.errors import CaseError
from clinic_sim.testing import small_case


@pytest.mark.parametrize("part", ["graph", "chief", "meanings", "index", "orders"])
def test_a_part_is_built_once(part: str) -> None:
    compiled = CompiledCase(small_case())
    assert getattr(compiled, part) is getattr(compiled, part)


def test_there_are_as_many_meanings_as_facts_whatever_was_asked_for_first() -> None:
    case = small_case()
    one, other = CompiledCase(case), CompiledCase(case)
    assert other.index is not None
    assert one.meanings == other.meanings
    assert len(one.meanings) == len(case.facts)


def test_equal_cases_share_one_compiled_form() -> None:
    assert compile_case(small_case()) is compile_case(small_case())


def test_what_is_no_part_is_missing() -> None:
    compiled = CompiledCase(small_case())
    assert not hasattr(compiled, "meaning")
    with pytest.raises(AttributeError, match="'CompiledCase' object has no attribute 'meaning'"):
        compiled.meaning  # noqa: B018


def test_a_concept_that_the_lexicon_lacks_is_told_with_its_line(tmp_path: Path) -> None:
    case = small_case()
    facts = (case.facts[0].model_copy(update={"about": ("sx.pain", "sx.nonesuch")}), *case.facts[1:])
    file = tmp_path / "case.yaml"
    file.write_text(dump_case(case.model_copy(update={"facts": facts})), "utf-8")
    with pytest.raises(CaseError, match=r"case.yaml:\d+: facts.0.about.1: unknown concept 'sx.nonesuch'"):
        load_case(file)
