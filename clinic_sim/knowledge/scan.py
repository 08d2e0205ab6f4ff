"""What a stretch of text mentions: concepts, composed with the body sites beside them, and the markers around them."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from clinic_sim.knowledge.concepts import BLOCK, Ontology, Role, lexicon, ontology
from clinic_sim.knowledge.text import Language


class Polarity(StrEnum):
    """Whether the patient has it."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class Mention(NamedTuple):
    """A concept named in a text."""

    start: int
    end: int
    id: str


class Scan(NamedTuple):
    """Everything found in a text, each list in order of position."""

    mentions: list[Mention]
    """Concepts, attributes, sites and kin."""
    markers: list[Mention]
    """Negations, normal and unknown statements, and, in questions, what kind of utterance it is."""


_MARKERS = frozenset({"neg", "neg.here", "neg.stop", "normal", "unknown", "informant"})


def scan(folded: str, language: Language, role: Role = "record") -> Scan:
    """Find and compose the concepts of folded text."""
    mentions: list[Mention] = []
    markers: list[Mention] = []
    for start, end, ids in lexicon(language, role).find(folded):
        for id_ in ids:
            if id_ == BLOCK:
                continue
            (markers if id_ in _MARKERS or id_.startswith("q.") else mentions).append(Mention(start, end, id_))
    return Scan(_join(compose(mentions, folded), folded, 6 if language == "zh" else 24), markers)


_BREAKS = frozenset(".!?;。\n")


def compose(mentions: list[Mention], folded: str) -> list[Mention]:
    """Join findings and sites that stand side by side: "pain in the neck and shoulder" is pain at both."""
    known = ontology()
    runs = _runs(mentions, known, folded)
    if len(runs) < 2:
        return mentions
    named: dict[int, list[Mention]] = {}
    for findings, sites in _pairs(runs):
        for at in findings:
            for place in sites:
                composed = known.composed(mentions[at].id, mentions[place].id)
                if composed is not None:
                    named.setdefault(at, []).append(Mention(mentions[at].start, mentions[at].end, composed))
    if not named:
        return mentions
    result: list[Mention] = []
    for at, mention in enumerate(mentions):
        result.extend(dict.fromkeys(named[at]) if at in named else [mention])
    return result


def _join(mentions: list[Mention], folded: str, reach: int) -> list[Mention]:
    """Put the name of its own for a finding and a concept within reach of it: "blood when you wipe after a stool"."""
    known = ontology()
    if not any(m.id in known.joining for m in mentions):
        return mentions
    result = list(mentions)
    for at, mention in enumerate(mentions):
        if mention.id not in known.joining:
            continue
        for other, beside in enumerate(mentions):
            composed = known.joined.get((mention.id, beside.id))
            left, right = min(mention.end, beside.end), max(mention.start, beside.start)
            between = folded[left:right]
            if composed and right - left <= reach and not any(c in _SEPARATORS for c in between):
                result[at] = Mention(mention.start, mention.end, composed)
                result[other] = Mention(beside.start, beside.end, composed)
                break
    return result


_SEPARATORS = frozenset(",;.?!。、")


class _Run(NamedTuple):
    site: bool
    at: list[int]


def _runs(mentions: list[Mention], known: Ontology, folded: str) -> list[_Run]:
    """Maximal runs of bare sites and of findings that lack one; a break in the text or another finding ends all."""
    runs: list[_Run] = []
    last = 0
    for at, mention in enumerate(mentions):
        site = mention.id.startswith("site.")
        if not site and mention.id not in known.composable:
            if mention.id.startswith(("sx.", "dx.")) and runs and runs[-1].at:
                runs.append(_Run(not runs[-1].site, []))
            continue
        if any(c in _BREAKS for c in folded[last : mention.start]):
            runs.append(_Run(not site, []))
        last = mention.end
        if runs and runs[-1].site == site:
            runs[-1].at.append(at)
        else:
            runs.append(_Run(site, [at]))
    return runs


def _pairs(runs: list[_Run]) -> list[tuple[list[int], list[int]]]:
    pairs: list[tuple[list[int], list[int]]] = []
    at = 0
    while at + 1 < len(runs):
        here, following = runs[at], runs[at + 1]
        if not here.at or not following.at:
            at += 1
            continue
        pairs.append((following.at, here.at) if here.site else (here.at, following.at))
        at += 2
        if at < len(runs) and runs[at].at and (at + 1 == len(runs) or not runs[at + 1].at):
            # A run left over joins its neighbour: "knee pain or ankle", "pain in the leg or swelling".
            rest = runs[at]
            pairs.append((rest.at, following.at) if following.site else (following.at, rest.at))
            at += 1
    return pairs
