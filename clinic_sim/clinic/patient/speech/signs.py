"""Signs of words that do not keep to the facts: what is unlicensed in them, and in what frames it stands.

No sign decides by itself. Rules object to what they can name; signs describe the rest, so that a weighing learned from
labelled answers (`weighing.py`) can tell a guess told in nobody's terms from small talk. A word is licensed when an
allowed fact, the complaint or the question has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from math import log1p
from typing import NamedTuple

from clinic_sim.clinic.patient.speech.answers import affirms, denies
from clinic_sim.clinic.patient.speech.heard import Heard, content, name_of, stems_of, widened
from clinic_sim.clinic.patient.speech.hearing import Mode
from clinic_sim.clinic.patient.speech.lexicon import CLAIM
from clinic_sim.clinic.patient.speech.profile import FRAMES, Profile
from clinic_sim.clinic.patient.speech.quantity import same
from clinic_sim.clinic.patient.speech.reference import Reference
from clinic_sim.clinic.patient.speech.support import supported
from clinic_sim.clinic.patient.speech.tables import pattern
from clinic_sim.knowledge.scan import Mention
from clinic_sim.knowledge.text import stem

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+(?:\.\d+)?")
_HAN = re.compile("[\u3400-\u9fff]+")
_SENTENCE = re.compile(r"[.!?;。…\n]+(?!\d)")
_NEGATION = re.compile(
    r"\b(?:no|not|never|none|nothing|neither|nor|nope|nah|without|hardly|cannot)\b|n't\b|[不没无未别]"
)
_MOST = 6
"""Unlicensed words of a sentence beyond which more say nothing new."""
_SHARE = 0.34
"""Share of a fact's own words above which a sentence is plainly about it."""
_CAP = 4.0
"""A sign said over and over says no more."""
_PLAIN, _SMALL, _WORD_WEIGHT = 1.0, 0.5, 0.5

Signs = dict[str, float]


@dataclass(frozen=True, slots=True)
class Answer:
    """Words with what they may rest on."""

    profile: Profile
    reference: Reference
    heard: Heard
    asked: Heard | None
    facts: Sequence[str]
    """Chosen now; all of the case."""
    allowed: int
    """Bits of the facts chosen and told, and of what everybody knows."""

    @property
    def chosen(self) -> int:
        """Bits of the chosen facts alone."""
        return self.profile.allowed(self.facts, ()) & ~self.profile.base


class Sentence(NamedTuple):
    """One sentence of an answer."""

    start: int
    end: int
    words: str
    carried: Set[str]
    """The stems of its content."""
    free: list[str]
    """Those of them that no allowed fact and not the question has."""


def signs(answer: Answer) -> Signs:
    """The signs of an answer; what is not there is 0."""
    found: Signs = {}
    for name, size in _all(answer):
        found[name] = min(_CAP, found.get(name, 0.0) + size)
    return found


def _all(answer: Answer) -> Iterator[tuple[str, float]]:
    spoken = spoken_in(answer)
    held, akin, unheld = _sorted(answer)
    yield ("zh" if answer.heard.speech.chinese else "en"), _PLAIN
    yield from _unlicensed(answer, spoken, unheld)
    yield from _named(answer, held, akin, unheld)
    yield from _counted(answer)
    yield from _valued(answer)
    yield from _turned(answer, spoken)
    yield from _words(answer)
    yield from _close(answer, spoken, unheld)


def spoken_in(answer: Answer) -> list[Sentence]:
    """The sentences of an answer, those with something in them."""
    folded, held, allowed = answer.heard.speech.folded, answer.profile.stems, answer.allowed
    question = _question(answer)
    found = []
    begin = 0
    for end, after in (*(mark.span() for mark in _SENTENCE.finditer(folded)), (len(folded), len(folded))):
        words = folded[begin:end]
        if words.strip():
            carried = content(stems_of(words))
            free = [s for s in carried if not held.get(s, 0) & allowed and s not in question]
            found.append(Sentence(begin, end, words, carried, free))
        begin = after
    return found


