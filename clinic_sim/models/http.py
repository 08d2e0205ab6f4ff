"""`HttpModel`: plain chat completions over one shared aiohttp session, for any OpenAI-compatible server.

Lean on purpose: prepared headers, bodies as bytes, no per-request objects that the call does not need. One call is one
attempt; retries, limits and the total time are the layer above (`resilient`).
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from clinic_sim.errors import BadReply, ConfigError, ProviderError, ProviderTimeout, Rejected, Unavailable
from clinic_sim.models import wire
from clinic_sim.models.chat import Message, Reply, Schema, Tool
from clinic_sim.models.spec import ModelSpec

MAX_BYTES = 16 * 2**20
"""Longest answer that is read."""

try:
    import orjson

    def _dump(body: Mapping[str, Any]) -> bytes:
        return orjson.dumps(body)

    _load: Callable[[bytes], Any] = orjson.loads
except ImportError:  # the standard library's is slower, and otherwise the same

    def _dump(body: Mapping[str, Any]) -> bytes:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()

    _load = json.loads


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
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        key = os.environ.get(spec.api_key_env, "")
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        elif self.base_url == wire.OPENAI_URL and not replay:
            raise ConfigError(
                f"model {spec.name!r}: no key: set {spec.api_key_env}, or name another server by `base_url`"
            )
        self._newer_limit = self.base_url == wire.OPENAI_URL
        self._structured = spec.structured
        self._static = wire.static_body(spec, newer_limit=self._newer_limit)
        self._sessions: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession] = {}

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
        for _ in range(len(wire.STRUCTURED) + 1):
            structured, newer = self._structured, self._newer_limit
            body = wire.request_body(self._static, messages, schema, tools, seed, structured)
            status, headers, answer = await self._post(_encoded(body))
            if status == 200:
                try:
                    data = _load(answer)
                except ValueError as exc:
                    raise BadReply(f"{self._url}: the answer is no JSON: {wire.shown(_text(answer))}") from exc
                return wire.read_reply(data, schema)
            error = wire.failure(status, _text(answer))
            if not isinstance(error, Rejected) or not self._adapt(_text(answer), structured, newer, schema is not None):
                raise _told(error, headers)
        raise Rejected(f"{self._url}: takes no way of asking for an object")

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        if session is not None:
            await session.close()

    async def _post(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        try:
            async with asyncio.timeout(self.spec.attempt_s):
                async with self._session().post(
                    self._url, data=body, headers=self._headers, allow_redirects=False
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
        if answer.content_length is not None and answer.content_length <= MAX_BYTES:
            return await answer.read()
        parts: list[bytes] = []
        size = 0
        async for part in answer.content.iter_chunked(65_536):
            size += len(part)
            if size > MAX_BYTES:
                raise BadReply(f"{self._url}: the answer is longer than {MAX_BYTES} bytes")
            parts.append(part)
        return b"".join(parts)

    def _session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None:
            # How many calls are in flight is the limiter's business, and how long they may take is the attempt's.
            session = self._sessions[loop] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self.spec.connect_s),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=True,
            )
        return session

    def _adapt(self, answer: str, structured: str, newer: bool, object_wanted: bool) -> bool:
        """Remember another way to send a parameter that the server refused; False where there is none."""
        if ("max_completion_tokens" in answer and not newer) or ("max_tokens" in answer and newer):
            if self._newer_limit == newer:
                self._newer_limit = not newer
                self._static = wire.static_body(self.spec, newer_limit=self._newer_limit)
            return True
        if object_wanted and structured != "prompt" and ("response_format" in answer or "json_schema" in answer):
            if self._structured == structured:
                self._structured = wire.STRUCTURED[wire.STRUCTURED.index(structured) + 1]  # type: ignore[assignment]
            return True
        return False


def base_url(spec: ModelSpec) -> str:
    """The server's address without a slash at its end.

    Raises:
        ConfigError: it is no http address.
    """
    url = (spec.base_url or os.environ.get("OPENAI_BASE_URL") or wire.OPENAI_URL).rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"model {spec.name!r}: base_url {url!r} is no http address, such as http://127.0.0.1:8000/v1")
    return url


def _encoded(body: Mapping[str, Any]) -> bytes:
    try:
        return _dump(body)
    except (TypeError, ValueError) as exc:
        # Half a surrogate pair is no text; a model that wrote one must not end the run.
        text = json.dumps(body, ensure_ascii=False, default=str)
        del exc
        return text.encode("utf-8", "replace")


def _text(answer: bytes) -> str:
    return answer[:4_000].decode("utf-8", "replace")


def _told(error: ProviderError, headers: Mapping[str, str]) -> ProviderError:
    error.retry_after = wire.retry_after(headers.get("Retry-After"))
    return error
