"""One part of a sentence to one query: the thing asked for, its attributes, and whom it is about."""

from __future__ import annotations

import re
from itertools import pairwise

from clinic_sim.knowledge.asides import GOES_ON_ZH
from clinic_sim.knowledge.concepts import ASKED, ontology, specific
from clinic_sim.knowledge.queries import SUBJECT, Query, QueryKind
from clinic_sim.knowledge.scan import Mention
from clinic_sim.knowledge.topics import Topic

_CHUNK = re.compile(r"[,;:](?!\d)")


def parts_of(words: str) -> list[tuple[int, int]]:
    ends = [m.end() for m in _CHUNK.finditer(words)]
    edges = [0, *ends, len(words)]
    return [(a, b) for a, b in pairwise(edges) if words[a:b].strip(" ,;:.?!。")]


def read_part(
    words: str,
    mentions: list[Mention],
    markers: set[str],
    marks: set[str],
    asked: bool,
    one_of_many: bool,
    subject: Query | None,
) -> Query | None:
    """The query of one part of a sentence, or nothing where the part asks nothing."""
    if not asked or ("q.statement" in markers and "q.word" not in markers and one_of_many):
        return None
    known = ontology()
    ids = [m.id for m in mentions]
    concepts = specific([i for i in ids if i.startswith(SUBJECT) and i != "hx.identity"])
    kin = frozenset(i for i in ids if i.startswith("kin.") or i == "hx.family")
    qualifiers = frozenset(i for i in ids if i.startswith("attr."))
    attributes = _asked(frozenset(i[1:] for i in ids if i.startswith(ASKED)), qualifiers)
    sited = any(i.startswith("site.") for i in ids)
    feels = concepts and _FEELS.issuperset(concepts) and "attr.quality" in attributes | qualifiers
    if feels and subject is not None and any("sx.pain" in known.closure(c) for c in subject.concepts):
        concepts, attributes = subject.concepts, attributes | {"attr.quality"}  # "is the pain sharp, *burning*?"
    elif feels and "sx.pain" in ids:
        concepts, attributes = ("sx.pain",), attributes | {"attr.quality"}  # "is it a *burning* pain?"
    bloody = (concepts == ("sx.bleeding",) and "blood" in words) or bool(_BLOOD_ZH.match(words))
    if bloody and subject is not None and not sited:
        near = frozenset(a for c in subject.concepts for a in known.closure(c))
        concepts = next(((found,) for at, found in _BLOODY if at in near), concepts)  # "any blood *in it*?"
    if attributes & _WEIGHED and _SCENES.issuperset(concepts):
        concepts = ()  # "is it worse *after meals*?"
    if "attr.radiation" in attributes:
        concepts = tuple(c for c in concepts if c != "hx.travel")  # "does it *go anywhere*?"
    if _BEGAN.search(words):
        attributes = attributes - {"attr.onset"} | {"attr.onset_mode"}
    elif _COMES.search(words):
        attributes = attributes - {"attr.onset"} | {"attr.timing", "attr.trigger"}
    closure = frozenset().union(*map(known.closure, concepts)) if concepts else frozenset[str]()
    if "attr.elsewhere" in attributes and not concepts:
        ids = [i for i in ids if not i.startswith("site.")]  # "just the thigh, or anywhere else?"
    sites = frozenset(i for i in ids if i.startswith("site.") and i not in closure)
    negated = bool(markers & {"neg", "neg.here"})
    text = words.strip()
    if (
        subject is not None
        and not kin
        and GOES_ON_ZH.match(text)
        and all(c.startswith(("sx.", "dx.")) for c in concepts)
    ):
        kin = subject.kin
    concepts = tuple(c for c in concepts if c != "hx.family" or len(concepts) == 1)
    if subject is not None and not sites and len(text) <= _SHORT and len(concepts) == 1:
        concepts = _placed(concepts[0], subject)
    if kin and not concepts and not attributes and one_of_many and not markers & {"q.word"} and "?" not in words:
        return None
    named = "hx.identity" in ids or "q.identity" in markers
    if named and not concepts and not attributes - {"attr.amount", "attr.duration"}:
        return Query(QueryKind.IDENTITY, topics=(Topic.IDENTITY,), text=text)
    if concepts or kin or sites:
        topics = tuple(dict.fromkeys(t for c in concepts if (t := known.topic(c)) is not None))
        heading = all(c.startswith("hx.") for c in concepts) if concepts else bool(kin)
        kind = QueryKind.TOPIC if heading else QueryKind.SPECIFIC
        if "q.confirm" in marks:
            kind = QueryKind.CONFIRM
        if kin and not concepts:
            topics = (Topic.FAMILY,)
        if "hx.prior_treatment" in concepts:
            # "Taken anything *for the pain*?"
            eased = ("drug.painkiller",) if "sx.pain" in closure else ()
            concepts = (*(c for c in concepts if not c.startswith("sx.")), *eased)
            if any(c.startswith("drug.") for c in concepts) and not eased:
                concepts = tuple(c for c in concepts if c != "hx.prior_treatment")  # "taken *anything like aspirin*?"
        if "sx.suicidal" in concepts:
            concepts = tuple(c for c in concepts if c != "hx.idea")  # "*thoughts* of ending your life?"
        if "hx.medication" in concepts and _REACTION.search(words):
            concepts = tuple("hx.allergy" if c == "hx.medication" else c for c in concepts)
        elif "hx.medication" in concepts and not words.isascii() and not _BESIDES.search(words):
            # 血压高有没有吃药
            drugs = [_DRUG_FOR[c] for c in concepts if c in _DRUG_FOR]
            concepts = (*(c for c in concepts if c != "hx.medication"), *drugs) if drugs else concepts
        if concepts == ("hx.medication",) and subject is not None and _KEPT_UP.search(words):
            concepts = tuple(_DRUG_FOR[c] for c in subject.concepts if c in _DRUG_FOR) or concepts
        if _FOR.search(words) and not _TREATED.isdisjoint(concepts):
            drugs = [_DRUG_FOR[c] for c in concepts if c in _DRUG_FOR]
            concepts = tuple(drugs) or concepts  # "tablets *for your blood pressure*?"
        # "Any *other symptoms* such as fever?" asks for fever; "asthma *before*?" for asthma.
        attributes -= {"attr.associated"}
        if not any(c.startswith("sx.") for c in concepts) and concepts:
            attributes -= {"attr.prior_episode"}
        widely = "q.open" in markers and not attributes
        return Query(kind, concepts, attributes, qualifiers, topics, kin, sites, negated, text, widely)
    told = {"attr.quality", "attr.location", "attr.associated", "attr.trigger"}
    if "q.open" in markers and not attributes - told and not qualifiers & _CONDITIONS:
        return Query(QueryKind.OPEN, text=text)
    if "q.else" in markers and not attributes:
        return Query(QueryKind.ANYTHING_ELSE, text=text)
    if attributes or (qualifiers and not (one_of_many and "?" not in words and "q.word" not in markers)):
        about = subject if subject is not None and "attr.associated" not in attributes else None
        return Query(
            QueryKind.SPECIFIC if about else QueryKind.ATTRIBUTE,
            about.concepts if about else (),
            attributes or qualifiers,
            qualifiers if attributes else frozenset(),
            about.topics if about else (),
            about.kin if about else frozenset(),
            about.sites if about else frozenset(),
            negated,
            text,
        )
    return None


