"""A run with models that is killed goes on without asking again for anything that it was told and wrote down."""

from __future__ import annotations

import json
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from clinic_sim.errors import StoreError
from clinic_sim.models.chat import Reply, Usage
from clinic_sim.models.tape import entry
from clinic_sim.sweeps.calls_file import FILE, append_calls, order_calls, read_calls
from clinic_sim.sweeps.journal import Journal

FAKE = "openai/fake"
CAST: dict[str, Any] = {
    "scenarios": [{"pack": "core-en", "limit": 1}, {"pack": "core-zh", "limit": 1}],
    "doctors": [FAKE],
    "roles": {"patient": FAKE},
    "judge": FAKE,
    "rubric": "clinic-language",
    "limits": {"turns": 6},
    "seeds": 0,
    "concurrency": 1,
}
"""Two episodes with a model as doctor, patient and judge."""
Call = tuple[str, str, int]


def told(folder: Path) -> Counter[Call]:
    """Replies that are on record in a run's folder, by episode, role and number."""
    found: Counter[Call] = Counter()
    for path in (folder / FILE, *sorted((folder / "journal").glob("*.jsonl"))):
        for line in path.read_bytes().splitlines(keepends=True) if path.exists() else ():
            if line.endswith(b"\n"):
                data = json.loads(line)
                if "reply" in data:
                    found[data.get("episode", path.stem), data["role"], data["n"]] += 1
    return found


def test_the_recording_holds_every_call_once_in_the_plans_order(carrying: Any, model: Any, tmp_path: Path) -> None:
    one = carrying(**CAST)
    assert one.run(tmp_path / "run").accounts.whole
    found = told(tmp_path / "run")
    assert sum(found.values()) == len(found) == model.asked.total()
    assert set(model.asked) == {"doctor", "patient", "judge"}
    episodes = [orjson.loads(line)["episode"] for line in (tmp_path / "run" / FILE).read_bytes().splitlines()]
    assert list(dict.fromkeys(episodes)) == [p.key for p in one.sweep.episodes]
    assert not (tmp_path / "run" / "journal").exists()


@pytest.mark.parametrize("concurrency", [1, 3])
def test_killed_at_any_instant_nothing_that_is_on_record_is_asked_again(
    carrying: Any, model: Any, states_of: Any, in_state: Any, all_files: Any, tmp_path: Path, concurrency: int
) -> None:
    one = carrying(**{**CAST, "concurrency": concurrency})
    states = states_of(tmp_path / "run", lambda: one.run(tmp_path / "run"))
    undisturbed = all_files(tmp_path / "run")
    everything = model.asked.total()
    assert everything >= 12
    judged_alone = 0
    for n, state in enumerate(states[:: 1 if concurrency == 1 else 7]):
        folder = in_state(state, tmp_path / f"killed{n}")
        kept = told(folder)
        transcripts = sum(b'{"transcript":' in content and content.endswith(b"\n") for content in state.values())
        model.asked.clear()
        assert one.run(folder).accounts.whole, sorted(state)
        assert model.asked.total() == everything - len(kept), sorted(state)
        assert all_files(folder) == undisturbed, sorted(state)
        if transcripts and set(model.asked) == {"judge"}:
            judged_alone += 1
    if concurrency == 1:
        assert judged_alone


def test_half_a_character_that_a_model_wrote_is_kept_and_read_again(
    carrying: Any, model: Any, states_of: Any, in_state: Any, all_files: Any, tmp_path: Path
) -> None:
    model.after = lambda role, content: content + " \ud83d\x00\u2028 " if role == "doctor" else content
    one = carrying(**CAST)
    states = states_of(tmp_path / "run", lambda: one.run(tmp_path / "run"))
    undisturbed = all_files(tmp_path / "run")
    assert b"\\ud83d" in undisturbed[FILE]
    everything = model.asked.total()
    for n, state in enumerate(states[::5]):
        state.pop("index.jsonl", None)
        folder = in_state(state, tmp_path / f"killed{n}")
        kept = told(folder)
        model.asked.clear()
        assert one.run(folder).accounts.whole
        assert model.asked.total() == everything - len(kept)
        assert all_files(folder) == undisturbed


def test_killed_while_the_judge_is_asked_only_the_judge_is_asked_again(
    carrying: Any, model: Any, tmp_path: Path, digest_of: Any
) -> None:
    class Killed(BaseException):
        pass

    def killed(role: str, n: int) -> None:
        if role == "judge":
            raise Killed

    one = carrying(**CAST)
    model.before = killed
    with pytest.raises(Killed):
        one.run(tmp_path / "run")
    (journal,) = (tmp_path / "run" / "journal").iterdir()
    assert b'{"transcript":' in journal.read_bytes()
    model.before = lambda role, n: None
    played = model.asked["doctor"]
    assert one.run(tmp_path / "run").accounts.whole
    one.run(tmp_path / "undisturbed")
    # The first of two episodes had been played.
    assert model.asked["doctor"] == 4 * played
    for name in ("episodes.jsonl", FILE):
        assert digest_of(tmp_path / "run", name) == digest_of(tmp_path / "undisturbed", name), name


