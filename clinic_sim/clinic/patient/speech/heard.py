"""Words with all that is found in them, and what a name found in them stands for."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache

from clinic_sim.clinic.patient.speech.hearing import Speech, hear
from clinic_sim.clinic.patient.speech.lexicon import CLAIM, PLAIN, contrasts, mentions
from clinic_sim.clinic.patient.speech.quantities import quantities
from clinic_sim.clinic.patient.speech.quantity import Quantity
from clinic_sim.clinic.patient.speech.tables import pattern, word_list
from clinic_sim.knowledge import icd10, treatment_lexicon
from clinic_sim.knowledge.concepts import ontology
from clinic_sim.knowledge.patterns import Pattern
from clinic_sim.knowledge.scan import Mention
from clinic_sim.knowledge.text import stem

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+(?:\.\d+)?")


_HAN_RUN = re.compile("[\u3400-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Heard:
    """Words with all that is found in them."""

    speech: Speech
    mentions: tuple[Mention, ...]
    contrasts: tuple[Mention, ...]
    quantities: tuple[Quantity, ...]


def listen(text: str, *, record: bool = False) -> Heard:
    """Everything that words name and give; the words of a `record` are read as clinical ones."""
    speech = hear(text)
    found = mentions(speech.text, speech.folded, english=speech.english, chinese=speech.chinese, record=record)
    values: list[Mention] = []
    if speech.english:
        values += [
            Mention(start, end, id_)
            for start, end, ids in contrasts("en").find(speech.folded)
            for id_ in ids
            if id_ != PLAIN and speech.folded[start:end] != "whites"  # they are of the eyes
        ]
    if speech.chinese:
        values += [Mention(s, e, i) for s, e, ids in contrasts("zh").find(speech.folded) for i in ids]
    values += _sides(speech.folded, found, values)
    if speech.chinese:
        found = [m for m in found if not _idle_zh(m, speech.folded, record)]
        values = list(_effects(values, speech))
    numbers = quantities(speech.folded, english=speech.english, chinese=speech.chinese)
    return Heard(speech, tuple(found), tuple(values), tuple(numbers))


def overhear(text: str) -> Heard:
    """What words name, and nothing else of them: a question needs no more to be answered to."""
    speech = hear(text)
    found = mentions(speech.text, speech.folded, english=speech.english, chinese=speech.chinese)
    if speech.chinese:
        found = [m for m in found if not _idle_zh(m, speech.folded, False)]
    return Heard(speech, tuple(found), (), ())


_SIDE = Pattern(
    r"\b(?P<en>left|right)(?:[- ](?:hand|sided?|ring|index|middle|little|big|great"
    r"|whole|entire|upper|lower|inner|outer|front"
    r"|lateral|medial|dorsal|anterior|posterior"
    r"|of|my|the)){0,3}[- ]$"
    r"|(?P<zh>[左右])(?:侧|边|半)?(?:的)?$"
)
_BARE_SIDE = re.compile(r"\bthe (?P<side>left|right)(?=[,.;!?]|$| (?:is|was|and|but|first|mostly|only|mainly)\b)")
_SIDE_REACH = 24


def _sides(folded: str, found: list[Mention], known: list[Mention]) -> list[Mention]:
    """Sides said right before a part of the body or a complaint, where no form of the table has them."""
    sides: dict[int, Mention] = {
        m.start("side"): Mention(m.start("side"), m.end(), f"side={m['side']}") for m in _BARE_SIDE.finditer(folded)
    }
    for mention in found:
        if not mention.id.startswith(("site.", "sx.")):
            continue
        match = _SIDE.search(folded, max(0, mention.start - _SIDE_REACH), mention.start)
        if match is None or any(v.start <= match.start() < v.end for v in known if v.id.startswith("side=")):
            continue
        side = match["en"] or ("left" if match["zh"] == "左" else "right")
        sides[match.start()] = Mention(match.start(), mention.end, f"side={side}")
    return list(sides.values())


_SIGH = re.compile(r"(?:^|[\s。!?….,~])咳(?=[,!~….。\s])")
_DRAWN = Pattern(r"[抽验查采化输][了过个]?血|血[^,。;!?]{0,4}[抽验查]")
_BLEEDS = Pattern(r"[出流有见带吐咳尿便拉淌渗滴冒喷呕是含掺和擦止丝][^,。;!?]{0,3}$")
_BLOOD = re.compile(r"[丝块点迹水珠印糊淋呼止流多少]|色")
_BLOOD_WORDS = ("脂", "压", "糖", "型", "管", "常", "小", "色", "氧", "检")
"""What makes another word of the blood before it."""
_UNCOLOURED = re.compile("[明清坦直表告眼]$")
_LIKENED = re.compile(r"(?:跟|像|好像|如同)[^,。;!?]{0,7}$")
_SO = re.compile(r"[^,。;!?]{0,4}(?:似的|一样|一般|那样)")
_EXERTED = re.compile("[跑疯玩累热干闹跳走打][^,。;!?]{0,4}$")
_LYING = frozenset({"躺平", "平躺", "躺下", "平卧", "躺着"})
_IN_FLUID = re.compile(r"(?:痰|尿|便|唾沫|鼻涕|奶)[^,。;!?]{0,5}$")
_NO_BLOOD = re.compile("(?:也|都|倒|是)*(?:没|不)")
_SPITS = re.compile(r"吐(?:出来|出|的|了|了?口)?[^,。;!?]{0,6}痰")


def _idle_zh(mention: Mention, folded: str, record: bool) -> bool:
    """Whether a word is none of a complaint: 咳 as a sigh, 吐 of phlegm."""
    word = folded[mention.start : mention.end]
    if word == "咳":
        return _SIGH.match(folded, max(0, mention.start - 1)) is not None
    if record:
        return False
    if word[-1] == "血" and folded[mention.end : mention.end + 1] in _BLOOD_WORDS:
        return True  # 查出 血脂高
    if mention.id == "sx.orthopnea" and word in _LYING:
        return True  # how one lies, not that one cannot
    near = folded[max(0, mention.start - 4) : mention.end + 4]
    if "该" in near and near.count(word) > 1:
        return True  # 该吃吃, 该放屁放屁: as ever
    if mention.id == "sx.sweating" and _EXERTED.search(folded, max(0, mention.start - 6), mention.start):
        return True
    if mention.id == "sx.redness":
        return _IN_FLUID.search(folded, max(0, mention.start - 8), mention.start) is not None
    if len(word) == 3 and word[0] == word[2] and word[1] == "不":
        return True
    around = folded[max(0, mention.start - 2) : mention.end + 2]
    if len(word) == 1 and f"{word}不{word}" in around:
        return True  # 疼不疼 asks
    if (
        word == "血"
        and mention.id == "sx.bleeding"
        and not _NO_BLOOD.match(folded, mention.end)
        and not (_BLEEDS.search(folded, max(0, mention.start - 4), mention.start) or _BLOOD.match(folded, mention.end))
    ):
        return True  # 高血丫, 输别人的血
    if word == "血":
        return _DRAWN.search(folded[max(0, mention.start - 3) : mention.end + 6]) is not None
    if word[0] == "吐" and mention.id == "sx.vomiting":
        clause = folded[max(folded.rfind(c, 0, mention.start) for c in ",.;!?。") + 1 : mention.start]
        earlier = folded[max(0, mention.start - 14) : mention.start]
        return "痰" in clause or ("痰" in earlier and "会" in clause) or _SPITS.match(folded, mention.start) is not None
    likened = _LIKENED.search(folded, max(0, mention.start - 8), mention.start)
    return (
        mention.id.startswith(("sx.", "claim.", "drug.", "hx."))
        and likened is not None
        and _SO.match(folded, mention.end) is not None
    )


def _effects(values: list[Mention], speech: Speech) -> Iterator[Mention]:
    """Effects with their denials: 没管用 is no help, and what did not get better is not better."""
    for value in values:
        if value.id.startswith("colour=") and _UNCOLOURED.search(speech.folded, max(0, value.start - 1), value.start):
            continue  # 明白的
        if value.id not in ("help=yes", "course=better"):
            yield value
            continue
        begin = next((b for b, until in speech.denials if b <= value.start < until), None)
        if begin is None:
            yield value
        elif value.id == "help=yes":
            yield Mention(begin - 1, value.end, "help=no")


_LONG_WORD = re.compile("[a-z]{6,}")


def beginning(word: str) -> str:
    """What a long word shares with its kin of other endings: infected, infection, infectious."""
    return f"^{word[:5]}" if len(word) > 5 else ""


def stems_of(folded: str) -> set[str]:
    """The stems of the English words, the beginnings of the long ones, and the pairs of Chinese characters."""
    found = {stem(w) if w[0].isalpha() else w for w in _WORD.findall(folded)}
    found.update([beginning(w) for w in _LONG_WORD.findall(folded)])
    for run in _HAN_RUN.findall(folded):
        found.update(run[i : i + 2] for i in range(len(run) - 1))
    return found


def name_of(id_: str) -> str:
    """The concept that a mention's id stands for."""
    return id_.removeprefix(CLAIM)


