"""Speech cut into stretches, each with what it does, and denials with their reach."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from clinic_sim.clinic.patient.speech.plain import undisguise
from clinic_sim.clinic.patient.speech.tables import pattern
from clinic_sim.knowledge.text import fold


class Mode(StrEnum):
    """What a stretch of speech does."""

    SAYS = "says"
    ASKS = "asks"
    WISHES = "wishes"  # asks for something to be done, or wonders whether it will be
    UNSURE = "unsure"  # says that the speaker does not know


_BREAK = re.compile(r"[.!?;\n。…]+(?!\d)|--+|\s-\s|—+")


_UNSURE = pattern("unsure")


_WISHES = pattern("wishes")


_QUESTION_ZH = pattern("asks.zh")


_NO_EN = pattern("denies.en")


_END_EN = pattern("denial.ends.en")


_ADJECTIVE = pattern("denial.of.manner")


_NO_ZH = pattern("denies.zh")


_END_ZH = pattern("denial.ends.zh")


_NONE_OF_IT_ZH = pattern("denies.all.zh")


_LIST_ZH = pattern("denies.list.zh")
_BUT_ONCE_ZH = re.compile("一(?:次|回|点儿?|丁点儿?|个|样|天)|半点|我们?|咱们?|他|她|孩子|宝宝|娃")
"""What takes up no more than the clause before it."""
_NO_LIST = re.compile("但|不过|就是|只是|除了|[^没]有|^有|会|老是|得了")


_NEVER_WITHOUT = re.compile(r"\b(?:(?:can|could|do|did|does|wo|would)n'?t|can'?t|cannot|never|unable|hardly)\b")
_CLAUSE_END = re.compile(r"[.,!?;\n]")
_NONE_OF_EN = pattern("denies.all.en")
_SENTENCE_END = re.compile(r"[.!?;\n]")


_RHETORICAL = re.compile("(?:谁|哪个[^,。;!?]{0,3}|哪能|哪有)(?:还|能|都)?$")
_HERE_ZH = 5
_TOWARDS = "往向朝"
"""After 不: of where something does not go, so the denial holds for the clause."""
_THESE_ZH = pattern("denies.these.zh")
"""What takes up a list that stands before it: 这些, 你说的, 我."""


_AFTER_NO = pattern("denied.after")
_WELL = pattern("well.after")


_HAN = re.compile("[\u3400-\u9fff]")


_LATIN_WORD = re.compile("[A-Za-z]{2}")


@dataclass(frozen=True, slots=True)
class Speech:
    """Text ready to be read."""

    text: str
    """Undisguised."""
    folded: str
    chinese: bool
    """Some Han characters are in it."""
    english: bool
    """Some words of two or more Latin letters are in it."""
    starts: tuple[int, ...]
    """Where each stretch begins."""
    modes: tuple[Mode, ...]
    denials: tuple[tuple[int, int], ...]
    """From the end of a denying word to the end of its reach."""

    def stretch(self, at: int) -> int:
        """The number of the stretch that holds a position."""
        return bisect_right(self.starts, at) - 1

    def mode(self, at: int) -> Mode:
        """What the words up to the end of the clause around a position do, within their stretch."""
        n = self.stretch(at)
        mode = self.modes[n]
        if mode is Mode.ASKS or mode is Mode.WISHES:
            until = self.starts[n + 1] if n + 1 < len(self.starts) else len(self.folded)
            end = self.folded.find(",", at, until)
            if end >= 0:
                return _mode(self.folded[self.starts[n] : end])
        return mode

    def stretch_text(self, at: int) -> str:
        """The words of the stretch around a position."""
        n = self.stretch(at)
        return self.folded[self.starts[n] : self.starts[n + 1] if n + 1 < len(self.starts) else None]

    def denied(self, start: int, end: int) -> bool:
        """Whether what stands there is denied, before or after it."""
        for begin, until in self.denials:
            if begin <= start < until:
                between = self.folded[begin:start]
                if not _ADJECTIVE.search(between):
                    return True
        return _AFTER_NO.match(self.folded, end) is not None or _WELL.match(self.folded, end) is not None


_FEARED = pattern("feared")
_FEAR_ENDS = re.compile(r"[,;.!?。\n]|\b(?:because|since|and|but|so|as)\b")


def feared(folded: str, at: int) -> bool:
    """Whether what stands there is only feared, hoped or supposed in its clause."""
    left = max((m.end() for m in _FEAR_ENDS.finditer(folded, 0, at)), default=0)
    return _FEARED.search(folded, left, at) is not None


def hear(text: str) -> Speech:
    """Text as a listener takes it."""
    plain = undisguise(text)
    folded = fold(plain)
    starts = [
        0,
        *(
            mark.end()
            for mark in _BREAK.finditer(folded)
            if mark.end() < len(folded) and not (mark.group() == "." and folded[mark.end()] not in " \n\"'")
        ),
    ]
    ends = [*starts[1:], len(folded)]
    modes = tuple(_mode(folded[a:b]) for a, b in zip(starts, ends, strict=True))
    chinese = _HAN.search(folded) is not None
    english = _LATIN_WORD.search(folded) is not None
    return Speech(plain, folded, chinese, english, tuple(starts), modes, tuple(_denials(folded, chinese, english)))


@lru_cache(maxsize=8_192)
def _mode(words: str) -> Mode:
    if _UNSURE.search(words):
        return Mode.UNSURE
    asks = words.rstrip().endswith("?") or _QUESTION_ZH.search(words.rstrip(" .。!")) is not None
    if _WISHES.search(words):
        return Mode.WISHES
    return Mode.ASKS if asks else Mode.SAYS


def _denials(folded: str, chinese: bool, english: bool) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    if english:
        for cue in _NO_EN.finditer(folded):
            stop = _END_EN.search(folded, cue.end())
            until = stop.start() if stop else len(folded)
            if cue.group() == "without" and _NEVER_WITHOUT.search(_CLAUSE_END.split(folded[: cue.start()])[-1]):
                found = [(a, min(b, cue.start())) for a, b in found]
                continue  # cannot do it without gasping: gasps
            found.append((cue.end(), until))
        for none in _NONE_OF_EN.finditer(folded):
            found.append((none.end(), len(folded[: none.end()]) + len(_SENTENCE_END.split(folded[none.end() :])[0])))
    if chinese:
        for cue in _NO_ZH.finditer(folded):
            if _RHETORICAL.search(folded, max(0, cue.start() - 6), cue.start()):
                continue  # who does not cough now and then
            stop = _END_ZH.search(folded, cue.end())
            until = stop.start() if stop else len(folded)
            if cue.group() == "不" and folded[cue.end() : cue.end() + 1] not in _TOWARDS:
                until = min(until, cue.end() + _HERE_ZH)
            elif cue.group()[-1] in "吃服用":
                until = min(until, cue.end() + 2 * _HERE_ZH)
            found.append((cue.end(), until))
        for none in _NONE_OF_IT_ZH.finditer(folded):
            begin = max(folded.rfind(c, 0, none.start()) for c in "。!?;\n") + 1
            found.append((begin, none.start()))
        for none in _LIST_ZH.finditer(folded):
            begin = max(folded.rfind(c, 0, none.start()) for c in ",。!?;\n") + 1
            if begin and _BUT_ONCE_ZH.fullmatch(folded, begin, none.start()):
                begin = max(folded.rfind(c, 0, begin - 1) for c in ",。!?;\n") + 1
            elif begin and _THESE_ZH.fullmatch(folded, begin, none.start()):  # the list is all that was said
                begin = max(folded.rfind(c, 0, none.start()) for c in "。!?;\n") + 1
            last = 0
            for turn in _NO_LIST.finditer(folded[begin : none.start()]):
                last = turn.end()
            found.append((begin + last, none.start()))
    return found
