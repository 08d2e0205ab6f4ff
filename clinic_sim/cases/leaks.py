"""The answer-leak lint: does anything that the doctor can see name the reference diagnosis before it is found?

What the patient says, the chief complaint, the names of examinations and the physical findings must not name the
disease. A patient gives it away not only by its name: also by that of a near kind of it (the siblings of its code),
by what another hospital called it, by a component of a compound name (gallstones, where the answer is gallstones with
cholecystitis), and by what only this disease is known by or treated with. `betrays` reads all that; a report of a test
that makes the diagnosis (pathology, imaging, microbiology, ...) may say it, for that is what the test is for, and so
may the history of a relative, whose illness is no diagnosis of the patient's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from clinic_sim.cases.case import Case
from clinic_sim.cases.exams import Exam
from clinic_sim.knowledge import icd10
from clinic_sim.knowledge.concepts import ontology
from clinic_sim.knowledge.diagnoses import names_diagnosis, read_diagnoses, resolve_diagnosis
from clinic_sim.knowledge.exam_catalogue import catalogue
from clinic_sim.knowledge.patterns import Pattern
from clinic_sim.knowledge.scan import Polarity, scan
from clinic_sim.knowledge.text import Language, fold
from clinic_sim.knowledge.topics import Topic

Severity = Literal["leak", "expected", "family"]

_DIAGNOSTIC = {"imaging", "pathology", "laboratory", "procedure", "function"}


@dataclass(frozen=True, slots=True)
class Leak:
    """One place where the reference diagnosis is named."""

    where: str
    """`chief_complaint`, `opening`, the source path of a fact (its id where it has none), or an exam's code or id."""
    form: str
    """The words that name it."""
    severity: Severity
    """`leak`; `expected` in the report of a diagnostic test; `family` where a relative has the disease."""


def lint_case(case: Case) -> tuple[Leak, ...]:
    """Every place of the case that names its primary diagnosis, in the case's order; empty without a diagnosis."""
    if case.diagnosis is None:
        return ()
    answers = (case.diagnosis.primary, *case.diagnosis.acceptable)
    codes = tuple(dict.fromkeys(a.icd10 for a in answers if a.icd10))
    names = tuple(dict.fromkeys(n for a in answers for n in (a.name, *a.names)))

    found: list[Leak] = []

    def look(where: str, text: str | None, severity: Severity = "leak", *, told: bool = False) -> None:
        form = (betrays if told else names_diagnosis)(text, codes, names) if text else None
        if form is not None:
            found.append(Leak(where, form, severity))

    look("chief_complaint", case.chief_complaint)
    look("opening", case.opening)
    for fact in case.facts:
        severity: Severity = "family" if fact.topic is Topic.FAMILY else "leak"
        told = fact.topic not in {Topic.CHIEF_COMPLAINT, Topic.IDENTITY} and fact.polarity is not Polarity.ABSENT
        look(fact.source.path if fact.source else fact.id, f"{fact.statement}\n{fact.words or ''}", severity, told=told)
    for exam in case.exams:
        look(f"{exam.id}.name", exam.name)
        look(exam.id, exam.report, "expected" if _kind(exam) in _DIAGNOSTIC else "leak")
    return tuple(dict.fromkeys(found))


def betrays(text: str, codes: Iterable[str], names: Iterable[str]) -> str | None:
    """The words with which a text of the patient's gives the diagnosis away, None where it does not.

    Args:
        text: What the patient could say.
        codes: ICD-10 codes of the diagnosis.
        names: Its names, in any language.
    """
    codes, names = tuple(codes), tuple(names)
    answer = _answer(codes, names)
    form = names_diagnosis(text, answer.codes, (*names, *answer.parts))
    if form is not None:
        return form
    folded = fold(text)
    for pattern in answer.patterns:
        if match := pattern.search(folded):
            return text[match.start() : match.end()]
    match = _MALIGNANT.search(folded) if answer.malignant and not _WORRY.search(folded) else None
    if match and _same_place(folded, names):
        return text[match.start() : match.end()]
    return next((told for told in _told(text) if _is_answer(told, answer.codes)), None)


@dataclass(frozen=True, slots=True)
class _Answer:
    codes: tuple[str, ...]
    parts: tuple[str, ...]
    patterns: tuple[re.Pattern[str], ...]
    malignant: bool


@lru_cache(maxsize=1_024)
def _answer(codes: tuple[str, ...], names: tuple[str, ...]) -> _Answer:
    near = tuple(dict.fromkeys(c for code in codes for c in (code, *_siblings(code))))
    parts = tuple(dict.fromkeys(p for name in names for p in _parts(name)))
    apart = [re.compile(p) for name in (*names, *parts) if (p := _apart(name))]
    known = [
        pattern
        for first, last, pattern in _KNOWN_BY
        if any(first <= icd10.category(code) <= last for code in codes if icd10.normalise_code(code))
    ]
    return _Answer(near, parts, (*apart, *known), any(code[:1] == "C" or code[:2] == "D0" for code in codes))


