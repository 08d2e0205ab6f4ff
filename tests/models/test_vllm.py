"""`vllm/NAME`: what goes in and out is mapped without vLLM; the engine itself runs where vLLM and a model are.

The tests of the engine want vLLM in the environment and `CLINIC_SIM_VLLM_MODEL`, a folder with a small chat model;
docs/vllm.md says how to make one from a package.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from clinic_sim.errors import BadReply, ConfigError, ContextOverflow, ProviderTimeout, Rejected, Unavailable
from clinic_sim.models.chat import ToolCall, Usage
from clinic_sim.models.spec import ModelSpec
from clinic_sim.models.vllm import VllmModel, reply_of, split_reasoning, split_tool_calls, turn

HAS_VLLM = importlib.util.find_spec("vllm") is not None
MODEL = os.environ.get("CLINIC_SIM_VLLM_MODEL", "")
ASK = {"type": "function", "function": {"name": "ask", "parameters": {"type": "object", "properties": {}}}}
SCHEMA = {
    "type": "object",
    "title": "answer",
    "properties": {
        "facts": {"type": "array", "items": {"type": "string", "enum": ["f1", "f2"]}, "maxItems": 2},
        "say": {"type": "string"},
    },
    "required": ["facts", "say"],
    "additionalProperties": False,
}


def needs_engine(test: Any) -> Any:
    """Only where vLLM and a model are; vLLM's own warnings are not ours to mend."""
    absent = pytest.mark.skipif(
        not (HAS_VLLM and MODEL), reason="wants vLLM and CLINIC_SIM_VLLM_MODEL, a folder with a small chat model"
    )
    return absent(pytest.mark.filterwarnings("default")(test))


def output(text: str, *, reason: str | None = "stop", cached: int | None = 3) -> Any:
    """A finished `RequestOutput`, as far as it is read."""
    first = SimpleNamespace(text=text, finish_reason=reason, token_ids=[5, 6])
    return SimpleNamespace(prompt_token_ids=[1, 2, 3, 4], num_cached_tokens=cached, outputs=[first])


@pytest.mark.skipif(HAS_VLLM, reason="vLLM is installed here")
def test_without_vllm_the_error_says_what_to_install() -> None:
    with pytest.raises(ConfigError, match=r"pip install 'clinic-sim\[vllm\]'"):
        VllmModel(ModelSpec.parse("vllm/some/model"))


def test_a_reply_carries_text_usage_and_reason() -> None:
    reply = reply_of("vllm/m", output(" Good morning. "), None, None)
    assert reply.text == "Good morning."
    assert reply.usage == Usage(input=4, output=2, cached=3)
    assert reply.finish_reason == "stop"
    assert reply_of("vllm/m", output("Good", reason="length", cached=None), None, None).usage == Usage(4, 2, 0)


def test_a_schema_is_read_strictly() -> None:
    good = reply_of("vllm/m", output('{"facts": ["f1"], "say": "It hurts."}'), SCHEMA, None)
    assert good.parsed == {"facts": ["f1"], "say": "It hurts."}
    cut = reply_of("vllm/m", output('{"facts": ["f1"], "say": "It', reason="length"), SCHEMA, None)
    assert cut.parsed is None
    assert not cut.complete


def test_an_empty_reply_is_no_reply_unless_it_was_cut_off() -> None:
    with pytest.raises(BadReply, match="empty") as failed:
        reply_of("vllm/m", output(" \n"), None, None)
    assert failed.value.usage == Usage(4, 2, 3, calls=0)  # it was computed all the same
    assert reply_of("vllm/m", output("", reason="length"), None, None).text == ""


@pytest.mark.parametrize("reason", ["abort", "error", None])
def test_a_reply_that_the_engine_broke_off_is_no_reply(reason: str | None) -> None:
    with pytest.raises(Unavailable, match="ended the reply"):
        reply_of("vllm/m", output("Good mor", reason=reason), None, None)


@pytest.mark.parametrize(
    ("text", "opened", "reasoning", "rest"),
    [
        ("Good morning.", False, "", "Good morning."),
        (
            "<think>It may be the heart.</think>Where does it hurt?",
            False,
            "It may be the heart.",
            "Where does it hurt?",
        ),
        ("It may be the heart.\n</think>\n\nWhere?", True, "It may be the heart.", "Where?"),
        ("<think>It may be the", False, "It may be the", ""),
        ("It may be the", True, "It may be the", ""),
        ('{"say": "</think>"}', False, "", '{"say": "</think>"}'),
    ],
)
def test_reasoning_is_kept_apart(text: str, opened: bool, reasoning: str, rest: str) -> None:
    assert split_reasoning(text, opened=opened) == (reasoning, rest)


def test_tool_calls_in_tags() -> None:
    text = 'Let me see.\n<tool_call>\n{"name": "ask", "arguments": {"text": "哪里痛？"}}\n</tool_call>'
    said, calls = split_tool_calls(text, {"ask"})
    assert said == "Let me see."
    assert calls == (ToolCall("call_0", "ask", '{"text": "哪里痛？"}'),)
    two = '<tool_call>{"name": "ask", "arguments": {"text": "a"}}</tool_call>' * 2
    assert [c.id for c in split_tool_calls(two, {"ask"})[1]] == ["call_0", "call_1"]


