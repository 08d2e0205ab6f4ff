"""Each role's parameters, as its name gives them, reach the server and the episode's record; and nobody else's do."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from clinic_sim.clinic.consultation import Consultation
from clinic_sim.clinic.roles import OFFLINE
from clinic_sim.clinic.staffing import StaffPlan, hire
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.models.calls import Calls
from clinic_sim.models.spec import ModelSpec
from clinic_sim.models.tape import Tape
from clinic_sim.sweeps.cast import Cast, make_cast
from clinic_sim.sweeps.outcome import Outcome
from clinic_sim.sweeps.runner import consult
from clinic_sim.testing import ScriptedDoctor, small_case

from .conftest import Stub, said

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
from mock_answers import answer, role_of
from mock_stats import State

ROLES = ("patient", "examiner", "chief", "doctor", "judge")
ACTIONS = [
    "ASK: When did the pain start?",
    "ORDER: ultrasound of the thyroid",
    "CONSULT: What should I look at next?",
    "CONCLUDE: appendicitis\nTreatment: appendicectomy",
]
DEFAULT_TOKENS = {"patient": 512, "examiner": 512, "chief": 512, "doctor": 2048, "judge": 4096}
EVERYTHING: dict[str, Any] = {
    "temperature": 0.25,
    "top_p": 0.75,
    "max_tokens": 321,
    "reasoning_effort": "low",
    "extra": {"top_k": 7, "chat_template_kwargs": {"enable_thinking": False}},
}


@pytest.fixture
def server(stub: Stub) -> Stub:
    """Answers each role in its own form; the doctor gives everybody something to do."""
    state = State()
    state.options["conclude_at"] = 4

    def reply(body: dict[str, Any]) -> dict[str, Any]:
        role = role_of(body["messages"])
        if role == "doctor" and "tools" not in body:
            return said(ACTIONS[sum(m["role"] == "assistant" for m in body["messages"])])
        return said(**answer(role, body, state))

    stub.answers = [reply]
    return stub


def named(stub: Stub, role: str, **options: Any) -> str:
    """The name of a model, as a user writes it."""
    parts = {"base_url": stub.url, **options}
    texts = {k: json.dumps(v) if isinstance(v, dict | bool) else str(v) for k, v in parts.items()}
    return f"openai/{role}-model?" + "&".join(f"{k}={quote(v)}" for k, v in texts.items())


def asked(stub: Stub, role: str) -> list[dict[str, Any]]:
    """What this role's model was asked."""
    return [b for b in stub.bodies if b["model"] == f"{role}-model"]


def cast_of(names: dict[str, str], **options: Any) -> Cast:
    """The cast of `clinic-sim run` with these models."""
    plan = StaffPlan(
        names.get("patient", "offline"),
        names.get("examiner", "offline"),
        names.get("chief", "offline"),
        "model" if "examiner" in names else "not_recorded",
    )
    rubric = load_rubric("clinic-language" if "judge" in names else "clinic")
    return make_cast([names.get("doctor", "silent")], [plan], rubric, names.get("judge"), **options)


async def play(cast: Cast, names: dict[str, str], seed: int = 5, **options: Any) -> Outcome:
    """One episode, in which every role has something to say."""
    doctor = cast.doctors[0].make() if "doctor" in names else ScriptedDoctor(ACTIONS)
    try:
        return await consult(Consultation(small_case(), seed=seed, staff=cast.staffs[0], **options), doctor, cast.judge)
    finally:
        await cast.aclose()


def recorded(outcome: Outcome, role: str) -> dict[str, Any]:
    """The parameters of a role's model in the record."""
    if role == "doctor":
        return dict(outcome.models["doctor"])
    if role == "judge":
        return dict(outcome.models["judge"]["parameters"])
    return dict(outcome.episode.settings["models"][role])