def _siblings(code: str) -> Iterator[str]:
    """The other codes of its category; of a code for the rest of a category (`.8`) none, for they differ in kind."""
    known = icd10.normalise_code(code)
    if known is None or known.endswith(".8"):
        return
    category = icd10.category(known)
    for digit in "0123456789":
        other = f"{category}.{digit}"
        if other != known and not other.endswith(".8") and icd10.is_valid(other):
            yield other


_JOINTS_ZH = re.compile(r"伴发?|合?并发?|及|和|、|，|,|导致|引起|所致|\s")
_JOINTS_EN = re.compile(r"\s+(?:with|and|due to|secondary to|complicated by)\s+|[,/]\s*", re.IGNORECASE)
_SURE = 0.8


def _parts(name: str) -> Iterator[str]:
    """The diseases that a compound name is made of: `胆囊结石伴慢性胆囊炎`."""
    chinese = _han(name)
    pieces = [p.strip(" ()（）") for p in (_JOINTS_ZH if chinese else _JOINTS_EN).split(name)]
    if len(pieces) < 2:
        return
    language: Language = "zh" if chinese else "en"
    for piece in pieces:
        if len(piece) < (3 if chinese else 6):
            continue
        found = resolve_diagnosis(piece, language=language, limit=1)
        if found and found[0].score >= _SURE and not found[0].icd10.startswith("R"):
            yield piece


_PROCESS_ZH = Pattern(
    r"(?P<site>[\u4e00-\u9fff]{2,6}?)(?P<process>扩张|结石|狭窄|梗死|梗塞|栓塞|破裂|穿孔|囊肿|肌瘤|息肉|溃疡|骨折|脱位|突出|缺损|闭锁|"
    r"硬化|纤维化|脓肿|血栓|重复|缺如|疝|癌|瘤)(?:症|病)?"
)
_LEADING_ZH = re.compile(r"^(?:急性|慢性|原发性|继发性|先天性|左侧?|右侧?|双侧?|多发性?|单纯性|特发性|复发性)+")


def _apart(name: str) -> str | None:
    """A pattern for a Chinese name whose site and process stand apart: `支气管呈囊状扩张`."""
    match = _PROCESS_ZH.fullmatch(_LEADING_ZH.sub("", name))
    if match is None:
        return None
    reach = 6 if len(match["process"]) > 1 else 3
    return f"{match['site']}[^,。;、\\n]{{0,{reach}}}{match['process']}"


_MALIGNANT = re.compile(
    r"癌|恶性|肉瘤|淋巴瘤|白血病|骨髓瘤|hsil|高级别|上皮内(?:瘤变|病变)|转移瘤"
    r"|\b(?:cancer\w*|\w*carcinoma\w*|malignan\w+|\w*sarcoma\w*|lymphoma\w*|leuk(?:a?)emi\w+|metasta\w+|"
    r"melanoma\w*|myeloma\w*)\b"
)
_WORRY = re.compile(r"担心|害怕|怕|是否|会不会|\bworr|\bafraid|\bfear|\bconcern")


def _same_place(folded: str, names: tuple[str, ...]) -> bool:
    """Whether a malignancy that a text speaks of may be the one of the answer: it names no other part of the body."""
    here = _sites(folded)
    if not here:
        return not re.search(r"\b(?:no|denies|without) (?:\w+ )?history|否认|无.{0,6}史", folded)
    there = frozenset(s for name in names for s in _sites(fold(name)))
    known = ontology()
    return any(a in known.closure(b) or b in known.closure(a) for a in here for b in there)


def _sites(folded: str) -> frozenset[str]:
    mentions = scan(folded, "zh" if _han(folded) else "en").mentions
    known = ontology()
    return frozenset(c for m in mentions for c in known.closure(m.id) if c.startswith("site."))


_TOLD = (
    Pattern(
        r"(?:诊断|确诊|拟诊|印象|考虑|怀疑|疑似|提示|告知|查出|发现|诊为|得了|患了?)(?:为|是|有|[:：])?[“\"‘]?(?P<name>[^，。；“”\"’？?（(]{2,24})"
    ),
    Pattern(
        r"(?:以|按|因)[“\"‘]?(?P<name>[^，。；“”\"’？?]{2,20}?)(?:待查)?[？?]?[”\"’]?(?:收|入院|住院|转|治疗|就诊)"
    ),
    Pattern(r"[“\"](?P<name>[^，。；“”\"？?]{2,24})[？?]?[”\"]"),
    Pattern(
        r"\b(?:diagnosed (?:with|as)|diagnosis of|told (?:that )?(?:he|she|they|i)(?: ha[sd]| have|['’]ve)|suspect\w*|"
        r"concern for|consistent with|suggest\w*(?: of)?|indicative of|treated for|admitted (?:for|with)|confirmed)\s+"
        r"(?:an? |the |having |recent )?(?P<name>[^,.;()]{3,60})",
        re.IGNORECASE,
    ),
)


def _told(text: str) -> Iterator[str]:
    """What a text says that somebody diagnosed."""
    for pattern in _TOLD:
        for match in pattern.finditer(text):
            yield match["name"].strip()


