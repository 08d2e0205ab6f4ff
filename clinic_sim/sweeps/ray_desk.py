"""`Desk`: which episodes are handed out to which worker, in the plan's order, and when one is given up.

An episode with which a worker died goes out again, first of all. One that has seen two die is played alone in its
worker, after the others, so that a third death is its own doing: then it is given up. So no episode can take its
neighbours along.
"""

from __future__ import annotations

import math
from collections import Counter, deque

from clinic_sim.sweeps.planned import Planned

DEATHS = 3
"""An episode is given up after so many workers died with it."""
_AHEAD = 128
"""Most offline episodes in one worker's hands: it must not wait for the next message."""


class Desk:
    """Which episodes are to be handed out, and what has been lost with whom."""

    def __init__(self, pending: deque[Planned], workers: int, slots: int | None) -> None:
        self._pending = pending
        self._suspects: deque[Planned] = deque()
        """All but given up: each is played alone, last."""
        self._deaths: Counter[str] = Counter()
        self._workers = workers
        self._slots = slots
        self.open = len(pending)
        """Episodes that are not over."""
        self.capped = False
        """Nothing is handed out any more."""

    @property
    def over(self) -> bool:
        """Nobody has anything to wait for."""
        return self.capped or not self.open

    def hand_out(self, out: dict[str, Planned]) -> list[Planned]:
        """More for a worker, added to what it has."""
        if self.capped or any(self._deaths[key] >= DEATHS - 1 for key in out):
            return []
        new: list[Planned] = []
        if self._pending:
            # Offline: the less is left the less at once, so that all end together.
            share = math.ceil(len(self._pending) / (2 * self._workers))
            room = (self._slots or min(share, _AHEAD)) - len(out)
            new = [self._pending.popleft() for _ in range(min(room, len(self._pending)))]
        elif self._suspects and not out:
            new = [self._suspects.popleft()]
        out.update((planned.key, planned) for planned in new)
        return new

    def lost(self, out: dict[str, Planned]) -> list[Planned]:
        """A worker died with these in its hands; returns those that are given up."""
        given_up = []
        again = []
        for planned in out.values():
            self._deaths[planned.key] += 1
            deaths = self._deaths[planned.key]
            if deaths >= DEATHS:
                given_up.append(planned)
            elif deaths == DEATHS - 1:
                self._suspects.append(planned)
            else:
                again.append(planned)
        self._pending.extendleft(reversed(again))
        out.clear()
        return given_up
