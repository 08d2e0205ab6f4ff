"""Which fact only repeats another: records tell the same thing in the story, the symptoms and the review of systems.

An echo is told with its original and counted once, so that a wrong one hides content. It is drawn only where the words
leave no doubt: same polarity, every concept, number, side and word of its own stands in the original, and nothing says
the opposite. A denial repeats only one that is as wide as itself. Within one telling, what is said again in other words
is another episode, not a repetition.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from clinic_sim.cases.facts import Fact, Polarity
from clinic_sim.cases.importers.reading import tokens
from clinic_sim.knowledge.meaning import Meaning
from clinic_sim.knowledge.scan import scan
from clinic_sim.knowledge.text import Language, fold
from clinic_sim.knowledge.topics import Topic

_NEVER = {Topic.CHIEF_COMPLAINT, Topic.IDENTITY, Topic.IDEA, Topic.CONCERN, Topic.EXPECTATION}
_NOT_REPEATED = {Topic.IDENTITY, Topic.IDEA, Topic.CONCERN, Topic.EXPECTATION}
_PERSONAL = {Topic.LIVING, Topic.OCCUPATION, Topic.OBSTETRIC, Topic.DIET, Topic.EXERCISE, Topic.BIRTH_DEVELOPMENT}
_HISTORIES = {Topic.MEDICATION, Topic.PAST_HISTORY, Topic.SURGERY, Topic.OBSTETRIC}
VAGUE = frozenset(
    {
        *("hx.past", "dx.disease", "dx.chronic", "hx.prior_tests", "hx.prior_treatment", "hx.prior_diagnosis"),
        *("sx.problem", "hx.surgery", "hx.medication", "hx.general_state", "hx.living"),
    }
)
"""Concepts so wide that sharing one proves nothing."""
_BARE = re.compile(
    r"(?:否认|无|没有|不详|正常|未予?(?:治疗|重视|诊治)|no|none|denied|denies|unremarkable|normal)[。.]?", re.IGNORECASE
)
_NEUTRAL_EN = frozenset(
    [
        "symptom",
        "sensation",
        "feel",
        "feeling",
        "episod",
        "presenc",
        "present",
        "associat",
        "report",
        "experienc",
        "notic",
        "not",
        "develop",
        "deni",
        "deny",
        "any",
        "sever",
        "year-old",
        "onset",
        "occurrenc",
        "histori",
        "history",
        "also",
        "current",
        "currently",
        "complaint",
        "instanc",
        "time",
        "there",
        "with",
        "without",
        "as",
        "well",
        "use",
        "using",
        "reported",
        "noted",
    ]
)
_NEUTRAL_ZH = re.compile(
    r"患者|患儿|病人|自?发病(?:以来|后)|病程中|出现|伴有?|并|及|和|与|或|有|感|自觉|明显|症状|病史|史|否认|无|没有|不伴|未见?|不|等|曾|系|其|"
    r"[、，,。；;：:“”\"\s的了之]"
)
_SIDES = (
    re.compile(r"\bleft\b|左"),
    re.compile(r"\bright\b|右"),
    re.compile(r"\bboth\b|\bbilateral\w*|双"),
    re.compile(r"\bupper\b|上"),
    re.compile(r"\blower\b|下(?!降)"),
)
_OPPOSITES = (
    (
        re.compile(r"缓解|好转|减轻|改善|\bimprov|\brelie|\balleviat|\bbetter\b|\bresolv"),
        re.compile(r"加重|加剧|\bwors|\baggravat|\bexacerbat"),
    ),
    (re.compile(r"增[加多]|升高|\bincreas|\bgain"), re.compile(r"减少|下降|降低|\bdecreas|\bloss\b|\breduc")),
    (re.compile(r"\bbefore\b|前"), re.compile(r"\bafter\b|后")),
)
_INNER_NOT = re.compile(r"[无未不没]|\bno\b|\bnot\b|n['’]t\b|\bwithout\b|\bnever\b|\bunable\b|\bfail", re.IGNORECASE)
_AGAIN = re.compile(r"再次|又|仍|较前|复发|再发|\bagain\b|\bstill\b|\brecurr", re.IGNORECASE)
_NUMBERS = re.compile(r"\d+(?:\.\d+)?|[一二两三四五六七八九十半]+(?=[天日月年周次个小])")


@dataclass(frozen=True, slots=True)
class Told:
    """A fact with what is needed to compare it to others."""

    fact: Fact
    meaning: Meaning
    words: frozenset[str]
    numbers: frozenset[str]
    plain: str
    """The statement without what frames or denies it: two of equal plain words say the same."""
    spans: tuple[tuple[str, str], ...]
    """Concept and the words that name it."""
    rest: tuple[str, ...]
    """What else it says beside its concepts (Chinese)."""


def told(fact: Fact, meaning: Meaning, language: Language) -> Told:
    """A fact made ready to be compared."""
    folded = fold(fact.statement)
    mentions = [m for m in scan(folded, language).mentions if m.id.startswith(("sx.", "dx.", "hx.", "drug."))]
    spans = tuple((m.id, folded[m.start : m.end]) for m in mentions)
    rest: tuple[str, ...] = ()
    if language == "zh":
        bare = folded
        for mention in reversed(mentions):
            bare = f"{bare[: mention.start]}|{bare[mention.end :]}"
        rest = tuple(r for r in _NEUTRAL_ZH.sub("|", bare).split("|") if r)
        plain = _NEUTRAL_ZH.sub("", folded)
    else:
        plain = " ".join(w for w in re.findall(r"[a-z0-9][\w'\-.]*", folded) if w not in _FRAME_EN)
    numbers = frozenset(_NUMBERS.findall(folded))
    return Told(fact, meaning, tokens(fact.statement, language), numbers, plain, spans, rest)


_FRAME_EN = frozenset(
    [
        "a",
        "an",
        "the",
        "no",
        "not",
        "any",
        "denies",
        "denied",
        "reports",
        "reported",
        "has",
        "have",
        "had",
        "is",
        "are",
        "was",
        "were",
        "there",
        "she",
        "he",
        "patient",
        "history",
        "of",
        "his",
        "her",
        "with",
        "does",
        "did",
    ]
)


def link(facts: Sequence[tuple[Fact, Meaning]], language: Language) -> dict[str, str | None]:
    """For each fact the one that it repeats, never itself an echo; None where it says something of its own."""
    all_told = [told(f, m, language) for f, m in facts]
    echoes: dict[str, str | None] = {t.fact.id: None for t in all_told}
    for n, own in enumerate(all_told):
        best: tuple[bool, int, int] | None = None
        for m, other in enumerate(all_told):
            if m == n or not _repeats(own, other, language):
                continue
            if m > n and _repeats(other, own, language) and other.plain == own.plain:
                continue
            if m > n and _repeats(other, own, language) and len(other.plain) <= len(own.plain):
                continue
            rank = (other.plain == own.plain, len(other.plain), -m)
            if best is None or rank > best:
                best = rank
        if best is not None:
            echoes[own.fact.id] = all_told[-best[2]].fact.id
    return {key: _root(key, echoes) if at else None for key, at in echoes.items()}


def _repeats(part: Told, full: Told, language: Language) -> bool:
    """Whether all that one fact says, the other says too."""
    if part.fact.topic in _NEVER or full.fact.topic in _NOT_REPEATED:
        return False
    if part.fact.polarity is not full.fact.polarity or part.meaning.kin != full.meaning.kin:
        return False
    if (part.fact.topic is Topic.FAMILY) != (full.fact.topic is Topic.FAMILY):
        return False
    if _BARE.fullmatch(part.fact.statement.strip()) or len(part.plain) < 2:
        return False
    concepts = [c for c in part.meaning.concepts if c not in VAGUE]
    if part.plain == full.plain and part.numbers == full.numbers and _agree(part, full, both=True):
        if concepts:
            return True
        if part.fact.topic in _PERSONAL or part.fact.topic is Topic.GENERAL_STATE:
            return part.fact.topic is full.fact.topic
        long = len(part.plain) >= (6 if language == "zh" else 14)
        return part.fact.topic is full.fact.topic and _path(part) != _path(full) and long
    if _path(part) == _path(full) or not _agree(part, full, both=False):
        return False
    if not concepts and (language == "zh" or len(part.words - _NEUTRAL_EN) < 2):
        return False
    if all(c.startswith(("hx.", "drug.")) for c in concepts) and full.fact.topic not in {part.fact.topic, *_HISTORIES}:
        return False
    if not part.numbers <= full.numbers or not part.meaning.attributes <= full.meaning.attributes:
        return False
    if not frozenset(concepts) <= frozenset(full.meaning.concepts) or not part.meaning.sites <= full.meaning.closure:
        return False
    if part.fact.polarity is Polarity.ABSENT:
        narrower = full.meaning.attributes - part.meaning.attributes or full.meaning.sites - part.meaning.sites
        wider = frozenset(full.meaning.concepts) - frozenset(part.meaning.concepts)
        if narrower or wider or not _said(full, part, language):
            return False
    return _said(part, full, language)


def _said(part: Told, full: Told, language: Language) -> bool:
    """Whether the words of one stand in the other, as themselves or as another name of the same disease.

    Two words for one complaint (faint, unconscious; patches, rash) may be two things and repeat nothing.
    """
    same = {id_ for id_, _ in full.spans if id_.startswith("dx.")}
    if language == "zh":
        folded = fold(full.fact.statement)
        if any(chunk not in folded for chunk in part.rest):
            return False
        return all(id_ in same or words in folded for id_, words in part.spans)
    free = {w for id_, words in part.spans if id_ in same for w in tokens(words, "en")}
    return all(w in free or w in _NEUTRAL_EN or any(_alike(w, other) for other in full.words) for w in part.words)


def _alike(one: str, other: str) -> bool:
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    reach = max(5, len(short) - 3)
    return len(short) >= 5 and short[:reach] == long[:reach]


def _agree(part: Told, full: Told, *, both: bool) -> bool:
    """Whether sides, directions, inner negations and episodes do not contradict."""
    mine, other = fold(part.fact.statement), fold(full.fact.statement)
    sides = ([bool(s.search(mine)) for s in _SIDES], [bool(s.search(other)) for s in _SIDES])
    if any(m and not o for m, o in zip(*sides, strict=True)) or (both and sides[0] != sides[1]):
        return False
    for up, down in _OPPOSITES:
        if (up.search(mine) and not up.search(other)) or (down.search(mine) and not down.search(other)):
            return False
    if part.fact.polarity is Polarity.PRESENT and bool(_INNER_NOT.search(mine)) != bool(_INNER_NOT.search(other)):
        return False
    return not (_AGAIN.search(mine) and not _AGAIN.search(other))


def _path(one: Told) -> str:
    return re.sub(r"\[\d+\]$", "", one.fact.source.path) if one.fact.source else ""


def _root(fact_id: str, echoes: dict[str, str | None]) -> str | None:
    """The end of a chain of echoes, so that an echo never points to another."""
    seen: list[str] = [fact_id]
    at: str | None = echoes[fact_id]
    while at is not None and echoes[at] is not None and at not in seen:
        seen.append(at)
        at = echoes[at]
    return None if at == fact_id else at
