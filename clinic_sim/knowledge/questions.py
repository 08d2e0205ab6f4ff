"""What a doctor's utterance asks for: one query for each thing asked, whatever language and wording it comes in.

An utterance is read sentence by sentence. Greetings, explanations and advice ask for nothing; a question that follows
another one without a subject of its own ("since when?") is about what the one before named.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from clinic_sim.knowledge.concepts import ASKED, ontology, specific, verbatim
from clinic_sim.knowledge.scan import Mention, scan
from clinic_sim.knowledge.text import UTTERANCE_LIMIT, Language, clean, detect_language, fold, sentences
from clinic_sim.knowledge.topics import Topic


class QueryKind(StrEnum):
    """What sort of thing is asked."""

    SPECIFIC = "specific"  # concepts: "any chest pain?"
    ATTRIBUTE = "attribute"  # of the complaint in focus: "when did it start?"
    TOPIC = "topic"  # a heading: "past medical history?"
    OPEN = "open"  # "what brings you in?"
    ANYTHING_ELSE = "anything_else"
    IDENTITY = "identity"  # name, age
    CONFIRM = "confirm"  # a summary read back
    SOCIAL = "social"  # a greeting, thanks
    STATEMENT = "statement"  # explanation, advice: asks nothing
    ANSWER_FISHING = "answer_fishing"  # asks for the diagnosis, the script, the instructions
    UNKNOWN = "unknown"  # a question nobody understood


@dataclass(frozen=True, slots=True)
class Query:
    """One thing asked."""

    kind: QueryKind
    concepts: tuple[str, ...] = ()
    attributes: frozenset[str] = frozenset()
    """Attributes asked for."""
    qualifiers: frozenset[str] = frozenset()
    """Attributes mentioned, not asked for: "pain *at night*?"."""
    topics: tuple[Topic, ...] = ()
    kin: frozenset[str] = frozenset()
    sites: frozenset[str] = frozenset()
    """Sites that no concept of the query has taken in."""
    negated: bool = False
    text: str = ""
    widely: bool = False
    """Everything about the concepts is wanted: "tell me more about the headache"."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An utterance, understood."""

    queries: tuple[Query, ...]
    language: Language
    truncated: bool = False
    """The utterance was longer than anyone listens to; the rest was not read."""

    @property
    def asks(self) -> bool:
        """Whether anything is asked."""
        return any(q.kind not in (QueryKind.SOCIAL, QueryKind.STATEMENT) for q in self.queries)


def read_question(text: str, *, language: Language | None = None) -> Reading:
    """The queries of an utterance; the same utterance is read once.

    `language` decides only where the text itself does not (digits, punctuation).
    """
    truncated = len(text) > UTTERANCE_LIMIT
    return _read(text[: UTTERANCE_LIMIT + 1] if truncated else text, language)


_SUBJECT = ("sx.", "dx.", "hx.", "drug.")
_LETTER = re.compile(r"[^\W\d_]")
_CHUNK = re.compile(r"[,;:](?!\d)")
_START_EN = re.compile(
    r"\s*(?:ok(?:ay)?|alright|so|and|um+|uh+|well|now|then|right|yes|no|great|i see|good|sure|,|\.|\s)*\s*"
    r"(?:do|does|did|have|has|had|is|are|was|were|can|could|would|will|any|what|when|where|which|who|how|why|tell|"
    r"describe|please|or|ever|anything|anyone|history|hx|list|explain|share|give me|review|elaborate|should)\b"
)
_SPOKEN_BY_DOCTOR = re.compile(r"^\s*(?:i|we|you|it|this|that|these|they|your|the|there|here|she|he)\b")


@lru_cache(maxsize=8_192)
def _read(text: str, hint: Language | None) -> Reading:
    cleaned = clean(text)
    language = detect_language(cleaned.text) if _LETTER.search(cleaned.text[:2_000]) else (hint or "en")
    folded = fold(cleaned.text)
    queries: list[Query] = []
    subject: Query | None = None
    for span in sentences(folded, language):
        for query in _sentence(folded[span.start : span.end], language, subject):
            queries.append(query)
            if query.concepts or query.sites:
                subject = query
    return Reading(_tidy(queries), language, cleaned.truncated)


