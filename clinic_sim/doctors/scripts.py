"""Illness scripts: what common diseases look like, which tests they need and how they are treated.

General knowledge (`data/illness_scripts.tsv`), written from textbooks and blind to the scenario packs, so that the
baselines conclude from evidence as a student would. A script is ranked by how much of it the evidence shows and how
much of the patient it explains; what few scripts share counts more.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

from clinic_sim.doctors.signs import SignIndex
from clinic_sim.knowledge.clauses import split_clauses
from clinic_sim.knowledge.concepts import ontology
from clinic_sim.knowledge.exam_catalogue import catalogue
from clinic_sim.knowledge.meaning import Meaning, annotate
from clinic_sim.knowledge.scan import Polarity
from clinic_sim.knowledge.text import Language
from clinic_sim.knowledge.treatments import name as treatment_name

_TELLING = {"sx": 1.0, "dx": 0.8, "drug": 0.8, "site": 0.6, "hx": 0.4, "attr": 0.2, "neg": 0.2}
"""How much a kind of concept says: everybody works, sleeps and has a worst moment."""
_GENERIC = 0.4
"""Factor for concepts that have kinds of their own: pain, swelling, weakness."""
_MANY_KINDS = 3
_EVERYDAY = 0.45
"""Factor for quantities that any illness moves."""
_EVERYDAY_SIGNS = frozenset(
    [
        *("↑temp", "↑hr", "↓hr", "↑rr", "↑sbp", "↓sbp", "↑dbp", "↓spo2", "↑bmi", "↑wbc", "↑neut", "↓lymph"),
        *("↑plt", "↓plt", "↓hb", "↑crp", "↑esr", "↑glu", "↑cr", "↑bun", "↓alb", "↑ast", "↑alt"),
    ]
)
_SIGN_WORTH = 2.2
_SIGNS_COUNTED = 4
_DENIAL = 0.3
"""Share of a feature's worth that its denial takes away."""
_LEAST_FULL = 40.0
"""A script of few features is not proved by few of them."""
_RANKED = 24
_OUTSIDE = 0.35
"""Factor for a patient outside the ages at which a disease is usual."""
_FAR_OUTSIDE = 0.1


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
    """What results that speak for it say, in either language; see `signs`."""
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


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a doctor holds: concepts that are present, concepts that are denied, and what results say."""

    present: frozenset[str]
    absent: frozenset[str]
    signs: frozenset[str] = frozenset()
    """Signs of the scripts that stand in results (`signs_in`)."""
    age: float | None = None
    sex: str = ""
    complaint: frozenset[str] = frozenset()
    """Concepts of the first words: what the patient came for."""


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


class _Index:
    """The scripts by feature and by sign, with what each is worth."""

    __slots__ = ("by_feature", "by_sign", "full", "rarity")

    def __init__(self) -> None:
        scripts = illness_scripts()
        shared = Counter(f.concept for s in scripts for f in s.features)
        reported = Counter(sign for s in scripts for sign in s.signs)
        self.rarity = {c: math.log((1 + len(scripts)) / n) * _telling(c) for c, n in shared.items()}
        self.by_feature: dict[str, list[tuple[int, float]]] = {}
        self.by_sign: dict[str, list[tuple[int, float]]] = {}
        self.full: list[float] = []
        for n, script in enumerate(scripts):
            worth = [(f.concept, f.weight * self.rarity[f.concept]) for f in script.features]
            self.full.append(math.sqrt(max(_LEAST_FULL, sum(w for _, w in worth))))
            for concept, w in worth:
                self.by_feature.setdefault(concept, []).append((n, w))
            for sign in script.signs:
                rare = math.log((1 + len(scripts)) / reported[sign]) * (_EVERYDAY if sign in _EVERYDAY_SIGNS else 1.0)
                self.by_sign.setdefault(sign, []).append((n, rare))


def _telling(concept: str) -> float:
    return _TELLING[concept.partition(".")[0]] * (_GENERIC if concept in _generic() else 1.0)


@cache
def _generic() -> frozenset[str]:
    kinds = Counter(parent for c in ontology().concepts.values() for parent in c.parents)
    return frozenset(c for c, n in kinds.items() if n >= _MANY_KINDS)


@cache
def _index() -> _Index:
    return _Index()


@cache
def _signs() -> SignIndex:
    return SignIndex(sign for script in illness_scripts() for sign in script.signs)


@lru_cache(maxsize=8_192)
def signs_in(results: str) -> frozenset[str]:
    """The signs of the scripts that a text of results shows."""
    return _signs().find(results)


def rank_evidence(evidence: Evidence) -> list[IllnessScript]:
    """Scripts that the evidence supports, best first; at most two dozen."""
    scripts = illness_scripts()
    return [scripts[n] for _, n in _scored(evidence)]


@lru_cache(maxsize=2_048)
def _scored(evidence: Evidence) -> tuple[tuple[float, int], ...]:
    """Negative score and number of the supported scripts, best first; equal ones in the table's order."""
    index, scripts = _index(), illness_scripts()
    got: dict[int, float] = {}
    explained: dict[int, float] = {}
    total = 1e-9
    for concept in sorted(evidence.present):
        holders = index.by_feature.get(concept, ())
        telling = index.rarity.get(concept, 0.0) * (2.0 if concept in evidence.complaint else 1.0)
        if concept.startswith("sx."):
            total += telling
        for n, worth in holders:
            got[n] = got.get(n, 0.0) + worth * (1.6 if concept in evidence.complaint else 1.0)
            if concept.startswith("sx."):
                explained[n] = explained.get(n, 0.0) + telling
    for concept in sorted(evidence.absent):
        for n, worth in index.by_feature.get(concept, ()):
            if n in got:
                got[n] -= _DENIAL * worth
    shown: dict[int, list[float]] = {}
    for sign in sorted(evidence.signs):
        for n, worth in index.by_sign.get(sign, ()):
            shown.setdefault(n, []).append(worth)
            got.setdefault(n, 0.0)
    ranked = []
    for n, history in got.items():
        script = scripts[n]
        if script.sex and evidence.sex and script.sex != evidence.sex:
            continue
        signs = sum(sorted(shown.get(n, ()), reverse=True)[:_SIGNS_COUNTED])
        fit = 0.5 + 0.5 * explained.get(n, 0.0) / total
        score = (history * fit + _SIGN_WORTH * signs) / index.full[n]
        score *= _age_factor(script.ages, evidence.age)
        if score > 0:
            ranked.append((-score, n))
    return tuple(heapq.nsmallest(_RANKED, ranked))


