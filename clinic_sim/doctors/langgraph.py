"""`LangGraphDoctor`: a LangGraph agent as the doctor; needs the `langchain` extra.

The agent holds the clinic's five actions as tools. It runs as one task beside the consultation: each tool call hands an
action over and waits for the observation, which the next `decide` brings. To the episode's calls an action is one call,
whatever the agent did for it: so it is recorded, replayed and waited for as a model's reply is, and its tokens count.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import uuid
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any, Final

from clinic_sim.clinic import codec
from clinic_sim.clinic.actions import Action, Invalid
from clinic_sim.clinic.codec_words import explained
from clinic_sim.doctors.agent_tools import ACTIONS, clinic_tools, running
from clinic_sim.doctors.base import Doctor, Visit
from clinic_sim.doctors.prompts import prompt_hash, system_prompt
from clinic_sim.errors import BadReply, ConfigError, ProviderTimeout
from clinic_sim.models.chat import Message, Reply, Schema, Tool, ToolCall, Usage
from clinic_sim.models.foreign import provider_error
from clinic_sim.models.langchain import require, untraced, usage
from clinic_sim.models.loading import load_attribute

__all__ = ["LangGraphDoctor", "clinic_tools"]

Factory = Callable[..., Any]
"""Called with `tools: list[BaseTool]` and `instructions: str`; returns a graph whose state has `messages`."""

ROLE = "doctor"
TURN_SECONDS = 600.0
"""Longest that an agent may think about one action."""
_STEPS = 10_000
"""Steps of the graph in one episode; the clinic's own budgets end it long before."""


class LangGraphDoctor(Doctor):
    """A LangGraph agent as the doctor.

    Args:
        agent: A factory, called for each patient; or a graph that was built with `clinic_tools`, shared by all.
        name: For the record.
        turn_s: Longest that it may think about one action.

    Raises:
        ConfigError: LangChain is not installed, or the agent is neither a graph nor such a factory.
    """

    suspends = True

    def __init__(self, agent: Any, *, name: str = "langgraph/agent", turn_s: float = TURN_SECONDS) -> None:
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
        self._agent = agent
        self._turn_s = turn_s
        self._run: _Run | None = None
        self._stop: Callable[[], object] | None = None

    @classmethod
    def load(cls, target: str) -> LangGraphDoctor:
        """The doctor of `module:attribute` or `file.py:attribute`.

        Raises:
            ConfigError: there is no such thing, or it is no agent.
        """
        return cls(load_attribute(target, "langgraph"), name=f"langgraph/{target}")

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
        self._run = _Run(graph, self.name, self.settings, self._turn_s)
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


