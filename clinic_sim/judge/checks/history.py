"""Checks on history taking: read from the ledger alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clinic_sim.clinic.actions import Ask, Examine, Order
from clinic_sim.clinic.events import DoctorActed, PatientAnswered
from clinic_sim.judge.checks.finding import Finding, missing, not_applicable, yes_no
from clinic_sim.judge.hearing import Hearing


def fact_disclosed(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """The patient told this fact."""
    at = h.ledger.facts.get(target)
    statement = h.compiled.by_id[target].statement
    return yes_no(at is not None, (at,) if at is not None else (), statement)


def red_flag_covered(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """One of the flag's facts was asked for, or one of its exams reported.

    A denial is a fact and covers the flag as a symptom does; so does a question that the patient would not answer yet.
    """
    flag = next(f for f in h.case.red_flags if f.id == target)
    evidence = [i for i in (*flag.facts, *flag.exams) if i not in h.given_facts]
    if not evidence:
        return not_applicable("the patient's first words give it away")
    known = {**h.ledger.facts, **h.ledger.exams}
    at = sorted(known[i] for i in evidence if i in known)
    if not at and not h.ledger.held.isdisjoint(evidence):
        at = [e.n for e in h.episode.events if isinstance(e, PatientAnswered) and not set(evidence).isdisjoint(e.held)]
    return yes_no(bool(at), tuple(at[:1]), flag.statement)


def history_before_orders(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """At least `facts` facts (default 3) were told before the first order."""
    if "facts" in h.case.provenance.missing:
        return missing("history")
    first = next(
        (e.n for e in h.episode.events if isinstance(e, DoctorActed) and isinstance(e.action, Order | Examine)), None
    )
    if first is None:
        return not_applicable("nothing was ordered")
    needed = int(params.get("facts", 3))
    told = sum(len(e.facts) for e in h.episode.events if isinstance(e, PatientAnswered) and e.n < first)
    return yes_no(told >= needed, (first,), f"{told} facts told before the first order; {needed} expected")


def turns_within(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """At most `turns` actions, and a conclusion."""
    most = int(params["turns"])
    asked = sum(isinstance(e, DoctorActed) and isinstance(e.action, Ask) for e in h.episode.events)
    met = h.ledger.turns <= most and h.conclusion is not None and asked > 0
    return yes_no(met, h.concluded_at, f"{h.ledger.turns} turns; at most {most}")
