"""`Spending`: what a run has cost so far, and the cap at which no model is called any more."""

from __future__ import annotations

from clinic_sim.errors import ConfigError, CostCapReached
from clinic_sim.models.calls import Calls
from clinic_sim.sweeps.cast import AGENT, Cast


class Spending:
    """The cost of one run, in US dollars.

    Args:
        before: What finished episodes have cost.
        cap: Where calling models ends; None for no cap.
    """

    __slots__ = ("_calls", "_done", "cap", "elsewhere", "unknown")

    def __init__(self, before: float = 0.0, cap: float | None = None) -> None:
        self.cap = cap
        self.unknown = False
        """Some calls' cost is not known, so that the sum is a lower bound."""
        self.elsewhere = 0.0
        """What other processes of the same run have spent, as last heard."""
        self._done = before
        self._calls: dict[int, Calls] = {}

    def begin(self, calls: Calls) -> None:
        """An episode begins: its calls count from now on, replayed ones too, for they were paid for."""
        self._calls[id(calls)] = calls

    def end(self, calls: Calls) -> None:
        """An episode is over, whatever came of it."""
        self._done += self._known(self._calls.pop(id(calls)))

    @property
    def settled(self) -> float:
        """Dollars of this process's episodes that are over, and of those before."""
        return self._done

    @property
    def in_flight(self) -> float:
        """Dollars of this process's episodes in flight, so far."""
        return sum(self._known(calls) for calls in self._calls.values())

    @property
    def spent(self) -> float:
        """Dollars so far, episodes in flight included, as far as known."""
        return self._done + self.in_flight + self.elsewhere

    def recount(self, amount: float) -> None:
        """An attempt of which so much is on record is made again: its calls are replayed, and counted then."""
        self._done -= amount

    @property
    def reached(self) -> bool:
        """The cap is reached."""
        return self.cap is not None and self.spent >= self.cap

    def check(self) -> None:
        """Called before each live call.

        Raises:
            CostCapReached: the cap is reached; the episode stays owed.
        """
        if self.reached:
            raise CostCapReached(f"the run has cost ${self.spent:.4f}, its cap is ${self.cap:g}")

    def _known(self, calls: Calls) -> float:
        total = 0.0
        for usage in calls.usage.values():
            if usage.cost is None:
                self.unknown = True
            else:
                total += usage.cost
        return total


def check_prices(cast: Cast, cap: float | None) -> None:
    """A cap needs to know what calls cost.

    Raises:
        ConfigError: a model, or an agent, has no prices.
    """
    if cap is None:
        return
    without = {f"{role} ({model.name})" for role, model in cast.models if getattr(model, "prices", None) is None}
    # An agent calls its models itself: they are not among the cast's.
    without |= {f"doctor ({d.name})" for d in cast.doctors if d.name.startswith(AGENT) and "price_in" not in d.settings}
    if without:
        raise ConfigError(
            f"max_cost cannot be kept: no prices for {', '.join(sorted(without))}; "
            "add ?price_in=...&price_out=... (US dollars for a million tokens) to the model's name"
        )
