"""Whoever grades the answers of a label file: the offline scores, a model, or the verdicts that the file carries.

A grader gives a score or says why it has none; what has none is unscored, never zero.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from clinic_sim.errors import ProviderError
from clinic_sim.judge.addressed import redact
from clinic_sim.judge.controls import digest
from clinic_sim.judge.labels import GRADES, Label, Scale
from clinic_sim.judge.likeness import (
    NO_REFERENCE,
    Likeness,
    basis_likeness,
    diagnosis_likeness,
    treatment_likeness,
)
from clinic_sim.judge.scorecard import JUDGE_FAILED
from clinic_sim.knowledge.treatments import text_overlap
from clinic_sim.models.calls import Calls
from clinic_sim.models.chat import ChatModel, Message, Schema
from clinic_sim.models.keys import call_seed
from clinic_sim.models.structured import parse_object

UNSUPPORTED = "unsupported_view"
AT_ONCE = 16
"""Labels that a model is asked about at the same time."""


@dataclass(frozen=True, slots=True)
class Rated:
    """What a grader gives a label."""

    score: float | None
    """In [0, 1]; None when unscored."""
    certainty: float = 1.0
    """How sure the grader is, in [0, 1]."""
    grade: float | None = None
    """Its own grade on the label's scale, where it gives grades rather than scores."""
    failure: str = ""
    """Why it is unscored."""
    reason: str = ""


def carried(labels: Sequence[Label]) -> list[Rated]:
    """The verdicts that the file itself carries."""
    return [
        Rated(None, failure=JUDGE_FAILED if label.carries_judge else "not_judged")
        if label.judged is None
        else Rated(label.judged)
        for label in labels
    ]


def grade_offline(labels: Sequence[Label]) -> list[Rated]:
    """Scores by the ontologies and by words, see `likeness`; free and the same everywhere."""
    diagnoses = {_of(label): diagnosis_likeness(label.answer, label.reference) for label in labels if _names(label)}
    return [_offline(label, diagnoses) for label in labels]


def _of(label: Label) -> tuple[str, int]:
    return label.id, label.position


def _names(label: Label) -> bool:
    return label.view == "diagnosis"


def _offline(label: Label, diagnoses: Mapping[tuple[str, int], Likeness]) -> Rated:
    if label.question:
        return _rated(_criterion(label))
    if label.view == "diagnosis":
        return _rated(diagnoses[_of(label)])
    if label.view == "basis":
        return _rated(basis_likeness(label.answer, label.reference, diagnoses.get(_of(label)), label.language))
    if label.view == "treatment":
        return _rated(treatment_likeness(label.answer, label.reference))
    if label.view in _EVIDENCE:
        return _rated(basis_likeness(label.answer, label.reference, None, label.language))
    return Rated(None, failure=UNSUPPORTED if label.reference else NO_REFERENCE)


def _criterion(label: Label) -> Likeness:
    """A criterion by its words alone: how much of it stands in the answer. Little is known so, and little claimed."""
    return Likeness(text_overlap(label.question, label.answer, "zh"), 0.0, "by its words")


def _rated(found: Likeness) -> Rated:
    return Rated(found.value, found.certainty, failure=found.failure, reason=found.reason)


_EVIDENCE = ("symptom", "test")
"""Views that are findings and examinations, held against those of the reference."""
_LETTERS = list(reversed(GRADES))


def _schema(scale: Scale) -> Schema:
    """The reason stands first, so that it is written before the verdict."""
    verdict: dict[str, Any] = {"type": "boolean"} if scale == "met" else {"type": "string", "enum": _LETTERS}
    name = "met" if scale == "met" else "grade"
    return {
        "title": "verdict",
        "type": "object",
        "properties": {"reason": {"type": "string"}, name: verdict},
        "required": ["reason", name],
        "additionalProperties": False,
    }


@cache
def _prompt(language: str, kind: str) -> str:
    return resources.files("clinic_sim.judge").joinpath(f"data/label_{kind}_{language}.txt").read_text("utf-8").rstrip()


_VIEWS = {
    "en": {"diagnosis": "the diagnosis", "basis": "the basis of the diagnosis", "treatment": "the treatment"},
    "zh": {
        "diagnosis": "诊断结果",
        "basis": "诊断依据",
        "treatment": "治疗方案",
        "symptom": "症状",
        "test": "辅助检查",
    },
}
_PARTS = {
    "en": {"reference": "Reference", "question": "Criterion", "context": "What it answers", "answer": "Answer"},
    "zh": {"reference": "参考", "question": "评判条目", "context": "所回答的内容", "answer": "回答"},
}


def label_prompt(label: Label) -> list[Message]:
    """What a model is asked about a label: the answer fenced, and without what speaks to the judge."""
    kind = "met" if label.scale == "met" else "grade"
    parts = {
        "question": label.question,
        "reference": label.reference,
        # What a criterion is about; a view's own context is the reference of another view, which would only lead.
        "context": label.context if label.question else "",
        "answer": redact(label.answer).text,
    }
    fence = f"==={digest(repr(sorted(parts.items())))[:12]}==="
    lines = [
        f"{_PARTS[label.language][name]}:\n{fence}\n{text or '-'}\n{fence}"
        for name, text in parts.items()
        if text or name == "answer"
    ]
    view = _VIEWS[label.language].get(label.view, label.view)
    return [
        {"role": "system", "content": _prompt(label.language, kind).replace("{view}", view)},
        {"role": "user", "content": "\n\n".join(lines)},
    ]


async def grade_by_model(labels: Sequence[Label], model: ChatModel, calls: Calls | None = None) -> list[Rated]:
    """A model's verdicts, one call a label; a failed call or a broken form leaves its label unscored."""
    calls = Calls() if calls is None else calls
    if not model.suspends:
        return [await _asked(n, label, model, calls) for n, label in enumerate(labels)]
    gate = asyncio.Semaphore(AT_ONCE)

    async def ask(n: int, label: Label) -> Rated:
        async with gate:
            return await _asked(n, label, model, calls)

    return list(await asyncio.gather(*(ask(n, label) for n, label in enumerate(labels))))


async def _asked(n: int, label: Label, model: ChatModel, calls: Calls) -> Rated:
    if label.scale == "number":
        return Rated(None, failure=UNSUPPORTED)
    if not label.question and not label.reference:
        return Rated(None, failure=NO_REFERENCE)
    schema = _schema(label.scale)
    seed = call_seed(0, f"judge:{label.view}:{label.id}", n)
    try:
        reply = await calls.ask("judge", model, label_prompt(label), schema=schema, seed=seed)
    except ProviderError as exc:
        return Rated(None, failure=f"{JUDGE_FAILED}:{type(exc).__name__}")
    found = reply.parsed if reply.parsed is not None else parse_object(reply.text, schema)
    verdict = None if found is None else found.get("met" if label.scale == "met" else "grade")
    reason = "" if found is None else str(found.get("reason", ""))
    if label.scale == "met" and isinstance(verdict, bool):
        return Rated(float(verdict), grade=float(verdict), reason=reason)
    if label.scale == "grades" and verdict in GRADES:
        rank = float(GRADES.index(str(verdict)))
        return Rated(rank / (len(GRADES) - 1), grade=rank, reason=reason)
    return Rated(None, failure=f"{JUDGE_FAILED}:format")
