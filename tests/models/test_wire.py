"""The chat-completions wire as plain functions: what a server's answer means."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic_sim.errors import BadReply, ContextOverflow, ProviderError, RateLimited, Refusal, Rejected, Unavailable
from clinic_sim.models import wire
from clinic_sim.models.chat import Message, Usage
from clinic_sim.models.spec import ModelSpec

SCHEMA = {
    "title": "verdict",
    "type": "object",
    "properties": {"met": {"type": "boolean"}},
    "required": ["met"],
    "additionalProperties": False,
}


def said(content: Any, finish: Any = "stop", usage: Any = None, **message: Any) -> dict[str, Any]:
    """A chat completion."""
    return {"choices": [{"finish_reason": finish, "message": {"content": content, **message}}], "usage": usage}


@pytest.mark.parametrize(
    ("content", "text", "reasoning"),
    [
        ("Hello.", "Hello.", ""),
        ("<think>\nHe coughs.\n</think>\n\nHello.", "Hello.", "He coughs."),
        ("He coughs.\n</think>\nHello.", "Hello.", "He coughs."),
        ("  <THINK>a</THINK>Hello.", "Hello.", "a"),
        ("<think>cut off in the middle", "", "cut off in the middle"),
        ("BP < 90 and <b>bold</b>", "BP < 90 and <b>bold</b>", ""),
        ("I <think> so.", "I <think> so.", ""),
    ],
)
def test_a_thought_is_split_off_the_text(content: str, text: str, reasoning: str) -> None:
    reply = wire.read_reply(said(content), None)
    assert (reply.text, reply.reasoning) == (text, reasoning)


@pytest.mark.parametrize("around", ["{}", "```json\n{}\n```", "<think>Hm.</think>{}"])
def test_an_object_that_quotes_the_mark_of_a_thought_stays_whole(around: str) -> None:
    schema = {"type": "object", "properties": {"say": {"type": "string"}}, "required": ["say"]}
    text = around.replace("{}", '{"say": "You said </think> to me."}')
    assert wire.read_reply(said(text), schema).parsed == {"say": "You said </think> to me."}


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_beside_the_text_stays_beside_it(field: str) -> None:
    reply = wire.read_reply(said("Hello.", **{field: "He coughs."}), None)
    assert (reply.text, reply.reasoning) == ("Hello.", "He coughs.")


def test_an_object_is_checked_whatever_the_server_promised() -> None:
    assert wire.read_reply(said('{"met": true}'), SCHEMA).parsed == {"met": True}
    assert wire.read_reply(said('<think>{"met": false}</think>```json\n{"met": true}\n```'), SCHEMA).parsed == {
        "met": True
    }
    for text in ('{"met": "true"}', '{"met": true} Hope that helps!', '{"met": true, "more": 1}', "met", "{}"):
        reply = wire.read_reply(said(text), SCHEMA)
        assert reply.parsed is None
        assert reply.text == text


def test_usage_is_read_or_unknown_and_never_made_up() -> None:
    full = {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "prompt_tokens_details": {"cached_tokens": 64},
        "completion_tokens_details": {"reasoning_tokens": 12},
    }
    assert wire.read_reply(said("a", usage=full), None).usage == Usage(100, 20, 64, 12)
    bare = {"prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": None}
    assert wire.read_reply(said("a", usage=bare), None).usage == Usage(100, 20)
    below = {"prompt_tokens": -3, "completion_tokens": 20}
    for broken in (None, {}, below, {"prompt_tokens": 3}, {"prompt_tokens": "3", "completion_tokens": "4"}, [], "many"):
        assert wire.read_reply(said("a", usage=broken), None).usage is None


@pytest.mark.parametrize(
    ("finish", "means", "complete"),
    [
        ("stop", "stop", True),
        (None, "stop", True),
        ("eos", "stop", True),
        ("length", "length", False),
        ("max_tokens", "length", False),
        ("content_filter", "content_filter", False),
    ],
)
def test_how_an_answer_ended(finish: str | None, means: str, complete: bool) -> None:
    reply = wire.read_reply(said("Hel", finish), None)
    assert (reply.finish_reason, reply.complete) == (means, complete)


def test_tokens_spent_on_a_hidden_thought_are_a_cut_off_answer() -> None:
    reply = wire.read_reply(said(None, "length"), None)
    assert (reply.text, reply.complete) == ("", False)


def test_tool_calls_keep_their_arguments_as_written() -> None:
    calls = [
        {"id": "c1", "type": "function", "function": {"name": "ask", "arguments": '{"text": "Where'}},
        {"function": {"name": "order", "arguments": {"exams": ["ECG"]}}},
        {"id": None, "function": {"name": "conclude"}},
    ]
    reply = wire.read_reply(said(None, "stop", tool_calls=calls), None)
    assert [(c.id, c.name, c.arguments) for c in reply.tool_calls] == [
        ("c1", "ask", '{"text": "Where'),
        ("", "order", '{"exams": ["ECG"]}'),
        ("", "conclude", "{}"),
    ]
    assert reply.finish_reason == "tool_calls"


def test_text_in_parts_is_put_together() -> None:
    parts = [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo."}, {"type": "other"}, {"text": 5}, "x"]
    assert wire.read_reply(said(parts), None).text == "Hello."


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        "Hello.",
        {"choices": []},
        {"choices": None},
        {"choices": [{}]},
        {"choices": [{"message": None}]},
        {"choices": ["Hello."]},
        said(5),
        said(None, tool_calls=[{"id": "c"}]),
        said(None, tool_calls=7),
    ],
)
def test_what_is_no_completion_is_a_bad_reply(data: Any) -> None:
    with pytest.raises(BadReply) as failed:
        wire.read_reply(data, None)
    assert type(failed.value) is BadReply


@pytest.mark.parametrize("content", [None, "", []])
def test_a_model_that_says_nothing_is_told_apart_from_a_server_that_fails(content: Any) -> None:
    with pytest.raises(wire.EmptyReply):
        wire.read_reply(said(content), None)


def test_declining_is_told_apart() -> None:
    with pytest.raises(Refusal, match="cannot help"):
        wire.read_reply(said(None, refusal="I cannot help with that."), None)
    with pytest.raises(Refusal, match="filter"):
        wire.read_reply(said(None, "content_filter"), None)


@pytest.mark.parametrize(
    ("code", "kind"),
    [(429, RateLimited), (402, Rejected), ("oops", Unavailable), (None, Unavailable), (7, Unavailable)],
)
def test_a_gateway_that_fails_under_200_has_failed(code: Any, kind: type[ProviderError]) -> None:
    with pytest.raises(kind, match="the provider behind it"):
        wire.read_reply({"error": {"code": code, "message": "the provider behind it"}}, None)


OVERFLOWS = {
    "openai": '{"error":{"message":"This model\'s maximum context length is 128000 tokens. However, your messages '
    'resulted in 200000 tokens.","type":"invalid_request_error","code":"context_length_exceeded"}}',
    "vllm": '{"object":"error","message":"This model\'s maximum context length is 4096 tokens. However, you requested '
    '5000 tokens in the messages, Please reduce the length of the messages.","type":"BadRequestError","code":400}',
    "vllm, newer": '{"error":{"message":"The decoder prompt (length 9000) is longer than the maximum model length of '
    '4096. Make sure that `max_model_len` is no smaller than the number of text tokens.","code":400}}',
    "llama.cpp": '{"error":{"code":400,"message":"the request exceeds the available context size. try increasing the '
    'context size or enable context shift","type":"exceed_context_size_error","n_prompt_tokens":5000,"n_ctx":2048}}',
    "anthropic": '{"type":"error","error":{"message":"prompt is too long: 210000 tokens > 200000 maximum"}}',
    "tgi": '{"error":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096","error_type":"v"}',
}


@pytest.mark.parametrize("vendor", OVERFLOWS)
def test_a_prompt_that_is_too_long_is_known_by_every_vendors_words(vendor: str) -> None:
    for status in (400, 413, 422):
        assert type(wire.failure(status, OVERFLOWS[vendor])) is ContextOverflow


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, '{"error": {"message": "bad temperature"}}', Rejected),
        (400, "[" * 4_000, Rejected),
        (500, '{"error":' * 4_000, Unavailable),
        (400, '{"error": {"code": "content_filter", "message": "Azure"}}', Refusal),
        (401, "{}", Rejected),
        (403, "no", Rejected),
        (404, '{"detail": "Not Found"}', Rejected),
        (413, "too large", Rejected),
        (302, "", Rejected),
        (408, "", Unavailable),
        (409, "", Unavailable),
        (425, "", Unavailable),
        (429, "", RateLimited),
        (429, '{"error": {"code": "insufficient_quota", "message": "pay"}}', Rejected),
        (500, "", Unavailable),
        (502, "<html><body>Bad Gateway</body></html>", Unavailable),
        (529, "overloaded", Unavailable),
    ],
)
def test_each_status_has_its_meaning(status: int, body: str, kind: type[ProviderError]) -> None:
    error = wire.failure(status, body)
    assert type(error) is kind
    assert f"HTTP {status}" in str(error)


def test_a_servers_words_are_shortened_to_one_line_without_keys() -> None:
    error = str(
        wire.failure(401, '{"error": {"message": "Incorrect API key: sk-proj-abcdefgh12345678.\\n\\nSee\\tus."}}')
    )
    assert "abcdefgh" not in error
    assert "See us." in error
    assert len(str(wire.failure(400, "x" * 5_000))) < 330


def test_retry_after_in_seconds_and_as_a_date() -> None:
    assert wire.retry_after("7") == 7
    assert wire.retry_after("0.25") == 0.25
    assert wire.retry_after("-3") == 0
    later = wire.retry_after(format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True))
    assert later is not None
    assert 28 < later <= 30
    for nothing in (None, "", "soon", "Someday, 99 Foo"):
        assert wire.retry_after(nothing) is None


def test_asking_in_the_prompt_leaves_the_prefix_and_the_callers_messages_alone() -> None:
    messages: list[Message] = [{"role": "system", "content": "Rules."}, {"role": "user", "content": "Go."}]
    body = wire.request_body({"model": "m"}, messages, SCHEMA, None, None, "prompt")
    assert "response_format" not in body
    assert body["messages"][0] == messages[0]
    assert body["messages"][1]["content"].startswith("Go.\n\n")
    assert '"met"' in body["messages"][1]["content"]
    assert messages == [{"role": "system", "content": "Rules."}, {"role": "user", "content": "Go."}]
    picture = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]
    body = wire.request_body({"model": "m"}, [{"role": "user", "content": picture}], SCHEMA, None, None, "json_object")
    assert body["messages"][0]["content"][0] == picture[0]
    assert body["messages"][0]["content"][1]["type"] == "text"
    assert len(picture) == 1


def test_what_is_not_set_is_not_sent() -> None:
    assert wire.static_body(ModelSpec(provider="openai", model="m")) == {"model": "m"}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


def _mostly(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly what the protocol says, so that one thing at a time is wrong."""
    return st.one_of(good, good, good, _JSON)


