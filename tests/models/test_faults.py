"""Models against the mock server with faults injected: nothing is lost, nothing hangs, and the mock counts right."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import pytest

from clinic_sim.errors import ProviderError, Unavailable
from clinic_sim.models.build import make_model
from clinic_sim.models.chat import Message

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
from mock_server import MockServer

PATIENT: list[Message] = [
    {"role": "system", "content": "ROLE: PATIENT\nYou are ill.\n- f1 | pain | It hurts.\n- f2 | fever | I am hot."},
    {"role": "user", "content": "Asked for: f2\nThe doctor says: Any fever?"},
]
ANSWER = {
    "title": "patient_answer",
    "type": "object",
    "properties": {"facts": {"type": "array", "items": {"type": "string"}}, "say": {"type": "string"}},
    "required": ["facts", "say"],
    "additionalProperties": False,
}
DOCTOR: list[Message] = [{"role": "system", "content": "ROLE: DOCTOR\n" + "Consult. " * 100}]


async def test_under_the_fault_mix_every_call_is_answered_and_none_twice() -> None:
    with MockServer(
        latency_ms=5, p500=0.05, p429=0.05, pmal=0.02, phang=0.01, retry_after_s=1, hang_s=60, seed=3
    ) as server:
        model = make_model(f"openai/mock?base_url={server.url}&attempt_s=1&concurrency=16", role="doctor")
        began = time.monotonic()
        replies = await asyncio.gather(*(model.chat(DOCTOR) for _ in range(300)))
        assert time.monotonic() - began < 20
        await model.aclose()
        stats = server.stats()
    assert all(stats["faults"].values()), "the mix left a fault out"
    assert len({r.text for r in replies}) == 300
    assert stats["requests"] == 300 + sum(stats["faults"].values())
    assert stats["peak"] <= 16


async def test_a_total_outage_ends_in_bounded_time() -> None:
    with MockServer(latency_ms=1, down=1) as server:
        model = make_model(f"openai/mock?base_url={server.url}&attempts=3", role="doctor")
        began = time.monotonic()
        found = await asyncio.gather(*(model.chat(DOCTOR) for _ in range(40)), return_exceptions=True)
        assert time.monotonic() - began < 10
        await model.aclose()
    assert all(isinstance(f, Unavailable) and "3 attempts" in str(f) for f in found)


async def test_a_server_that_hangs_costs_no_more_than_the_total_time() -> None:
    with MockServer(latency_ms=1, phang=1.0, hang_s=60) as server:
        model = make_model(f"openai/mock?base_url={server.url}&attempt_s=0.4&total_s=1.5", role="doctor")
        began = time.monotonic()
        with pytest.raises(ProviderError):
            await model.chat(DOCTOR)
        assert time.monotonic() - began < 3
        await model.aclose()


async def test_the_mock_plays_a_patient_by_the_hint_and_counts_repeated_prefixes() -> None:
    with MockServer(latency_ms=0) as server:
        model = make_model(f"openai/mock?base_url={server.url}", role="patient")
        first = await model.chat(PATIENT, schema=ANSWER)
        assert first.parsed is not None
        assert first.parsed["facts"] == ["f2"]
        assert "I am hot." in first.parsed["say"]
        await model.chat([*PATIENT, {"role": "assistant", "content": first.text}, PATIENT[1]], schema=ANSWER)
        stats = server.stats()
        assert stats["by_role"] == {"patient": 2}
        assert 0.3 < stats["prefix_share"] < 0.7, "of two prompts, the second repeats the first"
        server.reset()
        assert server.stats()["requests"] == 0
        await model.aclose()
