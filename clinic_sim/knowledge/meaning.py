"""What a statement of a record means: the concepts it names, the attributes it gives, the headings it answers under."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from clinic_sim.knowledge.clauses import polarity_of
from clinic_sim.knowledge.concepts import ontology, specific
from clinic_sim.knowledge.scan import Mention, Polarity, scan
from clinic_sim.knowledge.text import Language, fold
from clinic_sim.knowledge.topics import Topic

__all__ = ["Meaning", "Polarity", "annotate", "annotate_record"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """A statement, ready to be matched with questions."""

    concepts: tuple[str, ...] = ()
    """The most specific concepts named: findings, diseases, habits, drugs."""
    closure: frozenset[str] = frozenset()
    """Concepts, sites and kin with everything above them."""
    attributes: frozenset[str] = frozenset()
    """Which attributes of a complaint the statement gives (`attr.*`)."""
    topics: tuple[Topic, ...] = ()
    """Headings under which it answers; the first is its own."""
    kin: frozenset[str] = frozenset()
    sites: frozenset[str] = frozenset()
    polarity: Polarity = Polarity.PRESENT
    general: bool = False
    """A summary of a whole heading: "no significant past medical history", "体健", "饮食睡眠正常"."""
    inherited: frozenset[str] = frozenset()
    """Concepts taken from the context, with everything above them: what "it is worse at night" is about."""
    leads: frozenset[str] = frozenset()
    """Attributes that it gives to the items of the list it heads: "a 2-week history of cough", then "fever"."""

    def with_concepts(self, more: Iterable[str]) -> Meaning:
        """The same statement, also about other concepts of the lexicon."""
        known = ontology()
        extra = tuple(c for c in more if c not in self.concepts)
        return replace(
            self,
            concepts=(*self.concepts, *extra),
            closure=self.closure.union(*(known.closure(c) for c in extra)),
        )


_TIME = {
    "en": re.compile(
        r"\b(?:\d+(?:\.\d+)?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|several|few|couple of)"
        r"(?:\s*-\s*|\s+(?:to|or)\s+\d+\s*)?[\s-]*(?:full\s+)?(year|month|week|day|hour|minute|second)s?\b"
        r"(\s*[- ]?(?:old|gestation))?"
    ),
    "zh": re.compile(
        r"[\d.一二两三四五六七八九十半数几多]+余?多?\s*个?多?余?(年|月|周|星期|天|日|小时|分钟|秒|岁|次|支|包)(前)?"
    ),
}
# How long relief takes is not how long the complaint has lasted.
_AFTER = re.compile(
    r"\b(?:better|improves?|relieved|resolves?|subsides?)\b[\w\s]{0,20}\b(?:after|within|in)\s+(?:an?\s+|about\s+)*$"
)
# A relative who is the subject of an illness, as against one who tells or helps.
_SUFFERS = {
    "en": re.compile(
        r"\b(?:mother|father|brother|sister|uncle|aunt|cousin|grand\w+|parents?|siblings?)\b[^.,;]{0,30}"
        r"\b(?:has|had|have|having|with|who|died|diagnosed|suffers?|similar)\b"
    ),
    "zh": re.compile(
        "(?:母亲|父亲|父母|妈妈|爸爸|哥|姐|弟|妹|祖父|祖母|爷爷|奶奶|外公|外婆|儿子|女儿)[^,。;]{0,6}(?:有|患|曾|死|去世|诊断|体健|健在|健康)"
    ),
}
# "A 2-week history of A", "for 3 days, A": the items that follow in the list have lasted as long.
_LEAD = re.compile(
    r"^\W*(?:an?\s+|over\s+|for\s+|(?:about|the|past|last)\s+)*"
    r"[\w.-]+[\s-](?:year|month|week|day|hour)s?'?[\s-]history of\b"
)
_ITEM = re.compile(
    r"\b(?:is|are|was|were|has|have|had|does|did|denies|reports|started|began|while|since|after|before|no|not|ago)\b|\d"
)
_HEREDITY = re.compile(
    r"family\b[^.]{0,12}\bhistory|familial|heredit|runs? in|in the family|family members? (?:has|had|have|with)"
    r"|家族|遗传"
)
_PARENTHESIS = re.compile(r"\([^)]*\)?")
_SCORE = re.compile(r"\b\d+\s*(?:/|out of)\s*(?:10|ten)\b|[\d一二三四五六七八九十]+分(?!钟)")
_OF_COURSE = frozenset({Topic.CHIEF_COMPLAINT, Topic.PRESENT_ILLNESS, Topic.REVIEW_OF_SYSTEMS, Topic.GENERAL_STATE})
# Headings that say what a statement is; the words only refine the others.
_FIXED = frozenset({Topic.IDENTITY, Topic.FAMILY, Topic.IDEA, Topic.CONCERN, Topic.EXPECTATION})
_LASTING = frozenset({"attr.duration", "attr.onset", "attr.time"})
_OF_THE_STORY = frozenset({"attr.aggravating", "attr.relieving", "attr.trigger", "attr.progression", "attr.radiation"})
# Headings wide enough to hold statements of another one.
_NAMED_BY_WORDS = frozenset(
    {
        *(Topic.SURGERY, Topic.TRANSFUSION, Topic.INFECTION, Topic.VACCINATION, Topic.MEDICATION, Topic.ALLERGY),
        *(Topic.SMOKING, Topic.ALCOHOL, Topic.SUBSTANCE, Topic.OCCUPATION, Topic.LIVING, Topic.TRAVEL),
        *(Topic.EXPOSURE, Topic.DIET, Topic.EXERCISE, Topic.SEXUAL, Topic.MENSTRUAL, Topic.OBSTETRIC),
        *(Topic.BIRTH_DEVELOPMENT, Topic.GENERAL_STATE, Topic.PAST_HISTORY, Topic.FAMILY, Topic.PRIOR_CARE, Topic.MOOD),
    }
)
# What a bare "none" or "nothing special" under a heading speaks of.
_BLANKET = {
    Topic.PAST_HISTORY: "hx.past",
    Topic.ALLERGY: "hx.allergy",
    Topic.SURGERY: "hx.surgery",
    Topic.MEDICATION: "hx.medication",
    Topic.INFECTION: "hx.communicable",
    Topic.TRANSFUSION: "hx.transfusion",
    Topic.FAMILY: "hx.family",
}
_BRIEF = 12
# Headings so narrow that what stands there is about them, whatever else it names.
_NARROW = frozenset(
    {
        *(Topic.SMOKING, Topic.ALCOHOL, Topic.SUBSTANCE, Topic.MEDICATION, Topic.ALLERGY, Topic.OCCUPATION),
        *(Topic.MENSTRUAL, Topic.SEXUAL, Topic.VACCINATION, Topic.TRANSFUSION),
    }
)
_GESTATION = frozenset({"hx.pregnancy", "hx.birth", "dx.gest_diabetes", "hx.feeding"})
_OTHER_ZH = re.compile("(?:等|其他|其它)(?:其他|其它)?$")
_GENERIC = frozenset(
    {
        *("hx.past", "dx.disease", "dx.chronic", "dx.infectious", "hx.communicable", "hx.family", "dx.genetic"),
        *("hx.surgery", "hx.allergy", "hx.medication", "hx.injury", "hx.general_state", "hx.living", "dx.psychiatric"),
    }
)
_SUBJECT = ("sx.", "dx.", "hx.", "drug.")


def annotate(
    text: str,
    *,
    language: Language,
    topic: Topic | None = None,
    context: Meaning | None = None,
    polarity: Polarity | None = None,
) -> Meaning:
    """The meaning of one statement.

    `topic` is the heading under which the record has it, `context` the statement before it, whose subject a statement
    without one of its own inherits, `polarity` that of its clause where it stood in a list.
    """
    known = ontology()
    folded = fold(text)
    found = scan(folded, language)
    marks = {m.id for m in found.markers}
    attributes = {m.id for m in found.mentions if m.id.startswith("attr.")}
    measured = _measured(folded, language)
    if "attr.episode_duration" in measured and "attr.duration" not in measured:
        attributes -= {"attr.duration", "attr.onset"}
    attributes = _course(attributes | measured, folded)
    named = found.mentions
    if "(" in folded:
        aside = [m.span() for m in _PARENTHESIS.finditer(folded)]
        named = [
            m for m in named if not m.id.startswith(("kin.", "hx.family")) or not any(a < m.start < b for a, b in aside)
        ]
    if topic in _OF_COURSE and not _HEREDITY.search(folded):
        # In the story of the illness the family brings, tells and helps.
        named = [m for m in named if m.id != "hx.family"]
    if language == "zh":
        named = _stated(named, folded, _CIRCUMSTANCE if topic in _OF_COURSE else (*_CIRCUMSTANCE, "hx.diet"))
    elif _DATED.search(folded):
        named = _dated(named, folded)
    concepts = specific([m.id for m in named if m.id.startswith(_SUBJECT)])
    # "No diabetes or other chronic disease" (无糖尿病等慢性病史) says something of all chronic diseases too.
    concepts += tuple(
        m.id
        for m in named
        if (m.id.startswith("dx.") or m.id in _GENERIC)
        and m.id not in concepts
        and _OTHER_ZH.search(folded, 0, m.start)
        and not folded.startswith(("患", "儿"), m.end)
    )
    if not concepts and topic in _BLANKET and (marks & {"normal", "neg"}) and len(folded) <= _BRIEF:
        concepts = (_BLANKET[topic],)
    sites = frozenset(m.id for m in found.mentions if m.id.startswith("site."))
    kin = frozenset() if "informant" in marks else _kin(named, topic)
    if kin <= {"kin.mother", "hx.family", "kin.parents"} and not _GESTATION.isdisjoint(concepts):
        # The mother's pregnancy is the child's own history.
        kin = frozenset()
    closure: set[str] = set()
    for id_ in (*concepts, *sites, *kin):
        closure |= known.closure(id_)
    if any(c.startswith("sx.") for c in concepts) and any(c.startswith("site.") for c in closure):
        attributes.add("attr.location")
    leads = frozenset[str]()
    if _LEAD.match(folded):
        leads = frozenset(attributes & _LASTING)
    elif context is not None and context.leads and concepts and not attributes & _LASTING and not _ITEM.search(folded):
        leads = context.leads
        attributes |= leads
    inherited: frozenset[str] = frozenset()
    story = topic in _OF_COURSE and bool(attributes & _OF_THE_STORY)
    if context is not None and not any(c.startswith(("sx.", "dx.") if story else _SUBJECT) for c in concepts):
        inherited = context.closure | context.inherited
    stated = polarity if polarity is not None else polarity_of(text, language)
    heading = topic
    if (
        topic is Topic.PAST_HISTORY
        and stated is Polarity.ABSENT
        and concepts
        and all(c.startswith("sx.") for c in concepts)
    ):
        heading = Topic.REVIEW_OF_SYSTEMS  # "no history of cough" denies a symptom
    elif topic is Topic.FAMILY and not kin and not _GESTATION.isdisjoint(concepts):
        heading = Topic.BIRTH_DEVELOPMENT
    topics = _topics(concepts, kin, heading, attributes, bool(_SUFFERS[language].search(folded)))
    general = "normal" in marks or (
        stated is Polarity.ABSENT
        and bool(concepts)
        and all(c in _GENERIC or known.concepts[c].kind == "system" for c in concepts)
    )
    return Meaning(
        concepts=concepts,
        closure=frozenset(closure),
        attributes=frozenset(a for id_ in attributes for a in known.closure(id_)),
        topics=topics,
        kin=kin,
        sites=sites,
        polarity=stated,
        general=general,
        inherited=inherited,
        leads=leads,
    )


_GRADUALLY = re.compile(
    r"\b(?:progressive\w*|gradual\w*|steadily|increasing\w*|over time|getting)\b|逐渐|进行性|越来越|日益|渐"
)
_CONDITIONS = frozenset(
    {"attr.position", "attr.exertion", "attr.rest", "attr.food", "attr.breathing", "attr.cold", "attr.emotion"}
)


def _course(attributes: set[str], folded: str) -> set[str]:
    """Worse under some condition is not worse with time, and worse since yesterday is not worse under a condition."""
    began = attributes & {"attr.rest", "attr.exertion"} and attributes & {"attr.onset", "attr.onset_mode"}
    if began and not attributes & {"attr.aggravating", "attr.relieving"}:
        attributes = attributes | {"attr.trigger"}  # what one was doing when it came on
    if "attr.aggravating" not in attributes or _GRADUALLY.search(folded):
        return attributes
    if attributes & _CONDITIONS:
        return attributes - {"attr.progression"}
    if attributes & {"attr.onset", "attr.onset_mode", "attr.duration"}:
        return attributes | {"attr.progression"}
    return attributes


_MOMENT = re.compile(r"[^,。;、:\d一二三四五六七八九十两半数几天日周月年小]{0,4}?[时后前](?!重|间)")
_CIRCUMSTANCE = ("sx.", "hx.appetite", "hx.stool", "hx.urine", "hx.sleep", "hx.hygiene")


# "No appetite *since the pain began*" tells of appetite.
_DATED = re.compile(r"\b(?:since|after|before|when)\b[^.,;]{1,40}\b(?:began|begun|started|onset)\b")


def _dated(mentions: list[Mention], folded: str) -> list[Mention]:
    """Without the event that only dates what is told, where something is told before it."""
    spans = [m.span() for m in _DATED.finditer(folded)]
    kept = [m for m in mentions if m.id.startswith("attr.") or not any(a < m.start < b for a, b in spans)]
    first = spans[0][0]
    return kept if any(m.id.startswith(_SUBJECT) and m.start < first for m in kept) else mentions


def _stated(mentions: list[Mention], folded: str, circumstance: tuple[str, ...]) -> list[Mention]:
    """Without what only says when something else happens: the cough of 咳嗽时胸痛, the meal of 进食后呕吐."""
    kept = [m for m in mentions if not (m.id.startswith(circumstance) and _MOMENT.match(folded, m.end))]
    left = [m for m in mentions if m not in kept]
    if left and any(m.id.startswith(("sx.", "dx.")) and m.start > left[-1].start for m in kept):
        return kept
    return mentions


def annotate_record(
    statements: Sequence[tuple[str, Topic | None, Polarity | None]], *, language: Language
) -> list[Meaning]:
    """The meanings of a record's statements in order, each read in the light of the one before."""
    meanings: list[Meaning] = []
    context: Meaning | None = None
    heading: Topic | None = None
    for text, topic, polarity in statements:
        if topic is not heading and not (topic in _OF_COURSE and heading in _OF_COURSE):
            context = None
        heading = topic
        meaning = annotate(text, language=language, topic=topic, context=context, polarity=polarity)
        if meaning.concepts or context is None:
            context = meaning
        meanings.append(meaning)
    return meanings


