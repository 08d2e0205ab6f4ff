"""Joins what the clause reader cut too far: halves that mean nothing alone, and the lines of one outside result.

Works on the offsets of a field's text, so that a fact's words stay verbatim. Nothing is joined over the end of a
sentence.
"""

from __future__ import annotations

import re

from clinic_sim.cases.facts import Polarity
from clinic_sim.cases.importers.spoken import unframed
from clinic_sim.knowledge.clauses import polarity_of
from clinic_sim.knowledge.scan import Scan, scan
from clinic_sim.knowledge.text import Language, fold

Span = tuple[int, int, Polarity]

_END = re.compile(r"[.。；;!?！？\n]")
_ADJECTIVE = (
    r"(?:non-(?!smok|drink|user)[a-z]+|(?:[a-z]+(?:ful|ous|ish|less|some)|swollen|red|tender|warm|itchy|crusty|"
    r"scaly|greasy|dry|moist|dull|"
    r"sharp|hard|soft|firm|small|large|thick|thin|mild|severe|chronic|acute|raised|reddened|pruritic|ulcerated|"
    r"blistered|"
    r"aggressive|irritable|withdrawn|pale|bloody|watery|foul-smelling|productive))"
)
_HALF_EN = re.compile(
    r"(?:^|\s)(?:(?:a|an|some|increasingly|progressively|very|extremely|appears?|looks?|becom\w+)\s+(?:[a-z]+ly\s+)?"
    rf"{_ADJECTIVE}(?:,?\s+{_ADJECTIVE})*"
    r"|(?:changes?|difficult(?:y|ies)|problems?|trouble|issues?|abnormalit\w+)\s+(?:in|of|with)\s+(?:his\s+|"
    r"her\s+|the\s+)?"
    r"(?:bowel|bladder|urinary|menstrual|visual|auditory|sleep|eating|skin|upper|lower)"
    r"|(?:of|in|with|for|on|to|from|by|the|a|an|his|her|their|during|including|such as|into|between))$",
    re.IGNORECASE,
)
_PAIR_EN = re.compile(
    r"(?:the|his|her)\s+\w+|(?:\w+\s+){0,2}(?:no|any)\s+(?:significant\s+)?(?:family|personal|past|prior|known|"
    r"significant)(?:\s+medical)?",
    re.IGNORECASE,
)
_TROUBLE_EN = re.compile(
    r"\b(?:trouble|difficulty|difficulties|problems?|is|are|while|when|by|during|after)\s+(?:with\s+|in\s+)?\w+ing$",
    re.IGNORECASE,
)
_OPENING_EN = re.compile(
    r"(?:and |but )?(?:despite|although|though|while|when|whenever|after|during|because|if|upon|following|before|"
    r"due to|given|as soon as|whereas|even though)\b[^,]*$",
    re.IGNORECASE,
)
_CLOSING_EN = re.compile(
    r"(?:and |or |but )?(?:when(?:ever)?|while|if|because|until|especially|"
    r"particularly)\b",
    re.IGNORECASE,
)
_TAIL_OF_SITES = re.compile(r"\s*(?:$|,|\b(?:that|which|who|with|and|or|for|since|over|after|when)\b)", re.IGNORECASE)

_FRAGMENT_ZH = re.compile(r"(?=.*\d)[\d\s.,，×x*^/／～~\-–—+%％℃°()（）<>≤≥A-Za-zμµ个]+")
_RESULT_ZH = re.compile(
    r"(?:查|检|化验|完善|行|做|测|[Cc][Tt]|MRI?|B超|[彩B]超|超声|心电图|常规|镜|X线|胸片|造影|病理|活检|TCT|HPV|HCG|脑电图|生化|"
    r"肝功|肾功|检查)[^，。；]{0,24}(?:[:：]|示|提示|显示|发现|回报|未见|可见|\d|[(（][+＋])"
)
_TEST_ZH = re.compile(
    r"[Cc][Tt]|MRI?|[彩B]超|超声|心电图|常规|镜|X线|胸片|造影|病理|活检|TCT|HPV|HCG|脑电图|生化|肝功|肾功|化验|血糖|抗体|标志物"
)
_LINE_ZH = re.compile(
    r"\d\s*(?:[×x*]10|个|%|％|g|mg|mmol|ng|μ|u|U|fl|pg|mm|cm|次)|影|灶|密度|增[大强厚高粗]|结节|占位|积液|回声|暗区|包块|肿物|扩张|狭窄|"
    r"阻塞|梗阻|钙化|未见|阳性|阴性|异常|正常|淋巴结|计数|体积|浓度|细胞|蛋白|血小板|[(（]大小|提示|考虑|[+＋]|缺血|梗[死塞]"
)
_ANEW_ZH = re.compile(
    r"(?:遂|今|现|为[求进了行明]|故|后(?!前)|予|给|行|并|建议|门诊|急诊|就诊|治疗|口服|静|患[者儿]|病程|自|发病|不伴|伴|症状|经|"
    r"未(?!见)|拟|以[“\"]|上述|此后|其后|于|转|入院|出院|医[生师]|目前|近|仍|好转|缓解|诊断|当地|服|收|住|[半一二两三四五六七八九十\d]+[天月年周小个]"
    r"|无(?!明显异常|异常|特殊异常))"
)
_GIVEN_ZH = re.compile(r"予|服|静[脉滴点]|注射|输液|用药|治疗")
_DOSE_ZH = re.compile(
    r"[“\"]?[^，。；、]{1,20}[”\"]?\s*(?:[(（][^)）]*[)）]?)?\s*(?:每[次日天]|\d+(?:\.\d+)?\s*(?:mg|g|ml|μg|片|粒|支|万|丸|袋|次))[^，。；]*"
    r"|(?:静[脉滴点]|口服|输液|肌[肉内]?注)[^，。；]{0,12}"
)
_PURPOSE_ZH = re.compile(r"(?:患者)?(?:今|现)?为[求进了行明](?![^，。]*[就来入收][诊院我住])[^，。]{1,14}")
_SETS_OUT_ZH = re.compile(r"(?:后|逐渐|突然)?(?:出现|发生|突发|感到|发现)")
_DENIES_ZH = re.compile(r"(?:否认|无|没有)")


