"""Free-text plans, English or Chinese, as treatment concepts: what is given, what is avoided, and the dose.

Nothing here raises on any text, and time is bounded: what is longer than a plan can be is not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from clinic_sim.knowledge.dose_binding import SENTENCE, bound_regimens
from clinic_sim.knowledge.doses import Regimen
from clinic_sim.knowledge.followups import SAFETY_NET, follow_ups
from clinic_sim.knowledge.matcher import Hit
from clinic_sim.knowledge.patterns import Pattern
from clinic_sim.knowledge.text import clean, detect_language, fold
from clinic_sim.knowledge.treatment_lexicon import ancestors, concepts, matcher, name

__all__ = [
    "Dose",
    "Regimen",
    "TreatmentMention",
    "ancestors",
    "concepts",
    "covers",
    "name",
    "plan_words",
    "read_treatment",
    "stands_for",
    "text_overlap",
]

PLAN_LIMIT = 20_000
"""Characters of a plan that are read."""
CLASS_FOR_MEMBER = 0.5
"""Credit where a class is named and one of its members was wanted (`an antibiotic` for ceftriaxone)."""


@dataclass(frozen=True, slots=True)
class Dose:
    """A dose as far as the text gives it."""

    amount: float
    unit: str
    per_kg: bool = False
    route: str = ""
    frequency: str = ""


@dataclass(frozen=True, slots=True)
class TreatmentMention:
    """A treatment that a text names."""

    concept: str
    text: str
    start: int
    end: int
    negated: bool
    """Avoided, stopped or forbidden."""
    dose: Dose | None = None
    """The first dose, in the text's own words."""
    regimens: tuple[Regimen, ...] = ()
    """All doses that the text gives it, ready to be compared: a loading dose, then a daily one."""


