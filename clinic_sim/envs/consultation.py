"""`ConsultationEnv`: the consultation as a Gymnasium environment of text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import gymnasium
from pydantic import BaseModel, ValidationError

from clinic_sim.cases.case import Case
from clinic_sim.cases.packs import load_pack
from clinic_sim.clinic.consultation import Consultation, TurnResult
from clinic_sim.clinic.driving import drive
from clinic_sim.clinic.episode import Episode
from clinic_sim.clinic.limits import Limits
from clinic_sim.clinic.persona import Persona, find_persona
from clinic_sim.clinic.roles import Staff
from clinic_sim.clinic.scene import observation
from clinic_sim.clinic.staffing import StaffPlan, hire
from clinic_sim.clinic.transcript import transcript
from clinic_sim.envs.rewards import RewardWeights, turn_terms
from clinic_sim.envs.spaces import Unicode
from clinic_sim.errors import ConfigError, SimulatorError
from clinic_sim.judge.judge import MAX_TOKENS as JUDGE_TOKENS
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.models.build import make_model
from clinic_sim.models.chat import ChatModel

M = TypeVar("M", bound=BaseModel)
MAX_PATH = 1000
"""Longest name of a pack or rubric, or path to one."""


class ConsultationEnv(gymnasium.Env[str, str]):
    """One consultation an episode: an observation is what the doctor sees and hears, an action what the doctor sends.

    Args:
        scenarios: Name or folder of a pack.
        case: Id of the only case to play; by default each reset draws one of the pack.
        rubric: Name or path of the rubric behind the final score.
        persona: Name of a persona, or its fields.
        limits: Budgets, as `clinic_sim.clinic.limits.Limits` or its fields.
        unrecorded: What the examiner says of an examination that the record lacks.
        review: The chief physician may challenge a conclusion once.
        staff: Who plays the clinic, by role: `{"patient": "openai/gpt-4o"}`; the others are offline. Or a `Staff`.
        judge: The model behind the rubric's `judged` criteria; None where it has none.
        votes: Votes of the judge for each of them.
        rewards: Weights of the reward's terms, as `RewardWeights` or its fields.
        render_mode: `ansi` (the transcript as text) or `human` (printed as it happens).

    `step` returns `info["reward_terms"]`, whose sum is the reward. Until the end neither observation nor info holds
    the case's id, diagnosis or anything else of the reference; at the end info holds `case`, `termination`,
    `scorecard` and `scored`. An unscored episode has a NaN reward and `scored` false: mask it. One that broke (a
    model's server is gone) is truncated, with what broke it in `info["failure"]`.

    Raises:
        ConfigError, CaseError, RubricError: an argument cannot be used.
        gymnasium.error.ResetNeeded: `step` before `reset` or after the end.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi", "human"], "render_fps": 1}  # noqa: RUF012 - as Gymnasium declares it

    def __init__(
        self,
        scenarios: str | Path = "core-en",
        case: str | None = None,
        *,
        rubric: str | Path = "clinic",
        persona: str | Mapping[str, Any] | Persona = "plain",
        limits: Mapping[str, Any] | Limits | None = None,
        unrecorded: str = "not_recorded",
        review: bool = True,
        staff: Mapping[str, str] | Staff | None = None,
        judge: str | None = None,
        votes: int = 1,
        rewards: Mapping[str, Any] | RewardWeights | None = None,
        render_mode: str | None = None,
    ) -> None:
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise ConfigError(f"render_mode {render_mode!r}; it is one of {self.metadata['render_modes']} or None")
        self.render_mode = render_mode
        self.action_space = Unicode()
        self.observation_space = Unicode(max_length=200_000)
        self._pack = load_pack(_place(scenarios, "scenarios"))
        self._fixed = self._pack.case(case) if case is not None else None
        self._staff, self._models = _people(staff, unrecorded)
        arbiter = None
        if judge is not None:
            arbiter = make_model(judge, role="judge", max_tokens=JUDGE_TOKENS)
            self._models = (*self._models, arbiter)
        self._judge = RubricJudge(load_rubric(_place(rubric, "rubric")), model=arbiter, votes=votes)
        self._persona = _persona(persona)
        self._limits = _model(Limits, limits, "limits")
        self._weights = _model(RewardWeights, rewards, "rewards")
        self._review = review
        self._consultation: Consultation | None = None
        self._potential = 0.0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """A new patient.

        Args:
            seed: Seeds the choice of case and the clinic's choice of words.
            options: `{"case": id}` plays that case.
        """
        super().reset(seed=seed)
        if options is not None and not isinstance(options, Mapping):
            raise ConfigError(f"reset options are a mapping, not {type(options).__name__}")
        unknown = sorted(str(key) for key in options or {} if key != "case")
        if unknown:
            raise ConfigError(f"unknown reset options {unknown}; `case` is the only one")
        case = self._choose((options or {}).get("case"))
        self._consultation = Consultation(
            case,
            seed=int(self.np_random.integers(2**31)),
            staff=self._staff,
            persona=self._persona,
            limits=self._limits,
            review=self._review,
        )
        self._potential = 0.0
        introduction = self._consultation.introduction()
        if self.render_mode == "human":
            print(introduction)
        return introduction, {"language": case.language, "turn": 0}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """One action of the doctor's."""
        consultation = self._consultation
        if consultation is None:
            raise gymnasium.error.ResetNeeded("call reset() before step()")
        if consultation.ended:
            raise gymnasium.error.ResetNeeded("the consultation is over; call reset() for a new patient")
        result, failure = _turn(consultation, action)
        over = result.terminated or result.truncated
        info: dict[str, Any] = {"language": consultation.case.language, "turn": consultation.room.ledger.turns}
        total = None
        if over:
            episode = consultation.episode()
            calls = consultation.room.calls
            card = drive(lambda: self._judge.judge(consultation.case, episode, calls), suspends=self._judge.suspends)
            total = card.total
            info["case"] = consultation.case.id
            info["termination"] = str(consultation.room.ledger.ended)
            info["scorecard"] = card.to_dict()
            info["scored"] = total is not None
            info["usage"] = calls.to_dict()
            if failure:
                info["failure"] = failure
        terms = turn_terms(self._weights, self._potential, result.gained, result.spent, over=over, total=total)
        self._potential += result.gained
        info["reward_terms"] = terms
        if self.render_mode == "human":
            print(result.observation)
        return result.observation, sum(terms.values()), result.terminated, result.truncated, info

    def render(self) -> str | None:
        """The transcript so far (`ansi`); `human` prints as it goes."""
        if self.render_mode != "ansi" or self._consultation is None:
            return None
        return transcript(self._consultation.room.events, self._consultation.case.language)

    def close(self) -> None:
        """Release the connections of the models, where there are any."""
        models, self._models = self._models, ()
        for model in models:
            drive(model.aclose, suspends=model.suspends)

    @property
    def episode(self) -> Episode:
        """The episode so far, as data: for logging and replay. It names the case."""
        if self._consultation is None:
            raise gymnasium.error.ResetNeeded("call reset() first")
        return self._consultation.episode()

    def _choose(self, case: object) -> Case:
        if case is not None:
            return self._pack.case(str(case))
        if self._fixed is not None:
            return self._fixed
        return self._pack.cases[int(self.np_random.integers(len(self._pack.cases)))]


def _turn(consultation: Consultation, action: str) -> tuple[TurnResult, str]:
    """One turn, and what broke the clinic in it: a broken episode ends truncated and unscored, it does not raise."""
    room = consultation.room
    first = len(room.events)
    try:
        return consultation.act_sync(action), ""
    except SimulatorError as exc:
        events = tuple(room.events[first:])
        return TurnResult(observation(events, room.language), events, False, True, 0.0, 0.0), str(exc)


def _people(value: Mapping[str, str] | Staff | None, unrecorded: str) -> tuple[Staff, tuple[ChatModel, ...]]:
    if isinstance(value, Staff):
        return value, ()
    if value is not None and not isinstance(value, Mapping):
        raise ConfigError(f"staff is a mapping of roles to models, not {type(value).__name__}")
    roles = dict(value or {})
    unknown = sorted(str(role) for role in roles if role not in ("patient", "examiner", "chief"))
    if unknown:
        raise ConfigError(f"staff: no role {unknown[0]!r}; there are patient, examiner and chief")
    return hire(StaffPlan(**roles, unrecorded=unrecorded))


def _persona(value: str | Mapping[str, Any] | Persona) -> Persona:
    if isinstance(value, str):
        return find_persona(value)
    return _model(Persona, value, "persona")


def _place(value: str | Path, what: str) -> str | Path:
    """A name or a path, as far as one can be."""
    if not isinstance(value, str | Path) or not 0 < len(str(value)) <= MAX_PATH or "\0" in str(value):
        raise ConfigError(f"{what} is a name or a path of at most {MAX_PATH} characters, not {str(value)[:40]!r}")
    return value


def _model(kind: type[M], value: Mapping[str, Any] | M | None, what: str) -> M:
    """The settings object, given as itself, as its fields, or not at all."""
    if isinstance(value, kind):
        return value
    if value is not None and not isinstance(value, Mapping):
        raise ConfigError(f"{what} is a mapping of fields, not {type(value).__name__}")
    try:
        return kind.model_validate(dict(value or {}))
    except ValidationError as exc:
        lines = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors(include_url=False))
        raise ConfigError(f"{what}: {lines}") from exc