def _measured(folded: str, language: Language) -> set[str]:
    """Attributes that numbers with a unit of time, and scores out of ten, give."""
    found: set[str] = {"attr.severity"} if _SCORE.search(folded) else set()
    if "℃" in folded or "°" in folded:
        found |= {"attr.amount", "attr.severity"}
    for match in _TIME[language].finditer(folded):
        unit = match.group(1)
        if language == "en":
            if match.group(2) or _AFTER.search(folded, 0, match.start()):
                continue
            found |= {"attr.episode_duration"} if unit in ("minute", "second") else {"attr.duration", "attr.onset"}
        elif unit in ("次", "支", "包"):
            found.add("attr.frequency" if unit == "次" else "attr.amount")
        elif folded.startswith(("后", "内"), match.end()):
            continue  # how long after, not since when
        elif unit != "岁" and re.search("每次|每回|一次", folded[max(match.start() - 6, 0) : match.start()]):
            found.add("attr.episode_duration")
        elif unit != "岁":
            found |= {"attr.episode_duration"} if unit in ("分钟", "秒") else {"attr.duration", "attr.onset"}
    return found


def _kin(mentions: list[Mention], topic: Topic | None) -> frozenset[str]:
    kin = {m.id for m in mentions if m.id.startswith("kin.")}
    if topic is Topic.FAMILY or any(m.id == "hx.family" for m in mentions):
        kin.add("hx.family")
    return frozenset(kin)


