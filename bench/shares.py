"""`Share`: how many of how many, as the tables of the benches count it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Share:
    """Some of many."""

    hits: int = 0
    of: int = 0

    def add(self, hit: bool) -> None:
        """Count one more."""
        self.hits += hit
        self.of += 1

    @property
    def value(self) -> float | None:
        """The share; unknown when there was nothing to count."""
        return self.hits / self.of if self.of else None

    def __str__(self) -> str:
        return "-" if self.value is None else f"{self.value:.3f} ({self.hits}/{self.of})"