@lru_cache(maxsize=16_384)
def widened(id_: str) -> frozenset[str]:
    """An id with everything that it implies."""
    id_ = name_of(id_)
    known = ontology()
    if id_ in known.concepts:
        return known.closure(id_)
    kind, _, rest = id_.partition(":")
    if kind == "tx":
        return frozenset({id_, *(f"tx:{a}" for a in treatment_lexicon.ancestors(rest))})
    if kind == "icd":
        return frozenset({id_, f"icd:{icd10.category(rest)}"})
    return frozenset({id_})


_NEGATIVE = re.compile(r"never |no |non|not |do(?:es)?n't |do(?:es)? not |[不无没未](?!.{0,2}戒)")


def negative(mention: Mention, folded: str) -> bool:
    """Whether the words of a habit or a history deny it by themselves: "never smoked"."""
    return name_of(mention.id).startswith("hx.") and _NEGATIVE.match(folded, mention.start) is not None


_SENTENCE = re.compile(r"[.!?;。\n]+(?!\d)")


def sentences_of(folded: str) -> list[str]:
    """The sentences of folded words without their marks."""
    return [s for part in _SENTENCE.split(folded) if (s := part.strip(" ,、:"))]


_MODIFIERS = frozenset(
    {"attr.cold", "attr.food", "attr.rest", "attr.exertion", "attr.position", "attr.breathing", "attr.emotion"}
)