@pytest.mark.parametrize("role", ROLES)
async def test_every_parameter_of_a_role_reaches_the_wire_and_the_record(server: Stub, role: str) -> None:
    names = {role: named(server, role, **EVERYTHING)}
    outcome = await play(cast_of(names), names)
    assert not outcome.failure
    bodies = asked(server, role)
    assert bodies
    assert len(bodies) == len(server.bodies)
    for body in bodies:
        assert role_of(body["messages"]) == role
        assert {k: body[k] for k in ("temperature", "top_p", "max_tokens", "reasoning_effort")} == {
            k: v for k, v in EVERYTHING.items() if k != "extra"
        }
        assert body["top_k"] == 7
        assert body["chat_template_kwargs"] == {"enable_thinking": False}
        assert isinstance(body["seed"], int)
    assert len({b["seed"] for b in bodies}) == len(bodies)
    found = recorded(outcome, role)
    assert found.items() >= {"model": f"openai/{role}-model", "base_url": server.url, **EVERYTHING}.items()
    json.dumps(outcome.episode.settings)
    assert outcome.usage[role]["calls"] == len(bodies)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 0),
        ("temperature", 1.5),
        ("top_p", 0.5),
        ("max_tokens", 77),
        ("reasoning_effort", "high"),
        ("extra", {"min_p": 0.05, "名": "值"}),
    ],
)
@pytest.mark.parametrize("role", ROLES)
async def test_one_parameter_changes_nothing_else(server: Stub, role: str, name: str, value: Any) -> None:
    names = {role: named(server, role, seed=False, **{name: value})}
    outcome = await play(cast_of(names), names)
    for body in asked(server, role):
        sent = {k: v for k, v in body.items() if k not in ("model", "messages", "response_format", "tools")}
        assert sent == {"max_tokens": DEFAULT_TOKENS[role]} | (value if name == "extra" else {name: value})
    found = recorded(outcome, role)
    assert found[name] == value
    assert found["seed"] is False


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_has_its_own_limit_of_tokens_where_its_name_gives_none(server: Stub, role: str) -> None:
    names = {role: named(server, role)}
    outcome = await play(cast_of(names), names)
    assert {b.get("max_tokens") for b in asked(server, role)} == {DEFAULT_TOKENS[role]}
    assert recorded(outcome, role)["max_tokens"] == DEFAULT_TOKENS[role]


async def test_five_models_keep_to_themselves(server: Stub) -> None:
    names = {role: named(server, role, temperature=n / 10, max_tokens=100 + n) for n, role in enumerate(ROLES, 1)}
    outcome = await play(cast_of(names), names)
    assert not outcome.failure
    for n, role in enumerate(ROLES, 1):
        assert asked(server, role)
        for body in asked(server, role):
            assert (body["temperature"], body["max_tokens"]) == (n / 10, 100 + n)
        assert recorded(outcome, role)["temperature"] == n / 10
    assert outcome.episode.settings["patient"] == "openai/patient-model"


@pytest.mark.parametrize(("form", "field"), [("tools", "tools"), ("json", "response_format"), ("text", None)])
async def test_the_doctors_form_is_on_the_wire_and_in_the_record(server: Stub, form: str, field: str | None) -> None:
    names = {"doctor": named(server, "doctor", form=form)}
    outcome = await play(cast_of(names), names)
    for body in asked(server, "doctor"):
        assert {f for f in ("tools", "response_format") if f in body} == ({field} if field else set())
    assert outcome.models["doctor"]["form"] == form


@pytest.mark.parametrize("structured", ["json_schema", "json_object", "prompt"])
@pytest.mark.parametrize("role", ["patient", "examiner", "chief", "judge"])
async def test_how_an_object_is_asked_for(server: Stub, role: str, structured: str) -> None:
    names = {role: named(server, role, structured=structured)}
    outcome = await play(cast_of(names), names)
    form = {"json_schema": "json_schema", "json_object": "json_object", "prompt": None}[structured]
    bodies = asked(server, role)
    assert {b.get("response_format", {}).get("type") for b in bodies} == {form}
    assert recorded(outcome, role).get("structured", "json_schema") == structured
    if structured != "json_schema":
        assert all('"required"' in b["messages"][-1]["content"] for b in bodies)
        assert all('"required"' not in b["messages"][0]["content"] for b in bodies)


