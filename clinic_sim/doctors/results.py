"""Reading reports as a student does: which statements are affirmed, which quantities lie outside their limits.

A report's own range goes first, then its own words (elevated, 降低, an arrow), then the usual adult limits of
`data/analytes.tsv`. A quantity out of range is written `↑key` or `↓key`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

from clinic_sim.knowledge.automaton import Automaton


@dataclass(frozen=True, slots=True)
class Analyte:
    """A quantity that reports give, with its usual limits."""

    key: str
    low: float
    high: float
    factors: dict[str, float]
    """Unit, lower case, to the factor that converts it to the unit of the limits."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one text of results says."""

    statements: tuple[tuple[str, bool], ...]
    """Lower-case clauses, each with whether it is affirmed."""
    out_of_range: frozenset[str]
    """`↑key` and `↓key`."""


_SEAM = re.compile(r"[;。\n•]|,(?!\d)|\.(?=\s|$)|\s(?=without\b|but\b|except\b)|、(?=无|未)")
_SENTENCE = re.compile(r"[;。\n]|\.(?=\s|$)")
_DENIAL_LIST = re.compile(r"\b(?:no|without|denies|negative for|absence of|not)\b[^;。\n]*?\b(?:or|nor)\b[^,;。\n]*")
_DENIED = re.compile(
    r"\b(?:no|not|without|absent|absence|negative|denies|normal|unremarkable|non-?tender|free of|within|intact|clear)\b"
    r"|无|未见|未及|未触|未闻|未引出|未发现|未检出|未出|阴性|正常|否认|没有|不肿大|清楚|[（(]-[)）]|[（(]－[)）]"
)
_MILD = frozenset({"normal", "within", "intact", "clear", "unremarkable"})
"""Words that leave room for what follows: a normal rhythm with ST elevation."""
_NUMBER = re.compile(r"[<>≤≥]?\s*(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)")
_RANGE = re.compile(r"(\d+(?:[.,]\d+)*)\s*(?:-|–|—|~|～|to|至)\s*(\d+(?:[.,]\d+)*)")
_CEILING = re.compile(r"(?:<|≤|up to|less than|小于)\s*(\d+(?:\.\d+)?)")
_HIGH = re.compile(
    r"\b(?:elevated|raised|increased|high|higher|prolonged)\b"
    r"|(?<=\s)h(?=[\s)\]]|$)|↑|升高|增高|偏高|高于|增多|延长"
)
_LOW = re.compile(
    r"\b(?:low|decreased|reduced|lower|suppressed|undetectable)\b"
    r"|(?<=\s)l(?=[\s)\]]|$)|↓|降低|减低|减少|偏低|下降|低于"
)
_NORMAL = re.compile(r"\bnormal\b|within|正常|未见异常")
_UNIT = re.compile(r"\s*(?:[x×*]\s*10\s*[\^⁹]?\s*\d*\s*)?(?:10\^\d+)?[a-zμµ°℃%^/²³0-9]*(?:/[a-z0-9μµ^²³]+)?")
_DIASTOLIC = re.compile(r"[^\d;.]{0,12}\d{2,3}\s*/\s*(\d{2,3})")
_HIGH_DIASTOLIC = 90
_WORD = re.compile(r"[a-z0-9]")
_LIMIT = 40_000
"""Characters of results that are read."""


@lru_cache(maxsize=8_192)
def read_results(text: str) -> Reading:
    """The statements and abnormal quantities of one text of results."""
    folded = unicodedata.normalize("NFKC", text[:_LIMIT]).lower().replace("，", ",").replace("；", ";")
    return Reading(tuple(_statements(folded)), frozenset(_abnormal(folded)))


def _statements(folded: str) -> Iterator[tuple[str, bool]]:
    denied = [m.span() for m in _DENIAL_LIST.finditer(folded)]
    start = 0
    for seam in [*(m.span() for m in _SEAM.finditer(folded)), (len(folded), len(folded))]:
        clause = folded[start : seam[0]].strip()
        if clause:
            inside = any(a < seam[0] and start < b for a, b in denied)
            yield clause, not (inside or denies(clause))
        start = seam[1]


