"""Answers as servers may send them: in pieces, packed, delimited in any way, or no HTTP at all."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from clinic_sim.errors import BadReply, ProviderError, Unavailable
from clinic_sim.models.chat import Message
from clinic_sim.models.http import MAX_BYTES, HttpModel
from clinic_sim.models.spec import ModelSpec

from .conftest import said

HI: list[Message] = [{"role": "user", "content": "Hi."}]
BODY = json.dumps(said()).encode()
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n%b\r\n%x;name=value\r\n%b\r\n0\r\n\r\n" % (
    BODY[:5],
    len(BODY) - 5,
    BODY[5:],
)
Serve = Callable[..., Awaitable[HttpModel]]


def packed(coding: bytes, body: bytes) -> bytes:
    """An answer that is packed although nobody asked for that."""
    return b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n%b" % (coding, len(body), body)


@pytest.fixture
async def serve(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Serve]:
    """A model whose server sends these bytes for each request, in these pieces; None closes the connection."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    servers: list[asyncio.Server] = []
    models: list[HttpModel] = []

    async def start(*pieces: bytes | None) -> HttpModel:
        async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while head := await reader.readuntil(b"\r\n\r\n"):
                    length = head.lower().partition(b"content-length:")[2].split()[0]
                    await reader.readexactly(int(length))
                    for piece in pieces:
                        if piece is None:
                            return
                        writer.write(piece)
                        await writer.drain()
                        await asyncio.sleep(0)
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()

        servers.append(await asyncio.start_server(one, "127.0.0.1", 0))
        url = f"http://127.0.0.1:{servers[-1].sockets[0].getsockname()[1]}/v1"
        models.append(HttpModel(ModelSpec(provider="openai", model="m", base_url=url, attempt_s=10)))
        return models[-1]

    yield start
    for model in models:
        await model.aclose()
    for server in servers:
        server.close()
        await server.wait_closed()
    await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "pieces",
    [
        (CHUNKED,),
        tuple(bytes([b]) for b in PLAIN),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n", PLAIN),
        (b"HTTP/1.1 200 OK\r\n\r\n", BODY, None),
        (PLAIN.replace(b"1.1", b"1.0"), None),
        (PLAIN.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"), None),
        (packed(b"gzip", gzip.compress(BODY)),),
        (packed(b"deflate", zlib.compress(BODY)),),
    ],
)
async def test_an_answer_is_read_however_it_is_sent(serve: Serve, pieces: tuple[bytes | None, ...]) -> None:
    model = await serve(*pieces)
    for _ in range(2):
        assert (await model.chat(HI)).text == "Hello."


@pytest.mark.parametrize(
    ("pieces", "kind"),
    [
        ((b"SSH-2.0-OpenSSH\r\n\r\n", None), Unavailable),
        ((b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", None), Unavailable),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", None), Unavailable),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", None), Unavailable),
        ((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", None), Unavailable),
        ((b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, None), Unavailable),
        ((packed(b"gzip", b"no gzip"),), Unavailable),
        ((packed(b"gzip", gzip.compress(b" " * (MAX_BYTES + 1))),), BadReply),
        ((CHUNKED[:-20], None), Unavailable),
        ((b"HTTP/1.1 200", None), Unavailable),
        ((None,), Unavailable),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MAX_BYTES + 1),), BadReply),
        ((b"HTTP/1.1 204 No Content\r\n\r\n",), BadReply),
    ],
)
async def test_what_is_no_answer_has_a_name(
    serve: Serve, pieces: tuple[bytes | None, ...], kind: type[ProviderError]
) -> None:
    model = await serve(*pieces)
    with pytest.raises(kind) as failed:
        await model.chat(HI)
    assert type(failed.value) is kind
    assert len(str(failed.value)) < 500


async def test_a_connection_that_the_server_closed_meanwhile_is_not_used(serve: Serve) -> None:
    model = await serve(PLAIN, None)
    for _ in range(3):
        assert (await model.chat(HI)).text == "Hello."
        await asyncio.sleep(0.05)
