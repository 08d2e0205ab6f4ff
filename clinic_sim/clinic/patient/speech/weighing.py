"""A learned weighing of the signs of an answer: how like labelled leaks, inventions and contradictions it is.

`data/weights.tsv` holds one logistic model a column, each fitted on one kind of fault against honest answers, and one
on all faults together. A model weighs the signs of the whole answer and those of its worst sentence.
`bench/guard_weights.py` fits them, and chooses the bounds by cross-validation over cases.

What the rules object to is among the signs: the weighing adds what they missed, and withdraws what they objected to in
words that are otherwise like honest ones. Some objections are never withdrawn: a leak that a rule has named, and a
disease, drug, treatment, habit, organ or symptom, each by its name, that nothing allowed holds. With these the rules
charge 34 of 2,182 honest answers and 871 of 1,860 others in the `llm_` and `asides_` sets of tests/guard.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from clinic_sim.clinic.patient.speech.signs import Described, described
from clinic_sim.clinic.patient.speech.spoken import Answer
from clinic_sim.clinic.patient.speech.support import Found
from clinic_sim.clinic.patient.speech.tables import table

BIAS = "1"
"""The sign that every answer has."""
BOUND = "bound"
"""The row of the table that holds the log odds beyond which an answer is rejected."""
LEAK = "leak"
"""How the kinds of objection begin that name one."""
_CERTAIN = frozenset(
    f"rule:{kind}:{sort}"
    for kind in ("invention", "unchosen")
    for sort in ("claim", "dx", "drug", "icd", "organ", "proc", "sx.name", "tx")
)
_CERTAIN_DOUBT = 100.0


class Weights(NamedTuple):
    """Log odds that an answer is a leak, an invention, a contradiction, and any of them, against an honest one."""

    leak: float
    invention: float
    contradiction: float
    fault: float


class Weighed(NamedTuple):
    """An answer against the bounds."""

    over: Weights
    """Log odds beyond each bound; above 0 the answer is rejected."""
    worst: tuple[str, str, str, str]
    """The sentence that weighs most in each."""
    certain: bool
    """Rules object to what is never withdrawn."""

    @property
    def doubt(self) -> float:
        """How far the answer is from being accepted; above 0 it is rejected.

        What is certain counts 100, so that such answers stand above all others, in their order.
        """
        return max(self.over) + (_CERTAIN_DOUBT if self.certain else 0.0)


@cache
def _table() -> Mapping[str, Weights]:
    return {sign: Weights(*map(float, columns)) for sign, *columns in table("weights.tsv")}


def bounds() -> Weights:
    """The log odds beyond which an answer is rejected."""
    return _table()[BOUND]


def certain(found: Described) -> bool:
    """Whether rules object to what is never withdrawn."""
    return any(sign in _CERTAIN or sign.startswith(f"rule:{LEAK}") for sign in found.whole)


def weigh(found: Described) -> Weighed:
    """An answer by its signs."""
    known = _table()
    whole = _sum(known, found.whole)
    each = [_sum(known, signs) for signs in found.sentences]
    over, worst = [], []
    for n, (bias, bound) in enumerate(zip(known[BIAS], known[BOUND], strict=True)):
        at = max(range(len(each)), key=lambda sentence: each[sentence][n])
        over.append(bias + whole[n] + each[at][n] - bound)
        worst.append(found.words[at])
    return Weighed(Weights(*over), (worst[0], worst[1], worst[2], worst[3]), certain(found))


def _sum(known: Mapping[str, Weights], signs: Mapping[str, float]) -> list[float]:
    leak = invention = contradiction = fault = 0.0
    for sign, size in signs.items():
        weights = known.get(sign)
        if weights is not None:
            leak += weights[0] * size
            invention += weights[1] * size
            contradiction += weights[2] * size
            fault += weights[3] * size
    return [leak, invention, contradiction, fault]


def reconsidered(answer: Answer, faults: list[Found]) -> list[Found]:
    """What is left of the rules' objections, and what they missed, once all signs are weighed."""
    if answer.asked is None:
        return faults  # the weights were learned on answers to questions
    weighed = weigh(described(answer, faults))
    if weighed.doubt <= 0:
        return []
    leak, invention, contradiction, _ = weighed.over
    if leak > 0 and not any(kind.startswith(LEAK) for kind, _ in faults):
        return [("leak:diagnosis", weighed.worst[0]), *faults]
    if faults:
        return faults
    return [("contradiction", weighed.worst[2]) if contradiction > invention else ("invention", weighed.worst[1])]
