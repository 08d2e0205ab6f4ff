"""Doctors that should score badly, each in its own way. They are the floor under every table."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from clinic_sim.cases.loading import read_yaml
from clinic_sim.cases.packs import shipped
from clinic_sim.clinic.actions import Ask, Conclude, Examine, Order
from clinic_sim.doctors.base import Doctor, Visit
from clinic_sim.doctors.scripts import illness_scripts, rank
from clinic_sim.knowledge.exam_catalogue import catalogue, is_bedside

_ORDERS_A_TURN = 40


class Scripted(Doctor):
    """A doctor whose actions come from a generator; the last one is repeated if the clinic asks for more."""

    def begin(self, visit: Visit) -> None:
        super().begin(visit)
        self._plan = self.plan()
        self._last: Any = ""

    def plan(self) -> Iterator[Any]:
        """The actions, in order."""
        raise NotImplementedError

    async def decide(self, observation: str) -> Any:
        self._last = next(self._plan, self._last)
        return self._last


class Silent(Doctor):
    """Says nothing, does nothing."""

    name = "silent"

    async def decide(self, observation: str) -> Any:
        return ""


class Guess(Scripted):
    """Concludes at once from the first words."""

    name = "guess"

    def plan(self) -> Iterator[Any]:
        ranked = rank(self.visit.introduction, self.visit.language)
        if not ranked:
            yield Conclude("upper respiratory infection" if self.visit.language == "en" else "上呼吸道感染")
            return
        yield Conclude(ranked[0].name(self.visit.language), treatment=ranked[0].treatments(self.visit.language))


class Shotgun(Scripted):
    """Orders every examination of the catalogue and names every disease it knows of."""

    name = "shotgun"

    def plan(self) -> Iterator[Any]:
        book, language = catalogue(), self.visit.language
        names = [book.name(e.code, language) for e in book if not is_bedside(e.code)]
        for start in range(0, len(names), _ORDERS_A_TURN):
            yield Order(tuple(names[start : start + _ORDERS_A_TURN]))
        scripts = illness_scripts()
        treatments = dict.fromkeys(t for s in scripts for t in s.treatments(language))
        yield Conclude("; ".join(s.name(language) for s in scripts), treatment=tuple(list(treatments)[:100]))


class Parrot(Scripted):
    """Recites the rubric to the patient, and concludes with it."""

    name = "parrot"

    def plan(self) -> Iterator[Any]:
        rubric = read_yaml(shipped("rubrics") / "clinic.yaml")
        words = [c.get("why") or c["id"] for c in rubric["criteria"]]
        for line in words:
            yield Ask(line)
        yield Conclude("; ".join(words), treatment=tuple(words))


class Random(Doctor):
    """Picks actions at random, and concludes at random."""

    name = "random"

    def begin(self, visit: Visit) -> None:
        super().begin(visit)
        self._dice = random.Random(visit.seed)  # noqa: S311 - a game, not a secret
        self._turns = 0

    async def decide(self, observation: str) -> Any:
        language, dice = self.visit.language, self._dice
        self._turns += 1
        scripts = illness_scripts()
        choice = dice.random() if self._turns < 12 else 1.0
        if choice < 0.5:
            feature = dice.choice(dice.choice(scripts).features)
            label = feature.label(language)
            return Ask(f"Do you have {label}?" if language == "en" else f"有没有{label}？")
        if choice < 0.9:
            exam = dice.choice(list(catalogue()))
            kind = Examine if is_bedside(exam.code) else Order
            return kind((catalogue().name(exam.code, language),))
        script = dice.choice(scripts)
        return Conclude(script.name(language), treatment=script.treatments(language))
