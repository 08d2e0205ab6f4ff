"""Who plays the clinic, from names: `offline`, or a model such as `openai/gpt-4o?temperature=0.7`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clinic_sim.clinic.examiner import OfflineExaminer
from clinic_sim.clinic.roles import OFFLINE, Staff
from clinic_sim.errors import ConfigError
from clinic_sim.models.build import make_model
from clinic_sim.models.chat import ChatModel

if TYPE_CHECKING:
    from clinic_sim.models.cache import ReplyCache

OFFLINE_NAME = "offline"

MAX_TOKENS = {"patient": 512, "examiner": 512, "chief": 512}
"""Most tokens of one reply where the model's name does not say: a simulator that runs on costs and stalls."""


@dataclass(frozen=True, slots=True)
class StaffPlan:
    """Who is to play whom."""

    patient: str = OFFLINE_NAME
    examiner: str = OFFLINE_NAME
    chief: str = OFFLINE_NAME
    unrecorded: str = "not_recorded"
    """What is said of an examination that the record lacks: `not_recorded`, `normal`, or `model`, which needs a model
    as examiner."""


def hire(
    plan: StaffPlan, *, cache: ReplyCache | None = None, replay: bool = False
) -> tuple[Staff, tuple[ChatModel, ...]]:
    """The people of a plan, and the models behind them, which the caller closes.

    Args:
        cache: Where replies are kept and looked up.
        replay: Replies come from a recording: models are named, not called, so no key is needed.

    Raises:
        ConfigError: a name is no model, or the policy does not fit.
    """
    if plan.unrecorded not in ("not_recorded", "normal", "model"):
        raise ConfigError(f"unrecorded {plan.unrecorded!r}; it is `not_recorded`, `normal` or `model`")
    if plan.unrecorded == "model" and plan.examiner == OFFLINE_NAME:
        raise ConfigError("unrecorded `model` needs a model to write the result: name one as --examiner")
    if plan == StaffPlan():
        return OFFLINE, ()
    models: list[ChatModel] = []

    def model(role: str, name: str) -> ChatModel:
        models.append(make_model(name, role=role, cache=cache, replay=replay, max_tokens=MAX_TOKENS[role]))
        return models[-1]

    found = OFFLINE
    patient, examiner, chief = found.patient, found.examiner, found.chief
    if plan.patient != OFFLINE_NAME:
        from clinic_sim.clinic.patient.llm import LLMPatient

        patient = LLMPatient(model("patient", plan.patient))
    if plan.examiner != OFFLINE_NAME:
        from clinic_sim.clinic.examiner_llm import LLMExaminer

        examiner = LLMExaminer(model("examiner", plan.examiner), plan.unrecorded)
    elif plan.unrecorded == "normal":
        examiner = OfflineExaminer("normal")
    if plan.chief != OFFLINE_NAME:
        from clinic_sim.clinic.chief_llm import LLMChief

        chief = LLMChief(model("chief", plan.chief))
    return Staff(patient, examiner, chief), tuple(models)
