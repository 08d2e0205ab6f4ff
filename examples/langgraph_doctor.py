"""A LangGraph agent as the doctor, on any OpenAI-compatible server.

    pip install 'clinic-sim[langchain]' langchain-openai
    export OPENAI_BASE_URL=http://localhost:8000/v1 OPENAI_API_KEY=none MODEL=my-model
    python examples/langgraph_doctor.py core-en

or, by its name, in a whole run:

    clinic-sim run -d langgraph/examples/langgraph_doctor.py:doctor
"""

from __future__ import annotations

import os
import sys
from typing import Any

from langchain.agents import create_agent
from langchain_core.tools import BaseTool
from langchain_openai import ChatOpenAI

from clinic_sim.cases.packs import load_pack
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.clinic.events import Event
from clinic_sim.clinic.scene import observation
from clinic_sim.doctors.langgraph import LangGraphDoctor
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.sweeps.runner import run_episode


def doctor(tools: list[BaseTool], instructions: str) -> Any:
    """An agent for one patient; ChatOpenAI reads OPENAI_BASE_URL and OPENAI_API_KEY itself."""
    model = ChatOpenAI(model=os.environ.get("MODEL", "gpt-4o-mini"), temperature=0, max_tokens=1024, timeout=60)
    return create_agent(model, tools=tools, system_prompt=instructions)


def main(pack: str = "core-en") -> None:
    """Let it see the first patient of a pack, and print what happens and what it scored."""
    consultation = Consultation(load_pack(pack).cases[0], seed=1)
    language = consultation.case.language

    def watch(events: tuple[Event, ...]) -> None:
        print(observation(events, language))

    outcome = run_episode(consultation, LangGraphDoctor(doctor), RubricJudge(load_rubric("clinic")), watch)
    print(outcome.failure or f"score {outcome.scorecard.total:.2f}", outcome.usage)


if __name__ == "__main__":
    main(*sys.argv[1:2])