@pytest.mark.parametrize("role", ROLES)
async def test_the_same_seed_asks_the_same_and_another_one_other(server: Stub, role: str) -> None:
    seen: list[list[int]] = []
    for seed in (5, 5, 6):
        server.bodies.clear()
        names = {role: named(server, role)}
        await play(cast_of(names), names, seed)
        seen.append([b["seed"] for b in asked(server, role)])
    assert seen[0] == seen[1]
    assert not set(seen[0]) & set(seen[2])


async def test_no_key_is_in_any_record(server: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    opaque = "opaque-0123456789-words"
    monkeypatch.setenv("CLINIC_KEY", opaque)
    names = {role: named(server, role, api_key_env="CLINIC_KEY") for role in ROLES}
    kept: list[dict[str, Any]] = []
    outcome = await play(cast_of(names), names, calls=Calls(tape=Tape((), kept.append)))
    assert {h["Authorization"] for h in server.headers} == {f"Bearer {opaque}"}
    assert kept
    assert opaque not in repr(outcome) + repr(kept) + repr(cast_of(names))


async def test_a_replay_names_the_same_models_without_a_key(server: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {role: named(server, role, **EVERYTHING) for role in ROLES}
    kept: list[dict[str, Any]] = []
    live = await play(cast_of(names), names, calls=Calls(tape=Tape((), kept.append)))
    count = len(server.bodies)
    again = await play(
        cast_of(names, replay=True), names, calls=Calls(tape=Tape(json.loads(json.dumps(kept)), only_replay=True))
    )
    assert len(server.bodies) == count
    assert again == live


async def test_roles_share_a_cache_and_not_their_replies(server: Stub, tmp_path: Path) -> None:
    names = {role: named(server, role).replace(f"{role}-model", "one-model") for role in ROLES}
    file = tmp_path / "replies.sqlite"
    first = await play(cast_of(names, cache=file), names)
    count = len(server.bodies)
    second = await play(cast_of(names, cache=file), names)
    assert len(server.bodies) == count
    assert second.episode == first.episode
    assert {r: u["calls"] for r, u in second.usage.items()} == {r: u["from_cache"] for r, u in second.usage.items()}
    assert {u["cost"] for u in second.usage.values()} == {0.0}


def test_an_offline_clinic_hires_nobody() -> None:
    assert hire(StaffPlan()) == (OFFLINE, ())


def test_every_parameter_of_the_spec_is_in_these_tests() -> None:
    """A new parameter wants a place here: on the wire, in the record, or among those that only the client reads."""
    sent = {*EVERYTHING, "seed", "structured", "base_url", "api_key_env", "form", "model", "provider"}
    client = {"client", "attempts", "connect_s", "attempt_s", "total_s", "concurrency"}
    prices = {"price_in", "price_out", "price_cached"}
    assert set(ModelSpec.model_fields) == sent | client | prices
    told = ModelSpec.parse(
        "openai/m?attempts=2&connect_s=1&attempt_s=2&total_s=3&concurrency=4&price_in=1&price_out=2&price_cached=0"
    ).settings()
    assert set(told) == {"model"} | (client - {"client"}) | prices


async def test_prices_make_a_cost_for_each_role(server: Stub) -> None:
    names = {role: named(server, role, price_in=n, price_out=2 * n) for n, role in enumerate(ROLES, 1)}
    outcome = await play(cast_of(names), names)
    for n, role in enumerate(ROLES, 1):
        used = outcome.usage[role]
        assert used["cost"] == pytest.approx((used["input"] * n + used["output"] * 2 * n) / 1e6)
