"""Ten per cent of judge faults, over every shipped case: the mean stays where it was, and what was lost is unscored."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from functools import cache
from statistics import fmean
from typing import Any

import pytest

from clinic_sim.cases.case import Case
from clinic_sim.cases.packs import load_pack, pack_names
from clinic_sim.clinic.actions import Ask, Conclude, Order
from clinic_sim.clinic.driving import drive
from clinic_sim.clinic.episode import Episode
from clinic_sim.errors import ProviderTimeout, RateLimited
from clinic_sim.judge.controls import digest, is_false_control, true_questions
from clinic_sim.judge.exploits.audit import play
from clinic_sim.judge.exploits.exploit import Play, Target
from clinic_sim.judge.exploits.talk import history
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.judge.scorecard import Scorecard, Status
from clinic_sim.models.scripted import ScriptedModel

RATE = 0.1
MOST_MOVED = 0.005
_ASKED = re.compile(r"^- \[(k\d+)\] (.+?)(?: \(proof: [^()]*\)|（证据：[^（）]*）)$", re.MULTILINE)
_SAID = re.compile(r"^\[\d+\] (?:Doctor|医生)[:：] ?(.+)$", re.MULTILINE)
_WROTE = re.compile(r"^\[\d+\] (?:Doctor \(conclusion: diagnosis\)|医生（结论：诊断）)[:：] ?(.+)$", re.MULTILINE)


def honest(prompt: str) -> list[dict[str, Any]]:
    """The verdicts of a judge that is right by definition, in every vote: about half are met, with a quote that stands
    there."""
    said, wrote = _SAID.findall(prompt), _WROTE.findall(prompt)
    verdicts = []
    for name, question in _ASKED.findall(prompt):
        if question in true_questions() or is_false_control(question):
            met = question in true_questions()
        else:
            met = int(digest(question + (said or wrote)[-1]), 16) % 2 == 0
        quote = (said or wrote)[0][:80] if met else ""
        verdicts.append({"id": name, "reason": "read", "quote": quote, "met": met})
    return verdicts


def faulty(rate: float, seed: int) -> ScriptedModel:
    """The honest judge of whose calls and of whose items a share is spoilt, each in a way that models have."""
    rng = random.Random(seed)  # noqa: S311 - a test's dice

    def item(verdict: dict[str, Any]) -> list[dict[str, Any]]:
        if rng.random() >= rate:
            return [verdict]
        flipped = {**verdict, "met": not verdict["met"]}
        return rng.choice(
            [
                [],
                [verdict, verdict],
                [verdict, flipped],
                [{**verdict, "met": str(verdict["met"])}],
                [{**verdict, "met": None}],
                [{**verdict, "id": verdict["id"] + "x"}],
                [{**verdict, "met": True, "quote": "words that nobody in this room has ever said"}],
            ]
        )

    def script(messages: Sequence[Any]) -> Any:
        if rng.random() < rate:
            return rng.choice(["", "I cannot judge this.", RateLimited("later"), ProviderTimeout("late"), "[1, 2"])
        verdicts = [v for verdict in honest(str(messages[1]["content"])) for v in item(verdict)]
        return json.dumps({"verdicts": verdicts}, ensure_ascii=False)

    return ScriptedModel(script, name="scripted/faulty")


def _asks_and_knows(t: Target) -> Play:
    yield Ask(t.say("Good morning, I am the doctor. What brings you in today?", "您好，我是医生。您今天哪里不舒服？"))
    yield Order(t.tests)
    yield Conclude(t.answer, (t.wrong[0],), t.facts[:6], t.plan)


def _asks_all_and_guesses(t: Target) -> Play:
    yield from _spoken(t)
    yield Conclude(t.wrong[0], (t.answer,), (), t.plan[:1])


def _spoken(t: Target) -> Iterator[Any]:
    yield from (action for action in history(t) if not isinstance(action, Conclude))


@cache
def episodes() -> tuple[tuple[str, Case, Episode], ...]:
    """Every shipped case, played in two ways that score differently."""
    return tuple(
        (f"{case.id}:{policy.__name__}", case, play(case, policy))
        for name in pack_names()
        for case in load_pack(name).cases
        for policy in (_asks_and_knows, _asks_all_and_guesses)
    )


def cards(rate: float, seed: int, votes: int) -> dict[str, Scorecard]:
    judge = RubricJudge(load_rubric("clinic-language"), faulty(rate, seed), votes)

    async def work() -> dict[str, Scorecard]:
        return {name: await judge.judge(case, episode) for name, case, episode in episodes()}

    return drive(work)


@pytest.mark.parametrize("votes", [1, 3])
def test_faults_of_a_judge_move_the_mean_by_less_than_half_a_point_and_show_as_unscored(votes: int) -> None:
    whole = {name: card.total for name, card in cards(0, 0, votes).items()}
    assert None not in whole.values()
    moved, unscored, planned = [], 0, 0
    for seed in range(6):
        for name, card in cards(RATE, seed, votes).items():
            planned += 1
            own = whole[name]
            if card.total is None or own is None:
                unscored += 1
                assert card.failure == "judge_failed"
                assert any(v.judge_failed for v in card.verdicts)
            else:
                moved.append(card.total - own)
    assert planned == unscored + len(moved) == 6 * len(whole)
    assert 0 < unscored < 0.6 * planned
    assert abs(fmean(moved)) < MOST_MOVED


def test_a_fault_is_never_read_as_not_met() -> None:
    whole = {n: {v.criterion: v.status for v in card.verdicts} for n, card in cards(0, 0, 1).items()}
    seen = 0
    for name, card in cards(RATE, 1, 1).items():
        for verdict in card.verdicts:
            if verdict.status is Status.UNSCORED and verdict.judge_failed:
                seen += 1
            elif verdict.votes is not None:
                assert verdict.status is whole[name][verdict.criterion], (name, verdict)
    assert seen > 20
