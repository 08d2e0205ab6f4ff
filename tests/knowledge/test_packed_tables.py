"""Tables in little room answer as the dicts would whose place they take."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_sim.knowledge.packed import Lists, Packed, Strings, Table, Texts

WORDS = st.text(st.sampled_from("ab 痛é\U000f0001"), min_size=1, max_size=5)
LINES = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=8)
KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\n\t\0"), min_size=1, max_size=5)


@given(st.lists(WORDS), WORDS)
def test_packed_strings_have_the_numbers_in_which_they_first_came(words: list[str], other: str) -> None:
    packed, once = Packed(words), list(dict.fromkeys(words))
    assert list(packed) == once
    assert [packed.get(word) for word in once] == list(range(len(once)))
    assert list(packed.numbers(words)) == [once.index(word) for word in words]
    assert (other in packed) == (other in once)


@given(st.lists(WORDS), st.text("ab 痛é\U000f0001", max_size=12))
def test_packed_strings_are_found_wherever_they_stand(words: list[str], text: str) -> None:
    packed, once = Packed(words), list(dict.fromkeys(words))
    found = {(number, at, at + len(word)) for number, word in enumerate(once) for at in _places(word, text)}
    assert set(packed.find(text)) == found


def _places(word: str, text: str) -> list[int]:
    return [at for at in range(len(text)) if text.startswith(word, at)]


@given(st.lists(LINES))
def test_strings_come_back_as_they_were(listed: list[str]) -> None:
    strings = Strings(listed)
    assert list(strings) == listed
    assert [strings[n] for n in range(len(strings))] == listed


def test_strings_beyond_those_made_at_once_come_back_in_order() -> None:
    listed = [str(n) for n in range(2_001)]
    assert list(Strings(listed)) == listed


@given(st.dictionaries(KEYS, LINES), LINES.filter(len))
def test_texts_are_a_dict(items: dict[str, str], part: str) -> None:
    texts = Texts(items)
    assert dict(texts.items()) == items
    assert all(texts.get(key) == text for key, text in items.items())
    assert texts.get("no such\nkey") is None
    held = {key for key, text in items.items() if part in f"{key}\t{text}"}
    assert {key for key, _ in texts.holding(part)} == held


def test_a_part_that_is_empty_or_half_a_character_ends() -> None:
    texts = Texts({"a": "x", "b": "y"})
    assert [key for key, _ in texts.holding("")] == ["a", "b"]
    assert list(texts.holding("\ud83d")) == []


@given(st.lists(st.lists(st.integers(0, 9))))
def test_lists_come_back_as_they_were(listed: list[list[int]]) -> None:
    assert [list(found) for found in Lists(listed)] == listed


def test_what_is_no_text_stands_nowhere() -> None:
    assert Packed(["a"]).get("\ud83d") is None
    assert Packed(["a"]).find("\ud83da") == [(0, 1, 2)]
    with pytest.raises(KeyError):
        Table({"a": 1})["\ud83d"]
