"""Splits what says two things: an affirmed finding with a denied one, a denial with its exception.

One fact has one polarity. A negative word that belongs to a positive finding (`absent reflexes`, `does not improve`,
`non-healing`, `生活没有意义`) makes no denial.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from clinic_sim.cases.facts import Polarity
from clinic_sim.knowledge.scan import scan
from clinic_sim.knowledge.text import Language, fold


@dataclass(frozen=True, slots=True)
class Half:
    """One of the things that a clause says: the source's words, and a statement where they do not stand alone."""

    words: str
    polarity: Polarity
    statement: str = ""


_POSITIVE_EN = re.compile(
    r"\b\w+-negative\b|\bnon-?(?!smok|drink|user)[a-z]{4,}|\bnot? longer\b"
    r"|^absent\b(?! of)|\babsent\s+(?:[\w-]+\s+){0,2}(?:reflex\w*|pulses?|menses|menstruation|periods?|sounds?|"
    r"sensation)"
    r"|\babsence of (?:menses|menstruation|periods?|reflexes|speech|tears|sweating|breath)\w*"
    r"|\black of (?:energy|appetite|sleep|interest|motivation|concentration|coordination|pleasure|emotion|eye contact)"
    r"|\b(?:no|without(?: any| much)?|little|never had(?: any)?) (?:significant |noticeable |complete |real )?"
    r"(?:relief|improvement|response|benefits?|alleviation|resolution|appetite(?! change| loss)|energy|interest|desire|"
    r"success|pleasure|motivation)\b"
    r"|\b(?:does|do|did|has|have|had|is|are|was|were)(?: not|n['’]t) (?:been |being )?(?:completely |fully |"
    r"significantly |"
    r"well )?(?:improv\w*|resolv\w*|reliev\w*|reliv\w*|alleviat\w*|help\w*|respond\w*|heal\w*|subsid\w*|go(?:ne)? away|"
    r"get(?:ting)? better|better|blanch\w*|gain\w*|sleep\w*|recover\w*|been (?:feeding|eating|sleeping) well|"
    r"(?:had )?(?:the |any |much )?energy|able\b|oriented|meeting|noticed (?:any )?(?:significant )?"
    r"(?:benefits?|improvement))"
    r"|\bnot (?:relieved|improved|improving|responsive|responding|resolving|healing|oriented|able|eating|"
    r"sleeping|feeling|"
    r"breathing|controlled|compliant|adherent|meeting|taking (?:his|her|their) medic\w+|well[- ]controlled)"
    r"|\bunable\b|\bcannot\b|\bcan['’]?t\b|\binability\b|\bnothing (?:helps|relieves|makes it better)\b"
    r"|\bno matter\b|\bnot only\b|\bnever (?:feels?|felt) (?:rested|well)\b",
    re.IGNORECASE,
)
_POSITIVE_ZH = re.compile(
    r"(?:仍|均|但|亦|也)?(?:无|未见?|没有?|不)(?:见|能|曾)?(?:明显|显著|完全|任何|太大)?(?:改善|缓解|好转|减轻|奏效|治愈|愈合|消退|恢复|效果?(?![^，。]*药))"
    r"|没有?(?:食欲|精神|力气|胃口|意义|希望|价值|信心|兴趣)|不规[律则]|无规律|不(?:愿|想|能|敢|易|清|稳|适|足|佳|良|振|畅|全|成形|满意|消化)"
    r"|无(?:力|法|精打采|助|望|意间|意中|痛性|明显诱因|诱因|故)"
)
_FINITE_EN = re.compile(
    r"\b(?:is|are|was|were|has|have|had|remains|appears|seems|enjoys|lives|takes|seeks|began|started|"
    r"developed|became|drinks|smokes|uses|attends|plays)\b|^works\b",
    re.IGNORECASE,
)
_DEPENDENT_EN = re.compile(r"\b(?:that|which|whom?|whose|where|when|if|while|as|since|how|what|than)\b", re.IGNORECASE)
_DENIES_EN = (
    r"(?:(?:he|she|it|they|the \w+)\s+)?(?:denie[sd]\b|(?:does|did|do|has|have|had|is|was|are|were)(?: not|n['’]t)\b|"
    r"(?:has|have|had|reports?|reported|with) no\b|never\b|no\b(?! longer)|without\b|not\b)"
)
_SEAM_EN = re.compile(
    rf",?\s+(?:and|but|yet|although|though|however)\s+(?={_DENIES_EN})|,\s+(?=(?:with no|without|no)\b)"
    r"|\s+(?=without\s+(?:any\s+|associated\s+|accompanying\s+)?\w)|\s+(?=with no\s+(?!longer))",
    re.IGNORECASE,
)
_TURN_EN = re.compile(
    r",?\s+(?:but|however)\s+(?!not\b|no\b|denie|without\b|never\b|nor\b)"
    r"|,?\s+(?:and|although|though|while)\s+(?=(?:he|she|it|they|the \w+|his|her|their)\s+(?:\w+\s+)?"
    r"(?:is|are|was|were|has|have|had|reports?|notes?|takes?|drinks?|smokes?|enjoys?|lives?|works?)\b(?! not|"
    r"n['’]t| no\b))",
    re.IGNORECASE,
)
_KEEPS_WITHOUT_EN = re.compile(
    r"(?:without|with no)\s+(?:any\s+|significant\s+|much\s+|further\s+|apparent\s+)*"
    r"(?:complicat\w*|difficult\w*|success|improvement|relief|assistance|help|incident|warning|\w+ing\b|prior|"
    r"provocation|effort|"
    r"treatment|protection|support|effect|benefits?|change|alleviation|known cause|cause|contrast|reason|"
    r"intention|concerns?|"
    r"precipitat\w*|provo\w*|trigger\w*|response|resolution|interruption|sequelae)",
    re.IGNORECASE,
)
_EXCEPT_EN = re.compile(
    r"\s*[,(]?\s*\b(?:apart from|except(?:ing)?(?: for| that)?|other than|aside from|besides|with the exception of)\s+"
    r"(?:noted\s+|for\s+)?",
    re.IGNORECASE,
)
_REFERS_EN = re.compile(
    r"(?:in|as|those|what|when)\b.*\b(?:history|noted|above|described|mentioned|stated)\b|(?:as|those|the ones?)\b"
    r"|.*\b(?:described|mentioned|noted|stated) ?(?:above|previously|earlier)?$",
    re.IGNORECASE,
)
_PREPOSITION_EN = re.compile(
    r"(?:with|during|after|when|while|on|at|in|upon|before|occasional(?:ly)?)\b", re.IGNORECASE
)
_LEAD_EN = re.compile(
    r"^(?:(?:the )?(?:patient|he|she|they)\s+)?(?:has\s+|had\s+|reports?\s+|there (?:is|are|was|were)\s+)?"
    r"(?P<neg>no|denie[sd]|without)\s+(?:any\s+)?",
    re.IGNORECASE,
)
_WELL_EN = re.compile(
    r"\b(?:unremarkable|normal|healthy|negative|benign|well|noncontributory|"
    r"insignificant)\b",
    re.IGNORECASE,
)
_EXCEPT_ZH = re.compile(r"^除(?:了)?(?P<what>[^，。；]{2,20}?)(?:以?外|之外)[，,]?")
_NEG_ZH = r"(?:无|否认|没有|不伴|未(?:诉|见|出现|伴|觉|再|予|行|经|做|就|治|监测|常规))"
_INNER_ZH = re.compile(
    r"(?<=[\u4e00-\u9fff]{2})(?=(?:但)?(?:未|无|不伴)(?!明显诱因|诱因|力|法|名|关|意|故|助|望|经|婚|孕))"
)
_LATER_ZH = re.compile(
    r"[，,]\s*(?=(?:但|而|亦|也|均)?(?:无|否认|没有|不伴|未(?:诉|见|出现|伴|觉|再|予|行|经|做|就|治)))"
)
_FOUND_ZH = re.compile(
    r"(?<=[\u4e00-\u9fff]{2})[，,]\s*(?=[\d一二两三四五六七八九十数]+余?个?[年月周天]前(?:体检)?(?:发现|诊断|查出|确诊))"
)
_AFFIRMS_ZH = re.compile(
    r"\d|正常|规律|规则|良好|尚可|[^不]可|健康?$|自行|[^没未]有|出现|量[少多]|[^不]能|较|一般|平卧|好转|缓解|间断|偶|戒|时|后"
)
_HABITS_ZH = re.compile(
    r"(?P<neg>无|否认|从?不|没有|从未)?(?P<has>有)?(?:任何)?(?:"
    r"(?P<smoke>吸烟|抽烟|嗜烟)\s*[、,，及和与或/]?\s*(?P<drink>饮酒|喝酒|酗酒|嗜酒|饮|酒)|烟\s*[、及和与]?\s*酒)(?P<tail>等?(?:不良)?(?:嗜好|史|习惯|等)?)"
)


