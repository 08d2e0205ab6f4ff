"""A recording plays every failure and every reply as what it was, or says that it cannot."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_sim import errors
from clinic_sim.errors import BadReply, ClinicSimError, ProviderError, ReplayMismatch
from clinic_sim.models.chat import Reply, ToolCall, Usage
from clinic_sim.models.tape import Tape, entry, plain, reply_of
from clinic_sim.models.wire import EmptyReply

KINDS = [
    kind
    for kind in (*vars(errors).values(), EmptyReply)
    if isinstance(kind, type) and issubclass(kind, ProviderError) and issubclass(kind, ClinicSimError)
]


def through_a_file(data: dict[str, Any]) -> dict[str, Any]:
    """As a recording stores it."""
    line = json.dumps(data, ensure_ascii=False).encode("utf-8", "surrogatepass")
    found: dict[str, Any] = json.loads(line)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_comes_back_as_its_own_kind(kind: type[ProviderError]) -> None:
    again = reply_of(through_a_file(entry("doctor", 0, "k", kind("why"))))
    assert type(again) is kind
    assert str(again) == "why"
    assert again.usage is None


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_failure_used_up_comes_back(kind: type[ProviderError]) -> None:
    failure = kind("why")
    failure.usage = Usage(5, 4, 3, 2, 0, 1)
    again = reply_of(through_a_file(entry("doctor", 0, "k", failure)))
    assert isinstance(again, kind)
    assert again.usage == failure.usage


def test_a_kind_of_somebody_elses_comes_back_as_what_it_is_one_of() -> None:
    class Odd(BadReply):
        pass

    assert type(reply_of(through_a_file(entry("doctor", 0, "k", Odd("why"))))) is BadReply


_TEXT = st.text(st.characters(), max_size=30)  # half surrogate pairs too
_USAGE = st.none() | st.builds(Usage, *[st.integers(0, 10**9)] * 6)
_CALL = st.builds(ToolCall, _TEXT, _TEXT, _TEXT)
_OBJECT = st.none() | st.dictionaries(_TEXT, _TEXT | st.integers() | st.none() | st.lists(st.booleans()), max_size=3)


@given(
    st.builds(
        Reply,
        _TEXT,
        _OBJECT,
        st.lists(_CALL, max_size=3).map(tuple),
        _USAGE,
        st.sampled_from(["stop", "length", "tool_calls", "content_filter"]),
        _TEXT,
        st.booleans(),
    )
)
def test_a_reply_comes_back_as_it_was(reply: Reply) -> None:
    assert plain(reply).keys() == asdict(reply).keys()
    tape = Tape([through_a_file(entry("judge", 3, "k", reply))])
    assert tape.replay("judge", 3, "k") == reply
    assert tape.replay("judge", 2, "k") is None
    with pytest.raises(ReplayMismatch, match="call 3 of the judge differs"):
        tape.replay("judge", 3, "other")


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"reply": None},
        {"reply": {}},
        {"reply": {"text": 5, "usage": None, "tool_calls": []}},
        {"reply": {"text": "x", "usage": {"more": 1}, "tool_calls": []}},
        {"reply": {"text": "x", "usage": None, "tool_calls": [{"id": "1"}]}},
        {"reply": {"text": "x", "usage": None, "tool_calls": [], "mood": "good"}},
        {"error": {"type": "SystemExit", "message": "no failure of a model"}},
        {"error": {"type": "BadReply"}},
        {"error": {"type": "BadReply", "message": "why", "usage": {"more": 1}}},
        {"error": {"type": "BadReply", "message": "why", "usage": 5}},
    ],
)
def test_what_is_no_recorded_call_is_an_error(data: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError)):
        reply_of(data)
