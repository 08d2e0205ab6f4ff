"""How often, how long: the schedules of doses in words, English or Chinese, as doses a day and as days."""

from __future__ import annotations

import re

from clinic_sim.knowledge.patterns import Pattern

HOURS = 24.0
TO = r"\s*(?:-|~|to|至|到)\s*"
"""Between the ends of a range."""
_HAN = "一二三四五六七八九十"
_DIGITS = {**{han: n for n, han in enumerate(_HAN, 1)}, "两": 2, "半": 0.5, "十二": 12, "十四": 14, "二十一": 21}
_WORDS = {
    "once": 1,
    "one": 1,
    "twice": 2,
    "two": 2,
    "three": 3,
    "thrice": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "eight": 8,
}
N = r"(?:\d+(?:\.\d+)?|二十一|十四|十二|[一二两三四五六七八九十半])"
N_EN = r"(?:\d+(?:\.\d+)?|once|one|twice|two|thrice|three|four|five|six|eight)"
_A_DAY_EN = r"(?:a day|per day|daily|each day|every day|/ ?d(?:ay)?)(?![a-z])"
_EVERY = Pattern(
    rf"\b(?:q|every)\s*(?P<n>\d+(?:\.\d+)?|two|three|four|six|eight)(?:{TO}(?P<m>\d+(?:\.\d+)?|four|six|eight))?"
    r"\s*(?P<u>h|hours?|hrly|hourly|d|days?|w|weeks?|months?)(?![a-z])"
    rf"|(?:每|每隔|间隔)\s*(?P<nz>{N})(?:{TO}(?P<mz>{N}))?\s*个?(?P<uz>小时|h|天|日|周|星期|月)"
)
_TIMES = Pattern(
    rf"\b(?P<n>{N_EN})(?:{TO}(?P<m>{N_EN}))?[\s-]*(?:times?|doses?|x)?[\s-]*{_A_DAY_EN}"
    rf"|(?:每日|每天|一日|一天|日|/[日天d])\s*(?P<nz>{N})(?:{TO}(?P<mz>{N}))?\s*[次回]"
    rf"|(?P<ny>{N})(?:{TO}(?P<my>{N}))?\s*(?:[次回]\s*每|[次回]?\s*/)\s*(?:日|天|d(?![a-z]))"
)
_A_WEEK = Pattern(
    rf"\b(?P<n>{N_EN})\s*(?:times?)?\s*(?:a week|per week|weekly)\b"
    rf"|(?:每周|一周|每星期)\s*(?P<nz>{N})(?:{TO}{N})?\s*次"
    r"|\b(?P<w>weekly|every week|once a week|qw)\b|(?P<wz>每周|每星期)"
)
_FIXED: tuple[tuple[re.Pattern[str], float], ...] = (
    (re.compile(r"\b(?:qod|q\.o\.d|every other day|(?:on )?alternate days)\b|隔日|隔天"), 0.5),
    (re.compile(r"\b(?:qid|q\.i\.d|qds|q6h)\b"), 4.0),
    (re.compile(r"\b(?:tid|t\.i\.d|tds|q8h)\b"), 3.0),
    (re.compile(r"\b(?:bid|b\.i\.d|bd|q12h)\b|早晚(?:各|各一|各1)|早、?晚"), 2.0),
    (
        re.compile(
            r"\b(?:qd|q\.d|od|qam|qpm|qn|qhs|hs|nocte|nightly|daily|every (?:day|morning|evening|night)|at night"
            r"|at bedtime"
            r"|each (?:day|morning|night))\b|每晚|睡前|每早|晨起|清晨|晨服"
        ),
        1.0,
    ),
    (re.compile(r"\b(?:monthly|every month)\b|每月"), 1 / 30),
)
_DAYS = Pattern(
    rf"\bfor (?:at least |about |up to |a total of )?(?P<n>{N_EN})(?:{TO}(?P<m>{N_EN}))?"
    rf"[ -]*(?P<u>days?|weeks?|months?|years?)\b"
    rf"|(?:连用|连续|疗程|共|用药?|服|×|x|至少|全程)\s*(?:为|约|用)?\s*(?P<nz>{N})(?:{TO}(?P<mz>{N}))?\s*(?P<uz>天|日|周|个月|月|年)"
    rf"|\b(?:x|×)\s*(?P<nx>\d+)\s*(?:d|days?)\b"
)
_SPAN = {
    "d": 1.0,
    "w": 7.0,
    "m": 30.0,
    "y": 365.0,
    "天": 1.0,
    "日": 1.0,
    "周": 7.0,
    "个": 30.0,
    "月": 30.0,
    "年": 365.0,
}


def number(text: str) -> float:
    plain = text.replace(",", "").replace(" ", "")
    return float(_DIGITS.get(plain) or _WORDS.get(plain) or plain)


def spread(low: str | None, high: str | None) -> tuple[float, float] | None:
    if low is None:
        return None
    first = number(low)
    second = number(high) if high else first
    return (min(first, second), max(first, second)) if first > 0 and second > 0 else None


def times_a_day(text: str) -> tuple[float, float] | None:
    """Doses a day that a stretch of text gives; the first statement counts."""
    found: list[tuple[int, tuple[float, float]]] = []
    if match := _TIMES.search(text):
        spoken = spread(match["n"] or match["nz"] or match["ny"], match["m"] or match["mz"] or match["my"])
        if spoken:
            found.append((match.start(), spoken))
    if match := _EVERY.search(text):
        spoken = spread(match["n"] or match["nz"], match["m"] or match["mz"])
        unit = (match["u"] or match["uz"])[0]
        hours = HOURS * _SPAN.get(unit, 1.0) if unit not in "h小" else 1.0
        if unit == "星":
            hours = HOURS * 7
        if spoken:
            found.append((match.start(), (HOURS / (spoken[1] * hours), HOURS / (spoken[0] * hours))))
    if match := _A_WEEK.search(text):
        times = 1.0 if match["w"] or match["wz"] else number(match["n"] or match["nz"])
        found.append((match.start(), (times / 7, times / 7)))
    for pattern, times in _FIXED:
        if match := pattern.search(text):
            found.append((match.start(), (times, times)))
    # `3 times daily` holds the word daily: what starts first is the whole statement.
    return min(found)[1] if found else None


def course(text: str) -> tuple[float, float] | None:
    match = _DAYS.search(text)
    if match is None:
        return None
    spoken = spread(match["n"] or match["nz"] or match["nx"], match["m"] or match["mz"])
    span = _SPAN[(match["u"] or match["uz"] or "d")[0]]
    return (spoken[0] * span, spoken[1] * span) if spoken else None
