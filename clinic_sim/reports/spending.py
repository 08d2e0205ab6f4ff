"""What models did and cost, by doctor and clinic. Unknown stays unknown: no price is guessed, no token invented."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from clinic_sim.reports.grouping import Roster
from clinic_sim.reports.tables import Column, Kind, Note, Table


def spending(roster: Roster) -> Table:
    """One row a doctor and clinic that called a model."""
    table = roster.table
    rows = []
    for doctor in roster.ranked:
        for clinic, label in enumerate(roster.clinics):
            mask = roster.masks[doctor] & (table.factors["roles"] == clinic)
            ints = {n: int(table.ints[n][mask].sum()) for n in ("calls", "failed_calls", "tokens_in", "tokens_out")}
            if not ints["calls"] and not ints["failed_calls"]:
                continue
            cost = table.floats["cost"][mask]
            episodes = int(mask.sum())
            unknown = bool(np.isnan(cost).any())
            rows.append(
                (
                    roster.doctors[doctor],
                    label,
                    episodes,
                    *ints.values(),
                    int(table.ints["unreported"][mask].sum()),
                    "unknown" if unknown else float(cost.mean()),
                    "unknown" if unknown else float(cost.sum()),
                )
            )
    columns = (
        Column("doctor"),
        Column("roles"),
        Column("episodes", Kind.COUNT),
        Column("calls", Kind.COUNT),
        Column("failed_calls", Kind.COUNT),
        Column("tokens_in", Kind.COUNT),
        Column("tokens_out", Kind.COUNT),
        Column("unreported", Kind.COUNT),
        Column("cost_episode", Kind.COST),
        Column("cost_total", Kind.COST),
    )
    return Table("spending", columns, tuple(rows), (Note.of("note.spending"),), lead=2)


def models(roster: Roster) -> Table:
    """The models that the manifest names by role, with their settings."""
    rows: list[tuple[str, str, str]] = []
    manifest = roster.table.manifest
    for seats in manifest["models"]:
        rows.extend((role, *_described(own)) for role, own in seats.items() if isinstance(own, dict))
    if manifest["judge"]:
        rows.append(("judge", *_described(manifest["judge"])))
    columns = (Column("role", Kind.WORD), Column("model"), Column("settings"))
    return Table("models", columns, tuple(dict.fromkeys(rows)), lead=2)


def _described(own: Mapping[str, Any]) -> tuple[str, str]:
    """A model's name, and what it is asked with."""
    kept = {k: v for k, v in own.items() if k not in {"model", "name"} and v not in (None, {}, [], "")}
    return str(own.get("model") or own.get("name") or ""), ", ".join(f"{k}={v}" for k, v in sorted(kept.items()))
