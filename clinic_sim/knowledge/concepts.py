"""The concepts of history taking: their hierarchy, their words in each language, and how they compose.

The tables in `data/` are the source: `concepts.tsv` draws the hierarchy, `terms_*.tsv` give the words used in records
and questions alike, `cues_*.tsv` the words of questions only. A concept whose parents are a finding and a body site is
their composition: pain at the chest is chest pain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from clinic_sim.knowledge.building import uncollected
from clinic_sim.knowledge.matcher import Matcher, build
from clinic_sim.knowledge.text import Language, fold
from clinic_sim.knowledge.topics import Topic

Role = Literal["record", "question"]

BLOCK = "_"
"""Words listed under this id name nothing; they keep a shorter term from being found inside them."""


VERBATIM: dict[Language, frozenset[str]] = {"en": frozenset({"q.fishing", "q.word"}), "zh": frozenset({"q.fishing"})}
"""Cues that count only word for word: "your diagnosis" is not "any diagnosis". They hide no term beside them."""
ASKED = "?"
"""Put before an attribute that a question asks for, as against one that it only mentions."""


@dataclass(frozen=True, slots=True)
class Concept:
    """One thing that can be asked for."""

    id: str
    kind: str
    """finding, system, site, disease, attribute, history, kin, drug or marker."""
    parents: tuple[str, ...]
    topic: Topic | None
    label_en: str
    label_zh: str


class Ontology:
    """The hierarchy of concepts."""

    def __init__(self, concepts: dict[str, Concept], joined: dict[tuple[str, str], str]) -> None:
        self.concepts = concepts
        self.joined = joined
        """What a finding and another concept beside it are together: bleeding and urine."""
        self.joining = frozenset(finding for finding, _ in joined)
        self._ancestors: dict[str, tuple[str, ...]] = {}
        self._closures = {id_: frozenset(self.ancestors(id_)) for id_ in concepts}
        self._sited = {id_: any(a.startswith("site.") for a in closure) for id_, closure in self._closures.items()}
        self._composed = self._compositions()
        self.composable = frozenset(finding for finding, _ in self._composed) | _COMPOSABLE

    def ancestors(self, id_: str) -> tuple[str, ...]:
        """The concept and everything above it, nearest first."""
        known = self._ancestors.get(id_)
        if known is None:
            order, queue = [id_], list(self.concepts[id_].parents)
            while queue:
                parent = queue.pop(0)
                if parent not in order:
                    order.append(parent)
                    queue.extend(self.concepts[parent].parents)
            known = self._ancestors[id_] = tuple(order)
        return known

    def closure(self, id_: str) -> frozenset[str]:
        """The concept with everything above it."""
        return self._closures[id_]

    def sited(self, id_: str) -> bool:
        """Whether the concept names a body site by itself."""
        return self._sited[id_]

    def composed(self, finding: str, site: str) -> str | None:
        """The concept that a finding at a site is, where it has a name of its own."""
        for place in self.ancestors(site):
            if place.startswith("site."):
                for base in self.ancestors(finding):
                    found = self._composed.get((base, place))
                    if found is not None:
                        return found
        return None

    def topic(self, id_: str) -> Topic | None:
        """The heading under which the concept is asked for: its own or its nearest ancestor's."""
        for ancestor in self.ancestors(id_):
            topic = self.concepts[ancestor].topic
            if topic is not None:
                return topic
        return None

    def _compositions(self) -> dict[tuple[str, str], str]:
        table: dict[tuple[str, str], str] = {}
        for concept in self.concepts.values():
            sites = [p for p in concept.parents if p.startswith("site.")]
            bases = [p for p in concept.parents if self.concepts[p].kind in ("finding", "disease")]
            for site in sites:
                for base in bases:
                    if not self.sited(base):
                        table.setdefault((base, site), concept.id)
                        if base == "dx.chronic":
                            table.setdefault(("dx.disease", site), concept.id)
        return table


