"""An answer as it is weighed: its words with what they may rest on, sentence by sentence.

A word is licensed when an allowed fact, the complaint or the question has it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from clinic_sim.clinic.patient.speech.heard import Heard, content, name_of, stems_of, widened
from clinic_sim.clinic.patient.speech.lexicon import CLAIM
from clinic_sim.clinic.patient.speech.profile import FRAMES, Profile
from clinic_sim.clinic.patient.speech.reference import Reference
from clinic_sim.clinic.patient.speech.support import supported
from clinic_sim.clinic.patient.speech.tables import pattern
from clinic_sim.knowledge.scan import Mention
from clinic_sim.knowledge.text import stem

NEGATION = re.compile(
    r"\b(?:no|not|never|none|nothing|neither|nor|nope|nah|without|hardly|cannot)\b|n't\b|[不没无未别]"
)
_SENTENCE = re.compile(r"[.!?;。…\n]+(?!\d)")
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+(?:\.\d+)?")
_HAN = re.compile("[\u3400-\u9fff]+")


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
    asks: bool
    """It ends as a question."""


class Named(NamedTuple):
    """What an answer names, sorted by what licenses it."""

    held: list[Mention]
    """By a fact or the question."""
    akin: list[Mention]
    """Only akin to what the question names."""
    unheld: list[Mention]
    """Held by nothing."""


def spoken_in(answer: Answer) -> list[Sentence]:
    """The sentences of an answer, those with something in them."""
    folded, held, allowed = answer.heard.speech.folded, answer.profile.stems, answer.allowed
    question = question_stems(answer)
    found = []
    begin = 0
    for end, after in (*(mark.span() for mark in _SENTENCE.finditer(folded)), (len(folded), len(folded))):
        words = folded[begin:end]
        if words.strip():
            carried = content(stems_of(words))
            free = [s for s in carried if not held.get(s, 0) & allowed and s not in question]
            found.append(Sentence(begin, end, words, carried, free, "?" in folded[end:after]))
        begin = after
    return found


def named_in(answer: Answer) -> Named:
    """What an answer names."""
    heard = answer.heard
    asked = {i for m in answer.asked.mentions for i in widened(m.id)} if answer.asked is not None else set()
    found = Named([], [], [])
    for mention in heard.mentions:
        if name_of(mention.id) in asked or supported(answer.profile, mention, heard.speech.folded, answer.allowed):
            found.held.append(mention)
        else:
            (found.unheld if asked.isdisjoint(widened(mention.id)) else found.akin).append(mention)
    return found


def unlicensed(answer: Answer, words: str) -> list[str]:
    """The words of a sentence that nothing licenses, each once: stems, pairs of Han characters, `#` for a number."""
    held, allowed, question = answer.profile.stems, answer.allowed, question_stems(answer)
    found = {stem(w) if w[0].isalpha() else "#" for w in _WORD.findall(words)}
    found.update(run[i : i + 2] for run in _HAN.findall(words) for i in range(len(run) - 1))
    return sorted(word for word in found if not held.get(word, 0) & allowed and word not in question)


def question_stems(answer: Answer) -> Set[str]:
    """The words of the question."""
    return _stems(answer.asked.speech.folded) if answer.asked is not None else frozenset()


@lru_cache(maxsize=1_024)
def _stems(folded: str) -> frozenset[str]:
    """Of a question; a policy repeats itself."""
    return frozenset(stems_of(folded))


def frames_of(words: str) -> list[str]:
    """The frames in which people give things away or add something, of those that stand in words."""
    return [frame for frame in FRAMES if pattern(f"sign.{frame}").search(words)]


def kind_of(id_: str) -> str:
    """What sort of thing an id names."""
    head = id_.partition(":")[0]
    return head if head in ("tx", "icd", "exam") else "claim" if id_.startswith(CLAIM) else id_.partition(".")[0]
