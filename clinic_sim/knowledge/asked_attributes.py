"""What a question for an attribute selects: since when, where, how, what makes it worse."""

from __future__ import annotations

from clinic_sim.knowledge.asked_headings import HABITS, stating_it
from clinic_sim.knowledge.concepts import ontology
from clinic_sim.knowledge.fact_index import (
    TREATMENTS,
    Index,
    Strength,
    effects_told,
    giving_any,
    main_complaint,
    told_elsewhere,
    wider_than,
)
from clinic_sim.knowledge.meaning import Meaning
from clinic_sim.knowledge.queries import Query
from clinic_sim.knowledge.topics import Topic

_WHEN = frozenset({"attr.onset", "attr.duration", "attr.time"})


def with_attributes(concept: str, direct: int, attributes: frozenset[str], facts: Index) -> int:
    if concept in HABITS:
        return direct
    given = giving_any(attributes, facts, direct | facts.inherited.get(concept, 0))
    if "attr.drug_effect" in attributes and concept in TREATMENTS:
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
            found = found & ~told_elsewhere(facts) or found
        if "attr.location" in attributes:
            found = found & (facts.placed | giving_any(attributes - {"attr.location"}, facts)) or found
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
        return stating_it(concept, direct, facts)  # whether the temper has changed asks whether it is bad
    # A denial answers every question about what is denied; a habit is told however it is asked for.
    if concept.startswith(("hx.", "drug.", "dx.")):
        return direct & ~facts.absent or direct
    return facts.exact.get(concept, 0) & direct & facts.absent


def _called(concept: str, facts: Index) -> int:
    """Facts that call a finding by a wider name: "the pain" of whose belly aches."""
    mask = 0
    for above in wider_than(concept):
        if above.startswith("sx.") and ontology().concepts[above].kind != "system":
            mask |= facts.exact.get(above, 0)
    return mask & facts.course


def qualified_by(concept: str, direct: int, qualifiers: frozenset[str], facts: Index) -> int:
    """Facts that carry what the question mentions besides, where there are any."""
    # "In the last week", "since then" say how far back to think, not what to tell.
    qualifiers -= _WHEN
    if not qualifiers or not direct or concept.startswith("hx."):
        return direct
    if "attr.exertion" in qualifiers:
        qualifiers |= {"attr.rest"}  # "when you are up and about?" "Even at rest."
    told = (direct | facts.inherited.get(concept, 0)) & giving_any(qualifiers, facts)
    return told | direct & facts.absent & ~facts.aspect if told else direct


def of_complaint(query: Query, facts: Index, focus: Meaning | None) -> list[tuple[Strength, str, int]]:
    """Facts of the complaint in focus that give the attribute."""
    if "attr.associated" in query.attributes:
        asked = facts.story & ~facts.absent & facts.voiced
        return [("topic", "attr.associated", asked & ~main_complaint(facts, focus))]
    if "attr.drug_effect" in query.attributes:
        treated = effects_told(facts)
        if treated:
            return [("specific", "attr.drug_effect", treated)]
    among = facts.course or facts.story
    if "attr.relieving" in query.attributes:
        among |= facts.main.get(Topic.MEDICATION, 0) | facts.main.get(Topic.PRIOR_CARE, 0)
    if "attr.effect" in query.attributes:
        among |= facts.story | facts.main.get(Topic.GENERAL_STATE, 0)
    if "attr.prior_episode" in query.attributes:
        among |= facts.attribute.get("attr.prior_episode", 0) & ~facts.relatives
    given = giving_any(query.attributes, facts, among) & among
    if "attr.trigger" in query.attributes and "attr.unrelated" not in query.attributes:
        given = given & ~facts.attribute.get("attr.unrelated", 0) or given
    if query.attributes & _OUTCOMES_ASKED and query.qualifiers & _CONDITIONS:
        given |= facts.attribute.get("attr.unrelated", 0) & among
    given = given & giving_any(query.qualifiers & _CONDITIONS, facts) or given
    if not given and "attr.prior_episode" in query.attributes and query.qualifiers & _CONDITIONS:
        # "Anything like it *on the stairs* before?"
        given = giving_any(query.qualifiers & _CONDITIONS, facts) & facts.course
    about = 0
    for concept in focus.concepts if focus is not None else ():
        about |= facts.concept.get(concept, 0) | facts.inherited.get(concept, 0)
    why = ",".join(sorted(query.attributes))
    # What names no symptom of its own is about the complaint too; the complaint in short tells when, the story how.
    found = given & (about | ~facts.voiced) or given
    brief = facts.main.get(Topic.CHIEF_COMPLAINT, 0)
    if not query.attributes & _WHEN:
        found = found & ~brief or found
    elif query.attributes <= _WHEN and not query.qualifiers and found & brief:
        # Since when: the complaint says so, and the story's beginning; later turns of it are not the beginning.
        story = found & ~brief & facts.attribute.get("attr.onset", 0)
        found = found & brief | story & -story
    return [("specific", why, found)]


_OUTCOMES_ASKED = frozenset({"attr.aggravating", "attr.relieving"})


# Under which condition something gets better or worse; a question that names one asks for that one.
_CONDITIONS = frozenset(
    {"attr.position", "attr.exertion", "attr.rest", "attr.food", "attr.breathing", "attr.cold", "attr.emotion"}
)