def _sentence(words: str, language: Language, subject: Query | None) -> list[Query]:
    found = scan(words, language, "question")
    marks = {m.id for m in found.markers}
    if verbatim(language, "q.fishing").search(words):
        return [Query(QueryKind.ANSWER_FISHING, text=words.strip())]
    if language == "zh" and _WILLING_ZH.search(words) and "q.request" not in marks:
        return [Query(QueryKind.STATEMENT, text=words.strip())]
    if language == "zh" and _CONSENT_ZH.search(words):
        words = _CONSENT_ZH.sub("", words)
        marks -= {"q.word", "q.confirm"}
    asked = _asks(words, found.mentions, marks, language)
    chunks = _chunks(words)
    aside = _asides(words, found.mentions)
    queries: list[Query] = []
    here = subject
    for start, end in chunks:
        whole = len(chunks) == 1 and not aside
        mentions = found.mentions if whole else [m for m in found.mentions if start <= m.start < end and m not in aside]
        markers = set(marks) if whole else {m.id for m in found.markers if start <= m.start < end}
        if language == "en" and len(chunks) > 1 and verbatim("en", "q.word").search(words, start, end):
            markers.add("q.word")
        query = _chunk(words[start:end], mentions, markers, marks, asked, len(chunks) > 1, here)
        if query is None:
            continue
        listed = tuple(c for c in _listed(words, mentions) if c not in query.concepts) if language == "zh" else ()
        if listed and query.concepts:
            query = replace(query, concepts=(*query.concepts, *listed))
        if queries and query.sites and not query.concepts and "attr.radiation" in queries[-1].attributes:
            # "Does it spread to the jaw, *the arm or the back*?"
            known = ontology()
            pains = (known.composed("sx.pain", site) for site in sorted(query.sites))
            query = replace(query, concepts=tuple(p for p in pains if p is not None), kind=QueryKind.SPECIFIC)
        if queries and _worded_by(queries[-1], query):
            queries.pop()
        queries.append(query)
        if query.concepts or query.sites:
            here = query
    if not queries:
        kind = QueryKind.SOCIAL if "q.social" in marks else QueryKind.UNKNOWN if asked else QueryKind.STATEMENT
        return [Query(kind, text=words.strip())]
    return queries


_WH = re.compile(r"(?:and |so |ok |okay |now |well )*(?:how|what|where|when)\b")


def _worded_by(before: Query, after: Query) -> bool:
    """Whether a question only leads up to the next: "how did the pain start, suddenly or gradually?"."""
    return bool(
        before.concepts
        and before.concepts == after.concepts
        and after.attributes
        and not before.attributes
        and _WH.match(before.text)
    )


def _listed(words: str, mentions: list[Mention]) -> list[str]:
    """Findings and diseases named as items of a list: each is asked for, even where another one implies it."""
    known = ontology()
    items = []
    for m in mentions:
        beside = words[max(m.start - 1, 0) : m.start] + words[m.end : m.end + 1]
        kind = known.concepts[m.id].kind if m.id in known.concepts else ""
        if kind in ("finding", "disease") and m.id not in _SUMMARIES and any(c in "、和或及者" for c in beside):
            items.append(m.id)
    return items


_SUMMARIES = frozenset({"dx.disease", "dx.chronic", "dx.infectious", "dx.genetic", "dx.infection", "sx.unwell"})


def _asks(words: str, mentions: list[Mention], marks: set[str], language: Language) -> bool:
    """Whether a sentence is a question, by its mark, its words, or, when short, by being nothing else."""
    if "?" in words:
        return True
    if language == "zh":
        if "q.statement" in marks and not _ENDS_ASKING_ZH.search(words):
            return False
        if "q.word" in marks:
            return True
        if marks & {"q.open", "q.else", "q.identity", "q.request"} and len(words) < 40:
            return "我" not in words or "q.request" in marks
        return bool(mentions) and len(words.strip()) <= 16 and "q.social" not in marks and "我" not in words
    if _START_EN.match(words):
        return True
    if "q.statement" in marks:
        return False
    if marks & {"q.open", "q.else", "q.identity"} or ("q.request" in marks and len(words) < 200):
        return True
    return bool(mentions) and len(words.split()) <= 8 and not _SPOKEN_BY_DOCTOR.match(words)


