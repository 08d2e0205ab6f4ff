"""Prescribing with care: what allergies, pregnancy, asthma and failing organs forbid by textbook rules."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from clinic_sim.doctors.scripts import Evidence
from clinic_sim.knowledge.patterns import Pattern
from clinic_sim.knowledge.treatments import ancestors, concepts, read_treatment

_FORBIDDEN: dict[str, frozenset[str]] = {
    "pregnant": frozenset(
        {
            *("class.ace_inhibitor", "class.arb", "class.statin", "drug.warfarin", "class.tetracycline"),
            *("class.fluoroquinolone", "drug.methotrexate", "drug.valproate", "class.doac", "drug.isotretinoin"),
            *("class.nsaid", "drug.ribavirin", "drug.methimazole", "tx.radioactive_iodine", "drug.misoprostol"),
            *("class.thrombolytic", "drug.leflunomide", "drug.mycophenolate", "class.aminoglycoside", "drug.lithium"),
        }
    ),
    "asthma": frozenset({"class.beta_blocker", "class.nsaid", "drug.aspirin"}),
    "child": frozenset({"class.tetracycline", "class.fluoroquinolone"}),
    "bleeding": frozenset(
        {"class.nsaid", "class.anticoagulant", "class.antiplatelet", "class.thrombolytic", "class.dapt", "drug.aspirin"}
    ),
    "ulcer": frozenset({"class.nsaid"}),
    "hypotension": frozenset(
        {
            *("class.nitrate", "class.beta_blocker", "class.antihypertensive", "class.diuretic", "class.ace_inhibitor"),
            *("drug.methotrexate", "class.opioid"),
        }
    ),
    "bradycardia": frozenset({"class.beta_blocker", "class.rate_control", "class.non_dhp_ccb", "drug.ivabradine"}),
    "kidney": frozenset({"class.nsaid", "drug.metformin", "class.aminoglycoside"}),
    "eye": frozenset({"drug.ethambutol", "tx.radioactive_iodine"}),
    "potassium": frozenset({"class.ace_inhibitor", "class.arb", "drug.spironolactone", "drug.potassium_chloride"}),
}
"""By condition: concepts not to be given."""

_WITH_CHILD = Pattern(
    r"(?:i'm|i am|she's|she is|weeks|months) (?:\w+ ){0,2}pregnant|pregnant (?:now|at the moment)"
    r"|weeks'? (?:of )?(?:pregnan|gestation)"
    r"|(?:怀孕|孕|妊娠)\s*[\d一二三四五六七八九十]+\s*\+?\s*(?:周|个月)|正在怀孕|现在怀孕|怀孕了"
)
_REACTED = re.compile(r"allerg|brings? me out|rash|hives|swell|reacted|reaction|anaphyla|过敏|起皮疹|起疹|出疹|休克")
_SENTENCES = re.compile(r"(?<=[.!?。！？；;\n])")
_RELATED = {
    "class.penicillin": ("class.beta_lactam",),
    "drug.aspirin": ("class.nsaid",),
    "class.nsaid": ("drug.aspirin",),
}
"""An allergy to one forbids its relations."""


_CONTRAST = re.compile(r"contrast|iodinated|dye for the scan|造影剂|碘剂")
_SMALL = 8
"""Years below which a child's teeth and cartilage forbid some drugs."""


def conditions(evidence: Evidence, told: Iterable[str]) -> frozenset[str]:
    """What limits this patient's tests and treatments: pregnancy, allergy, failing organs."""
    present, signs = evidence.present, evidence.signs
    said = frozenset[str]().union(*map(_said, told))
    found = {
        "pregnant": evidence.sex != "male" and "pregnant" in said,
        "contrast_allergy": "contrast_allergy" in said,
        "asthma": "dx.asthma" in present,
        "child": evidence.age is not None and evidence.age < _SMALL,
        "bleeding": not present.isdisjoint({"sx.hematemesis", "sx.melena", "sx.bleeding_tendency"}) or "↓plt" in signs,
        "ulcer": "dx.peptic_ulcer" in present,
        "hypotension": "↓sbp" in signs,
        "bradycardia": "↓hr" in signs,
        "kidney": "↑cr" in signs or "dx.kidney" in present,
        "potassium": "↑k" in signs,
        "eye": not present.isdisjoint({"dx.eye", "sx.vision_loss", "sx.proptosis"}),
    }
    return frozenset(condition for condition, applies in found.items() if applies)


def permitted(plan: Iterable[str], limits: Iterable[str], told: Iterable[str]) -> list[str]:
    """The plan's treatments less what this patient should not get."""
    banned = frozenset[str]().union(*map(_allergies, told), *(_FORBIDDEN.get(c, frozenset()) for c in limits))
    return [t for t in plan if banned.isdisjoint({t, *ancestors(t)})]


def general_care(evidence: Evidence, limits: Iterable[str], *, urgent: bool) -> list[str]:
    """What any good plan adds: relief of symptoms, support of what fails, habits, education, follow-up."""
    present, signs, found = evidence.present, evidence.signs, set(limits)
    wanted = {
        "tx.admission": urgent,
        "tx.oxygen": "↓spo2" in signs,
        "tx.iv_fluids": "↓sbp" in signs,
        "drug.paracetamol": bool({"sx.fever", "sx.headache", "sx.abdominal_pain"} & present),
        "tx.stop_drug": "drug.nsaid" in present and not found.isdisjoint({"kidney", "ulcer", "bleeding", "pregnant"}),
        "tx.smoking_cessation": "hx.smoking" in present,
        "tx.monitoring": urgent,
        "tx.patient_education": True,
        "tx.follow_up": True,
    }
    known = concepts()
    return [t for t, applies in wanted.items() if applies and t in known]


@lru_cache(maxsize=16_384)
def _said(text: str) -> frozenset[str]:
    """Conditions that one answer states in so many words."""
    found = set()
    for sentence in _SENTENCES.split(text.lower()):
        if _WITH_CHILD.search(sentence):
            found.add("pregnant")
        if _CONTRAST.search(sentence) and _REACTED.search(sentence):
            found.add("contrast_allergy")
    return frozenset(found)


@lru_cache(maxsize=16_384)
def _allergies(text: str) -> frozenset[str]:
    """Concepts that an answer tells a reaction to, with their classes."""
    banned: set[str] = set()
    for sentence in _SENTENCES.split(text):
        if not _REACTED.search(sentence.lower()):
            continue
        for mention in read_treatment(sentence):
            if mention.concept.startswith(("drug.", "class.")):
                banned |= {mention.concept, *ancestors(mention.concept)[:1], *_RELATED.get(mention.concept, ())}
    return frozenset(banned)