def _object(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return _mostly(st.fixed_dictionaries({}, optional=fields) | st.fixed_dictionaries(fields))


_TEXT = _mostly(st.text(max_size=10))
_COUNT = _mostly(st.integers())
_CALL = _object(id=_TEXT, function=_object(name=_TEXT, arguments=_TEXT))
_MESSAGE = _object(
    content=_TEXT | _mostly(st.lists(_object(type=_TEXT, text=_TEXT), min_size=1, max_size=2)),
    tool_calls=_mostly(st.lists(_CALL, max_size=2)),
    reasoning_content=_TEXT,
    reasoning=_TEXT,
)
_ANSWER = _object(
    choices=_mostly(st.lists(_object(message=_MESSAGE, finish_reason=_TEXT), min_size=1, max_size=2)),
    usage=_object(
        prompt_tokens=_COUNT,
        completion_tokens=_COUNT,
        prompt_tokens_details=_object(cached_tokens=_COUNT),
        completion_tokens_details=_object(reasoning_tokens=_COUNT),
    ),
    error=_object(code=_COUNT, message=_TEXT),
)


@settings(max_examples=600)
@given(_ANSWER, st.booleans())
def test_whatever_a_server_answers_is_a_reply_or_a_failure_of_the_server(data: Any, object_wanted: bool) -> None:
    try:
        reply = wire.read_reply(data, SCHEMA if object_wanted else None)
    except ProviderError:
        return
    assert isinstance(reply.text, str)
    assert isinstance(reply.reasoning, str)
    assert all(isinstance(part, str) for call in reply.tool_calls for part in (call.id, call.name, call.arguments))
    if reply.usage is not None:
        counts = (reply.usage.input, reply.usage.output, reply.usage.cached, reply.usage.reasoning)
        assert all(type(n) is int and n >= 0 for n in counts)


@given(st.text(max_size=40) | st.floats().map(str) | st.sampled_from(["Mon, 01 Jan 0001 00:00:00 -0000", "9" * 400]))
def test_no_wish_to_wait_is_worse_than_none(header: str) -> None:
    seconds = wire.retry_after(header)
    assert seconds is None or 0 <= seconds <= float("inf")


@given(st.integers(300, 599), st.text(max_size=60) | _JSON.map(lambda data: json.dumps({"error": data})))
def test_every_failure_has_a_short_name(status: int, body: str) -> None:
    assert f"HTTP {status}" in str(wire.failure(status, body))
    assert len(str(wire.failure(status, body))) < 400
