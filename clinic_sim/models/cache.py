"""`ReplyCache`: replies in one SQLite file, by everything that determines them; and the layer that asks it first.

Only complete replies are kept: no error, no refusal, nothing cut off, and no text that failed its schema. A reply from
the cache tells its tokens, but costs nothing again.
"""

from __future__ import annotations

import atexit
import json
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from clinic_sim.errors import StoreError
from clinic_sim.models.chat import ChatModel, Message, Reply, Schema, Tool
from clinic_sim.models.keys import request_key
from clinic_sim.models.tape import plain, reply_of
from clinic_sim.models.usage import Prices

_BUSY_S = 30.0
_MANY = 64
"""Replies that are written together: a commit costs more than a row."""
_SOON_S = 1.0
"""Time after which the next reply writes them, however few: what a killed process loses is what it just got."""


class ReplyCache:
    """One file of replies; safe for several threads and processes.

    Args:
        path: The SQLite file; made where there is none.

    Raises:
        StoreError: it cannot be opened, or is no such file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._fresh: dict[str, str] = {}
        self._closed = False
        self._written = time.monotonic()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(path, timeout=_BUSY_S, check_same_thread=False, isolation_level=None)
        except (sqlite3.Error, OSError) as exc:
            raise self._broken(exc) from exc
        try:
            _prepare(self._file)
        except sqlite3.Error as exc:
            self._file.close()
            raise self._broken(exc) from exc
        atexit.register(self.close)  # what a program forgets to close is still written

    def get(self, key: str) -> Reply | None:
        """The reply under a key; None where there is none.

        Raises:
            StoreError: the file cannot be read.
        """
        with self._lock:
            text = self._fresh.get(key)
            if text is None:
                try:
                    row = self._file.execute("SELECT reply FROM replies WHERE key = ?", (key,)).fetchone()
                except sqlite3.Error as exc:
                    raise self._broken(exc) from exc
                if row is None:
                    return None
                text = row[0]
        try:
            reply = reply_of({"reply": json.loads(text)})
        except (ValueError, KeyError, TypeError) as exc:
            raise self._broken(exc) from exc
        return reply if isinstance(reply, Reply) else None

    def put(self, key: str, reply: Reply) -> None:
        """Keep a reply. It is written with the next few, and at the latest when the cache is closed.

        Raises:
            StoreError: the file cannot be written.
        """
        text = json.dumps(plain(reply))  # in ASCII: half a surrogate pair in a reply is no UTF-8
        with self._lock:
            self._fresh[key] = text
            if len(self._fresh) >= _MANY or time.monotonic() - self._written >= _SOON_S:
                self._write()

    def close(self) -> None:
        """Write what is not written yet, and close the file.

        Raises:
            StoreError: it cannot be written.
        """
        atexit.unregister(self.close)
        with self._lock:
            if self._closed:
                return
            self._closed = True
            try:
                self._write()
            finally:
                self._file.close()

    def _write(self) -> None:
        if not self._fresh:
            return
        try:
            self._file.execute("BEGIN IMMEDIATE")
            self._file.executemany("INSERT OR IGNORE INTO replies VALUES (?, ?)", list(self._fresh.items()))
            self._file.execute("COMMIT")
        except sqlite3.Error as exc:
            if self._file.in_transaction:
                self._file.execute("ROLLBACK")
            raise self._broken(exc) from exc
        self._fresh.clear()
        self._written = time.monotonic()

    def _broken(self, exc: Exception) -> StoreError:
        return StoreError(f"{self.path}: cannot be used as a cache of replies: {exc}; move it away or name another")


def _prepare(file: sqlite3.Connection) -> None:
    """Open for many writers, with the table; waits while another process does the same."""
    if file.execute("SELECT name FROM sqlite_master").fetchone() is not None:
        file.execute("SELECT key, reply FROM replies").fetchone()  # a database of something else must stay as it is
    until = time.monotonic() + _BUSY_S
    while True:
        try:
            file.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError as exc:
            # SQLite does not wait by itself for the change of the mode.
            if "locked" not in str(exc) or time.monotonic() > until:
                raise
            time.sleep(0.02)
    file.execute("PRAGMA synchronous=NORMAL")
    file.execute("CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, reply TEXT NOT NULL)")


class CachedModel:
    """A model whose replies are looked up first.

    Args:
        inner: Who is asked for what is not there.
        cache: Where replies are.
        server: Whose replies they are, where the model's settings do not say it.
    """

    def __init__(self, inner: ChatModel, cache: ReplyCache, *, server: str = "") -> None:
        self.inner = inner
        self.name = inner.name
        self.settings: Mapping[str, Any] = inner.settings
        self.suspends = inner.suspends
        self.prices: Prices | None = getattr(inner, "prices", None)
        self._cache = cache
        self._server = server

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        schema: Schema | None = None,
        tools: Sequence[Tool] | None = None,
        seed: int | None = None,
    ) -> Reply:
        """The kept reply, or the model's."""
        key = f"{self._server} {request_key(self.inner, messages, schema, tools, seed)}"
        kept = self._cache.get(key)
        if kept is not None:
            return replace(kept, from_cache=True)
        reply = await self.inner.chat(messages, schema=schema, tools=tools, seed=seed)
        if reply.complete and (schema is None or reply.parsed is not None):
            self._cache.put(key, reply)
        return reply

    async def aclose(self) -> None:
        """Close the model; the cache is its maker's."""
        await self.inner.aclose()
