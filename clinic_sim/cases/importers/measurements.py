"""Reads measured values out of the words of a result: name, value, unit and reference range, English and Chinese.

Only what stands there is read. A value that is words (`elevated`, `4+`, `12-16`) stays words; a range is taken only
where the text says that it is one.
"""

from __future__ import annotations

import re

from clinic_sim.cases.exams import Measurement

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_UNIT = (
    r"(?:[×xX*]\s?10\s?[\^*]?\s?[-−]?\d{1,2}\s?/\s?[A-Za-zμµ]{1,2}|%|‰|°\s?[CF]|[℃℉]"
    r"|/\s?[μµu]?[A-Za-z]{1,4}\^?[³3]?|个/\s?[A-Za-zμµ]+|次/分钟?|分钟?|秒|岁"
    r"|cells?/\s?[A-Za-zμµ]+\^?[³3]?|breaths?(?:/| per )min(?:ute)?|beats?(?:/| per )min(?:ute)?"
    r"|mm\s?Hg|cm\s?H2?O|mm(?:/(?:hr?|hour))?(?![A-Za-z])"
    r"|[A-Za-zμµ][A-Za-zμµ]{0,6}(?:/[A-Za-zμµ0-9.^²³]{1,8})*(?:\^?[²³23])?)"
)
_VALUE = re.compile(
    rf"(?P<about>about|approximately|约)?\s*(?P<op>[<>≤≥]=?)?\s*(?P<number>[-−]?{_NUMBER})"
    rf"(?P<span>\s?[-–~～]\s?{_NUMBER})?(?P<plus>\++)?\s?(?P<unit>{_UNIT})?(?P<rest>.*)",
    re.DOTALL,
)
_PLUSES = re.compile(r"(?P<value>\(?[+±]{1,4}\)?|[1-4]\+|\([-−]\))\s?(?P<unit>[A-Za-z/]{0,8})(?P<rest>.*)", re.DOTALL)
_PRESSURE = re.compile(r"(?<!\d)(\d{2,3})\s?/\s?(\d{2,3})(?:\s?mm\s?Hg)?(?![\d/])", re.IGNORECASE)
_RANGE_WORD = r"(?:normal|reference|ref\.?|参考(?:值|范围|区间)?|正常(?:值|范围|参考值)?|正常参考(?:值|范围))"
_RANGE = re.compile(
    rf"[(（\[][^)）\]]*?{_RANGE_WORD}[^)）\]\d<>≤≥小大]*(?:(?P<low>{_NUMBER})\s?%?\s?[-–~～至]\s?(?P<high>{_NUMBER})"
    rf"|(?:[<≤]=?|小于|低于)\s?(?P<below>{_NUMBER})|(?:[>≥]=?|大于|高于)\s?(?P<above>{_NUMBER}))",
    re.IGNORECASE,
)
_BARE_RANGE = re.compile(
    rf"^\s?[(（\[](?:(?P<low>{_NUMBER})\s?[-–~～]\s?(?P<high>{_NUMBER})|(?:小于|低于)\s?(?P<below>{_NUMBER})"
    rf"|(?:大于|高于)\s?(?P<above>{_NUMBER}))\s?(?:{_UNIT})?[)）\]]"
)
_ITEM_SPACED = re.compile(r"(?P<name>[^\d\s:：][^:：\n]{0,40}?)\s*(?:[:：]\s*|\s+)(?P<value>\S.*)", re.DOTALL)
_ITEM_TIGHT = re.compile(
    r"(?P<name>[A-Za-z\u4e00-\u9fff][A-Za-z\u4e00-\u9fff%#/()（）.\-]*?)\s*(?P<value>(?:[<>≤≥]|约)?[-−]?\d.*)",
    re.DOTALL,
)
_WORDS = re.compile(
    r"\b(?:normal|abnormal|elevated|increased|decreased|low|high|positive|negative|reactive|present|absent|reduced|raised|"
    r"clear|cloudy|trace|none|prolonged|within|unremarkable|detected|deficient|numerous)\b"
    r"|正常|升高|增高|降低|减低|阳性|阴性|弱阳|未见|未检出|偏高|偏低|清亮|浑浊",
    re.IGNORECASE,
)
LONGEST_WORDS = 80


