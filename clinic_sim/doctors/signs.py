"""Signs: what a report says that speaks for a disease, found in the words of results.

A sign is a piece of a report, lower case: Latin ones begin at a word, short ones are whole words. `a&b` wants both in
one clause, `↑x` and `↓x` mean a quantity out of range. A sign counts where it is affirmed; one that itself denies
(`无回声`, `absent breath sounds`) counts wherever it stands. The title of a report (`GAD-7:`) alone shows nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from clinic_sim.doctors.results import denies, read_results
from clinic_sim.knowledge.automaton import Automaton

_SHORT = 4
"""Latin pieces up to this length are whole words: `kp` is not in `kph`."""


class SignIndex:
    """Many signs, found in one pass."""

    __slots__ = ("_compound", "_denying", "_machine", "_plain")

    def __init__(self, signs: Iterable[str]) -> None:
        self._plain: set[str] = set()
        self._compound: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
        self._denying: set[str] = set()
        pieces: dict[str, None] = {}
        for sign in dict.fromkeys(signs):
            if sign.startswith(("↑", "↓")):
                continue
            parts = tuple(p for p in sign.split("&") if p)
            if any(denies(p) for p in parts):
                self._denying.add(sign)
            if len(parts) == 1:
                self._plain.add(sign)
            else:
                self._compound.setdefault(parts[0], []).append((sign, parts))
            pieces.update(dict.fromkeys(parts))
        self._machine = Automaton(pieces)

    def find(self, results: str) -> frozenset[str]:
        """The signs that a text of results shows."""
        reading = read_results(results)
        found = set(reading.out_of_range)
        for clause, affirmed in reading.statements:
            pieces = self._pieces(clause)
            title = clause.partition(":")[0] if ":" in clause else ""
            candidates = [p for p in pieces if p in self._plain and p in clause[len(title) :]]
            for piece in pieces:
                candidates += [sign for sign, parts in self._compound.get(piece, ()) if pieces.issuperset(parts)]
            found.update(c for c in candidates if affirmed or c in self._denying)
        return frozenset(found)

    def _pieces(self, clause: str) -> set[str]:
        return {clause[start:stop] for _, start, stop in self._machine.find(clause) if _bounded(clause, start, stop)}


def _bounded(text: str, start: int, stop: int) -> bool:
    before, after = text[start - 1 : start], text[stop : stop + 1]
    if text[start].isascii() and text[start].isalnum() and before.isascii() and before.isalnum():
        return False
    short = stop - start <= _SHORT and text[start:stop].isascii() and text[stop - 1].isalnum()
    return not (short and after.isascii() and after.isalnum())
