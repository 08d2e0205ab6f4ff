"""`HttpModel`: plain chat completions over one shared aiohttp session, for any OpenAI-compatible server.

Lean on purpose: prepared headers, bodies as bytes, no per-request objects that the call does not need. One call is one
attempt; retries, limits and the total time are the layer above (`retry`).
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson

from clinic_sim.errors import BadReply, ConfigError, ProviderError, ProviderTimeout, Rejected, Unavailable
from clinic_sim.models import wire
from clinic_sim.models.chat import Message, Reply, Schema, Tool
from clinic_sim.models.connections import connections
from clinic_sim.models.spec import ModelSpec
from clinic_sim.models.ways import MOST, REFUSED, Ways

MAX_BYTES = 16 * 2**20
"""Longest answer that is read."""
_KEY = re.compile(r"[\x21-\x7e]+")


class HttpModel:
    """One model of one server.

    Args:
        spec: Model and parameters.
        replay: It is only named, never called: no key is needed.

    Raises:
        ConfigError: the URL cannot be used, or the key is missing.
    """

    suspends = True

    def __init__(self, spec: ModelSpec, *, replay: bool = False) -> None:
        self.spec = spec
        self.name = spec.name
        self.settings: Mapping[str, Any] = spec.settings()
        self.base_url = base_url(spec)
        self._url = f"{self.base_url}/chat/completions"
        self._headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Accept-Encoding": "identity",  # packing costs more time than the few kilobytes of an answer
        }
        self._key = os.environ.get(spec.api_key_env, "").strip()
        if self._key:
            if not _KEY.fullmatch(self._key):
                raise ConfigError(f"model {spec.name!r}: what {spec.api_key_env} holds is no key")
            self._headers["Authorization"] = f"Bearer {self._key}"
        elif self.base_url == wire.OPENAI_URL and not replay:
            raise ConfigError(
                f"model {spec.name!r}: no key: set {spec.api_key_env}, or name another server by `base_url`"
            )
        self._ways = Ways(spec, newer_limit=self.base_url == wire.OPENAI_URL)
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=spec.connect_s)
        self._connections = connections(self.base_url)
        self._connections.join()
        self._closed = False

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        schema: Schema | None = None,
        tools: Sequence[Tool] | None = None,
        seed: int | None = None,
    ) -> Reply:
        """One attempt, and one more for each parameter that the server asks to be sent another way."""
        seed = seed if self.spec.seed else None
        ways, tries = self._ways, MOST
        while True:
            tries -= 1
            structured, newer = ways.structured, ways.newer_limit
            body = wire.request_body(ways.static, messages, schema, tools, seed, structured)
            status, headers, answer = await self._post(_encoded(body))
            if status == 200:
                try:
                    data = orjson.loads(answer)
                except (ValueError, RecursionError) as exc:
                    raise BadReply(f"{self._url}: the answer is no JSON: {wire.shown(self._text(answer))}") from exc
                try:
                    return wire.read_reply(data, schema)
                except ProviderError as exc:
                    if self._key and self._key in str(exc):
                        raise type(exc)(str(exc).replace(self._key, "***")) from None
                    raise
            told = self._text(answer)
            error = wire.failure(status, told)
            adaptable = isinstance(error, Rejected) and status in REFUSED and tries > 0
            if not adaptable or not ways.learn(told, structured, newer, object_wanted=schema is not None):
                error.retry_after = wire.retry_after(headers.get("Retry-After"))
                raise error

    async def aclose(self) -> None:
        """Leave the connections; the last model of a server closes them."""
        if not self._closed:
            self._closed = True
            await self._connections.leave()

    async def _post(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        session = await self._connections.session()
        try:
            async with asyncio.timeout(self.spec.attempt_s):
                async with session.post(
                    self._url, data=body, headers=self._headers, allow_redirects=False, timeout=self._timeout
                ) as answer:
                    return answer.status, answer.headers, await self._content(answer)
        except aiohttp.ServerTimeoutError as exc:
            raise ProviderTimeout(f"{self._url}: no connection within {self.spec.connect_s:g} s") from exc
        except TimeoutError as exc:
            raise ProviderTimeout(f"{self._url}: no answer within {self.spec.attempt_s:g} s") from exc
        except aiohttp.InvalidURL as exc:
            raise ConfigError(f"model {self.name!r}: {self._url!r} is no URL") from exc
        except (aiohttp.ClientError, OSError) as exc:
            raise Unavailable(f"{self._url}: {type(exc).__name__}: {exc}") from exc

    async def _content(self, answer: aiohttp.ClientResponse) -> bytes:
        size = answer.content_length
        if size is not None and size <= MAX_BYTES and "Content-Encoding" not in answer.headers:
            return await answer.read()
        parts: list[bytes] = []
        size = 0
        async for part in answer.content.iter_chunked(65_536):
            size += len(part)
            if size > MAX_BYTES:
                raise BadReply(f"{self._url}: the answer is longer than {MAX_BYTES} bytes")
            parts.append(part)
        return b"".join(parts)

    def _text(self, answer: bytes) -> str:
        """The beginning of an answer for a message; never the key, whoever repeats it."""
        text = answer[:4_000].decode("utf-8", "replace")
        return text.replace(self._key, "***") if self._key else text


def base_url(spec: ModelSpec) -> str:
    """The server's address without a slash at its end.

    Raises:
        ConfigError: it is no http address.
    """
    url = (spec.base_url or os.environ.get("OPENAI_BASE_URL") or wire.OPENAI_URL).rstrip("/")
    if any(mark in url for mark in "@?#"):  # not shown: what stands there may be a password
        raise ConfigError(
            f"model {spec.name!r}: base_url holds more than an address; a key belongs into {spec.api_key_env}"
        )
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        usable = False
    if not usable:
        raise ConfigError(f"model {spec.name!r}: base_url {url!r} is no http address, such as http://127.0.0.1:8000/v1")
    return url


def _encoded(body: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except (TypeError, ValueError):
        # Half a surrogate pair is no text; a model that wrote one must not end the run.
        return json.dumps(body, ensure_ascii=False, default=_plain).encode("utf-8", "replace")


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a request holds a {type(value).__name__}, which is no JSON")