def sober(words: str, polarity: Polarity, language: Language) -> Polarity | None:
    """The polarity of words with a negative word that denies nothing; None where the reading so far stands."""
    if polarity is Polarity.UNKNOWN:
        return None
    if language == "zh":
        bare = _POSITIVE_ZH.sub("", words)
        if bare != words and not re.search(r"否认|[无未没](?!有?成)", bare):
            return Polarity.PRESENT
        if polarity is Polarity.ABSENT and not re.search("[无未不没否非]", words) and _STATE_ZH.search(words):
            return Polarity.PRESENT
        return None
    bare = _POSITIVE_EN.sub(" ", _WHEN_EN.sub("", words))
    if bare != words:
        return Polarity.ABSENT if _NEGATION_EN.search(bare) else Polarity.PRESENT
    if polarity is Polarity.ABSENT and not _NEGATION_EN.search(words) and stands_alone(words):
        return Polarity.PRESENT
    return None


_NEGATION_EN = re.compile(
    r"\b(?:no|not|denie[sd]|denying|without|never|none|nor|neither|negative|non-?smok\w+|non-?drink\w+)\b|n['’]t\b",
    re.IGNORECASE,
)
_STATE_ZH = re.compile(r"(?:规律|规则|正常|良好|尚可|如常|健康|体健|为主)$")