def test_a_recording_plays_again_without_a_model_and_gives_the_same_bytes(
    command: Any, plan_file: Any, server: Any, digest_of: Any, tmp_path: Path
) -> None:
    name = f"openai/mock?base_url={server.url}"
    cast = {**CAST, "doctors": [name], "roles": {"patient": name}, "judge": name, "concurrency": 4, "seeds": [0, 1]}
    plan = plan_file(**cast)
    assert command("sweep", plan, "--out", "live", "-q").returncode == 0
    asked = server.stats()["requests"]
    again = command("sweep", plan, "--out", "again", "--replay", "live", "-q")
    assert again.returncode == 0, again.stderr
    assert server.stats()["requests"] == asked
    assert digest_of(tmp_path / "live") == digest_of(tmp_path / "again")
    other = command("sweep", plan_file("other.yaml", **{**cast, "seeds": [5]}), "--out", "no", "--replay", "live")
    assert other.returncode == 2
    assert "these episodes" in other.stderr
    assert server.stats()["requests"] == asked


def test_without_record_nothing_is_kept_and_a_kill_still_asks_nothing_again(
    carrying: Any, model: Any, states_of: Any, in_state: Any, tmp_path: Path
) -> None:
    one = carrying(**CAST, record=False)
    states = states_of(tmp_path / "run", lambda: one.run(tmp_path / "run"))
    assert not (tmp_path / "run" / FILE).exists()
    assert not (tmp_path / "run" / "journal").exists()
    everything = model.asked.total()
    last = next(s for s in reversed(states) if sum(name.startswith("journal/") for name in s))
    folder = in_state(last, tmp_path / "killed")
    model.asked.clear()
    assert one.run(folder).accounts.whole
    assert model.asked.total() < everything / 2
    assert not (folder / "journal").exists()


