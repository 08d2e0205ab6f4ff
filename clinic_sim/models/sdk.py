"""`SdkModel`: chat completions through the official OpenAI SDK, for what only it does: Azure, other authentication.

It costs several times the processor time of the lean client, so it plays only where `client=sdk` asks for it. The SDK's
own retries are off: retrying is a layer's work. Needs the `openai` extra.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from clinic_sim.errors import BadReply, ConfigError, ProviderError, ProviderTimeout, Rejected
from clinic_sim.models.chat import Message, Reply, Schema, Tool, ToolCall, Usage
from clinic_sim.models.foreign import provider_error
from clinic_sim.models.spec import ModelSpec
from clinic_sim.models.structured import parse_object

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_WAYS = ("json_schema", "json_object", "prompt")
"""How an object can be asked for; a server that refuses one is asked in the next."""


class SdkModel:
    """A model behind the OpenAI SDK; one attempt a call.

    Azure's client is used where `AZURE_OPENAI_ENDPOINT` is set and the spec names no other base URL.

    Raises:
        ConfigError: the SDK is not installed, or there is no key.
    """

    suspends = True

    def __init__(self, spec: ModelSpec) -> None:
        if importlib.util.find_spec("openai") is None:
            raise ConfigError("the OpenAI SDK is not installed: pip install 'clinic-sim[openai]'")
        self.name = spec.name
        self.settings: Mapping[str, Any] = spec.settings()
        self._spec = spec
        self._way = spec.structured
        self._client = _client(spec)
        self._fixed = _fixed(spec)

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        schema: Schema | None = None,
        tools: Sequence[Tool] | None = None,
        seed: int | None = None,
    ) -> Reply:
        """The model's answer."""
        body = dict(self._fixed)
        if tools:
            body["tools"] = tools
        if seed is not None and self._spec.seed:
            body["seed"] = seed
        if schema is None:
            return _reply(await self._ask({**body, "messages": messages}), None)
        for way in _WAYS[_WAYS.index(self._way) :]:
            try:
                data = await self._ask({**body, **_asked(messages, schema, way)})
            except Rejected:
                if way == "prompt":
                    raise
                continue
            self._way = way  # type: ignore[assignment]
            return _reply(data, schema)
        raise AssertionError("unreachable")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _ask(self, body: dict[str, Any]) -> Any:
        try:
            async with asyncio.timeout(self._spec.attempt_s):
                raw = await self._client.chat.completions.with_raw_response.create(
                    **body, extra_body=self._spec.extra or None
                )
            return json.loads(raw.text)
        except ProviderError:
            raise
        except TimeoutError as exc:
            raise ProviderTimeout(f"{self.name}: no answer within {self._spec.attempt_s:g} s") from exc
        except ValueError as exc:
            raise BadReply(f"{self.name}: what the server sent is no JSON: {exc}") from exc
        except Exception as exc:
            found = provider_error(exc)
            raise found or ProviderError(f"{self.name}: {type(exc).__name__}: {exc}") from exc


def with_schema(messages: Sequence[Message], schema: Schema) -> list[Message]:
    """The messages with a sentence at their end that asks for an object; the prefix stays."""
    asked = "Answer with one JSON object of this JSON Schema, and nothing else:\n" + json.dumps(
        dict(schema), ensure_ascii=False
    )
    last = messages[-1]
    if last["role"] == "user" and isinstance(last["content"], str):
        return [*messages[:-1], {**last, "content": f"{last['content']}\n\n{asked}"}]
    return [*messages, {"role": "user", "content": asked}]


def _client(spec: ModelSpec) -> AsyncOpenAI:
    import openai

    timeout = openai.Timeout(spec.attempt_s, connect=spec.connect_s)
    base_url = spec.base_url or os.environ.get("OPENAI_BASE_URL")
    key = os.environ.get(spec.api_key_env)
    azure = None if base_url else os.environ.get("AZURE_OPENAI_ENDPOINT")
    if not (key or base_url or azure):
        raise ConfigError(f"{spec.name}: no key; set {spec.api_key_env}, or `base_url` to a server that wants none")
    try:
        if azure:
            # The SDK itself reads AZURE_OPENAI_API_KEY, AZURE_OPENAI_AD_TOKEN and OPENAI_API_VERSION.
            return openai.AsyncAzureOpenAI(azure_endpoint=azure, max_retries=0, timeout=timeout)
        return openai.AsyncOpenAI(api_key=key or "none", base_url=base_url, max_retries=0, timeout=timeout)
    except (openai.OpenAIError, ValueError) as exc:
        raise ConfigError(f"{spec.name}: {exc}") from exc


def _fixed(spec: ModelSpec) -> dict[str, Any]:
    """The parameters that every call is made with."""
    body: dict[str, Any] = {"model": spec.model}
    for name in ("temperature", "top_p", "reasoning_effort"):
        value = getattr(spec, name)
        if value is not None:
            body[name] = value
    if spec.max_tokens is not None:
        # OpenAI's reasoning models refuse the old name; most other servers know no other.
        own = not (spec.base_url or os.environ.get("OPENAI_BASE_URL"))
        body["max_completion_tokens" if own else "max_tokens"] = spec.max_tokens
    return body


def _asked(messages: Sequence[Message], schema: Schema, way: str) -> dict[str, Any]:
    if way == "json_schema":
        form = {"name": schema.get("title", "answer"), "schema": schema, "strict": True}
        return {"messages": messages, "response_format": {"type": "json_schema", "json_schema": form}}
    asked: dict[str, Any] = {"messages": with_schema(messages, schema)}
    if way == "json_object":
        asked["response_format"] = {"type": "json_object"}
    return asked


def _reply(data: Any, schema: Schema | None) -> Reply:
    try:
        choice = data["choices"][0]
        message = choice["message"]
        text = message.get("content") or ""
        calls = tuple(
            ToolCall(c.get("id") or "", c["function"]["name"], c["function"].get("arguments") or "")
            for c in message.get("tool_calls") or ()
        )
        told = data.get("usage")
        usage = None
        if told:
            usage = Usage(
                told["prompt_tokens"],
                told["completion_tokens"],
                (told.get("prompt_tokens_details") or {}).get("cached_tokens") or 0,
                (told.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0,
            )
        return Reply(
            text,
            parse_object(text, schema) if schema is not None else None,
            calls,
            usage,
            choice.get("finish_reason") or "stop",
            message.get("reasoning_content") or message.get("reasoning") or "",
        )
    except (KeyError, IndexError, TypeError, AttributeError) as exc:
        raise BadReply(f"the server's answer is no chat completion: {type(exc).__name__}: {exc}") from exc