_WHEN_EN = re.compile(r"^(?:when(?:ever)?|although|though|while|if|because|since|despite)\b[^,]*,\s*", re.IGNORECASE)
"""A clause of time or reason: what it denies is not what the sentence denies."""


def stands_alone(words: str) -> bool:
    """Whether an English clause has a subject and a verb of its own, so that no denial before it reaches it."""
    verb = _FINITE_EN.search(words)
    if verb is None:
        return False
    before = words[: verb.start()].strip()
    if not before:
        return not re.match(r"(?:have|had)\b", words, re.IGNORECASE)
    return not _DEPENDENT_EN.search(before)


def halves(words: str, polarity: Polarity, language: Language) -> list[Half]:
    """What a clause says, each with its own polarity; the clause itself where it says one thing."""
    return _halves_zh(words, polarity) if language == "zh" else _halves_en(words, polarity)


def _halves_en(words: str, polarity: Polarity) -> list[Half]:
    exception = _EXCEPT_EN.search(words)
    if exception and (polarity is Polarity.ABSENT or _WELL_EN.search(words[: exception.start()])):
        return _with_exception(words, polarity, exception)
    if polarity is not Polarity.UNKNOWN:
        for seam in _SEAM_EN.finditer(words):
            left, right = words[: seam.start()].strip(" ,"), words[seam.end() :].strip(" ,")
            if _splits_en(left, right):
                denied = re.sub(r"^(?:with|and|but)\s+", "", right, flags=re.IGNORECASE)
                denied = re.sub(r"^without\s+(?:any\s+)?", "no ", denied, flags=re.IGNORECASE)
                return [Half(left, Polarity.PRESENT), Half(right, Polarity.ABSENT, denied)]
    if polarity is Polarity.ABSENT and (turn := _TURN_EN.search(words)):
        left, right = words[: turn.start()].strip(" ,"), words[turn.end() :].strip(" ,")
        if len(left) > 5 and len(right) > 5 and not _NEGATION_EN.search(_POSITIVE_EN.sub(" ", right)):
            return [Half(left, Polarity.ABSENT), Half(right, Polarity.PRESENT)]
    return [Half(words, polarity)]


