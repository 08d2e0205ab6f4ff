"""The cache of replies: what is kept, under which key, and that several threads and processes share one file."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from clinic_sim.errors import ContextOverflow, ProviderError, Refusal, StoreError, Unavailable
from clinic_sim.models.build import make_model
from clinic_sim.models.cache import CachedModel, ReplyCache
from clinic_sim.models.calls import Calls
from clinic_sim.models.chat import Message, Reply, Schema, ToolCall, Usage
from clinic_sim.models.scripted import ScriptedModel
from clinic_sim.models.usage import Prices

from .conftest import Stub, failing, said

HI: list[Message] = [{"role": "user", "content": "Hi."}]
SCHEMA: Schema = {
    "title": "verdict",
    "type": "object",
    "properties": {"met": {"type": "boolean"}},
    "required": ["met"],
    "additionalProperties": False,
}
FULL = Reply(
    "看 \ud83d 🩻", {"a": [1, None]}, (ToolCall("c", "order", '{"x"'),), Usage(5, 4, 3, 2), "tool_calls", "Hm."
)


class Priced(ScriptedModel):
    prices = Prices(1.0, 1.0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a" / "replies.sqlite"


async def test_a_reply_is_given_again_without_asking_and_costs_nothing(file: Path) -> None:
    inner = Priced([FULL, Unavailable("asked twice")])
    cache = ReplyCache(file)
    calls = Calls()
    model = CachedModel(inner, cache)
    first = await calls.ask("doctor", model, HI, seed=1)
    paid = calls.usage["doctor"].cost
    again = await calls.ask("doctor", model, HI, seed=1)
    cache.close()
    assert first == FULL
    assert again.from_cache
    assert {**asdict(again), "from_cache": False} == asdict(FULL)
    assert len(inner.requests) == 1
    used = calls.usage["doctor"]
    assert (used.calls, used.from_cache, used.input, used.output) == (2, 1, 10, 8)
    assert paid is not None
    assert paid > 0
    assert used.cost == paid


async def test_what_was_kept_is_there_when_the_file_is_opened_again(file: Path) -> None:
    cache = ReplyCache(file)
    await CachedModel(ScriptedModel([FULL]), cache).chat(HI)
    cache.close()
    cache.close()
    cache = ReplyCache(file)
    found = await CachedModel(ScriptedModel([Unavailable("asked")]), cache).chat(HI)
    cache.close()
    assert found.text == FULL.text
    assert found.tool_calls == FULL.tool_calls


@pytest.mark.parametrize(
    ("answer", "schema"),
    [
        (Unavailable("down"), None),
        (Refusal("no"), None),
        (ContextOverflow("long"), None),
        (Reply("cut o", finish_reason="length"), None),
        (Reply("fil", finish_reason="content_filter"), None),
        ("no object", SCHEMA),
        ('{"met": "maybe"}', SCHEMA),
    ],
)
async def test_what_may_be_better_next_time_is_not_kept(file: Path, answer: Any, schema: Schema | None) -> None:
    inner = ScriptedModel([answer])
    cache = ReplyCache(file)
    model = CachedModel(inner, cache)
    for _ in range(2):
        if isinstance(answer, ProviderError):
            with pytest.raises(type(answer)):
                await model.chat(HI, schema=schema)
        else:
            assert not (await model.chat(HI, schema=schema)).from_cache
    cache.close()
    assert len(inner.requests) == 2
    with sqlite3.connect(file) as database:
        assert database.execute("SELECT count(*) FROM replies").fetchone() == (0,)
    database.close()


class Known(ScriptedModel):
    """Has a name and settings."""

    def __init__(self, name: str = "openai/m", settings: Mapping[str, Any] | None = None) -> None:
        super().__init__([Reply("x")], name=name)
        self.settings = settings or {}


async def test_everything_that_determines_a_reply_is_in_its_key(file: Path) -> None:
    tool = {"type": "function", "function": {"name": "order"}}
    other: Sequence[Message] = [{"role": "user", "content": "Hi!"}]
    cache = ReplyCache(file)
    asked: list[tuple[CachedModel, Any, dict[str, Any]]] = [
        (CachedModel(Known(), cache), HI, {}),
        (CachedModel(Known("openai/n"), cache), HI, {}),
        (CachedModel(Known(settings={"temperature": 0}), cache), HI, {}),
        (CachedModel(Known(settings={"temperature": 0.1}), cache), HI, {}),
        (CachedModel(Known(), cache, server="http://one/v1"), HI, {}),
        (CachedModel(Known(), cache, server="http://two/v1"), HI, {}),
        (CachedModel(Known(), cache), other, {}),
        (CachedModel(Known(), cache), [*HI, *HI], {}),
        (CachedModel(Known(), cache), [{"role": "system", "content": "Hi."}], {}),
        (CachedModel(Known(), cache), [{"role": "user", "content": [{"type": "text", "text": "Hi."}]}], {}),
        (CachedModel(Known(), cache), HI, {"seed": 0}),
        (CachedModel(Known(), cache), HI, {"seed": 1}),
        (CachedModel(Known(), cache), HI, {"tools": [tool]}),
        (CachedModel(Known(), cache), HI, {"schema": {"type": "object"}}),
    ]
    for model, messages, call in asked:
        if "schema" in call:
            model.inner = ScriptedModel(["{}"], name="openai/m")
        assert not (await model.chat(messages, **call)).from_cache
    for model, messages, call in asked:
        assert (await model.chat(messages, **call)).from_cache
    cache.close()


async def test_patience_and_prices_are_not_in_the_key(file: Path) -> None:
    cache = ReplyCache(file)
    await CachedModel(Known(settings={"temperature": 0, "concurrency": 4}), cache).chat(HI)
    later = {"temperature": 0, "attempts": 9, "attempt_s": 1.0, "total_s": 2.0, "connect_s": 1.0, "price_in": 3.0}
    assert (await CachedModel(Known(settings=later), cache).chat(HI)).from_cache
    cache.close()


@pytest.mark.parametrize("client", ["http", "sdk"])
async def test_two_servers_of_the_environment_do_not_share_replies(
    file: Path, stub: Stub, monkeypatch: pytest.MonkeyPatch, client: str
) -> None:
    if client == "sdk":
        pytest.importorskip("openai", reason="needs the openai extra")
    cache = ReplyCache(file)
    for port, kept in ((0, False), (0, True), (1, False)):
        monkeypatch.setenv("OPENAI_BASE_URL", stub.url if port == 0 else stub.url.replace("127.0.0.1", "localhost"))
        model = make_model(f"openai/m?client={client}", cache=cache)
        assert (await model.chat(HI)).from_cache is kept
        await model.aclose()
    cache.close()
    assert len(stub.bodies) == 2


async def test_a_retried_call_keeps_its_good_answer(file: Path, stub: Stub) -> None:
    stub.answers = [failing(500), said("good"), said("another")]
    cache = ReplyCache(file)
    model = make_model(f"openai/m?base_url={stub.url}", cache=cache)
    assert (await model.chat(HI)).text == "good"
    assert (await model.chat(HI)).text == "good"
    await model.aclose()
    cache.close()
    assert len(stub.bodies) == 2


_WRITER = """
import sys
from pathlib import Path
from clinic_sim.models.cache import ReplyCache
from clinic_sim.models.chat import Reply
path, who, end = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
cache = ReplyCache(path)
for n in range(150):
    cache.put(f"{who} {n}", Reply(f"{who} says {n}"))
    cache.put(f"all {n}", Reply("the same"))
    assert cache.get(f"{who} {n}").text == f"{who} says {n}"
