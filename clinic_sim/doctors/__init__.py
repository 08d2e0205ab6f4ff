"""Whoever plays the doctor: baselines that need no model, chat models, agents, and a person at the terminal."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Literal, get_args

from clinic_sim.doctors.base import Doctor, Visit
from clinic_sim.errors import ConfigError
from clinic_sim.models.chat import ChatModel

__all__ = ["BASELINES", "MAX_TOKENS", "Doctor", "Visit", "make_doctor"]

BASELINES = ("checklist", "guess", "shotgun", "parrot", "silent", "random", "oracle")

MAX_TOKENS = 2048
"""Most tokens of one reply, reasoning included, where the model's name does not say."""
_AGENT = "langgraph/"


def make_doctor(name: str, *, model: ChatModel | None = None) -> Doctor:
    """A new doctor by name.

    Args:
        name: A baseline, a model such as `openai/gpt-4o?form=tools`, or an agent, `langgraph/module:attribute`.
        model: The model of that name where it is there already: doctors of one run share it. A doctor whose model is
            made here is closed with its `aclose`.

    Raises:
        ConfigError: no doctor has that name, or its model cannot be made.
    """
    if name in BASELINES:
        return _makers()[name]()
    if name.startswith(_AGENT):
        from clinic_sim.doctors.langgraph import LangGraphDoctor

        return LangGraphDoctor.load(name.removeprefix(_AGENT))
    from clinic_sim.models.spec import Provider

    if name.partition("/")[0] not in get_args(Provider):
        models = ", ".join(f"{p}/..." for p in (*get_args(Provider), "langgraph"))
        raise ConfigError(f"unknown doctor {name!r}; there are {', '.join(BASELINES)}, and models: {models}")
    form = _form_of(name)
    if model is None:
        from clinic_sim.models.build import make_model

        model = make_model(name, role="doctor", max_tokens=MAX_TOKENS)
    from clinic_sim.doctors.llm import LLMDoctor

    return LLMDoctor(model, form)


@lru_cache(maxsize=256)
def _form_of(name: str) -> Literal["tools", "json", "text"]:
    """How the doctor of that name acts: read once, as each episode has a doctor of its own."""
    from clinic_sim.models.spec import ModelSpec

    return ModelSpec.parse(name).form


def _makers() -> dict[str, Callable[[], Doctor]]:
    from clinic_sim.doctors import baselines, checklist, oracle

    return {
        "checklist": checklist.Checklist,
        "guess": baselines.Guess,
        "shotgun": baselines.Shotgun,
        "parrot": baselines.Parrot,
        "silent": baselines.Silent,
        "random": baselines.Random,
        "oracle": oracle.Oracle,
    }
