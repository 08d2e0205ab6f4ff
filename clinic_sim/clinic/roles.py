"""The people of the clinic, as the consultation needs them.

`suspends` says that a role waits for something outside; `settings` is what stands in the record: the parameters of the
model that plays it, empty for one that has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from clinic_sim.clinic.actions import Conclude
from clinic_sim.clinic.chief import OfflineChief
from clinic_sim.clinic.events import ChiefSpoke, ExamClarified, ExamReported, PatientAnswered
from clinic_sim.clinic.examiner import OfflineExaminer
from clinic_sim.clinic.patient.offline import OfflinePatient
from clinic_sim.clinic.room import Room


class Patient(Protocol):
    """Answers what the doctor says."""

    @property
    def suspends(self) -> bool: ...
    @property
    def name(self) -> str: ...
    @property
    def settings(self) -> Mapping[str, Any]: ...

    async def answer(self, room: Room, utterance: str) -> PatientAnswered:
        """Answer one utterance."""


class Examiner(Protocol):
    """Performs and reports orders."""

    @property
    def suspends(self) -> bool: ...
    @property
    def name(self) -> str: ...
    @property
    def settings(self) -> Mapping[str, Any]: ...

    async def report(self, room: Room, orders: tuple[str, ...]) -> list[ExamReported | ExamClarified]:
        """Report the orders of one turn."""


class ChiefPhysician(Protocol):
    """Can be asked, and reviews the end."""

    @property
    def suspends(self) -> bool: ...
    @property
    def name(self) -> str: ...
    @property
    def settings(self) -> Mapping[str, Any]: ...

    async def consult(self, room: Room, question: str) -> ChiefSpoke:
        """Answer a question."""

    async def review(self, room: Room, conclusion: Conclude) -> ChiefSpoke | None:
        """Challenge a conclusion, or accept it with None."""


@dataclass(frozen=True, slots=True)
class Staff:
    """Who plays the clinic in an episode; the offline people by default."""

    patient: Patient = field(default_factory=OfflinePatient)
    examiner: Examiner = field(default_factory=OfflineExaminer)
    chief: ChiefPhysician = field(default_factory=OfflineChief)

    @property
    def suspends(self) -> bool:
        """Someone waits for something outside, so an event loop is needed."""
        return self.patient.suspends or self.examiner.suspends or self.chief.suspends

    def settings(self) -> dict[str, dict[str, Any]]:
        """The models' parameters by role, for the record."""
        roles = (("patient", self.patient), ("examiner", self.examiner), ("chief", self.chief))
        return {role: dict(person.settings) for role, person in roles if person.settings}


OFFLINE = Staff()
"""The offline people hold no state, so all episodes share them."""
