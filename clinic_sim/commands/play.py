"""`clinic-sim play`: a person is the doctor."""

from __future__ import annotations

import sys

from clinic_sim.cases.packs import load_pack
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.clinic.driving import drive
from clinic_sim.clinic.events import TerminationReason
from clinic_sim.clinic.persona import find_persona
from clinic_sim.clinic.staffing import OFFLINE_NAME, StaffPlan, hire
from clinic_sim.commands.console import console
from clinic_sim.commands.results import print_scorecard
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import load_rubric

_PROMPT = {"en": "You> ", "zh": "您> "}
_HINT = {
    "en": "(`CONCLUDE: …` ends; for several lines finish each but the last with a backslash; Ctrl-D leaves)",
    "zh": "（`结论：…` 结束；多行输入时行末加反斜杠；Ctrl-D 退出）",
}


def play_case(
    scenarios: str, case: str | None, seed: int, rubric: str, persona: str, patient: str = OFFLINE_NAME
) -> int:
    """Play one case; returns 0 when concluded, 1 when left before the end."""
    pack = load_pack(scenarios)
    chosen = pack.case(case) if case is not None else pack.cases[seed % len(pack.cases)]
    people, models = hire(StaffPlan(patient=patient))
    try:
        return _play(Consultation(chosen, seed=seed, persona=find_persona(persona), staff=people), rubric)
    finally:
        for model in models:
            drive(model.aclose, suspends=model.suspends)


def _play(consultation: Consultation, rubric: str) -> int:
    chosen = consultation.case
    out = console()
    out.print(consultation.introduction())
    out.print(_HINT[chosen.language])
    while not consultation.ended:
        said = _read(_PROMPT[chosen.language])
        if said is None:
            out.print("\nLeft before the end: nothing is scored.")
            return 1
        if said.strip():
            out.print(consultation.act_sync(said).observation)
    episode = consultation.episode()
    print_scorecard(RubricJudge(load_rubric(rubric)).score(chosen, episode))
    return 0 if episode.ledger.ended is TerminationReason.CONCLUDED else 1


def _read(prompt: str) -> str | None:
    """One utterance; a line that ends with a backslash goes on. None at the end of input."""
    lines: list[str] = []
    while True:
        if sys.stdin.isatty():
            try:
                line = input(prompt if not lines else "… ")
            except (EOFError, KeyboardInterrupt):
                return None
        else:
            line = sys.stdin.readline()
            if not line:
                return "\n".join(lines) or None
            line = line.rstrip("\n")
        if not line.endswith("\\"):
            lines.append(line)
            return "\n".join(lines)
        lines.append(line[:-1])
