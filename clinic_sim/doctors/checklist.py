"""The checklist doctor: a systematic history, an examination, tests by what was found, a conclusion from the evidence.

It knows only what it was told, and the textbook knowledge of `scripts`. It is the honest baseline that every exploit
must stay under.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from clinic_sim.clinic.actions import Ask, Conclude, Examine, Order
from clinic_sim.doctors import interview, workup
from clinic_sim.doctors.base import Visit
from clinic_sim.doctors.baselines import Scripted
from clinic_sim.doctors.caution import conditions, general_care, permitted
from clinic_sim.doctors.scripts import Evidence, IllnessScript, concepts_of, rank_evidence, signs_in
from clinic_sim.knowledge.exam_catalogue import catalogue
from clinic_sim.knowledge.treatments import name as treatment_name

_EXAMINATION = (
    "vital",
    "phys.general",
    "phys.skin",
    "phys.lymph_nodes",
    "phys.heent",
    "phys.eye",
    "phys.ear",
    "phys.throat",
    "phys.neck",
    "phys.heart",
    "phys.lung",
    "phys.abdomen",
    "phys.spine",
    "phys.extremities",
    "phys.msk",
    "phys.neuro",
    "phys.mental",
)
_UNBORN = ["phys.obstetric.fhr"]
_BASICS = ("lab.cbc",)
_FIRST_ROUND = (4, 2, 2)
"""Tests ordered for each of the leading scripts before any result, and after."""
_SECOND_ROUND = (5, 1)
_FIRST_ORDERS = 8
_SECOND_ORDERS = 5
_FOLLOW_UPS = 3
_HYPOTHESES = 2
_QUESTIONS = 35
"""Most questions: the usual forty turns leave room for the examination, two orders and a challenged conclusion."""
_SINCE = 3
"""Symptoms that are asked about together: since when, and how bad."""
_DIFFERENTIAL = 3
_BASIS = 12

_AGE = re.compile(r"(\d+(?:\.\d+)?)[- ]?(years?|months?|weeks?|days?|岁|个月|周|天)")
_UNIT_YEARS = {"m": 1 / 12, "w": 7 / 365, "d": 1 / 365, "个": 1 / 12, "周": 7 / 365, "天": 1 / 365}
_FEMALE_WORDS = re.compile(r"\b(?:woman|girl|female)\b|女")
_MALE_WORDS = re.compile(r"\b(?:man|boy|male)\b|男")
_SPEAKER = re.compile(r"^[^:：\n]{2,16}[:：] ?", re.MULTILINE)
_SAID = re.compile(r"[“\"](.*)[”\"]")
_NOTHING = re.compile(r"is on record for this patient|not applicable to this|病历中没有|不适用于|not performed:|未执行")
_URGENT = re.compile(r"emergency department|in the ward|急诊|病房")
_UNCLEAR = {"en": "diagnosis unclear", "zh": "诊断不明"}


class Checklist(Scripted):
    """Takes a systematic history, orders by what it found, concludes from the evidence."""

    name = "checklist"

    def begin(self, visit: Visit) -> None:
        self._heard: list[str] = [_first_words(visit.introduction)]
        self._results: list[str] = []
        self._age, self._sex = _who(visit.introduction)
        super().begin(visit)

    async def decide(self, observation: str) -> Any:
        if observation != self.visit.introduction:
            told = _SPEAKER.sub("", observation)
            if isinstance(self._last, Ask):
                self._heard.append(told)
            else:
                self._results += [line for line in told.splitlines() if line and not _NOTHING.search(line)]
        return await super().decide(observation)

    def plan(self) -> Iterator[Any]:
        language = self.visit.language
        yield from islice(self._interview(), _QUESTIONS)
        targeted = [e for s in rank_evidence(self._evidence())[:_HYPOTHESES] for e in s.exams if workup.bedside(e)]
        if "pregnant" in conditions(self._evidence(), self._heard):
            targeted += _UNBORN
        yield Examine(_names(workup.without_repeats((*_EXAMINATION, *targeted), ()), language))
        evidence = self._evidence()
        limits = conditions(evidence, self._heard)
        leading = workup.proving(rank_evidence(evidence), _FIRST_ROUND, limits)
        ordered = workup.without_repeats((*workup.called_for(evidence, limits), *leading, *_BASICS), ())[:_FIRST_ORDERS]
        yield Order(_names(ordered, language))
        evidence = self._evidence()
        second = workup.proving(rank_evidence(evidence), _SECOND_ROUND, conditions(evidence, self._heard))
        further = workup.without_repeats(second, ordered)[:_SECOND_ORDERS]
        if further:
            yield Order(_names(further, language))
        yield self._conclusion()

    def _interview(self) -> Iterator[Ask]:
        language = self.visit.language
        for question in interview.HISTORY[language]:
            yield Ask(question)
        grown = self._age is None or self._age >= 14
        if self._sex == "female" and (self._age is None or 11 <= self._age <= 60):
            yield Ask(interview.FEMALE[language])
        if not grown:
            yield Ask(interview.CHILD[language])
        if grown:
            yield Ask(interview.SEXUAL[language])
            yield Ask(interview.DESPAIR[language])
        evidence = self._evidence()
        for question in list(interview.follow_ups(evidence.present, evidence.complaint, language))[:_FOLLOW_UPS]:
            yield Ask(question)
        for script in rank_evidence(self._evidence())[:_HYPOTHESES]:
            known = self._evidence()
            asked = interview.hypothesis_question(script, language, known.present | known.absent)
            if asked:
                yield Ask(asked)
        found = self._evidence()
        late = [c for c in sorted(found.present - found.complaint) if c in self._leading_symptoms(found)]
        if late:
            yield Ask(interview.since_question(late[:_SINCE], language))
        yield Ask(interview.MORE[language])

    def _leading_symptoms(self, evidence: Evidence) -> frozenset[str]:
        """The symptoms that the leading scripts rest on: what they are like is worth a question."""
        scripts = rank_evidence(evidence)[:_HYPOTHESES]
        return frozenset(f.concept for s in scripts for f in s.features if f.concept.startswith("sx."))

    def _evidence(self) -> Evidence:
        language = self.visit.language
        present, absent = concepts_of(self._heard, language)
        complaint, _ = concepts_of(self._heard[:2], language)
        signs = frozenset[str]().union(*map(signs_in, self._results))
        return Evidence(present, absent, signs, self._age, self._sex, complaint)

    def _conclusion(self) -> Conclude:
        language = self.visit.language
        evidence = self._evidence()
        ranked = rank_evidence(evidence)
        if not ranked:
            return Conclude(_UNCLEAR[language], treatment=(interview.MORE[language],))
        return Conclude(
            ranked[0].name(language),
            tuple(s.name(language) for s in ranked[1 : 1 + _DIFFERENTIAL]),
            tuple(self._basis(ranked[0])),
            self._plan_for(ranked[0], evidence),
        )

    def _plan_for(self, script: IllnessScript, evidence: Evidence) -> tuple[str, ...]:
        limits = conditions(evidence, self._heard)
        urgent = bool(_URGENT.search(self.visit.introduction.split("\n", 1)[0]))
        wanted = dict.fromkeys((*script.plan, *general_care(evidence, limits, urgent=urgent)))
        language = self.visit.language
        return tuple(treatment_name(t, language) for t in permitted(wanted, limits, self._heard))

    def _basis(self, script: IllnessScript) -> Iterator[str]:
        """What was heard and found that speaks for the script."""
        language = self.visit.language
        features = {f.concept for f in script.features}
        heard = (t for t in dict.fromkeys(self._heard) if t and not features.isdisjoint(concepts_of([t], language)[0]))
        found = (t for t in dict.fromkeys(self._results) if not signs_in(t).isdisjoint(script.signs))
        yield from list(found)[: _BASIS // 2]
        yield from list(heard)[: _BASIS // 2]


def _names(codes: list[str], language: str) -> tuple[str, ...]:
    return tuple(catalogue().name(code, language) for code in codes)


def _who(introduction: str) -> tuple[float | None, str]:
    """Age in years and sex, as the introduction tells them."""
    head = introduction[:120]
    age = None
    found = _AGE.search(head)
    if found:
        unit = found.group(2)
        age = float(found.group(1)) * _UNIT_YEARS.get(unit[0], 1.0)
    sex = "female" if _FEMALE_WORDS.search(head) else "male" if _MALE_WORDS.search(head) else ""
    return age, sex


def _first_words(introduction: str) -> str:
    """What the patient says on coming in."""
    line = introduction.split("\n", 1)[0]
    said = _SAID.search(line)
    return said.group(1) if said else line
