"""What laymen say when they talk around a disease: the organ in plain words, a mechanism, a drug, a nickname.

`data/hints.tsv` lists such words by ICD-10 category. Each is innocent by itself; said of a patient's own disease, where
no fact holds it, it is a sign.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from dataclasses import dataclass
from functools import cache, lru_cache

from clinic_sim.clinic.patient.speech.tables import table
from clinic_sim.knowledge import icd10
from clinic_sim.knowledge.text import fold, stem

_HAN = re.compile("[\u3400-\u9fff]")
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Hints:
    """Words around some diseases, folded."""

    stems: frozenset[str]
    """Of single English words."""
    phrases: tuple[tuple[str, frozenset[str]], ...]
    """Of several English words, between spaces, each with its stems."""
    chinese: tuple[str, ...]

    def count(self, words: str, unlicensed: Set[str]) -> int:
        """How many different ones stand in a sentence, in words of which nothing licenses all.

        Args:
            words: The sentence, folded.
            unlicensed: Its unlicensed words: English stems and pairs of Han characters.
        """
        spaced = f" {' '.join(_WORD.findall(words))} "
        said = len(self.stems & unlicensed)
        said += sum(1 for phrase, stems in self.phrases if phrase in spaced and not unlicensed.isdisjoint(stems))
        for entry in self.chinese:
            if entry in words and any(entry[i : i + 2] in unlicensed for i in range(len(entry) - 1)):
                said += 1
        return said


def hints_at(codes: Set[str]) -> tuple[Hints, Hints]:
    """The hints at diseases, and those at others of the same blocks.

    Args:
        codes: ICD-10 categories.
    """
    return _hints_at(frozenset(codes))


@lru_cache(maxsize=256)
def _hints_at(codes: frozenset[str]) -> tuple[Hints, Hints]:
    rows = _rows()
    blocks = {icd10.block(code) for code in codes}
    own = _read(rows[code] for code in sorted(codes) if code in rows)
    near = _read(row for code, row in rows.items() if code not in codes and icd10.block(code) in blocks)
    return own, near


@cache
def _rows() -> dict[str, tuple[str, str]]:
    return {code: (english, chinese) for code, english, chinese in table("hints.tsv")}


def _read(rows: Iterable[tuple[str, str]]) -> Hints:
    stems: set[str] = set()
    phrases: dict[str, frozenset[str]] = {}
    chinese: set[str] = set()
    for english, han in rows:
        for entry in f"{fold(english)};{fold(han)}".split(";"):
            words = _WORD.findall(entry)
            if _HAN.search(entry):
                chinese.add(entry.strip())
            elif len(words) > 1:
                phrases[f" {' '.join(words)} "] = frozenset(map(stem, words))
            else:
                stems.update(map(stem, words))
    return Hints(frozenset(stems), tuple(sorted(phrases.items())), tuple(sorted(chinese)))
