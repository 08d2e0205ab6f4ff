"""Checks on how the history was taken: open before closed, one thing at a time, nothing suggested, positives followed.

Each is what was found out in that manner, as a share of what the patient can tell by its worth. So manner never earns
more than content does: one open question and nothing else, or ten polite ones about the weather, earn nothing here, a
question more never lowers what the others have earned, and a summary that the patient only confirms costs nothing.
Read from the doctor's words and the ledger; nothing that is said about a question counts, only how it is put.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from clinic_sim.cases.facts import Fact, FactKind, Polarity
from clinic_sim.clinic.actions import Ask
from clinic_sim.clinic.events import AnswerKind, DoctorActed, PatientAnswered
from clinic_sim.judge.checks.finding import Finding, not_applicable
from clinic_sim.judge.hearing import Hearing
from clinic_sim.knowledge.meaning import Meaning
from clinic_sim.knowledge.queries import Query, QueryKind
from clinic_sim.knowledge.question_forms import Form, question_forms
from clinic_sim.knowledge.questions import read_question
from clinic_sim.knowledge.text import Language

LINKED = 3
"""Things that a patient can keep in mind and answer together: where it hurts, where it goes and what it is like."""
BATCH = 8
"""Things in one breath of which none is answered properly; in between the credit falls evenly."""
OPENING_TURNS = 3
"""Turns within which an open question still opens the history; only in the first one does it count in full."""
LATE, MIXED = 0.5, 0.5
"""What is left where the open question comes after another one, and where closed ones follow it in the same breath."""
IMPORTANT = 3.0
"""Least worth of a symptom that must be followed up: it decides. Where none does, the weightiest are followed up."""
MISHEARD = 1
"""Concepts that the lexicon may read in a word beyond the one that was meant."""
_SHOWN = 20
"""Most events that a finding points at."""
_UNDERSTOOD = frozenset({AnswerKind.FACTS, AnswerKind.NOTHING_KNOWN, AnswerKind.GUARDED, AnswerKind.TOO_BROAD})


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing said to the patient, and what the answer told for the first time."""

    n: int
    """Number of the doctor's event."""
    text: str
    answered: int
    """Number of the patient's event."""
    understood: bool
    """The patient took it for a question about the illness, and not for small talk."""
    fresh: tuple[str, ...]
    """Facts that were not known before."""
    worth: float
    """What they are worth together."""
    unled: float
    """Share of its questions that leave the answer to the patient; 1 where it told nothing."""
    matters: int
    """Things asked for, as they are listed or, where no mark separates them, as they are understood; 0 likewise."""


