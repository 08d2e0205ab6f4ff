"""Signs of one sentence of an answer: its unlicensed words, what it names, the frames that it stands in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from math import log1p

from clinic_sim.clinic.patient.speech.heard import name_of
from clinic_sim.clinic.patient.speech.hints import hints_at
from clinic_sim.clinic.patient.speech.spoken import (
    NEGATION,
    Answer,
    Named,
    Sentence,
    frames_of,
    kind_of,
    unlicensed,
)

CAP = 4.0
"""A sign said over and over says no more."""
_MOST = 6
"""Unlicensed words of a sentence beyond which more say nothing new."""
_MANY = 3
"""Hints in a sentence beyond which more make it no plainer."""
_PLAIN, _SMALL = 1.0, 0.5

Signs = dict[str, float]


def sentence_signs(answer: Answer, sentence: Sentence, named: Named, of: int) -> Signs:
    """The signs of a sentence; what is not there is 0.

    Args:
        named: What the whole answer names.
        of: Sentences of the answer.
    """
    found: Signs = {}
    for name, size in _all(answer, sentence, named, of):
        found[name] = min(CAP, found.get(name, 0.0) + size)
    return found


def _all(answer: Answer, sentence: Sentence, named: Named, of: int) -> Iterator[tuple[str, float]]:
    held, allowed, free = answer.profile.stems, answer.allowed, sentence.free
    unheld = [m for m in named.unheld if sentence.start <= m.start < sentence.end]
    yield ("s:zh" if answer.heard.speech.chinese else "s:en"), _PLAIN
    yield "s:free", log1p(len(free))
    yield "s:free.share", len(free) / max(1, len(sentence.carried))
    yield "s:length", log1p(len(sentence.words)) / 4
    yield "s:elsewhere", 0.3 * sum(1 for s in free if held.get(s, 0))
    if sentence.carried and not any(held.get(s, 0) & allowed for s in sentence.carried):
        yield ("s:bare.named" if unheld else "s:bare"), _PLAIN
    if sentence.asks:
        yield "s:asks", _PLAIN
    if of > 1:
        yield "s:several", _PLAIN
    if sentence.start == 0:
        yield "s:first", _PLAIN
    if NEGATION.search(sentence.words):
        yield "s:negated", _PLAIN
    frames = frames_of(sentence.words)
    yield from _framed(answer, sentence, frames, len(unheld))
    for mention in named.held:
        if sentence.start <= mention.start < sentence.end:
            yield "s:held", 0.3
    for mention in unheld:
        kind = kind_of(mention.id)
        denied = ".denied" if answer.heard.speech.denied(mention.start, mention.end) else ""
        yield f"s:unheld:{kind}{denied}", _PLAIN
        yield f"s:id:{kind if kind in ('tx', 'icd', 'exam') else name_of(mention.id)}", _PLAIN
        if name_of(mention.id) in answer.reference.concepts:
            yield "s:close.concept", _PLAIN
    reference = answer.reference
    yield "s:close.name", log1p(sum(1 for s in free if s in reference.name_stems or s in reference.name_pairs))
    yield "s:close.report", log1p(sum(1 for s in free if s in reference.report_words))
    words = unlicensed(answer, sentence.words)
    for word in words:
        yield f"w:{word}", _SMALL
    yield from _hinted(answer, sentence, set(words), frames)


def _hinted(answer: Answer, sentence: Sentence, words: Set[str], frames: Sequence[str]) -> Iterator[tuple[str, float]]:
    """Words around the diagnosis, and in what they are said."""
    own, near = (hints.count(sentence.words, words) for hints in hints_at(answer.reference.codes))
    if near:
        yield "s:hint.near", log1p(near)
    if not own:
        return
    yield "s:hint", _PLAIN
    yield "s:hints", log1p(own)
    yield f"s:hints:{min(own, _MANY)}", _PLAIN
    for frame in frames or ("none",):
        yield f"s:hint&{frame}", _PLAIN
    if sentence.asks:
        yield "s:hint&asks", _PLAIN


def _framed(answer: Answer, sentence: Sentence, every: Sequence[str], unheld: int) -> Iterator[tuple[str, float]]:
    most = min(len(sentence.free), _MOST)
    frames = []
    for frame in every:
        if answer.profile.frames.get(frame, 0) & answer.chosen:
            yield f"s:frame.held:{frame}", _PLAIN
        else:
            frames.append(frame)
    for n, frame in enumerate(frames):
        yield f"s:frame:{frame}", _PLAIN
        yield f"s:framed:{frame}", log1p(most)
        if unheld:
            yield f"s:framed:{frame}&named", _PLAIN
        for other in frames[n + 1 :]:
            yield f"s:frame:{frame}&{other}", _PLAIN
