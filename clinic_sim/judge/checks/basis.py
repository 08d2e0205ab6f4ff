"""The check on the basis: what is cited must have been found out, and must speak for the diagnosis that was stated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from clinic_sim.cases.graph import diagnosis_node
from clinic_sim.judge.checks.finding import Finding, missing, not_applicable
from clinic_sim.judge.hearing import Hearing
from clinic_sim.knowledge.meaning import Polarity, annotate
from clinic_sim.knowledge.text import Language

ENOUGH = 4
"""Pieces of evidence that prove a diagnosis as well as more would."""
FOUNDED = 0.5
"""Share of a basis that must have been found out; a summary in other words may well bring a few concepts of its own."""
AGAINST = 0.5
"""What a cited piece that speaks against the diagnosis, or for another one only, counts beside one that proves it."""
_ITEMS, _LENGTH = 40, 2_000
_CLAUSE = re.compile(r"[;；。\n]|\.\s")


def basis_cited(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """How well the cited evidence proves the stated diagnosis, in the case graph and in this consultation.

    Value: share of the evidence that supports the diagnosis (`ENOUGH` pieces are all) which is cited and was found out;
    times the share of the cited pieces that speak for it (one that refutes it, or supports a differential alone, counts
    half a piece against); times how near the stated diagnosis is to the one that the evidence proves; less where most
    of what is cited was not found out: whoever cites every symptom there is cites the right ones too.
    """
    reference = h.case.diagnosis
    if reference is None:
        return missing("diagnosis")
    if not reference.basis:
        return missing("basis") if "basis" in h.case.provenance.missing else not_applicable("no basis in the reference")
    if h.conclusion is None:
        return Finding(0.0, (), "no conclusion")
    node = diagnosis_node(h.stated.node or reference.primary)
    evidence = h.chart.evidence[node]
    for_others = frozenset[str]().union(*(e.supports for n, e in h.chart.evidence.items() if n != node))
    # The complaint speaks for every disease that is thought of.
    against = (evidence.refutes | for_others) - evidence.supports - h.given_facts
    cited: set[str] = set()
    speaks_for = speaks_against = 0
    for piece in _pieces(h):
        found = _evidence_in(h, piece)
        cited |= found
        speaks_for += not found.isdisjoint(evidence.supports)
        speaks_against += found.isdisjoint(evidence.supports) and not found.isdisjoint(against)
    hit = [e for e in (*h.ledger.facts, *h.ledger.exams) if e in cited and e in evidence.supports]
    founded = _founded(h) if hit else 1.0
    purity = speaks_for / (speaks_for + AGAINST * speaks_against) if hit else 0.0
    proof = min(1.0, len(hit) / min(ENOUGH, len(evidence.supports))) if evidence.supports else 0.0
    known = {**h.ledger.facts, **h.ledger.exams}
    return Finding(
        proof * purity * h.stated.nearness * min(1.0, founded / FOUNDED),
        tuple(sorted({known[e] for e in hit})),
        f"cites {len(hit)} of {len(evidence.supports)} pieces of evidence that support {node.removeprefix('dx:')}"
        + (f"; {speaks_against} that do not" if speaks_against else "")
        + (f"; the diagnosis itself is {h.stated.nearness:.2f} of what they prove" if h.stated.nearness < 1 else "")
        + (f"; {1 - founded:.0%} of what it cites was not found out" if founded < FOUNDED else ""),
    )


def _pieces(h: Hearing) -> list[str]:
    """What is cited, item by item; clause by clause where all of it stands in one."""
    items = [item[:_LENGTH] for item in h.conclusion.basis[:_ITEMS]] if h.conclusion else []
    return items if len(items) > 1 else [c for item in items for c in _CLAUSE.split(item) if c.strip()][: 2 * _ITEMS]


def _founded(h: Hearing) -> float:
    """Share of what the basis speaks of that was found out in this consultation."""
    items = h.conclusion.basis[:_ITEMS] if h.conclusion else ()
    spoken = frozenset[str]().union(*(_concepts_in(item[:_LENGTH], h.case.language) for item in items))
    if not spoken:
        return 1.0
    told = (h.compiled.meanings[h.compiled.position[f]].concepts for f in h.ledger.facts)
    shown = (_concepts_in(h.case.exam(e).report[:_LENGTH], h.case.language) for e in h.ledger.exams)
    return len(spoken.intersection(frozenset[str]().union(*told, *shown))) / len(spoken)


@lru_cache(maxsize=8_192)
def _read(text: str, language: Language) -> tuple[frozenset[str], bool]:
    """The concepts that a text names, and whether it denies them: read once for both."""
    meaning = annotate(text, language=language)
    return frozenset(meaning.concepts), meaning.polarity is Polarity.ABSENT


def _concepts_in(text: str, language: Language) -> frozenset[str]:
    return _read(text, language)[0]


def _evidence_in(h: Hearing, text: str) -> set[str]:
    """What was found out that a piece names: an exam by its name, a fact by a concept, both or neither denied."""
    found = {e for item in h.compiled.orders.read(text).items for e in item.matched_exam_ids if e in h.ledger.exams}
    concepts, denies = _read(text, h.case.language)
    if concepts:
        for concept in concepts:
            for fact, denied in h.chart.speaks_of.get(concept, ()):
                if denied == denies and fact in h.ledger.facts:
                    found.add(fact)
    return found
