"""`LangChainModel`: any `BaseChatModel` of LangChain as a chat model; needs the `langchain` extra.

Its transcripts stay here: LangChain's tracing, which environment variables switch on, is off for these calls unless
`CLINIC_SIM_ALLOW_TRACING=1` is set too.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from clinic_sim.errors import BadReply, ConfigError, ProviderError, ProviderTimeout, Refusal, Rejected
from clinic_sim.models import wire
from clinic_sim.models.chat import Message, Reply, Schema, Tool, ToolCall, Usage
from clinic_sim.models.foreign import provider_error
from clinic_sim.models.loading import load_attribute
from clinic_sim.models.spec import ModelSpec
from clinic_sim.models.structured import fits, parse_object
from clinic_sim.models.usage import failed_with

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage

ALLOW_TRACING = "CLINIC_SIM_ALLOW_TRACING"
_OLD_TRACING = ("LANGCHAIN_TRACING", "LANGCHAIN_HANDLER")
_INSTALL = "LangChain is not installed: pip install 'clinic-sim[langchain]'"
_FINISHES = {
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "safety": "content_filter",
    "refusal": "content_filter",
    "blocklist": "content_filter",
    "prohibited_content": "content_filter",
}
"""What providers call the end of an answer; any other word is an ordinary end."""
_NO_SCHEMAS = (NotImplementedError, TypeError, ValueError)
"""What `with_structured_output` raises where a model has no such thing."""


class LangChainModel:
    """A LangChain model.

    Args:
        spec: Its `model` is `module:attribute` or `file.py:attribute`: a model, or a function that makes one.
        model: The model itself, where it is there already.

    Raises:
        ConfigError: LangChain is not installed, or the attribute is no chat model.
    """

    suspends = True

    def __init__(self, spec: ModelSpec, *, model: BaseChatModel | None = None) -> None:
        require()
        self._model = load_model(spec.model) if model is None else model
        self.spec = spec
        self._options = _options(spec, self._model)
        self._takes_seed = spec.seed and "seed" in type(self._model).model_fields
        self._schemas = spec.structured != "prompt"
        self._with_tools: dict[int, tuple[Sequence[Tool], Any]] = {}
        self.name = spec.name
        self.settings: Mapping[str, Any] = {
            **spec.settings(),
            "class": type(self._model).__name__,
            "seed": self._takes_seed,
        }

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        schema: Schema | None = None,
        tools: Sequence[Tool] | None = None,
        seed: int | None = None,
    ) -> Reply:
        """The model's answer; one attempt."""
        options = dict(self._options)
        if self._takes_seed and seed is not None:
            options["seed"] = seed
        try:
            with untraced():
                async with asyncio.timeout(self.spec.attempt_s):
                    if schema is not None:
                        return await self._structured(list(messages), schema, options)
                    asked = self._model if not tools else self._bound(tools)
                    return reply(await asked.ainvoke(list(messages), **options))
        except ProviderError:
            raise
        except TimeoutError as exc:
            raise ProviderTimeout(f"{self.name}: no answer within {self.spec.attempt_s:g} s") from exc
        except Exception as exc:
            found = provider_error(exc)
            raise found or ProviderError(f"{self.name}: {type(exc).__name__}: {exc}") from exc

    async def aclose(self) -> None:
        """LangChain's models close themselves."""

    def _bound(self, tools: Sequence[Tool]) -> Any:
        known = self._with_tools.get(id(tools))
        if known is None or known[0] is not tools:
            if len(self._with_tools) > 8:
                self._with_tools.clear()
            known = self._with_tools[id(tools)] = (tools, self._model.bind_tools([dict(t) for t in tools]))
        return known[1]

    async def _structured(self, messages: list[Message], schema: Schema, options: dict[str, Any]) -> Reply:
        if self._schemas:
            method = {"method": "json_mode"} if self.spec.structured == "json_object" else {}
            try:
                asked: Any = self._model.with_structured_output(dict(schema), include_raw=True, **method)
            except _NO_SCHEMAS:
                self._schemas = False
            else:
                try:
                    found = await asked.ainvoke(messages, **options)
                    return _object(found, schema)
                except Exception as exc:
                    if not isinstance(provider_error(exc), Rejected):
                        raise
                    # Refused for the schema or for something else: without the schema it shows.
        answer = reply(
            await self._model.ainvoke(
                wire.request_body({}, messages, schema, None, None, "prompt")["messages"], **options
            )
        )
        self._schemas = False
        return Reply(
            answer.text,
            parse_object(answer.text, schema),
            usage=answer.usage,
            finish_reason=answer.finish_reason,
            reasoning=answer.reasoning,
        )


def require() -> None:
    """See that LangChain can be used.

    Raises:
        ConfigError: it is not installed, or the environment makes it refuse to run untraced.
    """
    if importlib.util.find_spec("langchain_core") is None:
        raise ConfigError(_INSTALL)
    old = next((n for n in _OLD_TRACING if os.environ.get(n, "") not in ("", "0", "false", "False")), None)
    if old is not None and not _may_trace():
        raise ConfigError(
            f"{old} is set, and LangChain refuses to run with it unless everything is traced: unset it, "
            f"or set LANGSMITH_TRACING=true and {ALLOW_TRACING}=1 if transcripts may leave this machine"
        )


