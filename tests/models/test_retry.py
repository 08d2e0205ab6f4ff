"""Patience with a server: what is tried again, how long, how many at once, and when it is given up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import pytest

from clinic_sim.errors import (
    BadReply,
    ContextOverflow,
    ProviderError,
    ProviderTimeout,
    RateLimited,
    Refusal,
    Rejected,
    Unavailable,
)
from clinic_sim.models import endpoint as endpoints
from clinic_sim.models import retry
from clinic_sim.models.chat import Message, Reply
from clinic_sim.models.endpoint import Endpoint
from clinic_sim.models.retry import Retrying
from clinic_sim.models.spec import ModelSpec
from clinic_sim.models.wire import EmptyReply

HI: list[Message] = [{"role": "user", "content": "Hi."}]
OK = Reply("Hello.")


class Provider:
    """Answers from a script of replies, errors and seconds to hang; the last item again and again."""

    suspends = True
    name = "test/provider"
    settings: ClassVar[dict[str, Any]] = {}

    def __init__(self, *script: Any) -> None:
        self.script = script
        self.asked = 0
        self.inflight = 0
        self.peak = 0

    async def chat(self, messages: Sequence[Message], **_: Any) -> Reply:
        self.asked += 1
        step = self.script[min(self.asked, len(self.script)) - 1]
        self.inflight += 1
        self.peak = max(self.peak, self.inflight)
        try:
            if isinstance(step, float):
                await asyncio.sleep(step)
                step = OK
            else:
                await asyncio.sleep(0)
        finally:
            self.inflight -= 1
        if isinstance(step, ProviderError):
            raise step
        reply: Reply = step
        return reply

    async def aclose(self) -> None:
        pass


def patient(provider: Provider, server: Endpoint | None = None, *, role: str = "", **options: Any) -> Retrying:
    """The provider with these options of its spec."""
    spec = ModelSpec.model_validate({"provider": "openai", "model": "m", **options})
    return Retrying(provider, spec, server or Endpoint("here"), role=role)


def asking(error: ProviderError, seconds: float) -> ProviderError:
    """The error of a server that says how long to wait."""
    error.retry_after = seconds
    return error


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_WAIT_S", 0.001)
    monkeypatch.setattr(retry, "LONGEST_WAIT_S", 0.002)


@pytest.mark.parametrize("error", [RateLimited("a"), Unavailable("b"), ProviderTimeout("c"), BadReply("d")])
async def test_what_may_pass_is_tried_again(error: ProviderError) -> None:
    provider = Provider(error, error, OK)
    assert (await patient(provider).chat(HI)).text == "Hello."
    assert provider.asked == 3


@pytest.mark.parametrize("error", [Rejected("a"), ContextOverflow("b"), Refusal("c")])
async def test_what_is_final_is_not_tried_again(error: ProviderError) -> None:
    provider = Provider(error, OK)
    with pytest.raises(type(error)) as failed:
        await patient(provider).chat(HI)
    assert failed.value is error
    assert provider.asked == 1


async def test_attempts_are_bounded_and_the_last_error_says_how_often_and_how_long() -> None:
    provider = Provider(Unavailable("HTTP 500: sorry"))
    with pytest.raises(Unavailable, match=r"HTTP 500: sorry \(4 attempts in \d+\.\d s\)"):
        await patient(provider, attempts=4).chat(HI)
    assert provider.asked == 4


async def test_an_answer_that_holds_nothing_is_asked_for_three_times_at_most() -> None:
    provider = Provider(EmptyReply("the answer is empty"))
    with pytest.raises(EmptyReply, match="3 attempts"):
        await patient(provider, attempts=6).chat(HI)
    assert provider.asked == 3
    provider = Provider(EmptyReply("the answer is empty"))
    with pytest.raises(EmptyReply, match="1 attempt "):
        await patient(provider, attempts=1).chat(HI)


async def test_the_server_says_how_long_to_wait() -> None:
    provider = Provider(asking(RateLimited("slow"), 0.3), OK)
    began = time.monotonic()
    await patient(provider).chat(HI)
    assert 0.3 <= time.monotonic() - began < 0.6


async def test_a_wait_beyond_the_total_time_is_not_begun() -> None:
    provider = Provider(asking(RateLimited("slow"), 3_600), OK)
    began = time.monotonic()
    with pytest.raises(RateLimited, match="asks to wait 3600 s more"):
        await patient(provider, total_s=5).chat(HI)
    assert time.monotonic() - began < 1
    assert provider.asked == 1


async def test_the_total_time_ends_an_attempt() -> None:
    provider = Provider(30.0)
    began = time.monotonic()
    with pytest.raises(ProviderTimeout, match=r"the 0\.3 s of the call are over"):
        await patient(provider, total_s=0.3, attempt_s=10).chat(HI)
    assert time.monotonic() - began < 1


async def test_a_provider_that_keeps_the_time_itself_is_not_cut_off() -> None:
    spec = ModelSpec(provider="vllm", model="m", total_s=0.1, attempt_s=0.1)
    assert await Retrying(Provider(0.4), spec, Endpoint("engine"), bounded=False).chat(HI) is OK


async def test_waiting_for_a_place_does_not_use_up_the_time_of_a_call() -> None:
    provider = Provider(0.1)
    model = patient(provider, concurrency=1, total_s=0.35, attempt_s=0.35)
    assert await asyncio.gather(*(model.chat(HI) for _ in range(6))) == [OK] * 6
    assert provider.peak == 1


async def test_cancelling_passes_at_once_and_frees_the_place() -> None:
    provider = Provider(30.0, OK)
    model = patient(provider, concurrency=1)
    task = asyncio.create_task(model.chat(HI))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.wait_for(model.chat(HI), 1) is OK
    assert provider.asked == 2


async def test_no_more_calls_are_in_flight_than_the_spec_allows_and_roles_do_not_share() -> None:
    doctor, judge = Provider(0.02), Provider(0.02)
    server = Endpoint("here")
    models = [
        patient(doctor, server, role="doctor", concurrency=4),
        patient(judge, server, role="judge", concurrency=7),
    ]
    await asyncio.gather(*(m.chat(HI) for m in models for _ in range(30)))
    assert (doctor.peak, judge.peak) == (4, 7)


async def test_models_of_one_role_and_server_share_their_limit() -> None:
    provider, server = Provider(0.02), Endpoint("here")
    models = [patient(provider, server, role="patient", concurrency=4) for _ in range(3)]
    await asyncio.gather(*(m.chat(HI) for m in models for _ in range(10)))
    assert provider.peak == 4


async def test_a_429_lowers_the_limit_once_in_a_while_and_success_raises_it(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Endpoint("here")
    provider = Provider(*[RateLimited("slow")] * 40, OK)
    model = patient(provider, server, concurrency=40)
    await asyncio.gather(*(model.chat(HI) for _ in range(40)))
    gate = server.gate("", 40)
    assert 25 <= gate.limit <= 36, "forty refusals at the same moment are one"
    for _ in range(300):
        await model.chat(HI)
    assert gate.limit == 40


async def test_a_failing_server_stops_the_growth_and_not_the_work() -> None:
    server = Endpoint("here")
    gate = server.gate("", 40)
    gate.limit = 10.0
    model = patient(Provider(Unavailable("500"), OK), server, concurrency=40)
    for _ in range(50):
        await model.chat(HI)
    assert gate.limit == 10


async def test_places_are_given_in_the_order_of_asking() -> None:
    order: list[int] = []
    model = patient(Provider(0.005), concurrency=2)

    async def one(n: int) -> None:
        await model.chat(HI)
        order.append(n)

    await asyncio.gather(*(one(n) for n in range(12)))
    assert order == list(range(12))


@pytest.mark.parametrize("late", [False, True])
async def test_those_who_give_up_waiting_lose_nobodys_place(late: bool) -> None:
    gate = endpoints.Gate(1)
    assert gate.try_enter()
    waiters = [asyncio.create_task(gate.enter()) for _ in range(5)]
    await asyncio.sleep(0)
    if late:  # the place is given and the wait is cancelled in the same moment, in either order
        gate.leave()
        waiters[0].cancel()
    else:
        waiters[0].cancel()
        gate.leave()
    waiters[2].cancel()
    found = []
    for _ in range(3):
        await asyncio.sleep(0.001)
        found += [n for n, w in enumerate(waiters) if w.done() and not w.cancelled() and n not in found]
        gate.leave()
    assert found == [1, 3, 4]
    await asyncio.gather(*waiters, return_exceptions=True)
    assert [w.cancelled() for w in waiters] == [True, False, True, False, False]
    assert (gate.inflight, gate.waiting) == (0, 0)


async def test_a_storm_of_calls_and_cancellations_leaves_the_gate_as_it_was() -> None:
    server = Endpoint("here")
    provider = Provider(*[0.001, RateLimited("slow"), OK, Unavailable("500")] * 50, OK)
    model = patient(provider, server, concurrency=5)
    tasks = [asyncio.create_task(model.chat(HI)) for _ in range(200)]
    for n in range(0, 200, 3):
        await asyncio.sleep(0.0002)
        tasks[n].cancel()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(f is OK or isinstance(f, asyncio.CancelledError) for f in found)
    gate = server.gate("", 5)
    assert (gate.inflight, gate.waiting) == (0, 0)
    assert provider.peak <= 5


async def test_several_event_loops_each_have_their_gate() -> None:
    provider, server = Provider(0.01), Endpoint("here")
    model = patient(provider, server, concurrency=2)

    async def many() -> None:
        await asyncio.gather(*(model.chat(HI) for _ in range(8)))

    await many()
    for _ in range(2):
        await asyncio.to_thread(asyncio.run, many())
    await many()
    assert provider.asked == 32


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "OUTAGE_S", 0.2)
    monkeypatch.setattr(endpoints, "PROBE_EVERY_S", 0.3)


async def _until_down(model: Retrying) -> Unavailable:
    for _ in range(200):
        try:
            await model.chat(HI)
        except Unavailable as exc:
            if "is down" in str(exc):
                return exc
        await asyncio.sleep(0.005)
    raise AssertionError("a dead server was never given up")


@pytest.mark.usefixtures("impatient")
async def test_a_dead_server_is_given_up_for_all_roles_and_taken_back_when_it_answers() -> None:
    server = Endpoint("http://dead")
    provider, other = Provider(Unavailable("refused")), Provider(Unavailable("refused"))
    doctor = patient(provider, server, role="doctor", attempts=2)
    judge = patient(other, server, role="judge", attempts=2)
    error = await _until_down(doctor)
    assert "http://dead is down" in str(error)
    assert "refused" in str(error)
    with pytest.raises(Unavailable, match="is down"):
        await judge.chat(HI)
    assert other.asked == 0
    asked = provider.asked
    await asyncio.sleep(0.35)  # time for one probe, whoever comes first
    found = await asyncio.gather(*(doctor.chat(HI) for _ in range(5)), return_exceptions=True)
    assert provider.asked == asked + 1
    assert all(isinstance(f, Unavailable) for f in found)
    provider.script = other.script = (OK,)
    await asyncio.sleep(0.35)
    assert await judge.chat(HI) is OK
    assert await doctor.chat(HI) is OK


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("error", [RateLimited("slow"), Rejected("no"), BadReply("garbage")])
async def test_a_server_that_says_anything_is_not_down(error: ProviderError) -> None:
    model = patient(Provider(error), attempts=2)
    began = time.monotonic()
    while time.monotonic() - began < 0.4:
        with pytest.raises(type(error)) as failed:
            await model.chat(HI)
        assert "is down" not in str(failed.value)


@pytest.mark.usefixtures("impatient")
async def test_a_few_failures_are_no_outage() -> None:
    model = patient(Provider(*[Unavailable("500")] * 5, OK), attempts=3)
    with pytest.raises(Unavailable):
        await model.chat(HI)
    await asyncio.sleep(0.3)
    assert await model.chat(HI) is OK


@pytest.mark.usefixtures("impatient")
async def test_those_in_the_queue_of_a_dead_server_fail_at_once() -> None:
    model = patient(Provider(Unavailable("refused")), concurrency=2, attempts=50, total_s=60)
    began = time.monotonic()
    found = await asyncio.gather(*(model.chat(HI) for _ in range(100)), return_exceptions=True)
    assert all(isinstance(f, Unavailable) for f in found)
    assert time.monotonic() - began < 3


def test_models_of_one_server_find_the_same_endpoint_as_long_as_one_lives() -> None:
    one = endpoints.endpoint("http://a")
    assert endpoints.endpoint("http://a") is one
    assert endpoints.endpoint("http://b") is not one
    make: Callable[[], int] = lambda: endpoints.endpoint("http://c").breaker._failures  # noqa: E731
    endpoints.endpoint("http://c").breaker.failed(Unavailable("x"))
    assert make() == 0, "what nobody holds is forgotten"
