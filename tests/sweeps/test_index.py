"""`index.jsonl` follows from `episodes.jsonl`: however it is lost, cut or wrong, opening the run rights it again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic_sim.errors import StoreError
from clinic_sim.reports.table import RunTable
from clinic_sim.sweeps import index
from clinic_sim.sweeps.sweep import open_store, rows_of


@pytest.fixture(scope="module")
def whole(carrying: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of six episodes."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    carrying().run(folder)
    return folder


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    """A copy of it that may be spoilt."""
    return Path(shutil.copytree(whole, tmp_path / "run"))


def lines(folder: Path, name: str = "episodes.jsonl") -> list[bytes]:
    return (folder / name).read_bytes().splitlines(keepends=True)


def found(folder: Path, carrying: Callable[..., Any]) -> set[str]:
    """Keys that opening the run finds; it is closed again without playing."""
    with open_store(carrying().sweep, folder) as store:
        return set(store.places)


def test_a_row_stands_for_each_line_where_it_stands(whole: Path) -> None:
    text = (whole / "episodes.jsonl").read_bytes()
    rows = list(index.read(whole))
    assert len(rows) == 6
    for row in rows:
        line = text[row["offset"] : row["offset"] + row["length"]]
        data = orjson.loads(line)
        assert (data["key"], data["at"], data["scorecard"]["total"]) == (row["key"], row["at"], row["total"])
    assert [row["at"] for row in rows] == list(range(6))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: b"",
        lambda text: text[: len(text) // 2],
        lambda text: text[:-1],
        lambda text: b"".join(text.splitlines(keepends=True)[:3]),
        lambda text: b"".join(text.splitlines(keepends=True)[3:]),
        lambda text: b"".join(text.splitlines(keepends=True)[:2] + text.splitlines(keepends=True)[3:]),
        lambda text: b"".join(reversed(text.splitlines(keepends=True))),
        lambda text: text + text,
        lambda text: text + b'{"key": "something else"}\n',
        lambda text: text.replace(b'"offset":', b'"offset":1', 3),
        lambda text: text.replace(b'"length":', b'"length":-', 1),
        lambda text: text.replace(b'"length":', b'"length":9', 1),
        lambda text: b"\x00\xff nothing\n" + text,
        lambda text: b"[]\n" + text,
        lambda text: b"null\n",
        lambda text: b"\n" * 50,
        lambda text: text.replace(b'"at":', b'"at":"', 1),
        lambda text: text.replace(b'"cost":', b'"costs":'),
    ],
    ids=[
        "emptied", "half", "torn", "behind", "first rows gone", "middle row gone", "backwards", "twice", "foreign row",
        "wrong offsets", "negative length", "too long", "garbage first", "list first", "null", "blank lines",
        "no number", "without a column",
    ],
)  # fmt: skip
def test_a_spoilt_index_is_made_again_and_nothing_is_played_again(
    run: Path, whole: Path, carrying: Callable[..., Any], spoil: Callable[[bytes], bytes]
) -> None:
    path = run / index.FILE
    path.write_bytes(spoil(path.read_bytes()))
    assert len(found(run, carrying)) == 6
    for name in (index.FILE, "episodes.jsonl"):
        assert (run / name).read_bytes() == (whole / name).read_bytes(), name


def test_a_lost_index_is_made_again_and_reports_say_how(run: Path, whole: Path, carrying: Callable[..., Any]) -> None:
    (run / index.FILE).unlink()
    with pytest.raises(StoreError, match="resume"):
        RunTable.read(run)
    assert len(found(run, carrying)) == 6
    assert (run / index.FILE).read_bytes() == (whole / index.FILE).read_bytes()
    assert len(RunTable.read(run)) == 6


@given(data=st.data())
@settings(max_examples=40)
def test_wherever_the_index_is_cut_or_overwritten_it_is_made_right(
    whole: Path, carrying: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    run = Path(shutil.copytree(whole, tmp_path_factory.mktemp("any") / "run"))
    path = run / index.FILE
    text = path.read_bytes()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 400)))
    path.write_bytes(text[:start] + data.draw(st.binary(max_size=20)) + text[end:])
    assert len(found(run, carrying)) == 6
    assert [row["offset"] for row in index.read(run)] == [row["offset"] for row in index.read(whole)]


def test_a_line_that_somebody_edited_is_indexed_as_it_stands_now(run: Path, carrying: Callable[..., Any]) -> None:
    edited = lines(run)
    edited[2] = edited[2].replace(b'"total":', b'"total" : ', 1)
    (run / "episodes.jsonl").write_bytes(b"".join(edited))
    assert len(found(run, carrying)) == 6
    text = b"".join(edited)
    for row in index.read(run):
        assert orjson.loads(text[row["offset"] : row["offset"] + row["length"]])["key"] == row["key"]


@pytest.mark.parametrize(
    "garbage",
    [b"nonsense\n", b"\x00" * 5000 + b"\n", b"\n", b'{"key":"', b'{"key":"abc","at":1}\n', b'{"key":"zzz"}\n', b"{}\n"],
)
@pytest.mark.parametrize("where", [0, 3, 6])
@pytest.mark.parametrize("keep_index", [True, False])
def test_garbage_between_the_lines_costs_no_episode_and_is_gone_when_the_run_is_finished(
    run: Path, whole: Path, carrying: Callable[..., Any], garbage: bytes, where: int, keep_index: bool
) -> None:
    if not garbage.endswith(b"\n") and where < 6:
        garbage += b"\n"
    spoilt = lines(run)
    spoilt.insert(where, garbage)
    (run / "episodes.jsonl").write_bytes(b"".join(spoilt))
    if not keep_index:
        (run / index.FILE).unlink()
    assert len(found(run, carrying)) == 6
    finished = carrying().run(run)
    assert finished.accounts.completed == finished.accounts.planned == 6
    for name in (index.FILE, "episodes.jsonl"):
        assert (run / name).read_bytes() == (whole / name).read_bytes(), name


def test_an_episode_that_stands_there_twice_counts_once(run: Path, whole: Path, carrying: Callable[..., Any]) -> None:
    spoilt = lines(run)
    (run / "episodes.jsonl").write_bytes(b"".join([*spoilt[:4], spoilt[1], *spoilt[4:], spoilt[0]]))
    finished = carrying().run(run)
    assert finished.accounts.completed == 6
    for name in (index.FILE, "episodes.jsonl"):
        assert (run / name).read_bytes() == (whole / name).read_bytes(), name


def test_a_broken_line_is_owed_again_and_comes_out_the_same(
    run: Path, whole: Path, carrying: Callable[..., Any]
) -> None:
    spoilt = lines(run)
    spoilt[1] = spoilt[1][:200] + b"\n"
    spoilt[4] = spoilt[4][:-3] + b"]}\n"
    (run / "episodes.jsonl").write_bytes(b"".join(spoilt))
    (run / index.FILE).unlink()
    assert len(found(run, carrying)) == 4
    carrying().run(run)
    for name in (index.FILE, "episodes.jsonl"):
        assert (run / name).read_bytes() == (whole / name).read_bytes(), name


def test_an_episode_of_another_plan_is_not_counted(run: Path, whole: Path, carrying: Callable[..., Any]) -> None:
    other = carrying(seeds=[77])
    other.run(run.parent / "other")
    (run / "episodes.jsonl").write_bytes(b"".join([*lines(run), lines(run.parent / "other")[0]]))
    finished = carrying().run(run)
    assert (finished.accounts.planned, finished.accounts.completed, finished.accounts.skipped) == (6, 6, 0)
    assert (run / "episodes.jsonl").read_bytes() == (whole / "episodes.jsonl").read_bytes()


def test_rows_made_again_from_lines_are_the_rows_that_were_written(whole: Path, carrying: Callable[..., Any]) -> None:
    rows = rows_of(carrying().sweep)
    for line, row in zip(lines(whole), index.read(whole), strict=True):
        data = orjson.loads(line)
        again = rows(data["key"], data)
        assert {k: v for k, v in row.items() if k not in ("offset", "length")} == orjson.loads(orjson.dumps(again))


@pytest.mark.parametrize("content", [b"nonsense\n", b'{"key": 3\n'])
def test_a_report_over_an_index_that_is_none_says_where_and_what_to_do(run: Path, content: bytes) -> None:
    (run / index.FILE).write_bytes(content)
    with pytest.raises(StoreError, match=r"index\.jsonl.*:1: .*resume"):
        list(index.read(run))


@pytest.mark.parametrize("content", [b"{}\n", b"[]\n", b'{"key":"x"}\n'])
def test_a_table_of_rows_that_lack_a_column_is_a_store_error(run: Path, content: bytes) -> None:
    (run / index.FILE).write_bytes(content)
    with pytest.raises(StoreError, match=r"index\.jsonl"):
        RunTable.read(run)
