"""`Desk`: which episodes are handed out to which worker, in the plan's order, and when one is given up.

An episode with which a worker died goes out again, first of all. One that has seen two die is played alone in its
worker, after the others, so that a third death is its own doing: then it is given up. So no episode can take its
neighbours along.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Sequence

from clinic_sim.sweeps.planned import Planned

DEATHS = 3
"""An episode is given up after so many workers died with it."""
_AHEAD = 128
"""Most offline episodes in one worker's hands: it must not wait for the next message."""
_AHEAD_MODELS = 4
"""Where models play, a worker has one more for each so many of its places: a place that gets free is not left empty
until the next message."""


class Desk:
    """Which episodes are to be handed out, who has which, and what has been lost with whom.

    Args:
        pending: The episodes, in order.
        slots: Episodes at once by seat; None where none of them waits for a model.
        workers: Seats.
    """

    def __init__(self, pending: Iterable[Planned], workers: int, slots: Sequence[int] | None) -> None:
        self._pending = deque(pending)
        self._suspects: deque[Planned] = deque()
        """All but given up: each is played alone, last."""
        self._deaths: Counter[str] = Counter()
        self._slots = slots
        self._out: list[dict[str, Planned]] = [{} for _ in range(workers)]
        """By seat, in the hands of its worker."""
        self._open = len(self._pending)
        """Episodes that are not over."""
        self.capped = False
        """Nothing is handed out any more."""

    @property
    def over(self) -> bool:
        """Nobody has anything to wait for."""
        return self.capped or not self._open

    def busy(self, seat: int) -> bool:
        """Its worker has something in hand."""
        return bool(self._out[seat])

    def hand_out(self, seat: int) -> list[Planned]:
        """More for a worker, beside what it has."""
        out = self._out[seat]
        if self.capped or any(self._deaths[key] >= DEATHS - 1 for key in out):
            return []
        new: list[Planned] = []
        if self._pending:
            room = max(self._most(seat) - len(out), 0)
            new = [self._pending.popleft() for _ in range(min(room, len(self._pending)))]
        elif self._suspects and not out:
            new = [self._suspects.popleft()]
        out.update((planned.key, planned) for planned in new)
        return new

    def take(self, seat: int, key: str) -> Planned | None:
        """An episode is over; None where its worker does not have it."""
        planned = self._out[seat].pop(key, None)
        self._open -= planned is not None
        return planned

    def lost(self, seat: int) -> list[Planned]:
        """A worker died; returns the episodes that are given up, which are over."""
        given_up = []
        again = []
        for planned in self._out[seat].values():
            self._deaths[planned.key] += 1
            deaths = self._deaths[planned.key]
            if deaths >= DEATHS:
                given_up.append(planned)
            elif deaths == DEATHS - 1:
                self._suspects.append(planned)
            else:
                again.append(planned)
        self._pending.extendleft(reversed(again))
        self._out[seat].clear()
        self._open -= len(given_up)
        return given_up

    def _most(self, seat: int) -> int:
        """Episodes that a worker may have in hand. The less is left the less at once, so that all end together."""
        parts = 2 * len(self._out)
        if self._slots is None:
            return min(math.ceil(len(self._pending) / parts), _AHEAD)
        # Nobody gets more than it can play while a place is free elsewhere.
        free = sum(max(slots - len(out), 0) for slots, out in zip(self._slots, self._out, strict=True))
        ahead = max(len(self._pending) - free, 0) // parts
        return self._slots[seat] + min(ahead, math.ceil(self._slots[seat] / _AHEAD_MODELS))
