"""Encrypted servers, asked directly and through a proxy, on each kind of event loop."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from clinic_sim.clinic.driving import new_loop
from clinic_sim.models import connections
from clinic_sim.models.connections import Pool

REQUEST = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
LOOPS: list[Callable[[], asyncio.AbstractEventLoop]] = [asyncio.new_event_loop, new_loop]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of `localhost`, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("certificate")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


@pytest.fixture(autouse=True)
def _trusted(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.create_default_context(cafile=str(certificate[0]))
    monkeypatch.setattr(connections, "_tls", lambda: context)


async def serve(certificate: tuple[Path, Path], talk: Callable[[int, int], Awaitable[None]]) -> None:
    """An encrypted server and a proxy that opens tunnels; `talk` gets their ports."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    tasks: list[asyncio.Task[None] | None] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            writer.close()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65_536):
            writer.write(piece)
        writer.close()

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())
        target = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        there = await asyncio.open_connection(*target.rsplit(":", 1))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(pass_on(reader, there[1]), pass_on(there[0], writer), return_exceptions=True)

    servers = [
        await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context),
        await asyncio.start_server(tunnel, "127.0.0.1", 0),
    ]
    try:
        await talk(*(server.sockets[0].getsockname()[1] for server in servers))
    finally:
        for server in servers:
            server.close()
        await asyncio.wait_for(asyncio.gather(*(t for t in tasks if t), return_exceptions=True), 5)


def run(loop: Callable[[], asyncio.AbstractEventLoop], main: Awaitable[None]) -> None:
    """Run to the end on a loop of this kind."""

    async def whole() -> None:
        await main

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(whole())


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("through_proxy", [False, True])
def test_an_encrypted_server_is_asked_over_one_connection(
    certificate: tuple[Path, Path], loop: Callable[[], asyncio.AbstractEventLoop], through_proxy: bool
) -> None:
    async def talk(port: int, proxy: int) -> None:
        pool = Pool(
            f"https://localhost:{port}/v1",
            f"http://127.0.0.1:{proxy}" if through_proxy else None,
            asyncio.get_running_loop(),
        )
        made = await asyncio.wait_for(pool.connect(), 5)
        for _ in range(3):
            received = await asyncio.wait_for(made.send(REQUEST), 5)
            assert (received.status, received.body) == (200, b"hello")
            pool.give_back(made)
            assert pool.idle() is made
        made.abort()
        pool.close()

    run(loop, serve(certificate, talk))


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("through_proxy", [False, True])
def test_a_certificate_of_another_name_is_not_trusted(
    certificate: tuple[Path, Path], loop: Callable[[], asyncio.AbstractEventLoop], through_proxy: bool
) -> None:
    async def talk(port: int, proxy: int) -> None:
        pool = Pool(
            f"https://127.0.0.1:{port}/v1",
            f"http://127.0.0.1:{proxy}" if through_proxy else None,
            asyncio.get_running_loop(),
        )
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.wait_for(pool.connect(), 5)
        pool.close()

    run(loop, serve(certificate, talk))
