"""`AgentRun`: one LangGraph agent on one patient, with the face of a chat model whose replies are actions.

It runs as one task beside the consultation: each tool call hands an action over and waits for the observation, which
the next request brings. It must not know its doctor: it is stopped when nobody holds the doctor any more.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from clinic_sim.doctors.agent_tools import running
from clinic_sim.errors import BadReply, ProviderError, ProviderTimeout
from clinic_sim.models.chat import Message, Reply, Schema, Tool, ToolCall, Usage
from clinic_sim.models.foreign import provider_error
from clinic_sim.models.langchain import untraced, usage
from clinic_sim.models.usage import Prices, used_by

_STEPS = 10_000
"""Steps of the graph in one episode; the clinic's own budgets end it long before."""
_NOTHING = Usage(calls=0)


class AgentRun:
    """One agent on one patient.

    Args:
        graph: The agent.
        name: For messages and the record.
        settings: For the record.
        turn_s: Longest that it may think about one action.
        prices: What its models' tokens cost; None when unknown.
    """

    suspends = True

    def __init__(
        self, graph: Any, name: str, settings: Mapping[str, Any], turn_s: float, prices: Prices | None = None
    ) -> None:
        self.name = name
        self.settings = settings
        self.prices = prices
        self._graph = graph
        self._turn_s = turn_s
        self._state: list[Any] | None = None
        """The agent's own conversation, when it has stopped."""
        self._handed: asyncio.Queue[_Handed | Exception | None] = asyncio.Queue()
        """Actions that wait to be played; None when the agent stopped, an exception when it failed."""
        self._asked: asyncio.Future[str] | None = None
        """Where the observation of the action being played is awaited."""
        self._spent = _NOTHING
        """The agent's model calls since its last action, and their tokens."""
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
            late = ProviderTimeout(f"{self.name}: no action within {self._turn_s:g} s")
            late.usage = self._spent
            raise late from exc
        spent, self._spent = self._spent, _NOTHING
        if isinstance(handed, Exception):
            if isinstance(handed, ProviderError):
                handed.usage = spent  # all that was answered, and what was lost in this failure
            raise handed
        if handed is None:
            return Reply(self._last_words(), usage=spent)
        self._asked = handed.observation
        call = ToolCall("", handed.tool, json.dumps(handed.arguments, ensure_ascii=False, default=str))
        return Reply("", tool_calls=(call,), usage=spent, finish_reason="tool_calls")

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

    def _count(self, spent: Usage) -> None:
        self._spent += spent

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
        """Counts each of the agent's model calls.

        LangChain's own `UsageMetadataCallbackHandler` leaves out the calls of a model that tells no tokens or no name.
        """

        def __init__(self, count: Callable[[Usage], None]) -> None:
            self._count = count

        async def on_llm_end(self, response: Any, **_: Any) -> None:
            for generations in response.generations:
                told = usage(getattr(generations[0], "message", None)) if generations else None
                self._count(Usage(unreported=1) if told is None else told)

        async def on_llm_error(self, error: BaseException, **_: Any) -> None:
            found = provider_error(error)
            wasted = None if found is None else used_by(found)
            if wasted is not None:
                self._count(wasted)

    return Counter
