"""Answers as servers may send them: in pieces, packed, delimited in any way, or wrong."""

from __future__ import annotations

import asyncio
import gzip
import socket
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from clinic_sim.models.connections import Pool
from clinic_sim.models.exchange import MAX_BYTES, Broken, Exchange, TooLong

REQUEST = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
Serve = Callable[..., Awaitable[Pool]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts a server that sends these bytes for each request, in these pieces; None closes the connection."""
    servers: list[asyncio.Server] = []
    pools: list[Pool] = []
    serving: list[asyncio.Task[None]] = []

    async def start(*pieces: bytes | None, host: str = "127.0.0.1") -> Pool:
        async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            serving.append(task)
            try:
                while await reader.readuntil(b"\r\n\r\n"):
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
        port = servers[-1].sockets[0].getsockname()[1]
        pools.append(Pool(f"http://{host}:{port}/v1", None, asyncio.get_running_loop()))
        return pools[-1]

    yield start
    for pool in pools:
        pool.close()
    for server in servers:
        server.close()
        await server.wait_closed()
    await asyncio.wait_for(asyncio.gather(*serving), 5)


async def ask(pool: Pool) -> tuple[int, bytes, Exchange]:
    """One request; with what it went over."""
    used = pool.idle() or await pool.connect()
    received = await asyncio.wait_for(used.send(REQUEST), 5)
    pool.give_back(used)
    return received.status, received.body, used


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n6;name=value\r\n world\r\n0\r\nTrailer: yes\r\n\r\n"
)
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world"


@pytest.mark.parametrize(
    ("pieces", "kept"),
    [
        ((PLAIN,), True),
        ((CHUNKED,), True),
        ((CHUNKED.replace(b"Trailer: yes\r\n", b""),), True),
        (tuple(bytes([b]) for b in CHUNKED), True),
        (tuple(bytes([b]) for b in PLAIN), True),
        ((b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n", PLAIN), True),
        ((b"HTTP/1.1 200 OK\r\n\r\nhello", b" world", None), False),
        ((b"HTTP/1.0 200 OK\r\nContent-Length: 11\r\n\r\nhello world",), False),
        ((b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 11\r\n\r\nhello world",), True),
        ((b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 11\r\n\r\nhello world",), False),
        ((PLAIN + b"HTTP/1.1 200 OK\r\n",), False),  # an answer to nothing would be taken for the next one's
        ((PLAIN.replace(b"Content-Length: 11", b"content-length:11 \r\nContent-Length: 11"),), True),
    ],
)
async def test_an_answer_is_read_however_it_is_delimited(
    serve: Serve, pieces: tuple[bytes | None, ...], kept: bool
) -> None:
    pool = await serve(*pieces)
    status, body, first = await ask(pool)
    assert (status, body) == (200, b"hello world")
    status, body, second = await ask(pool)
    assert (status, body) == (200, b"hello world")
    assert (first is second) is kept


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_without_a_body_has_none(serve: Serve, status: int) -> None:
    pool = await serve(b"HTTP/1.1 %d Nothing\r\n\r\n" % status)
    assert (await ask(pool))[:2] == (status, b"")


@pytest.mark.parametrize(
    ("coding", "packed"), [(b"gzip", gzip.compress(b"hello world")), (b"deflate", zlib.compress(b"hello world"))]
)
async def test_what_is_packed_although_nobody_asked_for_that_is_unpacked(
    serve: Serve, coding: bytes, packed: bytes
) -> None:
    pool = await serve(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (coding, len(packed)), packed
    )
    assert (await ask(pool))[:2] == (200, b"hello world")


BOMB = gzip.compress(b" " * (MAX_BYTES + 1))


@pytest.mark.parametrize(
    ("pieces", "error"),
    [
        ((b"SSH-2.0-OpenSSH\r\n\r\n",), Broken),
        ((b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",), Broken),
        ((b"HTTP/1.1 101 Switching\r\n\r\n",), Broken),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",), Broken),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",), Broken),
        ((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",), Broken),
        ((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n",), Broken),
        ((b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx",), Broken),
        ((b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",), Broken),
        ((b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,), Broken),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", None), Broken),
        ((CHUNKED[:-20], None), Broken),
        ((b"HTTP/1.1 200", None), Broken),
        ((None,), Broken),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MAX_BYTES + 1),), TooLong),
        ((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n",), TooLong),
        ((b"HTTP/1.1 200 OK\r\n\r\n", *[b" " * 2**20] * 17), TooLong),
        ((b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB), BOMB), TooLong),
    ],
)
async def test_what_is_no_answer_breaks_the_connection(
    serve: Serve, pieces: tuple[bytes | None, ...], error: type[Exception]
) -> None:
    pool = await serve(*pieces)
    used = await pool.connect()
    with pytest.raises(error):
        await asyncio.wait_for(used.send(REQUEST), 5)
    assert not used.open
    pool.give_back(used)
    assert pool.idle() is None


async def test_a_connection_that_the_server_closed_meanwhile_is_not_used(serve: Serve) -> None:
    pool = await serve(PLAIN, None)
    first = (await ask(pool))[2]
    await asyncio.sleep(0.05)
    status, body, second = await ask(pool)
    assert (status, body) == (200, b"hello world")
    assert second is not first


async def test_the_next_address_is_tried_where_one_does_not_answer(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = await serve(PLAIN, host="two.addresses.invalid")
    loop = asyncio.get_running_loop()

    async def resolved(_: str, port: int, **_options: object) -> list[tuple[object, ...]]:
        return [
            (family, socket.SOCK_STREAM, 0, "", place)
            for family, place in (
                (socket.AF_INET, ("127.0.0.1", 9)),  # nobody listens
                (socket.AF_INET, ("127.0.0.1", port)),
            )
        ]

    monkeypatch.setattr(loop, "getaddrinfo", resolved)
    assert (await ask(pool))[:2] == (200, b"hello world")
