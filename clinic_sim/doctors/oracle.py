"""The oracle: a doctor that holds the record, and so the upper bound of every score.

It asks whether each fact is so, in the fact's own words, goes on about each symptom that it is told, orders each useful
exam by name, and concludes with the reference. What it cannot reach, no doctor can: it also measures the clinic.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from clinic_sim.cases.case import Case
from clinic_sim.cases.facts import Disclosure, Fact, FactKind, Polarity
from clinic_sim.clinic.actions import Ask, Conclude, Examine, Order
from clinic_sim.clinic.examiner import exam_name
from clinic_sim.doctors.baselines import Scripted
from clinic_sim.errors import ConfigError
from clinic_sim.knowledge.exam_catalogue import is_bedside

_WORDS = {
    "en": {
        "open": "What brings you in today?",
        "whether": "Can you tell me whether {statement}?",
        "since": "When did that start, and how has it been since?",
        "heading": "Can you tell me about your {label}?",
        "confidence": "Everything you say stays confidential. ",
    },
    "zh": {
        "open": "您哪里不舒服？",
        "whether": "是否{statement}？",
        "since": "这是什么时候开始的？后来怎么样？",
        "heading": "请说说您的{label}？",
        "confidence": "您说的我们都会保密。",
    },
}


class Oracle(Scripted):
    """Sees the case."""

    name = "oracle"
    sees_case: ClassVar[bool] = True

    def plan(self) -> Iterator[Any]:
        if self.visit.consultation is None:
            raise ConfigError("the oracle needs the case: run it with a runner that shows it (`sees_case`)")
        room = self.visit.consultation.room
        case, words = room.compiled.case, _WORDS[self.visit.language]
        graph = room.compiled.graph
        yield Ask(words["open"])
        turns_for_exams = 4
        wanted = sorted((f for f in case.facts if graph.worth(f.id)), key=lambda f: -graph.worth(f.id))
        # What its own statement does not bring out, the patient's words for it or its heading may.
        for ask in (_question, _in_the_patients_words, _heading):
            for fact in wanted:
                left = (room.limits.turns or 1000) - room.ledger.turns - turns_for_exams
                if left > 0 and fact.id not in room.ledger.facts:
                    before = len(room.ledger.facts)
                    yield Ask(ask(fact, self.visit.language))
                    still = sum(f.id not in room.ledger.facts for f in wanted)
                    if left - 1 > still and any(
                        _goes_deeper(case.fact(f)) for f in room.ledger.known_since(before, 10**6)
                    ):
                        yield Ask(words["since"])
        yield from self._examinations(case)
        yield self._conclusion(case)

    def _examinations(self, case: Case) -> Iterator[Any]:
        useful = [e for e in case.exams if not e.noise]
        bedside = [e for e in useful if is_bedside(e.code)]
        tests = [e for e in useful if e not in bedside]
        if bedside:
            yield Examine(tuple(exam_name(e, case.language) for e in bedside))
        if tests:
            yield Order(tuple(exam_name(e, case.language) for e in tests))

    def _conclusion(self, case: Case) -> Conclude:
        if case.diagnosis is None:
            return Conclude("unknown" if case.language == "en" else "诊断不明")
        named = [case.diagnosis.primary, *case.diagnosis.comorbid]
        basis = [
            case.fact(e).statement if e in {f.id for f in case.facts} else exam_name(case.exam(e), case.language)
            for e in case.diagnosis.basis
        ]
        treatment = tuple(f"{t.name}: {t.dose}" if t.dosage else t.name for t in case.treatment)
        return Conclude(
            "; ".join(d.name for d in named),
            tuple(d.name for d in case.diagnosis.differential),
            tuple(basis),
            treatment or (("supportive care",) if case.language == "en" else ("对症支持治疗",)),
        )


def _question(fact: Fact, language: str) -> str:
    return _whether(fact, fact.statement, language)


def _in_the_patients_words(fact: Fact, language: str) -> str:
    return _whether(fact, fact.words or fact.statement, language)


def _heading(fact: Fact, language: str) -> str:
    label = fact.topic.label(language)
    return _WORDS[language]["heading"].format(label=label)


def _goes_deeper(fact: Fact) -> bool:
    """A symptom that the patient has: what it is like is asked next."""
    return fact.polarity is Polarity.PRESENT and fact.sort is FactKind.SYMPTOM


def _whether(fact: Fact, text: str, language: str) -> str:
    words = _WORDS[language]
    asked = words["whether"].format(statement=text.rstrip(".。"))
    return words["confidence"] + asked if fact.disclosure is Disclosure.GUARDED else asked
