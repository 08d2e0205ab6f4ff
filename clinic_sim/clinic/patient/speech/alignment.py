"""A finding that no chosen fact names, taken for the lay word of a chosen finding that the words leave unnamed.

An honest answer says its facts, so a fact that nothing else in the words carries is most likely what the unknown word
stands for, where both are of one system or place and of one polarity. An invention comes beside facts that are said.
"""

from __future__ import annotations

import re
from functools import cache

from clinic_sim.clinic.patient.speech.heard import Heard, name_of, widened
from clinic_sim.clinic.patient.speech.profile import Profile
from clinic_sim.knowledge.concepts import ontology
from clinic_sim.knowledge.scan import Mention
from clinic_sim.knowledge.text import fold

_LIKE = re.compile(r"\blike (?:an? |some |tiny |little |\w+ )?$|像(?:是|个)?[^,。;!?]{0,3}$")
_NEVER = frozenset({"sx.suicidal", "sx.seizure", "sx.syncope", "sx.fever", "sx.weight_loss", "sx.vomiting"})
"""Findings with words of their own, which nobody uses for another."""


def aligned(profile: Profile, heard: Heard, named: list[Mention], chosen: int, asked: Heard | None) -> bool:
    """Whether a mention may be the words of a chosen fact that no other words name."""
    denied = heard.speech.denied(named[0].start, named[0].end)
    for mention in named:
        id_ = name_of(mention.id)
        if not id_.startswith("sx.") or id_ in _NEVER:
            return False
        if "sx.bleeding" in widened(id_) and not _LIKE.search(heard.speech.folded, 0, mention.start):
            return False
        if _is_term(id_, heard.speech.folded[mention.start : mention.end]):
            return False
    others: set[str] = set()
    places = {m.id for m in heard.mentions if m.id.startswith("site.")}
    for mention in asked.mentions if asked is not None else ():
        others |= (
            _findings(name_of(mention.id))
            if mention.id.startswith("sx.") and len(named) < len(heard.mentions)
            else set()
        )
    for mention in heard.mentions:
        if (mention.start, mention.end) != (named[0].start, named[0].end) and mention.id.startswith("sx."):
            others |= _findings(name_of(mention.id))
    for fact, bit in profile.bit.items():
        if not bit & chosen:
            continue
        for key in profile.keys[fact]:
            if not key.startswith("sx.") or not _kin_of(key):
                continue
            lacking = profile.absent.get(key, 0) & bit
            if bool(lacking) != denied or not others.isdisjoint(_findings(key)):
                continue
            if not places.isdisjoint(widened(key)) and not places & _sites_of(named):
                continue  # told by its place
            if any(not _kin_of(name_of(m.id)).isdisjoint(_kin_of(key)) for m in named):
                return True
    return False


def _sites_of(named: list[Mention]) -> set[str]:
    return {i for m in named for i in widened(name_of(m.id)) if i.startswith("site.")}


def denied_beside(profile: Profile, named: list[Mention], chosen: int) -> bool:
    """Whether a chosen fact denies something of the same system or place: no pain there is none here either."""
    for fact, bit in profile.bit.items():
        if bit & chosen & profile.denied:
            for key in profile.keys[fact]:
                if key == "hx.injury" and any("hx.injury" in widened(m.id) or m.id == "sx.injury" for m in named):
                    return True
                if key.startswith("sx.") and any(not _kin_of(key).isdisjoint(_kin_of(name_of(m.id))) for m in named):
                    return True
    return False


@cache
def _labels(id_: str) -> tuple[str, str]:
    concept = ontology().concepts[id_]
    return fold(concept.label_en), fold(concept.label_zh)


def _is_term(id_: str, words: str) -> bool:
    """Whether the words are the finding's proper name, which stands for nothing else."""
    return id_ in ontology().concepts and any(words == label for label in _labels(id_))


@cache
def _findings(id_: str) -> frozenset[str]:
    """A finding and those above it that say more than a system."""
    known = ontology().concepts
    return frozenset(i for i in widened(id_) if i.startswith("sx.") and i in known and known[i].kind == "finding")


@cache
def _kin_of(id_: str) -> frozenset[str]:
    """The systems and places of a finding."""
    known = ontology().concepts
    return frozenset(
        i for i in widened(id_) if i.startswith("site.") or (i in known and known[i].kind == "system" and i in _SYSTEMS)
    )


_SYSTEMS = frozenset(
    {
        *("sx.respiratory", "sx.cardiac", "sx.gi", "sx.urinary", "sx.neuro", "sx.sensory", "sx.motor", "sx.msk"),
        *("sx.skin", "sx.eye", "sx.ent", "sx.gyn", "sx.psych", "sx.general"),
    }
)
