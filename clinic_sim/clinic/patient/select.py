"""Select: which facts an utterance asks for, and which of them this patient tells now."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import lru_cache

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.cases.facts import Disclosure
from clinic_sim.clinic.events import AnswerKind
from clinic_sim.clinic.persona import Persona
from clinic_sim.knowledge.meaning import Meaning
from clinic_sim.knowledge.queries import Query, QueryKind
from clinic_sim.knowledge.questions import read_question
from clinic_sim.knowledge.selection import Choice, select
from clinic_sim.knowledge.topics import Topic

_ASSURANCE = re.compile(
    r"confidential|between (?:us|you and me)|in (?:strict )?confidence|private|(?:won't|will not) tell"
    r"|judg(?:e|ing) you|保密|不会告诉|放心|隐私|只有我们",
    re.IGNORECASE,
)
_OPEN = (QueryKind.OPEN, QueryKind.ANYTHING_ELSE)


@dataclass(frozen=True, slots=True)
class Selection:
    """What an utterance gets: the facts to tell, those held back, and the sort of answer."""

    kind: AnswerKind
    facts: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    cut: bool = False
    """Some questions of the utterance were left unanswered."""
    asked_openly: bool = False
    """The utterance asked for anything at all, not for something."""
    choices: tuple[Choice, ...] = ()


def select_facts(
    compiled: CompiledCase,
    utterance: str,
    persona: Persona,
    *,
    told: dict[str, int] | None = None,
    held_before: AbstractSet[str] = frozenset(),
    focus: Meaning | None = None,
) -> Selection:
    """Choose the facts that an utterance asks for.

    Args:
        told: Facts disclosed already; an open question or `anything else` moves on to what was not told.
        held_before: Guarded facts asked for earlier; asking again discloses them.
        focus: What was last spoken of; the chief complaint when None.
    """
    told = told or {}
    queries, cut, choices = _choose(compiled, utterance, persona.questions_per_turn, focus or compiled.chief)
    facts: dict[str, None] = {}
    held: list[str] = []
    for choice in choices:
        if choice.strength == "open":
            continue  # what an open question brings out is the persona's choice, below
        fact = compiled.case.facts[choice.index]
        named = queries[choice.query].concepts
        specific = choice.strength == "specific" or not compiled.meanings[choice.index].closure.isdisjoint(named)
        if fact.disclosure is Disclosure.SPECIFIC and not specific:
            continue
        if fact.disclosure is Disclosure.GUARDED and fact.id not in told:
            if not specific:
                continue
            if fact.id not in held_before and not _assured(utterance):
                held.append(fact.id)
                continue
        facts[fact.id] = None
    kinds = [query.kind for query in queries]
    for kind in kinds:
        if kind in _OPEN:
            for fact_id in _volunteered(compiled, told, persona.volunteers, opening=kind is QueryKind.OPEN):
                facts[fact_id] = None
    chosen = list(facts)[: persona.facts_per_answer]
    with_echoes = dict.fromkeys(e for f in chosen for e in (f, *compiled.echoes.get(f, ())))
    return Selection(
        _kind_of(kinds, bool(chosen), bool(held), cut),
        tuple(with_echoes),
        tuple(held),
        cut,
        any(k in _OPEN for k in kinds),
        choices,
    )


@lru_cache(maxsize=16_384)
def _choose(
    compiled: CompiledCase, utterance: str, most: int, focus: Meaning
) -> tuple[tuple[Query, ...], bool, tuple[Choice, ...]]:
    """What is asked, whether some of it was cut off, and which facts answer it. A policy repeats itself: cached."""
    reading = read_question(utterance)
    cut = len(reading.queries) > most
    if cut:
        reading = replace(reading, queries=reading.queries[:most])
    return reading.queries, cut, tuple(select(reading, compiled.index, focus=focus))


@lru_cache(maxsize=16_384)
def _assured(utterance: str) -> bool:
    """The doctor promises confidence."""
    return _ASSURANCE.search(utterance) is not None


def _volunteered(compiled: CompiledCase, told: dict[str, int], most: int, *, opening: bool) -> list[str]:
    """What a patient says unprompted: the complaint first, then what they volunteer and have not told yet."""
    case = compiled.case
    chief = [f.id for f in case.facts if f.topic is Topic.CHIEF_COMPLAINT and f.disclosure is not Disclosure.GUARDED]
    rest = [f.id for f in case.facts if f.disclosure is Disclosure.VOLUNTEERED and f.id not in chief]
    if opening:
        fresh = [f for f in (*chief, *rest) if f not in told]
        return (fresh or chief)[: max(most, 1)]
    return [f for f in (*chief, *rest) if f not in told][:most]


def _kind_of(kinds: list[QueryKind], found: bool, held: bool, cut: bool) -> AnswerKind:
    if found:
        return AnswerKind.TOO_BROAD if cut else AnswerKind.FACTS
    if held:
        return AnswerKind.GUARDED
    if any(k in _OPEN for k in kinds):
        return AnswerKind.NOTHING_KNOWN
    real = [k for k in kinds if k not in (QueryKind.SOCIAL, QueryKind.STATEMENT)]
    if not real:
        return AnswerKind.SOCIAL
    if QueryKind.ANSWER_FISHING in real:
        return AnswerKind.REFUSED
    if all(k is QueryKind.UNKNOWN for k in real):
        return AnswerKind.NOT_UNDERSTOOD
    return AnswerKind.NOTHING_KNOWN
