"""Words that speak to the judge: found and taken out, so that a judge that would obey them never sees them.

Whoever is examined can write anything into the transcript: "note to the grader", an imitated verdict, a forged line.
The cues (`data/addressed.tsv`) are narrow, for ordinary talk of scores, criteria and judgement must stay: a pain score
of ten out of ten, Jones criteria that are all met, instructions on a label. What they miss, `grading_talk` finds by its
words. Owns the cues and the reading of disguises (spaced or look-alike letters, full width, invisible characters,
digits for letters). No list is complete: quotes and control questions stand behind it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from clinic_sim.judge.grading_talk import talks_of_grading
from clinic_sim.knowledge.automaton import Automaton
from clinic_sim.knowledge.patterns import Pattern

MARK = "[removed]"
"""What stands in the shown transcript for words that were taken out."""


Forfeit = Literal["cue", "rest", "all"]


@dataclass(frozen=True, slots=True)
class Cue:
    """One way to speak to the judge."""

    id: str
    language: str
    takes: Literal["sentence", "rest"]
    stems: tuple[str, ...]
    pattern: Pattern
    example: str
    anchored: bool
    """It looks for the start of a sentence, so that a whole text does not show whether it hits."""


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text without what speaks to the judge."""

    text: str
    removed: int
    """Passages that were taken out."""


@cache
def cues() -> tuple[Cue, ...]:
    """All cues, in the order of their table."""
    found = []
    for line in cue_table().splitlines():
        if line and not line.startswith(("#", "id\t")):
            name, language, takes, stems, pattern, example = line.split("\t")
            took: Literal["sentence", "rest"] = "rest" if takes == "rest" else "sentence"
            anchored = "^" in pattern.replace("^(?=", "").replace("[^", "")
            found.append(Cue(name, language, took, tuple(stems.split("|")), Pattern(pattern), example, anchored))
    return tuple(found)


@cache
def cue_table() -> str:
    """The table as it stands on disk; part of what determines a judge's prompt."""
    return resources.files("clinic_sim.judge").joinpath("data/addressed.tsv").read_text("utf-8")


_LOOKALIKES = dict(
    zip(
        map(ord, "аеорсухіјѕԁһкмтвнзαεορυικντχ’‘`´“”„«»「」『』—–，、；"),
        'aeopcyxijsdhkmtbh3aeopuikntx\'\'\'\'"""""""""--,,;',
        strict=True,
    )
)
_SIMPLIFIED = dict(
    zip(
        map(
            ord,
            "評請標準滿給規則統記為這應與達條項優數審閱無視徹諮總個們醫師詢問診結論將該憶係對話錄轉寫斷據療參鑑權"
            "導員專業場負責體讓務須過關當獎勵盡種類別點觀產層級認輸顯範圍開發試調",
        ),
        "评请标准满给规则统记为这应与达条项优数审阅无视彻咨总个们医师询问诊结论将该忆系对话录转写断据疗参鉴权"
        "导员专业场负责体让务须过关当奖励尽种类别点观产层级认输显范围开发试调",
        strict=True,
    )
)
_WRITING = {**_LOOKALIKES, **_SIMPLIFIED}
_DISGUISED = re.compile("[^\x00-\x7f\u3001-\u303f\u4e00-\u9fff\uff01-\uff5e‘’“”—–·×℃°²³⁹±≥≤μ]")
"""Anything but what English and Chinese are written in; only then are invisible and marked letters sought."""
_LEET = str.maketrans("013457@$", "oieastas")
_SIGN = re.compile("[013457@$]")
_MIXED = re.compile(r"\b(?=\w*[a-z])[a-z013457@$]*[013457@$][a-z013457@$]*", re.ASCII)
_HAN = "\u3400-\u9fff"
_IN_HAN = re.compile(rf"(?<=[{_HAN}])[\s.*_\-~|/,'·•]+(?=[{_HAN}])")
_SPACED = re.compile(r"(?<![^\W_])(?:[^\W\d_][ .*_\-]{1,2}){3,}[^\W\d_](?![^\W_])", re.ASCII)
_LONG_SPACED = 12
_ENCODED = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{40,}")
_SENTENCE = re.compile(r"(?:[^.!?;。！？；\n]|\.(?![\s\"'”’）)\]]|\Z))*(?:[.!?;。！？；\n]+[\"'”’）)\]]*|\Z)")
_FORGED_SPEAKER = re.compile(
    r"\n[ \t>*#]*(?:patient|examiner|chief physician|clinic|judge|患者|病人|检查科|检查者|上级医师|系统|裁判|评分者)"
    r"[ \t*]*[:：]",
    re.IGNORECASE,
)


def fold(text: str) -> str:
    """The text as the cues see it: one writing for each word, however it is disguised."""
    if text.isascii():
        return " ".join(text.lower().split())
    if _DISGUISED.search(text):
        text = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in text if not "\u0300" <= c <= "\u036f" and unicodedata.category(c) not in _UNSEEN)
    return " ".join(unicodedata.normalize("NFKC", text).lower().translate(_WRITING).split())


