"""Checks on the diagnosis: names resolved to ICD-10, compared on its hierarchy; each further guess dilutes it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from clinic_sim.cases.naming import HIT, closeness
from clinic_sim.cases.reference import CodedDiagnosis
from clinic_sim.judge.checks.finding import Finding, missing, not_applicable
from clinic_sim.judge.hearing import Hearing
from clinic_sim.knowledge.diagnoses import ReadDiagnosis, names_of, resolve_diagnosis
from clinic_sim.knowledge.icd10 import similarity
from clinic_sim.knowledge.meaning import annotate
from clinic_sim.knowledge.text import Language

SAME_DISEASE = 0.9
"""Closeness from which a further name is the same disease again: its category, or unspecified (`knowledge.icd10`)."""
RULED_OUT = 0.4
"""Most that a disease of the reference's differential earns: the same family, and wrong."""
FOUNDED = 0.5
"""Share of a basis that must have been found out; a summary in other words may well bring a few concepts of its own."""
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


def icd_match(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """Best similarity of a stated diagnosis to the reference or an acceptable alternative, over one plus the extras.

    Extras are further stated diagnoses that are neither the same disease, more or less precisely named, nor one of
    the comorbid ones, so naming ten never beats naming one, nor does naming all neighbours of a code. What is nearer
    to a disease that the reference rules out than to the reference itself is a wrong diagnosis, however near.
    """
    reference = h.case.diagnosis
    if reference is None:
        return missing("diagnosis")
    if not h.diagnoses:
        return Finding(0.0, h.concluded_at, "no diagnosis was stated")
    wanted = [(reference.primary, 1.0), *((a, a.credit) for a in reference.acceptable)]
    scores = []
    for stated in h.diagnoses:
        score = max(closeness(stated, ref) * credit for ref, credit in wanted)
        if any(closeness(stated, other) > score for other in reference.differential):
            score = min(score, RULED_OUT)
        scores.append(score)
    best = max(range(len(scores)), key=lambda i: scores[i])
    others = [d for i, d in enumerate(h.diagnoses) if i != best and scores[i] < SAME_DISEASE]
    others += [guess for d in h.diagnoses for guess in _strung_on(d)]
    for known in reference.comorbid:
        # Each comorbid disease excuses one further name, not any number of its neighbours.
        named = next((d for d in others if closeness(d, known) >= HIT), None)
        if named is not None:
            others.remove(named)
    value = scores[best] / (1 + len(others))
    said = h.diagnoses[best]
    code = said.matches[0].icd10 if said.matches else "no code"
    return Finding(
        value,
        h.concluded_at,
        f"“{said.text[:120]}” ({code}) against {reference.primary.name} ({reference.primary.icd10 or 'no code'}): "
        f"{scores[best]:.2f}, {len(others)} further guesses",
    )


@lru_cache(maxsize=8_192)
def _strung_on(said: ReadDiagnosis) -> tuple[ReadDiagnosis, ...]:
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


def comorbid_named(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """Share of the reference's other diseases that the conclusion names."""
    if h.case.diagnosis is None:
        return missing("diagnosis")
    wanted = h.case.diagnosis.comorbid
    if not wanted:
        return not_applicable("the reference has no other disease")
    return _share_named(h, wanted, h.diagnoses)


def differential_named(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """Share of the reference's differential that the conclusion considers."""
    if h.case.diagnosis is None:
        return missing("diagnosis")
    wanted = h.case.diagnosis.differential
    if not wanted:
        return not_applicable("the reference has no differential")
    return _share_named(h, wanted, h.differential)


def _share_named(h: Hearing, wanted: Sequence[CodedDiagnosis], named: Sequence[ReadDiagnosis]) -> Finding:
    found = [ref.name for ref in wanted if any(closeness(d, ref) >= HIT for d in named)]
    return Finding(
        len(found) / len(wanted) / max(1.0, len(named) / (2 * len(wanted) + 3)),
        h.concluded_at,
        f"named {', '.join(found) or 'none'} of {len(wanted)}",
    )


def basis_cited(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """Share of the evidence that proves the diagnosis which the conclusion cites, having found it out.

    What was not revealed in this consultation cannot be cited. An item counts when it names a revealed exam or shares
    a concept with a revealed fact. A basis most of which was not found out is worth less: whoever cites every symptom
    there is cites the right ones too.
    """
    reference = h.case.diagnosis
    if reference is None:
        return missing("diagnosis")
    if not reference.basis:
        return missing("basis") if "basis" in h.case.provenance.missing else not_applicable("no basis in the reference")
    if h.conclusion is None:
        return Finding(0.0, (), "no conclusion")
    cited: set[str] = set()
    for item in h.conclusion.basis[:40]:
        cited |= _evidence_in(h, item[:2000])
    hit = [e for e in reference.basis if e in cited]
    known = {**h.ledger.facts, **h.ledger.exams}
    founded = _founded(h) if hit else 1.0
    return Finding(
        min(1.0, len(hit) / min(4, len(reference.basis))) * min(1.0, founded / FOUNDED),
        tuple(sorted({known[e] for e in hit})),
        f"cites {len(hit)} of {len(reference.basis)} pieces of evidence that prove it"
        + (f"; {1 - founded:.0%} of what it cites was not found out" if founded < FOUNDED else ""),
    )


def _founded(h: Hearing) -> float:
    """Share of what the basis speaks of that was found out in this consultation."""
    items = h.conclusion.basis[:40] if h.conclusion else ()
    spoken = frozenset[str]().union(*(_concepts_in(item[:2000], h.case.language) for item in items))
    if not spoken:
        return 1.0
    told = (h.compiled.meanings[h.compiled.position[f]].concepts for f in h.ledger.facts)
    shown = (_concepts_in(h.case.exam(e).report[:2000], h.case.language) for e in h.ledger.exams)
    return len(spoken.intersection(frozenset[str]().union(*told, *shown))) / len(spoken)


@lru_cache(maxsize=8_192)
def _concepts_in(text: str, language: Language) -> frozenset[str]:
    return frozenset(annotate(text, language=language).concepts)


def _evidence_in(h: Hearing, text: str) -> set[str]:
    found = {e for item in h.compiled.orders.read(text).items for e in item.matched_exam_ids if e in h.ledger.exams}
    concepts = _concepts_in(text, h.case.language)
    if concepts:
        for fact in h.ledger.facts:
            meaning = h.compiled.meanings[h.compiled.position[fact]]
            if not concepts.isdisjoint(meaning.concepts):
                found.add(fact)
    return found
