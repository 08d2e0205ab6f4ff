"""Which facts of a record answer what was asked.

Facts are bits of an integer, so that a selection is a handful of set operations however long the record is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from clinic_sim.knowledge.concepts import ontology
from clinic_sim.knowledge.meaning import Meaning
from clinic_sim.knowledge.questions import Query, QueryKind, Reading
from clinic_sim.knowledge.scan import Polarity
from clinic_sim.knowledge.text import Language
from clinic_sim.knowledge.topics import Topic

Strength = Literal["specific", "topic", "open"]


@dataclass(frozen=True, slots=True)
class Choice:
    """A fact chosen, and why."""

    index: int
    """Position of the fact among the meanings."""
    query: int
    """Position of the query in the reading."""
    strength: Strength
    why: str


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


_TREATMENTS = frozenset({"hx.prior_treatment", "hx.medication"})
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
        if at and meaning.attributes & _OUTCOMES and meanings[at - 1].closure & _TREATMENTS:
            built.treated |= bit
        if meaning.sites or "attr.laterality" in meaning.attributes:
            built.placed |= bit
    built.course = built.main.get(Topic.CHIEF_COMPLAINT, 0) | built.main.get(Topic.PRESENT_ILLNESS, 0)
    built.story = built.course | built.main.get(Topic.REVIEW_OF_SYSTEMS, 0)
    return built


def select(
    reading: Reading,
    meanings: Sequence[Meaning] | Index,
    *,
    focus: Meaning | None = None,
    language: Language | None = None,
) -> list[Choice]:
    """The facts that answer a reading, each once, under the first query that asks for it.

    `focus` is what the conversation is about, where the doctor's words do not say it; the complaint by default.
    """
    facts = meanings if isinstance(meanings, Index) else index(meanings)
    chosen: dict[int, Choice] = {}
    for number, query in enumerate(reading.queries):
        for strength, why, mask in _answers(query, facts, focus):
            while mask:
                low = mask & -mask
                at = low.bit_length() - 1
                mask ^= low
                if at not in chosen:
                    chosen[at] = Choice(at, number, strength, why)
    return list(chosen.values())


def _answers(query: Query, facts: Index, focus: Meaning | None) -> list[tuple[Strength, str, int]]:
    match query.kind:
        case QueryKind.SPECIFIC | QueryKind.TOPIC | QueryKind.CONFIRM:
            everyone = query.concepts == ("hx.family",)
            if query.kin - {"kin.spouse"} and (
                not query.concepts or everyone or any(map(_inheritable, query.concepts))
            ):
                return [("specific" if query.concepts else "topic", "family", _relatives(query, facts))]
            return _about(query, facts)
        case QueryKind.ATTRIBUTE:
            return _of_complaint(query, facts, focus)
        case QueryKind.OPEN | QueryKind.ANYTHING_ELSE:
            told = facts.course if query.kind is QueryKind.OPEN else facts.story
            return [("open", query.kind.value, told & ~facts.absent)]
        case QueryKind.IDENTITY:
            return [("specific", "identity", facts.main.get(Topic.IDENTITY, 0))]
        case _:
            return []


def _inheritable(concept: str) -> bool:
    """Whether relatives can have it: an illness, as against a journey."""
    return concept.startswith(("sx.", "dx.", "hx.past", "hx.children", "hx.allergy"))


def _about(query: Query, facts: Index) -> list[tuple[Strength, str, int]]:
    """Facts about the concepts asked for."""
    answers: list[tuple[Strength, str, int]] = []
    together = _together(query, facts)
    if together:
        return [("specific", "+".join(query.concepts), together)]
    for concept in query.concepts:
        direct, strength = _direct(concept, facts)
        places = query.sites - _EVERYWHERE or _shared_sites(concept, query)
        if places and not ontology().sited(concept) and concept in ontology().composable:
            there = _at(places, direct, facts) or facts.exact.get(concept, 0) & direct & facts.absent
            # Operations are told by their names: an appendicectomy is one on the belly.
            direct = there or (direct if concept == "hx.surgery" else 0)
        direct = _own_denials(concept, _spoken_of(concept, direct, query.text, facts), facts)
        if concept == "dx.genetic":
            direct |= facts.family.get(concept, 0)
        if query.attributes:
            found = _with_attributes(concept, direct, query.attributes, facts)
        else:
            found = _stating(concept, _qualified(concept, direct, query.qualifiers, facts), facts)
        if not found and not (direct and query.attributes):
            found = _covered(concept, facts)
        answers.append((strength, concept, found))
    if query.concepts and query.sites and not query.attributes and _TROUBLE.search(query.text):
        known = ontology()
        if not known.composable.intersection(query.concepts):
            mask = 0
            for site in query.sites:
                mask |= facts.concept.get(site, 0)
            answers.append(("specific", "site", mask & facts.voiced))  # "any trouble with your *eyes* or your sight?"
    if not query.concepts and (query.attributes or query.kin or _bare(query)):
        mask = 0
        for site in query.sites:
            mask |= facts.concept.get(site, 0)
        mask = mask & facts.voiced or mask
        for kin in query.kin:
            mask |= facts.kin.get(kin, 0)
        if query.attributes:
            mask = mask & _any(query.attributes, facts) or (mask if _TROUBLE.search(query.text) else 0)
        answers.append(("specific", "site", mask))
    return answers


_ITEMS = re.compile(r"\b(?:or|and|nor)\b|[,、和或及跟与]|有没有|有无|还是|^有")


def _together(query: Query, facts: Index) -> int:
    """Facts that state all of several concepts asked for as one: whether the *rash itches*, the *urine* is *red*."""
    if len(query.concepts) < 2 or query.attributes or _ITEMS.search(query.text):
        return 0
    kinds = {c.partition(".")[0] for c in query.concepts}
    if "sx" not in kinds or kinds & {"dx", "drug"}:
        return 0
    both = -1
    for concept in query.concepts:
        both &= facts.concept.get(concept, 0)
    return both


_WHEN = frozenset({"attr.onset", "attr.duration", "attr.time"})


def _own_denials(concept: str, mask: int, facts: Index) -> int:
    """Without the denials of other kinds of it, where the patient has some kind of it.

    Asked about the pain, a patient with pain in the belly does not go on to deny headache.
    """
    if not concept.startswith("sx.") or ontology().concepts[concept].kind == "system" or not mask & ~facts.absent:
        return mask
    return mask & ~(facts.absent & ~facts.exact.get(concept, 0))


_SETTING = frozenset({"attr.location", "attr.laterality", "attr.onset", "attr.duration", "attr.time"})


def _stating(concept: str, mask: int, facts: Index) -> int:
    """Of several facts about a symptom, those that state it, not those that tell more of it.

    Asked whether there is pain, a patient names it; where it spreads and what eases it are other questions.
    """
    if not concept.startswith("sx.") or ontology().concepts[concept].kind == "system" or mask.bit_count() < 3:
        return mask
    present = mask & ~facts.absent
    least, kept, rest = 99, 0, present
    while rest:
        low = rest & -rest
        rest ^= low
        meaning = facts.meanings[low.bit_length() - 1]
        more = len(meaning.attributes - _SETTING) + (concept not in meaning.concepts)
        if more < least:
            least, kept = more, low
        elif more == least:
            kept |= low
    return kept | mask & facts.absent & ~facts.aspect | present & facts.main.get(Topic.CHIEF_COMPLAINT, 0)


_TROUBLE = re.compile(
    r"\b(?:problems?|trouble|issues?|symptoms?|complaints?|concerns?|wrong|bother\w*|happened|affected|anything|changes?)\b"
    r"|不舒服|不适|毛病|问题|异常|症状|难受|不得劲|变化|不一样"
)


def _shared_sites(concept: str, query: Query) -> frozenset[str]:
    """The sites of what a bare finding is named together with: "is the belly bloated or painful?"."""
    known = ontology()
    if len(query.concepts) < 2 or query.attributes or concept not in known.composable or known.sited(concept):
        return frozenset()
    return frozenset(place for other in query.concepts for place in known.ancestors(other) if place.startswith("site."))


def _bare(query: Query) -> bool:
    """Hardly more than the name of a body site was said, so it was the site that was asked after."""
    if _TROUBLE.search(query.text):
        return True
    words = query.text.split()
    return len(words) <= 4 and len(query.text) <= 30 if len(words) > 1 or query.text.isascii() else len(query.text) <= 6


# Where an illness is named in passing.
_HABITUAL = (Topic.SMOKING, Topic.ALCOHOL, Topic.OCCUPATION, Topic.MEDICATION)


_PASSING = (Topic.SMOKING, Topic.ALCOHOL, Topic.OCCUPATION)
_USUALLY = re.compile(
    r"\b(?:regular\w*|daily|every ?day|usual\w*|on any|long[- ]term|currently)\b|平时|平常|长期|一直在|规律|还在|目前"
)
_LATELY = re.compile(
    r"\b(?:this morning|since it (?:started|began)|for this|so far)\b|今天|今早|发病|起病|来之前|外面|外院"
)


def _spoken_of(concept: str, mask: int, text: str, facts: Index) -> int:
    """Without facts that name the concept while telling of something else, where others tell of it."""
    own = ontology().topic(concept)
    passing = _under(_PASSING, facts)
    if own is not None:
        passing &= ~facts.main.get(own, 0)
    if concept.startswith("sx."):
        passing |= facts.main.get(Topic.MEDICATION, 0) & ~facts.exact.get(concept, 0)
        passing |= _under((Topic.EXPOSURE, Topic.INFECTION, Topic.TRAVEL, Topic.ALLERGY), facts) & ~facts.absent
    elif concept.startswith("drug."):
        passing |= facts.main.get(Topic.ALLERGY, 0)
    elif concept == "hx.medication":
        passing |= facts.course & facts.voiced | facts.main.get(Topic.ALLERGY, 0)
        if _USUALLY.search(text):
            passing |= facts.topic.get(Topic.PRIOR_CARE, 0) | facts.main.get(Topic.PAST_HISTORY, 0)
        elif _LATELY.search(text):
            passing |= ~facts.topic.get(Topic.PRIOR_CARE, 0)
    return mask & ~passing or mask


def _under(headings: Sequence[Topic], facts: Index) -> int:
    mask = 0
    for heading in headings:
        mask |= facts.main.get(heading, 0)
    return mask


def _direct(concept: str, facts: Index) -> tuple[int, Strength]:
    """Facts that name the concept or something more specific; for a heading, all that stands under it."""
    # A fall and a blow are injuries, whatever the word.
    mask = facts.concept.get("hx.injury" if concept == "sx.injury" else concept, 0)
    heading = _heading(concept)
    if concept in _FUNCTIONS:
        mask &= ~facts.main.get(Topic.PRIOR_CARE, 0)
        summary = facts.exact.get(concept, 0) & mask
        return (summary | mask & ~facts.absent if summary else mask), "topic"
    if concept == "hx.prior_treatment":
        mask |= facts.concept.get("hx.medication", 0) & facts.topic.get(Topic.PRIOR_CARE, 0)
    if concept == "hx.marriage":
        return facts.exact.get(concept, 0) or mask, "specific"
    if concept in _BODILY:
        told = mask | (facts.main.get(heading, 0) & ~facts.relatives if heading is not None else 0)
        return told & ~_findings(concept, mask, facts) or told, "topic" if heading is not None else "specific"
    if heading is None:
        return mask, "specific"
    if concept in _WIDE:
        mask &= facts.topic.get(heading, 0) & ~(
            facts.main.get(Topic.PRIOR_CARE, 0) & facts.concept.get("hx.prior_treatment", 0)
            | (_under(_HABITUAL, facts) if heading is Topic.PAST_HISTORY else 0)
        )
    if concept == "hx.menses":
        own = facts.main.get(heading, 0) & ~facts.concept.get("sx.vaginal_discharge", 0)
        return own or mask, "topic"
    if concept == "hx.medication":
        # What the patient takes, not each thing that they do not.
        told = (mask | facts.main.get(heading, 0)) & ~facts.relatives
        return told & (~facts.absent | facts.general) if told & ~facts.absent else told, "topic"
    if concept == "hx.surgery":
        injuries = facts.concept.get("hx.injury", 0) & ~mask
        return mask | facts.main.get(heading, 0) & ~injuries, "topic"
    if concept in ("dx.disease", "dx.chronic"):
        # HIV is filed under the infections, and is a disease of the patient's none the less.
        mask |= facts.concept.get("dx.chronic", 0) & facts.main.get(Topic.INFECTION, 0) & ~facts.absent
    return mask | facts.main.get(heading, 0) & ~facts.relatives, "topic"


_HABITS = frozenset({"hx.smoking", "hx.alcohol", "hx.substance", "hx.caffeine"})
_EVERYWHERE = frozenset({"site.skin", "site.body"})
# Functions asked after as a whole; each denied symptom of theirs is not the answer where a summary exists.
_FUNCTIONS = frozenset({"hx.urine", "hx.stool", "hx.sleep", "hx.appetite", "hx.weight", "hx.energy"})
_EXCRETIONS = frozenset({"hx.urine", "hx.stool"})
# Headings that have findings below them: asked how the pregnancy goes, nobody denies each ailment of pregnancy.
_BODILY = frozenset({"hx.sexual", "hx.pregnancy", "hx.obstetric"})


def _findings(concept: str, mask: int, facts: Index) -> int:
    """Facts that come under a heading by nothing but a finding or an illness."""
    known, found = ontology(), 0
    while mask:
        low = mask & -mask
        mask ^= low
        named = facts.meanings[low.bit_length() - 1].concepts
        if not any(c.startswith("hx.") and concept in known.closure(c) for c in named):
            found |= low
    return found


# Headings whose concept stands above so much that only what the record files there counts.
_WIDE = frozenset({"hx.past", "dx.disease", "dx.chronic", "hx.living", "hx.mood", "hx.general_state"})


@cache
def _heading(concept: str) -> Topic | None:
    """The heading that a concept stands for as a whole."""
    known = ontology()
    if concept in ("dx.disease", "dx.chronic"):
        return Topic.PAST_HISTORY
    own = known.concepts[concept]
    if not concept.startswith("hx.") or own.topic in (None, Topic.GENERAL_STATE):
        return None
    return own.topic if _HEADINGS.get(own.topic or Topic.OTHER) == concept else None


_HEADINGS = {
    Topic.PAST_HISTORY: "hx.past",
    Topic.SURGERY: "hx.surgery",
    Topic.TRANSFUSION: "hx.transfusion",
    Topic.INFECTION: "hx.communicable",
    Topic.VACCINATION: "hx.vaccination",
    Topic.MEDICATION: "hx.medication",
    Topic.ALLERGY: "hx.allergy",
    Topic.SMOKING: "hx.smoking",
    Topic.ALCOHOL: "hx.alcohol",
    Topic.SUBSTANCE: "hx.substance",
    Topic.OCCUPATION: "hx.occupation",
    Topic.LIVING: "hx.living",
    Topic.TRAVEL: "hx.travel",
    Topic.EXPOSURE: "hx.exposure",
    Topic.DIET: "hx.diet",
    Topic.EXERCISE: "hx.exercise",
    Topic.SEXUAL: "hx.sexual",
    Topic.MENSTRUAL: "hx.menses",
    Topic.OBSTETRIC: "hx.obstetric",
    Topic.MOOD: "hx.mood",
    Topic.IDEA: "hx.idea",
    Topic.CONCERN: "hx.concern",
    Topic.EXPECTATION: "hx.expectation",
}


def _covered(concept: str, facts: Index) -> int:
    """Statements about a whole heading that settle the concept: no other disease, a normal sleep."""
    mask = 0
    for above in _above(concept):
        # "No change in urination" says nothing of blood in it; "urine normal" does.
        settled = facts.general if above in _EXCRETIONS else facts.absent & ~facts.aspect | facts.general
        if above == "hx.weight":
            settled = -1  # two weights tell whether any was lost
        if above in ontology().composable:
            settled &= ~facts.attribute.get("attr.location", 0)  # no pain in the legs is not no pain
        mask = facts.exact.get(above, 0) & settled & ~facts.relatives
        if mask:
            return mask
    for other in _OPPOSED.get(concept, ()):
        mask |= facts.exact.get(other, 0) & ~facts.absent & ~facts.relatives
    return mask


# What has one of these says so when asked for the other: "any weight gain?" "No, I've lost weight."
_OPPOSED = {
    "sx.weight_loss": ("sx.weight_gain",),
    "sx.weight_gain": ("sx.weight_loss",),
    "sx.poor_appetite": ("sx.increased_appetite", "hx.appetite"),
    "sx.increased_appetite": ("sx.poor_appetite", "hx.appetite"),
    "sx.diarrhea": ("sx.constipation",),
    "sx.constipation": ("sx.diarrhea",),
    "sx.polyuria": ("sx.oliguria",),
    "sx.oliguria": ("sx.polyuria",),
}


@cache
def _above(concept: str) -> tuple[str, ...]:
    return tuple(a for a in ontology().ancestors(concept)[1:] if not a.startswith("site."))


def _at(sites: frozenset[str], mask: int, facts: Index) -> int:
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


def _any(attributes: frozenset[str], facts: Index, among: int = -1) -> int:
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


def _with_attributes(concept: str, direct: int, attributes: frozenset[str], facts: Index) -> int:
    if concept in _HABITS:
        return direct
    given = _any(attributes, facts, direct | facts.inherited.get(concept, 0))
    if "attr.drug_effect" in attributes and concept in _TREATMENTS:
        direct |= facts.concept.get("hx.medication", 0)
    found = (direct | facts.inherited.get(concept, 0)) & given
    if facts.concept.get(concept, 0) & facts.main.get(Topic.CHIEF_COMPLAINT, 0):
        found |= facts.bare & given  # "it started at rest" is about the complaint
    if "attr.prior_episode" not in attributes:
        found = found & ~facts.attribute.get("attr.prior_episode", 0) or found
    if not found and "attr.prior_episode" in attributes:
        found = direct & facts.main.get(Topic.PAST_HISTORY, 0)
    if found:
        # What is denied has no attributes; the complaint in short tells when, the history how.
        found = found & ~facts.absent or found
        if concept.startswith("sx."):
            found = found & ~_elsewhere(facts) or found
        if "attr.location" in attributes:
            found = found & (facts.placed | _any(attributes - {"attr.location"}, facts)) or found
        if not attributes & _WHEN:
            brief = facts.main.get(Topic.CHIEF_COMPLAINT, 0)
            if "attr.location" in attributes:
                brief &= ~facts.placed
            found = found & ~brief or found
        return found
    if facts.concept.get(concept, 0) & facts.main.get(Topic.CHIEF_COMPLAINT, 0):
        # "The symptoms lasted three minutes" is about the complaint that the doctor names, and so is "the pain".
        scope = facts.course | (facts.main.get(Topic.PAST_HISTORY, 0) if "attr.prior_episode" in attributes else 0)
        found = given & scope & (~facts.voiced | _called(concept, facts))
        if found:
            return found
    if attributes == {"attr.progression"} and not facts.concept.get(concept, 0) & facts.course:
        return _stating(concept, direct, facts)  # whether the temper has changed asks whether it is bad
    # A denial answers every question about what is denied; a habit is told however it is asked for.
    if concept.startswith(("hx.", "drug.", "dx.")):
        return direct & ~facts.absent or direct
    return facts.exact.get(concept, 0) & direct & facts.absent


def _called(concept: str, facts: Index) -> int:
    """Facts that call a finding by a wider name: "the pain" of whose belly aches."""
    mask = 0
    for above in _above(concept):
        if above.startswith("sx.") and ontology().concepts[above].kind != "system":
            mask |= facts.exact.get(above, 0)
    return mask & facts.course


def _elsewhere(facts: Index) -> int:
    """Facts that name the complaint while telling of something else: earlier illness, what was done about it."""
    return _under((Topic.PAST_HISTORY, Topic.PRIOR_CARE, Topic.MEDICATION), facts)


def _qualified(concept: str, direct: int, qualifiers: frozenset[str], facts: Index) -> int:
    """Facts that carry what the question mentions besides, where there are any."""
    # "In the last week", "since then" say how far back to think, not what to tell.
    qualifiers -= _WHEN
    if not qualifiers or not direct or concept.startswith("hx."):
        return direct
    if "attr.exertion" in qualifiers:
        qualifiers |= {"attr.rest"}  # "when you are up and about?" "Even at rest."
    told = (direct | facts.inherited.get(concept, 0)) & _any(qualifiers, facts)
    return told | direct & facts.absent & ~facts.aspect if told else direct


def _relatives(query: Query, facts: Index) -> int:
    everyone = facts.main.get(Topic.FAMILY, 0) | facts.relatives
    them = everyone
    named = query.kin - {"hx.family", "kin.first", "kin.second"}
    if named:
        them = 0
        for kin in named:
            them |= facts.kin.get(kin, 0)
        home = 0 if query.concepts else facts.main.get(Topic.LIVING, 0) | facts.main.get(Topic.OBSTETRIC, 0)
        them &= everyone | home | (facts.concept.get("hx.past", 0) if "hx.past" in query.concepts else 0)
    children = facts.concept.get("hx.children", 0) if "hx.children" in query.concepts else 0
    if "hx.children" in query.concepts or "kin.child" in query.kin:
        children |= facts.main.get(Topic.OBSTETRIC, 0) & facts.general
    asked = 0
    if query.concepts == ("hx.family",):
        return them or everyone
    for concept in query.concepts:
        asked |= facts.family.get(concept, 0)
    if query.concepts and asked & them:
        return asked & them | children
    if query.concepts:
        summary = them & facts.general
        for concept in query.concepts:
            for above in _above(concept):
                summary |= facts.family.get(above, 0) & facts.exact.get(above, 0) & (facts.absent | facts.general)
        return summary & them | children or everyone & facts.general
    return them | children or everyone & facts.general


def _of_complaint(query: Query, facts: Index, focus: Meaning | None) -> list[tuple[Strength, str, int]]:
    """Facts of the complaint in focus that give the attribute."""
    if "attr.associated" in query.attributes:
        asked = facts.story & ~facts.absent & facts.voiced
        return [("topic", "attr.associated", asked & ~_main_complaint(facts, focus))]
    if "attr.drug_effect" in query.attributes:
        treated = _effects(facts)
        if treated:
            return [("specific", "attr.drug_effect", treated)]
    among = facts.course or facts.story
    if "attr.relieving" in query.attributes:
        among |= facts.main.get(Topic.MEDICATION, 0) | facts.main.get(Topic.PRIOR_CARE, 0)
    if "attr.effect" in query.attributes:
        among |= facts.story | facts.main.get(Topic.GENERAL_STATE, 0)
    if "attr.prior_episode" in query.attributes:
        among |= facts.attribute.get("attr.prior_episode", 0) & ~facts.relatives
    given = _any(query.attributes, facts, among) & among
    if "attr.trigger" in query.attributes and "attr.unrelated" not in query.attributes:
        given = given & ~facts.attribute.get("attr.unrelated", 0) or given
    if query.attributes & _OUTCOMES_ASKED and query.qualifiers & _CONDITIONS:
        given |= facts.attribute.get("attr.unrelated", 0) & among
    given = given & _any(query.qualifiers & _CONDITIONS, facts) or given
    if not given and "attr.prior_episode" in query.attributes and query.qualifiers & _CONDITIONS:
        given = _any(query.qualifiers & _CONDITIONS, facts) & facts.course  # "anything like it *on the stairs* before?"
    about = 0
    for concept in focus.concepts if focus is not None else ():
        about |= facts.concept.get(concept, 0) | facts.inherited.get(concept, 0)
    why = ",".join(sorted(query.attributes))
    # What names no symptom of its own is about the complaint too; the complaint in short tells when, the story how.
    found = given & (about | ~facts.voiced) or given
    if not query.attributes & _WHEN:
        found = found & ~facts.main.get(Topic.CHIEF_COMPLAINT, 0) or found
    return [("specific", why, found)]


_OUTCOMES_ASKED = frozenset({"attr.aggravating", "attr.relieving"})
# Under which condition something gets better or worse; a question that names one asks for that one.
_CONDITIONS = frozenset(
    {"attr.position", "attr.exertion", "attr.rest", "attr.food", "attr.breathing", "attr.cold", "attr.emotion"}
)


def _effects(facts: Index) -> int:
    """What a treatment did: told with it, or right after it."""
    told = facts.main.get(Topic.PRIOR_CARE, 0)
    for treatment in sorted(_TREATMENTS):
        told |= facts.concept.get(treatment, 0)
    given = told & _any(frozenset({"attr.drug_effect"}), facts) & ~facts.main.get(Topic.MEDICATION, 0)
    return given | facts.treated & (facts.course | facts.main.get(Topic.PRIOR_CARE, 0))


def _main_complaint(facts: Index, focus: Meaning | None) -> int:
    mask = facts.main.get(Topic.CHIEF_COMPLAINT, 0)
    for concept in focus.concepts if focus is not None else ():
        mask |= facts.exact.get(concept, 0)
    return mask


def _add(table: dict[str, int], key: str, bit: int) -> None:
    table[key] = table.get(key, 0) | bit
