"""The environment with models behind its people: synchronous steps over a real server on loopback."""

from __future__ import annotations

import asyncio
import math
import sys
from pathlib import Path

import gymnasium
import pytest

import clinic_sim
from clinic_sim.envs.consultation import ConsultationEnv
from clinic_sim.errors import ConfigError

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
from mock_server import MockServer


def _episode(url: str) -> dict[str, object]:
    model = f"openai/mock?base_url={url}"
    env = gymnasium.make(
        clinic_sim.ENV_ID,
        case="stemi-inferior-en",
        staff={"patient": model, "chief": model},
        rubric="clinic-language",
        judge=model,
    )
    env.reset(seed=1)
    info: dict[str, object] = {}
    for action in ("When did the pain start?", "CONSULT: what am I missing?", "CONCLUDE: STEMI\nTreatment: aspirin"):
        observation, reward, terminated, _, info = env.step(action)
        assert observation
    if not terminated:  # the chief has challenged once
        *_, terminated, _, info = env.step("CONCLUDE: STEMI\nTreatment: aspirin")
    assert terminated
    assert not math.isnan(float(reward))
    env.close()
    return info


def test_steps_wait_for_models_and_their_use_is_told_at_the_end() -> None:
    with MockServer(latency_ms=1) as server:
        info = _episode(server.url)
        assert info["scored"]
        usage = info["usage"]
        assert isinstance(usage, dict)
        assert set(usage) == {"patient", "chief", "judge"}


async def test_a_running_event_loop_is_left_alone() -> None:
    with MockServer(latency_ms=1) as server:
        assert (await asyncio.to_thread(_episode, server.url))["scored"]
        assert _episode(server.url)["scored"]  # as in a notebook: the loop is running while this steps


def test_a_server_that_is_gone_ends_the_episode_unscored_instead_of_raising() -> None:
    model = "openai/mock?base_url=http://127.0.0.1:9/v1&attempts=1&total_s=2"
    env = gymnasium.make(clinic_sim.ENV_ID, case="stemi-inferior-en", staff={"patient": model})
    env.reset(seed=1)
    _, reward, terminated, truncated, info = env.step("When did the pain start?")
    env.close()
    assert (terminated, truncated, info["scored"]) == (False, True, False)
    assert math.isnan(float(reward))
    assert info["termination"] == "simulator_failed"
    assert "127.0.0.1:9" in info["failure"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"staff": {"nurse": "openai/x"}}, "no role 'nurse'"),
        ({"staff": "openai/x"}, "mapping of roles"),
        ({"staff": {"patient": "gpt"}}, "provider/name"),
        ({"rubric": "clinic-language"}, "judge"),
        ({"unrecorded": "model"}, "examiner"),
    ],
)
def test_a_cast_that_cannot_play_is_refused_when_the_environment_is_made(
    arguments: dict[str, object], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        ConsultationEnv(**arguments)  # type: ignore[arg-type]
