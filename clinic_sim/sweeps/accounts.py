"""`Accounts`: where every planned episode went. No table is printed without it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Accounts:
    """planned = completed + failed (by cause) + skipped; of the completed, some may be unscored."""

    planned: int
    completed: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    """By kind of the last failure."""
    unscored: Counter[str] = field(default_factory=Counter)
    """Completed episodes without a total, by reason: a mean over the others alone would hide them."""

    @property
    def skipped(self) -> int:
        """Not played: the run was stopped, or reached its cap of cost."""
        return self.planned - self.completed - self.failed.total()

    @property
    def scored(self) -> int:
        """Completed with a total."""
        return self.completed - self.unscored.total()

    @property
    def whole(self) -> bool:
        """Every planned episode is completed, and scored."""
        return self.completed == self.planned and not self.unscored

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "planned": self.planned,
            "completed": self.completed,
            "failed": {kind: n for kind, n in sorted(self.failed.items()) if n},
            "skipped": self.skipped,
            "scored": self.scored,
            "unscored": dict(sorted(self.unscored.items())),
        }

    def line(self) -> str:
        """For people."""
        text = f"planned {self.planned} = completed {self.completed} + failed {self.failed.total()}{_by(self.failed)}"
        text += f" + skipped {self.skipped}; scored {self.scored}"
        return f"{text} + unscored {self.unscored.total()}{_by(self.unscored)}"


def _by(counts: Mapping[str, int]) -> str:
    told = ", ".join(f"{kind} {n}" for kind, n in sorted(counts.items()) if n)
    return f" ({told})" if told else ""
