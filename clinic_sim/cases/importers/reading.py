"""The importers' view of language: clauses that stand alone, with polarity, and what a clause means.

Clauses come from `knowledge.clauses`; here they are made into facts' statements: brackets stay whole, a relative
clause stays with what it tells about, a denial cut out of a list says so itself, and a list that begins with a
negation stays denied to its end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from clinic_sim.cases.facts import Polarity
from clinic_sim.cases.importers.mixed import Half, halves, sober, stands_alone
from clinic_sim.cases.importers.physical import is_finding
from clinic_sim.cases.importers.seams import is_result, join
from clinic_sim.cases.importers.spoken import unframed
from clinic_sim.knowledge import clauses as language_clauses
from clinic_sim.knowledge.clauses import split_clauses
from clinic_sim.knowledge.meaning import Meaning, annotate
from clinic_sim.knowledge.text import Language, fold, stem
from clinic_sim.knowledge.topics import Topic

_SPACE = re.compile(r"\s+")
_STOP = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "in",
        "on",
        "at",
        "to",
        "for",
        "with",
        "and",
        "or",
        "but",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "has",
        "have",
        "had",
        "he",
        "she",
        "they",
        "his",
        "her",
        "their",
        "patient",
        "it",
        "its",
        "this",
        "that",
        "these",
        "those",
        "no",
        "not",
        "any",
        "some",
        "recent",
        "significant",
        "history",
        "past",
        "medical",
    ]
)
_LEADS_EN = re.compile(
    r"^(?:and |but |also )?(?:(?:the )?patient |infant |child |he |she |they )?(?:also |further )?"
    r"(?:denie[sd]|denying|no\b(?! longer)|without\b|never\b|negative for|has no\b|had no\b|have no\b|"
    r"reports? no\b|there (?:is|are|was|were|have been|has been) no\b|"
    r"(?:does|did|do)(?: not|n['’]t) (?:report|have|use|drink|smoke|consume|take|recall|complain)|no(?:t on|"
    r" known)|non-?smoker|non-?drinker)",
    re.IGNORECASE,
)
_INNER_EN = re.compile(
    r"\b(?:with no|without (?:any |significant )?|(?:has|have|and) no)\s*(?:history of|use of|known)?\b", re.IGNORECASE
)
_HABITS = {Topic.SMOKING, Topic.ALCOHOL, Topic.SUBSTANCE, Topic.TRAVEL, Topic.EXPOSURE, Topic.MEDICATION, Topic.ALLERGY}
_LEADS_ZH = re.compile(
    r"^(?:均|并|亦|也|但)?(?:否认|无(?!法|力|精打采|意间|意中|意义|名|痛性|故|明显诱因|诱因|业|望|助|缘)|从不|从未|未见|没有(?!食欲|精神|力气|胃口|意义|希望|信心|兴趣|效果|用|价值))"
    r"|^家[族庭][^，]{0,5}(?:无|没有|否认)"
)
_NEGATION_EN = re.compile(
    r"\b(?:no|not|denie[sd]|denying|without|never|none|nor|neither|negative|non|unremarkable|unable)\b|n['’]t\b|^non",
    re.IGNORECASE,
)
_NEGATION_ZH = re.compile(r"[无未不没否非]|阴性|正常")
_LINK_EN = re.compile(r"\s*(?:,\s*(?:or|nor|and)?|or|nor|and|/)\s*", re.IGNORECASE)
_LINK_ZH = re.compile(r"\s*[、及和或与“”\"]+\s*")
_TURN_EN = re.compile(
    r"\b(?:but|however|reports?|admits?|has|had|is|are|was|were|works|worked|lives|takes|drinks|smokes|positive|mentions?|notes?|occasional\w*|"
    r"uses|social|retired|enjoys|except)\b",
    re.IGNORECASE,
)
_TURN_ZH = re.compile(r"有|伴|出现|可|自觉|感")
_RELATIVE = re.compile(r"^(?:which|whom?|whose|that|during which|in which|for which)\b", re.IGNORECASE)
_QUOTES = '“”"「」'
_NO_QUOTES = str.maketrans("", "", "“”")
_NUMBER = re.compile(r"^(?:\d{1,2}[.、．](?!\d)|[(（]\d{1,2}[)）])\s?")
_DENIES_ZH = re.compile(
    r"^.{0,8}?(?:无(?!明显诱因|诱因|法|力|精打采|意间|意中|意义|望|助)|否认|没有(?!食欲|精神|力气|胃口|意义|希望|信心|兴趣|效果|价值|用)|从不|从未|未(?!愈|婚|育|孕|监测|留意|重视|戒|排便|进食|大便|睡|能|经|遵|规律|成)|"
    r"不(?:伴|吸|饮|抽|喝|嗜|咳|喘|痛|痒|发热|含))"
)
_SETTING_ZH = re.compile(r"以来|病程|期间|[近患病]|[时后前]$|\d|[天月年]")
_TAIL_ZH = re.compile(r"(?P<mark>[，,]?)(?:(?P<adverb>有时|偶尔|偶)|并|且|同时)$")
_EXAMPLE_ZH = re.compile(r"(?:例|比)?如|包括")
_DISEASES_ZH = re.compile(r"[^有患，。]{2,16}(?:病史|疾病|史|病|症|炎|癌)")
_GENERAL_ZH = re.compile(
    r"^(?:自?发病以来，?|病程中，?|患[者儿]|病人|近期|夜间|，)*(?:精神|饮食|食欲|睡眠|大小?便|小便|胃纳|食纳|体重)"
)
_BARE_ZH = re.compile(r"(?:精神|饮食|食欲|睡眠|大便|小便|状态|体力)$")
_STATES_ZH = re.compile(r"感觉|感到|觉得|自觉|认为|表现为|出现|可见|担心")
_UNSURE_ZH = re.compile(r"^[^，,（(]{1,20}(?:不详|不明|不清楚?)$")
_BASE_VERB = re.compile(r"(?:drink|smoke|use|consume|take|have|vape|work|live|recall|report)\b(?! of)", re.IGNORECASE)
_NEUTRAL = re.compile(
    r"\b(?:habits?|function|patterns?|weight|appetite|sleep|mood|diet|vision|hearing|urination|urine|stools?|energy|"
    r"movements?|routine)$",
    re.IGNORECASE,
)
_ANY = re.compile(r"^(?:any\s+|experiencing\s+|having\s+|other\s+(?=recent)|the\s+|an?\s+)+")


_HEAD = re.compile(
    r"^.*?\b(?:no|denie[sd]|denying|without|not report|not have)\s+(?:experiencing\s+|having\s+|any\s+|known\s+)*"
    r"(?P<head>(?:(?:recent|significant|family|past|personal|prior|previous|similar)\s+)?"
    r"(?:increases?|decreases?|changes?|difficulty|trouble|problems?|history|pain|swelling|symptoms?|signs?|episodes?|"
    r"evidence|loss|use|exposure|contact|contacts)\s+(?:in|of|with|to|on)\s+(?:the\s+|his\s+|her\s+)?)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Piece:
    """One clause: self-standing statement, the source's own words, polarity, and whether it continues a list."""

    statement: str
    words: str
    polarity: Polarity
    continues: bool = False


