"""Checks on examination ordering: an order is credited once, and ordering everything does not pay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clinic_sim.clinic.events import ExamReported
from clinic_sim.clinic.examiner import exam_name
from clinic_sim.judge.checks.finding import Finding, missing, yes_no
from clinic_sim.judge.hearing import Hearing
from clinic_sim.knowledge.exam_catalogue import is_bedside


def exam_ordered(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """The recorded exam was reported."""
    if "exams" in h.case.provenance.missing:
        return missing("examinations")
    at = h.ledger.exams.get(target)
    return yes_no(at is not None, (at,) if at is not None else (), exam_name(h.case.exam(target), h.case.language))


def exam_precision(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """Useful orders over all orders, times the share of essential exams that were reported.

    Tied to recall because one well-chosen test alone has perfect precision and is no work-up.
    """
    if "exams" in h.case.provenance.missing:
        return missing("examinations")
    essential = [e.id for e in h.case.exams if e.essential]
    orders = [o for o in h.orders if not _bedside(o)] or list(h.orders)
    if not orders:
        return Finding(0.0, (), "nothing was ordered")
    useful = [o for o in orders if _useful(h, o)]
    recall = sum(e in h.ledger.exams for e in essential) / len(essential) if essential else 1.0
    share = len(useful) / len(orders)
    return Finding(
        share * recall,
        tuple(o.n for o in useful)[:20],
        f"{len(useful)} of {len(orders)} orders served this patient; {recall:.0%} of the essential ones were made",
    )


def exam_excess(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """How far useless orders go beyond an `allowance` (default 8): 0 within it, 1 at three times it."""
    if "exams" in h.case.provenance.missing:
        return missing("examinations")
    allowance = int(params.get("allowance", 8))
    wasted = [o for o in h.orders if not _bedside(o) and not _useful(h, o)]
    over = len(wasted) + h.ledger.repeats - allowance
    return Finding(
        min(1.0, max(0.0, over / (2 * allowance))),
        tuple(o.n for o in wasted)[:20],
        f"{len(wasted)} orders without use and {h.ledger.repeats} repeated; {allowance} are allowed for",
    )


def cost_within(h: Hearing, target: str, params: Mapping[str, Any]) -> Finding:
    """At most `money` US dollars, with at least one order made."""
    most = float(params["money"])
    met = bool(h.orders) and h.ledger.money <= most
    return yes_no(met, tuple(o.n for o in h.orders)[-1:], f"${h.ledger.money:.2f}; at most ${most:.2f}")


def _bedside(order: ExamReported) -> bool:
    return is_bedside(order.code)


def _useful(h: Hearing, order: ExamReported) -> bool:
    """It reported a recorded exam that is not noise."""
    return any(not h.case.exam(e).noise for e in order.exams)
