"""Which names of a disease tell it, and how they are misspelt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

from clinic_sim.clinic.patient.speech.disguise import alike_in_sound
from clinic_sim.clinic.patient.speech.lexicon import mentions
from clinic_sim.clinic.patient.speech.tables import pattern, table, word_list
from clinic_sim.knowledge import diagnosis_text as texts
from clinic_sim.knowledge import diagnosis_words
from clinic_sim.knowledge.patterns import Pattern
from clinic_sim.knowledge.text import fold

HAN = re.compile("[\u3400-\u9fff]")


_MEDICAL = pattern("medical.word")


@cache
def _sounds() -> dict[str, str]:
    return dict(table("homophones.tsv"))


def _homophones(char: str) -> str:
    others = _sounds().get(char)
    return f"[{char}{others}]" if others else re.escape(char)


_LEADING_ZH = re.compile(
    "^(?:急性|慢性|亚急性|原发性?|继发性?|先天性|左侧?|右侧?|双侧?|多发性?|单纯性|特发性|复发性|重症|轻度|中度|重度|早期|晚期|有先兆|无先兆)+"
)


_PATTERN_ZH = Pattern("(?P<what>[\u3400-\u9fff]{2,5}?)弱?证$")
"""A pattern of Chinese medicine: 脾胃虚弱证 is told by 脾胃虚."""


def plain_zh(name: str) -> str:
    """A Chinese name without what says how long, how bad, or which side: what a patient keeps of it."""
    bare = _LEADING_ZH.sub("", name)
    pattern_ = _PATTERN_ZH.match(name)
    if pattern_ is not None:
        return pattern_["what"]
    return bare if len(bare) >= 2 and _tells(bare) else name


_VISCERA = "心肝脾肺肾胃胆"
_ENDS_ZH = frozenset("炎癌瘤症疝痨癣疹癫")
"""With which the names of diseases end."""


def spellings_zh(name: str) -> Iterator[str]:
    """A name, with characters of the same sound, and with one character inside it wrong."""
    if 3 <= len(name) <= 4 and name[-1] in "虚亏寒火热旺" and name[0] in _VISCERA:
        weak = "[虚弱亏]" if name[-1] in "虚亏" else name[-1]
        yield f"[{''.join(c for c in name if c in _VISCERA)}][气阳阴血太很有点都不]{{0,2}}{weak}"
    if len(name) == 2:  # one wrong character, or everyday words would be names
        words = "|".join(sorted(word_list("no.misspelling.zh")))
        first, last = map(_homophones, name)
        yield f"(?!{words})(?:{name[0]}{last}|{first}{name[1]})"
    else:
        yield "".join(map(_homophones, name))
    if len(name) == 3:
        for at, char in enumerate(name):
            alike = alike_in_sound(char)
            if alike:
                yield f"{re.escape(name[:at])}[{alike}]{re.escape(name[at + 1 :])}"
    if len(name) == 3 and name[2] in _ENDS_ZH:
        yield re.escape(name[0]) + r"[^\s\x00-\x7f。的了得个有是]" + name[2]
    if len(name) >= 3 and name[-1] == "炎":
        yield re.escape(name[:-1]) + "病"  # 牙周病
    if len(name) >= 4:
        for at in range(1, len(name) - 1):
            yield re.escape(name[:at]) + r"[^\s\x00-\x7f。]" + re.escape(name[at + 1 :])
        yield r"[的得了着有个\s]{0,2}".join(map(re.escape, (name[:2], name[2:])))


_EPONYM_ZH = Pattern(r"(?P<who>[\u3400-\u9fff]{2,7}?)氏?(?:病|症|综合[征症]|现象|麻痹|淋巴瘤|舞蹈病|甲状腺炎|动脉炎)$")


def eponyms_zh(names: Iterable[str]) -> Iterator[str]:
    """The people in Chinese names: 格雷夫斯 of 格雷夫斯病. They are told by the characters that spell foreign names."""
    spelling = word_list("foreign.names.zh")
    for name in names:
        match = _EPONYM_ZH.match(name)
        if match and (match["who"] in spelling or all(c in spelling for c in match["who"])):
            yield match["who"]


def telling_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names that tell something by themselves."""
    return tuple(n for n in dict.fromkeys(names) if _tells(n))


@cache
def _generic() -> frozenset[str]:
    known = diagnosis_words.words()
    return frozenset(fold(w) for w in (*known.generic_en, *known.generic_zh))


