"""Checks on the diagnosis: names resolved to ICD-10 and compared as sets, primary, comorbid and differential."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clinic_sim.cases.naming import HIT, closeness
from clinic_sim.judge.checks.finding import Finding, missing, not_applicable
from clinic_sim.judge.hearing import Hearing
from clinic_sim.judge.stated import SAME_DISEASE
from clinic_sim.knowledge.icd10 import similarity

RECALL_COUNTS = 2.0
"""How much more recall counts than precision in a differential: a record lists a few of what may well be thought of."""


def icd_match(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """How near the best stated diagnosis is to the reference or an acceptable alternative, over one plus the extras.

    Value: the nearness of `judge.nearness` (1 the same; less for a vaguer name, a neighbour, a disease of other care;
    at most `RULED_OUT` for one of the differential), divided by one plus what the further names count: each by its
    gravity, one that the record tells of a quarter. Naming ten never beats naming one.
    """
    reference = h.case.diagnosis
    if reference is None:
        return missing("diagnosis")
    found = h.stated
    if found.best is None:
        return Finding(0.0, h.concluded_at, found.why)
    code = found.best.matches[0].icd10 if found.best.matches else "no code"
    return Finding(
        found.nearness / (1 + found.burden),
        h.concluded_at,
        f"“{found.best.text[:120]}” ({code}) against {reference.primary.name} "
        f"({reference.primary.icd10 or 'no code'}): {found.nearness:.2f}"
        + (f" ({found.why})" if found.why else "")
        + f", {len(found.extras)} further guesses"
        + (f" that count {found.burden:.2f}" if found.extras else ""),
    )


def comorbid_named(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """The reference's other diseases against the further diagnoses of the conclusion, as sets.

    Value: F1 of recall (share of them that is named) and precision (their share of what is named beside the primary
    diagnosis; what is neither counts as in `icd_match`).
    """
    if h.case.diagnosis is None:
        return missing("diagnosis")
    wanted = h.case.diagnosis.comorbid
    if not wanted:
        return not_applicable("the reference has no other disease")
    named, burden = len(h.stated.comorbid), h.stated.burden
    recall = named / len(wanted)
    precision = named / (named + burden) if named else 0.0
    return Finding(
        _f(precision, recall, 1.0),
        h.concluded_at,
        f"named {', '.join(d.name for d in h.stated.comorbid) or 'none'} of {len(wanted)}: "
        f"precision {precision:.2f}, recall {recall:.2f}",
    )


def differential_named(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """The reference's differential against the conclusion's, as sets.

    Value: F2 of recall (share of the reference's that is considered) and precision (their share of what is listed;
    the diagnosis itself, listed again, counts for nothing).
    """
    reference = h.case.diagnosis
    if reference is None:
        return missing("diagnosis")
    # Some records list the disease among what it must be told from.
    own = reference.primary.icd10 or ""
    wanted = [d for d in reference.differential if similarity(d.icd10 or "", own) < SAME_DISEASE]
    if not wanted:
        return not_applicable("the reference has no differential")
    listed = [d for d in h.differential if closeness(d, reference.primary) < SAME_DISEASE]
    near = [[closeness(d, ref) >= HIT for ref in wanted] for d in listed]
    found = [ref.name for ref, column in zip(wanted, zip(*near, strict=True), strict=False) if any(column)]
    hits = sum(map(any, near))
    recall = len(found) / len(wanted)
    precision = hits / len(listed) if listed else 0.0
    return Finding(
        _f(precision, recall, RECALL_COUNTS),
        h.concluded_at,
        f"considered {', '.join(found) or 'none'} of {len(wanted)}: precision {precision:.2f}, recall {recall:.2f}",
    )


def _f(precision: float, recall: float, beta: float) -> float:
    """The F measure: the harmonic mean of both, recall counting `beta` times."""
    if not precision or not recall:
        return 0.0
    return (1 + beta**2) * precision * recall / (beta**2 * precision + recall)
