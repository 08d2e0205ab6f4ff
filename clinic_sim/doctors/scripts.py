"""Illness scripts: what common diseases look like, which tests they need and how they are treated.

General knowledge (`data/illness_scripts.tsv`), written from textbooks and blind to the scenario packs, so that the
baselines conclude from evidence as a student would. A script is ranked by how much of it the evidence shows, each
feature counting more the fewer scripts share it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from clinic_sim.knowledge.concepts import ontology
from clinic_sim.knowledge.exam_catalogue import catalogue
from clinic_sim.knowledge.meaning import annotate
from clinic_sim.knowledge.treatments import name as treatment_name


@dataclass(frozen=True, slots=True)
class Feature:
    """A concept that belongs to a script."""

    concept: str
    weight: float

    def label(self, language: str) -> str:
        """The concept's name."""
        concept = ontology().concepts[self.concept]
        return concept.label_zh if language == "zh" else concept.label_en


@dataclass(frozen=True, slots=True)
class IllnessScript:
    """One disease as a student knows it."""

    icd10: str
    name_en: str
    name_zh: str
    sex: str
    """`female`, `male`, or empty for both."""
    ages: tuple[float, float]
    """Years between which it is usual."""
    features: tuple[Feature, ...]
    signs: tuple[str, ...]
    """Words of results that speak for it, in either language, lower case."""
    exams: tuple[str, ...]
    """Catalogue codes that prove or exclude it."""
    plan: tuple[str, ...]
    """Concept ids of its usual treatment."""

    def name(self, language: str) -> str:
        """The disease's name."""
        return self.name_zh if language == "zh" else self.name_en

    def treatments(self, language: str) -> tuple[str, ...]:
        """Its usual treatment in words."""
        return tuple(treatment_name(t, language) for t in self.plan)

    def orders(self, language: str) -> tuple[str, ...]:
        """The names of its examinations."""
        return tuple(catalogue().name(code, language) for code in self.exams)


@cache
def illness_scripts() -> tuple[IllnessScript, ...]:
    """All scripts, loaded once."""
    text = resources.files("clinic_sim.doctors").joinpath("data/illness_scripts.tsv").read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")][1:]
    return tuple(_script(line.split("\t")) for line in lines)


def _script(row: list[str]) -> IllnessScript:
    icd10, name_en, name_zh, sex, ages, features, signs, exams, plan = row
    low, _, high = ages.partition("-")
    return IllnessScript(
        icd10,
        name_en,
        name_zh,
        sex,
        (float(low or 0), float(high or 120)),
        tuple(_feature(f) for f in _listed(features)),
        tuple(s.lower() for s in _listed(signs)),
        _listed(exams),
        _listed(plan),
    )


def _feature(text: str) -> Feature:
    concept, _, weight = text.partition("=")
    return Feature(concept, float(weight or 1))


def _listed(cell: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in cell.split("|") if item.strip())


@cache
def _rarity() -> dict[str, float]:
    """How telling a feature or sign is: the logarithm of scripts over those that share it."""
    scripts = illness_scripts()
    shared = Counter(k for s in scripts for k in {*(f.concept for f in s.features), *s.signs})
    return {k: math.log((1 + len(scripts)) / n) for k, n in shared.items()}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a doctor holds: concepts that are present, concepts that are denied, and the words of results."""

    present: frozenset[str]
    absent: frozenset[str]
    results: str = ""
    age: float | None = None
    sex: str = ""


def rank_evidence(evidence: Evidence) -> list[IllnessScript]:
    """Scripts that the evidence supports, best first."""
    rarity = _rarity()
    scored: list[tuple[float, int]] = []
    scripts = illness_scripts()
    for n, script in enumerate(scripts):
        if script.sex and evidence.sex and script.sex != evidence.sex:
            continue
        outside = evidence.age is not None and not script.ages[0] <= evidence.age <= script.ages[1]
        full = got = 0.0
        for feature in script.features:
            worth = feature.weight * rarity[feature.concept]
            full += worth
            if feature.concept in evidence.present:
                got += worth
            elif feature.concept in evidence.absent:
                got -= 0.5 * worth
        signs = [rarity[s] for s in script.signs if s in evidence.results]
        got += 2.0 * sum(sorted(signs, reverse=True)[:3])
        score = got / math.sqrt(max(full, 1.0)) * (0.4 if outside else 1.0)
        if score > 0:
            scored.append((-score, n))
    return [scripts[n] for _, n in sorted(scored)]


def rank(text: str, language: str) -> list[IllnessScript]:
    """Scripts that one text supports, best first."""
    present, absent = concepts_of([text], language)
    return rank_evidence(Evidence(present, absent, text.lower()))


def concepts_of(texts: Iterable[str], language: str) -> tuple[frozenset[str], frozenset[str]]:
    """Concepts (with what they are kinds of) that texts state and deny."""
    from clinic_sim.knowledge.clauses import split_clauses

    present: set[str] = set()
    absent: set[str] = set()
    for text in texts:
        for clause in split_clauses(text, language):
            meaning = annotate(clause.text, language=language)
            if clause.polarity == "absent":
                absent |= meaning.concepts
            else:
                present |= meaning.closure
    return frozenset(present), frozenset(absent - present)
