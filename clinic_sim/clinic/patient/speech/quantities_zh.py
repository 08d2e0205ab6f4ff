"""Numbers in Chinese words: 三十八度五 is 38.5, 三四次 is three or four times."""

from __future__ import annotations

import re
from functools import lru_cache

from clinic_sim.clinic.patient.speech.quantity import AGO, Quantity
from clinic_sim.knowledge.patterns import Pattern

_DIGIT_ZH = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2, "俩": 2, "仨": 3, "半": 0.5, "〇": 0}


_NZ = r"(?:\d+(?:\.\d+)?|[零一二两三四五六七八九十百千半俩仨]+)"


_TIME_ZH = Pattern(
    rf"(?<![第比如头几数\d])(?P<n>{_NZ})(?:[-~到至、]?(?P<m>{_NZ}))?[)）]?(?P<more>几|多|来|余)?\s?(?:个)?(?P<h>半)?(?:多)?(?P<u>秒钟?|分钟|小时|钟头|天|日"
    rf"|晚上?|夜|宿|星期|礼拜|周|月|年|岁)(?P<half>半)?(?!生|到晚|比一|不如|天|轻|来没|下来|两头|半夜|经)"
)
_LASTS = re.compile(r"[了多余许前以来左内后半之,。;!?、吧呢~\s]|就|里|不|没|$")
"""What follows a length of one day or month; before anything else it says how often."""
_EVERY = re.compile(r"(?:每|隔|有|那|某|这|第|同|(?<!整)整|大)$")


_EACH_ZH = Pattern(
    rf"(?:(?:一|每|1)(?P<u>天|日|晚上?|夜|宿|个?(?:周|星期|礼拜)|个?月|年|个?小时|个?钟头)(?!比|不如)(?:[^\d,。;!?零一二两三四五六七八九十百千半俩仨]{{0,12}})"
    rf"(?P<n>{_NZ})(?:[-~到至、](?P<m>{_NZ}))?(?P<more>几|多|来)?\s?(?P<what>次|回|趟|遍|包|盒|支|根|杯|瓶|听|罐|碗|片|粒|颗|袋|顿|胎)(?:[-~到至、](?P<m3>{_NZ})(?P=what))?"
    rf"|(?P<n2>{_NZ})(?:[-~到至、](?P<m2>{_NZ}))?\s?(?P<w2>次|回|趟|包|盒|支|根|片)(?:/|每)(?P<u2>天|日|周|月))"
)


_AGO_ZH = Pattern(
    r"(?P<before3>大前天)|(?P<before>(?<!以)前[天晚日儿](?![时]))|(?P<yesterday>昨[天晚夜日儿]|昨个)|(?P<week2>上上个?(?:周|星期|礼拜))"
    r"|(?P<month2>上上个?月)|(?P<week>上周|上星期|上礼拜|上个星期|上个礼拜)|(?P<month>上个?月)"
    r"|(?P<lately>今年(?:春|夏|秋|冬|年初|开春|上半年|初|过年))|(?P<season>去年(?:春|夏|秋|冬)[天季])|(?P<year3>大前年)|(?P<year2>前年)|(?P<year>去年)|(?P<today>今天|今早|今晨|今儿|今晚|早上起来)"
)


_DEGREES_ZH = Pattern(
    rf"(?P<n>{_NZ})(?:点(?P<p>[\d一二三四五六七八九]))?(?:度|℃|°c?)(?P<h>半|[\d一二三四五六七八九](?![天次个]))?"
)


_UNITS_ZH = Pattern(
    rf"(?:(?P<l>{_NZ})[-~到至])?(?P<n>{_NZ})(?:点(?P<p>[\d零一二三四五六七八九]))?(?:多|来|几)?\s?"
    rf"(?:(?P<percent>%)|(?P<weight>公斤(?P<kilo>半)?|千克|斤(?P<liang>[\d一二两三四五六七八九半](?=两|[,。;!?]|$))?|kg)|(?P<length>厘米|公分|毫米|cm|mm(?!ol|hg))"
    r"|(?P<dose>毫克|mg|毫升|ml|微克|ug|μg|单位|升|l(?![a-z])|克|g(?![a-z]))(?!/)"
    r"|(?P<count>次|回(?!事)|趟|包|盒|支|根|片|粒|杯|瓶|喷|块枕头|个枕头|层楼|胎|两(?![天次个年月周口句回片顿步分]))"
    r"|(?P<rate>下|跳)(?=[^子]|$))"
)
_DOSE_ZH = {"克": 1000.0, "g": 1000.0, "升": 1000.0, "l": 1000.0, "微克": 0.001, "ug": 0.001, "μg": 0.001}
"""Milligrams or millilitres."""


_FEW_ZH = Pattern(r"(?<![这前过那头十后第没])(?:好几|几)个?(?P<u>小时|钟头|天|星期|礼拜|周|月|年)(?![级前后以间])")
_SCORE_ZH = Pattern(rf"(?P<n>{_NZ})分(?!钟|钟|开|之|泌|娩|别|析|布|散|手|享|心)")


_TWO_ZH = r"(?:\d{2,3}|[一两二]百[零一二三四五六七八九十]*|[一二三四五六七八九]?十[一二三四五六七八九]?|[七八九]十)"
_PRESSURE_ZH = Pattern(
    rf"(?P<a>{_TWO_ZH})\s?(?:/|、|,|和|的|比|到|\s)?\s?(?P<b>{_TWO_ZH})(?![\d年岁天个次分月多块斤公])"
)
_ORDERED = re.compile(r"(?<![a-z])(?:qd|bid|tid)(?![a-z])")
_ONLY = re.compile("(?:就|只|才|仅|只有|就有|总共)$")
"""Before a one that is a number: 就一次."""
_PACK = 20.0
_NO_CIGARETTES = re.compile(r"药|冲剂|颗粒|茶|卫生巾|奶|饼|面")


