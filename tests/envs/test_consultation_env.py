"""The Gymnasium face: conforming, seeded, and silent about the reference until the end."""

from __future__ import annotations

import json
import math
from typing import Any

import gymnasium
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given
from hypothesis import strategies as st

import clinic_sim
from clinic_sim.cases.packs import Pack, load_pack
from clinic_sim.clinic.driving import drive
from clinic_sim.doctors import make_doctor
from clinic_sim.doctors.base import Visit
from clinic_sim.envs import ConsultationEnv
from clinic_sim.errors import CaseError, ConfigError, RubricError
from clinic_sim.knowledge.diagnoses import names_diagnosis

QUESTIONS = ["What brings you in today?", "ORDER: ECG; troponin", "EXAMINE: vital signs", "CONSULT: what now?", ""]


def play_through(
    env: gymnasium.Env[str, str], doctor: str, **reset: Any
) -> tuple[list[str], list[dict[str, Any]], list[float]]:
    observation, info = env.reset(**reset)
    player = make_doctor(doctor)
    player.begin(Visit(observation, info["language"], 0))
    seen, infos, rewards = [observation], [info], []
    while True:
        action = drive(lambda o=observation: player.decide(o))  # type: ignore[misc]
        observation, reward, terminated, truncated, info = env.step(action)
        seen.append(observation)
        infos.append(info)
        rewards.append(float(reward))
        if terminated or truncated:
            return seen, infos, rewards


@pytest.mark.parametrize("scenarios", ["core-en", "core-zh"])
def test_passes_gymnasiums_own_check(scenarios: str) -> None:
    check_env(gymnasium.make(clinic_sim.ENV_ID, scenarios=scenarios).unwrapped)


def test_same_seed_same_everything() -> None:
    def run(seed: int) -> str:
        env = gymnasium.make(clinic_sim.ENV_ID, scenarios="core-zh")
        return json.dumps(play_through(env, "checklist", seed=seed), ensure_ascii=False, sort_keys=True)

    assert run(5) == run(5)
    assert run(5) != run(6)


@pytest.mark.parametrize("scenarios", ["core-en", "core-zh"])
def test_reward_is_the_sum_of_its_terms_and_ends_in_the_score(scenarios: str) -> None:
    env = gymnasium.make(clinic_sim.ENV_ID, scenarios=scenarios)
    _, infos, rewards = play_through(env, "checklist", seed=1)
    assert rewards == [sum(info["reward_terms"].values()) for info in infos[1:]]
    last = infos[-1]
    assert last["reward_terms"]["score"] == last["scorecard"]["total"]
    # Potential-based shaping adds up to nothing over an episode.
    assert math.isclose(sum(i["reward_terms"]["progress"] for i in infos[1:]), 0.0, abs_tol=1e-9)
    assert any(i["reward_terms"]["progress"] > 0 for i in infos[1:])


@pytest.mark.parametrize("scenarios", ["core-en", "core-zh"])
def test_nothing_betrays_the_reference_before_the_end(scenarios: str) -> None:
    pack = load_pack(scenarios)
    for case in pack.cases:
        env = gymnasium.make(clinic_sim.ENV_ID, scenarios=scenarios, case=case.id)
        seen, infos, _ = play_through(env, "checklist", seed=0)
        assert case.diagnosis is not None
        primary = case.diagnosis.primary
        codes, names = [primary.icd10 or ""], (primary.name, *primary.names, case.title)
        # The examiner reads out reports, and the chief may quote the doctor's own conclusion.
        others = ("Examiner:", "检查科：", "Chief physician:", "上级医师：")
        spoken = "\n".join(text for text in seen if not any(name in text for name in others))
        assert names_diagnosis(spoken, codes, names) is None, case.id
        before = json.dumps(infos[:-1], ensure_ascii=False)
        assert case.id not in before
        assert names_diagnosis(before, codes, names) is None, case.id
        assert infos[-1]["case"] == case.id


