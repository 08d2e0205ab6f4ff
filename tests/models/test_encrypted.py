"""Encrypted servers with a certificate of one's own, asked directly and through a proxy, on each kind of event loop."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from clinic_sim.errors import ProviderTimeout
from clinic_sim.models.http import HttpModel
from clinic_sim.models.spec import ModelSpec

from .conftest import said

ANSWER = json.dumps(said()).encode()
ASKING = """
import asyncio, sys
from clinic_sim.clinic.driving import new_loop
from clinic_sim.errors import ProviderError
from clinic_sim.models.build import make_model

async def ask(url):
    model = make_model(f"openai/m?base_url={url}&attempts=1&attempt_s=10")
    try:
        for _ in range(3):
            print((await model.chat([{"role": "user", "content": "Hi."}])).text)
    except ProviderError as exc:
        print(type(exc).__name__, exc)
    await model.aclose()

for factory in (asyncio.new_event_loop, new_loop):
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(ask(sys.argv[1]))
"""
"""In a process of its own, since the certificates that are trusted are read once."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of `localhost` and `model.invalid`, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("certificate")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,DNS:model.invalid", "-days", "2"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


class Servers:
    """An encrypted server, and a proxy that opens a tunnel to it under whatever name it is asked for."""

    def __init__(self, port: int, proxy: int, cert: Path) -> None:
        self.port = port
        self.proxy = proxy
        self.cert = cert
        self.connections = 0
        """That the server has had."""
        self.tunnels: list[bytes] = []
        """What the proxy was asked for."""

    async def asked(self, host: str) -> list[str]:
        """What a process gets that asks the server by this name; through the proxy if it is none of this machine."""
        bare = {k: v for k, v in os.environ.items() if not k.upper().endswith(("_PROXY", "_KEY"))}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error", "-c", ASKING, f"https://{host}:{self.port}/v1"),
            env=bare | {"SSL_CERT_FILE": str(self.cert), "HTTPS_PROXY": f"http://me:secret@127.0.0.1:{self.proxy}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(), 60)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == 0, err.decode()
        assert b"Unclosed" not in err
        return out.decode().splitlines()


@pytest.fixture
async def servers(certificate: tuple[Path, Path]) -> AsyncIterator[Servers]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    tasks: list[asyncio.Task[None] | None] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())
        found.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split()[0]))
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(ANSWER), ANSWER))
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            writer.close()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65_536):
            writer.write(piece)
        writer.close()

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())
        found.tunnels.append(await reader.readuntil(b"\r\n\r\n"))
        there = await asyncio.open_connection("127.0.0.1", found.port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(pass_on(reader, there[1]), pass_on(there[0], writer), return_exceptions=True)

    listening = [
        await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context),
        await asyncio.start_server(tunnel, "127.0.0.1", 0),
    ]
    port, proxy = (server.sockets[0].getsockname()[1] for server in listening)
    found = Servers(port, proxy, certificate[0])
    yield found
    for server in listening:
        server.close()
    await asyncio.wait_for(asyncio.gather(*(t for t in tasks if t), return_exceptions=True), 5)


async def test_an_encrypted_server_is_asked_over_one_connection_a_loop(servers: Servers) -> None:
    assert await servers.asked("localhost") == ["Hello."] * 6
    assert (servers.connections, servers.tunnels) == (2, [])


async def test_an_encrypted_server_elsewhere_is_asked_through_one_tunnel_a_loop(servers: Servers) -> None:
    assert await servers.asked("model.invalid") == ["Hello."] * 6
    assert (servers.connections, len(servers.tunnels)) == (2, 2)
    # The proxy is told who asks it; the server's key and the request go through the tunnel.
    for asked in servers.tunnels:
        assert asked.startswith(f"CONNECT model.invalid:{servers.port} HTTP/1.1\r\n".encode())
        assert b"\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n" in asked


@pytest.mark.parametrize("host", ["127.0.0.1", "other.invalid"])
async def test_a_certificate_of_another_name_is_not_trusted(servers: Servers, host: str) -> None:
    told = await servers.asked(host)
    assert len(told) == 2
    for line in told:
        assert line.startswith("Unavailable")
        assert "certificate" in line.lower()
        assert "secret" not in line


async def test_a_server_that_never_greets_is_given_up_in_the_time_for_connecting() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    model = HttpModel(ModelSpec(provider="openai", model="m", base_url=url, connect_s=0.3, attempt_s=30))
    with pytest.raises(ProviderTimeout, match=r"no connection within 0\.3 s"):
        await asyncio.wait_for(model.chat([{"role": "user", "content": "Hi."}]), 5)
    await model.aclose()
    server.close()
    await server.wait_closed()
