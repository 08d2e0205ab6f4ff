"""`ReplyCache`: replies in one SQLite file, by everything that determines them; and the layer that asks it first.

Only complete replies are kept: no error, no refusal, nothing cut off, and no text that failed its schema. A reply from
the cache tells its tokens, but costs nothing again.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from clinic_sim.errors import StoreError
from clinic_sim.models.chat import ChatModel, Message, Reply, Schema, Tool
from clinic_sim.models.keys import request_key
from clinic_sim.models.tape import reply_of
from clinic_sim.models.usage import Prices

_BUSY_S = 30.0
_MANY = 64
"""Replies that are written together: a commit costs more than a row."""


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
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(path, timeout=_BUSY_S, check_same_thread=False, isolation_level=None)
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.execute("PRAGMA synchronous=NORMAL")
            self._file.execute("CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, reply TEXT NOT NULL)")
        except (sqlite3.Error, OSError) as exc:
            raise self._broken(exc) from exc

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
        """Keep a reply. It is written with the next few, and at the latest when the cache is closed."""
        with self._lock:
            self._fresh[key] = json.dumps(asdict(reply), ensure_ascii=False)
            if len(self._fresh) >= _MANY:
                self._write()

    def close(self) -> None:
        """Write what is not written yet, and close the file.

        Raises:
            StoreError: it cannot be written.
        """
        with self._lock:
            self._write()
            self._file.close()

    def _write(self) -> None:
        rows = list(self._fresh.items())
        try:
            self._file.execute("BEGIN IMMEDIATE")
            self._file.executemany("INSERT OR IGNORE INTO replies VALUES (?, ?)", rows)
            self._file.execute("COMMIT")
        except sqlite3.Error as exc:
            raise self._broken(exc) from exc
        self._fresh.clear()

    def _broken(self, exc: Exception) -> StoreError:
        return StoreError(f"{self.path}: cannot be used as a cache of replies: {exc}; move it away or name another")


class CachedModel:
    """A model whose replies are looked up first."""

    def __init__(self, inner: ChatModel, cache: ReplyCache) -> None:
        self.inner = inner
        self.name = inner.name
        self.settings: Mapping[str, Any] = inner.settings
        self.suspends = inner.suspends
        self.prices: Prices | None = getattr(inner, "prices", None)
        self._cache = cache

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        schema: Schema | None = None,
        tools: Sequence[Tool] | None = None,
        seed: int | None = None,
    ) -> Reply:
        """The kept reply, or the model's."""
        key = request_key(self.inner, messages, schema, tools, seed)
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