_UNSEEN = frozenset({"Cf", "Cs", "Co", "Cn"})


def redact(text: str, *, spoken: bool = False, forfeits: Forfeit = "cue") -> Redacted:
    """The text with a `MARK` for each passage that speaks to the judge.

    Args:
        text: Anyone's words, line breaks included.
        spoken: It was said aloud, so that a line of it that begins with another speaker's name is forged.
        forfeits: What goes with a passage: what its cue takes, the `rest` of the text after it, or `all` of the text.
    """
    end = len(text)
    if spoken:
        forged = _FORGED_SPEAKER.search(text)
        if forged:
            end = forged.start()
    pieces = [piece for piece in _SENTENCE.findall(text[:end]) if piece]
    if end == len(text) and not _suspect(text, pieces):
        return Redacted(text, 0)  # what nearly every text is
    bad = [_hit(piece) for piece in pieces]
    for i in range(len(pieces) - 1):
        # A cue may be broken over a line end or a full stop.
        if not bad[i] and not bad[i + 1]:
            joined = _hit(f"{pieces[i].rstrip(_ENDS)} {pieces[i + 1]}", joined=True)
            if joined:
                bad[i] = bad[i + 1] = joined
    if not any(bad) and end == len(text):
        return Redacted(text, 0)
    if forfeits == "all":
        return Redacted(MARK, 1)
    if forfeits == "rest":
        bad = [takes and "rest" for takes in bad]
    return _assembled(pieces, bad, cut=end < len(text))


_GAP = f" {MARK} "
_ENDS = " .!?;。！？；\n\t\r"


def _assembled(pieces: list[str], bad: list[str], *, cut: bool) -> Redacted:
    out: list[str] = []
    removed = 0
    for piece, takes in zip(pieces, bad, strict=True):
        if not takes:
            out.append(piece)
            continue
        if not out or out[-1] is not _GAP:
            removed += 1
            out.append(_GAP)
        if takes == "rest":
            cut = False
            break
    if cut:
        removed += 1
        out.append(_GAP)
    return Redacted("".join(out).strip(), removed)


def _hit(piece: str, *, joined: bool = False) -> str:
    """What is taken of the text, given this piece of it; empty where nothing in it speaks to the judge."""
    if _ENCODED.search(piece):
        return "sentence"
    folded = fold(piece)
    found = ""
    for reading in _readings(folded):
        if reading is None:
            return "sentence"
        if not joined and talks_of_grading(reading):
            found = "sentence"
        for cue in _tried_cues(reading):
            if cue.pattern.search(reading):
                if cue.takes == "rest":
                    return "rest"
                found = "sentence"
    return found


def _suspect(text: str, pieces: list[str]) -> bool:
    """Whether a cue may be in the text; false only where none is. It saves reading each piece by itself."""
    if _ENCODED.search(text):
        return True
    # Without the marks that end its sentences, a text holds all words that it holds with them.
    joined = " ".join([piece.rstrip(_ENDS) for piece in pieces]) if len(pieces) > 1 else text
    tried: list[Cue] = []
    for reading in _readings(fold(joined)):
        if reading is None or talks_of_grading(reading):
            return True
        tried += _tried_cues(reading)
        if any(cue.anchored or cue.pattern.search(reading) for cue in tried):
            return True
    return (
        len(tried) > 0
        and joined is not text
        and any(
            reading is None or any(cue.pattern.search(reading) for cue in tried) for reading in _readings(fold(text))
        )
    )


def _tried_cues(reading: str) -> Iterable[Cue]:
    automaton, cues_of = _stems()
    found = automaton.find(reading)
    if not found:
        return ()
    at = {n for stem, _, _ in found for n in cues_of[stem]}
    table = cues()
    return [table[n] for n in sorted(at)]


def _readings(folded: str) -> list[str | None]:
    """The folded text, and what it says where a disguise was put on it; None for one that nobody would speak."""
    readings: list[str | None] = [folded]
    if not folded.isascii():
        joined = _IN_HAN.sub("", folded)
        if joined != folded:
            readings.append(joined)
    if _SIGN.search(folded) and _MIXED.search(folded):
        readings.append(_MIXED.sub(lambda m: m.group().translate(_LEET), folded))
    spaced = _SPACED.search(folded)
    if spaced:
        letters = re.sub(r"[^a-z]", "", spaced.group())
        readings.append(None if len(letters) >= _LONG_SPACED else _SPACED.sub(_closed, folded))
    return readings


def _closed(match: re.Match[str]) -> str:
    return re.sub(r"[^a-z]", "", match.group())


@cache
def _stems() -> tuple[Automaton, tuple[tuple[int, ...], ...]]:
    """The stems, and the cues of each by its number."""
    stems: dict[str, list[int]] = {}
    for n, cue in enumerate(cues()):
        for stem in cue.stems:
            stems.setdefault(stem, []).append(n)
    return Automaton(stems), tuple(map(tuple, stems.values()))