_GIVE_EN = "give|use|start|prescribe|administer|take|continue|recommend|offer"
_STOP_EN = (
    rf"(?:do(?:es)? not|don't|should not|must not|cannot|never|not to|no need to)(?: (?:be )?(?:{_GIVE_EN}))?"
    r"|avoid(?:ed|ing|ance of)?|without|no need for|stop(?:ping)?|not (?:recommended|indicated)"
    r"|discontinu(?:e|ing|ation of)|withhold(?:ing)?|forbidden|prohibited"
    r"|hold(?:ing)?(?= )|cease|instead of|contraindicat\w*(?: to| for)?|rather than|allerg(?:y|ic) to|rule out"
    r"|delay(?:ing)?|postpone|hold off(?: on)?|withdraw(?:al of|ing)?|refrain from|defer(?:ring)?|not|no|non(?=-$)"
)
_GIVEN_ZH = (
    "给予|给|使用|应用|选用|服用|口服|静脉(?:滴注|注射|输注)?|静滴|静推|肌肉?注射?|皮下注射|雾化|外用|吸入|继续|再"
)
# A route right after an avoiding word belongs to what is avoided (`避免使用静脉肾上腺素`).
_STOP_ZH = (
    "过敏|停药|停服|换掉|(?:避免|禁用|禁止|禁忌|忌|停用|停止|停(?![经留])|不给予?|不使用|不用|不要|不宜|不应|不可|不能|不得|不必"
    "|不建议|不推荐|不予|勿|别(?=再?[用给])|慎用|推迟|延期|暂缓|暂不|无需|不需要?|未予|暂停|撤除|不再)"
    rf"(?:{_GIVEN_ZH}|用)*"
)
_GO_EN = rf"instead|but|begin|switch(?:ed)? to|replace(?:d)? (?:with|by)|then|until|after|unless|(?:{_GIVE_EN})(?! of)"
_GO_ZH = "改用|改为|换用|换成|给予|而用|可用|但|口服|静滴|静脉|肌注|雾化|外用|继续|先"
# A plan may mix languages, so the words of both are looked for in any text.
_CUE = Pattern(
    rf"\b(?:(?P<stop_en>(?:{_STOP_EN})\b(?:\s*(?:{_GIVEN_ZH}))*)|(?P<go_en>(?:{_GO_EN})\b))"
    rf"|(?P<stop_zh>{_STOP_ZH})|(?P<go_zh>{_GO_ZH})"
)
_AUXILIARY = (
    r"(?:(?:is|are|was|were|should|must|shall|can|may|to|be|being|all|both|also|strictly|absolutely|relatively|"
    r"therefore|currently)\s+)*"
)
_DONE_EN = (
    "indicated|recommended|needed|given|used|advised|started|appropriate|suitable|prescribed|administered|necessary|"
    "required|safe|performed|done|offered|taken"
)
_END_ZH = r"(?=[于因]|(?:史|者)?\s*(?:$|\W))"
_FORBIDDEN_AFTER = Pattern(
    rf"\s*(?:\)\s*)?(?:[(:-]\s*)?{_AUXILIARY}(?:contraindicated(?!\s*:)|avoided|stopped|discontinued|withheld|forbidden|prohibited"
    rf"|deferred|delayed|postponed|(?:not|never|cannot)\s+{_AUXILIARY}(?:{_DONE_EN}))\b"
    r"|\s*(?:\)\s*)?[(:-]\s*avoid(?=\s*(?:[).,;]|$))"
    r"|\s*-?(?:allerg(?:y|ies|ic)|hypersensitivity|anaphylaxis|intolerance)\b"
    r"|\s*(?:\)\s*)?[(:]?\s*(?:类药物?|等药物?|药物|制剂|治疗|等)?\s*[(:]?\s*(?:均|都|也|应当?|须|需|绝对|相对|暂|目前|严格|为)*"
    r"(?:禁用|禁忌|禁止(?:使用)?|停用|避免(?:使用|应用)?|忌用|慎用|过敏|暂缓|推迟|不给予?|不予|不用"
    rf"|不(?:可|应|能|得|要|宜|建议|推荐|考虑)(?:再)?(?:{_GIVEN_ZH}|用)*){_END_ZH}"
)
_NOT_HALTED = Pattern(
    r"(?:\b(?:do(?:es)? not|don't|should not|must not|never|not to|avoid(?:ing)?)(?: (?:give|use))?\s+"
    r"|(?:不要|不可|不能|不得|不应|不宜|避免|勿|别)(?:使用|给予?)?\s*)"
    r"(?:abruptly |suddenly |自行|擅自|随意|突然|骤然)?"
    r"(?:(?:stop(?:ping)?|discontinu(?:e|ing)|withhold(?:ing)?|delay(?:ing)?|postpone)\b"
    r"|停用|停止|停药|停服|推迟|延期|暂停|停)"
)
"""Forbids to stop: what is not to be stopped is given."""
_LISTING = (
    r"and|or|as well as|such as|like|including|especially|e\.?g\.?|for example"
    "|及|和|以及|或|与|等|如|例如|尤其是?|包括"
)
_ONLY_LISTING = Pattern(rf"[\s、/()]*(?:{_LISTING})?[\s、/():]*")
_NEW_CLAUSE = re.compile(
    r",|\b(?:as|because|since|so|while|whereas|which|if|once|when|due to|in case)\b|因为?|由于|如果|若|以便|予(?!以?防)"
)
"""Ends what an avoiding word holds for."""
_AND_MORE = re.compile(r".*,\s*(?:and|or|as well as|及|和|以及|或)\s*(?:an?|the|any|all|other)?\s*", re.DOTALL)
_BACK = re.compile(
    r"\s*(?:(?P<comma>,)|(?:类药物?|等药物|药物|类)?\s*(?P<open>\()|、|/"
    r"|,?\s*(?:and|or)(?: the| any)?|及|和|以及|或|与)\s*"
)
_ALONE = re.compile(r"\s*(?:$|[,.;!?)\n。；])")
"""After a name in a list of names, without dose or purpose of its own."""
_REPLACED = re.compile(r"stop|discontinu|cease|withdraw|停|换掉|过敏|allerg")
"""After these words a bare name behind a comma may be what is given instead."""
_LISTED_ON = re.compile(r"[^.;!?\n，。；]{0,60}?\b(?:and|or)\b")
_DOSE = re.compile(
    r"(?P<amount>\d+(?:\.\d+)?)\s*(?:-\s*\d+(?:\.\d+)?\s*)?"
    r"(?P<unit>mg|g|mcg|µg|ug|μg|ml|l|iu|u|units?|mmol|meq|毫克|克|微克|毫升|单位|片|支|粒)"
    r"(?P<kg>\s*(?:/|per )\s*(?:kg|公斤|千克))?(?![a-z])"
)
_ROUTE = re.compile(
    r"\b(?P<en>iv|po|im|sc|intravenous(?:ly)?|oral(?:ly)?|subcutaneous(?:ly)?|intramuscular(?:ly)?|sublingual(?:ly)?|"
    r"inhaled|nebuli[sz]ed|topical(?:ly)?|rectal(?:ly)?)\b"
    r"|(?P<zh>口服|静滴|静脉滴注|静推|静脉注射|静脉|肌注|肌内注射|皮下注射|舌下含服|吸入|雾化|外用)"
)
_FREQUENCY = Pattern(
    r"\b(?P<en>qd|bid|tid|qid|q\d{1,2}h|prn|stat|nocte|od|(?:once|twice|three times|four times)(?: a day| daily)|daily|"
    r"every \d{1,2} hours|weekly)\b|(?P<zh>每[日天][一二三四\d]次|[一二三四\d]次/[日天d]|每\d{1,2}小时|每晚|顿服)"
)


