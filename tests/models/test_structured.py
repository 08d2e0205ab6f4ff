"""Objects in replies: what is taken, what is not, and that nothing a model writes stops the clock."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_sim.clinic import chief_llm, order_model, result_model
from clinic_sim.clinic.patient import prompts as patient_prompts
from clinic_sim.doctors.tools import ACTION_SCHEMA
from clinic_sim.judge import prompts as judge_prompts
from clinic_sim.models.structured import MAX_CHARS, fits, parse_object

SCHEMA = {
    "title": "verdict",
    "type": "object",
    "properties": {
        "met": {"type": "boolean"},
        "quotes": {"type": "array", "items": {"type": "string"}},
        "sure": {"type": ["number", "null"]},
        "kind": {"type": "string", "enum": ["a", "b"]},
        "n": {"type": "integer"},
    },
    "required": ["met"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "text",
    [
        '{"met": true}',
        ' \n{"met": true}\n ',
        '```json\n{"met": true}\n```',
        '```JSON {"met": true}```',
        '```\n{"met": true}\n```\n',
        '<think>{"met": false}? No.</think>\n{"met": true}',
        '<THINKING>Hm.</THINKING>```json\n{"met": true}```',
    ],
)
def test_one_object_is_read_through_a_fence_and_behind_a_thought(text: str) -> None:
    assert parse_object(text, SCHEMA) == {"met": True}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "met",
        "true",
        "[]",
        '[{"met": true}]',
        "{}",
        '{"met": "true"}',
        '{"met": 1}',
        '{"met": null}',
        '{"met": true',
        '{"met": true}}',
        '{"met": true} {"met": false}',
        '{"met": true} I hope that helps.',
        'Here it is: {"met": true}',
        '{"met": false, "met": true}',
        '{"met": true, "more": 1}',
        '{"met": true, "quotes": "one"}',
        '{"met": true, "quotes": ["one", 2]}',
        '{"met": true, "kind": "c"}',
        '{"met": true, "n": 1.5}',
        '{"met": true, "n": true}',
        '{"met": true, "sure": NaN}',
        '{"met": true, "sure": -Infinity}',
        '{"met": true, "sure": 1e999}',
        '{"met": true, "n": ' + "9" * 10_000 + "}",
        "{'met': true}",
        '{"met": True}',
        '{"met": true,}',
        '```json\n{"met": true}',
        "``````",
        "`````",
        '<think>{"met": true}',
        '{"met":' * 50_000,
        '{"met": ' + "[" * 100_000,
        '{"met": true}' + " " * MAX_CHARS,
    ],
)
def test_anything_else_is_nothing(text: str) -> None:
    assert parse_object(text, SCHEMA) is None


@pytest.mark.parametrize(
    "text",
    [
        "```" + " " * 150_000 + "x",
        "```{" + "\n \t" * 50_000 + "x",
        "```json" + "\n" * 150_000 + "```x",
        "<think>" * 25_000,
        " " * 199_000 + "<",
        "{" + '"a":{' * 30_000,
        '{"' + "\\" * 150_000,
        "`" * 199_999,
    ],
)
def test_whatever_a_model_repeats_is_read_in_no_time(text: str) -> None:
    began = time.process_time()
    assert parse_object(text, SCHEMA) is None
    assert time.process_time() - began < 0.5


@given(st.text(max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    for dressed in (text, "{" + text + "}", f"```json{text}```", f"<think>{text}</think>{text}"):
        found = parse_object(dressed, SCHEMA)
        assert found is None or fits(found, SCHEMA)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=8), _JSON, max_size=5))
def test_every_object_comes_back_as_it_was_written(data: dict[str, Any]) -> None:
    for text in (json.dumps(data), json.dumps(data, ensure_ascii=False, indent=2)):
        assert parse_object(text, {"type": "object"}) == data
        assert parse_object(f"```json\n{text}\n```", {}) == data


@given(st.dictionaries(st.sampled_from(["met", "quotes", "sure", "kind", "n", "more"]), _JSON, max_size=6))
def test_what_does_not_fit_never_passes(data: dict[str, Any]) -> None:
    fitting = (
        isinstance(data.get("met"), bool)
        and isinstance(data.get("quotes", []), list)
        and all(isinstance(q, str) for q in data.get("quotes", []))
        and (data.get("sure") is None or type(data["sure"]) in (int, float))
        and data.get("kind", "a") in ("a", "b")
        and type(data.get("n", 0)) is int
        and "more" not in data
    )
    assert (parse_object(json.dumps(data), SCHEMA) is not None) == fitting


_CHECKED = {"type", "enum", "required", "properties", "items", "additionalProperties"}
_SAID = {"title", "description"}


@pytest.mark.parametrize(
    "schema",
    [
        ACTION_SCHEMA,
        patient_prompts.SCHEMA,
        chief_llm.SCHEMA,
        order_model.SCHEMA,
        result_model.SCHEMA,
        judge_prompts.SCHEMA,
    ],
)
def test_our_schemas_ask_for_nothing_that_is_not_checked(schema: dict[str, Any]) -> None:
    """And they are what OpenAI's strict mode takes: every object closed, every field required."""
    parts: list[dict[str, Any]] = [schema]
    while parts:
        part = parts.pop()
        assert set(part) <= _CHECKED | _SAID
        if part.get("type") == "object":
            assert part["additionalProperties"] is False
            assert sorted(part["required"]) == sorted(part["properties"])
        parts += part.get("properties", {}).values()
        if "items" in part:
            parts.append(part["items"])
    assert schema["title"]
