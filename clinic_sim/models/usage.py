"""Usage and cost of one role. What a server or a price list does not say stays unknown; it is never counted as zero.

Tokens are counted wherever an answer came, also one that could not be used: they were computed, and they are paid for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from clinic_sim.errors import BadReply, ContextOverflow, ProviderError, Refusal
from clinic_sim.models.chat import Usage

UNREPORTED = Usage(calls=0, unreported=1)
"""A failed attempt that was answered, nobody says with how many tokens."""


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


def used_by(error: ProviderError) -> Usage | None:
    """What a failed attempt used up; None where no model answered: a refused request, a dead server, a timeout."""
    if isinstance(error.usage, Usage):
        return error.usage
    return UNREPORTED if isinstance(error, BadReply | Refusal) else None


def failed_with(error: ProviderError, usage: Usage | None) -> ProviderError:
    """The error, with the tokens of the answer that it is about; nothing is changed where they are not known."""
    if usage is not None:
        error.usage = replace(usage, calls=0)
    return error


def total(one: Usage | None, other: Usage | None) -> Usage | None:
    """Both together, where None is nothing."""
    if one is None or other is None:
        return one or other
    return one + other


@dataclass(slots=True)
class RoleUsage:
    """Running totals of one role in one episode."""

    calls: int = 0
    """Answers of the model: one a call, or as many as an agent needed for its action."""
    input: int = 0
    output: int = 0
    cached: int = 0
    reasoning: int = 0
    unreported: int = 0
    """Answers whose usage the server did not say: the token totals are lower bounds."""
    failed: int = 0
    """Calls that ended in an error after all attempts; what they used up is among the tokens."""
    overflows: int = 0
    """Failed calls whose prompt did not fit the model's context."""
    left_out: int = 0
    """Turns that were taken out of the prompt to make it fit: the model decided the rest without them."""
    from_cache: int = 0
    """Calls that were answered from the cache of replies: their tokens count, their cost does not."""
    cost: float | None = 0.0
    """US dollars; None as soon as one call's cost is unknown."""

    def add(self, usage: Usage | None, prices: Prices | None, *, from_cache: bool = False) -> None:
        """Account for one answered call."""
        self.from_cache += from_cache
        self._count(Usage(unreported=1) if usage is None else usage, prices, free=from_cache)

    def add_failed(self, error: ProviderError, prices: Prices | None) -> None:
        """Account for one call that ended in an error."""
        self.failed += 1
        self.overflows += isinstance(error, ContextOverflow)
        used = used_by(error)
        if used is not None:
            self._count(used, prices, free=False)

    def _count(self, usage: Usage, prices: Prices | None, *, free: bool) -> None:
        self.calls += usage.calls
        self.input += usage.input
        self.output += usage.output
        self.cached += usage.cached
        self.reasoning += usage.reasoning
        self.unreported += usage.unreported
        if not free:
            if prices is None or self.cost is None or usage.unreported:
                self.cost = None
            else:
                self.cost += prices.cost(usage)

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
            "overflows": self.overflows,
            "left_out": self.left_out,
            "from_cache": self.from_cache,
            "cost": None if self.cost is None else round(self.cost, 9),
        }