def read_treatment(text: str) -> tuple[TreatmentMention, ...]:
    """The treatments that a text names, in order; the longest name wins, and a class beside its member stays.

    Names of both languages are found in any text: plans mix them (`静脉滴注 ceftriaxone`).
    """
    return _read(clean(text, PLAN_LIMIT).text)


@lru_cache(maxsize=8_192)
def _read(text: str) -> tuple[TreatmentMention, ...]:
    folded = fold(text)
    hits = _hits(folded)
    forbidden = _forbidden(folded, hits)
    regimens = bound_regimens(folded, hits)
    mentions = []
    for n, hit in enumerate(hits):
        until = hits[n + 1].start if n + 1 < len(hits) else len(folded)
        after = folded[hit.end : min(until, hit.end + 60)]
        mentions.append(
            TreatmentMention(
                hit.ids[0],
                name(hit.ids[0], detect_language(text)) if _FREE in hit.ids else text[hit.start : hit.end],
                hit.start,
                hit.end,
                forbidden[n] and hit.ids[0] != "tx.stop_drug",
                _dose(SENTENCE.split(after, maxsplit=1)[0]),
                regimens[n],
            )
        )
    return tuple(mentions)


_FREE = "free"
"""Marks what was said in free words: it goes by its usual name, as the words found are a part of what was said."""


def _hits(folded: str) -> list[Hit]:
    """Names of both languages; where two overlap, the longer one."""
    found = [*matcher("en").find(folded), *(h for h in matcher("zh").find(folded) if _whole(folded, h))]
    found.sort(key=lambda h: (h.start - h.end, h.start))
    kept: list[Hit] = []
    taken = bytearray(len(folded))
    for hit in found:
        if not any(taken[hit.start : hit.end]):
            taken[hit.start : hit.end] = b"\x01" * (hit.end - hit.start)
            kept.append(hit)
    free = [Hit(start, end, (concept, _FREE)) for start, end, concept in follow_ups(folded)]
    return sorted([*kept, *(hit for hit in free if _adds(hit, kept, taken))])


def _adds(free: Hit, named: list[Hit], taken: bytearray) -> bool:
    """Free words count where no name stands, or beside one that says less: a return for help may be part of a name."""
    if not any(taken[free.start : free.end]) or free.ids[0] == SAFETY_NET:
        return True
    above = ancestors(free.ids[0])
    return all(h.ids[0] in above for h in named if h.start < free.end and free.start < h.end)