class _Run:
    """One agent on one patient, with the face of a chat model whose replies are actions.

    It must not know its doctor: it is stopped when nobody holds the doctor any more.
    """

    suspends = True

    def __init__(self, graph: Any, name: str, settings: Mapping[str, Any], turn_s: float) -> None:
        self.name = name
        self.settings = settings
        self._graph = graph
        self._turn_s = turn_s
        self._state: list[Any] | None = None
        """The agent's own conversation, when it has stopped."""
        self._handed: asyncio.Queue[_Handed | Exception | None] = asyncio.Queue()
        """Actions that wait to be played; None when the agent stopped, an exception when it failed."""
        self._asked: asyncio.Future[str] | None = None
        """Where the observation of the action being played is awaited."""
        self._spent: list[Usage | None] = []
        """Tokens of the agent's model calls since its last action."""
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._owner: asyncio.Task[Any] | None = None

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        schema: Schema | None = None,
        tools: Sequence[Tool] | None = None,
        seed: int | None = None,
    ) -> Reply:
        """The agent's next action as a tool call; a reply without one says that it stopped.

        The consultation so far is read only by an agent that starts in the middle, after a recording ended.
        """
        observation = messages[-1]["content"]
        asked, self._asked = self._asked, None
        if asked is not None:
            if not asked.done():
                asked.set_result(observation)
        elif self._state is not None:
            self._start([*self._state, {"role": "user", "content": observation}])
        else:
            self._start(list(messages))
        try:
            async with asyncio.timeout(self._turn_s):
                handed = await self._handed.get()
        except TimeoutError as exc:
            raise ProviderTimeout(f"{self.name}: no action within {self._turn_s:g} s") from exc
        if isinstance(handed, Exception):
            raise handed
        spent, self._spent = self._spent, []
        if handed is None:
            return Reply(self._last_words(), usage=_sum(spent))
        self._asked = handed.observation
        call = ToolCall("", handed.tool, json.dumps(handed.arguments, ensure_ascii=False, default=str))
        return Reply("", tool_calls=(call,), usage=_sum(spent), finish_reason="tool_calls")

    async def aclose(self) -> None:
        """Stop the agent."""
        self.cancel()

    def _start(self, messages: list[Any]) -> None:
        self._loop = asyncio.get_running_loop()
        if self._owner is None:
            self._owner = asyncio.current_task()
            if self._owner is not None:
                self._owner.add_done_callback(self._owner_done)
        self._task = self._loop.create_task(self._play(messages), name="clinic_sim-agent")

    def _last_words(self) -> str:
        content = getattr(self._state[-1], "content", "") if self._state else ""
        return content[:1000] if isinstance(content, str) else ""

    def cancel(self) -> None:
        """Stop the agent; from any thread, any number of times."""
        task, loop, owner = self._task, self._loop, self._owner
        self._task = self._owner = None
        if loop is None or loop.is_closed():
            return
        if owner is not None:
            owner.remove_done_callback(self._owner_done)
        if task is not None and not task.done():
            loop.call_soon_threadsafe(task.cancel)

    def _owner_done(self, _: object) -> None:
        self.cancel()

    def _count(self, spent: Usage | None) -> None:
        self._spent.append(spent)

    async def _act(self, tool: str, arguments: Mapping[str, Any]) -> str:
        handed = _Handed(tool, arguments)
        self._handed.put_nowait(handed)
        return await handed.observation

    async def _play(self, messages: list[Any]) -> None:
        """Let the agent run until it stops by itself."""
        running.set(self._act)
        try:
            with untraced():
                state = await self._graph.ainvoke(
                    {"messages": messages},
                    config={
                        "callbacks": [_counter_class()(self._count)],
                        "recursion_limit": _STEPS,
                        "configurable": {"thread_id": uuid.uuid4().hex},  # a checkpointer must not mix patients
                    },
                )
            if not isinstance(state, Mapping) or not isinstance(state.get("messages"), list):
                raise BadReply(f"{self.name}: the graph's state has no list of `messages`")
            self._state = state["messages"]
        except Exception as exc:  # noqa: BLE001 - it is raised where the action is awaited
            if type(exc).__name__ == "GraphRecursionError":
                exc = BadReply(f"{self.name}: {_STEPS} steps without an end")
            found = provider_error(exc)
            if found is not None and found is not exc:
                found.__cause__ = exc
            self._handed.put_nowait(found or exc)
        else:
            self._handed.put_nowait(None)


class _Handed:
    """One tool call of the agent's."""

    __slots__ = ("arguments", "observation", "tool")

    def __init__(self, tool: str, arguments: Mapping[str, Any]) -> None:
        self.tool: Final = tool
        self.arguments: Final = arguments
        self.observation: Final[asyncio.Future[str]] = asyncio.get_running_loop().create_future()


@cache
def _counter_class() -> Any:
    from langchain_core.callbacks import AsyncCallbackHandler

    class Counter(AsyncCallbackHandler):
        """Notes the tokens of each of the agent's model calls."""

        def __init__(self, count: Callable[[Usage | None], None]) -> None:
            self._count = count

        async def on_llm_end(self, response: Any, **_: Any) -> None:
            for generations in response.generations:
                self._count(usage(getattr(generations[0], "message", None)) if generations else None)

    return Counter


def _sum(spent: list[Usage | None]) -> Usage | None:
    """The tokens of several calls together; unknown where one of them is."""
    told = [u for u in spent if u is not None]
    if len(told) < len(spent):
        return None
    return Usage(
        sum(u.input for u in told),
        sum(u.output for u in told),
        sum(u.cached for u in told),
        sum(u.reasoning for u in told),
    )


def _check_factory(agent: Any, name: str) -> None:
    wanted = f"{name}: wants a compiled graph, or a factory called with `tools` and `instructions`"
    if not callable(agent):
        raise ConfigError(f"{wanted}, not a {type(agent).__name__}")
    try:
        inspect.signature(agent).bind(tools=[], instructions="")
    except (TypeError, ValueError) as exc:
        raise ConfigError(f"{wanted}: {exc}") from exc