def _age_factor(usual: tuple[float, float], age: float | None) -> float:
    if age is None or usual[0] <= age <= usual[1]:
        return 1.0
    return _OUTSIDE if usual[0] / 2 <= age <= 2 * usual[1] + 5 else _FAR_OUTSIDE


def rank(text: str, language: str) -> list[IllnessScript]:
    """Scripts that one text supports, best first."""
    present, absent = concepts_of([text], language)
    return rank_evidence(Evidence(present, absent, signs_in(text)))


def concepts_of(texts: Iterable[str], language: str) -> tuple[frozenset[str], frozenset[str]]:
    """Concepts (with what they are kinds of) that texts state of the patient, and those that they deny."""
    present: set[str] = set()
    absent: set[str] = set()
    for text in texts:
        stated, denied = _concepts(text, "zh" if language == "zh" else "en")
        present |= stated
        absent |= denied
    return frozenset(present), frozenset(absent - present)


@lru_cache(maxsize=16_384)
def _concepts(text: str, language: Language) -> tuple[frozenset[str], frozenset[str]]:
    present: set[str] = set()
    absent: set[str] = set()
    for clause in split_clauses(text, language):
        meaning = annotate(clause.text, language=language, polarity=clause.polarity)
        if meaning.kin and not any(c.startswith("sx.") for c in meaning.concepts):
            present |= _of_relative(meaning)
        elif clause.polarity is Polarity.ABSENT:
            absent.update(meaning.concepts)
        elif clause.polarity is Polarity.PRESENT:
            present |= meaning.closure | meaning.attributes
    return frozenset(present), frozenset(absent)


def _of_relative(meaning: Meaning) -> frozenset[str]:
    """A relative's disease says something of the family, nothing of the patient."""
    ill = meaning.polarity is Polarity.PRESENT and any(c.startswith("dx.") for c in meaning.concepts)
    return frozenset({"hx.family"}) if ill else frozenset()
