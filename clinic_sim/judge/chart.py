"""`Chart`: what a judge reads from a case alone, and once: allergies, weight, the medicines that its items mean, what
speaks for and against each disease. Every episode of the case shares it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from clinic_sim.cases.case import Case
from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.cases.facts import Polarity
from clinic_sim.cases.graph import diagnosis_node
from clinic_sim.cases.reference import Contraindication, Dosage, Treatment
from clinic_sim.knowledge.allergies import read_allergies
from clinic_sim.knowledge.diagnoses import read_diagnoses
from clinic_sim.knowledge.topics import Topic
from clinic_sim.knowledge.treatments import read_treatment, stands_for

DOUBTFUL = 0.75
"""Least score of a disease that is read from a fact."""
_PAST = (Topic.PAST_HISTORY, Topic.CHIEF_COMPLAINT, Topic.OBSTETRIC, Topic.SURGERY, Topic.MOOD, Topic.ALLERGY)
_WEIGHS = re.compile(r"(?:\bweight|\bweighs|体重)\s*(?:is|of|:|：|为)?\s*(\d+(?:\.\d+)?)\s*(?:kg|公斤|千克)")
_NUMBER = r"(?:\d+|one|two|three|four|five|six|eight|ten|several|many|a few|a)"
_WHEN = re.compile(
    rf"\b(?:for|since|over|about|in|at|these|the (?:last|past))\s+(?:the (?:last|past)\s+)?{_NUMBER}\+?\s*"
    rf"(?:years?|months?|weeks?|days?|hours?)\b|\b{_NUMBER}\s*(?:years?|months?|weeks?|days?)\s+ago\b"
    r"|\bsince (?:childhood|birth|\d{4}|age \d+|\w+)\b|\bin \d{4}\b|\b(?:diagnosed|treated|known|previous|had)\b"
    r"|\d+余?多?\s*(?:年|个月|月|周|天|日|小时)余?前?|病史|患有?|既往|曾患?|反复",
    re.IGNORECASE,
)
"""When an illness was, which is no part of its name."""
_WEIGHT = frozenset({"weight", "body weight", "体重", "wt"})


@dataclass(frozen=True, slots=True)
class Allergy:
    """A fact that tells an allergy to a medicine."""

    fact: str
    allergen: str
    """Concept of the treatment lexicon."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the case graph holds of one disease of the reference."""

    supports: frozenset[str]
    refutes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Chart:
    """One case, read for its judges."""

    allergies: tuple[Allergy, ...]
    allergens: tuple[str, ...]
    """All concepts that the patient is allergic to."""
    kg: float | None
    """Body weight, where an examination measured it."""
    wanted: Mapping[str, tuple[str, ...]]
    """Treatment item to the concepts any of which covers it."""
    avoided: Mapping[str, tuple[str, ...]]
    """Treatment item without a concept that is given, to those that it avoids (`stop ibuprofen`)."""
    banned: Mapping[str, tuple[str, ...]]
    """Contraindication to the concepts that it forbids."""
    dosages: tuple[tuple[tuple[str, ...], Dosage], ...]
    """What each dosage is for, and the dosage."""
    noise: frozenset[str]
    """Exams that contribute nothing to this case."""
    told: frozenset[str]
    """ICD-10 codes of the diseases and symptoms that the record itself tells of this patient."""
    speaks_of: Mapping[str, tuple[tuple[str, bool], ...]]
    """Concept to the facts that name it, and whether each denies it."""
    evidence: Mapping[str, Evidence]
    """Graph node of each disease of the reference to what speaks for and against it."""


@lru_cache(maxsize=1024)
def chart_of(compiled: CompiledCase) -> Chart:
    """The chart of a case; made once a compiled case."""
    case = compiled.case
    wanted = {item.id: wanted_concepts(item) for item in case.treatment}
    allergies = tuple(_allergies(case))
    return Chart(
        allergies,
        tuple(dict.fromkeys(a.allergen for a in allergies)),
        _kg(case),
        wanted,
        {item.id: _read((item.name,), negated=True) for item in case.treatment if not wanted[item.id]},
        {ban.id: banned_concepts(ban) for ban in case.contraindicated},
        tuple((d.of or wanted[item.id], d) for item in case.treatment for d in item.dosage),
        frozenset(e.id for e in case.exams if e.noise),
        frozenset(_told(case)),
        _speaks_of(compiled),
        _evidence(compiled),
    )


@lru_cache(maxsize=16_384)
def items_of(compiled: CompiledCase, concept: str) -> tuple[tuple[str, float], ...]:
    """The treatment items for which a medicine or measure does, and how far (`treatments.stands_for`)."""
    wanted = chart_of(compiled).wanted.items()
    found = ((item, max((stands_for(concept, c) for c in concepts), default=0.0)) for item, concepts in wanted)
    return tuple((item, kin) for item, kin in found if kin)


def wanted_concepts(item: Treatment) -> tuple[str, ...]:
    """Concepts, any of which covers the item: its own, or read from its name and alternatives."""
    return item.concepts or _read((item.name, *item.alternatives))


def banned_concepts(ban: Contraindication) -> tuple[str, ...]:
    """Concepts that the contraindication forbids."""
    return ban.concepts if ban.concepts or ban.exams else _read((ban.name,))


def _read(texts: tuple[str, ...], *, negated: bool = False) -> tuple[str, ...]:
    mentions = (m for text in texts for m in read_treatment(text))
    return tuple(dict.fromkeys(m.concept for m in mentions if m.negated == negated))


def _allergies(case: Case) -> list[Allergy]:
    found = []
    for fact in case.facts:
        if fact.polarity is Polarity.PRESENT and fact.topic is not Topic.FAMILY:
            allergens = read_allergies(fact.statement, listed=fact.topic is Topic.ALLERGY)
            found += [Allergy(fact.id, allergen) for allergen in allergens]
    return found


def _kg(case: Case) -> float | None:
    measured = (m for exam in case.exams for m in exam.measurements if m.name.strip().lower() in _WEIGHT)
    found = [float(m.value) for m in measured if m.unit == "kg" and isinstance(m.value, int | float)]
    found += [float(match[1]) for exam in case.exams if (match := _WEIGHS.search(exam.report.lower()))]
    return next((kg for kg in found if kg > 0), None)


def _told(case: Case) -> list[str]:
    """Codes that the facts name: past illnesses, and symptoms that the patient has."""
    facts = (f for f in case.facts if f.topic in _PAST and f.polarity is Polarity.PRESENT)
    plain = (_WHEN.sub(" ", f.statement) for f in facts)
    read = (d for text in plain for d in read_diagnoses(text) if d.certainty != "ruled_out" and d.matches)
    return [d.matches[0].icd10 for d in read if d.matches[0].score >= DOUBTFUL]


def _speaks_of(compiled: CompiledCase) -> dict[str, tuple[tuple[str, bool], ...]]:
    found: dict[str, tuple[tuple[str, bool], ...]] = {}
    for fact, meaning in zip(compiled.case.facts, compiled.meanings, strict=True):
        for concept in meaning.concepts:
            found[concept] = (*found.get(concept, ()), (fact.id, meaning.polarity is Polarity.ABSENT))
    return found


def _evidence(compiled: CompiledCase) -> dict[str, Evidence]:
    reference = compiled.case.diagnosis
    if reference is None:
        return {}
    graph, known = compiled.graph, [*compiled.position, *(e.id for e in compiled.case.exams)]
    nodes = [diagnosis_node(d) for d in (reference.primary, *reference.differential)]
    return {node: Evidence(frozenset(graph.supporting(node)), frozenset(graph.refuting(node, known))) for node in nodes}
