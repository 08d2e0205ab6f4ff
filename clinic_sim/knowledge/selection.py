"""Which facts of a record answer what was asked.

Facts are bits of an integer, so that a selection is a handful of set operations however long the record is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from clinic_sim.knowledge.asked_attributes import of_complaint, qualified_by, with_attributes
from clinic_sim.knowledge.asked_family import inheritable, of_relatives
from clinic_sim.knowledge.asked_headings import naming, settled_by_heading, spoken_of, stating_it
from clinic_sim.knowledge.concepts import ontology
from clinic_sim.knowledge.fact_index import Index, Strength, giving_any, index, placed_at
from clinic_sim.knowledge.meaning import Meaning
from clinic_sim.knowledge.queries import Query, QueryKind, Reading
from clinic_sim.knowledge.text import Language
from clinic_sim.knowledge.topics import Topic


@dataclass(frozen=True, slots=True)
class Choice:
    """A fact chosen, and why."""

    index: int
    """Position of the fact among the meanings."""
    query: int
    """Position of the query in the reading."""
    strength: Strength
    why: str


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
            if strength != "open":
                mask = _beyond_the_complaint(mask, query, facts)
            while mask:
                low = mask & -mask
                at = low.bit_length() - 1
                mask ^= low
                if at not in chosen:
                    chosen[at] = Choice(at, number, strength, why)
    return list(chosen.values())


_WHEN = frozenset({"attr.onset", "attr.duration", "attr.time"})


def _beyond_the_complaint(mask: int, query: Query, facts: Index) -> int:
    """Without the complaint in short, where the story tells more: it was said when the patient came in."""
    brief = facts.main.get(Topic.CHIEF_COMPLAINT, 0)
    told = mask & ~brief & ~facts.absent
    return mask & ~brief if told and not query.attributes & _WHEN else mask


def _answers(query: Query, facts: Index, focus: Meaning | None) -> list[tuple[Strength, str, int]]:
    match query.kind:
        case QueryKind.SPECIFIC | QueryKind.TOPIC | QueryKind.CONFIRM:
            everyone = query.concepts == ("hx.family",)
            if query.kin - {"kin.spouse"} and (not query.concepts or everyone or any(map(inheritable, query.concepts))):
                return [("specific" if query.concepts else "topic", "family", of_relatives(query, facts))]
            return _about(query, facts)
        case QueryKind.ATTRIBUTE:
            return of_complaint(query, facts, focus)
        case QueryKind.OPEN | QueryKind.ANYTHING_ELSE:
            told = facts.course if query.kind is QueryKind.OPEN else facts.story
            return [("open", query.kind.value, told & ~facts.absent)]
        case QueryKind.IDENTITY:
            return [("specific", "identity", facts.main.get(Topic.IDENTITY, 0))]
        case _:
            return []


def _about(query: Query, facts: Index) -> list[tuple[Strength, str, int]]:
    """Facts about the concepts asked for."""
    answers: list[tuple[Strength, str, int]] = []
    together = _together(query, facts)
    if together:
        return [("specific", "+".join(query.concepts), together)]
    for concept in query.concepts:
        direct, strength = naming(concept, facts)
        places = query.sites - _EVERYWHERE or _shared_sites(concept, query)
        if places and not ontology().sited(concept) and concept in ontology().composable:
            there = placed_at(places, direct, facts) or facts.exact.get(concept, 0) & direct & facts.absent
            # Operations are told by their names: an appendicectomy is one on the belly.
            direct = there or (direct if concept == "hx.surgery" else 0)
        direct = _own_denials(concept, spoken_of(concept, direct, query.text, facts), facts)
        if concept == "dx.genetic":
            direct |= facts.family.get(concept, 0)
        if query.attributes:
            found = with_attributes(concept, direct, query.attributes, facts)
        else:
            found = stating_it(concept, qualified_by(concept, direct, query.qualifiers, facts), facts)
        if not found and not (direct and query.attributes):
            found = settled_by_heading(concept, facts)
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
            mask = mask & giving_any(query.attributes, facts) or (mask if _TROUBLE.search(query.text) else 0)
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


def _own_denials(concept: str, mask: int, facts: Index) -> int:
    """Without the denials of other kinds of it, where the patient has some kind of it.

    Asked about the pain, a patient with pain in the belly does not go on to deny headache.
    """
    if not concept.startswith("sx.") or ontology().concepts[concept].kind == "system" or not mask & ~facts.absent:
        return mask
    return mask & ~(facts.absent & ~facts.exact.get(concept, 0))


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


_EVERYWHERE = frozenset({"site.skin", "site.body"})
