"""`HttpModel`: plain chat completions over one shared aiohttp session, for any OpenAI-compatible server.

Lean on purpose: prepared headers, bodies as bytes, no per-request objects that the call does not need. One call is one
attempt; retries, limits and the total time are the layer above (`retry`).
"""

from __future__ import annotations

import asyncio
import io
import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson

from clinic_sim.errors import BadReply, ConfigError, ProviderTimeout, Unavailable
from clinic_sim.models import wire
from clinic_sim.models.chat import Message, Reply, Schema, Tool
from clinic_sim.models.connections import connections
from clinic_sim.models.deadlines import Deadline, Deadlines
from clinic_sim.models.proxies import proxy_for, without_credentials
from clinic_sim.models.spec import ModelSpec
from clinic_sim.models.ways import Answer, Ways

MAX_BYTES = 16 * 2**20
"""Longest answer that is read."""
_AT_ONCE = 2**20
"""Longest body that is written in one piece."""

_HOST = re.compile(r"[\w.\-]+|[0-9a-fA-F:.]+(?:%[\w.\-]+)?")


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
        key = "" if replay else spec.key()
        if not key and self.base_url == wire.OPENAI_URL and not replay:
            raise ConfigError(
                f"model {spec.name!r}: no key: set {spec.api_key_env}, or name another server by `base_url`"
            )
        # Of its own; those of every request are the connections'.
        self._headers: dict[str, str] = {}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._proxy, who = without_credentials(proxy_for(self.base_url))
        self._proxy_headers: dict[str, str] | None = None
        if who:
            # A proxy reads what is plain; of what is not it sees the request for a tunnel only.
            if urlsplit(self.base_url).scheme == "https":
                self._proxy_headers = {"Proxy-Authorization": who}
            else:
                self._headers["Proxy-Authorization"] = who
        self._connect_s = min(spec.connect_s, spec.attempt_s)
        # The whole of an attempt is timed here. Exact times: aiohttp rounds up to whole seconds what is long.
        self._timeout = aiohttp.ClientTimeout(connect=self._connect_s, ceil_threshold=math.inf)
        self._deadlines: Deadlines | None = None
        self._ways = Ways(spec, newer_limit=self.base_url == wire.OPENAI_URL, key=key)
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
        return await self._ways.ask(self._send, messages, schema, tools, seed)

    async def aclose(self) -> None:
        """Leave the connections; the last model of a server closes them."""
        if not self._closed:
            self._closed = True
            await self._connections.leave()

    async def _send(self, body: dict[str, Any]) -> Answer:
        content = _encoded(body)
        loop = asyncio.get_running_loop()
        session = await self._connections.session(loop)
        try:
            with self._deadline(loop):
                answer = await session.post(
                    self._url,
                    data=content if len(content) <= _AT_ONCE else io.BytesIO(content),
                    headers=self._headers,
                    allow_redirects=False,
                    timeout=self._timeout,
                    proxy=self._proxy,
                    proxy_headers=self._proxy_headers,
                )
                try:
                    return Answer(answer.status, await self._content(answer), answer.headers.get("Retry-After"))
                finally:
                    if not answer.closed:  # else its connection is back already
                        answer.release()
        except aiohttp.ServerTimeoutError as exc:
            raise ProviderTimeout(f"{self._url}: no connection within {self._connect_s:g} s") from exc
        except TimeoutError as exc:
            raise ProviderTimeout(f"{self._url}: no answer within {self.spec.attempt_s:g} s") from exc
        except aiohttp.InvalidURL as exc:
            raise ConfigError(f"model {self.name!r}: {self._url!r} is no URL") from exc
        except (aiohttp.ClientError, OSError) as exc:
            raise Unavailable(f"{self._url}: {type(exc).__name__}: {wire.shown(str(exc))}") from exc

    def _deadline(self, loop: asyncio.AbstractEventLoop) -> Deadline:
        deadlines = self._deadlines
        if deadlines is None or deadlines.loop is not loop:
            deadlines = self._deadlines = Deadlines(loop, self.spec.attempt_s)
        return Deadline(deadlines)

    async def _content(self, answer: aiohttp.ClientResponse) -> bytes:
        size = answer.content_length or 0
        if 0 < size <= MAX_BYTES and "Content-Encoding" not in answer.headers:
            # A short answer comes in one piece with its headers.
            return answer.content.read_nowait() if answer.content.is_eof() else await answer.read()
        parts: list[bytes] = []
        if size <= MAX_BYTES:
            size = 0
            async for part in answer.content.iter_chunked(65_536):
                size += len(part)
                if size > MAX_BYTES:
                    break
                parts.append(part)
        if size > MAX_BYTES:
            raise BadReply(f"{self._url}: the answer is longer than {MAX_BYTES} bytes")
        return b"".join(parts)


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
        host = parts.hostname or ""
        usable = parts.scheme in ("http", "https") and bool(_HOST.fullmatch(host)) and parts.port != 0
        host.encode("idna")
    except ValueError:  # a port or a host that is none
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