# "What happens when you *climb stairs*?" asks for the effect of that.
_CONDITIONS = frozenset({"attr.exertion", "attr.food", "attr.position", "attr.breathing", "attr.rest", "attr.cold"})


# Findings that are also what a pain is like.
_FEELS = frozenset({"sx.pain", "sx.burning", "sx.cramp", "sx.tightness", "sx.tearing"})


_FOR = re.compile(r"\bfor (?:your|the|his|her|any|high|diabetes|asthma|depression)\b")


_BLOOD_ZH = re.compile(r"\W*(?:里面|里边|其中)?(?:有没有|有无|带不带|是否有|带|有)(?:血|血丝|带血)(?:吗|没有|么)?\W*$")


_BLOODY = (
    ("sx.vomiting", "sx.hematemesis"),
    ("sx.cough", "sx.hemoptysis"),
    ("sx.sputum", "sx.hemoptysis"),
    ("hx.stool", "sx.blood_stool"),
    ("hx.urine", "sx.hematuria"),
)


# What makes a complaint better or worse, and what that is asked of.
_WEIGHED = frozenset({"attr.aggravating", "attr.relieving", "attr.unrelated"})


_SCENES = frozenset({"hx.diet", "hx.appetite", "hx.exercise", "hx.stool", "hx.urine", "hx.sleep", "sx.gait"})