def untraced() -> AbstractContextManager[Any]:
    """No LangSmith tracing inside, unless the user allows it: a transcript leaves this process only when told to."""
    if _may_trace():
        return contextlib.nullcontext()
    from langsmith.run_helpers import tracing_context

    return tracing_context(enabled=False)


def _may_trace() -> bool:
    return os.environ.get(ALLOW_TRACING) == "1"


def load_model(target: str) -> BaseChatModel:
    """The chat model that `module:attribute` or `file.py:attribute` is or makes.

    Raises:
        ConfigError: it cannot be imported, or is no chat model.
    """
    require()
    from langchain_core.language_models import BaseChatModel

    found = load_attribute(target, "langchain")
    if callable(found) and not isinstance(found, BaseChatModel):
        try:
            found = found()
        except Exception as exc:
            raise ConfigError(f"langchain/{target}: it raised {type(exc).__name__}: {exc}") from exc
    if not isinstance(found, BaseChatModel):
        raise ConfigError(f"langchain/{target}: wants a BaseChatModel or a function that makes one, not {_kind(found)}")
    return found


def reply(message: AIMessage) -> Reply:
    """A message of LangChain's as a reply.

    Raises:
        Refusal: the model declined.
        EmptyReply: it holds nothing.
    """
    metadata = message.response_metadata
    finish = str(
        metadata.get("finish_reason") or metadata.get("stop_reason") or metadata.get("done_reason") or "stop"
    ).lower()
    calls = [ToolCall(c["id"] or "", c["name"], json.dumps(c["args"], ensure_ascii=False)) for c in message.tool_calls]
    calls += [ToolCall(c["id"] or "", c["name"] or "", c["args"] or "") for c in message.invalid_tool_calls]
    text, reasoning = _texts(message)
    if "<" in text:
        text, thought = wire.without_thought(text)
        reasoning = reasoning or thought
    declined = message.additional_kwargs.get("refusal")
    if declined:
        raise failed_with(Refusal(f"the model declined: {wire.shown(declined)}"), usage(message))
    end = _FINISHES.get(finish, "stop")
    if end == "content_filter" and not text:
        raise failed_with(Refusal("the server's content filter held the answer back"), usage(message))
    if not (text or calls or reasoning) and end != "length":
        raise failed_with(wire.EmptyReply("the answer is empty"), usage(message))
    return Reply(text, tool_calls=tuple(calls), usage=usage(message), finish_reason=end, reasoning=reasoning)


def usage(message: Any) -> Usage | None:
    """The tokens that a message reports; None where it reports none."""
    told = getattr(message, "usage_metadata", None)
    if not told:
        return None
    return Usage(
        told.get("input_tokens", 0),
        told.get("output_tokens", 0),
        (told.get("input_token_details") or {}).get("cache_read") or 0,
        (told.get("output_token_details") or {}).get("reasoning") or 0,
    )


def _texts(message: AIMessage) -> tuple[str, str]:
    """What the message says, and what the model thought."""
    thought = message.additional_kwargs.get("reasoning_content")
    reasoning = [thought] if isinstance(thought, str) else []
    if isinstance(message.content, str):
        return message.content, "".join(reasoning)
    said: list[str] = []
    for block in message.content:
        if isinstance(block, str):
            said.append(block)
        elif block.get("type") in ("text", "output_text"):
            said.append(str(block.get("text", "")))
        elif block.get("type") in ("thinking", "reasoning"):
            reasoning.append(str(block.get("thinking") or block.get("reasoning") or ""))
    return "".join(said), "".join(reasoning)


def _object(found: Any, schema: Schema) -> Reply:
    """The reply of a structured call: the object where the model gave one that fits, else its words."""
    raw = found.get("raw") if isinstance(found, Mapping) else None
    if raw is None:
        raise BadReply(f"a structured call wants a message, not {_kind(found)}")
    answer, parsed = reply(raw), found.get("parsed")
    if not (isinstance(parsed, dict) and fits(parsed, schema)):
        parsed = parse_object(answer.text, schema)
    text = answer.text or (json.dumps(parsed, ensure_ascii=False) if parsed else "")
    # Models without a schema mode answer by a tool of the schema's name; that is how it was asked, not an action.
    finish = "stop" if answer.finish_reason == "tool_calls" else answer.finish_reason
    return Reply(text, parsed, usage=answer.usage, finish_reason=finish, reasoning=answer.reasoning)


def _options(spec: ModelSpec, model: BaseChatModel) -> dict[str, Any]:
    """The parameters that every call is made with."""
    options: dict[str, Any] = {
        name: value
        for name in ("temperature", "top_p", "reasoning_effort")
        if (value := getattr(spec, name)) is not None
    }
    names = {n for f, info in type(model).model_fields.items() for n in (f, info.alias)}
    if spec.max_tokens is not None and "max_tokens" in names:  # others name it otherwise, and set it themselves
        options["max_tokens"] = spec.max_tokens
    return {**options, **spec.extra}


def _kind(value: object) -> str:
    return f"a {type(value).__name__}"
