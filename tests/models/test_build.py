"""From a model's name to a model: provider, patience, cache, prices."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from clinic_sim.errors import ConfigError, ReplayMismatch, Unavailable
from clinic_sim.models.build import make_model
from clinic_sim.models.cache import ReplyCache
from clinic_sim.models.chat import Message
from clinic_sim.models.retry import Retrying
from clinic_sim.models.spec import ModelSpec
from clinic_sim.models.usage import Prices

from .conftest import Stub, failing, said

HI: list[Message] = [{"role": "user", "content": "Hi."}]


async def test_a_name_gives_a_model_that_is_retried_and_priced(stub: Stub) -> None:
    stub.answers = [failing(500), said()]
    model = make_model(f"openai/org/m?base_url={stub.url}&price_in=1&price_out=2&price_cached=0.5", role="doctor")
    assert (await model.chat(HI)).text == "Hello."
    assert len(stub.bodies) == 2
    assert stub.bodies[0]["model"] == "org/m"
    assert (model.name, model.suspends) == ("openai/org/m", True)
    assert getattr(model, "prices", None) == Prices(1, 2, 0.5)
    await model.aclose()


async def test_a_price_that_is_half_known_is_unknown(stub: Stub) -> None:
    model = make_model(f"openai/m?base_url={stub.url}&price_in=1")
    assert getattr(model, "prices", "missing") is None
    await model.aclose()


CLIENTS = ["http", "sdk"] if importlib.util.find_spec("openai") else ["http"]


@pytest.mark.parametrize("value", [None, "", "  "])
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("variable", ["MY_GATEWAY_KEY", "OPENAI_API_KEY"])
async def test_a_key_that_was_named_must_be_there(
    stub: Stub, monkeypatch: pytest.MonkeyPatch, client: str, value: str | None, variable: str
) -> None:
    monkeypatch.delenv(variable, raising=False)
    if value is not None:
        monkeypatch.setenv(variable, value)
    name = f"openai/m?base_url={stub.url}&client={client}&api_key_env={variable}"
    with pytest.raises(ConfigError, match=variable):
        make_model(name)
    make_model(name, replay=True)  # nobody is asked, so nobody needs a key
    monkeypatch.setenv(variable, "opaque0123words")
    model = make_model(name)
    await model.chat(HI)
    await model.aclose()
    assert stub.headers[0]["Authorization"] == "Bearer opaque0123words"


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_server_of_ones_own_needs_no_key_where_none_is_named(stub: Stub, client: str) -> None:
    model = make_model(f"openai/m?base_url={stub.url}&client={client}")
    assert (await model.chat(HI)).text == "Hello."
    await model.aclose()


@pytest.mark.parametrize("given", ["text", "spec"])
async def test_defaults_give_way_to_what_is_named(stub: Stub, given: str) -> None:
    url = stub.url

    def named(**options: int) -> str | ModelSpec:
        text = "&".join(f"{k}={v}" for k, v in options.items())
        name = f"openai/m?base_url={url}&{text}"
        return name if given == "text" else ModelSpec.parse(name)

    for spec in (named(), named(max_tokens=9)):
        model = make_model(spec, max_tokens=512)
        await model.chat(HI)
        assert model.settings["max_tokens"] == stub.bodies[-1]["max_tokens"]
        await model.aclose()
    assert [b["max_tokens"] for b in stub.bodies] == [512, 9]


async def test_models_of_one_server_know_together_that_it_is_down(stub: Stub) -> None:
    models = [make_model(f"openai/{n}?base_url={stub.url}", role=n) for n in ("doctor", "judge")]
    first, second = (m for m in models if isinstance(m, Retrying))
    assert first._endpoint is second._endpoint
    for model in models:
        await model.aclose()


async def test_a_cached_reply_is_not_asked_for_again_and_says_so(stub: Stub, tmp_path: Path) -> None:
    cache = ReplyCache(tmp_path / "replies.sqlite")
    for _ in range(2):
        model = make_model(f"openai/m?base_url={stub.url}", cache=cache)
        replies = [await model.chat(HI, seed=1), await model.chat(HI, seed=1), await model.chat(HI, seed=2)]
        await model.aclose()
    cache.close()
    assert len(stub.bodies) == 2
    assert [r.from_cache for r in replies] == [True, True, True]
    assert replies[0].text == "Hello."


async def test_another_server_has_other_replies(stub: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = ReplyCache(tmp_path / "replies.sqlite")
    monkeypatch.setenv("OPENAI_BASE_URL", stub.url)
    model = make_model("openai/m", cache=cache)
    await model.chat(HI)
    await model.aclose()
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    other = make_model("openai/m", cache=cache, attempts=1)
    with pytest.raises(Unavailable):
        await other.chat(HI)
    await other.aclose()
    cache.close()


async def test_what_is_replayed_has_the_same_name_and_settings_and_needs_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    named = make_model("openai/gpt-4o?temperature=0", replay=True, max_tokens=5)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    live = make_model("openai/gpt-4o?temperature=0", max_tokens=5)
    assert (named.name, dict(named.settings)) == (live.name, dict(live.settings))
    with pytest.raises(ReplayMismatch):
        await named.chat(HI)
    await live.aclose()
    assert make_model("vllm/a/model", replay=True).name == "vllm/a/model"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("gpt-4o", "a model is `provider/name`"),
        ("open-ai/gpt-4o", "the providers are openai, vllm"),
        ("openai/", "a model is `provider/name`"),
        ("openai/m?temprature=0", "unknown parameter 'temprature'"),
        ("openai/m?temperature=hot", "temperature"),
        ("openai/m?extra={", "no JSON"),
        ("openai/m?extra=" + 100_000 * "[", "no JSON"),
        ('openai/m?extra={"a":NaN}', "no JSON"),
        ("openai/m?extra=[]", "extra"),
        ("openai/m?temperature=0&temperature=1", "twice"),
        ("openai/m?model=x", "unknown parameter 'model'"),
        ("openai/m?provider=vllm", "unknown parameter 'provider'"),
        ("openai/m?base_url=", "base_url has no value"),
        ("openai/m?attempts=0", "attempts"),
        ("openai/m?base_url=localhost:8000", "no http address"),
        ("openai/m", "OPENAI_API_KEY"),
        ("openai/m?api_key_env=MY_KEY", "MY_KEY"),
        ("scripted/nowhere.json", "nowhere.json"),
    ],
)
def test_a_name_that_cannot_be_used_says_why(name: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "MY_KEY"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(ConfigError, match=why):
        make_model(name)


@pytest.mark.parametrize("name", ["openai/m?api_key=sk-hidden", "openai/m?base_url=http://h/?k=hidden&attempts=0"])
def test_a_name_that_cannot_be_used_is_not_shown_with_its_values(name: str) -> None:
    with pytest.raises(ConfigError) as failed:
        make_model(name)
    assert "hidden" not in str(failed.value)


async def test_a_script_is_a_model(tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text(json.dumps(["One.", "Two."]))
    model = make_model(f"scripted/{path}")
    assert [(await model.chat(HI)).text for _ in range(3)] == ["One.", "Two.", "Two."]
    assert not model.suspends