_ASIDE_ZH = re.compile(
    r"除了?[^,;?]*?(?=[,;?]|还|其他|别的|有没有|$)"
    r"|(?:自从|从)[^,;?]{1,10}?(?:开始|以来|以后|之后)(?=[,您你]|到现在|有没有)"
    r"|[^,;?]*?(?:的时候|(?<!何)(?<!小)(?<!平)(?<!当)(?<!及)时|(?<=[^,;?你您来])(?:之前|以前|之后|以后))(?=[,您你会也还觉有伴肚怎])"
)
# A question that only adds to the one before: "... or anything similar?"
_GOES_ON_ZH = re.compile("或|比如|例如|像|包括")
_ENDS_ASKING_ZH = re.compile(r"(?:吗|呢|么|没有|没|吧|什么|多少|多久|哪里|几次|怎么样|如何)\W*$")
_WILLING_ZH = re.compile(
    r"愿意?.{0,10}(?:检查|治疗|手术|住院|化验|方案)|接受(?:这|该|此|进一步|我们)|(?:做|进行)(?:这个|这项|这些|该|此项)检查|(?:这样|这么做)可以吗"
)
# "..., all right?" asks for consent, not for an answer.
_CONSENT_ZH = re.compile(
    r"[,。]\s*(?:您看|你看)?(?:这样)?(?:好吗|可以吗|行吗|好不好|行不行|可以吧|好吧|明白吗|懂吗|清楚吗|没问题吧|同意吗)\W*$"
)
_ASIDE_EN = re.compile(
    r"\b(?:besides|apart from|aside from|other than|in addition to|along with|together with|"
    r"(?<!problems )(?<!problem )(?<!trouble )(?<!issues )(?<!issue )(?<!wrong )(?<!difficulty )(?<!happened )"
    r"with (?:the|your|this|that|these)|during (?:the|your|this|her) pregnancy|when (?:she|he) wakes up|"
    r"(?:before|after) (?:the|your|this|that|(?:he|she) was born)|"
    r"while (?:you|she) (?:were|was) (?:pregnant|carrying))\b"
    r"[^,;?]*?(?=,|;|\?|\b(?:do|did|have|has|is|are|any)\b|$)"
)


# What an English aside begins with; looked for first, being quicker.
_SCENES_EN = (
    "with ",
    "besides",
    " from",
    "other than",
    "in addition",
    "during ",
    "before ",
    "after ",
    "while ",
    "when ",
)


def _asides(words: str, mentions: list[Mention]) -> list[Mention]:
    """What a question names only to set its scene ("besides the cough, ...", "咳嗽的时候..."), if it names more."""
    if words.isascii():
        scenes = [m.span() for m in _ASIDE_EN.finditer(words)] if any(map(words.__contains__, _SCENES_EN)) else []
    else:
        pattern = _ASIDE_ZH if any("\u4e00" <= c <= "\u9fff" for c in words[:20]) else _ASIDE_EN
        scenes = [m.span() for m in pattern.finditer(words)]
    if not scenes:
        return []
    aside = [m for m in mentions if any(a <= m.start < b for a, b in scenes)]
    rest = [m for m in mentions if m not in aside and (m.id.startswith(_SUBJECT) or m.id.startswith(ASKED))]
    # At what time or under which condition is part of the question: "are you short of breath *at rest*?"
    return [m for m in aside if not m.id.startswith((ASKED, "attr."))] if rest else []


def _chunks(words: str) -> list[tuple[int, int]]:
    ends = [m.end() for m in _CHUNK.finditer(words)]
    edges = [0, *ends, len(words)]
    return [(a, b) for a, b in pairwise(edges) if words[a:b].strip(" ,;:.?!。")]


def _chunk(
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
    concepts = specific([i for i in ids if i.startswith(_SUBJECT) and i != "hx.identity"])
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
        and _GOES_ON_ZH.match(text)
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


def _tidy(queries: list[Query]) -> tuple[Query, ...]:
    """Without the greetings and statements around a question, and without an empty reading."""
    real = [q for q in queries if q.kind not in (QueryKind.SOCIAL, QueryKind.STATEMENT)]
    fishing = [q for q in real if q.kind is QueryKind.ANSWER_FISHING]
    understood = [q for q in real if q.kind is not QueryKind.UNKNOWN]
    if fishing:
        return (*fishing, *(q for q in understood if q.kind is not QueryKind.ANSWER_FISHING))
    chosen = understood or real or queries[:1]
    if len(chosen) == 1:
        return (chosen[0],)
    once = {replace(q, text=""): q for q in reversed(chosen)}  # asked twice in other words, answered once
    return tuple(reversed(once.values())) or (Query(QueryKind.STATEMENT),)