@lru_cache(maxsize=2_048)
def _value_zh(words: str) -> float:
    if words[0].isdigit():
        return float(words)
    if words == "半":
        return 0.5
    if len(words) == 2 and "十" not in words and "百" not in words and "半" not in words:
        return (_DIGIT_ZH[words[0]] + _DIGIT_ZH[words[1]]) / 2  # 三四 is three or four
    total, current, unit = 0.0, 0.0, 1.0
    for c in words:
        if c in _PLACES:
            unit = _PLACES[c]
            total += (current or 1) * unit
            current = 0
        elif c == "半":
            current += 0.5 * (unit if unit > 1 and current == 0 and total else 1)
        elif c in "零〇":
            unit = 1.0
            current *= 10
        else:
            current = current * 10 + _DIGIT_ZH[c] if current >= 1 and len(words) > 2 else _DIGIT_ZH[c]
    if 0 < current < 10 and unit > 10 and words[-2] in _PLACES:
        current *= unit / 10  # 一百六 is 160
    return total + current


_PLACES = {"十": 10.0, "百": 100.0, "千": 1000.0}
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
    for match in _PRESSURE_ZH.finditer(folded):
        upper, lower = _value_zh(match["a"]), _value_zh(match["b"])
        if 70 <= upper <= 260 and 30 <= lower <= 150 and 15 <= upper - lower <= 130:
            add("pressure", upper, match)
    if "d" in folded:
        for match in _ORDERED.finditer(folded):
            add("rate", {"q": 1.0, "b": 2.0, "t": 3.0}[match.group()[0]], match, True)
    packs = _PACK if not _NO_CIGARETTES.search(folded) else 1.0
    for match in _EACH_ZH.finditer(folded):
        number, unit = (match["n2"], match["u2"]) if match["n2"] else (match["n"], match["u"])
        key = unit.removeprefix("个")
        hours = _HOURS_ZH["月" if key == "月" else key[0]]
        most = match["m2"] or match["m3"] or match["m"]
        value = (_value_zh(number) + _value_zh(most)) / 2 if most else _value_zh(number)
        if (match["what"] or match["w2"]) in ("包", "盒"):
            value *= packs
        elif value < 1:
            continue  # half a cup is no number
        add("rate", value * 24 / hours, match, True)
    for match in _TIME_ZH.finditer(folded):
        unit = match["u"]
        words = match["n"]
        before = folded[max(0, match.start() - 1) : match.start()]
        if words == "半" and unit == "宿":
            continue
        if words == "半" and unit in ("天", "日", "夜", "晚", "晚上"):
            continue
        if words in ("一", "1") and not match["m"] and not match["more"] and not match["h"] and not match["half"]:
            if unit in ("晚", "晚上", "夜", "宿") or _EVERY.search(folded, max(0, match.start() - 2), match.start()):
                continue
            if unit in ("天", "日", "周", "星期", "礼拜", "月") and not _LASTS.match(folded, match.end()):
                continue
        if before in ("这", "那") and unit in ("天", "日", "晚"):
            continue  # of late
        if unit == "年" and (
            (_YEAR.fullmatch(words) and int(_DIGIT_ZH[words[1]]) != int(_DIGIT_ZH[words[0]]) + 1)
            or (len(words) == 4 and words[:2] in ("19", "20", "二零", "二〇", "一九"))
        ):
            continue  # 一七年 is a date
        if before == "年" and unit in ("月", "日"):
            continue
        value = _value_zh(words)
        if unit == "岁":
            add("age", value, match)
            continue
        if match["h"] or match["half"]:
            value += 0.5
        if match["m"]:
            value = (value + _value_zh(match["m"])) / 2
        add("time", value * _HOURS_ZH[unit[0]], match, bool(match["more"] or match["m"] or "多" in match.group()))
    for match in _UNITS_ZH.finditer(folded):
        kind = next(k for k in ("percent", "weight", "length", "dose", "count", "rate") if match[k])
        value = _value_zh(match["n"])
        if match["l"]:
            value = (value + _value_zh(match["l"])) / 2
        if match["p"]:
            value += _value_zh(match["p"]) / 10
        word = match[kind]
        if match["kilo"]:
            value += 0.5
        if kind == "rate":
            if value >= 40:  # beats a minute
                add("pulse", value, match)
            continue
        if kind == "count":
            if value < 1 or (value == 1 and not _ONLY.search(folded, max(0, match.start() - 3), match.start())):
                continue
            if word in ("包", "盒"):
                value *= packs
        elif kind == "weight" and word[0] == "斤":
            value = value * 0.5 + (_value_zh(match["liang"]) * 0.05 if match["liang"] else 0)
        elif kind == "dose":
            value *= _DOSE_ZH.get(word, 1.0)
        add(kind, value, match, bool(match["l"]))
    for match in _FEW_ZH.finditer(folded) if "几" in folded else ():
        add("few", _HOURS_ZH[match["u"][0]], match, True)
    for match in _SCORE_ZH.finditer(folded):
        add("score", _value_zh(match["n"]), match)
    for match in _AGO_ZH.finditer(folded):
        add("ago", AGO[match.lastgroup or "today"], match, True)
    return found