def join(text: str, spans: list[Span], language: Language) -> list[Span]:
    """The spans with those joined that only mean something together."""
    joined: list[Span] = []
    for start, end, polarity in spans:
        if not joined:
            joined.append((start, end, polarity))
            continue
        before = joined[-1]
        between = text[before[1] : start]
        carried = language == "zh" and between.strip() in {"；", ";"} and is_result(text[before[0] : before[1]])
        if carried or not _END.search(between):
            left, right = text[before[0] : before[1]], text[start:end]
            if language == "zh":
                verdict = _zh(left, between, right, polarity)
            else:
                verdict = polarity_of(text[before[0] : end], "en") if _en(left, between, right) else None
            if verdict is not None:
                joined[-1] = (before[0], end, Polarity(verdict.value))
                continue
            if language == "zh" and (cut := _bare_site(left, between)):
                # `无胸痛，无皮肤 | 、巩膜黄染`: what is denied of the skin stands after the next site.
                joined[-1] = (before[0], before[0] + cut, before[2])
                start = before[0] + cut + 1
        joined.append((start, end, polarity))
    return joined


def is_result(words: str) -> bool:
    """Whether a Chinese clause tells the result of a test done elsewhere."""
    return bool(_TEST_ZH.search(words) and _RESULT_ZH.search(words))


def _en(left: str, between: str, right: str) -> bool:
    mark = between.strip().lower()
    bare = unframed(left, "en")
    if mark in {"and", "or"} and (_PAIR_EN.fullmatch(bare) or _PAIR_EN.fullmatch(left)):
        return True
    if _HALF_EN.search(left) or (_TROUBLE_EN.search(left) and re.match(r"\w+ing\b", right)):
        return True
    if mark == "," and _OPENING_EN.match(bare):
        return True
    return bool(_CLOSING_EN.match(right)) or _more_sites(left, right)


def _more_sites(left: str, right: str) -> bool:
    """Whether a list of body sites goes on: `pain in the toe, hips | and knees that worsens`."""
    before, after = _read(left, "en"), _read(right, "en")
    if not before.mentions or not after.mentions or re.search(r"\bno\b|\bden", left):
        return False
    last, first = before.mentions[-1], after.mentions[0]
    lead = re.match(r"(?:and |or |the |his |her |both |left |right )*", right)
    ends = last.id.startswith("site.") and last.end >= len(left.rstrip()) - 1
    begins = first.id.startswith("site.") and lead is not None and first.start <= lead.end()
    finds = any(m.id.startswith(("sx.", "dx.")) for m in before.mentions)
    return bool(ends and begins and finds and _TAIL_OF_SITES.match(right, first.end))


def _zh(left: str, between: str, right: str, polarity: Polarity) -> Polarity | None:
    """The polarity of both together, None where they stand apart."""
    mark = between.strip()
    quoted = left.count("“") > left.count("”") and not _DENIES_ZH.match(left.lstrip("“”"))
    if quoted and (mark == "、" or "”" in right) and not _ANEW_ZH.match(right):
        return Polarity.PRESENT
    if _PURPOSE_ZH.fullmatch(left) and re.match(r"(?:患[者儿])?(?:遂|现|今|来|就|入|收|至|转|到|门诊)", right):
        return Polarity.PRESENT
    if _FRAGMENT_ZH.fullmatch(right) and not re.search(r"[GP]\d", right):
        return Polarity.PRESENT if not _DENIES_ZH.match(left) else Polarity.ABSENT
    if is_result(left) and not _ANEW_ZH.match(right) and (_LINE_ZH.search(right) or _TEST_ZH.search(right)):
        return Polarity.PRESENT
    if _GIVEN_ZH.search(left) and _DOSE_ZH.fullmatch(right) and mark in {"、", "，", ",", "及", "和", "", "联合"}:
        return Polarity.PRESENT
    if mark in {"，", ",", ""} and _SETS_OUT_ZH.match(right) and len(left) < 26 and _only_a_setting(left):
        return polarity
    return None


def _only_a_setting(words: str) -> bool:
    if _DENIES_ZH.match(words) or not re.search(r"前|后|因|于|时|今|来", words):
        return False
    return not any(m.id.startswith("sx.") for m in _read(words, "zh").mentions)


def _bare_site(left: str, between: str) -> int:
    """Where the last part of a list of denials begins, if it names but a body site; 0 otherwise."""
    if between.strip() not in {"、", "及", "和", "与", "或"}:
        return 0
    comma = max(left.rfind("，"), left.rfind(","))
    last = left[comma + 1 :].strip()
    if comma <= 0 or not _DENIES_ZH.match(last) or len(last) > 8:
        return 0
    mentions = _read(last, "zh").mentions
    bare = bool(mentions) and all(m.id.startswith("site.") for m in mentions)
    return comma if bare else 0


def _read(words: str, language: Language) -> Scan:
    return scan(fold(words), language)
