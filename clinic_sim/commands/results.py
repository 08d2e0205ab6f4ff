"""How outcomes are shown: one scorecard, the table of a run, who used how much of which model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clinic_sim.commands.console import console, number, print_table
from clinic_sim.judge.rubric import SAFETY
from clinic_sim.judge.scorecard import Scorecard, Status
from clinic_sim.sweeps.accounts import Accounts
from clinic_sim.sweeps.outcome import Outcome


def summary(run: str, outcome: Outcome) -> dict[str, Any]:
    """The line of `--json`."""
    card, ledger = outcome.scorecard, outcome.episode.ledger
    line: dict[str, Any] = {
        "run": run,
        "case": outcome.episode.case,
        "doctor": outcome.doctor,
        "seed": outcome.episode.seed,
        "total": card.total,
        "dimensions": {name: d.value for name, d in card.dimensions.items()},
        "safety": card.safety,
        "turns": ledger.turns,
        "cost": round(ledger.money, 2),
        "termination": str(ledger.ended),
        "status": card.status,
    }
    if outcome.usage:
        line["usage"] = dict(outcome.usage)
    if card.failure or outcome.failure:
        line["failure"] = outcome.failure or card.failure
    return line


def print_scorecard(card: Scorecard) -> None:
    """The dimensions, then what was missed in each and any harm."""
    rows = []
    for name, dimension in card.dimensions.items():
        own = [v for v in card.verdicts if v.dimension == name and v.points > 0]
        met = sum(v.status is Status.MET for v in own)
        unscored = sum(v.status is Status.UNSCORED for v in own)
        note = dimension.failure or f"{met}/{len(own)} criteria met" + (f", {unscored} unscored" if unscored else "")
        rows.append([name, number(dimension.value), dimension.grade or "–", note + _held(dimension.limited_by)])
    rows.append(["safety", f"{card.safety:+.3f}" if card.safety else "0", "", "what harm took from the total"])
    rows.append(["total", number(card.total), "", (card.failure + _held(card.limited_by)).removeprefix("; ")])
    print_table(f"Scorecard · rubric {card.rubric}", ["dimension", "score", "grade", ""], rows)
    missed = [v for v in card.verdicts if v.points > 0 and v.status is Status.NOT_MET]
    harmed = [v for v in card.verdicts if v.points < 0 and v.value]
    for verdict in sorted(missed, key=lambda v: -v.points)[:5]:
        console().print(f"  missed  {verdict.criterion}: {verdict.reason}")
    for verdict in harmed:
        at = ", ".join(map(str, verdict.evidence))
        what = "harm " if verdict.dimension == SAFETY else "waste"
        console().print(f"  {what}   {verdict.criterion}: {verdict.reason} (event {at})")


def _held(limits: Sequence[str]) -> str:
    """What holds a score down, for its note."""
    return f"; held down by {', '.join(limits)}" if limits else ""


def print_summary(doctor: str, accounts: Accounts, outcomes: Sequence[Outcome]) -> None:
    """The table of a run, and where every planned episode went."""
    names = list(outcomes[0].scorecard.dimensions) if outcomes else []
    rows = [
        [
            o.episode.case,
            number(o.scorecard.total),
            *(number(o.scorecard.dimensions[n].value) for n in names),
            f"{o.scorecard.safety:g}",
            str(o.episode.ledger.turns),
            f"{o.episode.ledger.money:.0f}",
            str(o.episode.ledger.ended),
        ]
        for o in outcomes
    ]
    print_table(
        f"Doctor {doctor}: {len(outcomes)} episodes",
        ["case", "total", *names, "safety", "turns", "cost $", "ended"],
        rows,
    )
    totals = [o.scorecard.total for o in outcomes if o.scorecard.total is not None]
    mean = number(sum(totals) / len(totals)) if totals else "–"
    console().print(f"{accounts.line()}; mean total {mean}")
    failed = [o for o in outcomes if o.failure]
    for outcome in failed[:5]:
        console().print(f"  failed  {outcome.episode.case}: {outcome.failure[:300]}")
    unjudged = [o for o in outcomes if o.scorecard.failure and not o.failure]
    for outcome in unjudged[:5]:
        kinds = outcome.scorecard.judge.get("failures", {})
        why = ", ".join(f"{kind} {n}" for kind, n in sorted(kinds.items()))
        console().print(f"  unscored  {outcome.episode.case}: {outcome.scorecard.failure}{f' ({why})' if why else ''}")
    print_usage(outcomes)
    rejected = _rejections(outcomes)
    if rejected:
        console().print("rejected by the guard: " + ", ".join(f"{kind} {n}" for kind, n in rejected.items()))


def print_usage(outcomes: Sequence[Outcome]) -> None:
    """Calls, tokens and dollars by role; nothing where no model was asked."""
    roles = sorted({role for o in outcomes for role in o.usage})
    if not roles:
        return
    rows = []
    for role in roles:
        parts: list[Mapping[str, Any]] = [o.usage[role] for o in outcomes if role in o.usage]
        total = {
            key: sum(p[key] for p in parts) for key in ("calls", "input", "cached", "output", "failed", "unreported")
        }
        known = total["calls"] > 0 and all(p["cost"] is not None for p in parts)
        rows.append(
            [
                role,
                *(f"{total[key]}" for key in ("calls", "failed")),
                *(("≥" if total["unreported"] else "") + f"{total[key]}" for key in ("input", "cached", "output")),
                f"{sum(p['cost'] for p in parts):.4f}" if known else "unknown",
            ]
        )
    print_table("Models", ["role", "calls", "failed", "tokens in", "of them cached", "tokens out", "US $"], rows)


def _rejections(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """How often each kind of model's words was rejected, most frequent first."""
    counts: dict[str, int] = {}
    for outcome in outcomes:
        for event in outcome.episode.events:
            for kind in getattr(event, "rejected", ()):
                counts[kind] = counts.get(kind, 0) + 1
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