def pieces(text: str, language: Language, *, whole: bool = False, mixed: bool = False) -> list[Piece]:
    """The clauses of a text; with `whole`, the text as one clause, split only where it both affirms and denies, and
    with `mixed` not even there."""
    spans = _spans(text, language)
    if whole:
        words = tidy(text)
        absent = bool(spans) and all(p is Polarity.ABSENT for _, _, p in spans)
        polarity = Polarity.ABSENT if absent else Polarity.PRESENT
        if not words or mixed:
            return [Piece(words, words, polarity)] if words else []
        return _own(words, polarity, language)
    found: list[Piece] = []
    head = ""
    for n, (start, end, polarity) in enumerate(spans):
        words = tidy(text[start:end])
        if not words:
            continue
        between = text[spans[n - 1][1] : start] if n else "."
        continues = not re.search(r"[.。；;!?！？\n]", between)
        if language == "en" and polarity is Polarity.ABSENT:
            own = _HEAD.match(words)
            head = own["head"] if own else head if continues else ""
        else:
            head = ""
        shared = head if continues and not _HEAD.match(words) and _shares(head, words, language) else ""
        found.extend(_own(words, polarity, language, shared, continues))
    return found


def _own(words: str, polarity: Polarity, language: Language, head: str = "", continues: bool = False) -> list[Piece]:
    """The pieces of one clause, one for each thing that it says."""
    whole = is_finding(words, vitals=False) or (language == "zh" and is_result(words))
    said = [Half(words, polarity)] if whole else halves(words, polarity, language)
    return [
        Piece(
            standing(h.statement or h.words, h.polarity, language, head if n == 0 else ""),
            h.words,
            h.polarity,
            continues,
        )
        for n, h in enumerate(said)
    ]


