"""`Consultation`: one episode as an object. It alone owns turn order, budgets and the end.

Every face and adapter is a thin layer over `act`. There is no global state, and no word from a model ends an episode:
it ends when the doctor concludes (and the chief has had one chance to challenge) or when a budget is used up.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import Any

from clinic_sim._version import __version__
from clinic_sim.cases.case import Case
from clinic_sim.cases.compiled import compile_case
from clinic_sim.clinic import codec
from clinic_sim.clinic.actions import Action, Ask, Conclude, Consult, Examine, Invalid, Order
from clinic_sim.clinic.driving import drive
from clinic_sim.clinic.episode import Episode
from clinic_sim.clinic.events import (
    ActionRejected,
    DoctorActed,
    Ended,
    Event,
    Opened,
    TerminationReason,
)
from clinic_sim.clinic.limits import Limits
from clinic_sim.clinic.patient.phrase import opening
from clinic_sim.clinic.persona import Persona
from clinic_sim.clinic.roles import OFFLINE, Staff
from clinic_sim.clinic.room import Room
from clinic_sim.clinic.scene import introduction, observation
from clinic_sim.errors import ClinicSimError, ConfigError, SimulatorError
from clinic_sim.models.calls import Calls

_DEFAULT_LIMITS = Limits()
_DEFAULT_PERSONA = Persona()
_TRUNCATING = frozenset(TerminationReason) - {TerminationReason.CONCLUDED}


@dataclass(frozen=True, slots=True)
class TurnResult:
    """What one action brought about."""

    observation: str
    """What the doctor sees and hears."""
    events: tuple[Event, ...]
    terminated: bool
    """The consultation came to its own end."""
    truncated: bool
    """A budget ended it."""
    gained: float
    """Worth of the evidence revealed by this turn, as a share of the case's whole worth, in [0, 1]."""
    spent: float
    """US dollars charged by this turn."""


