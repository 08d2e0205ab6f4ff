"""A learned weighing of the signs of an answer: how like labelled leaks, inventions and contradictions it is.

`data/weights.tsv` holds one logistic model a column over the signs of `signs.py`, each fitted on one kind of fault
against honest answers, and one on all faults together. `bench/guard_weights.py` fits them and chooses the bounds by
cross-validation over cases. The rules decide what they are sure of; the weighing adds what they missed and withdraws a
lone soft objection to words that are otherwise like honest ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from clinic_sim.clinic.patient.speech.signs import Answer, frames_of, signs, spoken_in
from clinic_sim.clinic.patient.speech.support import Found
from clinic_sim.clinic.patient.speech.tables import table

BIAS = "1"
"""The sign that every answer has."""


class Weights(NamedTuple):
    """Log odds that an answer is a leak, an invention, a contradiction, and any of them, against an honest one."""

    leak: float
    invention: float
    contradiction: float
    fault: float


BOUNDS = Weights(leak=0.5, invention=1.4, contradiction=0.8, fault=0.0)
"""Above these an answer is rejected though no rule objects; `fault` alone rejects nothing."""
UNLIKE_ADDED = Weights(leak=0.0, invention=-1.2, contradiction=0.0, fault=-1.0)
"""An objection to something added or unchosen is withdrawn when `invention` and `fault` are both below these."""
UNLIKE_TURNED = Weights(leak=0.0, invention=0.0, contradiction=-1.5, fault=-1.5)
"""A lone objection to something turned round is withdrawn when `contradiction` and `fault` are both below these."""
_ADDED = frozenset({"invention", "unchosen"})


@cache
def _table() -> Mapping[str, Weights]:
    return {sign: Weights(*map(float, columns)) for sign, *columns in table("weights.tsv")}


def weigh(found: Mapping[str, float]) -> Weights:
    """The log odds of an answer by its signs."""
    known = _table()
    leak, invention, contradiction, fault = known[BIAS]
    for sign, size in found.items():
        weights = known.get(sign)
        if weights is not None:
            leak += weights[0] * size
            invention += weights[1] * size
            contradiction += weights[2] * size
            fault += weights[3] * size
    return Weights(leak, invention, contradiction, fault)


def reconsidered(answer: Answer, faults: list[Found]) -> list[Found]:
    """What is left of the rules' objections, and what they missed, once all signs are weighed."""
    if answer.asked is None:
        return faults  # the weights were learned on answers to questions
    weights = weigh(signs(answer))
    if doubt(weights, [kind for kind, _ in faults]) <= 0:
        return []
    if weights.leak > BOUNDS.leak and not any(kind.startswith("leak") for kind, _ in faults):
        return [("leak:diagnosis", _least_held(answer)), *faults]
    if faults:
        return faults
    name = "contradiction" if weights.contradiction > BOUNDS.contradiction else "invention"
    return [(name, _least_held(answer))]


def doubt(weights: Weights, objections: Sequence[str]) -> float:
    """How far an answer is from being accepted, given the kinds of what rules object to; above 0 it is rejected.

    Objections that are never withdrawn count 100, so that answers with one stand above all others, in their order.
    """
    missed = max(
        weights.leak - BOUNDS.leak,
        weights.invention - BOUNDS.invention,
        weights.contradiction - BOUNDS.contradiction,
    )
    if not objections:
        return missed
    if _ADDED.issuperset(objections):
        return max(missed, weights.fault - UNLIKE_ADDED.fault, weights.invention - UNLIKE_ADDED.invention)
    if list(objections) == ["contradiction"]:
        turned = max(weights.fault - UNLIKE_TURNED.fault, weights.contradiction - UNLIKE_TURNED.contradiction)
        return max(missed, turned)
    return missed + 100


def _least_held(answer: Answer) -> str:
    """The sentence with the most in it that nothing holds, one in a frame before others."""
    spoken = spoken_in(answer)
    return max(spoken, key=lambda s: (bool(frames_of(s.words)), len(s.free), -s.start)).words.strip()
