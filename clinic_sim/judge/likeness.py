"""How far a free-text answer says what a free-text reference says: diagnoses, basis, treatment. No model is asked.

Diagnoses are read into ICD-10 codes and compared on its hierarchy; words decide where a name resolves to nothing and
break the ties that codes leave. No number here is fitted: weights are round, chosen by what a clinician would say and
tried on the first half of AI Hospital's graded answers; what counts less is said, with its reason, in
`data/bystanders.tsv`. How scores become grades is the business of `grade_cuts`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

import numpy as np
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

from clinic_sim.knowledge.diagnoses import Certainty, ReadDiagnosis, read_diagnoses
from clinic_sim.knowledge.icd10 import similarity
from clinic_sim.knowledge.meaning import annotate
from clinic_sim.knowledge.orders import read_order
from clinic_sim.knowledge.text import Language, clean, fold
from clinic_sim.knowledge.treatments import ancestors, read_treatment, text_overlap

NO_REFERENCE = "missing_reference"
WORDS = 0.2
"""Share of two diagnoses' likeness that their wording decides even beside codes, which know neither side nor stage."""
NAMED = 0.75
"""Share of a diagnosis's words from which one phrase that has them names it beside another diagnosis."""
PLACE = 0.25
"""A diagnosis counts by its place in the reference to the power of minus this: the first is why the patient came."""
UNKNOWN = 0.5
"""Weight of a later diagnosis that no table knows."""
_SURE: Mapping[Certainty, float] = {"stated": 1.0, "likely": 0.95, "possible": 0.8, "ruled_out": 0.0}
"""What a diagnosis is worth by how sure its writer is: who only thinks of it has not made it."""
_READINGS = 3
"""Codes that one name may mean which are compared."""
MOST = 80
"""Diagnoses of a list that are compared; all of them dilute it."""
TEXT_LIMIT = 8_000
"""Characters of an answer or a reference that are read."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike an answer and a reference are."""

    value: float | None
    """In [0, 1]; None where there is no reference to hold the answer against."""
    certainty: float = 1.0
    """Share of it that rests on concepts rather than on letters."""
    reason: str = ""
    failure: str = ""


def diagnosis_likeness(answer: str, reference: str) -> Likeness:
    """How far the diagnoses of an answer are those of the reference.

    Each diagnosis of the answer stands for one of the reference's, so that the pairs are worth most in all, and for any
    other that its own words name (`tibial plateau and femoral condyle fracture`); the score is the weighted share that
    was found. Further diagnoses cost nothing up to a point, as a doctor may see more than a record lists; a list beyond
    three times the reference and six more is diluted by its length.
    """
    wanted = read_diagnoses(reference[:TEXT_LIMIT])
    if not wanted or (not any(d.matches for d in wanted) and _ELSEWHERE.search(_plain(reference))):
        return Likeness(None, reason="the reference names no diagnosis", failure=NO_REFERENCE)
    stated = [d for d in read_diagnoses(answer[:TEXT_LIMIT]) if d.certainty != "ruled_out"]
    if not stated:
        return Likeness(0.0, reason="no diagnosis was stated")
    dilution = max(1.0, len(stated) / (3 * len(wanted) + 6))
    wanted, stated = wanted[:MOST], stated[:MOST]
    alike = np.array([[closeness(w, s) * _SURE[s.certainty] for s in stated] for w in wanted])
    weights = np.array([_weight(w, place) for place, w in enumerate(wanted)])
    found = np.zeros(len(wanted))
    rows, columns = linear_sum_assignment(-alike * weights[:, None])
    found[rows] = alike[rows, columns]
    named = np.array([[_names(s.text, w.text) for s in stated] for w in wanted])
    found = np.maximum(found, np.where(named, alike, 0.0).max(axis=1))
    known = np.array([bool(w.matches) for w in wanted])
    missed = "; ".join(w.text for w, hit in zip(wanted, found, strict=True) if hit < 0.5)
    return Likeness(
        float((weights * found).sum() / weights.sum() / dilution),
        float((weights * known).sum() / weights.sum()),
        f"found {int((found >= 0.5).sum())} of {len(wanted)}" + (f"; missed: {missed[:300]}" if missed else ""),
    )


_ELSEWHERE = re.compile(
    "^(?:(?:最后|最终|出院|确定|修正|临床)?诊断)?(?:(?:与|同)?(?:初步|入院|门诊|术前|上述|以上|目前)?诊断(?:相同|一致|不变)?|同上|同前|无|不详|暂无"
    "|(?:same)?as(?:the)?(?:above|initial|preliminary|admission|before)(?:diagnosis)?|none|na|unknown)$"
)
"""A reference that only points to another place in its record."""


def _plain(text: str) -> str:
    return "".join(c for c in fold(clean(text, TEXT_LIMIT).text) if c.isalnum())


def closeness(wanted: ReadDiagnosis, stated: ReadDiagnosis) -> float:
    """How far one diagnosis is another, in [0, 1]: by code or by words, whichever sees more, and a part by words.

    On the wrong side it is half itself, on one side of a bilateral disease three quarters.
    """
    worded = _wording(wanted.text, stated.text)
    coded = max(
        (
            similarity(w.icd10, s.icd10) * min(w.score, s.score)
            for w in wanted.matches[:_READINGS]
            for s in stated.matches[:_READINGS]
        ),
        default=0.0,
    )
    likeness = (1 - WORDS) * max(coded, worded) + WORDS * worded
    sides, said = _sides(wanted.text), _sides(stated.text)
    # A text that names no side denies none.
    return likeness * (1 + len(sides & said) / len(sides)) / 2 if sides and said else likeness