def open_before_closed(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """The history began with an open question, before any closed one; tied to what was found out."""
    total = _askable(h)
    if not total:
        return not_applicable("the patient has nothing to tell")
    turns = _turns(h)
    known = sum(t.worth for t in turns) / total
    asking = ((t, found) for t in turns if t.understood and (found := question_forms(t.text, h.case.language)))
    for place, (turn, questions) in enumerate(islice(asking, OPENING_TURNS)):
        if questions[0].form is Form.OPEN:
            mixed = any(q.form in (Form.CLOSED, Form.CHOICE, Form.LEADING) for q in questions)
            begun = (LATE if place else 1.0) * (MIXED if mixed else 1.0)
            how = "an open question" if not mixed else "an open question with closed ones in the same breath"
            when = "the first" if not place else f"question {place + 1}"
            return Finding(begun * known, (turn.n,), f"{when} is {how}; {known:.0%} of the history was found out")
    return Finding(0.0, (), "no open question at the beginning")


def no_leading_questions(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """Share of the history that was found out by questions that do not suggest their answer."""
    total = _askable(h)
    if not total:
        return not_applicable("the patient has nothing to tell")
    telling = [t for t in _turns(h) if t.worth]
    leading = [t for t in telling if t.unled < 1.0]
    return Finding(
        sum(t.worth * t.unled for t in telling) / total,
        tuple(t.n for t in leading)[:_SHOWN],
        f"{len(leading)} of {len(telling)} turns that found something out suggest the answer; the others count",
    )


def one_question_at_a_time(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """Share of the history that was found out by turns that ask for one thing or a few linked ones."""
    total = _askable(h)
    if not total:
        return not_applicable("the patient has nothing to tell")
    telling = [t for t in _turns(h) if t.worth]
    batched = [t for t in telling if t.matters > LINKED]
    return Finding(
        sum(t.worth * _ease(t.matters) for t in telling) / total,
        tuple(t.n for t in batched)[:_SHOWN],
        f"{len(batched)} of {len(telling)} turns that found something out ask for more than {LINKED} things at once",
    )


def positives_followed_up(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """Share of the important symptoms that were told and then asked about: since when, where, how bad, with what."""
    worth = {f.id: h.compiled.graph.worth(f.id) for f in h.case.facts if _is_positive(f)}
    bar = min(IMPORTANT, max(worth.values(), default=0.0))
    wanted = [f for f in worth if bar and worth[f] >= bar]
    total = sum(worth[f] for f in wanted)
    if not total:
        return not_applicable("the case has no positive symptom of importance")
    turns = list(_deeper(h))
    known = h.ledger.facts
    found = {f: _followed(h, f, known[f], turns) for f in wanted if f in known}
    done = [f for f in wanted if found.get(f) is not None]
    return Finding(
        sum(worth[f] for f in done) / total,
        tuple(sorted({n for n in found.values() if n is not None}))[:_SHOWN],
        f"{len(wanted)} symptoms of importance: {len(found)} told, {len(done)} of them followed up",
    )


@lru_cache(maxsize=4)
def _turns(h: Hearing) -> tuple[Turn, ...]:
    """What was said to the patient, with what came of it; read once for all checks of a hearing."""
    return tuple(_said(h))


def _said(h: Hearing) -> Iterator[Turn]:
    told, worth, given, language = h.ledger.facts, h.compiled.graph.worth, h.given_facts, h.case.language
    asked: tuple[int, str] | None = None
    for event in h.episode.events:
        if isinstance(event, DoctorActed):
            asked = (event.n, event.action.text) if isinstance(event.action, Ask) else None
        elif asked is not None and isinstance(event, PatientAnswered):
            n, text = asked
            fresh = tuple(f for f in event.facts if told[f] == event.n and f not in given)
            # How a turn is put matters only where it told something, and reading takes most of the time.
            value = sum(map(worth, fresh)) if fresh else 0.0
            unled, matters = _put(text, language) if value else (1.0, 0)
            yield Turn(n, text, event.n, event.kind in _UNDERSTOOD, fresh, value, unled, matters)


@lru_cache(maxsize=8_192)
def _put(text: str, language: Language) -> tuple[float, int]:
    """Share of the questions that do not suggest their answer, and the things asked for."""
    questions = question_forms(text, language)
    unled = sum(q.form is not Form.LEADING for q in questions) / len(questions) if questions else 1.0
    listed = sum(q.matters for q in questions)
    if listed >= BATCH:
        return unled, listed
    meant = len({c for q in read_question(text, language=language).queries for c in q.concepts})
    return unled, max(listed, meant - MISHEARD)


@lru_cache(maxsize=4)
def _askable(h: Hearing) -> float:
    """The worth of what the patient can tell when asked."""
    given = h.given_facts
    return sum(h.compiled.graph.worth(f.id) for f in h.case.facts if f.id not in given)


def _ease(matters: int) -> float:
    """What is left of the credit of a turn that asks for so many things."""
    return min(1.0, max(0.0, (BATCH - matters) / (BATCH - LINKED)))


def _is_positive(fact: Fact) -> bool:
    return fact.polarity is Polarity.PRESENT and fact.sort is FactKind.SYMPTOM and fact.echo_of is None


Deeper = tuple[Turn, tuple[Query, ...], int]
"""A turn that asks what something is like or tells it, its queries, and the answer that it goes on from."""


def _deeper(h: Hearing) -> Iterator[Deeper]:
    by_id, before = h.compiled.by_id, 0
    for turn in _turns(h):
        asked = read_question(turn.text, language=h.case.language).queries
        like = tuple(q for q in asked if q.attributes or q.widely)
        if like or any(by_id[f].sort is FactKind.COURSE for f in turn.fresh):
            yield turn, like, before
        before = turn.answered


def _followed(h: Hearing, fact: str, told: int, turns: Sequence[Deeper]) -> int | None:
    """The event of the first question, after it was told, about what this symptom is like."""
    meaning = _meaning(h, fact)
    complaint = not h.compiled.chief.closure.isdisjoint(meaning.concepts)
    since = 0 if complaint else told  # with the complaint the patient comes in
    for turn, queries, before in turns:
        if turn.n > since:
            focus = complaint or before == told
            if any(_asks_about(q, meaning, focus=focus) for q in queries):
                return turn.n
            if turn.n > told and any(_tells_of(h, other, meaning) for other in turn.fresh):
                return turn.n
    return None


def _asks_about(query: Query, symptom: Meaning, *, focus: bool) -> bool:
    """It asks what the symptom is like, by name or, where the symptom is in focus, without naming anything."""
    if query.concepts:
        return not symptom.closure.isdisjoint(query.concepts)
    return focus and not query.kin and query.kind is QueryKind.ATTRIBUTE


def _tells_of(h: Hearing, other: str, symptom: Meaning) -> bool:
    """A fact of the course that speaks of the symptom."""
    if h.compiled.by_id[other].sort is not FactKind.COURSE:
        return False
    meaning = _meaning(h, other)
    of_it = not meaning.closure.union(meaning.inherited).isdisjoint(symptom.concepts)
    return of_it or not symptom.closure.isdisjoint(meaning.concepts)


def _meaning(h: Hearing, fact: str) -> Meaning:
    return h.compiled.meanings[h.compiled.position[fact]]
