"""A model from its name: provider, then retries and limits, then the cache."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clinic_sim.errors import ReplayMismatch
from clinic_sim.models.chat import ChatModel, Message, Reply, Schema, Tool
from clinic_sim.models.endpoint import endpoint
from clinic_sim.models.retry import Retrying
from clinic_sim.models.scripted import ScriptedModel
from clinic_sim.models.spec import ModelSpec
from clinic_sim.models.usage import Prices

if TYPE_CHECKING:
    from clinic_sim.models.cache import ReplyCache


def make_model(
    spec: ModelSpec | str,
    *,
    role: str = "",
    cache: ReplyCache | None = None,
    replay: bool = False,
    **defaults: Any,
) -> ChatModel:
    """The model that a spec names.

    Args:
        spec: The spec, or its text.
        role: Whose model it is, for messages.
        cache: Where replies are kept and looked up.
        replay: Replies come from a recording: the model is only named, so no key and no package is needed.
        defaults: Parameters that the spec does not give.

    Raises:
        ConfigError: the name, a parameter, a key or a package is missing.
    """
    if isinstance(spec, str):
        spec = ModelSpec.parse(spec, **defaults)
    elif defaults:
        spec = spec.model_copy(update={k: v for k, v in defaults.items() if k not in spec.model_fields_set})
    address = os.environ.get("OPENAI_BASE_URL")
    if spec.provider == "openai" and spec.base_url is None and address:
        spec = spec.model_copy(update={"base_url": address})  # so that the record says which server it was
    if spec.provider == "scripted":
        return ScriptedModel.from_file(Path(spec.model))
    if replay and spec.provider != "langchain":  # whose settings are known by its object only
        return NamedModel(spec)
    provider = _provider(spec)
    server = str(getattr(provider, "base_url", ""))
    # An engine in this process keeps the time itself: to load its weights may take longer than any call.
    patient = Retrying(
        provider,
        spec,
        endpoint(server or spec.base_url or spec.name),
        role=role,
        prices=prices(spec),
        bounded=spec.provider != "vllm",
    )
    if cache is None:
        return patient
    from clinic_sim.models.cache import CachedModel  # brings SQLite along

    return CachedModel(patient, cache, server=server)


class NamedModel:
    """A model that is only named: a recording answers in its place."""

    suspends = False

    def __init__(self, spec: ModelSpec) -> None:
        self.name = spec.name
        self.settings: Mapping[str, Any] = spec.settings()
        self.prices = prices(spec)

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        schema: Schema | None = None,
        tools: Sequence[Tool] | None = None,
        seed: int | None = None,
    ) -> Reply:
        """Never: a replay that gets here has a recording without this call."""
        raise ReplayMismatch(f"{self.name} is replayed and cannot be called")

    async def aclose(self) -> None:
        """Nothing to release."""


def prices(spec: ModelSpec) -> Prices | None:
    """What its tokens cost; None unless both prices are given."""
    if spec.price_in is None or spec.price_out is None:
        return None
    return Prices(spec.price_in, spec.price_out, spec.price_cached)


def _provider(spec: ModelSpec) -> ChatModel:
    # Imported when named: each pulls a library that the offline clinic does without.
    if spec.provider == "vllm":
        from clinic_sim.models.vllm import VllmModel

        return VllmModel(spec)
    if spec.provider == "langchain":
        from clinic_sim.models.langchain import LangChainModel

        return LangChainModel(spec)
    if spec.client == "sdk":
        from clinic_sim.models.sdk import SdkModel

        return SdkModel(spec)
    from clinic_sim.models.http import HttpModel

    return HttpModel(spec)