def _question(answer: Answer) -> Set[str]:
    return _stems(answer.asked.speech.folded) if answer.asked is not None else frozenset()


@lru_cache(maxsize=1_024)
def _stems(folded: str) -> frozenset[str]:
    """Of a question; a policy repeats itself."""
    return frozenset(stems_of(folded))


def frames_of(words: str) -> list[str]:
    """The frames in which people give things away or add something, of those that stand in words."""
    return [frame for frame in FRAMES if pattern(f"sign.{frame}").search(words)]


def _unlicensed(answer: Answer, spoken: list[Sentence], unheld: list[Mention]) -> Iterator[tuple[str, float]]:
    profile = answer.profile
    held, allowed = profile.stems, answer.allowed
    framed: dict[str, int] = {}
    worst = total = said = last = 0
    for start, end, sentence, carried, free in spoken:
        last = len(free)
        total, said, worst = total + last, said + len(carried), max(worst, last)
        named = sum(1 for m in unheld if start <= m.start < end)
        elsewhere = sum(1 for s in free if held.get(s, 0))
        if elsewhere:
            yield "elsewhere", 0.3 * elsewhere
        bare = not any(held.get(s, 0) & allowed for s in carried)
        if carried and bare:
            yield ("sentence.bare.named" if named else "sentence.bare"), _PLAIN
        frames = []
        for frame in frames_of(sentence):
            if profile.frames.get(frame, 0) & answer.chosen:
                yield f"frame.held:{frame}", _PLAIN
            else:
                frames.append(frame)
        most = min(last, _MOST)
        for n, frame in enumerate(frames):
            framed[frame] = max(framed.get(frame, 0), most + 1)
            if named:
                framed[f"{frame}&named"] = max(framed.get(f"{frame}&named", 0), named)
            for other in frames[n + 1 :]:
                both = f"{frame}&{other}"
                framed[both] = max(framed.get(both, 0), most)
    for frame, size in framed.items():
        yield f"frame:{frame}", _PLAIN
        yield f"framed:{frame}", log1p(size)
    yield "free", log1p(total)
    yield "free.share", total / max(1, said)
    yield "free.worst", log1p(worst)
    yield "free.last", log1p(last) if len(spoken) > 1 else 0.0
    yield "sentences", log1p(len(spoken))
    yield "length", log1p(len(answer.heard.speech.folded)) / 4


def _kind(id_: str) -> str:
    head = id_.partition(":")[0]
    return head if head in ("tx", "icd", "exam") else "claim" if id_.startswith(CLAIM) else id_.partition(".")[0]


def _sorted(answer: Answer) -> tuple[list[Mention], list[Mention], list[Mention]]:
    """What is named: held by the facts or the question, only akin to what the question names, and held by nothing."""
    heard = answer.heard
    asked = {i for m in answer.asked.mentions for i in widened(m.id)} if answer.asked is not None else set()
    held: list[Mention] = []
    akin: list[Mention] = []
    unheld: list[Mention] = []
    for mention in heard.mentions:
        if name_of(mention.id) in asked or supported(answer.profile, mention, heard.speech.folded, answer.allowed):
            held.append(mention)
        else:
            (unheld if asked.isdisjoint(widened(mention.id)) else akin).append(mention)
    return held, akin, unheld


def _named(
    answer: Answer, held: list[Mention], akin: list[Mention], unheld: list[Mention]
) -> Iterator[tuple[str, float]]:
    speech = answer.heard.speech
    for mention in held:
        yield f"held:{_kind(mention.id)}", 0.3
    for mention in akin:
        yield f"akin:{_kind(mention.id)}", _PLAIN
    for mention in unheld:
        kind = _kind(mention.id)
        yield f"unheld:{kind}{'.denied' if speech.denied(mention.start, mention.end) else ''}", _PLAIN
        mode = speech.mode(mention.start)
        if mode is not Mode.SAYS:
            yield f"unheld.{mode}", _PLAIN
        yield f"id:{kind if kind in ('tx', 'icd', 'exam') else name_of(mention.id)}", _PLAIN


