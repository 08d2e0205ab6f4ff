"""`LLMDoctor`: a chat model as the doctor, acting by tool calls, by JSON objects or by tagged text.

The conversation only ever grows at its end, so that a server keeps its prefix. The one exception is a prompt that no
longer fits the context of the model: then old turns are left out, visibly. Reasoning is dropped as soon as it arrives.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from clinic_sim.clinic import codec
from clinic_sim.clinic.actions import Action, Ask, Invalid
from clinic_sim.clinic.codec_words import explained
from clinic_sim.doctors.base import Doctor, Visit
from clinic_sim.doctors.prompts import FORMS, Form, left_out, prompt_hash, system_prompt
from clinic_sim.doctors.tools import ACTION_SCHEMA, tools
from clinic_sim.errors import ConfigError, ContextOverflow
from clinic_sim.models.chat import ChatModel, Message, Reply, ToolCall
from clinic_sim.models.keys import call_seed
from clinic_sim.models.wire import EmptyReply

ROLE = "doctor"
MAX_RECOVERIES = 2
"""Times that one turn may leave out old turns: half of them first, then all but the last."""
_OPENING = 2
"""Messages that are never left out: the system prompt and the introduction."""
_MAX_CALLS = 20
_EMPTY = "…"
"""Stands for an empty reply in the conversation: servers refuse messages without content."""
_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_UNREADABLE = "unreadable"
_SEE_FIRST = {"en": "(see the first call's result)", "zh": "（见第一个调用的结果）"}


class LLMDoctor(Doctor):
    """A chat model as the doctor.

    Args:
        model: The model; several doctors may share one, and whoever made it closes it.
        form: How it acts. `tools` and `json` need a server that supports them; `text` works with every model.

    Raises:
        ConfigError: there is no such form.
    """

    suspends = True

    def __init__(self, model: ChatModel, form: Form = "text") -> None:
        if form not in FORMS:
            raise ConfigError(f"form {form!r}; a doctor acts by {', '.join(FORMS)}")
        self.model = model
        self.form = form
        self.name = model.name
        self.settings: Mapping[str, Any] = {**model.settings, "form": form, "prompt": prompt_hash(form)}
        self.turns_left_out = 0
        """Turns of this episode that the model no longer sees; in the usage too, beside how often that was needed."""

    def begin(self, visit: Visit) -> None:
        super().begin(visit)
        self.turns_left_out = 0
        self._asked = self._empty = 0
        self._pending: list[str] = []
        self._messages: list[Message] = [
            {"role": "system", "content": system_prompt(visit.language, self.form)},
            {"role": "user", "content": visit.introduction},
        ]

    async def decide(self, observation: str) -> Action:
        """The model's next action; what it says beside or before it is dropped.

        Raises:
            ProviderError: the model gave no reply; or nothing but empty ones, as often as the clinic waits for an
                action that it can read.
        """
        self._hear(observation)
        reply = await self._ask()
        text = codec.without_reasoning(reply.text[: 2 * codec.MAX_CHARS])
        calls = reply.tool_calls[:_MAX_CALLS] if self.form == "tools" else ()
        self._say(text, calls)
        return self._action(reply, text, calls)

    async def aclose(self) -> None:
        """Close the model; for whoever made it through this doctor."""
        await self.model.aclose()

    def _hear(self, observation: str) -> None:
        messages = self._messages
        if len(messages) == _OPENING:
            if observation != self.visit.introduction:  # a caller that has more to tell before the first action
                messages[-1] = {"role": "user", "content": f"{self.visit.introduction}\n{observation}"}
            return
        if not self._pending:
            messages.append({"role": "user", "content": observation})
        for n, call_id in enumerate(self._pending):  # each call wants its own result
            content = _SEE_FIRST[self.visit.language] if n else observation
            messages.append({"role": "tool", "tool_call_id": call_id, "content": content})
        self._pending = []

    async def _ask(self) -> Reply:
        visit, form = self.visit, self.form
        for attempt in range(MAX_RECOVERIES + 1):
            n = self._asked
            self._asked = n + 1
            try:
                reply = await visit.calls.ask(
                    ROLE,
                    self.model,
                    self._messages,
                    schema=ACTION_SCHEMA if form == "json" else None,
                    tools=tools(visit.language) if form == "tools" else None,
                    seed=call_seed(visit.seed, ROLE, n),
                )
            except ContextOverflow:
                if attempt == MAX_RECOVERIES or not self._leave_out(everything=attempt > 0):
                    raise
            except EmptyReply as exc:
                self._empty += 1
                if self._empty < visit.invalid:
                    return Reply("")  # it may speak again: saying nothing costs a turn
                # No turn of these was the doctor's to be judged by: what it would have done, nobody knows.
                raise EmptyReply(f"nothing but empty replies in {self._empty} turns; the last: {exc}") from exc
            else:
                self._empty = 0
                return reply
        raise AssertionError("unreachable")

    def _leave_out(self, *, everything: bool) -> bool:
        """Drop the older half of the turns that can go, or all of them; False where there is none.

        The last turn stays: its observation is what the model has to answer.
        """
        messages = self._messages
        turns = [n for n, m in enumerate(messages) if m["role"] == "assistant"]
        droppable = len(turns) - 1
        if droppable < 1:
            return False
        going = droppable if everything else (droppable + 1) // 2
        if not self.turns_left_out:
            first = messages[_OPENING - 1]
            messages[_OPENING - 1] = {**first, "content": f"{first['content']}\n\n{left_out(self.visit.language)}"}
        del messages[_OPENING : turns[going]]
        self.turns_left_out += going
        self.visit.calls.usage[ROLE].left_out += going
        return True

    def _say(self, text: str, calls: tuple[ToolCall, ...]) -> None:
        """Append the reply as the conversation keeps it: bounded, and valid for every server."""
        if len(text) > codec.MAX_CHARS:  # nothing of it is read, so little of it is kept
            text = text[:1000] + _EMPTY
        if not calls:
            self._messages.append({"role": "assistant", "content": text or _EMPTY})
            return
        # Ids of our own: servers give none, the same ones again, or such as the next request may not hold.
        turn = self._asked % 1000
        self._pending = [f"call{turn:03d}{n:02d}" for n in range(len(calls))]
        kept = [
            {"id": call_id, "type": "function", "function": _function(call)}
            for call_id, call in zip(self._pending, calls, strict=True)
        ]
        self._messages.append({"role": "assistant", "content": text or None, "tool_calls": kept})

    def _action(self, reply: Reply, text: str, calls: tuple[ToolCall, ...]) -> Action:
        language = self.visit.language
        action: Action
        if calls:
            action = codec.parse({"tool_calls": [{"name": c.name, "arguments": c.arguments} for c in calls]}, language)
        else:
            action = codec.parse(text if reply.parsed is None else reply.parsed, language)
        if reply.finish_reason == "length":
            # Untagged text that was cut off is as likely half a thought as something to say to the patient.
            untagged = isinstance(action, Ask) and not calls and reply.parsed is None and action.text == text
            if untagged or isinstance(action, Invalid):
                return Invalid(explained("cut", language), text[:200])
        return action


def _function(call: ToolCall) -> dict[str, str]:
    """A tool call as the next request can hold it: templates read the arguments as a JSON object, and refuse others."""
    name = call.name if _TOOL_NAME.fullmatch(call.name) else _UNREADABLE
    try:
        readable = len(call.arguments) <= codec.MAX_CHARS and isinstance(json.loads(call.arguments), dict)
    except (ValueError, RecursionError):
        readable = False
    return {"name": name, "arguments": call.arguments if readable else "{}"}