def _topics(
    concepts: tuple[str, ...], kin: frozenset[str], heading: Topic | None, attributes: set[str], suffers: bool
) -> tuple[Topic, ...]:
    known = ontology()
    by_words: list[Topic] = []
    for concept in concepts:
        topic = known.topic(concept)
        if concept == "hx.past" and kin & {"kin.spouse", "kin.child"} and heading is not None:
            continue  # it is their health, not the patient's
        if topic is not None and topic not in by_words:
            by_words.append(topic)
    if heading in _FIXED:
        return (heading, *(t for t in by_words if t is not heading and t not in (Topic.PAST_HISTORY, Topic.INFECTION)))
    if (
        kin
        and heading is not Topic.OBSTETRIC
        and ("hx.family" in kin or any(c.startswith(("dx.", "sx.")) for c in concepts))
    ):
        blood = any(k != "kin.spouse" for k in kin)
        if blood and heading not in (Topic.CHIEF_COMPLAINT, Topic.PRESENT_ILLNESS):
            return (Topic.FAMILY,)
        if blood and ("hx.family" in kin or suffers):
            return (Topic.FAMILY, *([heading] if heading else []))
    named = [t for t in by_words if t in _NAMED_BY_WORDS]
    if heading in _OF_COURSE:
        # In the story of the illness a disease or a drug is part of the story, an infection is no past history.
        if Topic.PAST_HISTORY in named and not any(map(_past, concepts)):
            named.remove(Topic.PAST_HISTORY)
        diseases = all(c.startswith("dx.") or c == "hx.past" for c in concepts)
        if diseases and Topic.PAST_HISTORY in named and heading is not Topic.CHIEF_COMPLAINT:
            return (Topic.PAST_HISTORY, heading)
        apart = any(t not in (Topic.PAST_HISTORY, Topic.INFECTION, Topic.MOOD) for t in named)
        if not apart or attributes & _OF_THE_STORY or any(c.startswith("sx.") for c in concepts):
            return tuple(dict.fromkeys([heading, *named]))
    if heading in (Topic.OBSTETRIC, Topic.BIRTH_DEVELOPMENT):
        return tuple(dict.fromkeys([heading, *named]))
    if heading is Topic.ALLERGY or (heading in _NARROW and heading in named):
        return tuple(dict.fromkeys([heading, *named]))
    if heading is Topic.PAST_HISTORY and heading in named and named[0] in _INCIDENTAL:
        named.insert(0, heading)  # the illness that was diagnosed, not its diagnosis
    if named:
        return tuple(dict.fromkeys([*named, *([heading] if heading else [])]))
    if heading is not None:
        return (heading,)
    if any(c.startswith("sx.") for c in concepts):
        return (Topic.REVIEW_OF_SYSTEMS,)
    return (Topic.PRESENT_ILLNESS,) if attributes else (Topic.OTHER,)


_INCIDENTAL = frozenset({Topic.PRIOR_CARE, Topic.GENERAL_STATE, Topic.DIET, Topic.MOOD})


def _past(concept: str) -> bool:
    """Whether a concept speaks of health before the illness at hand."""
    return concept == "hx.past" or (concept.startswith("dx.") and concept != "dx.infection")
