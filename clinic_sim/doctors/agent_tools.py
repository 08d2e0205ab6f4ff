"""The clinic's actions as LangChain tools, for agents; needs the `langchain` extra."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from clinic_sim.doctors.tools import tools
from clinic_sim.errors import ConfigError
from clinic_sim.models.langchain import require

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

ACTIONS = {
    "ask_patient": "ask",
    "examine": "examine",
    "order": "order",
    "consult_chief": "consult",
    "conclude": "conclude",
}
"""The action behind each tool."""
running: ContextVar[Callable[[str, Mapping[str, Any]], Awaitable[str]]] = ContextVar("clinic_sim_act")
"""The running consultation, as an agent's tools reach it."""


def clinic_tools(language: str = "en") -> list[BaseTool]:
    """The clinic's actions as LangChain tools: `ask_patient`, `examine`, `order`, `consult_chief`, `conclude`.

    They act in whichever consultation their agent runs in, so one graph that holds them can see many patients at once.

    Raises:
        ConfigError: LangChain is not installed.
    """
    require()
    from langchain_core.tools import StructuredTool

    made: list[BaseTool] = []
    for name, action in ACTIONS.items():
        function = next(t["function"] for t in tools(language) if t["function"]["name"] == action)
        made.append(
            StructuredTool.from_function(
                coroutine=_use(name),
                name=name,
                description=function["description"],
                args_schema=_arguments(name, language),
            )
        )
    return made


def _use(tool: str) -> Callable[..., Awaitable[str]]:
    async def use(**arguments: Any) -> str:
        act = running.get(None)
        if act is None:
            raise ConfigError(f"`{tool}` acts in a consultation, and none is running here: play its agent as a doctor")
        return await act(tool, arguments)

    return use


@cache
def _arguments(name: str, language: str) -> Any:
    """The tool's arguments as a pydantic model that takes any value: what is wrong with one, the clinic explains."""
    from pydantic import ConfigDict, WithJsonSchema, create_model

    parameters = next(t["function"]["parameters"] for t in tools(language) if t["function"]["name"] == ACTIONS[name])

    def told(schema: dict[str, Any]) -> None:
        schema["required"] = parameters["required"]
        schema["properties"] = parameters["properties"]

    fields: dict[str, Any] = {n: (Annotated[Any, WithJsonSchema(p)], None) for n, p in parameters["properties"].items()}
    return create_model(name, __config__=ConfigDict(json_schema_extra=told), **fields)
