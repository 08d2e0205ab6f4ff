"""What a doctor's model is told before the patient comes in: the same for every case, so that servers reuse it.

The words stand in `data/prompts/`: the task, then how to act. The budget, the patient and the first words stand in the
introduction, which is the first user message.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from clinic_sim.doctors.tools import ACTION_SCHEMA, tools

Form = Literal["tools", "json", "text"]
FORMS: tuple[Form, ...] = get_args(Form)
Prompt = Literal["tools", "json", "text", "agent"]
"""How the doctor acts: in one of the forms, or as an agent that holds the clinic's tools."""

_ROLE = "ROLE: DOCTOR"
_LANGUAGES = ("en", "zh")
_DATA = Path(__file__).parent / "data" / "prompts"
_LEFT_OUT = {
    "en": "(Earlier turns of this consultation are left out here.)",
    "zh": "（此处略去本次问诊较早的若干轮对话。）",
}


@cache
def system_prompt(language: str, how: Prompt) -> str:
    """The system message of a doctor."""
    return "\n\n".join((_ROLE, _read("task", language), _read(how, language)))


def left_out(language: str) -> str:
    """The line that stands where old turns were dropped."""
    return _LEFT_OUT[language]


@cache
def prompt_hash(how: Prompt) -> str:
    """Of every word that such a doctor is told in either language, tool definitions included; for the record."""
    words = [system_prompt(language, how) for language in _LANGUAGES]
    told = [words, [tools(language) for language in _LANGUAGES], ACTION_SCHEMA, _LEFT_OUT]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:16]


def _read(name: str, language: str) -> str:
    return (_DATA / f"{name}_{language}.txt").read_text(encoding="utf-8").strip()
