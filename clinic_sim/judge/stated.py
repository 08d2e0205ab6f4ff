"""The diagnoses of a conclusion as a set against the reference's: which one is meant, which are known besides, which
nothing in the case supports and how much each of those counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from clinic_sim.cases.naming import HIT, closeness
from clinic_sim.cases.reference import CodedDiagnosis, Diagnosis
from clinic_sim.judge.chart import Chart
from clinic_sim.judge.nearness import gravity, nearness
from clinic_sim.knowledge.diagnoses import ReadDiagnosis, names_of, resolve_diagnosis
from clinic_sim.knowledge.icd10 import similarity

SAME_DISEASE = 0.9
"""Closeness from which a further name is the same disease again: its category, or unspecified (`knowledge.icd10`)."""
RULED_OUT = 0.4
"""Most that a disease of the reference's differential earns: the same family, and wrong."""
TOLD = 0.25
"""What a further name counts that the record itself tells of this patient: an old illness, a symptom of the new one."""
_NAMED = 0.95
"""Score from which a piece of a name is a disease's name by itself, and not a word that two diseases share."""
_PIECES = 40
"""Pieces of one string that are read."""
_BETWEEN = re.compile(
    r"[^\w\s\-'’,.，、()（）]+|_+|\.{2,}|\.\s|\s-+\s"
    r"|\b(?:and/or|or|vs|versus|either|alternatively|otherwise|else|then|aka|alias|perhaps|maybe)\b"
    r"|还是|抑或|或者?|要么|亦可能?",
    re.IGNORECASE,
)
"""What a list of guesses can be strung on: any mark that stands in no name, and words of choice. Reading leaves a
string whole where it knows not all of its names."""


@dataclass(frozen=True, slots=True)
class Stated:
    """A conclusion's diagnoses, matched with the reference."""

    best: ReadDiagnosis | None
    """The one nearest to the reference; None where none was stated."""
    nearness: float
    """How near it is, in [0, 1], with the credit of an acceptable alternative."""
    why: str
    """Why it is not nearer."""
    node: CodedDiagnosis | None
    """The disease of the reference (primary or differential) that it is; None where it is none of them."""
    comorbid: tuple[CodedDiagnosis, ...]
    """The reference's other diseases that were named."""
    extras: tuple[tuple[ReadDiagnosis, float], ...]
    """Further diagnoses that are none of the reference's, and what each counts."""

    @property
    def burden(self) -> float:
        """What all extras count."""
        return sum(weight for _, weight in self.extras)


NOTHING_STATED = Stated(None, 0.0, "no diagnosis was stated", None, (), ())


def match(stated: Sequence[ReadDiagnosis], reference: Diagnosis, chart: Chart) -> Stated:
    """Match the diagnoses of a conclusion with the reference.

    What is nearer to a disease that the reference rules out than to the reference itself is a wrong diagnosis, however
    near. Extras are further names that are neither the same disease, more or less precisely named, nor comorbid.
    """
    if not stated:
        return NOTHING_STATED
    near = [_nearest(d, reference) for d in stated]
    best = max(range(len(stated)), key=lambda n: near[n][0])
    wanted = (reference.primary, *reference.acceptable)
    others = [d for n, d in enumerate(stated) if n != best and not _same(d, wanted)]
    others += [guess for d in stated for guess in strung_on(d) if not _same(guess, wanted)]
    named = []
    for known in reference.comorbid:
        # Each comorbid disease excuses one further name, not any number of its neighbours.
        found = next((d for d in others if closeness(d, known) >= HIT), None)
        if found is not None:
            others.remove(found)
            named.append(known)
        elif closeness(stated[best], known) >= HIT:
            named.append(known)
    value, why, node = near[best]
    return Stated(stated[best], value, why, node, tuple(named), tuple((d, weight(d, reference, chart)) for d in others))


def _same(stated: ReadDiagnosis, wanted: Sequence[CodedDiagnosis]) -> bool:
    """It is the reference's disease again, however vaguely named (`acute coronary syndrome: STEMI`)."""
    return any(closeness(stated, ref) >= SAME_DISEASE or nearness(stated, ref).vaguer for ref in wanted)


def weight(extra: ReadDiagnosis, reference: Diagnosis, chart: Chart) -> float:
    """What a further diagnosis counts: `TOLD` where the record tells of it and it is not what must be told apart, else
    by its gravity."""
    if not extra.matches:
        return 1.0
    code = extra.matches[0].icd10
    told = any(similarity(code, known) >= HIT for known in chart.told)
    if told and not any(closeness(extra, other) >= HIT for other in reference.differential):
        return TOLD
    return gravity(code)


def _nearest(stated: ReadDiagnosis, reference: Diagnosis) -> tuple[float, str, CodedDiagnosis | None]:
    value, why = 0.0, ""
    for ref, credit in ((reference.primary, 1.0), *((a, a.credit) for a in reference.acceptable)):
        near = nearness(stated, ref)
        if near.value * credit > value:
            value, why = near.value * credit, near.why
    rival = max(reference.differential, key=lambda d: closeness(stated, d), default=None)
    if rival is not None and closeness(stated, rival) > value:
        return min(value, RULED_OUT), "nearer to what the reference rules out", rival
    return value, why, reference.primary if value else None


@lru_cache(maxsize=8_192)
def strung_on(said: ReadDiagnosis) -> tuple[ReadDiagnosis, ...]:
    """Other diseases that stand by name in what was read as one: `gout/acute appendicitis`."""
    pieces = _BETWEEN.split(said.text)
    if len(pieces) < 2 or not said.matches or _listed(said):
        return ()
    own, found = said.matches[0].icd10, dict[str, ReadDiagnosis]()
    for piece in pieces[:_PIECES]:
        match = resolve_diagnosis(piece.strip(), limit=1) if piece.strip() else ()
        if match and match[0].score >= _NAMED and similarity(match[0].icd10, own) < HIT:
            found.setdefault(match[0].icd10, ReadDiagnosis(piece.strip(), said.certainty, match))
    return tuple(found.values())


def _listed(said: ReadDiagnosis) -> bool:
    """A table has these very words, marks and all: `NK/T-cell lymphoma`."""
    code = said.matches[0].icd10
    return said.text.casefold() in {n.casefold() for n in (*names_of(code, "en"), *names_of(code, "zh"))}
