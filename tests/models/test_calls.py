"""The calls of an episode: what they cost, what is recorded, and what a recording gives back."""

from __future__ import annotations

from typing import Any

import pytest

from clinic_sim.errors import ContextOverflow, ReplayMismatch, Unavailable
from clinic_sim.models.calls import Calls, Waiting
from clinic_sim.models.chat import Message, Reply, ToolCall, Usage
from clinic_sim.models.keys import call_seed, request_key
from clinic_sim.models.scripted import ScriptedModel
from clinic_sim.models.tape import Tape
from clinic_sim.models.usage import Prices

HELLO: list[Message] = [{"role": "user", "content": "hello"}]


class Priced(ScriptedModel):
    prices = Prices(input=2.0, output=10.0, cached=0.5)


async def test_usage_is_counted_by_role_with_cached_tokens_at_their_price() -> None:
    model = Priced([Reply("a", usage=Usage(input=1000, output=100, cached=400)), Reply("b", usage=Usage(500, 50))])
    calls = Calls()
    await calls.ask("patient", model, HELLO)
    await calls.ask("patient", model, HELLO)
    await calls.ask("doctor", model, HELLO)
    used = calls.to_dict()
    assert (used["patient"]["calls"], used["patient"]["input"], used["patient"]["cached"]) == (2, 1500, 400)
    assert used["patient"]["cost"] == pytest.approx((600 * 2 + 400 * 0.5 + 100 * 10 + 500 * 2 + 50 * 10) / 1e6)
    assert calls.tokens == 1500 + 150 + 550


async def test_an_unknown_price_is_unknown_and_an_unreported_usage_is_no_zero() -> None:
    calls = Calls()
    await calls.ask("doctor", ScriptedModel([Reply("a", usage=Usage(10, 1))]), HELLO)
    assert calls.usage["doctor"].cost is None
    await calls.ask("judge", Priced([Reply("a", usage=None), Reply("b", usage=Usage(10, 1))]), HELLO)
    assert (calls.usage["judge"].unreported, calls.usage["judge"].cost) == (1, None)


async def test_a_failed_call_is_counted_and_raised() -> None:
    calls = Calls()
    with pytest.raises(Unavailable, match="down"):
        await calls.ask("doctor", ScriptedModel([Unavailable("down")]), HELLO)
    assert (calls.usage["doctor"].calls, calls.usage["doctor"].failed) == (0, 1)


async def test_a_recording_gives_back_replies_and_failures_without_a_model() -> None:
    answers: list[Any] = [
        Reply("one", {"a": 1}, (ToolCall("t1", "order", '{"exams": ["ECG"]}'),), Usage(5, 6, 1, 2), "tool_calls", "hm"),
        ContextOverflow("too long"),
        "three",
    ]
    kept: list[dict[str, Any]] = []
    live = Calls(tape=Tape((), kept.append))
    first = await live.ask("doctor", ScriptedModel(answers[:1]), HELLO, seed=1)
    with pytest.raises(ContextOverflow):
        await live.ask("doctor", ScriptedModel(answers[1:2]), HELLO, seed=2)
    await live.ask("patient", ScriptedModel(answers[2:]), HELLO)

    silent = ScriptedModel(lambda messages: pytest.fail("a replay must not call the model"))
    silent.name = "scripted/script"
    again = Calls(tape=Tape(kept, only_replay=True))
    assert await again.ask("doctor", silent, HELLO, seed=1) == first
    with pytest.raises(ContextOverflow, match="too long"):
        await again.ask("doctor", silent, HELLO, seed=2)
    assert (await again.ask("patient", silent, HELLO)).text == "three"
    assert again.to_dict() == live.to_dict()


async def test_a_recording_of_another_request_is_refused() -> None:
    kept: list[dict[str, Any]] = []
    await Calls(tape=Tape((), kept.append)).ask("doctor", ScriptedModel(["a"]), HELLO)
    changed = Calls(tape=Tape(kept))
    with pytest.raises(ReplayMismatch, match="differs from the recorded one"):
        await changed.ask("doctor", ScriptedModel(["a"]), [{"role": "user", "content": "other words"}])
    ended = Calls(tape=Tape(kept, only_replay=True))
    await ended.ask("doctor", ScriptedModel(["a"]), HELLO)
    with pytest.raises(ReplayMismatch, match="holds no call 1 of the doctor"):
        await ended.ask("doctor", ScriptedModel(["a"]), HELLO)


async def test_where_a_recording_ends_live_calls_go_on() -> None:
    kept: list[dict[str, Any]] = []
    await Calls(tape=Tape((), kept.append)).ask("doctor", ScriptedModel(["paid for"]), HELLO)
    model = ScriptedModel(["new"])
    more = Calls(tape=Tape(kept, kept.append))
    assert (await more.ask("doctor", model, HELLO)).text == "paid for"
    assert (await more.ask("doctor", model, HELLO)).text == "new"
    assert [(e["role"], e["n"]) for e in kept] == [("doctor", 0), ("doctor", 1)]
    assert len(model.requests) == 1


async def test_what_is_waited_for_is_listed_while_it_is() -> None:
    waiting = Waiting()
    seen = []

    def look(messages: object) -> str:
        longest = waiting.longest()
        seen.append((len(waiting), longest and (longest.episode, longest.role, longest.model)))
        return "done"

    await Calls("case-1:0", waiting=waiting).ask("chief", ScriptedModel(look), HELLO)
    assert seen == [(1, ("case-1:0", "chief", "scripted/script"))]
    assert (len(waiting), waiting.longest()) == (0, None)


def test_a_key_depends_on_all_that_determines_a_reply() -> None:
    model, other = ScriptedModel(["a"]), ScriptedModel(["a"], name="scripted/other")
    warm = ScriptedModel(["a"])
    warm.settings = {"temperature": 1}
    schema, tool = {"title": "x", "type": "object"}, {"type": "function", "function": {"name": "order"}}
    keys = [
        request_key(model, HELLO),
        request_key(other, HELLO),
        request_key(warm, HELLO),
        request_key(model, [*HELLO, *HELLO]),
        request_key(model, HELLO, schema),
        request_key(model, HELLO, None, [tool]),
        request_key(model, HELLO, None, None, 1),
    ]
    assert len(set(keys)) == len(keys)
    assert request_key(ScriptedModel(["b"]), [{"content": "hello", "role": "user"}]) == keys[0]


def test_call_seeds_are_stable_and_differ_between_calls() -> None:
    assert call_seed(7, "patient", 3) == call_seed(7, "patient", 3)
    assert len({call_seed(s, r, n) for s in (0, 1) for r in ("doctor", "patient") for n in range(50)}) == 200
