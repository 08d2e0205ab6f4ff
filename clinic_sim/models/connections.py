"""`Connections`: the aiohttp sessions of one server, one for each event loop, shared by all models of that server.

A session must end in the loop that it began in. So each is held by an asynchronous generator: an event loop closes its
open generators as it ends, whoever forgot the session.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import AsyncGenerator
from contextlib import suppress
from weakref import WeakValueDictionary

import aiohttp

from clinic_sim._version import __version__

KEEP_S = 4.0
"""How long an idle connection is kept. The server of most open models (uvicorn) drops one after 5 s, and a request that
meets the drop is lost."""

HEADERS = {
    "User-Agent": f"clinic-sim/{__version__}",
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # packing costs more time than the few kilobytes of an answer
    "Content-Type": "application/json",
}
"""Those of every request: what the client would else work out for each."""


class Connections:
    """The sessions of one server. Each model that uses them joins, and leaves when it is closed."""

    def __init__(self) -> None:
        self._lives: dict[asyncio.AbstractEventLoop, tuple[AsyncGenerator[None, None], aiohttp.ClientSession]] = {}
        self._users = 0

    def join(self) -> None:
        """One more model."""
        self._users += 1

    async def leave(self) -> None:
        """One model less; the last one closes the connections, those of other event loops too."""
        self._users -= 1
        if self._users:
            return
        here = asyncio.get_running_loop()
        lives, self._lives = self._lives, {}
        for loop, (life, _) in lives.items():
            if loop is here:
                await life.aclose()
            elif loop.is_running():
                await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_end(life), loop))
            elif not loop.is_closed():  # between two runs
                await asyncio.to_thread(loop.run_until_complete, _end(life))

    async def session(self, loop: asyncio.AbstractEventLoop) -> aiohttp.ClientSession:
        """The session of the running event loop. This never suspends, so two first calls cannot make two of them."""
        life = self._lives.get(loop)
        if life is not None and not life[1].closed:
            return life[1]
        # How many calls are in flight is the gate's business, and how long they may take is the attempt's.
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300, keepalive_timeout=KEEP_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=HEADERS,
        )
        generator = _life(session)
        # A new dict: another thread may be reading the old one.
        self._lives = {k: v for k, v in self._lives.items() if not k.is_closed()} | {loop: (generator, session)}
        await anext(generator)
        return session

    def end(self) -> None:
        """Close what still runs in other threads, as the program ends."""
        for loop, (life, _) in self._lives.items():
            if loop.is_running():
                with suppress(RuntimeError, TimeoutError):
                    asyncio.run_coroutine_threadsafe(_end(life), loop).result(1)


async def _life(session: aiohttp.ClientSession) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await session.close()


async def _end(life: AsyncGenerator[None, None]) -> None:
    await life.aclose()


# Models find their server's connections by its address; they go when the last model of the server goes.
_SERVERS: WeakValueDictionary[str, Connections] = WeakValueDictionary()
_LOCK = threading.Lock()


def connections(address: str) -> Connections:
    """The connections to a server, the same object for all who hold it at the same time."""
    with _LOCK:
        found = _SERVERS.get(address)
        if found is None:
            found = _SERVERS[address] = Connections()
        return found


@atexit.register
def _end_all() -> None:
    """Who never closes a model, as users of a gymnasium environment seldom do, is not told so as the program ends."""
    for found in list(_SERVERS.values()):
        found.end()
