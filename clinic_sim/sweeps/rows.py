"""Index rows: what statistics need of an episode, taken from its line once, so that no report reads transcripts.

A row is derived: `index.jsonl` can be lost and is made again from `episodes.jsonl`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.judge.rubric import SAFETY
from clinic_sim.judge.scorecard import JUDGE_FAILED, Scorecard

ROW_SCHEMA = 1
_REVEALING = frozenset({"recorded", "recorded_normal"})
_NOT_PERFORMED = frozenset({"refused", "not_applicable"})


def row_of(key: str, data: Mapping[str, Any], compiled: CompiledCase) -> dict[str, Any]:
    """The row of an episode.

    Args:
        key: Its key.
        data: What its line holds, as `lines.line_data` or as parsed from the file.
        compiled: Its case.
    """
    card = data["scorecard"]
    events = data["episode"]["events"]
    walk = _Walk(compiled, events)
    return {
        "key": key,
        "at": data["at"],
        "total": card["total"],
        "safety": card["safety"],
        "dimensions": {name: d["value"] for name, d in card["dimensions"].items()},
        "unscored": card["failure"] if card["total"] is None else "",
        "retried": len(data.get("attempts", ())),
        **walk.found(),
        **_harm(card["verdicts"], events),
        **_beside(card),
        **_judge_failed(card),
        **_spent(data["usage"]),
    }


class _Walk:
    """One pass over the events."""

    def __init__(self, compiled: CompiledCase, events: Sequence[Mapping[str, Any]]) -> None:
        self._worth = compiled.graph.worth
        self._all = compiled.graph.total or 1.0
        case = compiled.case
        self._essential = {exam.id for exam in case.exams if exam.essential}
        self._basis = set(case.diagnosis.basis) if case.diagnosis else set()
        self.known: set[str] = set()
        self.gained = 0.0
        self.turns = self.asks = self.invalid = self.repeats = self.minutes = self.rejected = 0
        self.money = 0.0
        self.ended = ""
        self.orders: dict[str, bool] = {}
        """Performed order to whether it revealed anything of worth."""
        self.curve: list[list[float]] = []
        """Turn, US dollars, share of the evidence: a point where the share rose."""
        self.conclusions = 0
        self.last_new = 0
        """Turn that last revealed something of worth."""
        self.idle = self.courtesy = 0
        self._new = True
        self._asked = self._social = False
        self._concluding = True  # the opening is no turn
        for event in events:
            self._step(event)
        self._close_turn()

    def found(self) -> dict[str, Any]:
        """The columns."""
        useful = sum(self.orders.values())
        return {
            "turns": self.turns,
            "asks": self.asks,
            "invalid": self.invalid,
            "money": round(self.money, 4),
            "minutes": self.minutes,
            "ended": self.ended,
            "concluded": self.conclusions > 0,
            "rejected": self.rejected,
            "coverage": round(self.gained / self._all, 6),
            "basis": len(self._basis & self.known),
            "basis_of": len(self._basis),
            "after_last_new": max(0, self.turns - self.conclusions - self.last_new),
            "idle": self.idle,
            "courtesy": self.courtesy,
            "essential": len(self._essential & self.known),
            "essential_of": len(self._essential),
            "orders": len(self.orders),
            "useful": useful,
            "redundant": self.repeats,
            "curve": self.curve,
        }

    def _step(self, event: Mapping[str, Any]) -> None:
        kind = event["type"]
        if kind == "doctor_acted":
            self._close_turn()
            self.turns += 1
            self.minutes += 1
            action = event["action"]["action"]
            self._asked = action == "ask"
            self._concluding = action == "conclude"
            self._new = self._social = False
            self.asks += self._asked
            self.conclusions += self._concluding
        elif kind in ("patient_answered", "opened"):
            self._learn(event["facts"])
            self._social = event.get("kind") == "social"
        elif kind == "exam_reported":
            self.money += event["price"]
            self.minutes += event["minutes"]
            self.repeats += event["repeat"]
            told = self._learn(event["exams"]) if event["outcome"] in _REVEALING else False
            if event["outcome"] not in _NOT_PERFORMED and not event["repeat"]:
                self.orders[event["code"]] = self.orders.get(event["code"], False) or told
        elif kind == "action_rejected":
            self.invalid += 1
        elif kind == "ended":
            self.ended = event["reason"]
        self.rejected += len(event.get("rejected", ()))

    def _learn(self, evidence: Sequence[str]) -> bool:
        """Note what was revealed; True where any of it is of worth and new."""
        fresh = sum(self._worth(e) for e in dict.fromkeys(evidence) if e not in self.known)
        self.known.update(evidence)
        if not fresh:
            return False
        self.gained += fresh
        self._new = True
        self.last_new = self.turns
        point = [self.turns, round(self.money, 2), round(self.gained / self._all, 4)]
        if self.curve and self.curve[-1][0] == self.turns:
            self.curve[-1] = point
        else:
            self.curve.append(point)
        return True

    def _close_turn(self) -> None:
        if not self._new and not self._concluding:
            self.idle += 1
            self.courtesy += self._asked and self._social


def _harm(verdicts: Sequence[Mapping[str, Any]], events: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Contraindicated orders and treatments, as the scorecard's safety verdicts found them."""
    exams = treatments = 0
    for verdict in verdicts:
        if verdict["dimension"] == SAFETY and verdict["value"]:
            kinds = {events[n]["type"] for n in verdict["evidence"] if n < len(events)}
            if "exam_reported" in kinds:
                exams += 1
            else:
                treatments += 1
    return {"harmful_orders": exams, "harmful_treatments": treatments}


def _beside(card: Mapping[str, Any]) -> dict[str, Any]:
    """Judged criterion, verifiable criterion and the status of each, where a judge and a check looked at the same."""
    if not any(verdict.get("beside") for verdict in card["verdicts"]):
        return {}
    pairs = Scorecard.from_dict(card).beside
    return {"beside": [[p.judged.criterion, p.criterion, str(p.judged.status), str(p.status)] for p in pairs]}


def _judge_failed(card: Mapping[str, Any]) -> dict[str, str]:
    """How the judge failed an episode that is unscored for it: on most criteria, of equals the first by name."""
    if card["total"] is not None or card["failure"] != JUDGE_FAILED:
        return {}
    kinds = Counter(v["failure"].partition(":")[2] for v in card["verdicts"] if v["failure"].startswith(JUDGE_FAILED))
    kind = min(kinds, key=lambda name: (-kinds[name], name), default="")
    return {"judge_failed": kind} if kind else {}


def _spent(usage: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Calls, tokens and dollars over all roles; dollars are None as soon as one role's are unknown."""
    costs = [own["cost"] for own in usage.values()]
    return {
        "calls": sum(own["calls"] for own in usage.values()),
        "failed_calls": sum(own["failed"] for own in usage.values()),
        "tokens_in": sum(own["input"] for own in usage.values()),
        "tokens_out": sum(own["output"] for own in usage.values()),
        "unreported": sum(own["unreported"] for own in usage.values()),
        "cost": None if None in costs else round(sum(costs), 9),
    }