_JOINED = re.compile(r" (?:and|but|then|while|whereas) ")
_WORSE = pattern("worse")


_BETTER = pattern("better")


_NOT_WAY = pattern("not.so")
_UNHELPED = pattern("unhelped")


def directions(heard: Heard) -> list[tuple[str, str, int, int]]:
    """What makes a complaint better or worse: the modifier, the way, and where the modifier stands."""
    speech = heard.speech
    found = []
    meals = [v for v in heard.contrasts if v.id.startswith("meals=")]
    for mention in (*heard.mentions, *meals):
        if mention.id not in _MODIFIERS and not mention.id.startswith("meals="):
            continue
        if mention.id == "attr.food" and any(v.start < mention.end and mention.start < v.end for v in meals):
            continue  # on an empty stomach is not by eating
        left = max(speech.folded.rfind(c, 0, mention.start) for c in ",.;!?。、\n") + 1
        ends = [at for c in ",.;!?。、\n" if (at := speech.folded.find(c, mention.end)) >= 0]
        right = min(ends, default=len(speech.folded))
        if speech.english:
            parts = [m.span() for m in _JOINED.finditer(speech.folded, left, right)]
            near_left = max((b for _, b in parts if b <= mention.start), default=left)
            near_right = min((a for a, _ in parts if a >= mention.end), default=right)
            near = speech.folded[near_left:near_right]
            if _WORSE.search(near) or _BETTER.search(near):
                left, right = near_left, near_right
            elif (near_left, near_right) != (left, right):
                continue  # what is said beyond the "and" may be of something else
        clause = speech.folded[left:right]
        worse, better = _WORSE.search(clause), _BETTER.search(clause)
        if worse is None and _UNHELPED.search(clause):
            found.append((mention.id, "unhelped", mention.start, mention.end))
            continue
        if (worse is None) == (better is None) or _NOT_WAY.search(clause):
            continue
        found.append((mention.id, "worse" if worse else "better", mention.start, mention.end))
    return found


_EMPTY = frozenset(map(stem, word_list("empty")))


def content(stems: Collection[str]) -> set[str]:
    """Without the words that carry nothing, and without mere beginnings of words."""
    return {s for s in stems if s[0] != "^"} - _EMPTY