class Consultation:
    """One patient, one doctor, one episode.

    Args:
        case: The case.
        seed: Determines every offline choice of words.
        staff: Who plays the clinic; offline by default.
        persona: How the patient talks.
        limits: Budgets.
        review: The chief reviews a conclusion and may challenge it once.
        calls: Through which model-backed roles and doctors ask; one of its own when None.
    """

    __slots__ = ("_busy", "_idle_run", "_invalid_run", "_review", "_room", "_staff", "_started")

    def __init__(
        self,
        case: Case,
        *,
        seed: int = 0,
        staff: Staff = OFFLINE,
        persona: Persona = _DEFAULT_PERSONA,
        limits: Limits = _DEFAULT_LIMITS,
        review: bool = True,
        calls: Calls | None = None,
    ) -> None:
        self._room = Room(compile_case(case), seed, persona, limits)
        if calls is not None:
            self._room.calls = calls
        self._staff = staff
        self._review = review
        self._busy = False
        self._invalid_run = 0
        self._idle_run = 0
        self._started = time.monotonic() if limits.seconds is not None else 0.0
        self._record(Opened(0, opening(self._room.compiled), self._room.compiled.given_facts))

    @property
    def case(self) -> Case:
        """The case of this consultation."""
        return self._room.compiled.case

    @property
    def room(self) -> Room:
        """The room: events, ledger and settings. Read only."""
        return self._room

    @property
    def ended(self) -> bool:
        """No further action is possible."""
        return self._room.ledger.ended is not None

    @property
    def tokens(self) -> int:
        """Tokens used by all roles so far, the doctor's among them, as far as servers report them."""
        return self._room.calls.tokens

    @property
    def suspends(self) -> bool:
        """Someone of the staff waits for something outside, so `act` needs an event loop."""
        return self._staff.suspends

    def introduction(self) -> str:
        """What the doctor sees first: who comes, where, the first words, and how to act."""
        return introduction(self._room)

    async def act(self, raw: object) -> TurnResult:
        """Take one action of the doctor's and play the clinic's answer.

        Args:
            raw: Text, a dict, a tool call or an action; what cannot be read costs a turn and is explained.

        Raises:
            ConfigError: the consultation is over, or another action is still being played.
            SimulatorError: the clinic itself failed; the episode is ended and unscored.
        """
        if self.ended:
            raise ConfigError(f"the consultation is over ({self._room.ledger.ended}); start a new one to act again")
        if self._busy:
            raise ConfigError("another action is still being played; await it first, one action at a time")
        room = self._room
        first = len(room.events)
        facts_before, exams_before = len(room.ledger.facts), len(room.ledger.exams)
        money_before = room.ledger.money
        action = codec.parse(raw, room.language)
        self._record(DoctorActed(first, action))
        self._busy = True
        try:
            await self._play(action)
        except asyncio.CancelledError:
            # Half a turn is on record: nobody can tell what the rest would have been.
            self._end(TerminationReason.SIMULATOR_FAILED, "cancelled in the middle of a turn")
            raise
        except ClinicSimError:
            self._end(TerminationReason.SIMULATOR_FAILED)
            raise
        except Exception as exc:
            self._end(TerminationReason.SIMULATOR_FAILED)
            raise SimulatorError(f"the clinic failed on {type(action).__name__}: {type(exc).__name__}: {exc}") from exc
        finally:
            self._busy = False
        fresh = room.ledger.known_since(facts_before, exams_before)
        self._idle_run = self._idle_run + 1 if isinstance(action, Ask) and not fresh else 0
        self._enforce_limits()
        graph = room.compiled.graph
        gained = sum(graph.worth(e) for e in fresh) / graph.total if fresh and graph.total else 0.0
        ended = room.ledger.ended
        events = tuple(room.events[first:])
        return TurnResult(
            observation(events, room.language),
            events,
            ended is TerminationReason.CONCLUDED,
            ended in _TRUNCATING,
            gained,
            room.ledger.money - money_before,
        )

    def act_sync(self, raw: object) -> TurnResult:
        """`act`, from synchronous code; safe beside a running event loop."""
        return drive(lambda: self.act(raw), suspends=self.suspends)

    def abort(self, reason: TerminationReason, detail: str = "") -> None:
        """End the episode for a reason outside the clinic (the doctor's model failed); it is unscored."""
        if not self.ended:
            self._end(reason, detail)

    def episode(self) -> Episode:
        """The episode so far, as data."""
        room = self._room
        case = room.compiled.case
        settings: dict[str, Any] = {
            "limits": room.limits.model_dump(mode="json"),
            "persona": room.persona.model_dump(mode="json"),
            "review": self._review,
            "patient": self._staff.patient.name,
            "examiner": self._staff.examiner.name,
            "chief": self._staff.chief.name,
        }
        models = self._staff.settings()
        if models:
            settings["models"] = models
        return Episode(
            case.id, room.compiled.content_hash, case.language, room.seed, __version__, settings, tuple(room.events)
        )

    async def _play(self, action: Action) -> None:
        room = self._room
        if isinstance(action, Invalid):
            self._invalid_run += 1
            self._record(ActionRejected(len(room.events), action.reason, action.reason.split(".", 1)[0]))
            return
        self._invalid_run = 0
        if isinstance(action, Ask):
            self._record(await self._staff.patient.answer(room, action.text))
        elif isinstance(action, Order | Examine):
            orders = action.exams if isinstance(action, Order) else action.manoeuvres
            for event in await self._staff.examiner.report(room, orders):
                self._record(event)
        elif isinstance(action, Consult):
            self._record(await self._staff.chief.consult(room, action.question))
        else:
            await self._conclude(action)

    async def _conclude(self, action: Conclude) -> None:
        first_time = len(self._room.ledger.conclusions) == 1
        if self._review and first_time and self._turns_left > 0:
            challenge = await self._staff.chief.review(self._room, action)
            if challenge is not None:
                self._record(challenge)
                return
        self._end(TerminationReason.CONCLUDED)

    @property
    def _turns_left(self) -> int:
        limit = self._room.limits.turns
        return 1 if limit is None else limit - self._room.ledger.turns

    def _enforce_limits(self) -> None:
        limits, ledger = self._room.limits, self._room.ledger
        if self.ended:
            return
        if limits.turns is not None and ledger.turns >= limits.turns:
            self._end(TerminationReason.TURN_LIMIT)
        elif self._invalid_run >= limits.invalid:
            self._end(TerminationReason.INVALID_LIMIT)
        elif self._room.persona.patience is not None and self._idle_run >= self._room.persona.patience:
            self._end(TerminationReason.PATIENT_LEFT)
        elif limits.minutes is not None and ledger.minutes > limits.minutes:
            self._end(TerminationReason.TIME_LIMIT)
        elif limits.tokens is not None and self.tokens > limits.tokens:
            self._end(TerminationReason.TOKEN_LIMIT)
        elif limits.seconds is not None and time.monotonic() - self._started > limits.seconds:
            self._end(TerminationReason.SECONDS_LIMIT)

    def _end(self, reason: TerminationReason, detail: str = "") -> None:
        self._record(Ended(len(self._room.events), reason, detail))

    def _record(self, event: Event) -> None:
        room = self._room
        if event.n != len(room.events):
            event = replace(event, n=len(room.events))
        room.events.append(event)
        room.ledger.apply(event)