def denies(clause: str) -> bool:
    """A clause that says that something is not there, or is normal."""
    found = _DENIED.search(clause)
    return found is not None and not (found.group() in _MILD and " with " in clause[found.end() :])


def _abnormal(folded: str) -> Iterator[str]:
    names = list(_named(folded))
    for n, (start, end, analyte) in enumerate(names):
        following = names[n + 1][0] if n + 1 < len(names) else len(folded)
        seam = _SENTENCE.search(folded, end)
        stop = min(following, seam.start() if seam else len(folded), end + 90)
        before = folded[max(0, start - 14) : start]
        found = _compared(analyte, before, folded[end:stop])
        if found:
            yield found + analyte.key
        diastolic = _DIASTOLIC.match(folded, end, stop) if analyte.key == "sbp" else None
        if diastolic and int(diastolic.group(1)) >= _HIGH_DIASTOLIC:
            yield "↑dbp"


def _compared(analyte: Analyte, before: str, after: str) -> str:
    number = _NUMBER.search(after)
    if number is None or number.start() > 40:
        return _worded(before, after[:60])
    value = float(number.group(1).replace(",", ""))
    rest = after[number.end() :]
    limits = _RANGE.search(rest)
    if limits and limits.start() < 40:
        low, high = (float(g.replace(",", "")) for g in limits.groups())
        return "↓" if value < low else "↑" if value > high else ""
    ceiling = _CEILING.search(rest)
    if ceiling and ceiling.start() < 25:
        return "↑" if value > float(ceiling.group(1)) else ""
    worded = _worded("", after[:70])
    if worded or _NORMAL.search(rest[:40]):
        return worded
    if analyte.key == "temp" and value > 80:
        value = (value - 32) / 1.8
    unit = _UNIT.match(rest)
    written = unit.group().strip().replace(" ", "") if unit else ""
    factor = analyte.factors.get(written)
    if factor is None:
        factor = next((f for u, f in analyte.factors.items() if u and rest.lstrip().startswith(u)), 1.0)
    value *= factor
    if not analyte.low / 30 <= value <= analyte.high * 200:
        return ""
    return "↓" if value < analyte.low else "↑" if value > analyte.high else ""


def _worded(before: str, after: str) -> str:
    clause = _SEAM.split(after, maxsplit=1)[0]
    high, low = _HIGH.search(clause), _LOW.search(clause)
    if high or low:
        return "↑" if high and (not low or high.start() < low.start()) else "↓"
    tail = before.rsplit(",", 1)[-1]
    return "↑" if _HIGH.search(tail) else "↓" if _LOW.search(tail) else ""


def _named(folded: str) -> Iterator[tuple[int, int, Analyte]]:
    """Quantities in order; of overlapping names the longest."""
    machine, analytes = _names()
    end = 0
    for number, start, stop in sorted(machine.find(folded), key=lambda h: (h[1], -h[2])):
        if start < end or not _bounded(folded, start, stop):
            continue
        end = stop
        yield start, stop, analytes[number]


def _bounded(text: str, start: int, stop: int) -> bool:
    """Latin names are whole words."""
    before, after = text[start - 1 : start], text[stop : stop + 1]
    opens = not (_WORD.match(text[start]) and _WORD.match(before))
    return opens and not (text[stop - 1].isascii() and re.match("[a-z]", after))


@cache
def _names() -> tuple[Automaton, tuple[Analyte, ...]]:
    named: dict[str, Analyte] = {}
    text = resources.files("clinic_sim.doctors").joinpath("data/analytes.tsv").read_text("utf-8")
    for line in [row for row in text.splitlines() if row and not row.startswith("#")][1:]:
        key, names_en, names_zh, low, high, units = line.split("\t")
        factors = {u: float(f or 1) for u, _, f in (unit.partition("=") for unit in units.split("|"))}
        analyte = Analyte(key, float(low), float(high), factors)
        for name in (*names_en.split("|"), *names_zh.split("|")):
            if name:
                named.setdefault(name, analyte)
    return Automaton(named), tuple(named.values())
