"""`SdkModel`: chat completions through the official OpenAI SDK, for what only it does: Azure, other authentication.

It costs several times the processor time of the lean client, so it plays only where `client=sdk` asks for it. The SDK's
own retries are off: retrying is a layer's work. Needs the `openai` extra.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from clinic_sim.errors import ConfigError, ProviderError, ProviderTimeout
from clinic_sim.models import wire
from clinic_sim.models.chat import Message, Reply, Schema, Tool
from clinic_sim.models.foreign import provider_error
from clinic_sim.models.http import base_url
from clinic_sim.models.spec import ModelSpec
from clinic_sim.models.ways import Answer, Ways

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_AZURE = "AZURE_OPENAI_ENDPOINT"


class SdkModel:
    """A model behind the OpenAI SDK; one attempt a call.

    Azure's client is used where `AZURE_OPENAI_ENDPOINT` is set and no other base URL is.

    Raises:
        ConfigError: the SDK is not installed, or there is no key.
    """

    suspends = True

    def __init__(self, spec: ModelSpec) -> None:
        if importlib.util.find_spec("openai") is None:
            raise ConfigError(f"model {spec.name!r}: no OpenAI SDK: pip install 'clinic-sim[openai]'")
        self.spec = spec
        self.name = spec.name
        self.settings: Mapping[str, Any] = spec.settings()
        azure = _azure(spec)
        self.base_url = azure or base_url(spec)
        # OpenAI's and Azure's newer models refuse the old name of the limit; most other servers know no other.
        newer = bool(azure) or self.base_url == wire.OPENAI_URL
        self._ways = Ways(spec, newer_limit=newer, key=spec.key())
        first = _client(spec)  # what is wrong with key or address shows now, not in the middle of an episode
        self._unused: AsyncOpenAI | None = first
        self._clients: dict[asyncio.AbstractEventLoop, AsyncOpenAI] = {}

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        schema: Schema | None = None,
        tools: Sequence[Tool] | None = None,
        seed: int | None = None,
    ) -> Reply:
        """One attempt, and one more for each parameter that the server asks to be sent another way."""
        return await self._ways.ask(self._send, messages, schema, tools, seed)

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.close()

    async def _send(self, body: dict[str, Any]) -> Answer:
        import openai

        # By `extra_body`, since the SDK's own arguments are fewer than what servers take.
        rest = {k: v for k, v in body.items() if k not in ("model", "messages")}
        try:
            async with asyncio.timeout(self.spec.attempt_s):
                raw = await self._client().chat.completions.with_raw_response.create(
                    model=body["model"], messages=body["messages"], extra_body=rest
                )
            return Answer(raw.status_code, raw.content)
        except TimeoutError as exc:
            raise ProviderTimeout(f"{self.name}: no answer within {self.spec.attempt_s:g} s") from exc
        except openai.APIStatusError as exc:
            return Answer(exc.status_code, exc.response.content, exc.response.headers.get("retry-after"))
        except Exception as exc:
            found = provider_error(exc) or ProviderError(f"{self.name}: {type(exc).__name__}: {wire.shown(str(exc))}")
            found.args = (self._ways.without_key(str(found)),)
            raise found from exc

    def _client(self) -> AsyncOpenAI:
        """The client of this event loop: a pool of connections belongs to one."""
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            client, self._unused = self._unused or _client(self.spec), None
            self._clients[loop] = client
        return client


def _azure(spec: ModelSpec) -> str:
    """The address at Azure, where the environment names one and nothing names another server; else empty."""
    return "" if spec.base_url or os.environ.get("OPENAI_BASE_URL") else os.environ.get(_AZURE, "")


def _client(spec: ModelSpec) -> AsyncOpenAI:
    import openai

    timeout = openai.Timeout(spec.attempt_s, connect=spec.connect_s)
    azure = _azure(spec)
    url = base_url(spec)
    key = spec.key()
    if not (key or azure) and url == wire.OPENAI_URL:
        raise ConfigError(f"model {spec.name!r}: no key: set {spec.api_key_env}, or name another server by `base_url`")
    try:
        if azure:
            # The SDK itself reads AZURE_OPENAI_API_KEY, AZURE_OPENAI_AD_TOKEN and OPENAI_API_VERSION.
            return openai.AsyncAzureOpenAI(azure_endpoint=azure, max_retries=0, timeout=timeout)
        return openai.AsyncOpenAI(api_key=key or "none", base_url=url, max_retries=0, timeout=timeout)
    except (openai.OpenAIError, ValueError) as exc:
        raise ConfigError(f"model {spec.name!r}: {exc}") from exc