def _whole(folded: str, hit: Hit) -> bool:
    """A Latin abbreviation in a Chinese name's list stands as a word of its own (`TAT` is not in `stat`)."""
    before, after = folded[hit.start - 1 : hit.start], folded[hit.end : hit.end + 1]
    cut_before = _letter(before) and _letter(folded[hit.start])
    cut_after = _letter(after) and _letter(folded[hit.end - 1])
    return not cut_before and not cut_after


def _letter(char: str) -> bool:
    return char.isascii() and char.isalpha()


def _forbidden(folded: str, hits: list[Hit]) -> list[bool]:
    """Which of the named treatments are avoided; one pass, so that time stays linear.

    An avoiding word holds for what stands after it, until a giving word, a clause or a sentence ends it. One that
    stands after a list holds for the list before it. Words inside a treatment's own name are no cues.
    """
    found: list[bool] = []
    gaps: list[str] = []
    avoided, listing, replaced, at = False, False, False, 0
    for hit in hits:
        gap = folded[at : hit.start]
        if SENTENCE.search(gap):
            gap, avoided, listing = SENTENCE.split(gap)[-1], False, False
        cues = list(_CUE.finditer(gap))
        if cues:
            avoided = _stops(cues[-1]) and not any(m.end() >= cues[-1].end() for m in _NOT_HALTED.finditer(gap))
            listing = avoided and ":" in gap[cues[-1].end() :]
            replaced = _REPLACED.match(cues[-1].group()) is not None
        elif avoided and not _ONLY_LISTING.fullmatch(gap) and _NEW_CLAUSE.search(gap):
            bare = gap.strip() == ","
            listed = listing or (not replaced and _ALONE.match(folded, hit.end)) or _LISTED_ON.match(folded, hit.end)
            avoided = (bare and bool(listed)) or _AND_MORE.fullmatch(gap) is not None
        after = _FORBIDDEN_AFTER.match(folded, hit.end)
        # Free words have clauses of their own inside: who opens with an avoidance avoids what they say.
        led = _FREE in hit.ids and _LED.match(SENTENCE.split(folded[: hit.start])[-1]) is not None
        found.append(avoided or led or after is not None)
        gaps.append(folded[at : hit.start])
        at = after.end() if after else hit.end
        if after:
            avoided = False
            _forbid_before(gaps, found, bracketed=after.group().lstrip().startswith(")"))
    return found


def _forbid_before(gaps: list[str], found: list[bool], *, bracketed: bool) -> None:
    """What is said after the last item of a list holds for all of it, unless a giving word leads the list.

    What is said behind a bracket holds for what the bracket explains, and for all that stands in it.
    """
    n, joined = len(gaps) - 1, bracketed
    first = n
    while n > 0:
        link = _BACK.fullmatch(gaps[n])
        if link is None or (link["comma"] and not joined) or (link["open"] and not bracketed):
            break
        joined = (joined or not link["comma"]) and not link["open"]
        n -= 1
        if found[n]:
            break
    cues = list(_CUE.finditer(SENTENCE.split(gaps[n])[-1]))
    if not cues or _stops(cues[-1]):
        found[n:first] = [True] * (first - n)


def _stops(cue: re.Match[str]) -> bool:
    return (cue.lastgroup or "").startswith("stop")


_LED = re.compile(
    r"[\s\d.)*-]*(?:avoid\b|(?:do not|don't|never) (?:give|use|start|prescribe)\b|contraindicated"
    r"|避免使用|不要给|禁用|禁忌)"
)
_CLAUSE = re.compile(r"(?:[,;!?\n，。；！？]|\.(?!\d))+")


def plan_words(text: str) -> tuple[str, str]:
    """The words of a plan in two parts: clauses that prescribe, and clauses that avoid, stop or forbid.

    A plan that opens with an avoidance is one until a clause with a giving word.
    """
    return _plan_words(clean(text, PLAN_LIMIT).text)


