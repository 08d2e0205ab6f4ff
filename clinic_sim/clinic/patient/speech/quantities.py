"""The numbers that words give, in either language."""

from __future__ import annotations

import re

from clinic_sim.clinic.patient.speech import quantities_en, quantities_zh
from clinic_sim.clinic.patient.speech.quantity import Quantity

_DIGIT = re.compile(r"\d")
_BARE = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w]|\.\d)")


def quantities(folded: str, *, english: bool, chinese: bool) -> list[Quantity]:
    """The numbers of folded text, in order; of two readings of the same words the first kind counts."""
    found: list[Quantity] = []
    if chinese:  # first: a Latin unit after a Chinese number is read whole here
        found += quantities_zh.chinese(folded)
    if english or not chinese:
        found += quantities_en.english(folded)
    if _DIGIT.search(folded):
        found += [Quantity("bare", float(m.group()), m.start(), m.end()) for m in _BARE.finditer(folded)]
    if len(found) < 2:
        return found
    taken: list[Quantity] = []
    for one in found:
        if not any(one.start < other.end and other.start < one.end for other in taken):
            taken.append(one)
    return sorted(taken, key=lambda q: q.start)