def read_value(name: str, text: str) -> Measurement | None:
    """The measurement that a text states, None where it states none."""
    text = text.strip().strip("。.;；,，")
    if not text or not name.strip():
        return None
    pluses = _PLUSES.fullmatch(text)
    if pluses and pluses["rest"].lstrip()[:1] in ("", "(", "（"):
        return Measurement(name=name, value=pluses["value"].strip("()"), unit=pluses["unit"] or "")
    found = _VALUE.fullmatch(text)
    if found is None or not _plain_rest(found["rest"]):
        short = len(text) <= LONGEST_WORDS and _WORDS.search(text)
        return Measurement(name=name, value=text) if short else None
    unit = re.sub(r"\s+", " ", found["unit"] or "").strip()
    low, high = _range(text, found["rest"])
    words = f"{found['op'] or ''}{found['number']}{found['span'] or ''}{found['plus'] or ''}"
    # A number too long to be measured stays words too.
    if found["op"] or found["span"] or found["plus"] or found["about"] or len(found["number"]) > 18:
        return Measurement(name=name, value=words.replace(",", "").replace(" ", ""), unit=unit, low=low, high=high)
    number = float(found["number"].replace(",", "").replace("−", "-"))
    return Measurement(name=name, value=number, unit=unit, low=low, high=high)


def read_pressure(text: str, language: str) -> tuple[Measurement, ...]:
    """Systolic and diastolic pressure of a text such as `125/80 mmHg`; empty where there is none."""
    found = _PRESSURE.search(text)
    if found is None or not 40 <= int(found[1]) <= 320 or not 10 <= int(found[2]) <= 220:
        return ()
    upper, lower = ("收缩压", "舒张压") if language == "zh" else ("Systolic pressure", "Diastolic pressure")
    return (
        Measurement(name=upper, value=float(found[1]), unit="mmHg"),
        Measurement(name=lower, value=float(found[2]), unit="mmHg"),
    )


def read_list(text: str) -> tuple[Measurement, ...]:
    """The measurements of a run such as `WBC 5.16×10^9/L, RBC 3.77×10^12/L` or `pH: 7.58；PCO2 25mmHg`."""
    return tuple(item for part in split_items(text) if (item := read_item(part)))


def read_item(text: str) -> Measurement | None:
    """One `name value unit` item, None where the text is not one."""
    text = text.strip().strip("-•· ").strip("。；;,，")
    for pattern in (_ITEM_SPACED, _ITEM_TIGHT):
        match = pattern.fullmatch(text)
        if match and any(c.isdigit() or c in "+±阳阴" for c in match["value"][:3]):
            item = read_value(match["name"].strip(" :："), match["value"])
            if item and not (isinstance(item.value, str) and item.value == match["value"] and len(item.value) > 30):
                return item
    return None


def split_items(text: str) -> list[str]:
    """The parts of a run of items; commas inside brackets and between thousands do not separate."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        if char in "(（[":
            depth += 1
        elif char in ")）]":
            depth = max(0, depth - 1)
        elif depth == 0 and (char in "，；;、\n" or (char == "," and not text[at + 1 : at + 4].isdigit())):
            parts.append(text[start:at])
            start = at + 1
    parts.append(text[start:])
    return [p.strip() for p in parts if p.strip()]


def _plain_rest(rest: str) -> bool:
    rest = rest.strip().strip("。.;；,，")
    return not rest or rest[0] in "(（[" or rest.lower() in {"on room air", "at rest"} or len(rest) <= 3


def _range(text: str, rest: str) -> tuple[float | None, float | None]:
    match = _RANGE.search(text) or _BARE_RANGE.match(rest)
    if match is None:
        return None, None
    groups = {k: float(v.replace(",", "")) if v else None for k, v in match.groupdict().items()}
    low = groups.get("low") if groups.get("low") is not None else groups.get("above")
    high = groups.get("high") if groups.get("high") is not None else groups.get("below")
    if low is not None and high is not None and low > high:
        return None, None
    return low, high
