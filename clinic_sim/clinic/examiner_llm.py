"""The examiner with a language model behind it: the lexicon first, the model only where the lexicon does not suffice.

A model may say which examination unknown words mean (`order_model`) and, under the policy `model`, write the result of
one that the record lacks (`result_model`). What is on record is reported from the record, by code, as ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from clinic_sim.clinic.events import Event, ExamClarified, ExamReported, Outcome
from clinic_sim.clinic.examiner import (
    OfflineExaminer,
    Request,
    clarify,
    derived_text,
    normal_text,
    read_orders,
)
from clinic_sim.clinic.order_model import resolve
from clinic_sim.clinic.result_model import derive
from clinic_sim.clinic.room import Room
from clinic_sim.errors import ConfigError
from clinic_sim.knowledge.exam_catalogue import catalogue
from clinic_sim.knowledge.orders import OrderItem
from clinic_sim.models.chat import ChatModel
from clinic_sim.models.keys import call_seed

ROLE = "examiner"
Policy = Literal["not_recorded", "normal", "model"]


class LLMExaminer:
    """Reports from the record by catalogue code; asks a model what unknown words mean and what is not on record.

    Args:
        model: Who is asked. Its failures to reach a server end the episode; its failures to behave are counted and
            covered by what the offline examiner would say.
        unrecorded: What is said of an examination that the record lacks.
    """

    def __init__(self, model: ChatModel, unrecorded: str = "not_recorded") -> None:
        if unrecorded not in ("not_recorded", "normal", "model"):
            raise ConfigError(f"unrecorded {unrecorded!r}; it is `not_recorded`, `normal` or `model`")
        self._model = model
        self._desk = OfflineExaminer("normal" if unrecorded == "normal" else "not_recorded")
        self.unrecorded = unrecorded
        self.name = model.name
        self.suspends = model.suspends
        self.settings: Mapping[str, Any] = {**model.settings, "unrecorded": unrecorded}

    async def report(self, room: Room, orders: tuple[str, ...]) -> list[ExamReported | ExamClarified]:
        """Perform and report the orders of one turn; event numbers start at the room's next."""
        request = read_orders(room, orders)
        puzzling = _puzzling(room, orders, request)
        seed = call_seed(room.seed, ROLE, 10 * len(room.events) + 9)
        resolution = await resolve(room, ROLE, self._model, puzzling, seed)
        read = {item.code for item in request.items}
        meant = [
            OrderItem(code, catalogue().name(code, room.language), room.compiled.orders.matches(code), text)
            for text, codes in resolution.codes.items()
            for code in codes
            if code not in read
        ]
        events = self._desk.perform(room, (*request.items, *meant))
        by_model = {item.code for item in meant}
        events = [replace(e, by="model") if e.code in by_model else e for e in events]
        if self.unrecorded == "model":
            events = await self._derived(room, events)
        open_ = Request(
            (*request.items, *meant),
            request.vague,
            tuple(u for u in request.unknown if u not in resolution.codes),
        )
        clarified = clarify(room, open_, len(room.events) + len(events))
        if clarified is None:
            if resolution.rejected:
                events[-1] = replace(events[-1], rejected=(*events[-1].rejected, *resolution.rejected))
            return [*events]
        return [*events, replace(clarified, rejected=resolution.rejected)]

    async def _derived(self, room: Room, events: list[ExamReported]) -> list[ExamReported]:
        """The reports with a derived result for each examination that is not on record."""
        done: list[ExamReported] = []
        for event in events:
            done.append(await self._one(room, event, done) if event.outcome is Outcome.NOT_RECORDED else event)
        return done

    async def _one(self, room: Room, event: ExamReported, before: list[ExamReported]) -> ExamReported:
        earlier = _earlier(room, event.code)
        if earlier is not None:
            return replace(event, outcome=earlier.outcome, text=earlier.text, by=earlier.by)
        result, rejected = await derive(room, ROLE, self._model, event, before)
        if result is not None:
            text = derived_text(room, event.name, result)
            return replace(event, outcome=Outcome.DERIVED, text=text, rejected=rejected, by="model")
        normal = normal_text(room, event.code, event.name)
        if normal is not None:
            return replace(event, outcome=Outcome.DERIVED, text=normal, rejected=rejected, by="fallback")
        return replace(event, rejected=rejected, by="fallback")


def _earlier(room: Room, code: str) -> ExamReported | None:
    """The first report of this order: what was done once is not invented anew."""
    if code not in room.ledger.orders:
        return None
    event: Event = room.events[room.ledger.orders[code]]
    return event if isinstance(event, ExamReported) and event.outcome is not Outcome.REFUSED else None


def _puzzling(room: Room, orders: tuple[str, ...], request: Request) -> list[str]:
    """Words of which the lexicon makes nothing: unknown names, and orders that it reads as no order at all."""
    silent = []
    for text in orders:
        reading = room.compiled.orders.read(text)
        if text.strip() and not (reading.items or reading.vague or reading.unknown):
            silent.append(text)
    return list(dict.fromkeys([*request.unknown, *silent]))