def _is_answer(told: str, codes: tuple[str, ...]) -> bool:
    """Whether a told diagnosis is of the answer's category, or a vague word for its block (stroke for infarction)."""
    for read in read_diagnoses(told, limit=1):
        if not read.matches or read.matches[0].score < _SURE:
            continue
        code = read.matches[0].icd10
        if code.startswith("R"):
            continue
        for answer in codes:
            if not icd10.normalise_code(answer):
                continue
            if icd10.category(code) == icd10.category(answer):
                return True
            if icd10.block(code) == icd10.block(answer) and icd10.is_vague(code):
                return True
    return False


def _words(first: str, last: str, words: str) -> tuple[str, str, re.Pattern[str]]:
    return first, last, re.compile(words)


_KNOWN_BY = (
    _words("A15", "A19", r"抗结核|结核菌素.{0,6}阳性|\banti-?tubercul"),
    _words("B15", "B19", r"乙肝|丙肝|大三阳|小三阳|\bhepatitis [a-e]\b"),
    _words("B20", "B24", r"艾滋|\bhiv\b|\baids\b|抗逆转录"),
    _words("C53", "C53", r"hpv|tct|cin\s?[123ⅰⅱⅲ]|\bhsil\b|\bpap smear\b.{0,20}\babnormal"),
    _words("D50", "D53", r"[“\"]贫血|诊断.{0,4}贫血|以.{0,3}贫血|补铁"),
    _words("E05", "E05", r"甲亢|抗甲状腺|甲巯咪唑|丙硫氧嘧啶|\bhyperthyroid"),
    _words("E10", "E14", r"糖尿病|\bdiabet|胰岛素|降糖"),
    _words("F20", "F29", r"精神分裂|抗精神病|\bschizo"),
    _words("F30", "F33", r"抑郁[症障]|躁郁|双相|\b(?:major )?depressive disorder\b|\bbipolar\b"),
    _words("G20", "G20", r"帕金森|\bparkinson|左旋多巴|多巴丝肼|美多芭"),
    _words("G40", "G41", r"癫痫|抗癫痫|\bepilep|\banticonvuls|\bantiepilep"),
    _words("H25", "H28", r"白内障|\bcataract"),
    _words(
        "I20",
        "I25",
        r"冠心病|冠脉|心绞痛|心肌梗|心梗|支架|搭桥|\bangina\b|\bstents?\b|\bcoronary\b|\bmyocardial infarct"
        r"|\bheart attack",
    ),
    _words("I26", "I26", r"肺栓塞|肺动脉栓塞|\bpulmonary embol"),
    _words("I44", "I49", r"射频|消融|电复律|起搏器|\bablation\b|\bcardioversion\b|\bpacemaker\b"),
    _words("I50", "I50", r"心衰|心力衰竭|心功能不全|\bheart failure\b"),
    _words("I60", "I64", r"脑血管|卒中|中风|脑梗|脑缺血|脑出血|溶栓|取栓|\bstroke\b|\bthrombolysis\b"),
    _words("J12", "J18", r"肺炎|\bpneumonia\b"),
    _words("J44", "J44", r"慢阻肺|肺气肿|\bcopd\b|\bemphysema\b"),
    _words("J45", "J46", r"哮喘|\basthma"),
    _words("K25", "K28", r"(?:胃|十二指肠|消化性).{0,4}溃疡|\bpeptic ulcer"),
    _words("K35", "K37", r"阑尾(?!未见)|\bappendi[xc]"),
    _words("K40", "K46", r"疝|\bherni"),
    _words("K80", "K81", r"胆囊|胆结石|胆石|\bgallstone|\bgallbladder|\bcholecyst"),
    _words("L50", "L50", r"荨麻疹|\burticaria"),
    _words("M05", "M06", r"类风湿|\brheumatoid"),
    _words("M10", "M10", r"痛风|\bgout\b"),
    _words("M32", "M32", r"狼疮|\blupus\b"),
    _words(
        "M50",
        "M54",
        r"椎间盘|椎管狭窄|\b(?:herniated|slipped|bulging) (?:dis[ck])|\bdis[ck] (?:herniation|prolapse|bulge)",
    ),
    _words("N20", "N23", r"(?:肾|输尿管|膀胱|尿路|泌尿系).{0,3}结石|碎石|\bkidney stone|\blithotrips"),
    _words("N80", "N80", r"巧克力囊肿|巧囊|内膜异位|内异症|腺肌[症瘤病]|\bchocolate cyst|\bendometrio(?:ma|sis)"),
    _words("O00", "O00", r"宫外孕|异位妊娠|输卵管妊娠|\bectopic"),
)
"""What the patients of a range of categories know their disease by: its everyday names, and treatments of it alone."""


def _han(text: str) -> bool:
    return any("\u3400" <= c <= "\u9fff" for c in text)


def _kind(exam: Exam) -> str | None:
    if exam.kind:
        return exam.kind
    book = catalogue()
    return book[exam.code].kind if exam.code in book else None
