"""What a doctor's utterance asks for: one query for each thing asked, whatever language and wording it comes in.

An utterance is read sentence by sentence. Greetings, explanations and advice ask for nothing; a question that follows
another one without a subject of its own ("since when?") is about what the one before named.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from clinic_sim.knowledge.asides import CONSENT_ZH, ENDS_ASKING_ZH, WILLING_ZH, asides_in
from clinic_sim.knowledge.concepts import ontology, verbatim
from clinic_sim.knowledge.queries import Query, QueryKind, Reading
from clinic_sim.knowledge.question_parts import parts_of, read_part
from clinic_sim.knowledge.scan import Mention, scan
from clinic_sim.knowledge.text import UTTERANCE_LIMIT, Language, clean, detect_language, fold, sentences


def read_question(text: str, *, language: Language | None = None) -> Reading:
    """The queries of an utterance; the same utterance is read once.

    `language` decides only where the text itself does not (digits, punctuation).
    """
    truncated = len(text) > UTTERANCE_LIMIT
    # Whoever knows the language and whoever does not find the same reading.
    hint = None if language is None or _LETTER.search(text[:2_000]) else language
    return _read(text[: UTTERANCE_LIMIT + 1] if truncated else text, hint)


_LETTER = re.compile(r"[^\W\d_]")


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


@lru_cache(maxsize=16_384)
def _sentence(words: str, language: Language, subject: Query | None) -> tuple[Query, ...]:
    """The queries of one sentence; sentences recur in utterances that do not."""
    return tuple(_queries(words, language, subject))


def _queries(words: str, language: Language, subject: Query | None) -> list[Query]:
    found = scan(words, language, "question")
    marks = {m.id for m in found.markers}
    if verbatim(language, "q.fishing").search(words):
        return [Query(QueryKind.ANSWER_FISHING, text=words.strip())]
    if language == "zh" and WILLING_ZH.search(words) and "q.request" not in marks:
        return [Query(QueryKind.STATEMENT, text=words.strip())]
    if language == "zh" and CONSENT_ZH.search(words):
        words = CONSENT_ZH.sub("", words)
        marks -= {"q.word", "q.confirm"}
    asked = _asks(words, found.mentions, marks, language)
    chunks = parts_of(words)
    aside = asides_in(words, found.mentions)
    queries: list[Query] = []
    here = subject
    for start, end in chunks:
        whole = len(chunks) == 1 and not aside
        mentions = found.mentions if whole else [m for m in found.mentions if start <= m.start < end and m not in aside]
        markers = set(marks) if whole else {m.id for m in found.markers if start <= m.start < end}
        if language == "en" and len(chunks) > 1 and verbatim("en", "q.word").search(words, start, end):
            markers.add("q.word")
        query = read_part(words[start:end], mentions, markers, marks, asked, len(chunks) > 1, here)
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
        if "q.statement" in marks and not ENDS_ASKING_ZH.search(words):
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
