"""Clinical statements as a patient would say them, by rule: person, negation and frames, in both languages.

Used for facts without words of their own (imported records). The rules only re-word; they add nothing. Where no rule is
safe the statement is said as it stands.
"""

from __future__ import annotations

import re
from functools import lru_cache

_EN_WHO = r"(?:(?:the|this) (?:patient|child|boy|girl|man|woman|infant|baby)|he|she|patient|pt)"
_EN_FRAME = re.compile(
    rf"^{_EN_WHO}(?: also| further| currently)? "
    r"(?:reports?|notes?|states?|mentions?|describes?|complains? of|presents? with|admits(?: to)?|endorses?|says|"
    r"recalls?|experiences?)(?: that| of| having| experiencing)? ",
    re.IGNORECASE,
)
_EN_DENIAL = re.compile(
    rf"^(?:{_EN_WHO}(?: also)? )?"
    r"(?:den(?:y|ies|ied|ying)|negative for|without|no(?: history of| evidence of| complaints? of)?|absence of)"
    r"(?: (?:any|having|experiencing|a history of|history of))* ",
    re.IGNORECASE,
)
_EN_SINCE = re.compile(
    r"^(?:an? |the )?(?P<time>(?:\d+(?:\.\d+)?|one|two|three|four|five|six|several)[- ](?:year|month|week|day|hour)s?)"
    r"[- ](?:long )?history of (?P<what>.+)$",
    re.IGNORECASE,
)
_EN_IDENTITY = re.compile(r"^(?P<age>\d+)[- ](?P<unit>year|month|week|day)s?[- ]old\b.*$", re.IGNORECASE)
_EN_VERB = re.compile(
    r"^(?:(?P<adverb>currently|occasionally|sometimes|usually|often|also|recently|never|rarely) )?"
    r"(?P<verb>works|drinks|smokes|lives|takes|uses|feels|eats|exercises|plays|sleeps|wakes|attends|enjoys|wears|wants|"
    r"worries|thinks|believes|hopes|has|is|was|had|does(?: not|n't))\b",
    re.IGNORECASE,
)
_EN_FIRST = {
    "has": "have",
    "is": "am",
    "was": "was",
    "had": "had",
    "does not": "don't",
    "doesn't": "don't",
    "worries": "worry",
}
_EN_PERSON = tuple(
    (re.compile(pattern, re.IGNORECASE), with_)
    for pattern, with_ in (
        (r"\bthe patient['’]s\b|\b(?:his|her)(?= [a-z])", "my"),
        (r"\bhimself\b|\bherself\b", "myself"),
        (r"\b(?:the patient|he|she) (?:has|does have)\b", "I have"),
        (r"\b(?:the patient|he|she) is\b", "I am"),
        (r"\b(?:the patient|he|she) was\b", "I was"),
        (r"\b(?:the patient|he|she) does(?: not|n't)\b", "I don't"),
        (r"\b(?:the patient|he|she)\b(?P<adverb> \w+ly)? (?P<verb>[a-z]{2,}[a-rt-z])s\b", r"I\g<adverb> \g<verb>"),
        (r"\b(?:the patient|he|she)\b", "I"),
        (r"\bhim\b", "me"),
    )
)
_ZH_FRAME = re.compile(r"^(?:患者|病人|患儿|产妇|孕妇)(?:自述|自诉|诉|主诉|自觉|述)?[，,：:]?")
_ZH_DENIAL = re.compile(r"^(?:否认有?|不伴有?|未见|未出现|未诉|无明显|无|未有)")


@lru_cache(maxsize=16_384)
def speak(statement: str, absent: bool, language: str, own: bool = True) -> str:
    """One statement as it is said.

    Args:
        absent: The fact denies something.
        language: `en` or `zh`.
        own: The patient speaks, in the first person; otherwise somebody speaks of the patient.
    """
    text = statement.strip().rstrip(".。;；,，、")
    return _zh(text, absent, own) if language == "zh" else _en(text, absent, own)


def _en(text: str, absent: bool, own: bool) -> str:
    if absent:
        denied = _EN_DENIAL.match(text)
        if denied:
            return _sentence("No " + (_first_person(text[denied.end() :]) if own else text[denied.end() :]))
    framed = _EN_FRAME.match(text)
    if framed:
        text = text[framed.end() :] or text
    if not own:
        return _sentence(text)
    age = _EN_IDENTITY.match(text)
    if age:
        unit = "" if age["unit"].lower() == "year" else f" {age['unit']}s old"
        return f"I'm {age['age']}{unit}."
    since = _EN_SINCE.match(text)
    if since:
        return _sentence(f"I've had {_first_person(since['what'])} for {_plural(since['time'])}")
    verb = _EN_VERB.match(text)
    if verb:
        spoken = _EN_FIRST.get(verb["verb"].lower()) or verb["verb"].lower().removesuffix("s")
        adverb = f"{verb['adverb'].lower()} " if verb["adverb"] else ""
        return _sentence(f"I {adverb}{spoken}{_first_person(text[verb.end() :])}")
    return _sentence(_first_person(text))


def _plural(time: str) -> str:
    amount, _, unit = re.sub("[- ]", " ", time).partition(" ")
    return f"{amount} {unit.rstrip('s')}" + ("" if amount in ("1", "one") else "s")


def _first_person(text: str) -> str:
    for pattern, with_ in _EN_PERSON:
        text = pattern.sub(with_, text)
    return text


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith(("?", "!")) else ".")


def _zh(text: str, absent: bool, own: bool) -> str:
    text = _ZH_FRAME.sub("", text) or text
    if absent:
        text = _ZH_DENIAL.sub("没有", text)
    return text.replace("患者", "我" if own else "病人").replace("患儿", "孩子") + "。"
