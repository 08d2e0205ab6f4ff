"""Everything that a patient's words can name, found in one pass a language.

The terms of records and what patients say for them, the names of diseases, medicines and operations, of examinations
and of what only they show, and the parts of the body with what goes wrong in them. One lexicon, so that the longest
name wins over all kinds: "heart attack" is a disease and "my heart sank" is nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from clinic_sim.knowledge import diagnosis_index, icd10, treatment_lexicon
from clinic_sim.knowledge.concepts import ontology
from clinic_sim.knowledge.concepts import rows as knowledge_rows
from clinic_sim.knowledge.exam_catalogue import catalogue
from clinic_sim.knowledge.matcher import Matcher, build
from clinic_sim.knowledge.scan import Mention, compose
from clinic_sim.knowledge.text import Language, fold

PLAIN = "_"
"""Words that claim nothing."""
CLAIM = "claim."
"""Put before a concept of history or habits where the words claim it, not merely touch it."""
_LONGEST_TITLE = 5
_SHORT = re.compile(r"[A-Z][A-Za-z]?[A-Z0-9/\-]{0,5}s?")
_NO_DISEASE = ("R", "Z", "V", "W", "X", "Y", "S", "T", "U")
_KINDS = frozenset({"laboratory", "imaging", "pathology", "procedure", "function"})


_CLAIMS = frozenset({"hx.smoking", "hx.alcohol", "hx.substance", "hx.transfusion", "hx.miscarriage", "hx.allergy"})
"""Histories and habits whose every term claims them."""


class Contrast(NamedTuple):
    """One value of an attribute."""

    attribute: str
    value: str
    strict: bool
    """A value that no fact gives is an invention."""


def table(name: str) -> list[list[str]]:
    """The rows of a table of this folder, without its comments and its header line."""
    text = files("clinic_sim.clinic.patient").joinpath("data", name).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [line.split("\t") for line in lines[1:]]


_EVERYDAY = frozenset(
    """same sama bathing cane brace bran cart dentist dressing exercise fasting glasses gp graft ice lama lime mobic operate
    oxygen patching peg physio plaster plating platinum poem price prone rehab resting rice salvia sling soaks spacer
    splint stitches sunblock surgeon taper tare taxis tips tens total traction walker warming warmth wig workup yoga chop
    concerta colloid detox descend dot fess hospice cage fast fit arsenic lead copper mercury stool sodium clotting smear
    hormones torch trop focus rhesus bands spect echo corn boil crabs felon mole scar twins pinta plague gargle massage
    swimming exercises walking rest fluids water oncology urology recheck reassess referral admit walk hug relax reglan
    vitamins calcium glucose urea hormone blasts casts bicarb iron price move moving stop start diet sleep breathe air
    cut cuts burn burns shock lump cold strain sprain bruise rash fever cough pain itch spots delivery birth labour labor
    休息 喝水 散步 运动 锻炼 活动 睡觉 吃饭 热敷 冷敷 按摩 游泳 戒烟 戒酒 抬高 观察 随访 复查 上班 护理 陪护 饮食 忌口 多喝水""".split()
)
"""Names of treatments, examinations and diseases that are words of everyday speech as well."""


def _forms(language: Language) -> Iterator[tuple[str, str]]:
    column = 1 if language == "en" else 2
    for row in table("spoken.tsv"):
        id_ = CLAIM + row[0] if row[0].startswith("hx.") else row[0]
        for form in row[column].split("|"):
            yield form, id_
    for id_, listed in knowledge_rows(f"terms_{language}.tsv"):
        for form in listed.split("|"):
            yield form, id_
            if id_ in _CLAIMS:
                yield form, CLAIM + id_
    for concept in treatment_lexicon.concepts().values():
        for form in concept.names_en if language == "en" else concept.names_zh:
            if not any(c.isdigit() for c in form) and fold(form) not in _EVERYDAY:
                yield form, f"tx:{concept.id}"
    for exam in catalogue():
        if exam.kind.value in _KINDS:
            names = (
                (exam.name_en, *exam.synonyms_en) if language == "en" else (exam.name_zh, *exam.synonyms_zh)
            )
            for form in names:
                if not form.startswith("~") and not any(c.isdigit() for c in form) and fold(form).strip("^") not in _EVERYDAY and len(form) > (3 if language == "en" else 1):
                    yield form.removeprefix("^"), f"exam:{exam.code}"


def _diseases(language: Language, known: set[str]) -> Iterator[tuple[str, str]]:
    """Names of diseases; not those that are a symptom's, nor capitals that are words too."""
    forms: list[diagnosis_index.Form] = list(diagnosis_index.table_forms(language))
    if language == "en":
        forms += [
            f
            for f in diagnosis_index.title_forms()
            if f.source == diagnosis_index.TITLE and 1 < len(f.name.split()) <= _LONGEST_TITLE and f.name.isascii()
        ]
    for form in forms:
        if form.code[0] in _NO_DISEASE or form.code[:2] == "O8" or fold(form.name) in _EVERYDAY or fold(form.name) in known or _SHORT.fullmatch(form.name):
            continue
        if len(form.name) > (3 if language == "en" else 1):
            yield form.name, f"icd:{form.code}"


