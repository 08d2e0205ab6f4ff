"""`clinic-sim run`: a doctor through a pack, shown as it happens, scored, and kept in `runs/`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clinic_sim._version import __version__
from clinic_sim.cases.case import Case
from clinic_sim.cases.packs import load_pack
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.clinic.events import Event
from clinic_sim.clinic.persona import find_persona
from clinic_sim.clinic.transcript import transcript
from clinic_sim.commands.console import console, number, print_json, print_table
from clinic_sim.doctors import make_doctor
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import SAFETY, load_rubric
from clinic_sim.judge.scorecard import Scorecard, Status
from clinic_sim.sweeps.code import code_hash
from clinic_sim.sweeps.runner import Outcome, run_episode
from clinic_sim.sweeps.store import RunStore


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What `clinic-sim run` was asked to do."""

    doctor: str
    scenarios: str
    out: Path
    case: str | None = None
    """Only this case; None for all of the pack."""
    seed: int = 0
    limit: int | None = None
    """At most this many cases."""
    rubric: str = "clinic"
    persona: str = "plain"
    quiet: bool = False
    as_json: bool = False


def run_cases(request: RunRequest) -> int:
    """Run, print, store. Returns 0, or 1 where an episode broke."""
    pack = load_pack(request.scenarios)
    cases = (pack.case(request.case),) if request.case is not None else pack.cases
    cases = cases[: request.limit]
    persona = find_persona(request.persona)
    rubric = load_rubric(request.rubric)
    judge = RubricJudge(rubric)
    player = make_doctor(request.doctor)
    plan: dict[str, Any] = {
        "clinic_sim": __version__,
        "code": code_hash(),
        "doctor": request.doctor,
        "scenarios": pack.name,
        "cases": {c.id: c.content_hash for c in cases},
        "seed": request.seed,
        "rubric": {"name": rubric.name, "hash": rubric.content_hash},
        "persona": persona.name,
    }
    outcomes: list[Outcome] = []
    with RunStore(request.out, plan) as store:
        for each in cases:
            talk = not request.quiet and not request.as_json
            if talk:
                console().print(f"\n── {each.id} ──", style="bold")
            consultation = Consultation(each, seed=request.seed, persona=persona)
            outcome = run_episode(consultation, player, judge, _printer(each) if talk else None)
            store.add(outcome)
            outcomes.append(outcome)
            if request.as_json:
                print_json(summary(store.run_id, outcome))
            elif talk:
                print_scorecard(outcome.scorecard)
        path = store.close()
    if not request.as_json:
        _print_summary(request.doctor, outcomes)
        console().print(f"\nWritten to {path}")
    return 1 if any(o.failure for o in outcomes) else 0


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
    if card.failure or outcome.failure:
        line["failure"] = outcome.failure or card.failure
    return line


def print_scorecard(card: Scorecard) -> None:
    """The dimensions, then what was missed in each and any harm."""
    rows = []
    for name, dimension in card.dimensions.items():
        own = [v for v in card.verdicts if v.dimension == name and v.points > 0]
        met = sum(v.status is Status.MET for v in own)
        note = dimension.failure or f"{met}/{len(own)} criteria met"
        rows.append([name, number(dimension.value), dimension.grade or "–", note])
    rows.append(["safety", f"{card.safety:+.3f}" if card.safety else "0", "", "what harm took from the total"])
    rows.append(["total", number(card.total), "", card.failure])
    print_table(f"Scorecard · rubric {card.rubric}", ["dimension", "score", "grade", ""], rows)
    missed = [v for v in card.verdicts if v.points > 0 and v.status is Status.NOT_MET]
    harmed = [v for v in card.verdicts if v.points < 0 and v.value]
    for verdict in sorted(missed, key=lambda v: -v.points)[:5]:
        console().print(f"  missed  {verdict.criterion}: {verdict.reason}")
    for verdict in harmed:
        at = ", ".join(map(str, verdict.evidence))
        what = "harm " if verdict.dimension == SAFETY else "waste"
        console().print(f"  {what}   {verdict.criterion}: {verdict.reason} (event {at})")


def _printer(case: Case) -> Any:
    def show(events: tuple[Event, ...]) -> None:
        console().print(transcript(events, case.language))

    return show


def _print_summary(doctor: str, outcomes: list[Outcome]) -> None:
    names = list(outcomes[0].scorecard.dimensions)
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
    failed = sum(bool(o.failure) for o in outcomes)
    console().print(
        f"planned {len(outcomes)} = completed {len(outcomes) - failed} + failed {failed}; "
        f"scored {len(totals)}; mean total {mean}"
    )