@lru_cache(maxsize=4_096)
def _plan_words(text: str) -> tuple[str, str]:
    given: list[str] = []
    avoiding: list[str] = []
    for line in text.splitlines():
        led = _LED.match(fold(line)) is not None
        for clause in _CLAUSE.split(line):
            folded = fold(clause)
            mentions = read_treatment(clause)
            cues = {_stops(c) for c in _CUE.finditer(folded)}
            led = led and (True in cues or False not in cues)
            avoids = led or True in cues or (bool(mentions) and all(m.negated for m in mentions))
            (avoiding if avoids else given).append(clause)
    return "\n".join(given), "\n".join(avoiding)


def _dose(after: str) -> Dose | None:
    found = _DOSE.search(after)
    if found is None:
        return None
    route, frequency = _ROUTE.search(after), _FREQUENCY.search(after)
    return Dose(
        float(found["amount"]),
        found["unit"],
        found["kg"] is not None,
        route.group() if route else "",
        frequency.group() if frequency else "",
    )


@lru_cache(maxsize=65_536)
def covers(mention: str, wanted: str) -> float:
    """How far a named treatment is the wanted one.

    Returns:
        1.0 for the same or a member of the wanted class, `CLASS_FOR_MEMBER` where only its class was named, else 0.
    """
    known = concepts()
    if mention == wanted:
        return 1.0
    if mention not in known or wanted not in known:
        return 0.0
    if wanted in ancestors(mention):
        return 1.0
    return CLASS_FOR_MEMBER if mention in ancestors(wanted) else 0.0


SIBLING = 0.5
"""Credit of another medicine of the same narrow class (`rosuvastatin` for atorvastatin)."""
_CHEMICAL_GROUP = 5
"""Characters of an ATC code up to the chemical subgroup, whose members are much alike; those that end in X are the
rest of a group and are not."""


@lru_cache(maxsize=65_536)
def stands_for(mention: str, wanted: str) -> float:
    """How far a prescribed treatment does for the wanted one.

    Returns:
        What `covers` gives; where that is 0, `SIBLING` for another medicine of the same class and of the same chemical
        subgroup of the ATC, else 0.
    """
    found = covers(mention, wanted)
    known = concepts()
    if found or mention not in known or wanted not in known:
        return found
    one, other = known[mention], known[wanted]
    if one.kind != "drug" or other.kind != "drug" or not set(one.parents) & set(other.parents):
        return 0.0
    groups = {code[:_CHEMICAL_GROUP] for code in one.atc if len(code) > _CHEMICAL_GROUP}
    alike = groups & {code[:_CHEMICAL_GROUP] for code in other.atc if len(code) > _CHEMICAL_GROUP}
    return SIBLING if any(not group.endswith("X") for group in alike) else 0.0


_LATIN_WORD = re.compile(r"[a-z]{3,}")
_PLAIN = frozenset(
    {
        *("and", "the", "for", "with", "from", "that", "this", "per", "day", "days"),
        *("daily", "mg", "for", "then", "when", "after", "before", "until", "over", "into", "patient", "therapy"),
        *("treatment", "treat", "give", "given", "use", "used", "start", "continue"),
    }
)


def text_overlap(a: str, b: str, language: str) -> float:
    """Share of the content of `a` that stands in `b`, in [0, 1]: words in English, character pairs in Chinese.

    For treatments that the lexicon does not know.
    """
    left, right = _content(a, language), _content(b, language)
    return len(left & right) / len(left) if left else 0.0


@lru_cache(maxsize=8_192)
def _content(text: str, language: str) -> frozenset[str]:
    folded = fold(clean(text, PLAN_LIMIT).text)
    words = {w.rstrip("s") for w in _LATIN_WORD.findall(folded) if w not in _PLAIN}
    if language == "zh":
        han = re.findall("[\u3400-\u9fff]+", folded)
        words |= {run[i : i + 2] for run in han for i in range(len(run) - 1)}
    return frozenset(words)
