"""How much a consultation may take."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Limits(BaseModel):
    """Budgets of one episode; None means no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    turns: int | None = Field(default=40, ge=1)
    """Doctor's actions; reaching it truncates the episode."""
    exams: int | None = Field(default=None, ge=0)
    """Orders that are performed; further ones are refused."""
    money: float | None = Field(default=None, ge=0)
    """US dollars; an order that would exceed it is refused."""
    minutes: int | None = Field(default=None, ge=1)
    """The clinic's clock: turnaround of orders plus one minute a turn; passing it truncates the episode."""
    tokens: int | None = Field(default=None, ge=1)
    """Tokens of all roles, where models report them; passing it truncates the episode."""
    seconds: float | None = Field(default=None, gt=0)
    """Wall-clock; passing it truncates the episode. Not reproducible, so off by default."""
    invalid: int = Field(default=5, ge=1)
    """Unreadable actions in a row before the episode is truncated."""