@lru_cache(maxsize=16_384)
def _tells(name: str) -> bool:
    """Whether a name is more than a word for any disease, a part of the body, or what says which sort."""
    folded = fold(name)
    if folded in _generic() or len(folded) < 2:
        return False
    if HAN.search(name):
        return True
    known = texts.weak_words() | texts.site_words() | texts.modifier_words().keys() | _generic()
    return not all(w in known for w in texts.english_words(texts.prepare(name)))


def felt(name: str) -> bool:
    """Whether a name is that of what is felt (low back pain): everybody says it."""
    folded = fold(name)
    found = mentions(name, folded, english=True, chinese=HAN.search(name) is not None)
    return any(m.id.startswith(("sx.", "hx.")) and (m.end - m.start) * 5 >= len(folded) * 3 for m in found) and not any(
        m.id.startswith("dx.") for m in found
    )


_OF_A_PERSON = frozenset(
    {"disease", "syndrome", "tumor", "tumour", "palsy", "thyroiditis", "sarcoma", "contracture", "arteritis"}
)


_TITLED = word_list("before.disease")


def _common(word: str) -> bool:
    """Whether a word is one of the words around names, not a person's."""
    return (
        word in texts.modifier_words()
        or word in texts.weak_words()
        or word in texts.site_words()
        or bool(_MEDICAL.search(word))
    )


_LATIN_ENDING = re.compile(r"(?:[^o]us|um|[^aeiou]is|ae|osum|ella|oides|oma|ax|ans|ensis|asthenia)$")
"""With which the learned words of names end: molluscum, gravis."""
_BETWEEN = frozenset({"of", "the", "and", "with", "in", "due", "to", "by", "for", "a", "an", "at", "its"})


def initials(name: str) -> str:
    """The capitals by which a name of three words or more may go."""
    words = [w for w in re.findall(r"[A-Za-z]+", name) if w.lower() not in _BETWEEN]
    short = "".join(w[0] for w in words).upper() if 3 <= len(words) <= 5 else ""
    return "" if short in word_list("capitals.words") else short


def says_something(word: str) -> bool:
    """Whether an English word of a name is more than which sort, where, or any disease."""
    return not (word in texts.modifier_words() or word in _generic() or word in texts.site_words())


_ANY_PAIR = frozenset(
    [
        "急性",
        "慢性",
        "综合",
        "合征",
        "合症",
        "功能",
        "原发",
        "发性",
        "继发",
        "先天",
        "天性",
        "复发",
        "左侧",
        "右侧",
        "双侧",
        "重症",
        "轻度",
        "中度",
        "重度",
        "早期",
        "晚期",
        "疾病",
        "障碍",
        "感染",
        "伴有",
        "并发",
        "发症",
        "性病",
        "病变",
        "不全",
        "异常",
        "损伤",
        "外伤",
        "出血",
        "疼痛",
        "水肿",
        "肿大",
        "虚弱",
        "证候",
        "儿童",
        "小儿",
        "老年",
        "妊娠",
        "反应",
        "发作",
    ]
)


def telling_pairs(name: str) -> Iterator[str]:
    """The pairs of characters of a Chinese name that say more than which sort of disease."""
    for run in re.findall("[\u3400-\u9fff]+", plain_zh(name)):
        for at in range(len(run) - 1):
            if run[at : at + 2] not in _ANY_PAIR and run[at + 1] not in "性的与和伴":
                yield run[at : at + 2]


def telling_words(names: Iterable[str]) -> Iterator[str]:
    """The single English words of names that tell by themselves: appendicitis, Graves."""
    weak, sites, modifiers = texts.weak_words(), texts.site_words(), texts.modifier_words()
    for name in names:
        raws = re.findall(r"[A-Za-z][a-z'’]+", name)
        for n, raw in enumerate(raws):
            following = raws[n + 1].lower() if n + 1 < len(raws) else ""
            word = raw.lower().removesuffix("'s").removesuffix("’s")
            if (
                len(word) < 4
                or word in modifiers
                or word in weak
                or word in sites
                or texts.canonical(word) in sites | weak
            ):
                continue
            eponym = raw[0].isupper() and (
                (n > 0 and not name.istitle())
                or raw.endswith(("'s", "’s"))
                or (following in _OF_A_PERSON and word not in _TITLED and not _common(word))
            )
            if _MEDICAL.search(word) or eponym or (len(word) >= 8 and _LATIN_ENDING.search(word)):
                yield word
