"""`--dry-run`: what a plan amounts to before anything is called: episodes, calls, tokens, dollars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clinic_sim.commands.console import console, print_json, print_table
from clinic_sim.models.chat import ChatModel, Usage
from clinic_sim.models.usage import Prices
from clinic_sim.sweeps.cast import Cast
from clinic_sim.sweeps.planned import Sweep

TURNS = 9
"""Doctor's turns of a usual consultation with a chat model: what `bench/llm_overhead.py` plays."""


@dataclass(frozen=True, slots=True)
class _Usual:
    """What one call of a role takes."""

    first: int
    """Prompt tokens of an episode's first call: as the mock of `bench/` counts those of the shipped cases."""
    grows: int
    """Prompt tokens that each further turn adds, since the transcript is sent again: a question and its answer."""
    output: int
    """A model that reasons before it answers takes several times as many."""


_USUAL = {"doctor": _Usual(500, 100, 60), "patient": _Usual(1250, 100, 40), "judge": _Usual(2400, 0, 600)}


@dataclass(frozen=True, slots=True)
class Estimate:
    """One role of one plan."""

    role: str
    model: str
    episodes: int
    calls: int
    most_calls: int
    """Where every episode uses up its turns."""
    tokens_in: int
    tokens_out: int
    cost: float | None
    """US dollars; None where the model has no prices."""


def estimates(sweep: Sweep, cast: Cast) -> list[Estimate]:
    """What each model of a plan will be asked. Examiner and chief are asked only where the lexicon does not suffice,
    which nobody knows beforehand: they are left out."""
    plan = sweep.plan
    episodes = len(sweep.episodes)
    cap = plan.limits.turns or TURNS
    turns = min(TURNS, cap)
    found = []
    for seat in cast.doctors:
        model = next((m for r, m in cast.models if r == "doctor" and m.name == seat.settings.get("model", "")), None)
        if seat.suspends:
            share = episodes // len(cast.doctors)
            found.append(_estimate("doctor", seat.name, model, share, turns, cap))
    for roles, staff in zip(plan.roles, cast.staffs, strict=True):
        if staff.patient.suspends:
            model = next(
                (m for r, m in cast.models if r == "clinic" and m.name == roles.patient.partition("?")[0]), None
            )
            found.append(_estimate("patient", roles.patient, model, episodes // len(plan.roles), turns - 1, cap))
    if plan.judge is not None and cast.judge.suspends:
        model = next(m for r, m in cast.models if r == "judge")
        votes = plan.judge.votes * cast.judge.calls_a_vote
        found.append(_estimate("judge", plan.judge.model, model, episodes, votes, votes))
    return found


def _estimate(role: str, name: str, model: ChatModel | None, episodes: int, calls: int, most: int) -> Estimate:
    usual = _USUAL[role]
    tokens_in = calls * usual.first + usual.grows * calls * (calls - 1) // 2
    tokens_out = calls * usual.output
    prices: Prices | None = getattr(model, "prices", None)
    cost = None if prices is None else episodes * prices.cost(Usage(tokens_in, tokens_out))
    shown = name.partition("?")[0]
    return Estimate(
        role, shown, episodes, episodes * calls, episodes * most, episodes * tokens_in, episodes * tokens_out, cost
    )


def print_estimate(sweep: Sweep, cast: Cast, *, as_json: bool = False) -> None:
    """Print it."""
    plan, found = sweep.plan, estimates(sweep, cast)
    costs = [e.cost for e in found]
    total = None if None in costs else sum(c for c in costs if c is not None)
    factors = {
        "cases": len(sweep.cases),
        "doctors": len(plan.doctors),
        "roles": len(plan.roles),
        "personas": len(plan.personas),
        "seeds": len(plan.seeds),
        "repeats": plan.repeats,
    }
    if as_json:
        data: dict[str, Any] = {
            "episodes": len(sweep.episodes),
            **factors,
            "calls": sum(e.calls for e in found),
            "most_calls": sum(e.most_calls for e in found),
            "cost": None if total is None else round(total, 4),
            "models": [{f: getattr(e, f) for f in Estimate.__slots__} for e in found],
        }
        print_json(data)
        return
    shard = f" (shard {sweep.shard} of {sweep.size})" if sweep.shard else ""
    product = " x ".join(f"{n} {name}" for name, n in factors.items())
    console().print(f"{len(sweep.episodes)} episodes{shard} = {product}")
    if not found:
        console().print("no model is called: it costs nothing")
        return
    rows = [
        [
            e.role,
            e.model,
            str(e.episodes),
            str(e.calls),
            str(e.most_calls),
            str(e.tokens_in),
            str(e.tokens_out),
            "unknown" if e.cost is None else f"{e.cost:.2f}",
        ]
        for e in found
    ]
    columns = ["role", "model", "episodes", "calls", "at most", "tokens in", "tokens out", "US $"]
    print_table(f"Estimate, at {TURNS} turns an episode", columns, rows, left=2)
    console().print(f"US $ {'unknown' if total is None else f'{total:.2f}'}, before prompt caching and retries")
