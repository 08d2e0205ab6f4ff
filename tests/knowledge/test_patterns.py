"""Regular expressions that are compiled when they are first asked: asked as `re`'s own, and paid for by who asks."""

from __future__ import annotations

import re

import pytest

from clinic_sim.knowledge.patterns import Pattern


@pytest.mark.parametrize("text", ["", "a1 b22", "no number", "痛3天"])
def test_it_answers_as_the_pattern_of_re_does(text: str) -> None:
    late, own = Pattern(r"(?P<n>\d)\d?"), re.compile(r"(?P<n>\d)\d?")
    for _ in range(2):  # the second time by the method that was kept
        assert [m.span("n") for m in late.finditer(text)] == [m.span("n") for m in own.finditer(text)]
        assert (late.search(text) is None) == (own.search(text) is None)
        assert (late.match(text, 1) is None) == (own.match(text, 1) is None)
        assert (late.fullmatch(text) is None) == (own.fullmatch(text) is None)
        assert late.findall(text) == own.findall(text)
        assert late.split(text) == own.split(text)
        assert late.sub(lambda m: m["n"], text) == own.sub(lambda m: m["n"], text)
        assert late.subn("#", text) == own.subn("#", text)


def test_flags_count() -> None:
    assert Pattern("PAIN", re.IGNORECASE).search("no pain") is not None
    assert Pattern("PAIN").search("no pain") is None


def test_nothing_is_compiled_before_it_is_asked() -> None:
    broken = Pattern("(")
    assert broken.pattern == "("
    with pytest.raises(re.error):
        broken.search("")


def test_it_has_no_other_methods() -> None:
    with pytest.raises(AttributeError, match="scanner"):
        Pattern("a").scanner  # noqa: B018
