"""The chat-completions wire as plain functions: our arguments to a body, an answer to a `Reply` or an error.

Shared by the lean client and the official SDK, so that both mean the same.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

from clinic_sim.errors import (
    BadReply,
    ContextOverflow,
    ProviderError,
    RateLimited,
    Refusal,
    Rejected,
    Unavailable,
)
from clinic_sim.models.chat import Message, Reply, Schema, Tool, ToolCall, Usage
from clinic_sim.models.spec import ModelSpec
from clinic_sim.models.structured import parse_object
from clinic_sim.models.usage import failed_with

OPENAI_URL = "https://api.openai.com/v1"
STRUCTURED = ("json_schema", "json_object", "prompt")
"""Ways to ask for an object, each for servers that refuse the one before."""
_SHOWN = 300
_THINK = re.compile(r"\A\s*<(think|thinking|reasoning)>(.*?)(?:</\1>|\Z)", re.IGNORECASE | re.DOTALL)
_THOUGHT_END = "</think>"
_OVERFLOW = re.compile(
    r"context_length_exceeded|maximum context length|context window|exceeds? the (?:available |model's )?context"
    r"|prompt is too long|longer than the (?:maximum )?(?:model|context)|too many tokens|exceed_context_size"
    r"|exceeds? the maximum number of (?:input )?tokens|input is too long|`inputs` tokens",
    re.IGNORECASE,
)
_FINISHES = {
    "stop": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}
"""What servers call the end of an answer; any other word is an ordinary end."""
_OBJECT = (dict, Mapping)
"""An object of JSON: nearly always a dict, which is told much sooner."""
_KEYLIKE = re.compile(r"\b(?:sk|key|Bearer)[-_ ][A-Za-z0-9_\-]{8,}")


class EmptyReply(BadReply):
    """A completion that is whole and holds nothing: it is the model that had nothing to say, not its server."""


def static_body(spec: ModelSpec, *, newer_limit: bool = False) -> dict[str, Any]:
    """The part of the body that is the same in every request of a model."""
    body: dict[str, Any] = {"model": spec.model}
    for name in ("temperature", "top_p", "reasoning_effort"):
        value = getattr(spec, name)
        if value is not None:
            body[name] = value
    if spec.max_tokens is not None:
        body["max_completion_tokens" if newer_limit else "max_tokens"] = spec.max_tokens
    return body | spec.extra


def request_body(
    static: Mapping[str, Any],
    messages: Sequence[Message],
    schema: Schema | None,
    tools: Sequence[Tool] | None,
    seed: int | None,
    structured: str,
) -> dict[str, Any]:
    """The body of one request; neither the messages nor the static part are changed."""
    body = {**static, "messages": messages}
    if seed is not None:
        body["seed"] = seed
    if tools:
        body["tools"] = tools
    if schema is None:
        return body
    if structured == "json_schema":
        form = {"name": schema.get("title", "answer"), "strict": True, "schema": schema}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
        return body
    if structured == "json_object":
        body["response_format"] = {"type": "json_object"}
    # The wish stands at the end of the last message, so that the prefix before it stays what it was.
    wish = "Answer with one JSON object of this JSON Schema and nothing else: " + json.dumps(schema, ensure_ascii=False)
    *before, last = messages
    content = last["content"]
    wished = [*content, {"type": "text", "text": wish}] if isinstance(content, list) else f"{content}\n\n{wish}"
    body["messages"] = [*before, {**last, "content": wished}]
    return body


def read_reply(data: Any, schema: Schema | None) -> Reply:
    """The reply that an answer's JSON holds.

    Raises:
        BadReply: it is no chat completion, or an empty one.
        Refusal: the model or its filter declined.
    """
    try:
        return _reply(data, schema)
    except ProviderError as exc:
        failed_with(exc, read_usage(data.get("usage") if isinstance(data, Mapping) else None))
        raise


def _reply(data: Any, schema: Schema | None) -> Reply:
    try:
        choice = data["choices"][0]
        message = choice["message"]
        content = message.get("content")
        finish = _FINISHES.get(choice.get("finish_reason"), "stop")
        raw_calls = message.get("tool_calls") or ()
        calls = tuple(_tool_call(c) for c in raw_calls)
    except (KeyError, IndexError, TypeError, AttributeError) as exc:
        if isinstance(data, Mapping) and isinstance(data.get("error"), Mapping):
            raise _gateway_failure(data) from exc
        raise BadReply(f"the answer is no chat completion: {shown(data)}") from exc
    if isinstance(content, list):
        content = "".join(p["text"] for p in content if isinstance(p, dict) and isinstance(p.get("text"), str))
    if content is not None and not isinstance(content, str):
        raise BadReply(f"the answer's content is no text: {shown(content)}")
    declined = message.get("refusal")
    if declined:
        raise Refusal(f"the model declined: {shown(declined)}")
    if finish == "content_filter" and not content:
        raise Refusal("the server's content filter held the answer back")
    reasoning = message.get("reasoning_content") or message.get("reasoning") or ""
    text = content or ""
    if "<" in text:
        text, thought = without_thought(text)
        reasoning = reasoning or thought
    # A model may have spent all its tokens on a thought that the server keeps to itself: that is a cut-off answer.
    if not content and not calls and not reasoning and finish != "length":
        raise EmptyReply("the answer is empty")
    return Reply(
        text,
        parse_object(text, schema) if schema is not None else None,
        calls,
        read_usage(data.get("usage")),
        "tool_calls" if calls and finish == "stop" else finish,
        reasoning if isinstance(reasoning, str) else "",
    )


def without_thought(text: str) -> tuple[str, str]:
    """An answer without the thought at its start, and the thought; one that was never closed is all thought."""
    found = _THINK.match(text)
    if found:
        return text[found.end() :].lstrip(), found[2].strip()
    if text.lstrip().startswith(("{", "```")):  # an object, which may quote somebody who says such a mark
        return text, ""
    # Some chat templates open the thought themselves, so that only its end is in the answer.
    thought, end, rest = text.partition(_THOUGHT_END)
    return (rest.lstrip(), thought.strip()) if end else (text, "")


def _gateway_failure(data: Mapping[str, Any]) -> ProviderError:
    """What a gateway says of the server behind it, under a status of its own of 200."""
    code = data["error"].get("code")
    status = code if isinstance(code, int) and 400 <= code < 600 else 502
    return failure(status, json.dumps(data, ensure_ascii=False, default=str))


def _tool_call(data: Mapping[str, Any]) -> ToolCall:
    function = data["function"]
    arguments = function.get("arguments")
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments if arguments is not None else {}, ensure_ascii=False)
    return ToolCall(str(data.get("id") or ""), str(function["name"]), arguments)


def read_usage(data: Any) -> Usage | None:
    """The tokens that a `usage` object tells; None where it tells none."""
    if not isinstance(data, _OBJECT):
        return None
    prompt, completion = _count(data.get("prompt_tokens")), _count(data.get("completion_tokens"))
    if prompt is None or completion is None:
        return None
    of_prompt, of_completion = data.get("prompt_tokens_details"), data.get("completion_tokens_details")
    cached = _count(of_prompt.get("cached_tokens")) if of_prompt and isinstance(of_prompt, _OBJECT) else None
    reasoning = (
        _count(of_completion.get("reasoning_tokens")) if of_completion and isinstance(of_completion, _OBJECT) else None
    )
    return Usage(prompt, completion, cached or 0, reasoning or 0)


def _count(found: object) -> int | None:
    return found if type(found) is int and found >= 0 else None


def failure(status: int, body: str) -> ProviderError:
    """The error that an HTTP status and body mean."""
    told = f"HTTP {status}: {error_message(body)}"
    if status in (400, 413, 422) and _OVERFLOW.search(body):
        return ContextOverflow(told)
    if status == 429:
        # Money does not come back by waiting.
        return Rejected(told) if "insufficient_quota" in body else RateLimited(told)
    if status >= 500 or status in (408, 409, 425):
        return Unavailable(told)
    if status == 400 and re.search(r"content_filter|content management policy", body):
        return Refusal(told)
    return Rejected(told)


def retry_after(header: str | None) -> float | None:
    """Seconds that a Retry-After header asks for, given in seconds or as an HTTP date; None where it says nothing."""
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(header)
    except (TypeError, ValueError):
        return None
    return max(0.0, at.timestamp() - time.time())


def error_message(body: str) -> str:
    """What a server said, in one short line without anything that looks like a key."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = body
    if isinstance(data, dict):
        data = data.get("error", data.get("detail", data.get("message", data)))
        if isinstance(data, dict):
            data = data.get("message", data)
    return shown(data)


def shown(data: Any) -> str:
    """Foreign data in one short printable line."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, default=str)
    text = _KEYLIKE.sub("***", " ".join(text[: 4 * _SHOWN].split()))
    return text[:_SHOWN] + ("…" if len(text) > _SHOWN else "")
