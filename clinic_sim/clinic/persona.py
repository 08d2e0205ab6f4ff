"""`Persona`: how a patient tells things. It changes what is volunteered and how, never the truth of the ledger."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from clinic_sim.errors import ConfigError


class Persona(BaseModel):
    """How this patient talks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "plain"
    volunteers: int = Field(default=3, ge=0, le=20)
    """Facts told in answer to an open question."""
    facts_per_answer: int = Field(default=12, ge=1, le=50)
    """Most facts that one answer carries; the rest waits for the next question."""
    questions_per_turn: int = Field(default=8, ge=1, le=50)
    """Most questions of one utterance that are answered; for more, the patient asks to slow down."""
    hedges: bool = False
    """Softens what is said (`I think`, `好像`)."""
    patience: int | None = Field(default=None, ge=1, le=100)
    """Times in a row that this patient is talked to without telling anything new, after which the patient leaves;
    None stays to the end. Orders, and whatever brings something new, count from the start again."""


PERSONAS: dict[str, Persona] = {
    p.name: p
    for p in (
        Persona(),
        Persona(name="terse", volunteers=1, facts_per_answer=3, questions_per_turn=3),
        Persona(name="talkative", volunteers=6),
        Persona(name="unsure", volunteers=2, hedges=True),
        Persona(name="impatient", volunteers=2, facts_per_answer=4, questions_per_turn=3, patience=5),
    )
}


def find_persona(name: str) -> Persona:
    """The persona of that name.

    Raises:
        ConfigError: there is none; the message lists them.
    """
    if name not in PERSONAS:
        raise ConfigError(f"unknown persona {name!r}; there are {', '.join(PERSONAS)}")
    return PERSONAS[name]
