"""Keys of requests: a conversation that is hashed as it grows has the keys that it has when hashed as a whole."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from clinic_sim.models.keys import RequestKeys, request_key
from clinic_sim.models.scripted import ScriptedModel

MODEL = ScriptedModel(["Hello."])
SCHEMA = {"title": "answer", "type": "object", "properties": {"say": {"type": "string"}}}
TOOLS = [{"type": "function", "function": {"name": "ask", "parameters": {}}}]


def _message(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


messages = st.lists(st.text(max_size=12).map(_message), max_size=4)
requests = st.lists(
    st.tuples(
        st.integers(0, 6),  # how many messages of the request before are kept
        messages,
        st.sampled_from([None, SCHEMA]),
        st.sampled_from([None, [], TOOLS]),
        st.sampled_from([None, 0, 7]),
    ),
    max_size=6,
)


@given(requests)
def test_the_key_of_a_request_does_not_depend_on_those_before_it(asked: list[Any]) -> None:
    keys = RequestKeys()
    sent: list[dict[str, Any]] = []
    for kept, fresh, schema, tools, seed in asked:
        sent = [*sent[:kept], *fresh]
        assert keys.key(MODEL, sent, schema, tools, seed) == request_key(MODEL, sent, schema, tools, seed)


def test_another_message_in_the_place_of_one_gives_another_key() -> None:
    keys = RequestKeys()
    sent = [_message("a"), _message("b")]
    first = keys.key(MODEL, sent)
    sent[0] = _message("c")
    assert keys.key(MODEL, sent) == request_key(MODEL, sent) != first


def test_half_a_surrogate_pair_changes_no_key_after_it() -> None:
    keys = RequestKeys()
    sent = [_message("a")]
    for text in ("b", "\ud800", "c"):
        sent.append(_message(text))
        assert keys.key(MODEL, sent) == request_key(MODEL, sent)
    del sent[2]
    assert keys.key(MODEL, sent) == request_key(MODEL, sent)
