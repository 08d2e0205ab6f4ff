"""What a rubric amounts to: the share of the total that each dimension and criterion decides, on a case or at large."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.judge.generate import expand
from clinic_sim.judge.rubric import SAFETY, Criterion, Rubric
from clinic_sim.judge.rubric_parts import Needs


@dataclass(frozen=True, slots=True)
class Explained:
    """A rubric, on one case or at large."""

    rubric: Rubric
    case: str
    """Empty for any case."""
    dimensions: tuple[dict[str, Any], ...]
    criteria: tuple[dict[str, Any], ...]
    """In order; `share` is what each can bring the total on that case, negative for what it can take, None where it
    depends on the case."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "rubric": self.rubric.name,
            "rubric_hash": self.rubric.content_hash,
            "title": self.rubric.title,
            "case": self.case,
            "grades": dict(self.rubric.grades),
            "penalty_per_point": self.rubric.penalty_per_point,
            "dimensions": list(self.dimensions),
            "criteria": list(self.criteria),
        }


def explain(rubric: Rubric, compiled: CompiledCase | None = None) -> Explained:
    """What each part of the rubric decides.

    Args:
        rubric: The rubric.
        compiled: The case; without one, shares that depend on it are left open.
    """
    criteria = [c for c, _ in expand(rubric, compiled)] if compiled else list(rubric.criteria)
    offered = {name: _offered(rubric, name, criteria) for name in rubric.dimensions}
    scored = [name for name in rubric.dimensions if offered[name] is None or offered[name]]
    earning = sum(rubric.dimensions[name].weight for name in scored if name not in rubric.deducting)
    shares = {name: _share(rubric, name, earning) if name in scored else 0.0 for name in rubric.dimensions}
    return Explained(
        rubric,
        compiled.case.id if compiled else "",
        tuple(_dimension(rubric, name, shares[name], offered[name]) for name in rubric.dimensions),
        tuple(_criterion(rubric, c, shares, offered) for c in criteria),
    )


def _share(rubric: Rubric, name: str, earning: float) -> float:
    """Of the total; 0 where the case offers nothing to earn, as the total is unscored then."""
    return rubric.dimensions[name].weight / earning if earning else 0.0


def _offered(rubric: Rubric, name: str, criteria: list[Criterion]) -> float | None:
    """Points that the dimension is measured against; None where the case decides."""
    own = [c for c in criteria if c.dimension == name]
    if any(c.generate for c in own):
        return None
    if name in rubric.deducting:
        return -sum(c.points for c in own if c.points < 0)
    points = {c.id: c.points for c in own if c.points > 0}
    for ids in rubric.alternatives:
        members = _members(ids, points)
        for other in sorted(members, key=lambda i: -points[i])[1:]:
            points[other] = 0.0
    for cap in rubric.caps:
        members = _members(cap.of, points)
        most = sum(points[i] for i in members)
        for i in members:
            points[i] *= min(1.0, cap.points / most) if most else 0.0
    total, cap_ = sum(points.values()), rubric.dimensions[name].cap
    return total if cap_ is None else min(cap_, total)


def _members(ids: tuple[str, ...], points: dict[str, float]) -> list[str]:
    """Those of a set that are here, generated ones among them."""
    return [i for i in points if any(i == name or i.startswith(f"{name}.") for name in ids)]


def _dimension(rubric: Rubric, name: str, share: float, offered: float | None) -> dict[str, Any]:
    dimension = rubric.dimensions[name]
    return {
        "name": name,
        "title": dimension.title,
        "weight": dimension.weight,
        "share": round(-share if name in rubric.deducting else share, 6),
        "points": None if offered is None else round(offered, 6),
        "cap": dimension.cap,
        "deducting": name in rubric.deducting,
    }


def _criterion(
    rubric: Rubric, c: Criterion, shares: dict[str, float], offered: dict[str, float | None]
) -> dict[str, Any]:
    share: float | None
    if c.generate or (c.dimension != SAFETY and offered[c.dimension] is None):
        share = None
    elif c.dimension == SAFETY:
        share = max(-1.0, rubric.penalty_per_point * c.points)
    else:
        most = offered[c.dimension]
        share = shares[c.dimension] * min(1.0, c.points / most) if most else 0.0
    limits = {
        "requires": [_need(item) for item in c.requires],
        "required": None if c.required is False else rubric.ceiling(c.required),
        "veto": c.veto.model_dump() if c.veto else None,
        "stage": c.stage,
        "languages": list(c.languages),
        "alternatives": [i for ids in rubric.alternatives if _stands_in(c.id, ids) for i in ids if i != c.id],
        "cap": next((cap.points for cap in rubric.caps if _stands_in(c.id, cap.of)), None),
        "beside": c.beside,
    }
    return {
        "id": c.id,
        "dimension": c.dimension,
        "check": c.check,
        "points": c.points,
        "share": None if share is None else round(share, 6),
        **{name: value for name, value in limits.items() if value not in (None, "", [])},
        **({"generate": c.generate} if c.generate else {}),
        **({"question": c.question.model_dump()} if c.question else {}),
        "source": str(c.source) if c.source else "",
        "why": c.why,
    }


def _stands_in(name: str, ids: tuple[str, ...]) -> bool:
    return any(name == i or name.startswith(f"{i}.") for i in ids)


def _need(item: str | Needs) -> str:
    if isinstance(item, str):
        return item
    return f"{'any' if item.any else 'all'} of {', '.join(item.ids)}"
