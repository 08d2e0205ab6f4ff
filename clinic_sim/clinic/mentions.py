"""Mentions: where a free text names a disease, any disease, in either language.

Reading a diagnosis wants to know which code is meant; what may not be said needs only to know that something was
named, before anybody looks at what is true. So a right guess and a wrong one are treated alike: the same table of names
and the same endings of words (`-itis`, `炎`) decide for both, whatever the case's reference is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache

from clinic_sim.knowledge import icd10
from clinic_sim.knowledge.diagnosis_tables import table_forms
from clinic_sim.knowledge.diagnosis_text import canonical, chinese_name, prepare
from clinic_sim.knowledge.diagnosis_words import words
from clinic_sim.knowledge.packed import Packed
from clinic_sim.knowledge.patterns import Pattern

MOST = 4_000
"""Characters that are searched."""
_LONGEST = 7
_NOT_DISEASES = frozenset({"XVIII", "XX", "XXI"})
"""Chapters of symptoms, of causes from outside, and of reasons to be seen."""
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9'’]*")
_HAN_RUN = Pattern(r"[\u3400-\u9fff][\u3400-\u9fffA-Za-z0-9]*")
_ENDINGS = Pattern(
    r"\b(?!(?:diagnos|prognos|necros)is\b|coma\b|aroma\b|stoma\b|diploma\b)[a-z]*(?:[a-z]{3}(?:itis|osis|oses|a?emia|"
    r"opathy|plegia|trophy|ectasis)|[a-z]{2}(?:oma|omas|sclerosis|stenosis|embolism|embolus)|infarct\w*|ischa?emi\w*|cancer\w*|"
    r"tumou?rs?|malignan\w+|syndromes?|thromb\w+|aneurysms?|perforat\w+|ruptured?|haemorrhage|hemorrhage|abscess\w*|"
    r"leuk\w+ia|neoplas\w+|fibrillation|heart (?:attack|failure)|stroke)\b",
    re.IGNORECASE,
)
_ENDINGS_ZH = Pattern(
    r"(?P<name>(?:(?![是为者有得的像疑虑即或和与及跟判断认想说对查患做治排除])[\u3400-\u9fff]){1,8}?"
    r"(?:炎|癌|瘤|梗死|梗塞|栓塞|综合[征症]|衰竭|结核|骨折|结石|溃疡|硬化|血栓|破裂|穿孔|中毒|出血|积水|扭转|妊娠|亢进|减退症?|"
    r"(?<![疾看生发毛疑疫弊得重治何啥么起患成])病(?![史人历情房程区床理因变毒])|症(?!状)))"
)
_FORMAT = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")
_ALIKE = str.maketrans(
    "аеорсухіјѕԁһӏкмтвнАЕОРСХІЈКМТВНαοερτιυνκΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijsdhlkmtbhAEOPCXIJKMTBHaoeptiuvkABEZHIKMNOPTYX",
)


_SPELT = re.compile(r"(?<![A-Za-z0-9])[A-Za-z](?:[ \t.\-_*·,/]{1,3}[A-Za-z](?![A-Za-z0-9])){3,}")
_DOTTED = re.compile(r"(?<![A-Za-z0-9])(?:[A-Z]\.){2,6}")
_APART = Pattern(r"(?<=[\u3400-\u9fff])[ \t.\-_*·~|]+(?=[\u3400-\u9fff])")
_BETWEEN = re.compile(r"[^A-Za-z0-9]+")


@lru_cache(maxsize=256)
def undisguised(text: str) -> str:
    """The text without what hides a word: invisible characters, other alphabets' letters, letters set apart."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _FORMAT.sub("", text)).translate(_ALIKE)
        text = _APART.sub("", text)
    text = _DOTTED.sub(lambda m: m.group().replace(".", ""), text)
    return _SPELT.sub(lambda m: _BETWEEN.sub("", m.group()), text)


def mentions(text: str) -> list[str]:
    """The words of the undisguised text that name a disease, in order."""
    plain = undisguised(text[:MOST])
    return [plain[start:end] for start, end in _spans(plain)]


def redact(text: str, mark: str) -> str:
    """The undisguised text with every disease that it names replaced by a mark."""
    plain = undisguised(text[:MOST])
    parts, at = [], 0
    for start, end in _spans(plain):
        parts += [plain[at:start], mark]
        at = end
    return "".join([*parts, plain[at:]])


def _spans(plain: str) -> list[tuple[int, int]]:
    """Disjoint places of names, in order; overlapping ones are joined."""
    found = sorted([*_english(plain), *_chinese(plain), *(m.span() for m in _ENDINGS.finditer(plain))])
    found = sorted([*found, *(m.span("name") for m in _ENDINGS_ZH.finditer(plain))])
    joined: list[tuple[int, int]] = []
    for start, end in found:
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _english(plain: str) -> Iterator[tuple[int, int]]:
    tokens = [(m.start(), m.end(), m.group()) for m in _WORD.finditer(plain)]
    if not tokens:
        return
    names, abbreviations = _english_names()
    folded = [canonical(t[2].lower().replace("’", "'").removesuffix("'s")) for t in tokens]
    for i, (start, end, word) in enumerate(tokens):
        if word in abbreviations:
            yield start, end
        for length in range(min(_LONGEST, len(tokens) - i), 0, -1):
            if " ".join(folded[i : i + length]) in names:
                yield start, tokens[i + length - 1][1]
                break


def _chinese(plain: str) -> Iterator[tuple[int, int]]:
    automaton = _chinese_names()
    for run in _HAN_RUN.finditer(plain):
        for _, start, end in automaton.find(run.group()):
            yield run.start() + start, run.start() + end


@cache
def _english_names() -> tuple[frozenset[str], frozenset[str]]:
    """Names as canonical words, and abbreviations that count as capitals only."""
    names: dict[str, None] = {}
    abbreviations: dict[str, None] = {}
    common = words().generic_en
    for form in table_forms("en"):
        if icd10.chapter(form.code) in _NOT_DISEASES or form.name in common:
            continue
        if form.name.isupper() and len(form.name) <= 6:
            abbreviations[form.name] = None
            continue
        tokens = [canonical(w.lower().removesuffix("'s")) for w in _WORD.findall(prepare(form.name))]
        if tokens and len(tokens) <= _LONGEST and (len(tokens) > 1 or len(tokens[0]) > 3):
            names[" ".join(tokens)] = None
    return frozenset(names), frozenset(abbreviations)


@cache
def _chinese_names() -> Packed:
    names: dict[str, None] = {}
    common = words().generic_zh
    for form in table_forms("zh"):
        if icd10.chapter(form.code) in _NOT_DISEASES or form.name in common:
            continue
        for name in dict.fromkeys((form.name, chinese_name(prepare(form.name)))):
            if len(name) > 1 and not name.isascii():
                names[name] = None
    return Packed(names)