_BEGAN = re.compile(r"\bhow did\b[^,;?]{0,40}\b(?:start|begin|come on|develop)\b")


# When it tends to come, as against when it came first.
_COMES = re.compile(
    r"\bwhen do(?:es)?\b[^,;?]{0,40}\b(?:come on|happen|occur|get (?:it|them|this)|appear)\b"
    r"|(?:一般|通常|往往)[^,;?]{0,4}什么时候|什么时候[^,;?]{0,2}(?:犯|发作)(?![^,;?]{0,2}的)"
)


_REACTION = re.compile(r"\b(?:disagree\w*|react(?:ed|ions?|s)?|side[- ]effects?|come out in)\b|不良反应|副作用")


_BESIDES = re.compile("平时|平常|其他|其它|别的|还有|[、,]")


_KEPT_UP = re.compile(r"\bfor (?:it|that|this|them)\b|按时|规律|坚持")


_TREATED = frozenset({"hx.medication", "hx.prior_treatment"})


_DRUG_FOR = {
    "dx.hypertension": "drug.antihypertensive",
    "dx.diabetes": "drug.diabetes",
    "dx.hyperlipidemia": "drug.statin",
    "dx.thyroid": "drug.thyroid",
    "dx.asthma": "drug.inhaler",
    "dx.epilepsy": "drug.antiepileptic",
    "dx.depression": "drug.antidepressant",
    "dx.gerd": "drug.ppi",
}


_SHORT = 5


def _placed(concept: str, subject: Query) -> tuple[str, ...]:
    """A bare finding where the question before was about a site: "is the neck swollen? Does it hurt?"."""
    known = ontology()
    if concept in known.composable and not known.sited(concept):
        near = (*sorted(subject.sites), *(a for c in subject.concepts for a in known.ancestors(c)))
        for site in near:
            composed = known.composed(concept, site) if site.startswith("site.") else None
            if composed is not None:
                return (composed,)
    return (concept,)


_MODIFIERS = frozenset({"attr.aggravating", "attr.relieving", "attr.drug_effect"})


def _asked(attributes: frozenset[str], qualifiers: frozenset[str]) -> frozenset[str]:
    """The attributes asked for, without those that only word the question ("*when* does it get worse?")."""
    if len(attributes) > 1:
        attributes -= {"attr.associated"}  # "are your symptoms worse?"
    if attributes & _MODIFIERS:
        return attributes - {"attr.timing", "attr.onset", "attr.onset_mode", "attr.trigger", "attr.quality"}
    if "attr.duration" in attributes and "attr.episode_duration" in qualifiers:
        attributes |= {"attr.episode_duration"}
    if "attr.episode_duration" in attributes:
        return attributes - {"attr.duration", "attr.onset", "attr.timing"}
    if "attr.frequency" in attributes:
        return attributes - {"attr.duration", "attr.onset"}
    return attributes
