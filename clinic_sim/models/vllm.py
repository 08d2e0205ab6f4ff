"""`vllm/NAME`: a model that vLLM computes in this process; NAME is a folder or a hub name.

All models of one name and one set of engine options share one engine (`vllm_engine`), whichever role they play; it
starts with the first call and ends when the last of its models is closed. What goes in and out (chat template, tool
calls, reasoning, usage) is mapped by plain functions that need no vLLM.

`extra` holds further sampling parameters by vLLM's names, and two keys of ours: `engine` (options of
`AsyncEngineArgs`) and `chat_template_kwargs` (as vLLM's own server has it).
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from clinic_sim.errors import BadReply, ConfigError, ContextOverflow, ProviderTimeout, Rejected, Unavailable
from clinic_sim.models.chat import Message, Reply, Schema, Tool, ToolCall, Usage
from clinic_sim.models.spec import ModelSpec
from clinic_sim.models.structured import parse_object
from clinic_sim.models.usage import failed_with
from clinic_sim.models.vllm_engine import ENGINES, Engine
from clinic_sim.models.wire import EmptyReply, request_body, without_thought

_OPTIONS = {
    "disable_log_stats": True,
    # Without this, a weak model fills its reply with the blank lines that JSON allows between any two tokens.
    "structured_outputs_config": {"backend": "guidance", "disable_any_whitespace": True},
}
_NEXT_WAY = {"json_schema": "json_object", "json_object": "prompt"}
_THINK = "<think>"
_CALL = re.compile(r"<tool_call>\s*(\{.*?\})\s*(?:</tool_call>|\Z)", re.DOTALL)


class VllmModel:
    """A chat model over an engine in this process.

    Raises:
        ConfigError: vLLM is not installed, or an option of ours does not fit.
    """

    suspends = True

    def __init__(self, spec: ModelSpec) -> None:
        if importlib.util.find_spec("vllm") is None:
            raise ConfigError(f"{spec.name}: vLLM is not installed; pip install 'clinic-sim[vllm]'")
        self.name = spec.name
        self.settings: Mapping[str, Any] = spec.settings()
        self.spec = spec
        """Read by the layer of retries: an attempt keeps to `attempt_s` by itself, and loading weights is none."""
        extra = dict(spec.extra)
        options = extra.pop("engine", {})
        self._template: Any = extra.pop("chat_template_kwargs", {})
        if not isinstance(options, dict) or not isinstance(self._template, dict):
            raise ConfigError(f"{spec.name}: `engine` and `chat_template_kwargs` in `extra` are objects of options")
        self._sampling = extra
        self._options: dict[str, Any] = {**_OPTIONS, **options, "model": spec.model}
        self._engine: Engine | None = None
        self._closed = False
        self._ways: dict[str, str] = {}
        """How the schema of a title is asked for, where it is not as the spec says."""
        self._knows_tools = False

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        schema: Schema | None = None,
        tools: Sequence[Tool] | None = None,
        seed: int | None = None,
    ) -> Reply:
        """Answer; see `ChatModel.chat`."""
        if self._closed:
            raise Rejected(f"{self.name}: the model is closed")
        if self._engine is None:
            self._engine = ENGINES.take(self.name, self._options)
        engine = self._engine
        await engine.ready()
        try:
            async with asyncio.timeout(self.spec.attempt_s):
                return await engine.run(self._answer(engine, messages, schema, tools, seed))
        except TimeoutError as exc:
            raise ProviderTimeout(f"{self.name}: no reply in {self.spec.attempt_s:g} s") from exc

    async def aclose(self) -> None:
        """Give the engine back; the last one to do so ends it."""
        self._closed = True
        engine, self._engine = self._engine, None
        if engine is not None:
            await asyncio.to_thread(ENGINES.give_back, engine)

    async def _answer(
        self,
        engine: Engine,
        messages: Sequence[Message],
        schema: Schema | None,
        tools: Sequence[Tool] | None,
        seed: int | None,
    ) -> Reply:
        title = str(schema.get("title", "")) if schema is not None else ""
        way = self._ways.get(title, self.spec.structured)
        while True:
            # The wire's own body: an object that no grammar enforces is asked for in the same words as elsewhere.
            asked = request_body({}, messages, schema, None, None, way)["messages"]
            text = self._render(engine.tokenizer, asked, tools)
            ids = engine.tokenizer.encode(text, add_special_tokens=False)
            room = engine.context - len(ids)
            if room <= 0:
                raise ContextOverflow(f"{self.name}: the prompt has {len(ids)} tokens, the context {engine.context}")
            params = self._params(engine, room, schema, way, seed)
            try:
                output = await _last(engine.llm.generate({"prompt_token_ids": ids}, params, uuid4().hex))
                break
            except engine.refusals as exc:  # before anything was computed; it may be the schema that it does not take
                further = _NEXT_WAY.get(way) if schema is not None else None
                if further is None:
                    raise Rejected(f"{self.name}: {exc}") from exc
                way = further
            except Exception as exc:  # whatever broke inside the engine, the call has no answer
                raise Unavailable(f"{self.name}: the engine failed: {type(exc).__name__}: {exc}") from exc
        if way != self.spec.structured:
            self._ways[title] = way
        return reply_of(self.name, output, schema, tools, opened=text.rstrip().endswith(_THINK))

    def _render(self, tokenizer: Any, messages: Sequence[Message], tools: Sequence[Tool] | None) -> str:
        turns = [turn(self.name, m) for m in messages]

        def rendered(offered: list[Tool] | None) -> str:
            try:
                text = tokenizer.apply_chat_template(
                    turns, tools=offered, add_generation_prompt=True, tokenize=False, **self._template
                )
            except Exception as exc:  # a template is a program of the model's makers
                raise Rejected(f"{self.name}: its chat template refuses the messages: {exc}") from exc
            return str(text)

        text = rendered(list(tools) if tools else None)
        if tools and not self._knows_tools:
            if text == rendered(None):
                raise Rejected(f"{self.name}: its chat template knows no tools; use form=json or form=text")
            self._knows_tools = True
        return text

    def _params(self, engine: Engine, room: int, schema: Schema | None, way: str, seed: int | None) -> Any:
        spec = self.spec
        asked: dict[str, Any] = {**engine.defaults, **self._sampling}
        if spec.temperature is not None:
            asked["temperature"] = spec.temperature
        if spec.top_p is not None:
            asked["top_p"] = spec.top_p
        if spec.seed and seed is not None:
            asked["seed"] = seed
        most = spec.max_tokens if spec.max_tokens is not None else asked.get("max_tokens")
        asked["max_tokens"] = room if most is None else min(most, room)
        sampling = importlib.import_module("vllm.sampling_params")
        if schema is not None and way != "prompt":
            wanted: dict[str, Any] = {"json": dict(schema)} if way == "json_schema" else {"json_object": True}
            asked["structured_outputs"] = sampling.StructuredOutputsParams(**wanted)
        wrong: tuple[type[Exception], ...] = (TypeError, *engine.refusals)
        try:
            return sampling.SamplingParams(output_kind=sampling.RequestOutputKind.FINAL_ONLY, **asked)
        except wrong as exc:
            raise Rejected(f"{self.name}: vLLM does not take these parameters: {exc}") from exc


def turn(name: str, message: Message) -> dict[str, Any]:
    """A message as chat templates take it: the text as one string, a tool call's arguments as an object.

    Raises:
        Rejected: a part is no text.
    """
    content = message.get("content")
    if isinstance(content, list):
        if any(part.get("type") != "text" for part in content):
            raise Rejected(
                f"{name}: only text can be shown to a model in process; serve it with `vllm serve` for images"
            )
        content = "\n".join(part["text"] for part in content)
    found = {**message, "content": content or ""}
    if message.get("tool_calls"):
        found["tool_calls"] = [
            {**call, "function": {**call["function"], "arguments": _object(call["function"]["arguments"])}}
            for call in message["tool_calls"]
        ]
    return found


def reply_of(
    name: str, output: Any, schema: Schema | None, tools: Sequence[Tool] | None, *, opened: bool = False
) -> Reply:
    """The reply in vLLM's `RequestOutput`.

    Args:
        name: For messages.
        output: The finished output.
        schema: What was asked for.
        tools: What was offered.
        opened: The prompt itself opened the reasoning.

    Raises:
        BadReply: there is none, or an empty one.
        Unavailable: the engine broke it off.
    """
    if not output.outputs:
        raise BadReply(f"{name}: the engine gave no reply")
    first = output.outputs[0]
    usage = Usage(len(output.prompt_token_ids or ()), len(first.token_ids), output.num_cached_tokens or 0)
    if first.finish_reason not in ("stop", "length"):
        raise failed_with(Unavailable(f"{name}: the engine ended the reply: {first.finish_reason}"), usage)
    reasoning, text = split_reasoning(first.text, opened=opened)
    calls: tuple[ToolCall, ...] = ()
    if tools:
        text, calls = split_tool_calls(text, {t["function"]["name"] for t in tools})
    if not (text or calls or reasoning) and first.finish_reason != "length":
        raise failed_with(EmptyReply(f"{name}: the answer is empty"), usage)
    parsed = parse_object(text, schema) if schema is not None else None
    reason = "tool_calls" if calls and first.finish_reason == "stop" else first.finish_reason
    return Reply(text, parsed, calls, usage, reason, reasoning)


def split_reasoning(text: str, *, opened: bool = False) -> tuple[str, str]:
    """The thought at the beginning, and the text after it; a thought that was never closed is all there is."""
    whole = f"{_THINK}{text}" if opened and not text.lstrip().startswith(_THINK) else text
    said, thought = without_thought(whole)
    return thought, said.strip()


def split_tool_calls(text: str, names: set[str]) -> tuple[str, tuple[ToolCall, ...]]:
    """The text without its tool calls, and the calls.

    Two forms are read: objects in `<tool_call>` tags (Hermes, Qwen and what follows them), and a reply that is nothing
    but one object with the name of an offered tool (Llama). Other forms need `vllm serve` with its parser.
    """
    calls: list[ToolCall] = []
    for found in _CALL.finditer(text):
        call = _call(found[1], len(calls), None)
        if call is not None:
            calls.append(call)
    if calls:
        return _CALL.sub("", text).strip(), tuple(calls)
    bare = _call(text.strip(), 0, names)
    return ("", (bare,)) if bare is not None else (text, ())


def _call(text: str, n: int, names: set[str] | None) -> ToolCall | None:
    try:
        data = json.loads(text)
    except ValueError:
        return None
    if not isinstance(data, dict) or not isinstance(data.get("name"), str):
        return None
    if names is not None and data["name"] not in names:
        return None
    arguments = data.get("arguments", data.get("parameters", {}))
    return ToolCall(
        f"call_{n}",
        data["name"],
        arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False),
    )


def _object(arguments: Any) -> Any:
    """A call's arguments as templates want them; what is no JSON object stays as it is."""
    try:
        data = json.loads(arguments) if isinstance(arguments, str) else arguments
    except ValueError:
        return arguments
    return data if isinstance(data, dict) else arguments


async def _last(outputs: Any) -> Any:
    last = None
    async for output in outputs:
        last = output
    if last is None:
        raise RuntimeError("no output")
    return last
