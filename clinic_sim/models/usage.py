"""Usage and cost of one role. What a server or a price list does not say stays unknown; it is never counted as zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clinic_sim.models.chat import Usage


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars for a million tokens."""

    input: float
    output: float
    cached: float | None = None
    """For prompt tokens from the server's prefix cache; the input price when None."""

    def cost(self, usage: Usage) -> float:
        """What one call cost, in US dollars."""
        cached = self.input if self.cached is None else self.cached
        again = min(usage.cached, usage.input)  # some gateways count cached tokens beside the others
        fresh = usage.input - again
        return (fresh * self.input + again * cached + usage.output * self.output) / 1e6


@dataclass(slots=True)
class RoleUsage:
    """Running totals of one role in one episode."""

    calls: int = 0
    input: int = 0
    output: int = 0
    cached: int = 0
    reasoning: int = 0
    unreported: int = 0
    """Calls whose usage the server did not say: the token totals are lower bounds."""
    failed: int = 0
    """Calls that ended in an error after all attempts."""
    from_cache: int = 0
    """Calls that were answered from the cache of replies: their tokens count, their cost does not."""
    cost: float | None = 0.0
    """US dollars; None as soon as one call's cost is unknown."""

    def add(self, usage: Usage | None, prices: Prices | None, *, from_cache: bool = False) -> None:
        """Account for one answered call."""
        self.calls += 1
        self.from_cache += from_cache
        if usage is None:
            self.unreported += 1
            self.cost = self.cost if from_cache else None
            return
        self.input += usage.input
        self.output += usage.output
        self.cached += usage.cached
        self.reasoning += usage.reasoning
        if not from_cache:
            self.cost = None if prices is None or self.cost is None else self.cost + prices.cost(usage)

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens together."""
        return self.input + self.output

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "calls": self.calls,
            "input": self.input,
            "output": self.output,
            "cached": self.cached,
            "reasoning": self.reasoning,
            "unreported": self.unreported,
            "failed": self.failed,
            "from_cache": self.from_cache,
            "cost": None if self.cost is None else round(self.cost, 9),
        }