def test_a_call_to_an_unknown_tool_is_still_a_call_in_tags() -> None:
    """The one who offered the tools tells the model so; swallowing it would turn it into speech."""
    assert split_tool_calls('<tool_call>{"name": "fly", "arguments": {}}</tool_call>', {"ask"})[1][0].name == "fly"


def test_a_reply_that_is_one_object_is_a_call_only_to_an_offered_tool() -> None:
    said, calls = split_tool_calls('{"name": "ask", "parameters": {"text": "Where?"}}', {"ask"})
    assert said == ""
    assert json.loads(calls[0].arguments) == {"text": "Where?"}
    for text in ('{"name": "Smith"}', '{"name": 3}', "[1]", "ask", "<tool_call>{broken}</tool_call>"):
        assert split_tool_calls(text, {"ask"}) == (text, ())


def test_tool_calls_end_a_reply_as_the_wire_has_it() -> None:
    reply = reply_of("vllm/m", output('<tool_call>{"name": "ask", "arguments": {}}</tool_call>'), None, [ASK])
    assert reply.finish_reason == "tool_calls"
    assert reply.text == ""


def test_a_turn_is_what_templates_take() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "ask", "arguments": '{"text": "Where?"}'}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    found = turn("vllm/m", message)
    assert found["content"] == ""
    assert found["tool_calls"][0]["function"]["arguments"] == {"text": "Where?"}
    assert call["function"]["arguments"] == '{"text": "Where?"}', "the message that was given is not changed"
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert turn("vllm/m", {"role": "user", "content": parts})["content"] == "a\nb"
    with pytest.raises(Rejected, match="vllm serve"):
        turn("vllm/m", {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]})


def test_arguments_that_are_no_object_stay_as_they_are() -> None:
    for arguments in ("not json", '"text"'):
        call = {"id": "c", "type": "function", "function": {"name": "ask", "arguments": arguments}}
        found = turn("vllm/m", {"role": "assistant", "content": "", "tool_calls": [call]})
        assert found["tool_calls"][0]["function"]["arguments"] == arguments


def spec(**more: Any) -> ModelSpec:
    """The small model with a short context; left alone, it sometimes says nothing."""
    extra = {"engine": {"max_model_len": 1024, "enforce_eager": True, "max_num_seqs": 4}, "min_tokens": 4}
    return ModelSpec(provider="vllm", model=MODEL, max_tokens=40, temperature=0.7, extra=extra, **more)


@pytest.fixture
async def model() -> AsyncIterator[VllmModel]:
    """A model whose engine ends with the test."""
    found = VllmModel(spec())
    yield found
    await found.aclose()


HELLO = [{"role": "system", "content": "You are ill."}, {"role": "user", "content": "What brings you here?"}]


@needs_engine
async def test_the_engine_answers_counts_and_refuses(model: VllmModel) -> None:
    reply = await model.chat(HELLO, seed=1)
    assert reply.text
    assert reply.usage is not None
    assert reply.usage.input > 10
    assert 0 < reply.usage.output <= 40
    assert (await model.chat(HELLO, seed=1)).text == reply.text
    shaped = [await model.chat(HELLO, schema=SCHEMA, seed=n) for n in range(4)]
    assert all(r.parsed is not None or r.finish_reason == "length" for r in shaped)
    assert any(r.parsed is not None for r in shaped)
    odd = {"type": "object", "title": "odd", "properties": {"x": {"type": "string", "pattern": "(?<=a)b"}}}
    assert (await model.chat(HELLO, schema=odd, seed=1)).usage, "what no grammar can say is asked for in words"
    with pytest.raises(ContextOverflow, match="1024"):
        await model.chat([{"role": "user", "content": "chest pain " * 2000}])
    long = [{"role": "user", "content": "chest pain and cough " * 200}]
    first, second = await model.chat(long), await model.chat(long)
    assert first.usage is not None
    assert second.usage is not None
    assert second.usage.cached > first.usage.cached


@needs_engine
async def test_models_of_one_name_share_an_engine_until_the_last_is_closed(model: VllmModel) -> None:
    other, hurried = VllmModel(spec(top_p=0.9)), VllmModel(spec(attempt_s=0.05))
    await asyncio.gather(model.chat(HELLO), other.chat(HELLO))
    with pytest.raises(ProviderTimeout, match=r"0\.05 s"):
        await hurried.chat(HELLO)
    await other.aclose()
    await hurried.aclose()
    waiting = asyncio.ensure_future(model.chat(HELLO))
    await asyncio.sleep(0.1)
    await model.aclose()
    with pytest.raises(Unavailable, match="closed"):
        await asyncio.wait_for(waiting, 10)


@needs_engine
async def test_a_model_that_is_not_there_is_refused_at_once_and_again() -> None:
    nowhere = VllmModel(ModelSpec(provider="vllm", model=f"{MODEL}/nowhere"))
    for _ in range(2):
        with pytest.raises(Rejected, match="nowhere"):
            await asyncio.wait_for(nowhere.chat(HELLO), 60)
    await nowhere.aclose()
