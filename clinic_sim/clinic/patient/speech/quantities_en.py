"""Numbers in English words."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache

from clinic_sim.clinic.patient.speech.quantity import AGO, Quantity
from clinic_sim.knowledge.patterns import Pattern

_ONES = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100, "a couple of": 2, "couple of": 2,
    "a dozen": 12, "dozen": 12, "half a dozen": 6, "half a": 0.5, "half an": 0.5, "a": 1, "an": 1, "a hundred": 100,
}  # fmt: skip


_WORD = "|".join(sorted((w for w in _ONES if w not in ("a", "an")), key=len, reverse=True))


_TENS = r"(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)[- ](?:one|two|three|four|five|six|seven|eight|nine)"


_HUNDREDS = (
    rf"(?:(?:an?|one|two|three|four|five|six|seven|eight|nine|\d) (?:hundred|thousand)"
    rf"(?:(?: and)? (?:{_TENS}|{_WORD}))?)"
)
_N = rf"(?:{_HUNDREDS}|\d+(?:[.,]\d+)?|{_TENS}|{_WORD})"


_HOURS = {
    "second": 1 / 3600,
    "sec": 1 / 3600,
    "minute": 1 / 60,
    "min": 1 / 60,
    "hour": 1,
    "hr": 1,
    "day": 24,
    "night": 24,
    "week": 168,
    "fortnight": 336,
    "month": 730,
    "year": 8766,
    "decade": 87660,
}


_UNIT_EN = r"(seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|nights?|weeks?|fortnights?|months?|years?|decades?)"


_TIME_EN = Pattern(
    rf"\b(?P<n>{_N}|an?(?= ))(?:\s*(?:-|to|or)\s*(?P<m>{_N}))?(?: and a half)?[\s-]*(?:(?:full|whole|solid"
    rf"|straight|good|or so) )?{_UNIT_EN}\b(?P<old>(?:['’]s?)?[\s-]*old\b)?"
)


_EACH_EN = Pattern(
    rf"\b(?P<n>once|twice|thrice|{_N}(?:\s*(?:-|to|or)\s*{_N})?(?: times| days| nights| mornings| evenings| sessions"
    r"| packs?| cigarettes?| pints?| glasses"
    rf"| units| drinks| cups| tablets| pills| beers)?)\s*(?:times )?(?:an?|per|every|each|/|in a)\s*(?P<u>day"
    rf"|night|week|month|year|hour)\b|\bevery (?P<k>{_N}) (?P<v>hours?|minutes?|days?|weeks?)\b"
    r"|\b(?:every|each) (?:single )?(?P<w>day|week|month)\b"
)


_LOWER = Pattern(rf"\b(?P<n>once|{_N})(?:,| or|,? maybe| to|-) ?$")
_AGO_EN = Pattern(
    r"\b(?:(?P<yesterday>(?:since |from )?yesterday|last night)|(?P<before>day before yesterday"
    r"|night before last)|(?P<week>(?:last|past|previous|prior) week|week before)|(?P<month>(?:last|past"
    r"|previous|prior) month)|(?P<year>(?:last|past|previous|prior) year)"
    r"|(?P<lately>this (?:spring|summer|autumn|winter|year)|earlier this year)"
    r"|(?P<season>last (?:summer|spring|autumn|winter|christmas|easter))|(?P<fort>fortnight)"
    r"|(?P<today>this morning|today|this afternoon|earlier today|tonight))\b"
)


_UNITS_EN = Pattern(
    rf"\b(?P<n>{_N})\s*(?:-|to)?\s*(?:(?P<degrees>degrees?|°\s?[cf]?|celsius|fahrenheit)|(?P<percent>%|per ?cent)"
    r"|(?P<weight>kg|grams?|g(?=[ ,.;)(]|$)|kilos?|kilograms?|pounds?|lbs?|stone)"
    r"|(?P<length>cm|centimet(?:re|er)s?|inch(?:es)?|mm)"
    r"|(?P<dose>mg|milligrams?|mcg|micrograms?|ml|units|puffs)"
    r"|(?P<count>(?:energy|strong|large|small|big|fizzy|alcoholic|extra|full|sugary) "
    r"(?:drinks|cans|cups|pints|glasses|coffees|teas)"
    r"|cans|more times|times|episodes?|attacks?|packs?|cigarettes?|drinks?|beers?|pints?|glasses|pillows?"
    r"|pads?|tablets?|pills|"
    r"coffees|cups|"
    r"bottles?|flights?|blocks?|steps|pregnancies|miscarriages|partners?"
    r"|(?:different )?(?:guys|men|women|blokes|lads|girls)))(?![a-z])"
)


_VESSELS_EN = Pattern(
    rf"\b(?P<n>{_N}|an?) (?:bottles?|glass(?:es)?|cans?|pints?|litres?|liters?|crates?)(?: of [a-z]+(?: [a-z]+)?)?"
    r" (?:a|per|every|each) (?P<u>day|night|week)\b"
)
_FEW_EN = Pattern(
    r"\b(?:last|past|these|this|for|just|only|about|been|over|in|since)(?: the| a)?(?: last| past)?(?: a)? few"
    r" (?P<u>minute|hour|day|week|month|year)s\b"
)
_FOR_SOME_EN = Pattern(
    r"\b(?:for|been|over|past|last) (?P<u>day|week|month|year)s\b(?! ago)(?! and a half)"
    r"|\b(?P<v>week|month|year)s and (?:week|month|year)s\b"
)
_UNITS_SOME = re.compile("days|weeks|months|years")
_PAST_ONE = re.compile(r"\b(?:past|last|within the) (?P<u>hour|minute)\b")
_PACKS = Pattern(rf"\b(?P<n>{_N}|an?)\s*packs?\b(?![\s-]*years?)(?=.{{0,30}}(?:cig|daily|day|smok))")
_IN_A = re.compile(r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|times|trips|goes)\b")


_SCORE_EN = Pattern(rf"\b(?P<n>{_N})\s*(?:/|out of|over)\s*(?P<m>10|ten)\b")


_PRESSURE = Pattern(r"\b(?P<n>\d{2,3})\s*(?:/|over)\s*(?P<m>\d{2,3})\b")


_BIG = (
    rf"(?:(?:an?|one|two)[- ](?:hundred(?:[- ]and)?[- ]?)?(?:{_TENS}|{_WORD})|(?:an?|one|two) hundred"
    rf"|\d{{2,3}}|{_TENS})"
)
_PRESSURE_WORDS = Pattern(
    rf"\b(?P<n>{_BIG})(?: or so)? over (?:{_TENS}|{_WORD}|\d{{2,3}})\b"
    r"(?! (?:times|minutes|hours|days|weeks|months|years))"
)
"""A blood pressure in words; whoever says one knows a reading."""
_AT_AGE = Pattern(
    rf"\b(?:at|aged|age of) (?P<n>{_TENS}|\d{{2}}|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)\b"
    r"(?!\.?\d)(?! ?(?:%|per|degrees|miles|o'clock|[ap]\.?m|past|to|mg|kg))"
)


def _hundreds(words: str) -> float:
    """A number of the order of a blood pressure: one eighteen, a hundred and eighteen."""
    if words[0].isdigit():
        return float(words)
    first, _, rest = words.replace("-", " ").partition(" ")
    rest = rest.removeprefix("hundred").strip().removeprefix("and").strip()
    if first not in ("a", "an", "one", "two"):
        return _value_en(words)
    return (200.0 if first == "two" else 100.0) + (_value_en(rest) if rest else 0.0)


_CLOCK = Pattern(
    r"\b(?P<n>\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)(?::\d\d)?\s*(?:o'?clock"
    r"|a\.?m\b\.?|p\.?m\b\.?)"
)


_ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10,
}  # fmt: skip
_NUMBER_WORD = Pattern(rf"\b(?:{_TENS}|{_WORD}|{'|'.join(_ORDINALS)})\b")
_NTH = re.compile(r"\b(?P<n>\d+)(?:st|nd|rd|th) (?P<u>day|week|month|year)\b")


def numbers_in_words(folded: str, known: Collection[Quantity]) -> Iterator[Quantity]:
    """The numbers that a record writes as words without a unit (two attacks, fourth floor), and its nth weeks."""
    for match in _NUMBER_WORD.finditer(folded):
        if not any(q.start < match.end() and match.start() < q.end for q in known):
            word = match.group()
            value = float(_ORDINALS[word]) if word in _ORDINALS else _value_en(word)
            yield Quantity("bare", value, match.start(), match.end())
    for match in _PAST_ONE.finditer(folded) if "hour" in folded or "minute" in folded else ():
        yield Quantity("time", _HOURS[match["u"]], match.start(), match.end(), True)
    for match in _PACKS.finditer(folded) if "pack" in folded else ():
        packs = 1.0 if match["n"] in ("a", "an") else _value_en(match["n"])
        yield Quantity("rate", packs * 20, match.start(), match.end(), True)
    for match in _NTH.finditer(folded):
        yield Quantity("time", float(match["n"]) * _HOURS[match["u"]], match.start(), match.end(), True)


_MAYBE_EN = Pattern(
    rf"\d|\b(?:once|twice|yesterday|last|past|today|tonight|this|fortnight|an?|{_WORD}|days|weeks|months|years)\b"
)


@lru_cache(maxsize=2_048)
def _value_en(words: str) -> float:
    words = words.strip()
    if words in _ONES:
        return _ONES[words]
    first, _, rest = words.partition(" ")
    for scale, many in (("hundred", 100.0), ("thousand", 1000.0)):
        if rest.startswith(scale):
            left = rest.removeprefix(scale).strip().removeprefix("and ").strip()
            return _value_en(first) * many + (_value_en(left) if left else 0.0)
    if words[0].isdigit():
        return float(words.replace(",", "."))
    tens, _, ones = words.replace("-", " ").partition(" ")
    return _ONES[tens] + _ONES[ones]


_TWICE = re.compile(r"\b(?:twice|thrice|(?:only|just) (?:\w+ )?once)\b")


_LASTS = Pattern(
    r"\b(?:for|in|about|over|lasts?|lasted|within|after|past|last|than|almost|nearly|been)\s(?:about |almost "
    r"|nearly |over )*"
)


_TIMES = {"twice": 2.0, "thrice": 3.0}


_PLACE = Pattern(rf"\b(?:\d|once\b|thrice\b|twice\b|every\b|an?\b|{_WORD}|{_TENS})")
"""Where a quantity can begin."""
_DATES = re.compile(r"day|last|past|prev|prior|before|fortnight|night|this|week")


def english(folded: str) -> list[Quantity]:
    """The numbers of folded English, the surer readings first."""
    if not _MAYBE_EN.search(folded):
        return []
    found: list[Quantity] = []

    def add(kind: str, value: float, match: re.Match[str], loose: bool = False) -> None:
        found.append(Quantity(kind, value, match.start(), match.end(), loose))

    places = [place.start() for place in _PLACE.finditer(folded)]

    def each(expression: Pattern) -> Iterator[re.Match[str]]:
        for place in places:
            found_here = expression.match(folded, place)
            if found_here is not None:
                yield found_here

    for match in each(_VESSELS_EN):
        n = match["n"]
        many = 1.0 if n in ("a", "an") else _value_en(n)
        add("rate", many * 24 / _HOURS[match["u"]], match, True)
    if "out of" in folded or "over" in folded or "/" in folded:
        for match in each(_SCORE_EN):
            add("score", _value_en(match["n"]), match)
        for match in each(_PRESSURE):
            add("pressure", float(match["n"]), match)
    for match in each(_CLOCK):
        n = match["n"]
        add("clock", float(n) if n.isdigit() else _value_en(n), match, True)
    for match in each(_EACH_EN):
        if match["w"]:
            add("rate", 24 / _HOURS[match["w"]], match, True)
            continue
        if match["k"]:
            hours = _value_en(match["k"]) * _HOURS[match["v"].rstrip("s")]
            add("rate", 24 / hours, match, True)
            continue
        said = match["n"]
        number = {"once": 1.0, "twice": 2.0, "thrice": 3.0}.get(said)
        lower = _LOWER.search(folded, max(0, match.start() - 12), match.start())
        if number is None:
            first = re.match(_N, said)
            number = _value_en(first.group()) if first else 1.0
        if lower is not None:  # once or twice; three, four times
            least = 1.0 if lower["n"] == "once" else _value_en(lower["n"])
            number = (number + least) / 2 if least < number else number
        add("rate", number * 24 / _HOURS[match["u"]], match, True)
    for match in each(_TIME_EN):
        unit = match.group(3).rstrip("s")
        value = _value_en(match["n"])
        if match["old"]:
            add("age", value * _HOURS[unit] / 8766, match)
            continue
        if (
            match["n"] in ("a", "an")
            and folded.endswith("in ", 0, match.start())
            and _IN_A.search(folded, max(0, match.start() - 40), match.start() - 3)
        ):
            continue  # ten trips in a day
        if (
            match["n"] in ("a", "an")
            and unit in ("day", "night")
            and not _LASTS.search(folded, max(0, match.start() - 14), match.start() + 1)
            and not folded.startswith(" ago", match.end())
        ):
            continue  # "what a day", "twice a day"
        if match["n"] in ("one", "a", "an", "half a") and unit in ("second", "sec", "minute", "min"):
            continue
        if (
            match["n"] == "one"
            and unit in ("day", "night", "minute", "second")
            and not folded.startswith(" ago", match.end())
            and not _LASTS.search(folded, max(0, match.start() - 14), match.start() + 1)
        ):
            continue
        half = 0.5 if " and a half" in match.group() else 0.0
        high = _value_en(match["m"]) if match["m"] else value
        add(
            "time",
            (value + high + 2 * half) / 2 * _HOURS[unit],
            match,
            match["n"] in ("a", "an", "couple of", "a couple of") or high != value,
        )
    for match in _FEW_EN.finditer(folded) if "few " in folded else ():
        add("few", _HOURS[match["u"]], match, True)
    for match in _FOR_SOME_EN.finditer(folded) if _UNITS_SOME.search(folded) else ():
        add("few", _HOURS[match["u"] or match["v"]], match, True)
    for match in each(_UNITS_EN):
        kind = match.lastgroup or "count"
        value = _value_en(match["n"])
        if kind == "count" and value == 1 and not match["count"].startswith(("pillow", "pack", "bottle", "pint")):
            continue
        add(
            kind,
            value
            * (
                0.001
                if match[kind] in ("g", "gram", "grams")
                else 0.4536
                if match[kind].startswith(("pound", "lb"))
                else 6.35
                if match[kind] == "stone"
                else 1
            ),
            match,
        )
    if " over " in folded:
        for match in _PRESSURE_WORDS.finditer(folded):
            add("pressure", _hundreds(match["n"]), match)
    for match in _AT_AGE.finditer(folded) if "at " in folded or "aged" in folded else ():
        add("bare", _value_en(match["n"]), match)
    for match in _TWICE.finditer(folded) if "ice" in folded or "once" in folded else ():
        add("count", _TIMES.get(match.group(), 1.0), match)
    for match in _AGO_EN.finditer(folded) if _DATES.search(folded) else ():
        add("ago", AGO[match.lastgroup or "today"], match, True)
    return found
