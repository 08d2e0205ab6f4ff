"""The five actions as a model is given them: as tool definitions, and as the schema of one JSON object.

Order and wording never change within a language: they are part of the prompt prefix that servers reuse.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from clinic_sim.models.chat import Tool

_LIST = {"type": "array", "items": {"type": "string"}}

# action, English, Chinese, and for each argument: name, is a list, is required, English, Chinese
_TOOLS: tuple[tuple[str, str, str, tuple[tuple[str, bool, bool, str, str], ...]], ...] = (
    (
        "ask",
        "Say something to the patient, usually a question; returns the answer.",
        "对患者说话，通常是提问；返回患者的回答。",
        (("text", False, True, "What you say.", "你说的话。"),),
    ),
    (
        "examine",
        "Perform physical examinations; returns the findings.",
        "进行体格检查；返回检查所见。",
        (("manoeuvres", True, True, "Names of the examinations, one an item.", "查体项目，每条一项。"),),
    ),
    (
        "order",
        "Order laboratory tests, imaging or function tests; returns the results.",
        "开具化验、影像或功能检查；返回结果。",
        (("exams", True, True, "Names of the tests, one an item.", "检查名称，每条一项。"),),
    ),
    (
        "consult",
        "Ask the chief physician; returns the advice.",
        "请示上级医师；返回建议。",
        (("question", False, True, "Your question.", "你的问题。"),),
    ),
    (
        "conclude",
        "End the consultation with a diagnosis and a plan. The chief physician may object once.",
        "以诊断和处理方案结束问诊。上级医师可能提出一次异议。",
        (
            ("diagnosis", False, True, "The main diagnosis.", "主要诊断。"),
            ("differential", True, False, "Other diagnoses considered.", "鉴别诊断。"),
            ("basis", True, False, "Findings that the diagnosis rests on.", "诊断依据。"),
            ("treatment", True, False, "Measures, drugs by name.", "治疗措施，药物写出名称。"),
        ),
    ),
)

ACTION_SCHEMA: dict[str, Any] = {
    "title": "action",
    "type": "object",
    "properties": {
        "thought": {"type": "string"},
        "action": {"type": "string", "enum": [name for name, *_ in _TOOLS]},
        "text": {"type": "string"},
        "exams": _LIST,
        "diagnosis": {"type": "string"},
        "differential": _LIST,
        "basis": _LIST,
        "treatment": _LIST,
    },
    # All of them: strict servers take no optional fields, and a weak model copies a fixed shape best.
    "required": ["thought", "action", "text", "exams", "diagnosis", "differential", "basis", "treatment"],
    "additionalProperties": False,
}
"""One action as one object. Which fields an action uses, the codec knows."""


@cache
def tools(language: str) -> tuple[Tool, ...]:
    """The five actions as OpenAI tool definitions; shared by all episodes, not to be changed."""
    zh = language == "zh"
    return tuple(
        {
            "type": "function",
            "function": {"name": name, "description": chinese if zh else english, "parameters": _parameters(args, zh)},
        }
        for name, english, chinese, args in _TOOLS
    )


def _parameters(args: tuple[tuple[str, bool, bool, str, str], ...], zh: bool) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            name: {**(_LIST if many else {"type": "string"}), "description": chinese if zh else english}
            for name, many, _, english, chinese in args
        },
        "required": [name for name, _, required, _, _ in args if required],
    }
