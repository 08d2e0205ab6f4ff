"""Signs that a clause says the contrary of a chosen fact: the other end of a scale, another number, yes for no.

Each clause is held against the chosen facts that it is about: those with which it shares a word or an area, or, where
it names none, those that the clause before it or the question is about. What another allowed fact says of the same
area is no contrary. None of these signs decides; they are weighed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from clinic_sim.clinic.patient.speech.heard import content, name_of, negative, stems_of
from clinic_sim.clinic.patient.speech.hearing import Mode
from clinic_sim.clinic.patient.speech.poles import Told, areas_of, poles_in, told
from clinic_sim.clinic.patient.speech.profile import View
from clinic_sim.clinic.patient.speech.quantities_en import numbers_in_words
from clinic_sim.clinic.patient.speech.quantity import Quantity, same
from clinic_sim.clinic.patient.speech.spoken import NEGATION, Answer

_CLAUSE = re.compile(
    r"[,.!?;:。…\n]+(?!\d)|\s-+\s|\s(?:but|though|although|while|whereas|except|only)\s|但是?|不过|可是|就是|只是|倒是"
)
_ASKS_NUMBER = re.compile(
    r"\bhow (?:old|many|much|long|often|far|high|big|heavy|early|late)\b|\bwhen\b|\bwhat (?:age|time|dose|grade)\b"
    r"|几|多[大久少长高重]|什么时候|啥时候|哪[天年月]"
)
_FAR_OFF = 1.9
"""How many times as much is no rounding."""
_NAMED = ("sx.", "dx.", "hx.", "drug.", "claim.")
_WEAK = frozenset(
    {"place", "heat", "posture", "still", "knows", "wanted", "level", "front", "hue", "hard", "cause", "never", "wet"}
)
"""Dimensions whose words are said of much else too: they make one sign together."""
_SHARE = 0.34
_PLAIN, _HALF = 1.0, 0.5
_TIMES = frozenset({"time", "ago", "few"})


BACKING = frozenset(
    {
        *("s:clash.near", "s:clash.far", "s:number.clash.near", "s:number.clash.far", "s:claimed.against"),
        *("s:denied.against", "s:denied.told", "s:claimed.denied"),
    }
)
"""Signs that bear out a contradiction that a rule objects to."""


class Clause(NamedTuple):
    """A stretch of an answer between marks, with what it is about."""

    start: int
    end: int
    told: Told
    about: frozenset[str]
    """Areas that it names, or that the words before it or the question named."""
    stems: frozenset[str]
    negated: bool


def contrary_signs(answer: Answer) -> list[tuple[int, str, float]]:
    """The signs with the place of the clause that shows each."""
    views = [(fact, answer.profile.views[fact]) for fact in answer.facts]
    if not views:
        return []
    spelt = _spelt(answer)
    return [
        (clause.start, name, size) for clause in _clauses(answer) for name, size in _of(answer, clause, views, spelt)
    ]


def _spelt(answer: Answer) -> list[Quantity]:
    """Numbers in words without a unit; one and first are said of anything."""
    heard = answer.heard
    if not heard.speech.english:
        return []
    return [q for q in numbers_in_words(heard.speech.folded, heard.quantities) if q.kind == "bare" and q.value > 1]


def _clauses(answer: Answer) -> Iterator[Clause]:
    speech = answer.heard.speech
    poles = poles_in(speech, answer.heard.contrasts)
    before = _asked_areas(answer)
    begin = 0
    marks = [*(mark.span() for mark in _CLAUSE.finditer(speech.folded)), (len(speech.folded), len(speech.folded))]
    for end, after in marks:
        words = speech.folded[begin:end]
        if words.strip() and speech.mode(begin) is Mode.SAYS:
            here = told([pole for pole in poles if begin <= pole.start < end])
            before = here.areas or before
            stems = frozenset(content(stems_of(words)))
            yield Clause(begin, end, here, before, stems, NEGATION.search(words) is not None)
        begin = after


def _asked_areas(answer: Answer) -> frozenset[str]:
    if answer.asked is None:
        return frozenset()
    speech = answer.asked.speech
    return areas_of(speech.folded, english=speech.english, chinese=speech.chinese)


def _near(clause: Clause, view: View) -> bool:
    """Whether a clause is about a fact by its own words."""
    return bool(clause.told.areas & view.told.areas or clause.stems & view.stems)


def _far(clause: Clause, view: View, alone: bool) -> bool:
    """Whether it may be, by what was spoken of before it."""
    return not clause.told.areas and (alone or bool(clause.about & view.told.areas))


def _of(
    answer: Answer, clause: Clause, views: list[tuple[str, View]], spelt: list[Quantity]
) -> Iterator[tuple[str, float]]:
    alone = len(views) == 1
    best, shared_most = None, 0.0
    for _, view in views:
        near = _near(clause, view)
        if not near and not _far(clause, view, alone):
            continue
        yield from _poles(answer, clause, view, near)
        shared = len(clause.stems & view.stems) / max(1, len(view.stems)) + _HALF * near
        if shared > shared_most:
            best, shared_most = view, shared
    turned = list(_named(answer, clause))
    yield from turned
    if best is not None and any(name == "s:claimed.denied" for name, _ in turned) and best.side == "denied":
        yield ("s:claimed.against.negated" if clause.negated else "s:claimed.against"), _PLAIN
    if best is not None and any(name == "s:denied.told" for name, _ in turned) and best.side == "told":
        yield "s:denied.against", _PLAIN
    yield from _numbers(answer, clause, views, spelt)
    if best is not None:
        way = "no" if clause.negated else "yes"
        yield f"s:fit:{best.side}.{way}.{'most' if shared_most > _HALF + _SHARE else 'some'}", _PLAIN


def _poles(answer: Answer, clause: Clause, view: View, near: bool) -> Iterator[tuple[str, float]]:
    where = "near" if near else "far"
    for dimension, values in clause.told.poles.items():
        known = view.told.poles.get(dimension)
        if not known:
            continue
        weak = dimension in _WEAK
        if values & known:
            if not weak:
                yield f"s:same.{where}", _HALF
            continue
        if _licensed(answer, clause, dimension, values):
            yield "s:clash.licensed", _HALF
            continue
        if weak:
            yield "s:clash.weak", _PLAIN
            continue
        yield f"s:clash.{where}", _PLAIN
        which = f".{min(values)}" if dimension == "well" else ""
        yield f"s:clash:{dimension}{which}{'' if near else '.far'}", _PLAIN


def _licensed(answer: Answer, clause: Clause, dimension: str, values: frozenset[str]) -> bool:
    """Whether another allowed fact says it of the same."""
    profile = answer.profile
    return any(
        bit & answer.allowed and values & view.told.poles.get(dimension, frozenset()) and _near(clause, view)
        for fact, bit in profile.bit.items()
        for view in (profile.views[fact],)
    )


def _named(answer: Answer, clause: Clause) -> Iterator[tuple[str, float]]:
    """What is claimed that a chosen fact denies, and denied that one has, whatever else may excuse it."""
    profile, speech, allowed, chosen = answer.profile, answer.heard.speech, answer.allowed, answer.chosen
    for mention in answer.heard.mentions:
        if not clause.start <= mention.start < clause.end or not mention.id.startswith(_NAMED):
            continue
        id_ = name_of(mention.id)
        has, lacks = profile.present.get(id_, 0), profile.absent.get(id_, 0)
        if speech.denied(mention.start, mention.end) or negative(mention, speech.folded):
            if has & chosen:
                yield ("s:denied.mixed" if lacks & allowed else "s:denied.told"), _PLAIN
        elif lacks & chosen:
            yield ("s:claimed.mixed" if has & allowed else "s:claimed.denied"), _PLAIN


def _numbers(
    answer: Answer, clause: Clause, views: list[tuple[str, View]], spelt: list[Quantity]
) -> Iterator[tuple[str, float]]:
    profile, allowed = answer.profile, answer.allowed
    asked = answer.asked is not None and _ASKS_NUMBER.search(answer.asked.speech.folded) is not None
    said = [q for q in (*answer.heard.quantities, *spelt) if clause.start <= q.start < clause.end]
    for number in said:
        if any(bit & allowed and same(number, known) for known, bit in profile.numbers):
            yield "s:number.same", _HALF
            continue
        for _, view in views:
            near = _near(clause, view)
            if not near and not _far(clause, view, len(views) == 1):
                continue
            known = [k for k in view.numbers if _alike(number, k)]
            if not known:
                continue
            if number.kind == "bare" and any(abs(k.value - number.value) < _HALF for k in view.numbers):
                continue
            where = "near" if near else "far"
            yield f"s:number.clash.{where}", _PLAIN
            if asked:
                yield f"s:number.clash.asked.{where}", _PLAIN
            nearest = min(max(k.value, number.value) / max(1e-6, min(k.value, number.value)) for k in known)
            if nearest >= _FAR_OFF:
                yield f"s:number.far_off.{where}", _PLAIN
            yield f"s:number.clash:{number.kind}", _HALF


def _alike(said: Quantity, known: Quantity) -> bool:
    return known.kind == said.kind or {known.kind, said.kind} <= _TIMES or said.kind == "bare"
