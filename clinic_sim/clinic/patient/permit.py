"""Permit: which facts a model may choose for an utterance. The model proposes, the record's rules decide.

A model understands more ways of asking than the lexicon, so it may choose a few facts which the lexicon did not, where
the utterance shares content words with the fact and the fact asks for no special question. What it can never do is
tell what nobody asked for: the script, everything at once, or what the patient keeps to themselves.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import cache, lru_cache
from pathlib import Path

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.cases.facts import Disclosure
from clinic_sim.clinic.events import AnswerKind
from clinic_sim.clinic.patient.guard import fact_leak
from clinic_sim.clinic.patient.select import Selection
from clinic_sim.clinic.persona import Persona
from clinic_sim.knowledge.text import fold, stem
from clinic_sim.knowledge.topics import Topic

BEYOND = 2
"""Most facts of one answer that the lexicon did not choose."""
LINKS = 2
"""Content words that an utterance must share with a fact to be about it: one is chance ("right", "pain")."""
_OPEN_TO_ALL = (Disclosure.VOLUNTEERED, Disclosure.ASKED)
_WORD = re.compile(r"[a-z]{4,}|[\u3400-\u9fff]+")
_NO_QUESTION = (AnswerKind.REFUSED, AnswerKind.SOCIAL)
_COMMON_WORDS = Path(__file__).parent / "data" / "common_words.txt"


def unasked(
    compiled: CompiledCase,
    utterance: str,
    chosen: Sequence[str],
    selection: Selection,
    persona: Persona,
    told: Collection[str],
) -> tuple[str, ...]:
    """The chosen facts that this utterance does not get, in the order chosen."""
    by_lexicon = set(selection.facts)
    fresh = [f for f in dict.fromkeys(chosen) if f not in told and f not in by_lexicon]
    refused: list[str] = []
    beyond = volunteered = 0
    for fact_id in fresh:
        fact = compiled.by_id[fact_id]
        if fact.echo_of in chosen and not fact_leak(compiled, fact_id):
            continue
        if fact.disclosure not in _OPEN_TO_ALL or fact_leak(compiled, fact_id):
            refused.append(fact_id)
        elif selection.asked_openly and volunteered < persona.volunteers and _is_volunteered(compiled, fact_id):
            volunteered += 1
        elif selection.kind not in _NO_QUESTION and beyond < BEYOND and _linked(compiled, utterance, fact_id):
            beyond += 1
        else:
            refused.append(fact_id)
    return tuple(refused)


def _is_volunteered(compiled: CompiledCase, fact_id: str) -> bool:
    fact = compiled.by_id[fact_id]
    return fact.disclosure is Disclosure.VOLUNTEERED or fact.topic is Topic.CHIEF_COMPLAINT


def _linked(compiled: CompiledCase, utterance: str, fact_id: str) -> bool:
    fact = compiled.by_id[fact_id]
    shared = _content(utterance) & _content(f"{fact.statement} {fact.words or ''}")
    return len(shared) >= LINKS


@cache
def _common() -> frozenset[str]:
    """Words and pairs of characters that any question may hold, so that sharing one links nothing."""
    return frozenset(stem(w) if w.isascii() else w for w in _COMMON_WORDS.read_text(encoding="utf-8").split())


@lru_cache(maxsize=8_192)
def _content(text: str) -> frozenset[str]:
    """Stems of the English content words and pairs of Chinese characters."""
    found: set[str] = set()
    for word in _WORD.findall(fold(text)):
        if word[0] < "\u3400":
            found.add(stem(word))
        else:
            found.update(word[i : i + 2] for i in range(len(word) - 1))
    return frozenset(found - _common())
