"""A real LangGraph agent, with a scripted model behind it, sees patients."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("langgraph", reason="needs the langchain extra")
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

from langchain.agents import create_agent
from langchain.agents.middleware import ModelRetryMiddleware
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import BaseTool
from langgraph.graph import START, MessagesState, StateGraph
from mock_server import MockServer
from pydantic import Field

from clinic_sim.cases.case import Case
from clinic_sim.cases.packs import Pack
from clinic_sim.clinic.actions import Ask, Conclude, Consult, Examine, Invalid, Order
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.clinic.events import DoctorActed, TerminationReason
from clinic_sim.clinic.limits import Limits
from clinic_sim.doctors import Visit, make_doctor
from clinic_sim.doctors.langgraph import LangGraphDoctor, clinic_tools
from clinic_sim.doctors.prompts import system_prompt
from clinic_sim.doctors.tools import tools
from clinic_sim.errors import ConfigError
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.models.calls import Calls
from clinic_sim.models.tape import Tape
from clinic_sim.models.usage import Prices
from clinic_sim.sweeps.local import run_batch
from clinic_sim.sweeps.outcome import Outcome, Setup
from clinic_sim.sweeps.runner import consult, run_episode

ROOT = Path(__file__).resolve().parents[2]
Step = Sequence[tuple[str, dict[str, Any]]] | str | Exception | float
"""Tool calls, words, a failure, or seconds of silence."""


class Scripted(BaseChatModel):
    """A LangChain model that follows a script; the last step again and again."""

    steps: list[Any]
    seen: list[Any] = Field(default_factory=list)
    tokens: bool = True

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **_: Any) -> Any:
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        raise NotImplementedError

    async def _agenerate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        step: Step = self.steps[min(sum(isinstance(m, AIMessage) for m in messages), len(self.steps) - 1)]
        self.seen.append(messages)
        if isinstance(step, Exception):
            raise step
        if isinstance(step, float):
            await asyncio.sleep(step)
            step = "too late"
        made = []
        if not isinstance(step, str):
            at = len(messages)
            made = [{"name": n, "args": a, "id": f"{at}-{i}", "type": "tool_call"} for i, (n, a) in enumerate(step)]
        told: Any = {"input_tokens": 100, "output_tokens": 10, "total_tokens": 110} if self.tokens else None
        message = AIMessage(step if isinstance(step, str) else "", tool_calls=made, usage_metadata=told)
        return ChatResult(generations=[ChatGeneration(message=message)])


def plan(case: Case) -> list[Step]:
    zh = case.language == "zh"
    return [
        [("ask_patient", {"text": "哪里不舒服？" if zh else "What brings you here?"})],
        [("examine", {"manoeuvres": ["生命体征" if zh else "vital signs"]})],
        [("order", {"exams": ["血常规" if zh else "complete blood count"]})],
        [("consult_chief", {"question": "还缺什么？" if zh else "What am I missing?"})],
        [("conclude", {"diagnosis": case.diagnosis.primary.name, "treatment": ["休息" if zh else "rest"]})],
    ]


def agent(model: BaseChatModel) -> Callable[..., Any]:
    def make(tools: list[BaseTool], instructions: str) -> Any:
        return create_agent(model, tools=tools, system_prompt=instructions)

    return make


def doctor(*steps: Step, **options: Any) -> LangGraphDoctor:
    return LangGraphDoctor(agent(Scripted(steps=list(steps))), **options)


def run(case: Case, player: LangGraphDoctor, **limits: Any) -> Outcome:
    return run_episode(Consultation(case, seed=1, limits=Limits(**limits)), player, RubricJudge(load_rubric("clinic")))


def actions(outcome: Outcome) -> list[Any]:
    return [e.action for e in outcome.episode.events if isinstance(e, DoctorActed)]


def agents_alive() -> list[asyncio.Task[Any]]:
    return [t for t in asyncio.all_tasks() if t.get_name() == "clinic_sim-agent"]


@pytest.fixture(autouse=True)
def _nothing_dangles(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    gc.collect()
    assert "was destroyed but it is pending" not in caplog.text
    assert "never retrieved" not in caplog.text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_whole_consultation(language: str, core_en: Pack, core_zh: Pack) -> None:
    case = (core_en if language == "en" else core_zh).cases[0]
    model = Scripted(steps=plan(case))
    outcome = run(case, LangGraphDoctor(agent(model)))
    assert outcome.failure == ""
    assert [type(a) for a in actions(outcome)][:5] == [Ask, Examine, Order, Consult, Conclude]
    assert outcome.episode.ledger.ended is TerminationReason.CONCLUDED
    assert outcome.scorecard.total is not None
    assert outcome.scorecard.total > 0.1
    first = model.seen[0]
    assert first[0].content == system_prompt(language, "agent")
    assert first[1].content == Consultation(case, seed=1).introduction()
    heard = [m.content for m in model.seen[1] if isinstance(m, ToolMessage)]
    assert heard[0].startswith("Patient: " if language == "en" else "患者：")
    turns = len(actions(outcome))
    counted = outcome.usage["doctor"]
    assert (counted["calls"], counted["input"], counted["output"]) == (turns, 100 * turns, 10 * turns)
    assert counted["failed"] == counted["unreported"] == 0
    assert counted["cost"] is None  # nobody said what they cost
    assert outcome.models["doctor"]["langgraph"]


def test_an_agent_scores_what_a_model_with_the_same_actions_scores(core_en_case: Case) -> None:
    from clinic_sim.doctors.llm import LLMDoctor
    from clinic_sim.models.scripted import ScriptedModel

    steps = plan(core_en_case)
    renamed = {"ask_patient": "ask", "consult_chief": "consult"}
    replies = [
        {"tool_calls": [{"id": "x", "name": renamed.get(n, n), "arguments": json.dumps(a)}]} for ((n, a),) in steps
    ]
    one = run(core_en_case, doctor(*steps))
    other = run_episode(
        Consultation(core_en_case, seed=1),
        LLMDoctor(ScriptedModel(replies), "tools"),
        RubricJudge(load_rubric("clinic")),
    )
    assert one.episode.events == other.episode.events
    assert one.scorecard.total == other.scorecard.total


def test_calls_made_at_once_are_played_one_after_another(core_en_case: Case) -> None:
    both = [("ask_patient", {"text": "Any fever?"}), ("order", {"exams": ["CBC"]})]
    outcome = run(core_en_case, doctor(both, [("conclude", {"diagnosis": "flu"})]))
    assert actions(outcome)[:3] == [Ask("Any fever?"), Order(("CBC",)), Conclude("flu")]
    assert outcome.failure == ""


@pytest.mark.parametrize(
    "arguments",
    [{}, {"exams": []}, {"exams": 3}, {"exams": None}, {"config": {}, "run_manager": 1, "action": "conclude"}],
)
def test_arguments_that_make_no_sense_cost_a_turn(core_en_case: Case, arguments: dict[str, Any]) -> None:
    outcome = run(core_en_case, doctor([("order", arguments)], [("conclude", {"diagnosis": "flu"})]))
    assert isinstance(actions(outcome)[0], Invalid)
    assert isinstance(actions(outcome)[1], Conclude)
    assert outcome.failure == ""


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_agent_that_stops_is_told_to_go_on(language: str, core_en: Pack, core_zh: Pack) -> None:
    case = (core_en if language == "en" else core_zh).cases[0]
    model = Scripted(steps=["It is the flu.", [("conclude", {"diagnosis": "flu"})]])
    outcome = run(case, LangGraphDoctor(agent(model)))
    assert [type(a) for a in actions(outcome)][:2] == [Invalid, Conclude]
    assert "conclude" in actions(outcome)[0].reason
    assert model.seen[1][2].content == "It is the flu."  # it goes on from where it was
    assert "conclude" in model.seen[1][3].content


def test_an_agent_that_never_acts_is_scored_at_the_end(core_en_case: Case) -> None:
    outcome = run(core_en_case, doctor("No."))
    assert outcome.episode.ledger.ended is TerminationReason.INVALID_LIMIT
    assert outcome.scorecard.total == 0


def test_a_model_that_fails_ends_the_episode_unscored(core_en_case: Case) -> None:
    outcome = run(core_en_case, doctor([("ask_patient", {"text": "Any fever?"})], ConnectionError("gone")))
    assert outcome.failure == "Unavailable: ConnectionError: gone"
    assert outcome.scorecard.total is None
    assert outcome.usage["doctor"]["failed"] == 1


def test_an_agent_that_is_silent_too_long_fails(core_en_case: Case) -> None:
    outcome = run(core_en_case, doctor(60.0, turn_s=0.05, name="langgraph/slow"))
    assert outcome.failure == "ProviderTimeout: langgraph/slow: no action within 0.05 s"


def taped(case: Case, player: LangGraphDoctor, tape: Tape) -> Outcome:
    consultation = Consultation(case, seed=1, calls=Calls("e", tape=tape))
    return run_episode(consultation, player, RubricJudge(load_rubric("clinic")))


@pytest.mark.parametrize("ways", ["one by one", "at once and stopping"])
def test_a_recorded_agent_is_replayed_without_its_model(ways: str, core_en_case: Case) -> None:
    steps = plan(core_en_case)
    if ways == "at once and stopping":
        steps = [[call for step in steps[:3] for call in step], "That is all.", *steps[3:]]
    entries: list[dict[str, Any]] = []
    first = taped(core_en_case, doctor(*steps), Tape(sink=entries.append))
    entries = json.loads(json.dumps(entries))
    silent = doctor(RuntimeError("the model was called"))
    again = taped(core_en_case, silent, Tape(entries, only_replay=True))
    assert again.failure == first.failure == ""
    assert again.episode.to_dict() == first.episode.to_dict()
    assert again.usage == first.usage


def test_an_agent_goes_on_where_a_recording_ended(core_en_case: Case) -> None:
    entries: list[dict[str, Any]] = []
    first = taped(core_en_case, doctor(*plan(core_en_case)), Tape(sink=entries.append))
    model = Scripted(steps=plan(core_en_case))
    again = taped(core_en_case, LangGraphDoctor(agent(model)), Tape(entries[:2]))
    assert again.failure == ""
    assert again.episode.to_dict() == first.episode.to_dict()
    kinds = [type(m).__name__ for m in model.seen[0]]
    assert kinds == ["SystemMessage", "HumanMessage", *["AIMessage", "ToolMessage"] * 2]  # it knows what went before


def test_the_example_runs(core_en: Pack) -> None:
    pytest.importorskip("langchain_openai")
    with MockServer(latency_ms=0, conclude_at=3) as server:
        done = subprocess.run(
            [sys.executable, str(ROOT / "examples" / "langgraph_doctor.py"), "core-zh"],
            env={**os.environ, "OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "none", "MODEL": "mock"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert "患者：" in done.stdout
    assert "score 0." in done.stdout


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_an_agent_at_a_real_server_acts_and_its_calls_and_tokens_are_the_servers(
    language: str, core_en: Pack, core_zh: Pack
) -> None:
    openai = pytest.importorskip("langchain_openai")
    case = (core_en if language == "en" else core_zh).cases[0]
    with MockServer(latency_ms=0, conclude_at=4) as server:
        async with httpx.AsyncClient() as client:
            model = openai.ChatOpenAI(model="mock", base_url=server.url, api_key="none", http_async_client=client)
            player = LangGraphDoctor(agent(model))
            outcome = await consult(Consultation(case, seed=1), player, RubricJudge(load_rubric("clinic")))
            await player.aclose()
        asked = server.stats()
    assert outcome.failure == ""
    assert [type(a) for a in actions(outcome)][:4] == [Ask, Ask, Ask, Conclude]
    counted = outcome.usage["doctor"]
    assert (counted["calls"], counted["failed"], counted["unreported"]) == (asked["requests"], 0, 0)
    assert counted["input"] > 100 * asked["requests"]


def test_an_agent_is_not_traced_without_leave(core_en_case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    from langsmith.utils import get_env_var, tracing_is_enabled

    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    get_env_var.cache_clear()
    assert tracing_is_enabled()
    traced = []

    class Watching(Scripted):
        async def _agenerate(self, *args: Any, **options: Any) -> ChatResult:
            traced.append(tracing_is_enabled())
            return await super()._agenerate(*args, **options)

    outcome = run(core_en_case, LangGraphDoctor(agent(Watching(steps=plan(core_en_case)))))
    monkeypatch.undo()
    get_env_var.cache_clear()
    assert outcome.failure == ""
    assert set(traced) == {False}


def test_unknown_usage_is_not_zero(core_en_case: Case) -> None:
    outcome = run(core_en_case, LangGraphDoctor(agent(Scripted(steps=plan(core_en_case), tokens=False))))
    assert outcome.usage["doctor"]["unreported"] == outcome.usage["doctor"]["calls"] > 0


def thinking_first(model: Scripted, planner: Scripted) -> Callable[..., Any]:
    """An agent that lets another model think about the patient before it begins."""

    def make(tools: list[BaseTool], instructions: str) -> Any:
        async def think(state: MessagesState) -> dict[str, Any]:
            await planner.ainvoke(state["messages"])
            return {}

        graph = StateGraph(MessagesState)
        graph.add_node("think", think)
        graph.add_node("act", create_agent(model, tools=tools, system_prompt=instructions))
        graph.add_edge(START, "think")
        graph.add_edge("think", "act")
        return graph.compile()

    return make


def test_what_is_counted_are_the_models_calls_not_the_actions(core_en_case: Case) -> None:
    several = [("ask_patient", {"text": "Any fever?"}), ("order", {"exams": ["CBC"]}), ("order", {"exams": ["ECG"]})]
    model = Scripted(steps=[several, [("conclude", {"diagnosis": "flu"})]])
    planner = Scripted(steps=["It may be the flu."])
    entries: list[dict[str, Any]] = []
    outcome = taped(core_en_case, LangGraphDoctor(thinking_first(model, planner)), Tape(sink=entries.append))
    calls = len(model.seen) + len(planner.seen)
    assert calls != len(actions(outcome))
    counted = outcome.usage["doctor"]
    assert (counted["calls"], counted["input"], counted["output"]) == (calls, 100 * calls, 10 * calls)
    silent = LangGraphDoctor(thinking_first(Scripted(steps=[RuntimeError("called")]), planner))
    assert taped(core_en_case, silent, Tape(entries, only_replay=True)).usage == outcome.usage


def test_one_call_of_unknown_size_leaves_the_others_tokens_counted(core_en_case: Case) -> None:
    model = Scripted(steps=plan(core_en_case))
    player = LangGraphDoctor(thinking_first(model, Scripted(steps=["Hm."], tokens=False)), prices=Prices(2, 10))
    counted = run(core_en_case, player).usage["doctor"]
    assert (counted["calls"], counted["unreported"], counted["input"]) == (
        len(model.seen) + 1,
        1,
        100 * len(model.seen),
    )
    assert counted["cost"] is None


@pytest.mark.parametrize("fails", ["slow", "broken"])
def test_tokens_before_a_failure_count(core_en_case: Case, fails: str) -> None:
    model = Scripted(steps=[60.0 if fails == "slow" else ConnectionError("gone")])
    player = LangGraphDoctor(thinking_first(model, Scripted(steps=["Hm."])), turn_s=0.2, prices=Prices(2, 10))
    outcome = run(core_en_case, player)
    assert outcome.failure
    assert outcome.scorecard.total is None
    counted = outcome.usage["doctor"]
    assert (counted["calls"], counted["failed"], counted["input"], counted["output"]) == (1, 1, 100, 10)
    assert counted["cost"] == pytest.approx((100 * 2 + 10 * 10) / 1e6)


def test_an_answer_that_was_cut_off_is_paid_for_though_the_agent_tries_again(core_en_case: Case) -> None:
    openai = pytest.importorskip("openai")
    from openai.types import CompletionUsage
    from openai.types.chat import ChatCompletion

    told = CompletionUsage(prompt_tokens=70, completion_tokens=7, total_tokens=77)
    half = ChatCompletion(id="1", choices=[], created=1, model="m", object="chat.completion", usage=told)

    class Tiring(Scripted):
        async def _agenerate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
            self.seen.append(messages)
            if len(self.seen) == 1:
                raise openai.LengthFinishReasonError(completion=half)
            return await super()._agenerate(messages)

    model = Tiring(steps=[[("conclude", {"diagnosis": "flu"})]])

    def make(tools: list[BaseTool], instructions: str) -> Any:
        return create_agent(model, tools=tools, middleware=[ModelRetryMiddleware(initial_delay=0, jitter=False)])

    outcome = run(core_en_case, LangGraphDoctor(make))
    assert outcome.failure == ""
    concluded = len(actions(outcome))
    counted = outcome.usage["doctor"]
    assert (counted["calls"], counted["input"], counted["output"]) == (
        concluded,
        70 + 100 * concluded,
        7 + 10 * concluded,
    )


async def test_one_graph_sees_many_patients_at_once_and_nothing_is_left_over(core_en: Pack) -> None:
    model = Scripted(steps=[[("ask_patient", {"text": "Any fever?"})]])
    shared = create_agent(model, tools=clinic_tools("en"), system_prompt="You are a doctor.")
    outcomes: dict[int, Outcome] = {}
    alive: list[int] = []

    def done(at: int, outcome: Outcome) -> None:
        outcomes[at] = outcome
        alive.append(len(agents_alive()))

    cases = core_en.cases[:6]
    setups = [
        Setup(f"e{n}", case, lambda: LangGraphDoctor(shared), seed=n, limits=Limits(turns=4))
        for n, case in enumerate(cases * 3)
    ]
    await run_batch(setups, RubricJudge(load_rubric("clinic")), done, concurrency=6)
    await asyncio.sleep(0.05)
    assert len(outcomes) == 18
    assert max(alive) <= 12  # the six at play, and those whose cancellation is on its way
    assert agents_alive() == []
    alone = Consultation(cases[0], seed=0, limits=Limits(turns=4))
    single = await asyncio.to_thread(run_episode, alone, LangGraphDoctor(shared), RubricJudge(load_rubric("clinic")))
    assert single.episode.events == outcomes[0].episode.events


async def test_a_cancelled_decision_stops_the_agent() -> None:
    player = doctor(60.0)
    player.begin(Visit("A patient.", "en", 1))
    deciding = asyncio.create_task(player.decide("A patient."))
    await asyncio.sleep(0.01)
    assert len(agents_alive()) == 1
    deciding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await deciding
    await asyncio.sleep(0.01)
    assert agents_alive() == []


async def test_the_next_patient_or_closing_stops_the_agent() -> None:
    player = doctor([("ask_patient", {"text": "Any fever?"})])
    player.begin(Visit("A patient.", "en", 1))
    assert await player.decide("A patient.") == Ask("Any fever?")
    assert len(agents_alive()) == 1
    player.begin(Visit("Another.", "en", 1))
    await asyncio.sleep(0.01)
    assert agents_alive() == []
    assert await player.decide("Another.") == Ask("Any fever?")
    await player.aclose()
    await asyncio.sleep(0.01)
    assert agents_alive() == []


def test_the_tools_say_what_the_clinic_says() -> None:
    for language in ("en", "zh"):
        for tool, ours in zip(clinic_tools(language), tools(language), strict=True):
            assert tool.description == ours["function"]["description"]
            schema = tool.get_input_jsonschema()
            assert schema["properties"] == ours["function"]["parameters"]["properties"]
            assert schema["required"] == ours["function"]["parameters"]["required"]
    names = [t.name for t in clinic_tools()]
    assert names == ["ask_patient", "examine", "order", "consult_chief", "conclude"]


async def test_a_tool_outside_a_consultation_says_so() -> None:
    with pytest.raises(ConfigError, match="none is running"):
        await clinic_tools()[0].ainvoke({"text": "Any fever?"})


PRICED = "?price_in=2&price_out=10&price_cached=1"


def test_an_agent_by_its_name(tmp_path: Path, core_en_case: Case) -> None:
    file = tmp_path / "my_agent.py"
    file.write_text(
        "from __future__ import annotations\n"
        "from langchain.agents import create_agent\n"
        "from langchain_core.language_models import FakeMessagesListChatModel\n"
        "from langchain_core.messages import AIMessage\n"
        "class Model(FakeMessagesListChatModel):\n"
        "    def bind_tools(self, tools, **_):\n"
        "        return self\n"
        "def make(tools, instructions):\n"
        "    call = {'name': 'conclude', 'args': {'diagnosis': 'flu'}, 'id': '1', 'type': 'tool_call'}\n"
        "    twice = [AIMessage('', tool_calls=[call]) for _ in range(2)]  # the chief may object once\n"
        "    return create_agent(Model(responses=twice), tools=tools)\n"
    )
    player = make_doctor(f"langgraph/{file}:make{PRICED}")
    assert isinstance(player, LangGraphDoctor)
    assert player.name == f"langgraph/{file}:make"
    assert player.settings["price_in"] == 2
    for wrong in ("price_in=cheap", "price_in=-1", "price_out=nan", "temperature=1"):
        with pytest.raises(ConfigError, match=wrong.partition("=")[0]):
            make_doctor(f"langgraph/{file}:make?{wrong}")
    outcome = run(core_en_case, player)
    assert outcome.failure == ""
    assert outcome.episode.ledger.ended is TerminationReason.CONCLUDED


@pytest.mark.parametrize(
    "name",
    ["langgraph/nothing", "langgraph/no_such_module:x", "langgraph/json:no_such", "langgraph/json:loads", "langgraph/"],
)
def test_what_is_no_agent_is_a_clear_error(name: str) -> None:
    with pytest.raises(ConfigError, match="langgraph/"):
        make_doctor(name)


def test_a_factory_that_makes_no_graph_fails_its_episode(core_en_case: Case) -> None:
    outcome = run(core_en_case, LangGraphDoctor(lambda tools, instructions: "a graph"))
    assert "which is no graph" in outcome.failure
    assert outcome.scorecard.total is None
