"""Checks on examination ordering: an order is credited once, and ordering everything does not pay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clinic_sim.clinic.examiner import exam_name
from clinic_sim.judge.checks.finding import Finding, missing, not_applicable, yes_no
from clinic_sim.judge.harm import WORST
from clinic_sim.judge.hearing import Hearing


def exam_ordered(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """The recorded exam was reported.

    Value: 1 if so, else 0.
    """
    if "exams" in h.case.provenance.missing:
        return missing("examinations")
    at = h.ledger.exams.get(target)
    return yes_no(at is not None, (at,) if at is not None else (), exam_name(h.case.exam(target), h.case.language))


def exam_precision(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """Precision and recall of the orders in one.

    Value: useful orders over all orders (tests; bedside examinations only where nothing else was ordered), times the
    share of the essential examinations that were reported. Tied to recall because one well-chosen test alone has
    perfect precision and is no work-up.
    """
    if "exams" in h.case.provenance.missing:
        return missing("examinations")
    essential = [e.id for e in h.case.exams if e.essential]
    orders = h.tests or h.orders
    if not orders:
        return Finding(0.0, (), "nothing was ordered")
    useful = [o for o in orders if o.n in h.useful]
    recall = sum(e in h.ledger.exams for e in essential) / len(essential) if essential else 1.0
    share = len(useful) / len(orders)
    return Finding(
        share * recall,
        tuple(o.n for o in useful)[:20],
        f"{len(useful)} of {len(orders)} orders served this patient; {recall:.0%} of the essential ones were made",
    )


def exam_excess(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """How far useless and repeated orders go beyond an `allowance` (default 8).

    Value: 0 within it, 1 at three times it.
    """
    if "exams" in h.case.provenance.missing:
        return missing("examinations")
    allowance = int(params.get("allowance", 8))
    wasted = [o for o in h.tests if o.n not in h.useful]
    over = len(wasted) + h.ledger.repeats - allowance
    return Finding(
        min(1.0, max(0.0, over / (2 * allowance))),
        tuple(o.n for o in wasted)[:20],
        f"{len(wasted)} orders without use and {h.ledger.repeats} repeated; {allowance} are allowed for",
    )


def exam_redundancy(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """Orders of what was known: the same test again, a panel's part after the panel, what another order had reported.

    Value: their share of all tests ordered, beyond an `allowance` (default 2: a troponin or a film is rightly
    repeated); 0 without.
    """
    allowance = int(params.get("allowance", 2))
    over = len(h.redundant) - allowance
    tests = len(h.tests) + len(h.redundant)
    return Finding(
        over / tests if over > 0 else 0.0,
        tuple(o.n for o in h.redundant)[:20] if over > 0 else (),
        f"{len(h.redundant)} of {tests} tests asked for what was known; {allowance} are allowed for",
    )


def orders_before_history(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """Tests ordered before the patient had told `facts` facts (default 3), the opening's among them.

    Value: their share of all tests; 0 where none was ordered. A look at the patient and the vital signs may come first.
    """
    if "facts" in h.case.provenance.missing:
        return missing("history")
    needed = min(int(params.get("facts", 3)), len(h.case.facts))
    # The event by which enough was told; facts stand in the order in which they were told.
    told = sorted(h.ledger.facts.values())
    since = told[needed - 1] if len(told) >= needed else len(h.episode.events)
    early = [o.n for o in h.tests if o.n < since]
    return Finding(
        len(early) / len(h.tests) if h.tests else 0.0,
        tuple(early)[:20],
        f"{len(early)} of {len(h.tests)} tests ordered before {needed} facts were told",
    )


def exam_contraindicated(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """Examinations that this patient must not have were performed.

    Value: severity of the worst over 3 (1 life-threatening, 0.67 harmful, 0.33 avoidable); 0 where none was.
    """
    if not any(ban.exams for ban in h.case.contraindicated):
        return not_applicable("the case forbids no examination")
    done = [(ban, o) for ban in h.case.contraindicated for o in h.orders if o.code in ban.exams]
    worst = max((ban.severity for ban, _ in done), default=0)
    told = "; ".join(dict.fromkeys(f"{o.name}: {ban.reason}" for ban, o in done))
    return Finding(worst / WORST, tuple(sorted({o.n for _, o in done}))[:20], told or "none was performed")


def cost_within(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """At most `money` US dollars, with at least one order made.

    Value: 1 if so, else 0.
    """
    most = float(params["money"])
    met = bool(h.orders) and h.ledger.money <= most
    return yes_no(met, tuple(o.n for o in h.orders)[-1:], f"${h.ledger.money:.2f}; at most ${most:.2f}")
