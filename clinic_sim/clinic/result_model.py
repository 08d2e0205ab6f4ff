"""Results that the record lacks, in a model's words (policy `model`), marked as derived wherever they appear.

The model is told what the doctor knows and the catalogue's name of the examination; neither the doctor's words nor
anything hidden is in the prompt. What it writes must be a finding, not a verdict: no disease, and nothing of another
report.
A derived result reveals no evidence and earns nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from clinic_sim.clinic import discretion
from clinic_sim.clinic.discretion import Fault
from clinic_sim.clinic.events import Event, ExamReported, Outcome
from clinic_sim.clinic.failures import content_failure
from clinic_sim.clinic.known import news, patient_line
from clinic_sim.clinic.mentions import undisguised
from clinic_sim.clinic.room import Room
from clinic_sim.errors import ProviderError
from clinic_sim.knowledge.exam_catalogue import catalogue
from clinic_sim.models.chat import ChatModel, Message, Schema
from clinic_sim.models.keys import call_seed

ATTEMPTS = 2
SCHEMA: Schema = {
    "title": "derived_result",
    "type": "object",
    "properties": {"result": {"type": "string"}},
    "required": ["result"],
    "additionalProperties": False,
}
_NEGATED = re.compile(
    r"\b(?:no|not|without|absent|absence of|negative for|nor|none|free of|excludes?|never)\b"
    r"|未|无|没有|否认|阴性|排除|不伴",
    re.IGNORECASE,
)
_SPEAKS = re.compile(r"\b(?:I|[Mm]y|[Mm]e|[Yy]ou|[Yy]our)\b|[我你您]")
"""A report speaks of nobody as I or you."""
_CLAUSE = re.compile(r"[.;。；!?！？\n]+|[,，](?!\d)|\bbut\b|但")

_RULES = {
    "en": """ROLE: EXAMINER
You write the result of an examination that was done in a clinic but does not stand in the patient's record.

You get, turn by turn, what is known about the patient, and the name of the examination.
1. Write the result as its report would put it, in one to three short sentences: values with units and reference range \
where it is a measurement, plain findings otherwise.
2. It must agree with everything that is known. Where nothing known says otherwise, the result is normal.
3. Findings only. Name no disease, suspect none and exclude none, give no advice, and report no other examination.

Answer with one JSON object: {"result": "the result"}.""",
    "zh": """ROLE: EXAMINER
诊所做了一项检查，但患者的病历里没有它的结果，由你写出这个结果。

每次你会得到已经了解到的患者情况，以及检查项目的名称。
1. 按报告单的写法，用一到三句短句写出结果：测量类给出数值、单位和参考范围，其他写客观所见。
2. 必须与已知情况一致。已知情况没有相反提示的，结果为正常。
3. 只写所见。不写病名，不怀疑也不排除任何疾病，不提建议，不报告其他检查。

只回答一个JSON对象：{"result": "结果"}。""",
}
_WORDS = {
    "en": {
        "patient": "The patient: {patient}",
        "known": "Newly known:",
        "exam": "Examination: {name}",
        "again": "This cannot be used: {why} Write the result once more, as one JSON object.",
    },
    "zh": {
        "patient": "患者：{patient}",
        "known": "新了解到：",
        "exam": "检查项目：{name}",
        "again": "这不能采用：{why}请重新写出结果，只给一个JSON对象。",
    },
}
_WHY = {
    "en": {
        "form": "it is not one JSON object with a plain result of at most 600 characters.",
        "language": "write English.",
        "leak:diagnosis": "it names or hints at a disease.",
        "leak:result": "it reports something else than this examination.",
        "verdict": "it names a disease; write findings only.",
    },
    "zh": {
        "form": "它不是一个JSON对象，或者不是600字以内的平实结果。",
        "language": "请用中文写。",
        "leak:diagnosis": "它说出或暗示了病名。",
        "leak:result": "它报告了这项检查以外的内容。",
        "verdict": "它写出了病名，只写客观所见。",
    },
}


async def derive(
    room: Room, role: str, model: ChatModel, event: ExamReported, before: Sequence[Event]
) -> tuple[str | None, tuple[str, ...]]:
    """The result in words that pass, None where none did, with the kinds of rejection.

    Args:
        event: The report of an examination that is not on record.
        before: Events of the same turn that are not in the room yet.

    Raises:
        SimulatorError: the model's server is gone.
    """
    words = _WORDS[room.language]
    messages = _thread(room, before, event.name)
    kinds: list[str] = []
    for attempt in range(ATTEMPTS):
        seed = call_seed(room.seed, role, 10 * event.n + attempt)
        try:
            reply = await room.calls.ask(role, model, messages, schema=SCHEMA, seed=seed)
        except ProviderError as exc:
            kinds.append(content_failure(exc))
            break
        said = "" if reply.parsed is None else " ".join(reply.parsed["result"].split())
        fault = _fault(room, said, event.code)
        if fault is None:
            return said, tuple(dict.fromkeys(kinds))
        kinds.append(fault.kind)
        messages += [
            {"role": "assistant", "content": reply.text[:2_000]},
            {"role": "user", "content": words["again"].format(why=_WHY[room.language][fault.kind])},
        ]
    return None, tuple(dict.fromkeys(kinds))


def _thread(room: Room, before: Sequence[Event], name: str) -> list[Message]:
    """What this examiner has been told and has written, and the next examination: told from the events, so that each
    request begins with the one before."""
    words = _WORDS[room.language]
    system = f"{_RULES[room.language]}\n\n{words['patient'].format(patient=patient_line(room))}"
    messages: list[Message] = [{"role": "system", "content": system}]
    waiting: list[Event] = []
    for event in (*room.events, *before):
        if isinstance(event, ExamReported) and event.outcome is Outcome.DERIVED and event.by == "model":
            if not event.repeat:
                result = {"result": _bare(event)}
                messages.append(_asked(room, waiting, event.name))
                messages.append({"role": "assistant", "content": json.dumps(result, ensure_ascii=False)})
                waiting = []
        else:
            waiting.append(event)
    messages.append(_asked(room, waiting, name))
    return messages


def _asked(room: Room, events: Sequence[Event], name: str) -> Message:
    words = _WORDS[room.language]
    lines = news(room, events)
    known = [words["known"], *lines] if lines else []
    return {"role": "user", "content": "\n".join([*known, words["exam"].format(name=name)])}


def _bare(event: ExamReported) -> str:
    """The result without the name before it and the mark after it."""
    return event.text.removeprefix(f"{event.name}: ").rpartition(" ")[0]


def _fault(room: Room, said: str, code: str) -> Fault | None:
    fault = discretion.form_fault(said, room.language)
    if fault is not None:
        return fault
    if _SPEAKS.search(said):
        return Fault("form")
    if discretion.names_reference(room.compiled, said):
        return Fault("leak:diagnosis")
    if discretion.tells_result(room, said) or _reports_another(room, said, code):
        return Fault("leak:result")
    positive = "; ".join(c for c in _CLAUSE.split(undisguised(said)) if not _NEGATED.search(c))
    return Fault("verdict") if discretion.names_disease(positive) else None


def _reports_another(room: Room, said: str, code: str) -> bool:
    """The words name an examination of the record that has not been reported."""
    book = catalogue()
    own: set[Any] = {code, *book.ancestors(code), *book.descendants(code)}
    for item in room.compiled.orders.read(undisguised(said)).items:
        if item.code not in own and any(e not in room.ledger.exams for e in item.matched_exam_ids):
            return True
    return False
