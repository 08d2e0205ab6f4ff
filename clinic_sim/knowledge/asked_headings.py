"""What a named concept or heading of the history selects: the facts that state it, not those that mention it."""

from __future__ import annotations

import re
from functools import cache

from clinic_sim.knowledge.concepts import ontology
from clinic_sim.knowledge.fact_index import Index, Strength, filed_under, wider_than
from clinic_sim.knowledge.topics import Topic

_SETTING = frozenset({"attr.location", "attr.laterality", "attr.onset", "attr.duration", "attr.time"})


def stating_it(concept: str, mask: int, facts: Index) -> int:
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


# Where an illness is named in passing.
_HABITUAL = (Topic.SMOKING, Topic.ALCOHOL, Topic.OCCUPATION, Topic.MEDICATION)


_PASSING = (Topic.SMOKING, Topic.ALCOHOL, Topic.OCCUPATION)


_USUALLY = re.compile(
    r"\b(?:regular\w*|daily|every ?day|usual\w*|on any|long[- ]term|currently)\b|平时|平常|长期|一直在|规律|还在|目前"
)


_LATELY = re.compile(
    r"\b(?:this morning|since it (?:started|began)|for this|so far)\b|今天|今早|发病|起病|来之前|外面|外院"
)


def spoken_of(concept: str, mask: int, text: str, facts: Index) -> int:
    """Without facts that name the concept while telling of something else, where others tell of it."""
    own = ontology().topic(concept)
    passing = filed_under(_PASSING, facts)
    if own is not None:
        passing &= ~facts.main.get(own, 0)
    if concept.startswith("sx."):
        passing |= facts.main.get(Topic.MEDICATION, 0) & ~facts.exact.get(concept, 0)
        passing |= filed_under((Topic.EXPOSURE, Topic.INFECTION, Topic.TRAVEL, Topic.ALLERGY), facts) & ~facts.absent
    elif concept.startswith("drug."):
        passing |= facts.main.get(Topic.ALLERGY, 0)
    elif concept == "hx.medication":
        passing |= facts.course & facts.voiced | facts.main.get(Topic.ALLERGY, 0)
        if _USUALLY.search(text):
            passing |= facts.topic.get(Topic.PRIOR_CARE, 0) | facts.main.get(Topic.PAST_HISTORY, 0)
        elif _LATELY.search(text):
            passing |= ~facts.topic.get(Topic.PRIOR_CARE, 0)
    return mask & ~passing or mask


def naming(concept: str, facts: Index) -> tuple[int, Strength]:
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
            | (filed_under(_HABITUAL, facts) if heading is Topic.PAST_HISTORY else 0)
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
    if concept in ("hx.past", "dx.disease", "dx.chronic"):
        # HIV is filed under the infections, and is a disease of the patient's none the less.
        mask |= facts.concept.get("dx.chronic", 0) & facts.main.get(Topic.INFECTION, 0) & ~facts.absent
    return mask | facts.main.get(heading, 0) & ~facts.relatives, "topic"


HABITS = frozenset({"hx.smoking", "hx.alcohol", "hx.substance", "hx.caffeine"})


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
    if concept in ("hx.past", "dx.disease", "dx.chronic"):
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


def settled_by_heading(concept: str, facts: Index) -> int:
    """Statements about a whole heading that settle the concept: no other disease, a normal sleep."""
    mask = 0
    for above in wider_than(concept):
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
