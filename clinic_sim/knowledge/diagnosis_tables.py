"""What diagnoses are called: the names of our tables and the official titles, a code at a time or all of them.

Owns `data/icd10_en.tsv` and every `data/icd10_zh*.tsv`. Whoever asks for the names of a few codes (a patient's guard, a
scorecard) must not pay for thousands: tables are kept as they are written and read where they are asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from clinic_sim.errors import ConfigError
from clinic_sim.knowledge import icd10
from clinic_sim.knowledge.building import uncollected
from clinic_sim.knowledge.diagnosis_words import alternatives, table_lines, table_rows
from clinic_sim.knowledge.packed import Texts

TABLE, TITLE, REMAINDER = 0, 1, 2
"""Where a name comes from, the better first: our tables, an official title, one that says `other` or `unspecified`."""


class Form(NamedTuple):
    """One name of one code."""

    code: str
    name: str
    source: int


def table_forms(language: str, *, ascii_only: bool = False) -> Iterator[Form]:
    """The names of our tables in their order, a code's preferred name first; only those in ASCII where so asked.

    Raises:
        ConfigError: a row has more columns than its table, or stands under what is no code.
    """
    for table in _tables(language):
        _check(table, 2 if language == "en" else 3)
        for _, line in table_lines(table):
            code, _, names = line.partition("\t")
            code = code.strip()
            for name in alternatives(names.replace("\t", "|")):
                if not ascii_only or name.isascii():
                    yield Form(code, name, TABLE)


@cache
def _check(table: str, columns: int) -> None:
    """Refuse a table that is not in order; once, for it is gone through many times."""
    for _, line in table_lines(table):
        if line.count("\t") >= columns or not icd10.is_valid(line.partition("\t")[0].strip()):
            break
    else:
        return
    for where, (code, *_) in table_rows(table, columns):
        if not icd10.is_valid(code):
            raise ConfigError(f"{where}: {code!r} is no category or subcategory of the WHO ICD-10 (2019)")


def table_names(code: str, language: str) -> tuple[str, ...]:
    """The names of our tables for one code, the preferred first."""
    return alternatives(_cells(language).get(code) or "")


@cache
@uncollected
def _cells(language: str) -> Texts:
    """The names of each code as its row has them, in one string."""
    found: dict[str, str] = {}
    for table in _tables(language):
        for _, line in table_lines(table):
            code, _, names = line.partition("\t")
            code, names = code.strip(), names.replace("\t", "|")
            found[code] = f"{found[code]}|{names}" if code in found else names
    return Texts(found)


def _tables(language: str) -> list[str]:
    if language == "en":
        return ["icd10_en.tsv"]
    folder = files("clinic_sim.knowledge").joinpath("data")
    return sorted(f.name for f in folder.iterdir() if re.fullmatch(r"icd10_zh\w*\.tsv", f.name))


_NOISE = re.compile(r"\[[^\]]*\]|\([^)]*\)|, (?:not )?elsewhere classified|, so stated|, so described")
_REMAINDER = re.compile(r"\b(?:other and unspecified|unspecified|other specified|other|specified)\b|, ?$")
_SITE_ONLY = re.compile(r"^malignant neoplasm: |^carcinoma in situ: |^benign neoplasm: ", re.IGNORECASE)


def title_form(code: str) -> Form | None:
    """The official title as a name, without what only a classifier writes; None for external causes and reserved
    codes."""
    return _named(code, icd10.title(code)) if icd10.is_valid(code) else None


def _named(code: str, title: str) -> Form | None:
    if code[0] in "VWXYU" or len(code) > 5:
        return None
    plain = title
    # The searches are the greater part of reading the book, and most titles hold none of what they look for.
    if "(" in plain or "[" in plain or "," in plain:
        plain = _NOISE.sub("", plain)
    if ": " in plain and _SITE_ONLY.match(plain):
        plain = plain.replace(": ", " of ")
    name = plain.lower()
    remainder = "other" in name or "specified" in name or name.endswith((",", ", "))
    if remainder:
        name, count = _REMAINDER.subn(" ", name)
        remainder = count > 0
    name = " ".join(name.replace(" : ", " ").split()).strip(" ,:")
    return Form(code, name, REMAINDER if remainder else TITLE) if name else None


def title_forms() -> Iterator[Form]:
    """The official titles as names, in the order of the book."""
    for code, title in icd10.items().titles():
        form = _named(code, title) if icd10.is_written(code) else None
        if form is not None:
            yield form


def only_titled(name: str, likely: Sequence[str] = ()) -> bool:
    """Whether only an official title gives this name, and no row of our English table.

    Args:
        likely: Codes whose names are looked at before all others.
    """
    if name != name.lower() or any(name in table_names(code, "en") for code in likely):
        return False
    if any(name in alternatives(cells) for _, cells in _cells("en").holding(name)):
        return False
    return any(_titled(code, name) for code in likely) or any(_titled(code, name) for code in _candidates(name))


def _candidates(name: str) -> Iterator[str]:
    """Codes whose titles may give a name: a word of it stands there, unless a bracket was taken out of its middle."""
    longest = max(name.split(), key=len, default="")
    for code, title in icd10.items().titles():
        lowered = title.lower()
        if longest in lowered or "(" in lowered or "[" in lowered:
            yield code


def _titled(code: str, name: str) -> bool:
    form = title_form(code)
    return form is not None and form.name == name