def _splits_en(left: str, right: str) -> bool:
    if len(left.split()) < 2 or len(right.split()) < 2 or _KEEPS_WITHOUT_EN.match(right):
        return False
    if _NEGATION_EN.search(_POSITIVE_EN.sub(" ", left)) or sober(right, Polarity.ABSENT, "en") is Polarity.PRESENT:
        return False
    if right.lower().startswith(("without", "with no")):
        return any(m.id.startswith(("sx.", "dx.", "hx.")) for m in scan(fold(right), "en").mentions)
    return True


def _with_exception(words: str, polarity: Polarity, found: re.Match[str]) -> list[Half]:
    before, after = words[: found.start()].strip(" ,("), words[found.end() :].strip(" ,.")
    if after.count(")") > after.count("("):
        after = after.rstrip(") ")
    if before and _REFERS_EN.fullmatch(after):
        return [Half(before, polarity)]
    if len(after) < 3:
        return [Half(before or words, polarity)]
    lead = _LEAD_EN.match(before)
    what = before[lead.end() :] if lead else before
    bound = bool(_PREPOSITION_EN.match(after) and what) and polarity is Polarity.ABSENT
    told = f"{what} {after}" if bound else after
    told = re.sub(r"^(?:a|an|the|his|her|their|some|mild(?=ly))\s+", "", told, flags=re.IGNORECASE)
    present = Half(words, Polarity.PRESENT, told)
    if not before:
        return [present]
    if polarity is not Polarity.ABSENT:
        return [Half(before, polarity), present]
    what = re.sub(r"^(?:other|known)\s+", "", what)
    denied = f"{lead['neg'].lower()} other {what}" if lead else f"denies other {what}"
    return [present, Half(before, Polarity.ABSENT, denied)]


def _halves_zh(words: str, polarity: Polarity) -> list[Half]:
    if habits := _habits(words, polarity):
        return habits
    if except_ := _EXCEPT_ZH.match(words):
        rest = words[except_.end() :].strip("，, ")
        told = Half(words, Polarity.PRESENT, except_["what"])
        return [told, Half(rest, Polarity.ABSENT)] if re.match(_NEG_ZH, rest) else [Half(words, Polarity.PRESENT)]
    if polarity is Polarity.ABSENT:
        parts = re.split(r"[，,]", words)
        first = next((n for n, p in enumerate(parts) if re.search(_NEG_ZH + "|不", p)), None)
        if first is not None:
            at = sum(len(p) + 1 for p in parts[: first + 1])
            for part in parts[first + 1 :]:
                own = part.strip()
                if len(own) >= 2 and not re.search("[无未不没否]", own) and _AFFIRMS_ZH.search(own):
                    rest = words[at:].strip("，, ")
                    return [Half(words[: at - 1].strip("，, "), Polarity.ABSENT), *_halves_zh(rest, Polarity.PRESENT)]
                at += len(part) + 1
        care = re.search(r"[，,]\s*(?=未(?:予|行|经|做|就|治|系统|正规|进一步))", words)
        if care and re.match(_NEG_ZH, words) and _carries(words[: care.start()]):
            return [
                Half(words[: care.start()], Polarity.ABSENT),
                Half(words[care.end() :].strip(), Polarity.ABSENT),
            ]
        return [Half(words, polarity)]
    if polarity is Polarity.PRESENT:
        return _affirmed_zh(words)
    return [Half(words, polarity)]