_SIDES = (re.compile("左|\\bleft\\b"), re.compile("右|\\bright\\b"))
_BOTH = re.compile("双(?![相胎重极])|两[侧肺肾眼耳乳膝髋足手上下]|\\bbilateral|\\bboth\\b")


@lru_cache(maxsize=16_384)
def _sides(text: str) -> frozenset[int]:
    """The sides of the body that a diagnosis is on, as far as it says."""
    folded = fold(text)
    named = frozenset(n for n, side in enumerate(_SIDES) if side.search(folded))
    return frozenset({0, 1}) if _BOTH.search(folded) else named


_WORD = re.compile("[\u3400-\u9fff]|[a-z0-9]+")
_EMPTY = frozenset(
    {*("the", "and", "with", "for", "due", "unspecified", "disease", "of", "in", "to", "by", "a", "an"), *"炎病症"}
)
"""What says of a name only that it is one of a disease: gastritis is not half a pneumonia."""


@lru_cache(maxsize=16_384)
def _letters(text: str) -> frozenset[str]:
    """What a name is written with: Han characters, and words of other scripts."""
    words = [w.rstrip("s") if len(w) > 3 else w for w in _WORD.findall(fold(text))]
    return frozenset(w for w in words if w not in _EMPTY) or frozenset(words)


def _wording(a: str, b: str) -> float:
    """Dice's coefficient of two names."""
    left, right = _letters(a), _letters(b)
    return 2 * len(left & right) / (len(left) + len(right)) if left and right else 0.0


def _names(text: str, name: str) -> bool:
    """Whether a text has nearly all the words of a name."""
    words = _letters(name)
    return len(words & _letters(text)) >= NAMED * len(words) > 0


@cache
def _bystanders() -> dict[str, float]:
    text = resources.files("clinic_sim.judge").joinpath("data/bystanders.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith(("#", "icd10\t"))]
    return {row[0]: float(row[1]) for row in rows}


def _weight(wanted: ReadDiagnosis, place: int) -> float:
    """What a diagnosis of the reference counts."""
    if place == 0:
        return 1.0
    fallen: float = (place + 1) ** -PLACE
    if not wanted.matches:
        return UNKNOWN * fallen
    code, table = wanted.matches[0].icd10, _bystanders()
    return fallen * next((table[code[:n]] for n in range(len(code), 0, -1) if code[:n] in table), 1.0)


def basis_likeness(answer: str, reference: str, diagnosis: Likeness | None, language: Language) -> Likeness:
    """How far an answer's evidence is that of the reference, and how far it proves the same diagnosis.

    Half is the share of the reference's findings and examinations that the answer cites, half the likeness of what they
    are cited for: good evidence for another disease proves nothing here. Without diagnoses the evidence stands alone.
    """
    if not _plain(reference):
        return Likeness(None, reason="the reference gives no basis", failure=NO_REFERENCE)
    wanted, cited = _evidence(reference[:TEXT_LIMIT], language), _evidence(answer[:TEXT_LIMIT], language)
    if wanted:
        share = len(wanted & cited) / len(wanted)
        reason = f"cites {len(wanted & cited)} of {len(wanted)} findings and examinations"
    else:
        share, reason = text_overlap(reference, answer, "zh"), "no finding is known in the reference: by its words"
    value = share if diagnosis is None or diagnosis.value is None else (share + diagnosis.value) / 2
    return Likeness(value, 1.0 if wanted else 0.0, reason)


_CLAUSE = re.compile("[。；;\n]|\\.\\s")


@lru_cache(maxsize=4_096)
def _evidence(text: str, language: Language) -> frozenset[str]:
    """Concepts and examinations that a text names."""
    found = {item.code for item in read_order(text, language).items}
    for clause in _CLAUSE.split(text):
        if clause.strip():
            found |= set(annotate(clause, language=language).concepts)
    return frozenset(found)


def treatment_likeness(answer: str, reference: str) -> Likeness:
    """How far an answer's plan is that of the reference.

    Half by concept: the share of the reference's treatments and of the classes above them that the plan holds, so that
    another drug of a class earns the class. Half by words: what the lexicon does not know.
    """
    if not _plain(reference):
        return Likeness(None, reason="the reference gives no treatment", failure=NO_REFERENCE)
    wanted, given = _treatments(reference[:TEXT_LIMIT]), _treatments(answer[:TEXT_LIMIT])
    worded = min(1.0, 2 * text_overlap(reference[:TEXT_LIMIT], answer[:TEXT_LIMIT], "zh"))
    if not wanted:
        return Likeness(worded, 0.0, "no treatment is known in the reference: by its words")
    # One more, found by half: a reference of one item says little about a plan.
    share = (len(wanted & given) + 1) / (len(wanted) + 2)
    return Likeness((share + worded) / 2, 1.0, f"holds {len(wanted & given)} of {len(wanted)} treatments and classes")


@lru_cache(maxsize=4_096)
def _treatments(text: str) -> frozenset[str]:
    named: Sequence[str] = [m.concept for m in read_treatment(text) if not m.negated]
    return frozenset(c for concept in named for c in (concept, *ancestors(concept)))
