"""The words diagnoses are made of: equal spellings, modifiers, hedges, links, sites and what is wrong there.

Owns `data/diagnosis_words.tsv` and its reading; what the words do to a text is the other `diagnosis_*` modules'.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

from clinic_sim.errors import ConfigError

Certainty = Literal["stated", "likely", "possible", "ruled_out"]

_HEDGES: tuple[Certainty, ...] = ("ruled_out", "possible", "likely")
_KINDS = frozenset(
    ("equal", "modifier", "weak", "hedge", "leadin", "link", "contrast", "type", "generic", "site", "head", "code")
)


class Row(NamedTuple):
    """One line of a table, its place kept for messages."""

    where: str
    cells: tuple[str, ...]


def table_rows(name: str, columns: int) -> Iterator[Row]:
    """The rows of `data/<name>` after its header, without blank and comment lines; short rows are filled up."""
    for number, line in table_lines(name):
        cells = tuple(cell.strip() for cell in line.split("\t"))
        if len(cells) > columns:
            raise ConfigError(
                f"{name} line {number}: {len(cells)} columns where {columns} are expected; check the tabs"
            )
        yield Row(f"{name} line {number}", cells + ("",) * (columns - len(cells)))


def table_lines(name: str) -> Iterator[tuple[int, str]]:
    """The same rows as they are written, each with its number."""
    text = files("clinic_sim.knowledge").joinpath("data", name).read_text(encoding="utf-8")
    header_seen = False
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if header_seen:
            yield number, line
        header_seen = True


def alternatives(cell: str) -> tuple[str, ...]:
    """The `|`-separated forms of a cell, empty ones left out."""
    return tuple(form for form in (part.strip() for part in cell.split("|")) if form)


class Hedge(NamedTuple):
    """Words that say how sure the writer is."""

    words: str
    certainty: Certainty
    before: bool
    """Whether they stand before the diagnosis, as `possible` does, or after it, as `待查` does."""


@dataclass(frozen=True, slots=True)
class Words:
    """`diagnosis_words.tsv` in memory; tuples are longest first."""

    equal_en: dict[str, str]
    """An English word to the word that stands for it."""
    equal_zh: dict[str, str]
    """A Chinese spelling inside a name to the canonical one."""
    modifiers_en: dict[str, str]
    """A word that may be left out to its class (side, course, severity, ...)."""
    modifiers_zh: dict[str, str]
    weak: frozenset[str]
    """English words that name almost nothing alone."""
    stop: frozenset[str]
    """English words that name nothing."""
    hedges_en: tuple[Hedge, ...]
    hedges_zh: tuple[Hedge, ...]
    leadins_en: tuple[str, ...]
    leadins_zh: tuple[str, ...]
    links_en: tuple[str, ...]
    links_zh: tuple[str, ...]
    contrasts: tuple[tuple[str, ...], ...]
    """Groups of which two Chinese names of one disease have the same members."""
    types: dict[str, str]
    """The last part of a Chinese name to the type of disease that it says."""
    generic_en: frozenset[str]
    generic_zh: frozenset[str]
    sites_en: dict[str, str]
    sites_zh: dict[str, str]
    parents: dict[str, str]
    heads_en: dict[str, str]
    heads_zh: dict[str, str]
    codes: dict[tuple[str, str], str]
    """(head, site) to the code of what is wrong there; the site `*` is anywhere."""

    def code_of(self, head: str, site: str) -> str | None:
        """The code of a head at a site, else at the nearest parent of the site that has one."""
        at: str | None = site
        while at is not None:
            code = self.codes.get((head, at))
            if code is not None:
                return code
            at = self.parents.get(at)
        return None


class _Entry(NamedTuple):
    id: str
    en: tuple[str, ...]
    zh: tuple[str, ...]


@cache
def words() -> Words:
    """The table of words, read once."""
    by_kind: dict[str, list[_Entry]] = defaultdict(list)
    for where, (kind, ident, en, zh) in table_rows("diagnosis_words.tsv", 4):
        if kind not in _KINDS:
            raise ConfigError(f"{where}: kind {kind!r} is none of {', '.join(sorted(_KINDS))}")
        by_kind[kind].append(_Entry(ident, alternatives(en), alternatives(zh)))
    site_ids = {entry.id: entry.id.split("<")[0] for entry in by_kind["site"]}
    return Words(
        equal_en={form: entry.id for entry in by_kind["equal"] if entry.en for form in (*entry.en, entry.id)},
        equal_zh={form: entry.zh[0] for entry in by_kind["equal"] for form in entry.zh},
        modifiers_en={form: entry.id for entry in by_kind["modifier"] for form in entry.en},
        modifiers_zh={form: entry.id for entry in by_kind["modifier"] for form in entry.zh},
        weak=frozenset(form for entry in by_kind["weak"] if entry.id == "weak" for form in entry.en),
        stop=frozenset(form for entry in by_kind["weak"] if entry.id == "stop" for form in entry.en),
        hedges_en=_hedges((entry.id, entry.en) for entry in by_kind["hedge"]),
        hedges_zh=_hedges((entry.id, entry.zh) for entry in by_kind["hedge"]),
        leadins_en=_longest_first(form for entry in by_kind["leadin"] for form in entry.en),
        leadins_zh=_longest_first(form for entry in by_kind["leadin"] for form in entry.zh),
        links_en=_longest_first(form for entry in by_kind["link"] for form in entry.en),
        links_zh=_longest_first(form for entry in by_kind["link"] for form in entry.zh),
        contrasts=tuple(entry.zh for entry in by_kind["contrast"]),
        types={form: entry.id for entry in by_kind["type"] for form in entry.zh},
        generic_en=frozenset(form for entry in by_kind["generic"] for form in entry.en),
        generic_zh=frozenset(form for entry in by_kind["generic"] for form in entry.zh),
        sites_en={form: site_ids[entry.id] for entry in by_kind["site"] for form in entry.en},
        sites_zh={form: site_ids[entry.id] for entry in by_kind["site"] for form in entry.zh},
        parents={site: ident.split("<")[1] for ident, site in site_ids.items() if "<" in ident},
        heads_en={form: entry.id for entry in by_kind["head"] for form in entry.en},
        heads_zh={form: entry.id for entry in by_kind["head"] for form in entry.zh},
        codes={(entry.id, site): code for entry in by_kind["code"] for site, code in (p.split("=") for p in entry.en)},
    )


def _longest_first(forms: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(dict.fromkeys(forms), key=lambda form: (-len(form), form)))


def _hedges(groups: Iterable[tuple[str, tuple[str, ...]]]) -> tuple[Hedge, ...]:
    by_id = dict(groups)
    found = [Hedge(form[1:], certainty, form[0] == "<") for certainty in _HEDGES for form in by_id[certainty]]
    return tuple(sorted(found, key=lambda hedge: (-len(hedge.words), hedge.words)))
