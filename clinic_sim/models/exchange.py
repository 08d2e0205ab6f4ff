"""`Exchange`: one connection that speaks HTTP/1.1, a request and its answer at a time.

A general client spends twice the processor time on a call that everything else here spends, for what a chat completion
never needs: cookies, redirects, uploads, streams. This one sends bytes that are ready and reads a status, three headers
and a body, however the server delimits it. What breaks the protocol breaks the connection.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import ssl

MAX_BYTES = 16 * 2**20
"""Longest answer that is read."""
_MAX_HEAD = 2**16
_STATUS = re.compile(rb"HTTP/1\.([01]) (\d{3})(?: |\r|$)")


class Broken(Exception):
    """The connection ended before the answer did, or what came is no HTTP."""


class TooLong(Exception):
    """The answer is longer than may be read."""


class Received(NamedTuple):
    """An answer."""

    status: int
    headers: dict[bytes, bytes]
    """By names in lower case; of one that stands several times all values, with commas."""
    body: bytes


class Exchange(asyncio.Protocol):
    """One connection; it can be used again while it is `open` and its last answer was whole."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: Any = None
        self._waiter: asyncio.Future[Received] | None = None
        self._buffer = bytearray()
        self._status = 0
        self._headers: dict[bytes, bytes] = {}
        self._read: Callable[[], bytes | None] | None = None
        """What takes the body from the buffer, once the head is read."""
        self._length = 0
        self._parts: list[bytes] = []
        self._keep = False
        self._tunnel = False
        self.open = False
        self.idle_since = 0.0

    def send(self, request: bytes) -> asyncio.Future[Received]:
        """Send a request; the future is its answer, or fails with Broken, TooLong or OSError."""
        self._waiter = waiter = self._loop.create_future()
        self._length = 0
        self._read = None
        if self.open:
            self._transport.write(request)
        else:
            self._fail(Broken("the server closed the connection"))
        return waiter

    async def tunnel(self, request: bytes, tls: ssl.SSLContext, name: str) -> None:
        """Have a proxy pass on everything from here, and speak to the server behind it encrypted.

        Raises:
            OSError: the proxy will not, or there is no server that can be trusted.
        """
        self._tunnel = True  # what follows yes is the server's
        try:
            answer = await self.send(request)
        except (Broken, TooLong) as exc:
            raise ConnectionError(f"the proxy failed: {exc}") from exc
        self._tunnel = False
        if not 200 <= answer.status < 300:
            raise ConnectionError(f"the proxy answers {answer.status}")
        if not self.open:
            raise ConnectionError("the proxy closed the connection")
        self._transport = await self._loop.start_tls(self._transport, self, tls, server_hostname=name)

    def fail(self, error: Exception) -> None:
        """End what is being waited for, and the connection with it."""
        self._fail(error)
        self.abort()

    def abort(self) -> None:
        """End the connection at once."""
        self.open = False
        if self._transport is not None:
            self._transport.abort()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self.open = True

    def data_received(self, data: bytes) -> None:
        if self._waiter is None or self._waiter.done():
            self.abort()  # nobody asked
            return
        self._buffer += data
        try:
            self._go_on()
        except (Broken, TooLong) as exc:
            self.fail(exc)

    def eof_received(self) -> None:
        self.open = False

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        if self._waiter is None or self._waiter.done():
            return
        if exc is None and self._read == self._until_close:
            self._finish(bytes(self._buffer))
        else:
            self._fail(exc or Broken("the server closed the connection before its answer was whole"))

    # Reading.

    def _go_on(self) -> None:
        while self._read is None:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                if len(self._buffer) > _MAX_HEAD:
                    raise Broken("the head of the answer does not end")
                return
            head = bytes(self._buffer[:end])
            del self._buffer[: end + 4]
            self._begin(head)
        body = self._read()
        if body is not None:
            self._keep = self._keep and not self._buffer
            self._finish(body)

    def _begin(self, head: bytes) -> None:
        """Read the head, and find how the body is delimited; nothing for an interim answer."""
        lines = head.split(b"\r\n")
        match = _STATUS.match(lines[0])
        if match is None:
            raise Broken(f"the answer is no HTTP: {lines[0][:60]!r}")
        status = int(match[2])
        if status < 200:
            if status == 101:
                raise Broken("the server wants another protocol")
            return
        headers: dict[bytes, bytes] = {}
        for line in lines[1:]:
            name, mark, value = line.partition(b":")
            if not mark:
                raise Broken(f"the answer has a header without a colon: {line[:60]!r}")
            name, value = name.lower(), value.strip()
            headers[name] = headers[name] + b", " + value if name in headers else value
        self._status, self._headers = status, headers
        said = headers.get(b"connection", b"").lower()
        self._keep = b"close" not in said and (match[1] == b"1" or b"keep-alive" in said)
        if self._tunnel and status < 300:
            self._keep = True
            self._read = self._nothing
        elif status in (204, 304):
            self._read = self._nothing
        elif b"chunked" in headers.get(b"transfer-encoding", b"").lower():
            self._parts = []
            self._read = self._chunks
        elif b"content-length" in headers:
            self._length = _length(headers[b"content-length"])
            self._read = self._whole
        else:
            self._keep = False
            self._read = self._until_close

    def _nothing(self) -> bytes:
        return b""

    def _whole(self) -> bytes | None:
        if len(self._buffer) < self._length:
            return None
        body = bytes(self._buffer[: self._length])
        del self._buffer[: self._length]
        return body

    def _until_close(self) -> None:
        if len(self._buffer) > MAX_BYTES:
            raise TooLong

    def _chunks(self) -> bytes | None:
        buffer, at = self._buffer, 0
        while True:
            end = buffer.find(b"\r\n", at)
            if end < 0:
                if len(buffer) - at > _MAX_HEAD:
                    raise Broken("the length of a piece of the answer does not end")
                break
            size = _hexadecimal(bytes(buffer[at:end]))
            if size == 0:
                # Trailers, mostly none, and an empty line.
                last = end if buffer.startswith(b"\r\n", end + 2) else buffer.find(b"\r\n\r\n", end)
                if last < 0:
                    if len(buffer) - end > _MAX_HEAD:
                        raise Broken("the end of the answer does not end")
                    break
                del buffer[: last + 4]
                return b"".join(self._parts)
            self._length += size
            if self._length > MAX_BYTES:
                raise TooLong
            if len(buffer) < end + size + 4:
                self._length -= size
                break
            if not buffer.startswith(b"\r\n", end + 2 + size):
                raise Broken("a piece of the answer is longer than it says")
            self._parts.append(bytes(buffer[end + 2 : end + 2 + size]))
            at = end + size + 4
        del buffer[:at]
        return None

    def _finish(self, body: bytes) -> None:
        coding = self._headers.get(b"content-encoding", b"identity").lower()
        if coding != b"identity" and body:
            body = _unpacked(body, coding)
        if not self._keep:
            self.abort()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(Received(self._status, self._headers, body))

    def _fail(self, error: Exception) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)


def _length(written: bytes) -> int:
    lengths = {part.strip() for part in written.split(b",")}
    if len(lengths) != 1 or not (length := lengths.pop()).isdigit():
        raise Broken(f"the length of the answer is {written[:60]!r}")
    if int(length) > MAX_BYTES:
        raise TooLong
    return int(length)


def _hexadecimal(line: bytes) -> int:
    digits = line.partition(b";")[0].strip()
    if not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", digits):
        raise Broken(f"the length of a piece of the answer is {line[:60]!r}")
    return int(digits, 16)


def _unpacked(body: bytes, coding: bytes) -> bytes:
    """The body of a server that packs what it was asked not to."""
    if coding not in (b"gzip", b"x-gzip", b"deflate"):
        raise Broken(f"the answer is packed as {coding[:60]!r}")
    try:
        unpacker = zlib.decompressobj(47)  # gzip or zlib, as its head says
        text = unpacker.decompress(body, MAX_BYTES + 1)
    except zlib.error:
        raise Broken("the answer is not packed as it says") from None
    if len(text) > MAX_BYTES:
        raise TooLong
    if not unpacker.eof:
        raise Broken("the packed answer does not end")
    return text
