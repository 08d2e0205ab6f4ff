"""Both ways to find words in a text find the same ones: all of them, overlapping ones too, whatever the text holds."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_sim.knowledge.automaton import Automaton
from clinic_sim.knowledge.matcher import build
from clinic_sim.knowledge.packed import Packed, Table

LETTERS = "ab 痛胸口𠀀\ufffd"
WORDS = st.lists(st.text(LETTERS, min_size=1, max_size=4), unique=True, max_size=12)
FINDERS = (Automaton, Packed)


def everywhere(words: list[str], text: str) -> list[tuple[int, int, int]]:
    """What there is to be found, by looking everywhere."""
    return [
        (number, start, start + len(word))
        for number, word in enumerate(words)
        for start in range(len(text))
        if text.startswith(word, start)
    ]


@given(WORDS, st.text(LETTERS, max_size=20))
def test_every_word_is_found_wherever_it_stands(words: list[str], text: str) -> None:
    expected = everywhere(words, text)
    assert Automaton(words).find(text) == sorted(expected, key=lambda found: (found[2], found[1]))
    assert Packed(words).find(text) == sorted(expected, key=lambda found: (found[1], found[2]))


@pytest.mark.parametrize("finder", FINDERS)
def test_half_a_character_hides_nothing_and_moves_nothing(finder: Callable[[list[str]], Automaton | Packed]) -> None:
    assert finder(["胸痛", "pain"]).find("\ud800胸痛\udfff pain") == [(0, 1, 3), (1, 5, 9)]


@pytest.mark.parametrize("finder", FINDERS)
def test_a_table_without_words_finds_nothing(finder: Callable[[list[str]], Automaton | Packed]) -> None:
    assert finder([]).find("anything") == []


@given(st.dictionaries(st.text(LETTERS, min_size=1, max_size=4), st.integers(), max_size=12), st.text(LETTERS))
def test_a_packed_table_is_the_dict_that_it_was_made_of(items: dict[str, int], text: str) -> None:
    table = Table(items)
    assert list(table) == list(items)
    assert {key: table[key] for key in table} == items
    assert table.get(text) == items.get(text)
    assert (text in table) == (text in items)
    if text not in items:
        with pytest.raises(KeyError):
            table[text]
    places = [(start, end) for _, start, end in everywhere(list(items), text)]
    assert table.places(text) == sorted(places, key=lambda place: (place[1], place[0]))


FORMS = {
    "en": [
        ("chest pain", ("pain.chest",)),
        ("pain", ("pain",)),
        ("pain in the chest", ("pain.chest",)),
        ("shortness of breath", ("dyspnoea",)),
        ("palpitations", ("palpitations",)),
        ("pain", ("ache",)),
    ],
    "zh": [
        ("胸痛", ("pain.chest",)),
        ("痛", ("pain",)),
        ("气短", ("dyspnoea",)),
        ("痛", ("ache",)),
        ("无/关节", ("/",)),
    ],
}
TEXTS = {
    "en": [
        "my chest pains, and the pain in my chest",
        "palpitatons and a shortnes of breath",  # slips of the pen
        "painting, but where is the pain?",
        "",
    ],
    "zh": ["胸痛和头痛，有点气短", "无关节痛", "没有", ""],
}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_packed_matcher_finds_what_a_quick_one_finds(language: str) -> None:
    quick = build(language, FORMS[language])  # type: ignore[arg-type]
    small = build(language, FORMS[language], packed=True)  # type: ignore[arg-type]
    found = [quick.find(text) for text in TEXTS[language]]
    assert [small.find(text) for text in TEXTS[language]] == found
    assert found[0][0].ids == ("pain.chest",)
    assert ("pain", "ache") in {hit.ids for hits in found for hit in hits}