# Findings that join a site even where no concept of the pair has a name of its own.
_COMPOSABLE = frozenset(
    {
        *("sx.burning", "sx.tightness", "sx.locking", "sx.warmth", "sx.deformity", "sx.movement_limit", "sx.tremor"),
        *("sx.paralysis", "sx.cramp", "sx.itch", "sx.rash", "sx.ulcer", "sx.injury", "dx.infection", "hx.surgery"),
        *("dx.fracture", "dx.dislocation", "dx.burn", "dx.cancer", "hx.injury", "dx.genetic", "sx.problem"),
    }
)


# Where both are named, the first says what the second is there for: an allergy *to a drug*.
_OVERRULES: dict[str, tuple[str, ...]] = {
    "hx.allergy": ("hx.medication", "drug.", "hx.diet", "hx.animal", "hx.exposure", "attr.food"),
    "hx.sick_contact": ("dx.", "sx.unwell", "hx.communicable", "hx.exposure", "hx.residence", "hx.occupation"),
    "hx.prior_treatment": ("hx.medication",),
    "hx.vaccination": ("dx.", "hx.medication"),
    "hx.travel": ("hx.exposure",),
    "hx.substance": ("hx.exposure", "hx.medication"),
    "sx.pnd": ("hx.sleep",),
    "sx.nocturia": ("sx.insomnia",),
    "sx.sweating": ("hx.sleep",),
    "sx.apnea": ("hx.sleep",),
    "hx.transfusion": ("dx.blood", "site.blood"),
    "hx.contraception": ("hx.medication",),
    "hx.prior_diagnosis": ("dx.disease",),
    "hx.idea": ("dx.disease",),
    "hx.lmp": ("hx.menses", "hx.cycle"),
    "dx.sudden_death": ("dx.disease",),
}


def specific(ids: list[str]) -> tuple[str, ...]:
    """Each concept once, without those that another one implies or overrules."""
    known = ontology()
    unique = list(dict.fromkeys(ids))
    if len(unique) < 2:
        return tuple(unique)
    out = tuple(prefix for id_ in unique for prefix in _OVERRULES.get(id_, ()))
    return tuple(
        c for c in unique if not c.startswith(out) and not any(c != d and c in known.closure(d) for d in unique)
    )


def rows(name: str) -> list[list[str]]:
    """The rows of a table in `data/`, without its comments and its header line."""
    text = (files("clinic_sim.knowledge") / "data" / name).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [line.split("\t") for line in lines[1:]]


@cache
def ontology() -> Ontology:
    """The hierarchy, loaded once."""
    concepts = {}
    for id_, kind, parents, topic, label_en, label_zh in rows("concepts.tsv"):
        concepts[id_] = Concept(
            id_,
            kind,
            tuple(p for p in parents.split("|") if p),
            Topic(topic) if topic else None,
            label_en,
            label_zh,
        )
    joined = {(finding, beside): composed for finding, beside, composed in rows("compositions.tsv")}
    return Ontology(concepts, joined)


@cache
@uncollected
def lexicon(language: Language, role: Role) -> Matcher:
    """The words of a language, loaded once; questions have cues besides the terms."""
    return build(language, _forms(language, role))


def _forms(language: Language, role: Role) -> Iterator[tuple[str, tuple[str, ...]]]:
    for id_, listed in rows(f"terms_{language}.tsv"):
        ids = (id_,)
        yield from ((form, ids) for form in listed.split("|"))
    if role == "question":
        for target, listed in rows(f"cues_{language}.tsv"):
            if target not in VERBATIM[language]:
                ids = (ASKED + target if target.startswith("attr.") else target,)
                yield from ((form, ids) for form in listed.split("|"))


@cache
def verbatim(language: Language, target: str) -> re.Pattern[str]:
    """A cue that counts only word for word, as a pattern over folded text."""
    forms = [form for id_, listed in rows(f"cues_{language}.tsv") if id_ == target for form in listed.split("|")]
    edge = r"\b" if language == "en" else ""
    return re.compile(
        f"{edge}(?:{'|'.join(re.escape(fold(form)) for form in sorted(forms, key=len, reverse=True))}){edge}"
    )
