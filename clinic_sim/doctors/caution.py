"""Prescribing with care: what allergies, pregnancy, asthma and failing organs forbid by general rules of the textbook."""

from __future__ import annotations

from collections.abc import Iterable

from clinic_sim.doctors.scripts import Evidence
from clinic_sim.knowledge.treatments import ancestors
from clinic_sim.knowledge.treatments import name as treatment_name
from clinic_sim.knowledge.treatments import read_treatment

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
    "potassium": frozenset({"class.ace_inhibitor", "class.arb", "drug.spironolactone", "drug.potassium_chloride"}),
}
"""By condition: concepts not to be given."""

_RELATED = {"class.penicillin": ("class.beta_lactam",), "drug.aspirin": ("class.nsaid",), "class.nsaid": ("drug.aspirin",)}
"""An allergy to one forbids its relations."""


def permitted(plan: Iterable[str], evidence: Evidence, heard: Iterable[str], language: str) -> tuple[str, ...]:
    """The plan's treatments by name, less what this patient should not get."""
    banned = set().union(*(_FORBIDDEN[c] for c in _conditions(evidence))) | _allergies(heard)
    kept = [t for t in plan if banned.isdisjoint({t, *ancestors(t)}) and not any(t in ancestors(b) for b in banned)]
    return tuple(treatment_name(t, language) for t in kept)


def _conditions(evidence: Evidence) -> list[str]:
    present, signs = evidence.present, evidence.signs
    found = {
        "pregnant": evidence.sex == "female" and "hx.pregnancy" in present and not evidence.age_over(55),
        "asthma": "dx.asthma" in present,
        "child": evidence.age is not None and evidence.age < 8,
        "bleeding": not present.isdisjoint({"sx.hematemesis", "sx.melena", "sx.bleeding_tendency"}) or "↓plt" in signs,
        "ulcer": "dx.peptic_ulcer" in present,
        "hypotension": "↓sbp" in signs,
        "bradycardia": "↓hr" in signs,
        "kidney": "↑cr" in signs or "dx.kidney" in present,
        "potassium": "↑k" in signs,
    }
    return [condition for condition, applies in found.items() if applies]


def _allergies(heard: Iterable[str]) -> set[str]:
    """Concepts that the patient told an allergy to, with their classes."""
    banned: set[str] = set()
    for text in heard:
        folded = text.lower()
        if not any(word in folded for word in ("allerg", "rash", "swell", "react", "过敏", "皮疹")):
            continue
        for mention in read_treatment(text):
            if mention.concept.startswith(("drug.", "class.")):
                banned |= {mention.concept, *ancestors(mention.concept)[:1], *_RELATED.get(mention.concept, ())}
    return banned