def _counted(answer: Answer) -> Iterator[tuple[str, float]]:
    profile, allowed, chosen = answer.profile, answer.allowed, answer.chosen
    folded = answer.heard.speech.folded
    for said in answer.heard.quantities:
        held = profile.digits.get(folded[said.start : said.end], 0)
        for known, bit in profile.numbers:
            if bit & allowed and same(said, known):
                held |= bit
        if held & chosen or (held & allowed and not chosen):
            yield "number.held", _SMALL
            continue
        yield ("number.elsewhere" if held & allowed else "number.unheld"), _SMALL
        if not held & allowed:
            yield f"number:{said.kind}", _SMALL
        if any(bit & chosen and known.kind == said.kind for known, bit in profile.numbers):
            yield "number.clash", _PLAIN


def _valued(answer: Answer) -> Iterator[tuple[str, float]]:
    chosen = answer.chosen
    for value in answer.heard.contrasts:
        attribute, _, which = value.id.partition("=")
        known = answer.profile.values.get(attribute, {})
        if known.get(which, 0) & answer.allowed:
            yield "value.held", _SMALL
            continue
        other = any(bits & chosen for name, bits in known.items() if name != which)
        yield ("value.other" if other else "value.unheld"), _SMALL
        yield f"value:{attribute}", _SMALL


def _turned(answer: Answer, spoken: list[Sentence]) -> Iterator[tuple[str, float]]:
    """How yes, no and denials stand to the polarity of the chosen facts."""
    profile, folded = answer.profile, answer.heard.speech.folded
    negations = len(_NEGATION.findall(folded))
    yield "negations", log1p(negations)
    if not answer.facts:
        yield "facts:0", _PLAIN
        return
    denying = [f for f in answer.facts if profile.bit[f] & (profile.denied | profile.denials)]
    kind = "none" if len(denying) == len(answer.facts) else "some" if denying else "all"
    yield f"facts:{kind}", _PLAIN
    no, yes = denies(folded), affirms(folded)
    if no:
        yield f"no:{kind}", _PLAIN
    if yes:
        yield f"yes:{kind}", _PLAIN
    if not no and not yes:
        yield f"neither:{kind}", _PLAIN
    yield f"negations:{kind}", log1p(negations)
    if not negations:
        yield f"unnegated:{kind}", _PLAIN
    for fact in answer.facts:
        own = profile.fact_stems[fact]
        shared, nearest = 0, ""
        for sentence in spoken:
            if not nearest or len(sentence.carried & own) > shared:
                shared, nearest = len(sentence.carried & own), sentence.words
        touched = "none" if not shared else "some" if shared < _SHARE * max(1, len(own)) else "most"
        side = "denied" if fact in denying else "told"
        way = "no" if _NEGATION.search(nearest) else "yes"
        yield f"fact:{side}.{way}.{touched}", 1 / len(answer.facts)


def _close(answer: Answer, spoken: list[Sentence], unheld: list[Mention]) -> Iterator[tuple[str, float]]:
    """What comes near to the diagnosis or the reports of the case, in words that nothing allowed holds."""
    reference = answer.reference
    free = {s for sentence in spoken for s in sentence.free}
    named = sum(1 for s in free if s in reference.name_stems or s in reference.name_pairs)
    if named:
        yield "close.name", log1p(named)
    reported = sum(1 for s in free if s in reference.report_words)
    if reported:
        yield "close.report", log1p(reported)
    for mention in unheld:
        if name_of(mention.id) in reference.concepts:
            yield "close.concept", _PLAIN


def _words(answer: Answer) -> Iterator[tuple[str, float]]:
    """Each unlicensed word, once."""
    held, allowed, folded = answer.profile.stems, answer.allowed, answer.heard.speech.folded
    question = _question(answer)
    words = {stem(w) if w[0].isalpha() else "#" for w in _WORD.findall(folded)}
    words.update(run[i : i + 2] for run in _HAN.findall(folded) for i in range(len(run) - 1))
    for word in sorted(words):
        if not held.get(word, 0) & allowed and word not in question:
            yield f"w:{word}", _WORD_WEIGHT
