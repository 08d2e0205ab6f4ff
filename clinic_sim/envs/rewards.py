"""Rewards: named terms whose sum is the reward.

`progress` is potential-based shaping (Ng, Harada & Russell 1999): F = gamma * Phi(s') - Phi(s), Phi being the share of
the case's evidence that is known, and zero once the episode is over. It guides learning and cannot change which
policy is best. `cost` charges for orders, `score` is the scorecard's total at the end.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class RewardWeights(BaseModel):
    """How much each term counts."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    progress: float = Field(default=0.2, ge=0)
    """Per unit of potential, which runs from 0 to 1."""
    cost: float = Field(default=1e-5, ge=0)
    """Per US dollar of orders."""
    score: float = Field(default=1.0, ge=0)
    """Per unit of the scorecard's total, which runs from 0 to 1."""
    gamma: float = Field(default=1.0, gt=0, le=1)
    """The trainer's discount; shaping keeps the best policy only for the same one."""


def turn_terms(
    weights: RewardWeights, potential: float, gained: float, spent: float, *, over: bool, total: float | None
) -> dict[str, float]:
    """The terms of one turn, in a fixed order.

    Args:
        potential: Phi before the turn, in [0, 1].
        gained: What the turn added to it.
        spent: US dollars.
        over: The episode ended with this turn.
        total: The scorecard's total; NaN stands for unscored, so that a trainer masks it rather than learning zero.
    """
    after = 0.0 if over else potential + gained
    score = (float("nan") if total is None else weights.score * total) if over else 0.0
    return {
        "progress": weights.progress * (weights.gamma * after - potential),
        "cost": -weights.cost * spent,
        "score": score,
    }
