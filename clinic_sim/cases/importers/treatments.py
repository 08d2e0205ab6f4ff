"""The course of treatment (诊治经过) into treatment items: only what the text states was given or advised.

A clause yields the treatments that it names; a class beside its own member is that member's purpose and no item of its
own. A clause that gives or performs something which the lexicon does not know becomes an item in its own words, and
masked words (`**片`) stay masked. What was missed, refused or merely examined is no treatment. Records do not rank, so
every item is `recommended`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from clinic_sim.cases.facts import Source
from clinic_sim.cases.importers.base import says_nothing, slug
from clinic_sim.cases.reference import Treatment, TreatmentKind
from clinic_sim.knowledge.text import Language
from clinic_sim.knowledge.treatment_lexicon import ancestors, concepts
from clinic_sim.knowledge.treatments import Dose, TreatmentMention, read_treatment

_CLAUSE = re.compile(r"[^，。；、,;\n]+")
_NOT_DONE = re.compile(
    r"错过|拒绝|未行|未予|不同意|放弃|无[^，。]{0,6}指征|不宜|禁忌|自行停|误诊|refus|declin|"
    r"missed",
    re.IGNORECASE,
)
_EXAMINED = re.compile(
    r"检查|检测|化验|复查(?!时)|完善|CT|MRI|彩超|B超|心电图|镜|提示|显示|[片图]示|发现|确诊|诊断|会诊|查体|病理|回报|体征|好转|稳定|纠正|缓解|出院|入院$|正常|恢复|减轻$|提升|可扶"
)
_OUTCOME = re.compile(r"好转|纠正|稳定|缓解$|恢复|提升|出院|愈合|减轻$|下降$|改善$|正常$")
_GIVEN = re.compile(
    r"^(?:入院后|术后|后|立即|次日|早期|急诊|院前|同时|并|继续|开始|住院\d*天?)*(?:给予|予以?|行|改用|改予|改行|采用|应用|使用|进行|加用|口服|静滴|静脉|皮下|肌注|外用|吸入|实施|在[^，。]{2,16}下行)"
    r"|治疗$|术$|护理|引流|固定|康复|补液|饮食|卧床|吸氧|监测|口服$|滴注$|泵入$"
)
_LEAD = re.compile(
    r"^(?:患者|入院后|术后|后|立即|次日|早期|同时|并|继续|开始|确诊后|定期|\d{1,2}[.、．]\s?)*(?:给予|予以?|改予|进行|实施|采用|应用|使用|加用|行(?=[^为]))?"
)
_MASKED = re.compile(r"\*{2,}")

_KINDS = {k.value: k for k in TreatmentKind}


def read_course(path: str, text: str, language: Language = "zh") -> tuple[Treatment, ...]:
    """The treatment items that a course states, in its order."""
    if says_nothing(text):
        return ()
    # Offsets of mentions count from the first printed character.
    text = text.strip()
    items: list[Treatment] = []
    seen: set[str] = set()
    mentions = [m for m in read_treatment(text) if not m.negated]
    going = False  # inside a list of what was given
    for start, end in _clauses(text):
        words = text[start:end].strip()
        inside = [m for m in mentions if start <= m.start < end]
        listed = start > 0 and text[start - 1] in "、," and going
        going = False
        if _NOT_DONE.search(words) or _OUTCOME.search(words):
            continue
        if inside:
            going = True
            own = _specific(inside)
            for mention in own:
                if mention.concept not in seen:
                    seen.add(mention.concept)
                    items.append(_known(mention, words, path, len(items), single=len(own) == 1))
        elif (
            _MASKED.search(words)
            or (_GIVEN.search(words) and not _EXAMINED.search(_LEAD.sub("", words)))
            or (listed and len(words) <= 12 and not _EXAMINED.search(words))
        ):
            name = _LEAD.sub("", words).strip(" 。") or words
            going = True
            if name not in seen and len(name) >= 2:
                seen.add(name)
                items.append(_unknown(name, words, path, len(items)))
    return tuple(items)


def _clauses(text: str) -> Iterator[tuple[int, int]]:
    for match in _CLAUSE.finditer(text):
        if match.group().strip():
            yield match.start(), match.end()


def _specific(mentions: list[TreatmentMention]) -> list[TreatmentMention]:
    """Without the classes of which another mention of the clause is a member."""
    above = {a for m in mentions for a in ancestors(m.concept)}
    return [m for m in mentions if m.concept not in above]


def _known(mention: TreatmentMention, words: str, path: str, number: int, *, single: bool) -> Treatment:
    kind = _KINDS.get(concepts()[mention.concept].kind, TreatmentKind.NON_DRUG)
    # The whole clause says more (`双侧甲状腺大部切除术`), unless it names several treatments.
    name = _LEAD.sub("", words).strip(" 。") if single and len(words) <= 30 else mention.text
    return Treatment(
        id=_id(mention.concept, number),
        name=name or mention.text,
        kind=kind,
        concepts=(mention.concept,),
        dose=_dose(mention.dose),
        source=Source(path=path, words=words),
    )


def _unknown(name: str, words: str, path: str, number: int) -> Treatment:
    if re.search(r"术$|手术|切除|引流|插管|穿刺|固定", name):
        kind = TreatmentKind.PROCEDURE
    elif re.search(r"饮食|禁食", name):
        kind = TreatmentKind.DIET
    elif re.search(r"监测|观察|监护", name):
        kind = TreatmentKind.MONITORING
    elif _MASKED.search(name) or re.search(r"口服|静滴|滴注|注射|[片剂液丸]$", name):
        kind = TreatmentKind.DRUG
    else:
        kind = TreatmentKind.NON_DRUG
    return Treatment(id=_id(name, number), name=name, kind=kind, source=Source(path=path, words=words))


def _id(text: str, number: int) -> str:
    return f"t{number + 1:02d}_{slug(text.replace('.', '_'), 40)}"


def _dose(dose: Dose | None) -> str:
    if dose is None:
        return ""
    amount = f"{dose.amount:g} {dose.unit}{'/kg' if dose.per_kg else ''}"
    return " ".join(p for p in (amount, dose.route, dose.frequency) if p)
