"""Numbers that words give, in comparable units: two weeks are fourteen days, 三十八度五 is 38.5."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple


class Quantity(NamedTuple):
    """A number with what it counts."""

    kind: str
    """`time` (in hours), `rate` (a day), `degrees`, `percent`, `weight` (kg), `length` (cm), `pressure`, `dose`, `score`,
    `age` (years), `clock`, `count`."""
    value: float
    start: int
    end: int
    loose: bool = False
    """Said roughly: about, yesterday, a month."""


_ONES = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100, "a couple of": 2, "couple of": 2,
    "a dozen": 12, "dozen": 12, "half a dozen": 6, "half a": 0.5, "half an": 0.5, "a": 1, "an": 1, "a hundred": 100,
}  # fmt: skip
_WORD = "|".join(sorted((w for w in _ONES if w not in ("a", "an")), key=len, reverse=True))
_TENS = r"(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)[- ](?:one|two|three|four|five|six|seven|eight|nine)"
_N = rf"(?:\d+(?:[.,]\d+)?|{_TENS}|{_WORD})"
_HOURS = {"second": 1 / 3600, "sec": 1 / 3600, "minute": 1 / 60, "min": 1 / 60, "hour": 1, "hr": 1, "day": 24, "night": 24, "week": 168, "fortnight": 336, "month": 730, "year": 8766, "decade": 87660}  # fmt: skip
_UNIT_EN = r"(seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|nights?|weeks?|fortnights?|months?|years?|decades?)"
_TIME_EN = re.compile(rf"\b(?P<n>{_N}|an?(?= ))(?:\s*(?:-|to|or)\s*(?P<m>{_N}))?(?: and a half)?[\s-]*(?:(?:full|whole|solid|straight|good|or so) )?{_UNIT_EN}\b(?P<old>(?:['’]s?)?[\s-]*old\b)?")
_EACH_EN = re.compile(rf"\b(?P<n>once|twice|thrice|{_N}(?:\s*(?:-|to|or)\s*{_N})?(?: times| packs?| cigarettes?| pints?| glasses| units| drinks| cups| tablets| pills| beers)?)\s*(?:times )?(?:an?|per|every|each|/|in a)\s*(?P<u>day|night|week|month|year|hour)\b|\bevery (?P<k>{_N}) (?P<v>hours?|minutes?|days?|weeks?)\b")
_AGO_EN = re.compile(r"\b(?:(?P<yesterday>(?:since |from )?yesterday|last night)|(?P<before>day before yesterday|night before last)|(?P<week>last week|past week)|(?P<month>last month|past month)|(?P<year>last year|past year)|(?P<fort>fortnight)|(?P<today>this morning|today|this afternoon|earlier today|tonight))\b")
_UNITS_EN = re.compile(
    rf"\b(?P<n>{_N})\s*(?:-|to)?\s*(?:(?P<degrees>degrees?|°\s?[cf]?|celsius|fahrenheit)|(?P<percent>%|per ?cent)"
    r"|(?P<weight>kg|kilos?|kilograms?|pounds?|lbs?|stone)|(?P<length>cm|centimet(?:re|er)s?|inch(?:es)?|mm)"
    r"|(?P<dose>mg|milligrams?|mcg|micrograms?|ml|units|puffs)"
    r"|(?P<count>more times|times|episodes?|attacks?|packs?|cigarettes?|drinks?|beers?|pints?|glasses|pillows?|pads?|tablets?|pills|"
    r"bottles?|flights?|blocks?|steps|kids|children|pregnancies|miscarriages|partners?))(?![a-z])"
)
_SCORE_EN = re.compile(rf"\b(?P<n>{_N})\s*(?:/|out of|over)\s*(?P<m>10|ten)\b")
_PRESSURE = re.compile(r"\b(?P<n>\d{2,3})\s*(?:/|over)\s*(?P<m>\d{2,3})\b")
_CLOCK = re.compile(r"\b(?P<n>\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)(?::\d\d)?\s*(?:o'?clock|a\.?m\b\.?|p\.?m\b\.?)")
_BARE = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w]|\.\d)")

_DIGIT_ZH = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2, "俩": 2, "半": 0.5, "〇": 0}
_NZ = r"(?:\d+(?:\.\d+)?|[零一二两三四五六七八九十百半]+)"
_TIME_ZH = re.compile(
    rf"(?<!第)(?P<n>{_NZ})(?:[-~到至、]?(?P<m>{_NZ}))?(?P<more>几|多|来|余)?(?:个)?(?P<h>半)?(?:多)?(?P<u>秒钟?|分钟|小时|钟头|天|日|晚上?|夜|宿|星期|礼拜|周|月|年|岁)(?P<half>半)?(?!生|到晚|比一|天|轻|来没|下来)"
)
_EACH_ZH = re.compile(
    rf"(?:(?:一|每|1)(?P<u>天|日|晚|夜|周|星期|个?月|年|个?小时)(?:要|得|能|大概|差不多|就|都|起来|起|拉|吐|抽|喝|吃|疼|犯|发作|发|咳|尿|去|跑)*(?P<n>{_NZ})(?:[-~到至、]?(?P<m>{_NZ}))?(?P<more>几|多|来)?(?P<what>次|回|趟|遍|包|支|根|两|斤|杯|瓶|片|粒|颗|袋|顿)|(?P<n2>{_NZ})(?P<w2>次|回|趟|包|支|根|片)/(?P<u2>天|日|周|月))"
)
_AGO_ZH = re.compile(r"(?P<before>大前天|前天|前晚)|(?P<yesterday>昨天|昨晚|昨夜|昨儿)|(?P<week>上周|上星期|上礼拜|上个星期|上个礼拜)|(?P<month>上个?月)|(?P<year>去年|前年)|(?P<today>今天|今早|今晨|今儿|今晚|早上起来)")
_DEGREES_ZH = re.compile(rf"(?P<n>{_NZ})(?:点(?P<p>[\d一二三四五六七八九]))?(?:度|℃|°c?)(?P<h>半|[\d一二三四五六七八九](?![天次个]))?")
_UNITS_ZH = re.compile(
    rf"(?P<n>{_NZ})(?:多|来|几)?(?:(?P<percent>%)|(?P<weight>公斤|千克|斤|kg)|(?P<length>厘米|公分|毫米|cm|mm)|(?P<dose>毫克|mg|毫升|ml|微克|单位)"
    r"|(?P<count>次|回|趟|包|支|根|片|粒|杯|瓶|块枕头|个枕头|层楼|胎|个孩子|个小孩))"
)
_SCORE_ZH = re.compile(rf"(?P<n>{_NZ})分(?!钟|钟|开|之|泌|娩|别|析|布|散|手|享|心)")


def quantities(folded: str, *, english: bool, chinese: bool) -> list[Quantity]:
    """The numbers of folded text, in order; of two readings of the same words the first kind counts."""
    found: list[Quantity] = []
    if english or not chinese:
        if _MAYBE_EN.search(folded):
            found += _english(folded)
    if chinese:
        found += _chinese(folded)
    if any(c.isdigit() for c in folded):
        for match in _BARE.finditer(folded):
            found.append(Quantity("bare", float(match.group()), match.start(), match.end()))
    taken: list[Quantity] = []
    for one in found:
        if not any(one.start < other.end and other.start < one.end for other in taken):
            taken.append(one)
    return sorted(taken, key=lambda q: q.start)


_MAYBE_EN = re.compile(rf"\d|\b(?:once|twice|yesterday|last|past|today|tonight|this|fortnight|an?|{_WORD})\b")


@lru_cache(maxsize=2_048)
def _value_en(words: str) -> float:
    words = words.strip()
    if words in _ONES:
        return _ONES[words]
    if words[0].isdigit():
        return float(words.replace(",", "."))
    tens, _, ones = words.replace("-", " ").partition(" ")
    return _ONES[tens] + _ONES[ones]


def _english(folded: str) -> list[Quantity]:
    found: list[Quantity] = []

    def add(kind: str, value: float, match: re.Match[str], loose: bool = False) -> None:
        found.append(Quantity(kind, value, match.start(), match.end(), loose))

    for match in _SCORE_EN.finditer(folded):
        add("score", _value_en(match["n"]), match)
    for match in _PRESSURE.finditer(folded):
        add("pressure", float(match["n"]), match)
    for match in _CLOCK.finditer(folded):
        n = match["n"]
        add("clock", float(n) if n.isdigit() else _value_en(n), match, True)
    for match in _EACH_EN.finditer(folded):
        if match["k"]:
            hours = _value_en(match["k"]) * _HOURS[match["v"].rstrip("s")]
            add("rate", 24 / hours, match, True)
            continue
        said = match["n"]
        number = {"once": 1.0, "twice": 2.0, "thrice": 3.0}.get(said)
        if number is None:
            first = re.match(_N, said)
            number = _value_en(first.group()) if first else 1.0
        add("rate", number * 24 / _HOURS[match["u"]], match, True)
    for match in _TIME_EN.finditer(folded):
        unit = match.group(3).rstrip("s")
        value = _value_en(match["n"])
        if match["old"]:
            add("age", value * _HOURS[unit] / 8766, match)
            continue
        if match["n"] in ("a", "an") and unit in ("day", "night") and not _LASTS.search(folded, max(0, match.start() - 14), match.start() + 1) and not folded.startswith(" ago", match.end()):
            continue  # "what a day", "twice a day"
        if match["n"] in ("one", "a", "an", "half a") and unit in ("second", "sec", "minute", "min"):
            continue
        if match["n"] in ("one",) and unit in ("day", "night", "minute", "second") and not folded.startswith(" ago", match.end()) and not _LASTS.search(folded, max(0, match.start() - 14), match.start() + 1):
            continue
        half = 0.5 if " and a half" in match.group() else 0.0
        high = _value_en(match["m"]) if match["m"] else value
        add("time", (value + high + 2 * half) / 2 * _HOURS[unit], match, match["n"] in ("a", "an", "couple of", "a couple of") or high != value)
    for match in _UNITS_EN.finditer(folded):
        kind = match.lastgroup or "count"
        value = _value_en(match["n"])
        if kind == "count" and value == 1:
            continue
        add(kind, value * (0.4536 if match[kind].startswith(("pound", "lb")) else 6.35 if match[kind] == "stone" else 1), match)
    for match in _TWICE.finditer(folded):
        add("count", 2.0 if match.group() == "twice" else 3.0, match)
    for match in _AGO_EN.finditer(folded):
        add("ago", _AGO[match.lastgroup or "today"], match, True)
    return found


_TWICE = re.compile(r"\b(?:twice|thrice)\b")
_LASTS = re.compile(r"\b(?:for|in|about|over|lasts?|lasted|within|after|past|last|than|almost|nearly|been)\s(?:about |almost |nearly |over )*")
_AGO = {"yesterday": 24.0, "before": 48.0, "week": 168.0, "month": 730.0, "year": 8766.0, "fort": 336.0, "today": 6.0}


@lru_cache(maxsize=2_048)
def _value_zh(words: str) -> float:
    if words[0].isdigit():
        return float(words)
    if words == "半":
        return 0.5
    if len(words) == 2 and "十" not in words and "百" not in words and "半" not in words:
        return (_DIGIT_ZH[words[0]] + _DIGIT_ZH[words[1]]) / 2  # 三四 is three or four
    total, current = 0.0, 0.0
    for c in words:
        if c == "十":
            total += (current or 1) * 10
            current = 0
        elif c == "百":
            total += (current or 1) * 100
            current = 0
        elif c == "半":
            current += 0.5
        else:
            current = current * 10 + _DIGIT_ZH[c] if current >= 1 and len(words) > 2 else _DIGIT_ZH[c]
    return total + current


_HOURS_ZH = {"秒": 1 / 3600, "分": 1 / 60, "小": 1, "钟": 1, "天": 24, "日": 24, "晚": 24, "夜": 24, "宿": 24, "星": 168, "礼": 168, "周": 168, "月": 730, "个": 730, "年": 8766}  # fmt: skip


def _chinese(folded: str) -> list[Quantity]:
    found: list[Quantity] = []

    def add(kind: str, value: float, match: re.Match[str], loose: bool = False) -> None:
        found.append(Quantity(kind, value, match.start(), match.end(), loose))

    for match in _DEGREES_ZH.finditer(folded):
        value = _value_zh(match["n"])
        if match["p"]:
            value += _value_zh(match["p"]) / 10
        if match["h"]:
            value += 0.5 if match["h"] == "半" else _value_zh(match["h"]) / 10
        add("degrees", value, match)
    for match in _EACH_ZH.finditer(folded):
        number, unit = (match["n2"], match["u2"]) if match["n2"] else (match["n"], match["u"])
        key = unit.removeprefix("个")
        hours = _HOURS_ZH["月" if key == "月" else key[0]]
        add("rate", _value_zh(number) * 24 / hours, match, True)
    for match in _TIME_ZH.finditer(folded):
        unit = match["u"]
        words = match["n"]
        if words == "半" and unit in ("天", "日") or (words == "一" and unit in ("天", "晚", "晚上", "夜") and folded[max(0, match.start() - 1) : match.start()] in ("有", "那", "某", "这", "第", "每", "同")) or (words == "一" and unit in ("晚", "晚上", "夜", "宿")):
            continue
        if folded[max(0, match.start() - 1) : match.start()] in ("这", "那") and unit in ("天", "日", "晚"):
            continue  # of late
        value = _value_zh(words)
        if unit == "岁":
            add("age", value, match)
            continue
        if match["h"] or match["half"]:
            value += 0.5
        if match["m"]:
            value = (value + _value_zh(match["m"])) / 2
        add("time", value * _HOURS_ZH[unit[0]], match, bool(match["more"] or match["m"]))
    for match in _UNITS_ZH.finditer(folded):
        kind = match.lastgroup or "count"
        value = _value_zh(match["n"])
        if kind == "count" and (value <= 1 or match[kind] in ("次", "回", "片") and value <= 1):
            continue
        add(kind, value * (0.5 if match[kind] == "斤" else 1), match)
    for match in _SCORE_ZH.finditer(folded):
        add("score", _value_zh(match["n"]), match)
    for match in _AGO_ZH.finditer(folded):
        add("ago", _AGO[match.lastgroup or "today"], match, True)
    return found


def same(said: Quantity, known: Quantity) -> bool:
    """Whether two quantities are one: in units that differ in roundness, a month is four weeks or thirty days."""
    if {said.kind, known.kind} <= {"time", "ago"}:
        small, large = sorted((said.value, known.value))
        slack = 1.9 if "ago" in (said.kind, known.kind) and large <= 72 else 1.5 if "ago" in (said.kind, known.kind) else 1.25 if said.loose or known.loose else 1.1
        return large <= small * slack
    if "bare" in (said.kind, known.kind) or said.kind == known.kind:
        if said.kind == known.kind == "rate":
            small, large = sorted((said.value, known.value))
            return large <= small * 1.3
        return abs(said.value - known.value) < 0.051
    if {said.kind, known.kind} <= {"count", "rate", "dose", "bare"}:
        return abs(said.value - known.value) < 0.051
    return False