def _shares(head: str, words: str, language: Language) -> bool:
    """Whether what a list shares belongs to this item too: `no increase in thirst or urination`, but `no changes in
    appetite, cough`: a complaint of its own needs no head, unless the head is one of history or signs."""
    if not head or _NEGATION_EN.search(words):
        return False
    if re.search(r"\bof\s*$", head) or _NEUTRAL.search(words):
        return not stands_alone(words)
    return not any(c.startswith(("sx.", "dx.")) for c in annotate(words, language=language).concepts)


def _spans(text: str, language: Language) -> list[tuple[int, int, Polarity]]:
    """Start, end and polarity of each clause, after repairs that need the text around it."""
    spans: list[tuple[int, int, Polarity]] = []
    denied = False
    raw = [(c.start, c.end, Polarity(c.polarity.value)) for c in split_clauses(text, language)]
    for start, end, polarity in join(text, raw, language):
        if spans and (_open(text[spans[-1][0] : spans[-1][1]]) or _RELATIVE.match(text[start:end])):
            spans[-1] = (spans[-1][0], end, spans[-1][2])
            continue
        if spans and language == "zh" and _joins(text, spans[-1], start, end):
            spans[-1] = (spans[-1][0], end, polarity if polarity is not Polarity.ABSENT else spans[-1][2])
            continue
        if spans and language == "zh" and (tail := _TAIL_ZH.search(text[spans[-1][0] : spans[-1][1]])):
            # `有时 | 伴有恶心`: the adverb goes with what follows; a bare conjunction goes with nothing.
            cut = spans[-1][0] + tail.start()
            start = cut + len(tail["mark"]) if tail["adverb"] else start
            spans[-1] = (spans[-1][0], cut, spans[-1][2])
        if spans and language == "zh" and text[start:end].startswith("伴") and text[spans[-1][1] - 1] in "不未":
            before, start = spans[-1], spans[-1][1] - 1
            spans[-1] = (before[0], start, Polarity.PRESENT if before[2] is Polarity.UNKNOWN else before[2])
            polarity = Polarity.ABSENT
        words = text[start:end]
        leads = _LEADS_ZH if language == "zh" else _LEADS_EN
        lead = leads.match(words.lstrip(_QUOTES)) or leads.match(unframed(words, language))
        if not lead and language == "en" and (inner := _INNER_EN.search(words)):
            # `A student with no history of smoking, alcohol, or drugs`: the list is denied, and so is a habit in it.
            habits = annotate(words[inner.start() :], language=language).topics
            cut = start + inner.start()
            if habits and habits[0] in _HABITS and cut > start + 8:
                spans.extend(((start, cut, Polarity.PRESENT), (cut, end, Polarity.ABSENT)))
            else:
                spans.append((start, end, Polarity.PRESENT))
            denied = True
            continue
        settled = sober(words, polarity, language)
        if settled is not None:
            polarity, denied = settled, settled is Polarity.ABSENT
            spans.append((start, end, polarity))
            continue
        between = text[spans[-1][1] : start] if spans else ""
        if lead:
            polarity, denied = Polarity.ABSENT, True
        elif denied and spans and _denied_too(between, words, language):
            polarity = Polarity.ABSENT
        else:
            denied = False
            if language == "zh":
                polarity = _sober(words, polarity)
            elif polarity is Polarity.ABSENT and _goes_on(spans, between, words):
                polarity = Polarity.PRESENT
        spans.append((start, end, polarity))
    return [s for s in spans if tidy(text[s[0] : s[1]])]


def _sober(words: str, polarity: Polarity) -> Polarity:
    """A Chinese clause is denied where it begins so; a negation further in belongs to what it states "
    "(`感到生活没有希望`)."""
    words = words.strip(_QUOTES)
    if polarity is Polarity.UNKNOWN:
        return polarity if _UNSURE_ZH.match(tidy(words)) else Polarity.PRESENT
    if polarity is not Polarity.ABSENT:
        return polarity
    if _GENERAL_ZH.match(words):
        return Polarity.PRESENT
    denies = _DENIES_ZH.match(words)
    if denies:
        return Polarity.PRESENT if _STATES_ZH.search(denies.group()) and "未" not in denies.group() else polarity
    return Polarity.PRESENT if _NEGATION_ZH.search(words) or _STATES_ZH.search(words) else polarity


