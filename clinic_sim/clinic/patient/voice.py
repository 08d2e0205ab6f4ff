"""Clinical statements as a patient would say them, by rule: person, negation and frames, in both languages.

Used for facts without words of their own (imported records). The rules only re-word; they add nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache

_EN_FRAME = re.compile(
    r"^(?:(?:the|this) )?(?:patient|pt|he|she|mother|father|parents?|child|woman|man|boy|girl)(?: also| further)? "
    r"(?:reports?|notes?|states?|mentions?|describes?|complains? of|presents? with|admits(?: to)?|endorses?|says|"
    r"recalls?|experiences?)(?: that| of| having| experiencing)?(?: an?(?= \d))? ?",
    re.IGNORECASE,
)
_EN_DENIAL = re.compile(
    r"^(?:(?:(?:the|this) )?(?:patient|pt|he|she|child|mother|father|parents?)(?: also)? )?"
    r"(?:den(?:y|ies|ied|ying)|negative for|without|no(?: history of| evidence of| complaints? of)?|absence of)"
    r"(?: (?:any|having|experiencing|a history of|history of))* ",
    re.IGNORECASE,
)
_EN_PERSON = (
    (r"\bthe patient's\b|\bthe patient’s\b|\bhis\b|\bher(?= [a-z])", "my"),
    (r"\bhimself\b|\bherself\b", "myself"),
    (r"\b(?:the patient|he|she) (?:has|does have)\b", "I have"),
    (r"\b(?:the patient|he|she) is\b", "I am"),
    (r"\b(?:the patient|he|she) was\b", "I was"),
    (r"\b(?:the patient|he|she) does(?: not|n't)\b", "I don't"),
    (r"\b(?:the patient|he|she) (?P<verb>[a-z]+?)(?P<s>(?<=[a-z]{2})s)\b", r"I \g<verb>"),
    (r"\b(?:the patient|he|she)\b", "I"),
    (r"\bhim\b", "me"),
)
_EN_PERSON_PATTERNS = tuple((re.compile(p, re.IGNORECASE), r) for p, r in _EN_PERSON)
_ZH_FRAME = re.compile(r"^(?:患者|病人|患儿|产妇|孕妇)(?:自述|自诉|诉|主诉|自觉|述)?[，,：:]?")
_ZH_DENIAL = re.compile(r"^(?:否认有?|不伴有?|未见|未出现|未诉|无明显|无|未有)")


@lru_cache(maxsize=16_384)
def speak(statement: str, absent: bool, language: str) -> str:
    """One statement in the first person.

    Args:
        absent: The fact denies something.
        language: `en` or `zh`.
    """
    text = statement.strip().rstrip(".。;；,，、")
    return _zh(text, absent) if language == "zh" else _en(text, absent)


def _en(text: str, absent: bool) -> str:
    if absent:
        denied = _EN_DENIAL.match(text)
        if denied:
            return _sentence("No " + _first_person(text[denied.end() :]))
    framed = _EN_FRAME.match(text)
    if framed:
        text = text[framed.end() :] or text
    return _sentence(_first_person(text))


def _first_person(text: str) -> str:
    for pattern, with_ in _EN_PERSON_PATTERNS:
        text = pattern.sub(with_, text)
    return text


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith(("?", "!")) else ".")


def _zh(text: str, absent: bool) -> str:
    text = _ZH_FRAME.sub("", text) or text
    if absent:
        text = _ZH_DENIAL.sub("没有", text)
    return text.replace("患者", "我").replace("患儿", "孩子") + "。"
