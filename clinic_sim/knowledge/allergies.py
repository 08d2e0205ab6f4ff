"""Allergies of a record, English or Chinese, and what they forbid: penicillin in the history, amoxicillin in the plan.

Owns the reading of reactions to medicines and the table of cross-reactivity. Nothing here raises on any text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache

from clinic_sim.knowledge.concepts import rows
from clinic_sim.knowledge.text import clean, fold
from clinic_sim.knowledge.treatment_lexicon import ancestors, concepts
from clinic_sim.knowledge.treatments import read_treatment

CONTRAST = "class.contrast_agent"
_LIMIT = 4_000
_REACTION = re.compile(
    r"allerg|anaphyla|hypersensitiv|\brash\b|hives|urticaria|angio-?o?edema|\b(?:swelling|swelled|swollen)\b|reacted|reaction"
    r"|brings? (?:me|him|her) out|intoleran|过敏|皮疹|起疹|疹子|荨麻疹|风团|肿胀|血管性?水肿|[^水]肿|休克|瘙痒|不耐受"
)
_NOT = re.compile(
    r"\b(?:no|not|never|none|nil|denies|denied|without|negative|nkda|nka|unaware|isn't|aren't|hasn't|haven't)\b"
    r"|tolerat\w*|无|否认|没有|未(?!用)|不过敏|不对|阴性|可耐受|能用"
)
_ALLERGY_WORD = re.compile(r"allerg|anaphyla|hypersensitiv|过敏")
_DISEASE = re.compile(
    r"allergic (?:rhinitis|asthma|conjunctivitis|dermatitis|eczema|purpura|bronchopulmonary)|hay fever"
    r"|过敏性(?:鼻炎|哮喘|结膜炎|皮炎|紫癜|咳嗽|支气管)|hypersensitivity pneumonitis"
)
_SENTENCE = re.compile(r"[.;!?\n](?!\d)|[。；！？]")
_CLAUSE = re.compile(r"[,，]|\b(?:but|however|although|though)\b|但是?|而(?=对)")
_EXCEPT = re.compile(r"\b(?:except(?: for| to)?|other than|apart from|besides)\b")
_EXCEPT_ZH = re.compile(r"除(?P<name>[^，。；,;]{1,20}?)(?:过敏)?(?:之|以)?外")
_TAKES = re.compile(
    r"\b(?:takes|taking|took|uses|using|used|currently|prescribed|started|given|on (?:long|regular))\b"
    r"|服用|口服|使用|正在|目前"
)
"""Speaks of a medicine that the patient gets, and not of one that did harm."""
_SULFA = re.compile(r"\bsul(?:ph|f)a\b(?! ?\w+zine)|\bsul(?:ph|f)onamides?\b|\bsul(?:ph|f)as\b")
_IODINE = re.compile(
    r"iodinated|contrast (?:medium|media|dye|agent)|\bcontrast\b|\biodine\b|\bx-?ray dye|造影剂|对比剂|碘剂|碘过敏"
)
_PCN = re.compile(r"\bpcn\b|\bpenicillins?\b|青霉素")


def read_allergies(text: str, *, listed: bool = False) -> tuple[str, ...]:
    """Concepts of the medicines that a statement tells an allergy or a reaction to, in order.

    Args:
        text: The statement.
        listed: It stands under the heading of allergies, where a bare name (`penicillin, sulfa`) is one.
    """
    return _read(clean(text, _LIMIT).text, listed)


@lru_cache(maxsize=4_096)
def _read(text: str, listed: bool) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for sentence in _SENTENCE.split(_DISEASE.sub(" ", text.lower())):
        treated = _TREATED.search(sentence)
        # What a reaction was treated with is no allergen.
        told = sentence[: treated.start()] if treated else sentence
        denied = False
        for clause, excepted in _clauses(told):
            folded = fold(clause)
            own = _REACTION.search(folded) is not None
            # A denial holds for the list behind it (`denies allergy to penicillin, sulfa`), until a reaction is told.
            denied = not excepted and (_NOT.search(folded) is not None or (denied and not own))
            told_here = (listed and (own or not _TAKES.search(folded))) or excepted
            if not denied and (told_here or (_ALLERGY_WORD.search(folded) and own)):
                found.update(dict.fromkeys(_named(clause, folded)))
    return tuple(found)


def _clauses(sentence: str) -> Iterator[tuple[str, bool]]:
    """The clauses of a sentence, and whether each is an exception to a denial (`no allergies except penicillin`)."""
    for clause in _CLAUSE.split(sentence):
        parts = _EXCEPT.split(clause)
        yield _EXCEPT_ZH.sub(" ", parts[0]), False
        yield from ((part, True) for part in parts[1:])
        yield from ((match["name"], True) for match in _EXCEPT_ZH.finditer(clause))


def _named(clause: str, folded: str) -> Iterator[str]:
    """Concepts of the medicines that a clause names."""
    if _PCN.search(folded):
        yield "class.penicillin"
    if _SULFA.search(folded):
        yield "class.sulfonamide"
    if _IODINE.search(folded):
        yield CONTRAST
    known = concepts()
    yield from (m.concept for m in read_treatment(clause) if known[m.concept].kind == "drug")


_TREATED = re.compile(
    r"\b(?:treated|managed|relieved|settled|resolved) (?:with|by|after)\b"
    r"|予以?.{0,12}(?:处理|治疗|后缓解|后好转|后消退)"
)


@cache
def _cross() -> dict[str, tuple[tuple[str, str], ...]]:
    """Allergen to (what it forbids, why)."""
    return {row[0]: tuple((c, row[2]) for c in row[1].split("|")) for row in rows("cross_reactivity.tsv")}


@lru_cache(maxsize=8_192)
def forbidden_by(allergen: str) -> tuple[tuple[str, str], ...]:
    """(concept, why) of all that an allergy forbids: the medicine, and what cross-reacts with it or its class."""
    if allergen not in concepts():
        return ()
    found = {allergen: "the allergen itself"}
    for name in (allergen, *ancestors(allergen)):
        for concept, why in _cross().get(name, ()):
            found.setdefault(concept, why)
    return tuple(found.items())


@lru_cache(maxsize=65_536)
def conflict(concept: str, allergens: tuple[str, ...]) -> tuple[str, str] | None:
    """The allergen that forbids this medicine, and why; None where none does.

    A class that has forbidden members beside others (`an antibiotic`) does not conflict; selective inhibitors of
    cyclo-oxygenase 2 do not with aspirin or another NSAID, unless they are the allergen.
    """
    if concept not in concepts():
        return None
    own = {concept, *ancestors(concept)}
    for allergen in allergens:
        for banned, why in forbidden_by(allergen):
            if banned in own and not (banned == "class.nsaid" and allergen != "class.coxib" and "class.coxib" in own):
                return allergen, why
    return None