def _affirmed_zh(words: str) -> list[Half]:
    if found := _FOUND_ZH.search(words):
        return [h for part in (words[: found.start()], words[found.end() :]) for h in _affirmed_zh(part.strip())]
    if "“" in words:
        return [Half(words, Polarity.PRESENT)]
    for seam in _LATER_ZH.finditer(words):
        left, right = words[: seam.start()].strip("，, "), words[seam.end() :].strip("，, ")
        if len(left) < 2 or len(right) < 2 or sober(right, Polarity.ABSENT, "zh") is Polarity.PRESENT:
            continue
        if re.search(r"[(（][^)）]*$", left) or re.match(r"(?:无|未见)(?:明显|特殊)?(?:异常|变化)", right):
            continue
        subject = _subject(left) if not _carries(right) else ""
        statement = f"{subject}{right}" if subject and not right.startswith(subject) else ""
        return [Half(left, Polarity.PRESENT), *_denied(right, statement)]
    for seam in _INNER_ZH.finditer(words):
        left, right = words[: seam.start()].strip("，, "), words[seam.start() :].strip("，, ")
        if "，" in right or "（" in words or not (_finds(left) and _finds(right)):
            continue
        if sober(right, Polarity.ABSENT, "zh") is Polarity.PRESENT or re.search("[后时前]$", left):
            continue
        return [Half(left, Polarity.PRESENT), Half(right, Polarity.ABSENT)]
    return [Half(words, Polarity.PRESENT)]


def _denied(right: str, statement: str) -> list[Half]:
    more = _halves_zh(right, Polarity.ABSENT)
    if statement and len(more) == 1:
        return [Half(right, Polarity.ABSENT, statement)]
    return more


def _habits(words: str, polarity: Polarity) -> list[Half]:
    """Smoking and drinking in one word (`无烟酒嗜好`, `不吸烟饮酒`) as the two habits that they are."""
    match = _HABITS_ZH.search(words)
    if match is None or match.start() > 4 or re.search(r"家|父|母", words[: match.start()]):
        return []
    rest = words[match.end() :].strip("，, 。")
    denied = polarity is Polarity.ABSENT or bool(match["neg"])
    mark = match["neg"] or ("无" if denied else "有")
    tail = (match["tail"] or "").replace("等", "").replace("不良", "") or ("" if mark.endswith("不") else "史")
    if mark == "从未":
        tail = ""
    kind = Polarity.ABSENT if denied else Polarity.PRESENT
    if not denied and not match["tail"]:
        # `吸烟饮酒20年` tells how much of both: the words stay together with each habit.
        both = words[: match.end()]
        return [
            Half(words, kind, words.replace(both, f"{words[: match.start()]}{habit}")) for habit in ("吸烟", "饮酒")
        ]
    found = [Half(words, kind, f"{mark}吸烟{tail}"), Half(words, kind, f"{mark}饮酒{tail}")]
    if len(rest) >= 2 and not rest.startswith("等"):
        found.extend(_halves_zh(rest, Polarity.ABSENT if re.match(_NEG_ZH, rest) else Polarity.PRESENT))
    return found


def _carries(words: str) -> bool:
    return any(m.id.startswith(("sx.", "dx.", "hx.")) for m in scan(fold(words), "zh").mentions)


def _finds(words: str) -> bool:
    return any(m.id.startswith("sx.") for m in scan(fold(words), "zh").mentions)


def _subject(words: str) -> str:
    """The noun that a Chinese clause begins with: what `白带量少，色白，无异味` is about."""
    mentions = scan(fold(words), "zh").mentions
    first = next((m for m in mentions if m.start == 0 and m.end <= 4), None)
    return words[: first.end] if first else ""
