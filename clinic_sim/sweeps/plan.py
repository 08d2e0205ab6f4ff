"""`Plan`: a sweep as one file: which cases, doctors, clinics, personas and seeds are crossed, how each is scored.

Two sorts of fields: those that determine an episode or its score, which a run's manifest holds to, and those that only
say how it is carried out (`concurrency`, `engine`, `cache`, `max_cost`, `retries`), which may change when it goes on.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from clinic_sim.clinic.limits import Limits
from clinic_sim.clinic.staffing import OFFLINE_NAME, StaffPlan

EXECUTION = ("concurrency", "engine", "cache", "max_cost", "retries", "record")
"""Fields that say how a plan is carried out, not what comes of it."""


def _listed(value: Any) -> Any:
    """One value stands for a list of one."""
    return value if isinstance(value, list | tuple) else [value]


Name = Annotated[str, Field(max_length=2000)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_listed)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Source(_Part):
    """Cases of one pack; each filter that is given must hold."""

    pack: Name
    """A pack's name, or a folder of cases; a relative folder is looked up beside the plan, then where it is run."""
    cases: Names | None = None
    """Only these ids."""
    language: Names | None = None
    department: Names | None = None
    difficulty: Names | None = None
    setting: Names | None = None
    released_from: datetime.date | None = None
    """Only cases that became public on this day or later: what a model cannot have been trained on."""
    released_before: datetime.date | None = None
    limit: int | None = Field(default=None, ge=1)
    """At most this many, in the pack's order."""


class Roles(_Part):
    """Who plays the clinic: `offline`, or a model such as `openai/gpt-4o?temperature=0.7`."""

    patient: Name = OFFLINE_NAME
    examiner: Name = OFFLINE_NAME
    chief: Name = OFFLINE_NAME
    unrecorded: Literal["not_recorded", "normal", "model"] = "not_recorded"
    """What is said of an examination that the record lacks."""

    def staff(self) -> StaffPlan:
        """The same, as the clinic takes it."""
        return StaffPlan(self.patient, self.examiner, self.chief, self.unrecorded)


class JudgePlan(_Part):
    """The model behind a rubric's `judged` criteria."""

    model: Name
    votes: int = Field(default=1, ge=1, le=25)


class EnginePlan(_Part):
    """What carries the episodes out."""

    name: Literal["local", "processes", "ray"] = "local"
    """`local`: one process, one event loop. `processes`: several on this machine. `ray`: several, on one machine or a
    cluster with a shared disk."""
    workers: int | None = Field(default=None, ge=1, le=1000)
    """Processes of `processes` and `ray`; by default one for each processor."""
    address: str | None = None
    """Of a running Ray cluster; by default one is started on this machine."""

    @model_validator(mode="after")
    def _fits(self) -> EnginePlan:
        if self.workers is not None and self.name == "local":
            raise ValueError("workers: the local engine has none: name the engine `processes` or `ray` (--engine)")
        if self.address is not None and self.name != "ray":
            raise ValueError(f"address: the {self.name} engine joins no cluster: name the engine `ray` (--engine)")
        return self


def _source(value: Any) -> Any:
    return {"pack": value} if isinstance(value, str) else value


def _judge(value: Any) -> Any:
    return {"model": value} if isinstance(value, str) else value


def _engine(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


Seed = Annotated[int, Field(ge=0, lt=2**63)]


class Plan(_Part):
    """One sweep: every combination of case, doctor, roles, persona, seed and repeat is one episode."""

    name: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    """Of its folder under `runs/`; by default made from the doctors and what determines the plan."""
    scenarios: Annotated[
        tuple[Annotated[Source, BeforeValidator(_source)], ...], BeforeValidator(_listed), Field(min_length=1)
    ] = (Source(pack="core-en"), Source(pack="core-zh"))
    doctors: Annotated[Names, Field(min_length=1)]
    """Baselines and models under examination."""
    roles: Annotated[tuple[Roles, ...], BeforeValidator(_listed), Field(min_length=1)] = (Roles(),)
    """One clinic, or several to be crossed with all else."""
    personas: Annotated[Names, Field(min_length=1)] = ("plain",)
    rubric: Name = "clinic"
    judge: Annotated[JudgePlan, BeforeValidator(_judge)] | None = None
    seeds: Annotated[tuple[Seed, ...], BeforeValidator(_listed), Field(min_length=1)] = (0,)
    """Each determines the clinic's offline choices, and the sampling seed of every call to a model."""
    repeats: int = Field(default=1, ge=1)
    """Times each combination is played: the clinic keeps its seed, the doctor gets another. For pass^k."""
    limits: Limits = Limits()
    """Budgets of one episode."""
    max_cost: float | None = Field(default=None, ge=0)
    """US dollars for the whole run, after which no model is called any more; every model must have its prices."""
    retries: int = Field(default=0, ge=0, le=10)
    """Times a failed episode is tried again; each failure is kept."""
    concurrency: int = Field(default=16, ge=1, le=10_000)
    """Episodes at once, over all workers."""
    engine: Annotated[EnginePlan, BeforeValidator(_engine)] = EnginePlan()
    cache: str | None = None
    """SQLite file in which models' replies are kept and looked up."""
    record: bool = True
    """Keep every model's reply in `calls.jsonl`, to replay the run without a model."""

    @field_validator("doctors", "personas", "seeds", "roles", "scenarios")
    @classmethod
    def _once(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        for n, value in enumerate(values):
            if value in values[:n]:
                raise ValueError(f"stands twice: {value}")
        return values

    @model_validator(mode="after")
    def _fits(self) -> Plan:
        for roles in self.roles:
            if roles.unrecorded == "model" and roles.examiner == OFFLINE_NAME:
                raise ValueError(
                    "roles: unrecorded `model` needs a model to write the result: name one as examiner (--examiner)"
                )
        return self

    def determines(self) -> dict[str, Any]:
        """The fields that determine what comes of it, as plain JSON data."""
        data: dict[str, Any] = self.model_dump(mode="json", exclude={"name", *EXECUTION})
        return data