def test_reset_options_choose_the_case_and_unknown_ones_are_refused(core_en: Pack) -> None:
    env = gymnasium.make(clinic_sim.ENV_ID)
    wanted = core_en.cases[3].id
    env.reset(options={"case": wanted})
    assert env.unwrapped.episode.case == wanted  # type: ignore[attr-defined]
    with pytest.raises(CaseError, match="no case 'nobody'"):
        env.reset(options={"case": "nobody"})
    for options in ({"difficulty": "hard"}, {1: 2, "a": 3}, 5):
        with pytest.raises(ConfigError, match="options"):
            env.reset(options=options)  # type: ignore[arg-type]


def test_every_case_of_a_pack_is_drawn(core_en: Pack) -> None:
    env = gymnasium.make(clinic_sim.ENV_ID)
    env.reset(seed=0)
    drawn = set()
    for _ in range(80):
        env.reset()
        drawn.add(env.unwrapped.episode.case)  # type: ignore[attr-defined]
    assert drawn == {c.id for c in core_en.cases}


def test_step_before_reset_and_after_the_end() -> None:
    for make in (lambda: gymnasium.make(clinic_sim.ENV_ID), lambda: ConsultationEnv()):
        with pytest.raises(gymnasium.error.ResetNeeded):
            make().step("hello")
    env = gymnasium.make(clinic_sim.ENV_ID, review=False)
    env.reset()
    env.step("CONCLUDE: influenza")
    with pytest.raises(gymnasium.error.ResetNeeded, match="over"):
        env.step("hello")


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"scenarios": "nowhere"}, CaseError, "core-en"),
        ({"case": "nobody"}, CaseError, "nobody"),
        ({"rubric": "nope"}, RubricError, "clinic"),
        ({"persona": "grumpy"}, ConfigError, "plain"),
        ({"limits": {"turns": 0}}, ConfigError, "turns"),
        ({"limits": {"tuns": 5}}, ConfigError, "tuns"),
        ({"rewards": {"gamma": 2}}, ConfigError, "gamma"),
        ({"unrecorded": "invent"}, ConfigError, "not_recorded"),
        ({"scenarios": None}, ConfigError, "scenarios"),
        ({"scenarios": b"core-en"}, ConfigError, "scenarios"),
        ({"scenarios": "x" * 5000}, ConfigError, "1000"),
        ({"rubric": 5}, ConfigError, "rubric"),
        ({"limits": 5}, ConfigError, "limits"),
        ({"limits": "turns"}, ConfigError, "limits"),
        ({"persona": 5}, ConfigError, "persona"),
        ({"rewards": {"score": float("inf")}}, ConfigError, "score"),
    ],
)
def test_bad_arguments_get_a_clear_error(arguments: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        gymnasium.make(clinic_sim.ENV_ID, **arguments)


def test_rendering(capsys: pytest.CaptureFixture[str]) -> None:
    env = gymnasium.make(clinic_sim.ENV_ID, render_mode="ansi")
    env.reset(seed=0)
    env.step("Any fever?")
    text = env.render()
    assert isinstance(text, str)
    assert "Doctor: Any fever?" in text
    human = gymnasium.make(clinic_sim.ENV_ID, render_mode="human")
    human.reset(seed=0)
    human.step("Any fever?")
    assert "Patient:" in capsys.readouterr().out


def test_vectorises_without_cross_talk() -> None:
    pack = load_pack("core-en")
    envs = gymnasium.vector.SyncVectorEnv([lambda c=c: ConsultationEnv(case=c.id) for c in pack.cases[:3]])
    observations, _ = envs.reset(seed=0)
    assert len(set(observations)) == 3
    _, rewards, *_ = envs.step(("What brings you in?", "Any allergies?", ""))
    assert len(rewards) == 3


@given(st.lists(st.one_of(st.text(max_size=40), st.sampled_from(QUESTIONS)), max_size=8), st.integers(0, 5))
def test_any_text_is_a_legal_action(actions: list[str], seed: int) -> None:
    env = ConsultationEnv(limits={"turns": 6})
    observation, _ = env.reset(seed=seed)
    for action in actions:
        observation, reward, terminated, truncated, info = env.step(action)
        assert observation in env.observation_space
        assert math.isfinite(reward)
        assert reward == sum(info["reward_terms"].values())
        if terminated or truncated:
            break