@cache
def spoken(language: Language) -> Matcher:
    """What a patient's words can name in a language."""
    forms: dict[str, list[str]] = {}
    for form, id_ in _forms(language):
        forms.setdefault(form, []).append(id_)
    # What is a symptom's name, a part's or plain speech is no name of a disease as well.
    felt = {fold(f) for f, ids in forms.items() if any(i == PLAIN or i.startswith(("sx.", "hx.", "site.", "attr.")) for i in ids)}
    for form, id_ in _diseases(language, felt):
        forms.setdefault(form, []).append(id_)
    return build(language, [(form, tuple(dict.fromkeys(ids))) for form, ids in forms.items()])


@cache
def abbreviations() -> dict[str, str]:
    """Abbreviations of diseases, as they are written, to codes."""
    found: dict[str, str] = {}
    for language in ("en", "zh"):
        for form in diagnosis_index.table_forms(language):
            if _SHORT.fullmatch(form.name) and len(form.name) > 1 and form.code[0] not in _NO_DISEASE:
                found.setdefault(form.name, form.code)
    return {name: code for name, code in found.items() if name not in _WORDS_TOO}


_WORDS_TOO = frozenset({"AS", "IE", "UC", "OA", "ODD", "ADD", "AF", "CIN", "ME", "MASH", "NASH", "POTS", "PE", "PAN", "US", "IT", "ALL", "IDA", "HIT", "LAM", "CAP", "HAP", "MAT", "CUP", "AIDS", "AN", "AM", "PM", "PT", "OK", "TV", "ER", "ICU", "GP", "UK", "USA", "NHS", "OCD"}) - {"OCD", "POTS", "IDA", "UC", "AF", "PE", "AIDS"}
_CAPITALS = re.compile(r"\b[A-Z][A-Za-z]?[A-Z0-9]{1,5}s?\b")


@cache
def contrasts(language: Language) -> Matcher:
    """The values of attributes that words give."""
    column = 3 if language == "en" else 4
    return build(
        language,
        [(form, (f"{row[0]}={row[2]}",)) for row in table("contrasts.tsv") for form in row[column].split("|") if form],
    )


@cache
def contrast(id_: str) -> Contrast:
    """The value of an id that `contrasts` finds."""
    attribute, _, value = id_.partition("=")
    strict = any(row[0] == attribute and row[1] == "x" for row in table("contrasts.tsv"))
    return Contrast(attribute, value, strict)


def mentions(text: str, folded: str, *, english: bool, chinese: bool) -> list[Mention]:
    """Everything named in text, in order; sites joined with the findings beside them."""
    found: list[Mention] = []
    languages: Iterable[Language] = [*(("en",) if english else ()), *(("zh",) if chinese else ())]  # type: ignore[list-item]
    for language in languages:
        for start, end, ids in spoken(language).find(folded):
            if PLAIN in ids:
                continue
            found.extend(Mention(start, end, id_) for id_ in ids)
    if len(languages) > 1:  # type: ignore[arg-type]
        found.sort()
    known = ontology().concepts
    named = [m for m in found if m.id in known]
    composed = compose(named, folded) if len(named) > 1 else named
    rest = [m for m in found if m.id not in known]
    if english and not text.islower():
        short = abbreviations()
        shouting = text.isupper()
        for match in _CAPITALS.finditer(text):
            code = short.get(match.group())
            if code is not None and not (shouting and len(match.group()) < 4):
                rest.append(Mention(match.start(), match.end(), f"icd:{code}"))
    return sorted([*composed, *rest])


def organ_codes(organ: str) -> tuple[str, ...]:
    """How the ICD-10 codes of an organ's diseases begin."""
    return _ORGANS[organ]


_ORGANS: dict[str, tuple[str, ...]] = {
    "heart": ("I0", "I1", "I2", "I3", "I4", "I5", "Q2"),
    "vessel": ("I", "M3"),
    "brain": ("I6", "G", "C70", "C71", "D32", "D33", "A17", "A39", "A8", "F0", "S06"),
    "lung": ("J", "I26", "I27", "A15", "A16", "C34", "C45", "P2", "E84", "D86", "S27"),
    "appendix": ("K35", "K36", "K37", "K38"),
    "gall": ("K8", "C23", "C24"),
    "pancreas": ("K85", "K86", "C25", "E10"),
    "liver": ("K7", "B15", "B16", "B17", "B18", "B19", "C22", "E83", "E80"),
    "stomach": ("K2", "K3", "C15", "C16", "I85", "Q40"),
    "bowel": ("K5", "K6", "K9", "K4", "A0", "C18", "C19", "C20", "Q4", "K35"),
    "kidney": ("N0", "N1", "N2", "N3", "C64", "C67", "Q6"),
    "thyroid": ("E0", "E2", "C73", "D35"),
    "joint": ("M", "S", "T0", "C40", "C90", "C81", "C85", "C91", "C92"),
    "nerve": ("G", "M5", "B02"),
    "womb": ("N7", "N8", "N9", "O", "C5", "D25"),
    "prostate": ("N4", "C6"),
    "breast": ("C50", "N6", "D24"),
    "blood": ("D", "C8", "C9", "A4", "I8", "M3", "E1"),
    "eye": ("H0", "H1", "H2", "H3", "H4", "H5"),
    "ear": ("H6", "H7", "H8", "H9"),
}
"""The diseases of each `organ.` of `spoken.tsv`, roughly: what decides is whether they are near the reference."""


@cache
def category_of(code: str) -> str:
    """The category of a code."""
    return icd10.category(code)
