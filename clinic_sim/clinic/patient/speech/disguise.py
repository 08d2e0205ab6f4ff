"""A Chinese name of the reference in other clothes: in pinyin, in its initials, masked, or its characters set apart.

Only a name's own characters are looked up, and only when words hold Latin letters or marks among Chinese characters.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from itertools import product
from typing import NamedTuple

from clinic_sim.clinic.patient.speech.tables import table
from clinic_sim.knowledge.patterns import Pattern

_MASK = "[*x某○〇□■#?]"
_MASKED = Pattern(f"[\u3400-\u9fff]{_MASK}|{_MASK}[\u3400-\u9fff]")
_APART = Pattern("[\u3400-\u9fff][^\\w\\s,。;!?][^\\w]{0,2}[\u3400-\u9fff]")
_LATIN = re.compile("[a-z]{2}")
_BETWEEN = "[^a-z\u3400-\u9fff,。;!?]{0,3}"
_LONGEST = 8
"""Characters of a name beyond which nobody spells it out: its shorter names are among the others."""
_MOST_READINGS = 8


@cache
def _syllables() -> tuple[tuple[str, str], ...]:
    return tuple((syllable, characters) for syllable, characters in table("pinyin.tsv"))


@lru_cache(maxsize=512)
def readings(character: str) -> tuple[str, ...]:
    """How a character is read, in Latin letters; nothing for a rare one."""
    found = [syllable for syllable, characters in _syllables() if character in characters]
    return tuple(found + [s.replace("v", "u") for s in found if "v" in s])


@lru_cache(maxsize=512)
def alike_in_sound(character: str) -> str:
    """The other characters that are read like one."""
    found = (c for _, characters in _syllables() if character in characters for c in characters)
    return "".join(c for c in dict.fromkeys(found) if c != character)


class _Spelt(NamedTuple):
    """A name in pinyin, wholly or in part, its syllables run together or apart."""

    syllables: tuple[tuple[str, ...], ...]
    """For each character itself and its readings, the longest first, for they are the rarest: where none of them
    stands, the name does not."""
    pattern: Pattern

    def may_stand(self, folded: str) -> bool:
        """False only where a character is missing: most text is told so, and the pattern is never compiled for it."""
        for ways in self.syllables:
            for way in ways:
                if way in folded:
                    break
            else:
                return False
        return True


@lru_cache(maxsize=256)
def _spelt(names: tuple[str, ...]) -> tuple[_Spelt, ...]:
    """The names that can be written in pinyin."""
    found = []
    for name in names:
        syllables = [readings(c) for c in name]
        if 2 <= len(name) <= _LONGEST and all(syllables):
            parts = [f"(?:{c}|(?:{'|'.join(read)})[1-5]?)" for c, read in zip(name, syllables, strict=True)]
            ways = sorted(zip(name, syllables, strict=True), key=lambda way: -min(map(len, way[1])))
            found.append(
                _Spelt(tuple((c, *read) for c, read in ways), Pattern(f"(?<![a-z])(?:{_BETWEEN.join(parts)})(?![a-z])"))
            )
    return tuple(found)


def _in_pinyin(folded: str, names: tuple[str, ...]) -> re.Match[str] | None:
    """Where the first name stands in pinyin; of those that start together the one that is listed first."""
    found = [m for name in _spelt(names) if name.may_stand(folded) and (m := name.pattern.search(folded)) is not None]
    return min(found, key=re.Match.start, default=None)


@lru_cache(maxsize=256)
def _masked(names: tuple[str, ...]) -> re.Pattern[str] | None:
    """The names with one character masked, or all set apart by marks."""
    forms = []
    for name in names:
        if not 3 <= len(name) <= _LONGEST:
            continue
        forms += [f"{name[:at]}{_MASK}{{1,2}}{name[at + 1 :]}" for at in range(len(name))]
        forms.append("[^\\w]{1,3}".join(name))
    return re.compile("|".join(forms)) if forms else None


@lru_cache(maxsize=256)
def _initials(names: tuple[str, ...]) -> frozenset[str]:
    found: set[str] = set()
    for name in names:
        first = [sorted({syllable[0] for syllable in readings(c)}) for c in name]
        if 3 <= len(name) <= _LONGEST and all(first):
            found.update(["".join(letters) for letters in product(*first)][:_MOST_READINGS])
    return frozenset(found)


_TOKEN = re.compile("(?<![a-z0-9])[a-z]{3,8}(?![a-z0-9])")


def disguised(folded: str, names: tuple[str, ...], *, chinese: bool) -> re.Match[str] | None:
    """The first name in disguise, None where there is none."""
    if _LATIN.search(folded):
        found = _in_pinyin(folded, names)
        if found is not None and _LATIN.search(found.group()):
            return found
        if chinese:
            short = _initials(names)
            for token in _TOKEN.finditer(folded):
                if token.group() in short:
                    return token
    if chinese and (_MASKED.search(folded) or _APART.search(folded)):
        masked = _masked(names)
        return masked.search(folded) if masked is not None else None
    return None
