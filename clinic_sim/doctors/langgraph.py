"""`LangGraphDoctor`: a LangGraph agent as the doctor; needs the `langchain` extra.

The agent holds the clinic's five actions as tools (`agent_tools`) and runs beside the consultation (`agent_run`). An
action is recorded, replayed and waited for as a model's reply is, whatever the agent did for it; what is counted are
the calls of its models and their tokens.
"""

from __future__ import annotations

import inspect
import math
import weakref
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any
from urllib.parse import parse_qsl

from clinic_sim.clinic import codec
from clinic_sim.clinic.actions import Action, Invalid
from clinic_sim.clinic.codec_words import explained
from clinic_sim.doctors.agent_run import AgentRun
from clinic_sim.doctors.agent_tools import ACTIONS, clinic_tools
from clinic_sim.doctors.base import Doctor, Visit
from clinic_sim.doctors.prompts import prompt_hash, system_prompt
from clinic_sim.errors import ConfigError
from clinic_sim.models.chat import Message
from clinic_sim.models.langchain import require
from clinic_sim.models.loading import load_attribute
from clinic_sim.models.usage import Prices

__all__ = ["LangGraphDoctor", "clinic_tools"]

Factory = Callable[..., Any]
"""Called with `tools: list[BaseTool]` and `instructions: str`; returns a graph whose state has `messages`."""

ROLE = "doctor"
TURN_SECONDS = 600.0
"""Longest that an agent may think about one action."""
_PRICES = ("price_in", "price_out", "price_cached")


class LangGraphDoctor(Doctor):
    """A LangGraph agent as the doctor.

    Args:
        agent: A factory, called for each patient; or a graph that was built with `clinic_tools`, shared by all.
        name: For the record.
        turn_s: Longest that it may think about one action.
        prices: What its models' tokens cost; the cost is unknown when None.

    Raises:
        ConfigError: LangChain is not installed, or the agent is neither a graph nor such a factory.
    """

    suspends = True

    def __init__(
        self,
        agent: Any,
        *,
        name: str = "langgraph/agent",
        turn_s: float = TURN_SECONDS,
        prices: Prices | None = None,
    ) -> None:
        require()
        if not hasattr(agent, "ainvoke"):
            _check_factory(agent, name)
        self.name = name
        self.settings: Mapping[str, Any] = {
            "agent": name,
            "prompt": prompt_hash("agent"),
            "langgraph": version("langgraph"),
            "langchain-core": version("langchain-core"),
        }
        if prices is not None:
            self.settings = {**self.settings, "price_in": prices.input, "price_out": prices.output}
            if prices.cached is not None:
                self.settings = {**self.settings, "price_cached": prices.cached}
        self._agent = agent
        self._turn_s = turn_s
        self._prices = prices
        self._run: AgentRun | None = None
        self._stop: Callable[[], object] | None = None

    @classmethod
    def load(cls, target: str) -> LangGraphDoctor:
        """The doctor of `module:attribute` or `file.py:attribute`, where wanted with `?price_in=...&price_out=...`.

        Raises:
            ConfigError: there is no such thing, it is no agent, or a price is none.
        """
        where, _, query = target.partition("?")
        name = f"langgraph/{where}"
        return cls(load_attribute(where, "langgraph"), name=name, prices=_prices(name, query))

    def begin(self, visit: Visit) -> None:
        """A new patient: the last one's agent is stopped."""
        super().begin(visit)
        self._halt()
        graph = self._agent
        if not hasattr(graph, "ainvoke"):
            instructions = system_prompt(visit.language, "agent")
            graph = graph(tools=clinic_tools(visit.language), instructions=instructions)
            if not hasattr(graph, "ainvoke"):
                raise ConfigError(f"{self.name}: the factory made a {type(graph).__name__}, which is no graph")
        self._messages: list[Message] = []
        self._pending = ""
        self._run = AgentRun(graph, self.name, self.settings, self._turn_s, self._prices)
        # Nobody tells a doctor that its consultation is over: the agent ends with the doctor, or with the caller.
        stop = weakref.finalize(self, self._run.cancel)
        stop.atexit = False
        self._stop = stop

    async def decide(self, observation: str) -> Action:
        """The agent's next action.

        Raises:
            ProviderError: its model failed, or it took too long.
        """
        run, messages = self._run, self._messages
        if run is None:
            raise ConfigError(f"{self.name}: its agent has been stopped; `begin` starts another")
        if self._pending:
            messages.append({"role": "tool", "tool_call_id": self._pending, "content": observation})
        else:
            messages.append({"role": "user", "content": observation})
        try:
            reply = await self.visit.calls.ask(ROLE, run, messages)
        except BaseException:
            self._halt()
            raise
        language = self.visit.language
        if not reply.tool_calls:
            self._pending = ""
            messages.append({"role": "assistant", "content": reply.text or "…"})
            return Invalid(explained("stopped", language))
        (call,) = reply.tool_calls
        self._pending = f"call{len(messages):05d}"
        function = {"name": call.name, "arguments": call.arguments}
        made = {"id": self._pending, "type": "function", "function": function}
        messages.append({"role": "assistant", "content": None, "tool_calls": [made]})
        return codec.parse({"name": ACTIONS[call.name], "arguments": call.arguments}, language)

    async def aclose(self) -> None:
        """Stop the agent; its model is the caller's."""
        self._halt()

    def _halt(self) -> None:
        stop, self._stop, self._run = self._stop, None, None
        if stop is not None:
            stop()


def _prices(name: str, query: str) -> Prices | None:
    """What tokens cost, from the part of a name after `?`; None unless both prices are given, as for any model."""
    found: dict[str, float] = {}
    for parameter, text in parse_qsl(query, keep_blank_values=True):
        if parameter not in _PRICES:
            raise ConfigError(
                f"{name}: unknown parameter {parameter!r}; there are {', '.join(_PRICES)}: "
                "what else its models are asked with, the agent itself says"
            )
        try:
            found[parameter] = float(text)
        except ValueError:
            found[parameter] = math.nan
        if not 0 <= found[parameter] < math.inf:
            raise ConfigError(f"{name}: {parameter} is {text!r}, which is no price in US dollars a million tokens")
    if "price_in" not in found or "price_out" not in found:
        return None
    return Prices(found["price_in"], found["price_out"], found.get("price_cached"))


def _check_factory(agent: Any, name: str) -> None:
    wanted = f"{name}: wants a compiled graph, or a factory called with `tools` and `instructions`"
    if not callable(agent):
        raise ConfigError(f"{wanted}, not a {type(agent).__name__}")
    try:
        inspect.signature(agent).bind(tools=[], instructions="")
    except (TypeError, ValueError) as exc:
        raise ConfigError(f"{wanted}: {exc}") from exc
