"""Proxies as the environment names them: who is asked through one, who is not, and what the proxy is told."""

from __future__ import annotations

import asyncio
import base64
import importlib.util
import json
from collections.abc import AsyncIterator

import pytest

from clinic_sim.errors import ConfigError, Unavailable
from clinic_sim.models.build import make_model
from clinic_sim.models.chat import ChatModel, Message
from clinic_sim.models.proxies import proxy_for

from .conftest import Stub, said

HI: list[Message] = [{"role": "user", "content": "Hi."}]
CLIENTS = ["http", "sdk"] if importlib.util.find_spec("openai") else ["http"]
NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


class Proxy:
    """A proxy on loopback: answers what it is asked to pass on, and opens no tunnel."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        """The first lines of its requests."""
        self.authorization: list[str] = []
        """Who asked it, where they said so."""
        self.address = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *headers = head.strip().split("\r\n")
        told = {name.lower(): value.strip() for name, _, value in (h.partition(":") for h in headers)}
        self.lines.append(line)
        self.authorization += [told["proxy-authorization"]] if "proxy-authorization" in told else []
        await reader.readexactly(int(told.get("content-length", 0)))
        status, body = ("403 Forbidden", b"") if line.startswith("CONNECT") else ("200 OK", json.dumps(said()).encode())
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    made = Proxy()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield made
    server.close()
    await server.wait_closed()


def model_at(url: str, client: str) -> ChatModel:
    return make_model(f"openai/m?base_url={url}&attempts=1&attempt_s=10", client=client)


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_server_elsewhere_is_asked_through_the_proxy(
    proxy: Proxy, client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://me:secret@{proxy.address}")
    model = model_at("http://model.invalid/v1", client)
    assert (await model.chat(HI)).text == "Hello."
    await model.aclose()
    assert proxy.lines == ["POST http://model.invalid/v1/chat/completions HTTP/1.1"]
    assert proxy.authorization == ["Basic " + base64.b64encode(b"me:secret").decode()]


@pytest.mark.parametrize(
    ("client", "scheme"), [(client, scheme) for client in CLIENTS for scheme in ("https", "HTTPS")]
)
async def test_an_encrypted_server_is_asked_through_a_tunnel(
    proxy: Proxy, client: str, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:secret@{proxy.address}")
    model = model_at(f"{scheme}://model.invalid/v1", client)
    with pytest.raises(Unavailable) as failed:
        await model.chat(HI)
    await model.aclose()
    assert proxy.lines == ["CONNECT model.invalid:443 HTTP/1.1"]
    assert proxy.authorization == ["Basic " + base64.b64encode(b"me:secret").decode()]
    assert "secret" not in str(failed.value)


async def test_a_server_on_this_machine_is_asked_directly(
    stub: Stub, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.address}")
    model = model_at(stub.url, "http")
    assert (await model.chat(HI)).text == "Hello."
    await model.aclose()
    assert proxy.lines == []


@pytest.mark.parametrize(
    ("url", "environment", "expected"),
    [
        ("https://api.example.com/v1", {}, None),
        ("https://api.example.com/v1", {"HTTPS_PROXY": "http://p:3128"}, "http://p:3128"),
        ("https://api.example.com/v1", {"https_proxy": "p:3128"}, "http://p:3128"),
        ("https://api.example.com/v1", {"HTTPS_PROXY": ""}, None),
        ("https://api.example.com/v1", {"HTTP_PROXY": "http://p:3128"}, None),
        ("http://api.example.com/v1", {"HTTP_PROXY": "http://p:3128"}, "http://p:3128"),
        ("https://api.example.com/v1", {"ALL_PROXY": "https://p"}, "https://p"),
        ("https://api.example.com/v1", {"ALL_PROXY": "socks5://a", "HTTPS_PROXY": "http://p"}, "http://p"),
        ("https://api.example.com/v1", {"HTTPS_PROXY": "http://p", "NO_PROXY": "example.com"}, None),
        ("https://api.example.com/v1", {"HTTPS_PROXY": "http://p", "NO_PROXY": "x, .example.com"}, None),
        ("https://api.example.com:8443/v1", {"HTTPS_PROXY": "http://p", "no_proxy": "api.example.com"}, None),
        ("https://api.example.com/v1", {"HTTPS_PROXY": "http://p", "NO_PROXY": "*"}, None),
        ("https://api.example.com/v1", {"HTTPS_PROXY": "http://p", "NO_PROXY": "ample.com"}, "http://p"),
        ("http://10.1.2.3:8000/v1", {"HTTP_PROXY": "http://p", "NO_PROXY": "10.0.0.0/8"}, None),
        ("http://11.1.2.3:8000/v1", {"HTTP_PROXY": "http://p", "NO_PROXY": "10.0.0.0/8,nonsense/8"}, "http://p"),
        ("http://[fd00::5]:8000/v1", {"HTTP_PROXY": "http://p", "NO_PROXY": "fd00::/8"}, None),
        ("http://127.0.0.1:8000/v1", {"HTTP_PROXY": "http://p"}, None),
        ("http://127.8.0.1:8000/v1", {"ALL_PROXY": "http://p"}, None),
        ("http://localhost:8000/v1", {"HTTP_PROXY": "http://p"}, None),
        ("http://[::1]:8000/v1", {"HTTP_PROXY": "http://p"}, None),
        ("http://localhost:8000/v1", {"ALL_PROXY": "socks5://a"}, None),
    ],
)
def test_which_proxy_is_meant(
    url: str, environment: dict[str, str], expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(url) == expected


@pytest.mark.parametrize("value", ["socks5://me:secret@p:1080", "http://", "http://me:secret@p:99999", "ftp://p"])
def test_a_proxy_that_cannot_be_used_is_an_error_without_its_password(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    with pytest.raises(ConfigError, match="HTTPS_PROXY") as failed:
        proxy_for("https://api.example.com/v1")
    assert "secret" not in str(failed.value)
    assert "NO_PROXY" in str(failed.value)
