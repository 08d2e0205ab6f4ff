"""Physical findings in free text, sorted by body system: `查体` sections and unstructured examination paragraphs.

Headings vary from record to record and many records have none, so that a clause is sorted by what it speaks of; one
that names no system belongs to the one before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from clinic_sim.cases.importers.outlines import parse_outline


@dataclass(frozen=True, slots=True)
class System:
    """One part of the physical examination: its names, best first, and the words that belong to it."""

    key: str
    names_en: tuple[str, ...]
    names_zh: tuple[str, ...]
    words: re.Pattern[str]

    def names(self, language: str) -> tuple[str, ...]:
        """Its names in one language, best first."""
        return self.names_zh if language == "zh" else self.names_en


def _system(key: str, en: str, zh: str, words: str) -> System:
    return System(key, tuple(en.split("|")), tuple(zh.split("|")), re.compile(words, re.IGNORECASE))


SYSTEMS = (
    _system(
        "vital_signs",
        "vital signs",
        "生命体征",
        r"体温|脉搏\s?\d|(?<!高)血压|呼吸\s?\d|心[率律]\s?\d{2,3}\s?次|血氧|生命体?征|(?<![A-Za-z0-9])(?:T|P|R|BP|HR|RR|"
        r"SpO2)\s?[:：]?\s?\d{2}"
        r"|\b(?:temperature|blood pressure|heart rate|pulse|respirat\w+ rate|oxygen saturation|vital signs)\b",
    ),
    _system("breast", "breast examination", "乳房检查|乳腺检查", r"乳[房腺头]|\bbreasts?\b|\bnipples?\b"),
    _system(
        "neuro",
        "neurological examination",
        "神经系统检查|神经系统查体",
        r"肌力|肌张力|腱?反射|病理(?:性)?(?:征|反射)|巴[氏宾彬]|[Bb]abinski|脑膜刺激|[Kk]ernig|克[尼氏]|布鲁|颅神经|脑神经|共济|深感觉|浅感觉|感觉(?:减|正|障|对)"
        r"|神经系统|指鼻|闭目难立|口角歪斜|伸舌(?:居中|偏|不偏|中正)|鼻唇沟"
        r"|\b(?:reflex\w*|cranial nerves?|motor strength|sensation|sensory|gait|coordination|neuro\w*|babinski)\b",
    ),
    _system(
        "eye",
        "eye examination|ophthalmologic examination",
        "眼科检查|眼部检查",
        r"视力|眼压|眼底|眼位|眼球|角膜|晶状体|结膜|巩膜|瞳孔|对光反[射应]|眼[睑部]|复视|\b(?:pupils?|fundosc\w+|visual|conjunctiv\w*|"
        r"sclera\w*|eyes?)\b",
    ),
    _system(
        "skin",
        "skin examination",
        "皮肤黏膜检查|皮肤检查",
        r"皮肤|皮疹|瘀[点斑]|淤[点斑]|出血点|蜘蛛痣|皮下|毛发|出血征|贫血[貌征]|(?:无|未见|全身)黄染|黏膜无|黏膜苍白|\b(?:skin|rash|petechiae|purpura|"
        r"lesions?)\b",
    ),
    _system("lymph", "lymph node examination", "淋巴结检查|浅表淋巴结", r"淋巴结|\blymph\w*\b"),
    _system(
        "genital_rectal",
        "genital examination|rectal examination",
        "肛门及外生殖器检查|直肠指检|外生殖器检查",
        r"肛门|生殖器|直肠|阴囊|睾丸|阴茎|宫颈|阴道|子宫|附件|妇科检查|\b(?:genital\w*|rectal|scrot\w+|testic\w+|pelvic|vagin\w+|"
        r"cervi(?:x|cal os))\b",
    ),
    _system(
        "heart_lung",
        "heart and lung examination",
        "心肺检查",
        r"心肺",
    ),
    _system(
        "heart",
        "cardiovascular examination|heart examination",
        "心脏检查|心脏听诊",
        r"心前区|心尖|心界|心音|心律|心率|心脏|心浊音|律齐|杂音|瓣膜|奔马律|P2|A2|\b(?:heart|cardiac|murmurs?|gallop|rhythm)\b",
    ),
    _system(
        "chest",
        "chest examination|respiratory examination|lung examination",
        "胸部检查|肺部检查|肺部听诊",
        r"胸廓|胸壁|胸骨|胸部|双?肺|呼吸音|啰音|罗音|语颤|胸膜|呼吸动度|呼吸运动|三凹征|\b(?:lungs?|chest|breath "
        r"sounds|crackles|wheez\w*|rales|"
        r"respirat\w+)\b",
    ),
    _system(
        "abdomen",
        "abdominal examination",
        "腹部检查|腹部查体",
        r"腹|肝|脾|肠鸣|移动性浊音|墨菲|[Mm]urphy|麦氏|反跳痛|肌紧张|肠型|胃型|包块|肾区|\b(?:abdom\w*|bowel "
        r"sounds|liver|spleen|hepato\w*|"
        r"rebound)\b",
    ),
    _system(
        "neck",
        "neck examination",
        "颈部检查",
        r"颈|气管|甲状腺|\b(?:neck|thyroid|trachea|jugular)\b",
    ),
    _system(
        "ent",
        "ear nose and throat examination|oral examination",
        "耳鼻喉检查|口腔检查|咽部检查",
        r"耳|鼻|口唇|口腔|咽|扁桃体|齿|牙|喉|唇|\b(?:ears?|nose|throat|oral|pharyn\w+|tonsil\w*|mouth|tongue)\b",
    ),
    _system(
        "tongue_pulse",
        "tongue and pulse examination",
        "舌脉|舌象脉象",
        r"舌[淡红暗质苔体边尖胖紫]|苔[白黄腻薄厚]|脉[象弦滑细濡沉浮数弱涩缓]",
    ),
    _system(
        "limbs",
        "extremities examination|musculoskeletal examination",
        "脊柱四肢检查|四肢检查",
        r"脊柱|四肢|关节|上肢|下肢|杵状|腰椎|肢体|[浮水]肿|足背|\b(?:extremit\w+|joints?|limbs?|spine|edema|"
        r"range of motion)\b",
    ),
    _system(
        "head", "head examination", "头部检查|头颅检查", r"头[颅部形]|颅骨|面部|囟门|\b(?:head|face|fontanelle|scalp)\b"
    ),
    _system(
        "general",
        "general appearance|general examination",
        "一般情况|一般检查",
        r"发育|营养|神志|神清|意识|精神|面容|体位|步态|合作|一般情况|体型|表情|反应|语利|推入|生长|\b(?:alert|oriented|distress|appearance|appears|"
        r"well-developed|cooperative)\b",
    ),
)
_BY_KEY = {s.key: s for s in SYSTEMS}
_CLAUSE = re.compile(r"[^，。；;\n]+[，。；;\n]*")
_CLAUSE_EN = re.compile(r"[^.;\n]+[.;\n]*")

_FINDING = re.compile(
    r"未闻及|未触及|未扪及|未引出|叩诊|听诊|触诊|查体|反跳痛|律齐|肠鸣音|移动性浊音|啰音|罗音|杂音|对光反[射应]|巴[氏宾彬]|病理征|压痛"
    r"|扁桃体|巩膜无|气管居中|颈软|伸舌|语颤|胸廓|心尖搏动|浅表淋巴结|口唇.?(?:发绀|紫绀)|舌[淡红暗质苔胖][^头]|苔[白黄腻薄厚]|脉[弦滑细濡沉浮数弱涩缓]"
    r"|(?<!生长)发育正常|神清语利|查体合作|桡动脉|四肢活动|贫血征|出血征|阳性体征|三凹征"
    r"|征\s?(?:[（(]?[+＋\-－±]|阳性|阴性)|[Mm]urphy|McBurney|墨菲"
    r"|\b(?:(?:up)?on (?:[\w-]+ ){0,3}exam(?:ination)?|during (?:the |her |his )?(?:physical )?exam(?:ination)?|"
    r"(?:physical |neurolog\w+ |pelvic |rectal |fundoscop\w+ |mental status )exam(?:ination)? (?:shows?|showed|"
    r"reveals?|revealed|is|was|"
    r"demonstrates?|findings?)|(?:up)?on (?:palpation|auscultation|percussion|inspection|fundoscopy)|"
    r"tenderness to palpation|tender to palpation|to palpation\b(?! by)|rebound tenderness|passive (?:movement|"
    r"motion|range)|"
    r"murmur (?:is |was )?heard|grade \d/6|heard (?:best )?(?:at|over) the|auscultation|palpation reveals|"
    r"oriented to (?:time|person|place)|"
    r"reacts? sluggishly|fontanelle|lymphadenopathy is noted|conjugate back and forth)\b",
    re.IGNORECASE,
)
_MEASURED = re.compile(
    r"^(?:体温|血压|心率|脉搏|呼吸)[:：]?\s?\d|^(?:生命征[:：]?\s?)?(?:BP|P|R|T)\s?[:：]?\s?\d{2,3}"
    r"|\b(?:vital signs (?:are|were|within|stable)|(?:pulse|respirations?|heart rate|blood pressure) (?:is|are|"
    r"was) \d)",
    re.IGNORECASE,
)


def sort_findings(text: str, language: str) -> list[tuple[System, str, str]]:
    """The findings of a text by system, in the order of first mention: system, words, heading of the source if any."""
    found: dict[str, list[str]] = {}
    headings: dict[str, str] = {}
    for node in parse_outline(text):
        heading = node.label
        by_label = _first(heading) if heading else None
        if by_label and by_label.key != "vital_signs" and len(heading) <= 16:
            found.setdefault(by_label.key, []).append(node.words())
            headings.setdefault(by_label.key, heading)
            continue
        words = f"{heading}：{node.words()}" if heading else node.words()
        current: System | None = None
        for clause in (_CLAUSE if language == "zh" else _CLAUSE_EN).findall(words):
            own = _first(clause)
            if own is None or (current and own.key in {"general", "limbs"} and current.words.search(clause)):
                own = current or own or _BY_KEY["general"]
            # Tenderness, swelling and the like belong to the region just spoken of.
            current = own
            found.setdefault(own.key, []).append(clause.strip())
    return [(_BY_KEY[k], _joined(v, language), headings.get(k, "")) for k, v in found.items()]


_VITALS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("体温", re.compile(r"(?:体温|(?<![A-Za-z])T)\s?[:：]?\s?(\d{2}(?:\.\d+)?\s?(?:°\s?C|℃|度)?)", re.IGNORECASE)),
    ("血压", re.compile(r"(?:血压|BP)\s?[:：]?\s?(\d{2,3}\s?/\s?\d{2,3}\s?(?:mm\s?Hg)?)", re.IGNORECASE)),
    (
        "心率",
        re.compile(
            r"(?:心[率律]|脉搏|(?<![A-Za-z])(?:P|HR))\s?[:：]?\s?(\d{2,3}\s?次?\s?[/／]?\s?(?:分钟?|"
            r"min)?)",
            re.IGNORECASE,
        ),
    ),
    (
        "呼吸频率",
        re.compile(
            r"(?:呼吸|(?<![A-Za-z])RR?)\s?[:：]?\s?(\d{1,3}\s?次?\s?[/／]?\s?(?:分钟?|"
            r"min)?)",
            re.IGNORECASE,
        ),
    ),
    ("血氧饱和度", re.compile(r"(?:血氧饱和度|SpO2|SaO2)\s?[:：]?\s?(\d{2,3}\s?%)", re.IGNORECASE)),
)


def read_vitals(text: str) -> list[tuple[str, str]]:
    """The vital signs that a Chinese run of them gives, name and words; empty where none has a number."""
    found = []
    for name, pattern in _VITALS:
        if match := pattern.search(text):
            found.append((name, match[1].strip()))
    return found


def is_finding(clause: str, *, vitals: bool = True) -> bool:
    """Whether a clause of a history is an examiner's finding, which no patient would tell; `vitals`: or a
    measured vital sign."""
    return bool(_FINDING.search(clause) or (vitals and _MEASURED.search(clause.strip())))


_STRONG = re.compile(r"肌力|肌张力|感觉(?:减|正|障)|\bmotor strength\b|\breflexes\b", re.IGNORECASE)
"""Words that decide for the nervous system, wherever in the body the clause begins."""


def _first(text: str) -> System | None:
    if _STRONG.search(text):
        return _BY_KEY["neuro"]
    best: tuple[int, int, System] | None = None
    for rank, system in enumerate(SYSTEMS):
        match = system.words.search(text)
        if match and (best is None or (match.start(), rank) < best[:2]):
            best = (match.start(), rank, system)
    return best[2] if best else None


def _joined(parts: list[str], language: str) -> str:
    if language == "zh":
        text = "".join(p if p[-1:] in "，。；;,、" else f"{p}，" for p in parts if p)
    else:
        text = " ".join(parts)
    return text.strip().rstrip("，,；;")
