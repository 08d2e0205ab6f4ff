"""The line that names a model: what it means, and that a wrong one is named as such, whatever it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_sim.errors import ConfigError
from clinic_sim.models.build import make_model
from clinic_sim.models.spec import ModelSpec


def test_a_line_says_everything() -> None:
    spec = ModelSpec.parse(
        "openai/org/model-1:free?temperature=0&seed=false&max_tokens=5&base_url=http://h:1/v1&extra="
        + quote('{"a": {"b": [1, "&=+"]}}')
    )
    assert (spec.provider, spec.model, spec.name) == ("openai", "org/model-1:free", "openai/org/model-1:free")
    assert (spec.temperature, spec.seed, spec.max_tokens, spec.base_url) == (0, False, 5, "http://h:1/v1")
    assert spec.extra == {"a": {"b": [1, "&=+"]}}
    assert spec.top_p is None
    assert spec.settings() == {
        "model": "openai/org/model-1:free",
        "temperature": 0,
        "seed": False,
        "max_tokens": 5,
        "base_url": "http://h:1/v1",
        "extra": {"a": {"b": [1, "&=+"]}},
    }


def test_defaults_are_for_what_the_line_leaves_out() -> None:
    assert ModelSpec.parse("openai/m", max_tokens=9).max_tokens == 9
    assert ModelSpec.parse("openai/m?max_tokens=5", max_tokens=9).max_tokens == 5
    assert ModelSpec.parse("openai/m", max_tokens=9).settings()["max_tokens"] == 9


def test_the_name_of_the_keys_variable_is_not_in_the_record() -> None:
    assert "api_key_env" not in ModelSpec.parse("openai/m?api_key_env=MINE").settings()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "providers are openai, vllm, langchain, scripted"),
        ("gpt-4o", "providers are"),
        ("openai", "providers are"),
        ("openai/", "providers are"),
        ("OpenAI/m", "providers are"),
        ("openai/m?temprature=1", "unknown parameter 'temprature'"),
        ("openai/m?temperature=", "temperature"),
        ("openai/m?temperature=hot", "temperature"),
        ("openai/m?temperature=-1", "temperature"),
        ("openai/m?temperature=nan", "temperature"),
        ("openai/m?temperature=inf", "temperature"),
        ("openai/m?temperature=1e999", "temperature"),
        ("openai/m?temperature=0&temperature=1", "twice"),
        ("openai/m?top_p=0", "top_p"),
        ("openai/m?max_tokens=0", "max_tokens"),
        ("openai/m?max_tokens=1.5", "max_tokens"),
        ("openai/m?attempts=1000", "attempts"),
        ("openai/m?concurrency=0", "concurrency"),
        ("openai/m?structured=xml", "structured"),
        ("openai/m?form=poem", "form"),
        ("openai/m?client=curl", "client"),
        ("openai/m?extra=5", "extra"),
        ("openai/m?extra=[]", "extra"),
        ("openai/m?extra={", "extra"),
        ('openai/m?extra={"a": NaN}', "extra"),
        ("openai/m?extra=" + "[" * 100_000, "extra"),
        ("openai/m?extra=" + '{"a":' * 100_000, "extra"),
        ("openai/m?model=other", "model"),
        ("openai/m?provider=vllm", "provider"),
        ("openai/m?api_key_env=", "api_key_env"),
        ("openai/m?base_url=", "base_url"),
        ("openai/" + "m" * 501, "model"),
        ("openai/m?price_in=-1", "price_in"),
    ],
)
def test_what_cannot_be_meant_is_named(text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        ModelSpec.parse(text)


@pytest.mark.parametrize("text", ["openai/m?api_key=sk-abcdef123456", "openai/m?key=opaque-words-0123&seed=maybe"])
def test_a_key_that_stands_where_none_belongs_is_not_repeated(text: str) -> None:
    with pytest.raises(ConfigError) as failed:
        ModelSpec.parse(text)
    assert "abcdef" not in str(failed.value)
    assert "opaque" not in str(failed.value)


_NAMES = st.sampled_from([*ModelSpec.model_fields, "key", ""])
_VALUES = (
    st.text(max_size=20)
    | st.integers().map(str)
    | st.floats().map(str)
    | st.sampled_from(["true", "null", "{}", "[[", '{"a":1e999}', "9" * 5_000])
)
_QUERIES = st.lists(st.tuples(_NAMES, _VALUES), max_size=4).map(
    lambda pairs: "&".join(f"{k}={quote(v, errors='surrogatepass')}" for k, v in pairs)
)


@given(st.text(max_size=60) | st.builds(lambda m, q: f"openai/{m}?{q}", st.text(max_size=20), _QUERIES))
def test_no_line_raises_anything_but_a_config_error(text: str) -> None:
    try:
        spec = ModelSpec.parse(text)
    except ConfigError:
        return
    settings = spec.settings()
    assert json.loads(json.dumps(settings, allow_nan=False)) == settings


@given(_QUERIES)
def test_no_line_makes_a_model_that_fails_otherwise(query: str) -> None:
    try:
        model = make_model(f"openai/m?base_url=http://127.0.0.1:9/v1&{query}")
    except ConfigError:
        return
    assert model.name == "openai/m"
    assert model.suspends


def _script(path: Path, data: Any) -> str:
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return f"scripted/{path}"


async def test_a_script_is_read_and_played(tmp_path: Path) -> None:
    usage = {"input": 3, "output": 4}
    call = {"id": "c", "name": "ask", "arguments": "{}"}
    name = _script(tmp_path / "s.json", ["one", {"text": "two", "usage": usage, "tool_calls": [call]}])
    model = make_model(name, role="doctor", max_tokens=9)
    assert model.name == name
    assert not model.suspends
    first, *others = [await model.chat([{"role": "user", "content": "Hi."}]) for _ in range(3)]
    assert first.text == "one"
    for other in others:  # the last one again and again
        assert (other.text, other.finish_reason, other.tool_calls[0].name) == ("two", "tool_calls", "ask")
    await model.aclose()


@pytest.mark.parametrize(
    "data",
    [
        [],
        {},
        "",
        "{",
        "[" * 100_000,
        [5],
        ["one", None],
        [{"txt": "typo"}],
        [{"text": 5}],
        [{"text": "x", "usage": 5}],
        [{"text": "x", "usage": {"tokens": 5}}],
        [{"text": "x", "tool_calls": [{"name": "ask"}]}],
        [{"text": "x", "tool_calls": 5}],
    ],
)
def test_a_script_that_is_none_is_named(tmp_path: Path, data: Any) -> None:
    with pytest.raises(ConfigError, match="script"):
        make_model(_script(tmp_path / "s.json", data))


def test_a_script_that_is_not_there_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path, Path("\0")):
        with pytest.raises(ConfigError, match="script"):
            make_model(f"scripted/{path}")
    (tmp_path / "latin.json").write_bytes(b'["\xe9"]')
    with pytest.raises(ConfigError, match="script"):
        make_model(f"scripted/{tmp_path / 'latin.json'}")