if end == "close":
    cache.close()
"""


def test_several_processes_write_one_file_and_forget_nothing(file: Path) -> None:
    ends = ["close", "exit", "close", "exit"]
    running = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(file), str(who), end], stderr=subprocess.PIPE)
        for who, end in enumerate(ends)
    ]
    for process in running:
        _, told = process.communicate(timeout=60)
        assert process.returncode == 0, told.decode()
    cache = ReplyCache(file)
    for who in range(len(ends)):
        for n in range(150):
            found = cache.get(f"{who} {n}")
            assert found is not None
            assert found.text == f"{who} says {n}"
    assert cache.get("all 149") == Reply("the same")
    assert cache.get("nobody") is None
    cache.close()


def test_several_threads_use_one_cache(file: Path) -> None:
    cache = ReplyCache(file)

    def use(who: int) -> int:
        for n in range(100):
            cache.put(f"{who} {n}", Reply(str(n)))
        return sum(cache.get(f"{who} {n}") == Reply(str(n)) for n in range(100))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(use, range(8))) == [100] * 8
    cache.close()


def test_a_killed_process_loses_only_its_last_second(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("clinic_sim.models.cache.time.monotonic", lambda: clock[0])
    cache = ReplyCache(file)
    cache.put("early", Reply("a"))
    clock[0] += 1.5
    cache.put("later", Reply("b"))
    other = ReplyCache(file)  # sees what is on disk
    assert other.get("early") == Reply("a")
    other.close()
    cache.close()


def _garbage(path: Path) -> None:
    path.write_bytes(b"this is no database, but it is long enough to look like one" * 100)


def _torn(path: Path) -> None:
    cache = ReplyCache(path)
    for n in range(2_000):
        cache.put(str(n), Reply("x" * 50))
    cache.close()
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))


def _other(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE patients (name TEXT)")
    database.close()


def _other_columns(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE replies (id INTEGER)")
    database.close()


def _folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("spoil", [_garbage, _torn, _other, _other_columns, _folder])
def test_a_file_that_is_no_cache_is_named_and_left_alone(tmp_path: Path, spoil: Any) -> None:
    path = tmp_path / "replies.sqlite"
    spoil(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(StoreError, match=r"replies\.sqlite: cannot be used as a cache"):
        ReplyCache(path)
    assert (path.read_bytes() if path.is_file() else b"") == before


def test_a_row_that_is_no_reply_is_an_error_and_no_answer(file: Path) -> None:
    cache = ReplyCache(file)
    cache.close()
    rows = {"a": "{", "b": "[]", "c": json.dumps({**asdict(Reply("x")), "new": 1}), "d": '{"text": 5}', "e": "null"}
    with sqlite3.connect(file) as database:
        database.executemany("INSERT INTO replies VALUES (?, ?)", rows.items())
    database.close()
    cache = ReplyCache(file)
    for key in rows:
        with pytest.raises(StoreError, match="cannot be used as a cache"):
            cache.get(key)
    cache.close()


def test_a_place_where_nothing_can_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "file" / "replies.sqlite", Path("/proc/nothing/replies.sqlite")):
        with pytest.raises(StoreError, match="cannot be used as a cache"):
            ReplyCache(path)


def test_a_file_that_may_only_be_read_is_named(file: Path) -> None:
    ReplyCache(file).close()
    file.chmod(0o444)
    try:
        with file.open("ab"):
            pytest.skip("whoever runs this may write everywhere")
    except PermissionError:
        pass
    with pytest.raises(StoreError, match="cannot be used as a cache"):
        ReplyCache(file)


async def test_a_full_disk_is_an_error_and_the_cache_still_closes(file: Path) -> None:
    cache = ReplyCache(file)
    cache._file.execute("PRAGMA max_page_count = 4")
    for n in range(63):
        cache.put(str(n), Reply("x" * 4_000))
    with pytest.raises(StoreError, match="full"):
        cache.put("the last of a batch", Reply("x"))
    with pytest.raises(StoreError, match="full"):
        cache.close()
    cache.close()
