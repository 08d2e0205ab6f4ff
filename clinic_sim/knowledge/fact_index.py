"""The facts of a record as bits of integers, by everything that can be asked for.

A selection is then a handful of set operations, however long the record is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from clinic_sim.knowledge.concepts import ontology
from clinic_sim.knowledge.meaning import Meaning
from clinic_sim.knowledge.scan import Polarity
from clinic_sim.knowledge.topics import Topic

Strength = Literal["specific", "topic", "open"]


@dataclass(slots=True)
class Index:
    """The facts of a record, by everything that can be asked for; build one a case with `index`."""

    meanings: tuple[Meaning, ...]
    concept: dict[str, int] = field(default_factory=dict)
    """Facts about the patient, by each concept they name or imply."""
    inherited: dict[str, int] = field(default_factory=dict)
    exact: dict[str, int] = field(default_factory=dict)
    family: dict[str, int] = field(default_factory=dict)
    kin: dict[str, int] = field(default_factory=dict)
    topic: dict[Topic, int] = field(default_factory=dict)
    main: dict[Topic, int] = field(default_factory=dict)
    attribute: dict[str, int] = field(default_factory=dict)
    relatives: int = 0
    absent: int = 0
    general: int = 0
    course: int = 0
    story: int = 0
    treated: int = 0
    """Facts told right after a treatment, that say what it did."""
    placed: int = 0
    """Facts that say where, in words of their own: not every headache tells where the head aches."""
    aspect: int = 0
    """Facts that deny something about a finding, not the finding: it does not spread, food makes no difference."""
    bare: int = 0
    """Facts of the story that name nothing of their own: "it came on at rest"."""
    voiced: int = 0
    """Facts that name a symptom."""


TREATMENTS = frozenset({"hx.prior_treatment", "hx.medication"})


_OUTCOMES = frozenset({"attr.drug_effect", "attr.relieving"})


_ASPECTS = frozenset({"attr.radiation", "attr.unrelated", "attr.trigger", "attr.aggravating", "attr.relieving"})


_PERSPECTIVES = ((Topic.IDEA,), (Topic.CONCERN,), (Topic.EXPECTATION,))


def index(meanings: Sequence[Meaning]) -> Index:
    """The index of a record's facts."""
    built = Index(tuple(meanings))
    known = ontology()
    for at, meaning in enumerate(meanings):
        bit = 1 << at
        if meaning.topics[:1] in _PERSPECTIVES:
            # What the patient thinks of it is told to who asks for that, not for the facts it speaks of.
            built.main[meaning.topics[0]] = built.main.get(meaning.topics[0], 0) | bit
            continue
        family = Topic.FAMILY in meaning.topics[:1] or bool(
            meaning.topics[:1] not in ((Topic.OBSTETRIC,), (Topic.LIVING,))
            and meaning.kin - {"kin.spouse"}
            and Topic.FAMILY in meaning.topics
        )
        for id_ in meaning.closure:
            _add(built.family if family else built.concept, id_, bit)
        for id_ in meaning.inherited:
            if not family:
                _add(built.inherited, id_, bit)
        for id_ in meaning.concepts:
            _add(built.exact, id_, bit)
        if any(c.startswith("sx.") for c in meaning.concepts):
            built.voiced |= bit
        for id_ in meaning.kin:
            for above in known.closure(id_):
                _add(built.kin, above, bit)
        for id_ in meaning.attributes:
            _add(built.attribute, id_, bit)
        for topic in meaning.topics:
            built.topic[topic] = built.topic.get(topic, 0) | bit
        for topic in meaning.topics[:1]:
            built.main[topic] = built.main.get(topic, 0) | bit
        if family:
            built.relatives |= bit
        if not meaning.concepts and meaning.topics[:1] == (Topic.PRESENT_ILLNESS,):
            built.bare |= bit
        if meaning.polarity is Polarity.ABSENT:
            built.absent |= bit
            if meaning.attributes & _ASPECTS:
                built.aspect |= bit
        if meaning.general:
            built.general |= bit
        if at and meaning.attributes & _OUTCOMES and meanings[at - 1].closure & TREATMENTS:
            built.treated |= bit
        if meaning.sites or "attr.laterality" in meaning.attributes:
            built.placed |= bit
    built.course = built.main.get(Topic.CHIEF_COMPLAINT, 0) | built.main.get(Topic.PRESENT_ILLNESS, 0)
    built.story = built.course | built.main.get(Topic.REVIEW_OF_SYSTEMS, 0)
    return built


def filed_under(headings: Sequence[Topic], facts: Index) -> int:
    mask = 0
    for heading in headings:
        mask |= facts.main.get(heading, 0)
    return mask


@cache
def wider_than(concept: str) -> tuple[str, ...]:
    return tuple(a for a in ontology().ancestors(concept)[1:] if not a.startswith("site."))


def placed_at(sites: frozenset[str], mask: int, facts: Index) -> int:
    there = 0
    for site in sites:
        there |= facts.concept.get(site, 0) | facts.inherited.get(site, 0)
    return mask & there


# Attributes for which others answer only where no fact gives them.
_STRICT = frozenset({"attr.progression", "attr.trigger", "attr.unrelated"})


# What else answers a question for an attribute.
_ALSO = {
    "attr.drug_effect": ("attr.relieving", "attr.progression"),
    "attr.onset": ("attr.duration",),
    "attr.elsewhere": ("attr.radiation",),
    "attr.quality": ("attr.color",),
    "attr.location": ("attr.laterality",),
    "attr.consistency": ("attr.quality",),
    "attr.relieving": ("attr.drug_effect",),
    "attr.trigger": ("attr.unrelated",),
    "attr.unrelated": ("attr.trigger",),
    "attr.frequency": ("attr.timing",),
    "attr.progression": ("attr.aggravating",),
}


def giving_any(attributes: frozenset[str], facts: Index, among: int = -1) -> int:
    # How an injury came about is what brought the complaint on.
    mask = facts.concept.get("hx.injury", 0) & ~facts.absent if "attr.trigger" in attributes else 0
    for attribute in attributes:
        given = facts.attribute.get(attribute, 0)
        mask |= given
        if attribute in _STRICT and given & among:
            continue
        for other in _ALSO.get(attribute, ()):
            mask |= facts.attribute.get(other, 0)
    return mask


def told_elsewhere(facts: Index) -> int:
    """Facts that name the complaint while telling of something else: earlier illness, what was done about it."""
    return filed_under((Topic.PAST_HISTORY, Topic.PRIOR_CARE, Topic.MEDICATION), facts)


def effects_told(facts: Index) -> int:
    """What a treatment did: told with it, or right after it."""
    told = facts.main.get(Topic.PRIOR_CARE, 0)
    for treatment in sorted(TREATMENTS):
        told |= facts.concept.get(treatment, 0)
    given = told & giving_any(frozenset({"attr.drug_effect"}), facts) & ~facts.main.get(Topic.MEDICATION, 0)
    return given | facts.treated & (facts.course | facts.main.get(Topic.PRIOR_CARE, 0))


def main_complaint(facts: Index, focus: Meaning | None) -> int:
    mask = facts.main.get(Topic.CHIEF_COMPLAINT, 0)
    for concept in focus.concepts if focus is not None else ():
        mask |= facts.exact.get(concept, 0)
    return mask


def _add(table: dict[str, int], key: str, bit: int) -> None:
    table[key] = table.get(key, 0) | bit