def _goes_on(spans: list[tuple[int, int, Polarity]], between: str, words: str) -> bool:
    """Whether an English clause goes on with an affirmed list: `denies alcohol, enjoys walking | and sunbathing`."""
    affirmed = bool(spans) and spans[-1][2] is Polarity.PRESENT
    return affirmed and bool(_LINK_EN.fullmatch(between)) and not _NEGATION_EN.search(words)


def _denied_too(between: str, words: str, language: Language) -> bool:
    """Whether a clause after a denial is still denied: the list goes on, gives examples, or names further diseases."""
    if _links(between, words, language) or _EXAMPLE_ZH.match(words):
        return True
    return between.strip() in {"，", ","} and bool(_DISEASES_ZH.fullmatch(words))


def _joins(text: str, before: tuple[int, int, Polarity], start: int, end: int) -> bool:
    """Whether a clause completes the one before it: `精神、饮食差`, `药物、食物过敏史` mean nothing in halves."""
    between, words = text[before[1] : start].strip(), text[start:end]
    if between not in {"、", "及", "和", "与", "或"}:
        return False
    head = text[before[0] : before[1]]
    return bool(_GENERAL_ZH.search(head) and _BARE_ZH.search(head)) or (
        head.endswith(("药物", "食物", "药品")) and "过敏" in words
    )


def _open(words: str) -> bool:
    """Whether a bracket stays open."""
    return sum(words.count(c) for c in "(（") > sum(words.count(c) for c in ")）")


def _links(between: str, words: str, language: Language) -> bool:
    """Whether a clause goes on with the list before it."""
    if language == "zh":
        return bool(_LINK_ZH.fullmatch(between)) and len(words) <= 14 and not _TURN_ZH.search(words)
    return bool(_LINK_EN.fullmatch(between)) and not _TURN_EN.search(words)


def standing(words: str, polarity: Polarity, language: Language, head: str = "") -> str:
    """A denial cut out of a list made to stand alone: `cough` of `denies fever, cough` is `denies cough`."""
    if words.count("“") != words.count("”"):
        words = words.translate(_NO_QUOTES)
    words = _NUMBER.sub("", words)
    if polarity is not Polarity.ABSENT:
        return words
    if language == "zh":
        bare = re.sub(r"^(?:伴有?|(?:例|比)?如|包括)", "", words)
        first = words.split("，")[0]
        listed = "，" in words and len(first) <= 6 and not _SETTING_ZH.search(first)
        return words if _NEGATION_ZH.search(first if listed else words) else f"无{bare}"
    bare = re.sub(r"^(?:and|or|nor|but)\s+", "", words, flags=re.IGNORECASE)
    bare = re.sub(
        r"^with(?:out (?:any )?(?=significant|known)| (?=no\b))", lambda m: "no " if "out" in m.group() else "", bare
    )
    if _NEGATION_EN.search(bare):
        return bare
    bare = re.sub(r"\s+(?:is|are|was|were)?\s*(?:reported|noted|mentioned)$", "", bare)
    if _BASE_VERB.match(bare):
        return f"does not {bare}"
    if re.match(r"(?:come|start|notice|receive|undergo|travel|seek|recall)\b", bare):
        return f"did not {bare}"
    return f"denies {head}{_ANY.sub('', bare)}"


def meaning_of(text: str, language: Language, topic: Topic | None, polarity: Polarity) -> Meaning:
    """What a statement means: concepts, attributes, sites, kin, headings."""
    return annotate(text, language=language, topic=topic, polarity=language_clauses.Polarity(polarity.value))


def tokens(text: str, language: Language) -> frozenset[str]:
    """The content words of a text, for comparing clauses."""
    folded = fold(text)
    if language == "zh":
        bare = re.sub(r"[^\u4e00-\u9fffa-z0-9]", "", folded)
        return frozenset(bare[i : i + 2] for i in range(len(bare) - 1)) or frozenset({bare} - {""})
    return frozenset(stem(w) for w in re.findall(r"[a-z][a-z'\-]+|\d+", folded) if w not in _STOP)


def tidy(text: str) -> str:
    """The text on one line, without marks at its ends."""
    return _SPACE.sub(" ", text).strip().strip(" ,，。.;；、:：").strip()
