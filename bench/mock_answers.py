"""What the mock server says: the message with which each role of clinic_sim answers, in the form that was asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from mock_stats import State, text_of

_ROLE = re.compile(r"\AROLE: ([A-Z]+)")
_FACT = re.compile(r"^- (f\d+)[^|\n]*\|[^|\n]*\| (.*)$", re.MULTILINE)
_HINT = re.compile(r"f\d+")
_ITEM = re.compile(r"^- \[(\w+)\] (.*)$", re.MULTILINE)
_HAPPENED = re.compile(
    r"put at least one question to the patient|patient say anything to the doctor|speak to the patient more than once"
    r"|examiner reply to the doctor at least once|doctor enter a conclusion"
    r"|至少向患者提过一个问题|患者是否对医生说过话|对患者说话是否不止一次|至少回复过医生一次|是否写下了结论"
)
"""Questions whose answer is yes in whatever consultation the mock doctor leads: a judge must not deny them."""
_QUESTIONS = {
    "en": ("When did it start?", "Does anything make it worse?", "Any fever or chills?", "Any past illnesses?",
           "Do you take any medicines?", "Any allergies?", "Do you smoke?", "What worries you most?"),
    "zh": ("什么时候开始的？", "什么情况下会加重？", "有没有发热？", "以前得过什么病？", "平时吃什么药吗？",
           "有没有过敏？", "抽烟吗？", "您最担心什么？"),
}  # fmt: skip


def answer(role: str, request: dict[str, Any], state: State) -> dict[str, Any]:
    """The message with which this role answers."""
    messages = request["messages"]
    ask, conclude = (_offered(request.get("tools") or (), action) for action in ("ask", "conclude"))
    form = ((request.get("response_format") or {}).get("json_schema") or {}).get("schema")
    state.sequence += 1
    first = text_of(messages[0].get("content"))
    if role == "patient":
        facts = _FACT.findall(first)
        hinted = _HINT.findall(text_of(messages[-1].get("content")).split("\n", 1)[0])
        told = [(f, words) for f, words in facts if f in hinted][:2]
        zh = "\u4e00" <= first[15:16] <= "\u9fff"
        polite = ("嗯，医生。", "是这样的，医生。") if zh else ("Well, doctor. ", "Let me think. ")
        said = polite[state.sequence % 2] + ("" if zh else " ").join(w for _, w in told)
        if not told:
            said += "这个我说不清楚。" if zh else "I couldn't say."
        return {"content": json.dumps({"facts": [f for f, _ in told], "say": said}, ensure_ascii=False)}
    if role == "judge":
        everything = "\n".join(text_of(m.get("content")) for m in messages)
        verdicts = [
            {"id": item, "reason": f"Seen, {state.sequence}.", "quote": "", "met": bool(_HAPPENED.search(question))}
            for item, question in dict(_ITEM.findall(everything)).items()
        ]
        return {"content": json.dumps({"verdicts": verdicts}, ensure_ascii=False)}
    zh = bool(re.search("[\u4e00-\u9fff]{8}", first))
    if role == "examiner":
        if '"result"' in first:
            return {"content": json.dumps({"result": "未见异常。" if zh else "Normal."}, ensure_ascii=False)}
        return {"content": json.dumps({"orders": []})}
    if role == "chief":
        said = "再想想还有什么没有问到。" if zh else "Think again about what you have not asked yet."
        return {"content": json.dumps({"say": said}, ensure_ascii=False)}
    turn = sum(m.get("role") == "assistant" for m in messages)
    if turn + 1 >= state.options["conclude_at"]:
        diagnosis, treatment = (
            ("上呼吸道感染", "休息，多饮水") if zh else ("upper respiratory infection", "rest; fluids")
        )
        if conclude:
            return _call(conclude, {"diagnosis": diagnosis, "treatment": [treatment]}, state.sequence)
        if form:
            return _act({"action": "conclude", "diagnosis": diagnosis, "treatment": [treatment]}, form)
        heads = ("结论：\n诊断：", "\n治疗：") if zh else ("CONCLUDE:\nDiagnosis: ", "\nTreatment: ")
        return {"content": f"{heads[0]}{diagnosis}{heads[1]}{treatment}"}
    asked = _QUESTIONS["zh" if zh else "en"][turn % 8]
    unique = f"（第{state.sequence}次问）" if zh else f" (That is question {state.sequence} of today.)"
    if ask:
        return _call(ask, {"text": asked + unique}, state.sequence)
    if form:
        return _act({"action": "ask", "text": asked + unique}, form)
    return {"content": ("问诊：" if zh else "ASK: ") + asked + unique}


def _offered(tools: Iterable[dict[str, Any]], action: str) -> str:
    """The tool among those offered that does this: `ask`, or as an agent may have it, `ask_patient`; else empty."""
    names = [str((tool.get("function") or {}).get("name")) for tool in tools]
    return next((name for name in names if name == action or name.startswith(f"{action}_")), "")


def _act(values: dict[str, Any], form: dict[str, Any]) -> dict[str, Any]:
    """A JSON action with every field of the schema that was asked for."""
    empty = {"array": [], "object": {}, "boolean": False, "number": 0, "integer": 0}
    full = {name: values.get(name, empty.get(part.get("type"), "")) for name, part in form["properties"].items()}
    return {"content": json.dumps(full, ensure_ascii=False)}


def _call(name: str, arguments: dict[str, Any], n: int) -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)}
    return {"content": None, "tool_calls": [{"id": f"call_{n}", "type": "function", "function": function}]}


def role_of(messages: list[dict[str, Any]]) -> str:
    """The role by the first line of the first message; `doctor` where it says none."""
    found = _ROLE.match(text_of(messages[0].get("content"))) if messages else None
    return found[1].lower() if found else "doctor"