def test_the_killed_command_asks_again_only_for_what_was_in_flight(
    command: Any, plan_file: Any, server: Any, waiting_for: Any, tmp_path: Path
) -> None:
    server.configure(latency_ms=5, conclude_at=6)
    name = f"openai/mock?base_url={server.url}"
    cast = {**CAST, "doctors": [name], "roles": {"patient": name}, "judge": name, "seeds": [0, 1, 2], "concurrency": 3}
    cast["limits"] = {"turns": 8}
    process = command.begin("sweep", plan_file(**cast), "--out", "run", "-q")
    waiting_for(lambda: sum(told(tmp_path / "run").values()) > 15 or process.poll() is not None)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    kept = told(tmp_path / "run")
    waiting_for(lambda: not server.stats()["inflight"] if "inflight" in server.stats() else True)
    before = server.stats()["requests"]
    assert before - len(kept) <= 3  # one an episode at once
    again = command("resume", "run", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["completed"] == 6
    final = told(tmp_path / "run")
    assert server.stats()["requests"] - before == len(final) - len(kept)
    assert max(final.values()) == 1
    assert set(kept) <= set(final)


def test_control_c_ends_even_while_a_server_hangs_and_nothing_on_record_is_asked_again(
    command: Any, plan_file: Any, server: Any, waiting_for: Any, tmp_path: Path
) -> None:
    name = f"openai/mock?base_url={server.url}"
    cast = {**CAST, "doctors": [name], "roles": {}, "judge": None, "rubric": "clinic", "concurrency": 2}
    server.configure(latency_ms=20)
    process = command.begin("sweep", plan_file(**cast), "--out", "run")
    waiting_for(lambda: sum(told(tmp_path / "run").values()) >= 2 or process.poll() is not None)
    server.configure(phang=1)
    asked = server.stats()["requests"]
    waiting_for(lambda: server.stats()["faults"]["hang"] >= 1 or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130, said
    assert "clinic-sim resume run" in said
    assert "Traceback" not in said
    server.configure(phang=0)
    kept, before = len(told(tmp_path / "run")), server.stats()["requests"]
    assert asked <= before
    assert command("resume", "run", "-q").returncode == 0
    assert server.stats()["requests"] - before == len(told(tmp_path / "run")) - kept


def test_a_journal_of_other_requests_fails_the_episode_once_and_it_is_played_anew(
    carrying: Any, model: Any, digest_of: Any, states_of: Any, in_state: Any, tmp_path: Path
) -> None:
    one = carrying(**CAST)
    states = states_of(tmp_path / "undisturbed", lambda: one.run(tmp_path / "undisturbed"))
    last, name = next(
        (state, name)
        for state in reversed(states)
        for name in state
        if name.startswith("journal/") and b"transcript" not in state[name]
    )
    spoilt = last[name].replace(b'"key":"', b'"key":"0', 1)
    folder = in_state({**last, name: spoilt, "episodes.jsonl": b"", "index.jsonl": b""}, tmp_path / "run")
    first = one.run(folder).accounts
    assert first.to_dict()["failed"] == {"ReplayMismatch": 1}
    assert one.run(folder).accounts.whole
    assert digest_of(folder) == digest_of(tmp_path / "undisturbed")


# The files themselves


def line(role: str, n: int, text: str = "yes") -> dict[str, Any]:
    return entry(role, n, "k" * 32, Reply(text, usage=Usage(1, 1)))


def written(path: Path, *entries: dict[str, Any], tail: bytes = b"") -> Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_bytes(b"".join(orjson.dumps(e) + b"\n" for e in entries) + tail)
    return path


@pytest.mark.parametrize(
    "tail", [b'{"role":"doctor","n":2', b"\x00" * 4096, b"garbage\n", b"{}\n", b"[1]\n", b"null\n"]
)
def test_what_is_no_reply_at_the_end_of_a_journal_is_asked_for_again(tmp_path: Path, tail: bytes) -> None:
    path = written(tmp_path / "journal" / "a.jsonl", line("doctor", 0), line("doctor", 1), tail=tail)
    journal = Journal(path)
    assert journal.calls == 2
    journal.tape().record("doctor", 2, "k" * 32, Reply("again", usage=Usage()))
    journal.close()
    assert Journal(path).calls == 3
    reply = Journal(path).tape().replay("doctor", 2, "k" * 32)
    assert isinstance(reply, Reply)
    assert reply.text == "again"


@pytest.mark.parametrize(
    "torn", [b'{"episode":"a","role":"doc', b'{"episode":"a"', b"\x00" * 100], ids=["half", "start", "nothing"]
)
def test_a_recording_that_was_torn_is_whole_again_when_the_run_is_finished(
    carrying: Any, model: Any, digest_of: Any, tmp_path: Path, torn: bytes
) -> None:
    one = carrying(**CAST)
    one.run(tmp_path / "undisturbed")
    one.run(tmp_path / "run")
    # As a full disk leaves it: the first episode's block cut, its journal still there.
    path = tmp_path / "run" / FILE
    first = [c for c in path.read_bytes().splitlines(keepends=True) if one.sweep.episodes[0].key.encode() in c]
    entries = [{k: v for k, v in orjson.loads(c).items() if k != "episode"} for c in first]
    written(tmp_path / "run" / "journal" / f"{one.sweep.episodes[0].key}.jsonl", *entries)
    path.write_bytes(b"".join(first[:2]) + torn)
    lines = (tmp_path / "run" / "episodes.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "run" / "episodes.jsonl").write_bytes(lines[0])
    assert one.run(tmp_path / "run").accounts.whole
    for name in ("episodes.jsonl", FILE):
        assert digest_of(tmp_path / "run", name) == digest_of(tmp_path / "undisturbed", name), name


def test_an_episode_that_was_added_twice_stands_in_the_recording_once(tmp_path: Path) -> None:
    journal = written(tmp_path / "journal" / "a.jsonl", line("doctor", 0), line("doctor", 1), line("patient", 0))
    other = written(tmp_path / "journal" / "b.jsonl", line("doctor", 0, "no"))
    append_calls(tmp_path, "a", journal)
    append_calls(tmp_path, "b", other)
    order_calls(tmp_path, {"a": 0, "b": 1})
    once = (tmp_path / FILE).read_bytes()
    assert once.count(b"\n") == 4
    for again in (["a"], ["b"], ["a", "b"], ["b", "b", "a"]):
        for key in again:
            append_calls(tmp_path, key, journal if key == "a" else other)
        order_calls(tmp_path, {"a": 0, "b": 1})
        assert (tmp_path / FILE).read_bytes() == once, again


def test_a_call_that_failed_and_was_made_again_stands_in_the_recording_once(tmp_path: Path) -> None:
    failed = {"role": "doctor", "n": 0, "key": "k" * 32, "error": {"type": "Unavailable", "message": "down"}}
    journal = written(tmp_path / "journal" / "a.jsonl", failed, line("doctor", 0), {"transcript": {}})
    append_calls(tmp_path, "a", journal)
    (kept,) = (orjson.loads(c) for c in (tmp_path / FILE).read_bytes().splitlines())
    assert kept["reply"]["text"] == "yes"
    assert "error" not in kept


def test_a_broken_recording_is_refused_with_its_line(tmp_path: Path) -> None:
    good = {"episode": "a", **line("doctor", 0)}
    for n, bad in enumerate((b"nonsense\n", b"{}\n", b"[]\n", b'{"episode":"a","role":"doctor","n":1,"key":"k"}\n')):
        path = written(tmp_path / f"{n}.jsonl", good, tail=bad)
        with pytest.raises(StoreError, match=rf"{n}\.jsonl:2: is no recorded call"):
            read_calls(path)
    with pytest.raises(StoreError, match="holds no recorded call"):
        read_calls(written(tmp_path / "empty.jsonl"))
    with pytest.raises(StoreError, match="--replay takes"):
        read_calls(tmp_path / "nowhere")
