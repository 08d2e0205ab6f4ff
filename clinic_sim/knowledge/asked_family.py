"""What a question about relatives selects."""

from __future__ import annotations

from clinic_sim.knowledge.fact_index import Index, wider_than
from clinic_sim.knowledge.queries import Query
from clinic_sim.knowledge.topics import Topic


def inheritable(concept: str) -> bool:
    """Whether relatives can have it: an illness, as against a journey."""
    return concept.startswith(("sx.", "dx.", "hx.past", "hx.children", "hx.allergy"))


def of_relatives(query: Query, facts: Index) -> int:
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
            for above in wider_than(concept):
                summary |= facts.family.get(above, 0) & facts.exact.get(above, 0) & (facts.absent | facts.general)
        return summary & them | children or everyone & facts.general
    return them | children or everyone & facts.general
