"""`LangGraphDoctor`: a LangGraph agent as the doctor; needs the `langchain` extra.

The agent holds the clinic's five actions as tools. It runs as one task beside the consultation: each tool call hands an
action over and waits for the observation, which the next `decide` brings. Its own model calls are not on the tape, so
an agent's episode cannot be replayed; their tokens count as the doctor's.
"""

from __future__ import annotations

import asyncio
import inspect
import uuid
import weakref
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, Any, Final

from clinic_sim.clinic import codec
from clinic_sim.clinic.actions import Action, Invalid
from clinic_sim.clinic.codec_words import explained
from clinic_sim.doctors.base import Doctor, Visit
from clinic_sim.doctors.prompts import prompt_hash, system_prompt
from clinic_sim.doctors.tools import tools
from clinic_sim.errors import BadReply, ConfigError, ProviderTimeout
from clinic_sim.models.calls import Calls
from clinic_sim.models.foreign import provider_error
from clinic_sim.models.langchain import load_attribute, require, untraced, usage
from clinic_sim.models.usage import RoleUsage

if TYPE_CHECKING:
    from langchain_core.callbacks import AsyncCallbackHandler
    from langchain_core.tools import BaseTool

Factory = Callable[..., Any]
"""Called with `tools: list[BaseTool]` and `instructions: str`; returns a graph whose state has `messages`."""

ROLE = "doctor"
TURN_SECONDS = 600.0
"""Longest that an agent may think about one action."""
_STEPS = 10_000
"""Steps of the graph in one episode; the clinic's own budgets end it long before."""
_TOOL_NAMES = {"ask": "ask_patient", "consult": "consult_chief"}
_act: ContextVar[Callable[[Mapping[str, Any]], Awaitable[str]]] = ContextVar("clinic_sim_act")
"""The running consultation, as an agent's tools reach it."""


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
        self._run = _Run(graph, visit.calls, self.name)
        # Nobody tells a doctor that its consultation is over: the agent ends with the doctor, or with the caller.
        stop = weakref.finalize(self, self._run.cancel)
        stop.atexit = False
        self._stop = stop

    async def decide(self, observation: str) -> Action:
        """The agent's next action.

        Raises:
            ProviderError: its model failed, or it took too long.
        """
        run = self._run
        if run is None:
            raise ConfigError(f"{self.name}: `begin` comes before `decide`")
        try:
            run.tell(observation)
            async with asyncio.timeout(self._turn_s):
                given = await run.next()
        except TimeoutError as exc:
            self._halt()
            raise ProviderTimeout(f"{self.name}: no action within {self._turn_s:g} s") from exc
        except BaseException:
            self._halt()
            raise
        language = self.visit.language
        if given is None:
            return Invalid(explained("stopped", language))
        return codec.parse(given, language)

    async def aclose(self) -> None:
        """Stop the agent; its model is the caller's."""
        self._halt()

    def _halt(self) -> None:
        stop, self._stop, self._run = self._stop, None, None
        if stop is not None:
            stop()


class _Run:
    """One agent on one patient. It must not know its doctor: it is stopped when nobody holds the doctor any more."""

    __slots__ = (
        "__weakref__",
        "_asked",
        "_calls",
        "_graph",
        "_handed",
        "_loop",
        "_messages",
        "_name",
        "_owner",
        "_task",
    )

    def __init__(self, graph: Any, calls: Calls, name: str) -> None:
        self._graph = graph
        self._calls = calls
        self._name = name
        self._messages: list[Any] = []
        """The agent's conversation, whenever it is not running."""
        self._handed: asyncio.Queue[_Handed | Exception | None] = asyncio.Queue()
        """Actions that wait to be played; None when the agent stopped, an exception when it failed."""
        self._asked: asyncio.Future[str] | None = None
        """Where the observation of the action being played is awaited."""
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._owner: asyncio.Task[Any] | None = None

    def tell(self, observation: str) -> None:
        """Bring the observation of the last action; it starts the agent, or lets it go on."""
        asked, self._asked = self._asked, None
        if asked is not None:
            if not asked.done():
                asked.set_result(observation)
            return
        self._loop = asyncio.get_running_loop()
        if self._owner is None:
            self._owner = asyncio.current_task()
            if self._owner is not None:
                self._owner.add_done_callback(self._owner_done)
        self._task = self._loop.create_task(self._play(observation), name="clinic_sim-agent")

    async def next(self) -> Mapping[str, Any] | None:
        """The next action; None when the agent stopped without one.

        Raises:
            Exception: the agent failed.
        """
        handed = await self._handed.get()
        if isinstance(handed, Exception):
            raise handed
        if handed is None:
            return None
        self._asked = handed.observation
        return handed.action

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

    async def _act(self, action: Mapping[str, Any]) -> str:
        handed = _Handed(action)
        self._handed.put_nowait(handed)
        return await handed.observation

    async def _play(self, observation: str) -> None:
        """Let the agent run until it stops by itself."""
        _act.set(self._act)
        try:
            with untraced():
                state = await self._graph.ainvoke(
                    {"messages": [*self._messages, {"role": "user", "content": observation}]},
                    config={
                        "callbacks": [_counter(self._calls)],
                        "recursion_limit": _STEPS,
                        "configurable": {
                            "thread_id": uuid.uuid4().hex
                        },  # of our own: a checkpointer must not mix patients
                    },
                )
            if not isinstance(state, Mapping) or not isinstance(state.get("messages"), list):
                raise BadReply(f"{self._name}: the graph's state has no list of `messages`")
            self._messages = state["messages"]
        except Exception as exc:  # noqa: BLE001 - it is raised where the action is awaited
            if type(exc).__name__ == "GraphRecursionError":
                exc = BadReply(f"{self._name}: {_STEPS} steps without an end")
            found = provider_error(exc)
            if found is not None and found is not exc:
                found.__cause__ = exc
            self._handed.put_nowait(found or exc)
        else:
            self._handed.put_nowait(None)


