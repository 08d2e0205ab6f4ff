"""`CompiledCase`: a case with everything that is read from it once, ready for many episodes.

Compiling annotates every fact with its meaning, indexes the meanings, builds the evidence graph and the order reader,
each when it is first asked for: a process is ready for its first episode before the lexicons of questions and orders
are loaded, and one that never needs them never pays. Compiled cases do not change otherwise and are shared by all
episodes of the case.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from clinic_sim.cases.case import Case
from clinic_sim.cases.graph import CaseGraph
from clinic_sim.knowledge.exam_catalogue import catalogue
from clinic_sim.knowledge.fact_index import Index, index
from clinic_sim.knowledge.meaning import Meaning, annotate
from clinic_sim.knowledge.orders import OrderReader, RecordedExam
from clinic_sim.knowledge.topics import Topic

_PRESENT = (Topic.CHIEF_COMPLAINT, Topic.PRESENT_ILLNESS)


class CompiledCase:
    """One case, compiled; build it with `compile_case`."""

    __slots__ = (
        "__weakref__",
        "by_id",
        "case",
        "chief",
        "content_hash",
        "echoes",
        "graph",
        "index",
        "meanings",
        "orders",
        "position",
    )

    graph: CaseGraph
    chief: Meaning
    """What the complaint means."""
    meanings: tuple[Meaning, ...]
    """What each fact means, in case order."""
    index: Index
    orders: OrderReader

    def __init__(self, case: Case) -> None:
        self.case = case
        self.content_hash = case.content_hash
        self.by_id = {fact.id: fact for fact in case.facts}
        self.position = {fact.id: n for n, fact in enumerate(case.facts)}
        self.echoes: dict[str, tuple[str, ...]] = {}
        for fact in case.facts:
            if fact.echo_of:
                self.echoes[fact.echo_of] = (*self.echoes.get(fact.echo_of, ()), fact.id)

    if not TYPE_CHECKING:  # a checker would take any name for an attribute

        def __getattr__(self, name: str) -> object:
            """Fill an empty slot; once filled it is read without coming here. Two threads may both build it, alike."""
            build = _PARTS.get(name)
            if build is None:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            part = build(self)
            setattr(self, name, part)
            return part

    @property
    def given_facts(self) -> tuple[str, ...]:
        """Facts that the patient's first words give away: the complaint itself, where the case has no own opening."""
        if self.case.opening is not None:
            return ()
        chief = [f.id for f in self.case.facts if f.topic is Topic.CHIEF_COMPLAINT and f.echo_of is None][:1]
        return tuple(e for f in chief for e in (f, *self.echoes.get(f, ())))


def _chief(compiled: CompiledCase) -> Meaning:
    case = compiled.case
    return annotate(case.chief_complaint, language=case.language, topic=Topic.CHIEF_COMPLAINT)


def _meanings(compiled: CompiledCase) -> tuple[Meaning, ...]:
    """Meanings of the facts in order; a present-illness fact inherits what the one before was about."""
    meanings: list[Meaning] = []
    context: Meaning | None = compiled.chief
    for fact in compiled.case.facts:
        inherits = context if fact.topic in _PRESENT else None
        meaning = annotate(
            fact.statement,
            language=compiled.case.language,
            topic=fact.topic,
            context=inherits,
            polarity=fact.polarity,
        ).with_concepts(fact.about)
        meanings.append(meaning)
        if fact.topic in _PRESENT:
            context = meaning
    return tuple(meanings)


def _orders(compiled: CompiledCase) -> OrderReader:
    book = catalogue()
    recorded = []
    for exam in compiled.case.exams:
        names = [book.name(code, lang) for code in exam.codes if code in book for lang in ("en", "zh")]
        recorded.append(RecordedExam(exam.id, exam.codes, tuple(dict.fromkeys([exam.name or names[0], *names]))))
    return OrderReader(recorded)


_PARTS: dict[str, Callable[[CompiledCase], object]] = {
    "graph": lambda compiled: CaseGraph(compiled.case),
    "chief": _chief,
    "meanings": _meanings,
    "index": lambda compiled: index(compiled.meanings),
    "orders": _orders,
}
"""What is built on first use, by slot."""


_MOST = 1024
"""Compiled cases that are kept: a sweep over a large collection must not hold every case that it ever met."""


def compile_case(case: Case) -> CompiledCase:
    """The compiled form of a case; equal cases share one."""
    # A case hashes by its content, which takes longer than all else that an episode asks of it: the same object is
    # known by its address first. Whoever is kept here cannot be freed, so that no other gets its address.
    known = _same().get(id(case))
    if known is not None:
        return known
    compiled = _compiled(case)
    if compiled.case is case:
        same = _same()
        if len(same) >= _MOST:
            same.clear()
        same[id(case)] = compiled
    return compiled


@lru_cache(maxsize=_MOST)
def _compiled(case: Case) -> CompiledCase:
    return CompiledCase(case)


@cache
def _same() -> dict[int, CompiledCase]:
    return {}
