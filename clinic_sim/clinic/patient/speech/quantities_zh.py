"""Numbers in Chinese words: 三十八度五 is 38.5, 三四次 is three or four times."""

from __future__ import annotations

import re
from functools import lru_cache

from clinic_sim.clinic.patient.speech.quantity import AGO, Quantity

_DIGIT_ZH = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2, "俩": 2, "半": 0.5, "〇": 0}


_NZ = r"(?:\d+(?:\.\d+)?|[零一二两三四五六七八九十百半]+)"


_TIME_ZH = re.compile(
    rf"(?<!第)(?P<n>{_NZ})(?:[-~到至、]?(?P<m>{_NZ}))?(?P<more>几|多|来|余)?(?:个)?(?P<h>半)?(?:多)?(?P<u>秒钟?|分钟|小时|钟头|天|日"
    rf"|晚上?|夜|宿|星期|礼拜|周|月|年|岁)(?P<half>半)?(?!生|到晚|比一|天|轻|来没|下来)"
)


_EACH_ZH = re.compile(
    rf"(?:(?:一|每|1)(?P<u>天|日|晚|夜|周|星期|个?月|年|个?小时)(?:有|那么|个|要|得|能|大概|差不多|就|都|起来|起|拉|吐|抽|喝|吃|疼|犯|发作|发|咳|尿|去"
    rf"|跑)*(?P<n>{_NZ})(?:[-~到至、]?(?P<m>{_NZ}))?(?P<more>几|多|来)?(?P<what>次|回|趟|遍|包|支|根|两|斤|杯|瓶|片|粒|颗|袋|顿)"
    rf"|(?P<n2>{_NZ})(?:[-~到至、](?P<m2>{_NZ}))?(?P<w2>次|回|趟|包|支|根|片)(?:/|每)(?P<u2>天|日|周|月))"
)


_AGO_ZH = re.compile(
    r"(?P<before>大前天|前天|前晚)|(?P<yesterday>昨天|昨晚|昨夜|昨儿)|(?P<week>上周|上星期|上礼拜|上个星期|上个礼拜)|(?P<month>上个?月)"
    r"|(?P<year>去年|前年)|(?P<today>今天|今早|今晨|今儿|今晚|早上起来)"
)


_DEGREES_ZH = re.compile(
    rf"(?P<n>{_NZ})(?:点(?P<p>[\d一二三四五六七八九]))?(?:度|℃|°c?)(?P<h>半|[\d一二三四五六七八九](?![天次个]))?"
)


_UNITS_ZH = re.compile(
    rf"(?P<n>{_NZ})(?:多|来|几)?(?:(?P<percent>%)|(?P<weight>公斤|千克|斤|kg)|(?P<length>厘米|公分|毫米|cm|mm)|(?P<dose>毫克|mg"
    rf"|毫升|ml|微克|单位)"
    r"|(?P<count>次|回|趟|包|支|根|片|粒|杯|瓶|块枕头|个枕头|层楼|胎))"
)


_SCORE_ZH = re.compile(rf"(?P<n>{_NZ})分(?!钟|钟|开|之|泌|娩|别|析|布|散|手|享|心)")


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


_YEAR = re.compile("[零一二三四五六七八九〇]{2}")
_HOURS_ZH = {
    "秒": 1 / 3600,
    "分": 1 / 60,
    "小": 1,
    "钟": 1,
    "天": 24,
    "日": 24,
    "晚": 24,
    "夜": 24,
    "宿": 24,
    "星": 168,
    "礼": 168,
    "周": 168,
    "月": 730,
    "个": 730,
    "年": 8766,
}


def chinese(folded: str) -> list[Quantity]:
    """The numbers of folded Chinese, the surer readings first."""
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
        most = match["m2"] or match["m"]
        value = (_value_zh(number) + _value_zh(most)) / 2 if most else _value_zh(number)
        add("rate", value * 24 / hours, match, True)
    for match in _TIME_ZH.finditer(folded):
        unit = match["u"]
        words = match["n"]
        if (
            (words == "半" and unit in ("天", "日"))
            or (
                words == "一"
                and unit in ("天", "晚", "晚上", "夜")
                and folded[max(0, match.start() - 1) : match.start()] in ("有", "那", "某", "这", "第", "每", "同")
            )
            or (words == "一" and unit in ("晚", "晚上", "夜", "宿"))
        ):
            continue
        if folded[max(0, match.start() - 1) : match.start()] in ("这", "那") and unit in ("天", "日", "晚"):
            continue  # of late
        if unit == "年" and _YEAR.fullmatch(words) and int(_DIGIT_ZH[words[1]]) != int(_DIGIT_ZH[words[0]]) + 1:
            continue  # 一七年 is a date
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
        if kind == "count" and (value <= 1 or (match[kind] in ("次", "回", "片") and value <= 1)):
            continue
        add(kind, value * (0.5 if match[kind] == "斤" else 1), match)
    for match in _SCORE_ZH.finditer(folded):
        add("score", _value_zh(match["n"]), match)
    for match in _AGO_ZH.finditer(folded):
        add("ago", AGO[match.lastgroup or "today"], match, True)
    return found