class _Handed:
    """One tool call of the agent's."""

    __slots__ = ("action", "observation")

    def __init__(self, action: Mapping[str, Any]) -> None:
        self.action: Final = action
        self.observation: Final[asyncio.Future[str]] = asyncio.get_running_loop().create_future()


def clinic_tools(language: str = "en") -> list[BaseTool]:
    """The clinic's actions as LangChain tools: `ask_patient`, `examine`, `order`, `consult_chief`, `conclude`.

    They act in whichever consultation their agent runs in, so one graph that holds them can see many patients at once.

    Raises:
        ConfigError: LangChain is not installed.
    """
    require()
    from langchain_core.tools import StructuredTool

    made: list[BaseTool] = []
    for tool in tools(language):
        function = tool["function"]
        action = function["name"]
        name = _TOOL_NAMES.get(action, action)
        made.append(
            StructuredTool.from_function(
                coroutine=_use(action),
                name=name,
                description=function["description"],
                args_schema=_arguments(name, language, action),
            )
        )
    return made


def _use(action: str) -> Callable[..., Awaitable[str]]:
    async def use(**arguments: Any) -> str:
        act = _act.get(None)
        if act is None:
            raise ConfigError(
                f"`{action}` acts in a consultation, and none is running here: play its agent as a doctor"
            )
        return await act({"action": action, **arguments})

    return use


@cache
def _arguments(name: str, language: str, action: str) -> Any:
    """The tool's arguments as a pydantic model that takes any value: what is wrong with one, the clinic explains."""
    from pydantic import ConfigDict, WithJsonSchema, create_model

    function = next(t["function"] for t in tools(language) if t["function"]["name"] == action)
    parameters = function["parameters"]

    def told(schema: dict[str, Any]) -> None:
        schema["required"] = parameters["required"]
        schema["properties"] = parameters["properties"]

    fields: dict[str, Any] = {n: (Annotated[Any, WithJsonSchema(p)], None) for n, p in parameters["properties"].items()}
    return create_model(name, __config__=ConfigDict(json_schema_extra=told), **fields)


def _counter(calls: Calls) -> AsyncCallbackHandler:
    """Counts the agent's model calls as the doctor's."""
    return _counter_class()(calls)  # type: ignore[no-any-return]


@cache
def _counter_class() -> Any:
    from langchain_core.callbacks import AsyncCallbackHandler

    class Counter(AsyncCallbackHandler):
        def __init__(self, calls: Calls) -> None:
            self._usage = calls.usage.setdefault(ROLE, RoleUsage())

        async def on_llm_end(self, response: Any, **_: Any) -> None:
            for generations in response.generations:
                told = usage(getattr(generations[0], "message", None)) if generations else None
                self._usage.add(told, None)

        async def on_llm_error(self, error: BaseException, **_: Any) -> None:
            if isinstance(error, Exception):  # a call that the end of the consultation cut off did not fail
                self._usage.failed += 1

    return Counter


def _check_factory(agent: Any, name: str) -> None:
    wanted = f"{name}: wants a compiled graph, or a factory called with `tools` and `instructions`"
    if not callable(agent):
        raise ConfigError(f"{wanted}, not a {type(agent).__name__}")
    try:
        inspect.signature(agent).bind(tools=[], instructions="")
    except (TypeError, ValueError) as exc:
        raise ConfigError(f"{wanted}: {exc}") from exc
