"""One codec for the doctor's side: a model's text, a tool call or a dict, to an action.

What cannot be read becomes `Invalid`, whose reason tells the accepted form; nothing raises. Accepted are JSON objects
(`{"action": "order", "exams": ["ECG"]}`), tool calls in OpenAI's shape, tags at the start of a line (`ORDER: ECG`,
`检查：心电图`), XML-like tags (`<order>ECG</order>`) and plain text, which is said to the patient. Text before the
first tag is the model's reasoning and is never heard by anyone. Plain text never ends an episode.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from clinic_sim.clinic.actions import Action, Ask, Conclude, Consult, Examine, Invalid, Order
from clinic_sim.clinic.intent import is_plain_order

MAX_CHARS = 20_000
"""Longest action in characters; a consultation's longest real utterances have a few hundred."""

ACCEPTED = {
    "en": (
        "Send one action a turn: `ASK: question`, `EXAMINE: manoeuvre; manoeuvre`, `ORDER: test; test`, "
        "`CONSULT: question for the chief physician`, or to end `CONCLUDE:` followed by lines `Diagnosis:`, "
        "`Differential:`, `Basis:`, `Treatment:`. JSON such as "
        '{"action": "order", "exams": ["ECG"]} and tool calls of the same names work too.'
    ),
    "zh": (
        "每轮发送一个动作：`问诊：问题`、`查体：项目；项目`、`检查：项目；项目`、`请示：向上级医师提的问题`，"
        "结束时用 `结论：`，其后各行写 `诊断：`、`鉴别诊断：`、`诊断依据：`、`治疗：`。"
        '也可用 JSON，如 {"action": "order", "exams": ["心电图"]}，或同名的工具调用。'
    ),
}

_TAGS = {
    "ask": ("ask", "question", "say", "问诊", "询问", "提问"),
    "examine": ("examine", "examination", "physical exam", "physical examination", "查体", "体格检查", "体检"),
    "order": ("order", "orders", "test", "request test", "检查", "检验", "辅助检查", "开单"),
    "consult": ("consult", "chief", "请示", "请教", "会诊"),
    "conclude": ("conclude", "conclusion", "diagnosis ready", "final diagnosis", "结论", "诊断结论", "结束"),
}
_NAME_OF_TAG = {form: name for name, forms in _TAGS.items() for form in forms}
_FORMS = "|".join(sorted((re.escape(f) for f in _NAME_OF_TAG), key=len, reverse=True))
_TAG = re.compile(rf"^[ \t*#>\-]*\[?({_FORMS})\]?\**[ \t]*[:：]\**[ \t]*", re.IGNORECASE | re.MULTILINE)
_XML = re.compile(r"<(ask|examine|order|consult|conclude)>(.*?)</\1>", re.IGNORECASE | re.DOTALL)
_THINK = re.compile(r"<(think|thinking|reasoning)>.*?(</\1>|\Z)", re.IGNORECASE | re.DOTALL)
_FENCE = re.compile(r"\A```(?:json)?\s*(.*?)\s*```\Z", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_ITEMS = re.compile(r"[;；\n]+\s*|(?<!\S)(?:[(（]?\d{1,2}[.)）、](?=\D)|[-*•]\s)\s*")

_HEADS = {
    "differential": ("differential diagnosis", "differential diagnoses", "differential", "鉴别诊断"),
    "basis": ("diagnostic basis", "basis", "evidence", "rationale", "诊断依据", "依据"),
    "treatment": ("treatment plan", "treatment", "management", "plan", "治疗方案", "治疗计划", "治疗", "处理"),
    "diagnosis": ("primary diagnosis", "final diagnosis", "diagnosis", "诊断结果", "主要诊断", "初步诊断", "诊断"),
}
_HEAD_OF = {form: field for field, forms in _HEADS.items() for form in forms}
_HEAD = re.compile(
    r"(?:^|(?<=[\n;；。#]))[ \t*#\-]*("
    + "|".join(sorted((re.escape(f) for f in _HEAD_OF), key=len, reverse=True))
    + r")[*#]*[ \t]*(?:[:：]|#[ \t]*\n)[*]*[ \t]*",
    re.IGNORECASE,
)
_HOSPITAL_FORM = re.compile(r"#\s*诊断结果\s*#")


def parse(raw: object, language: str = "en") -> Action:
    """Read whatever a doctor sent as one action; never raises.

    Args:
        raw: Text, an action dict, a tool call, or a chat message with `content` or `tool_calls`.
        language: Language in which an `Invalid` explains the accepted form.
    """
    if isinstance(raw, Ask | Examine | Order | Consult | Conclude | Invalid):
        return raw
    if isinstance(raw, str):
        return _from_text(raw, language)
    if isinstance(raw, Mapping):
        return _from_mapping(raw, language)
    return _invalid(f"an action is text or a mapping, not {type(raw).__name__}", "", language)


def _from_text(raw: str, language: str) -> Action:
    if len(raw) > MAX_CHARS:
        return _invalid(f"the text has {len(raw)} characters; at most {MAX_CHARS} are read", raw, language)
    if _SURROGATE.search(raw):
        return _invalid("the text holds lone surrogates; send valid Unicode", raw, language)
    text = _THINK.sub(" ", _CONTROL.sub(" ", raw)).strip()
    if not text:
        return _invalid("the text is empty", raw, language)
    fenced = _FENCE.match(text)
    body = fenced.group(1) if fenced else text
    if body[:1] == "{":
        try:
            data = json.loads(body)
        except (ValueError, RecursionError):
            return _invalid("the text starts like JSON but is not valid JSON", raw, language)
        return _from_mapping(data, language)
    xml = _XML.findall(text)
    if len(xml) > 1:
        return _invalid(f"{len(xml)} actions in one turn; send one", raw, language)
    if xml:
        return _tagged(xml[0][0].lower(), xml[0][1].strip(), language)
    if _HOSPITAL_FORM.search(text):
        return _tagged("conclude", text, language)
    tags = list(_TAG.finditer(text))
    if tags:
        name = _NAME_OF_TAG[tags[0].group(1).lower()]
        # Inside a conclusion, lines such as `检查：` or `Test:` are part of the plan.
        others = [t for t in tags[1:] if name != "conclude" and _NAME_OF_TAG[t.group(1).lower()] != name]
        if others:
            return _invalid("more than one action in one turn; send one", raw, language)
        return _tagged(
            name, _TAG.sub("\n", text[tags[0].end() :]) if name != "conclude" else text[tags[0].end() :], language
        )
    return Order((text,)) if is_plain_order(text) else Ask(text)


def _tagged(name: str, body: str, language: str) -> Action:
    body = body.strip()
    if not body:
        return _invalid(f"`{name}` says nothing", "", language)
    if name == "ask":
        return Ask(body)
    if name == "consult":
        return Consult(body)
    if name == "examine":
        return Examine(_items(body))
    if name == "order":
        return Order(_items(body))
    return _conclusion(body, language)


def _conclusion(body: str, language: str) -> Action:
    heads = list(_HEAD.finditer(body))
    parts: dict[str, list[str]] = {}
    lead = body[: heads[0].start()].strip(" \t\n*#-;；。") if heads else body
    ends = [*(h.start() for h in heads), len(body)][1:]
    for head, after in zip(heads, ends, strict=True):
        parts.setdefault(_HEAD_OF[head.group(1).lower()], []).append(body[head.end() : after].strip(" \t\n*#;；"))
    diagnosis = "; ".join(p for p in parts.get("diagnosis", []) if p) or lead
    if not diagnosis:
        return _invalid("the conclusion names no diagnosis", body, language)

    def listed(field: str) -> tuple[str, ...]:
        return tuple(item for part in parts.get(field, []) for item in _items(part))

    return Conclude(diagnosis, listed("differential"), listed("basis"), listed("treatment"))


def _items(text: str) -> tuple[str, ...]:
    return tuple(item.strip(" \t,，.。") for item in _ITEMS.split(text) if item and item.strip(" \t,，.。"))


def _from_mapping(data: Mapping[Any, Any], language: str) -> Action:
    calls = data.get("tool_calls")
    if calls:
        if not isinstance(calls, list) or len(calls) != 1 or not isinstance(calls[0], Mapping):
            return _invalid("one tool call a turn", "", language)
        return _from_mapping(calls[0], language)
    function = data.get("function")
    if isinstance(function, Mapping):
        return _from_mapping(function, language)
    if "arguments" in data and "name" in data:
        arguments = data["arguments"]
        if isinstance(arguments, str):
            if len(arguments) > MAX_CHARS:
                return _invalid(f"the arguments have {len(arguments)} characters; at most {MAX_CHARS}", "", language)
            try:
                arguments = json.loads(arguments or "{}")
            except (ValueError, RecursionError):
                return _invalid("the tool call's arguments are not valid JSON", str(data["arguments"]), language)
        if not isinstance(arguments, Mapping):
            return _invalid("the tool call's arguments are not an object", "", language)
        return _from_mapping({**arguments, "action": data["name"]}, language)
    if "action" not in data:
        content = data.get("content")
        if isinstance(content, str):
            return _from_text(content, language)
        return _invalid("the mapping has no `action`", "", language)
    name = data["action"]
    if not isinstance(name, str) or name not in _TAGS:
        return _invalid(f"unknown action {_shown(name)}; the actions are {', '.join(_TAGS)}", "", language)
    return _FIELDS_OF[name](data, language)


def _ask(data: Mapping[Any, Any], language: str) -> Action:
    return _single(data, ("text", "question", "utterance"), "ask", language)


def _consult(data: Mapping[Any, Any], language: str) -> Action:
    return _single(data, ("question", "text"), "consult", language)


def _single(data: Mapping[Any, Any], keys: tuple[str, ...], name: str, language: str) -> Action:
    value = next((data[k] for k in keys if k in data), None)
    text, problem = _clean(value)
    if problem or not text:
        return _invalid(f"`{name}` needs `{keys[0]}`, a non-empty text{problem}", "", language)
    return Ask(text) if name == "ask" else Consult(text)


def _examine(data: Mapping[Any, Any], language: str) -> Action:
    found = _texts(data, ("manoeuvres", "maneuvers", "examinations", "exams", "text"))
    if isinstance(found, str) or not found:
        return _invalid(f"`examine` needs `manoeuvres`, a list of texts{found or ''}", "", language)
    return Examine(found)


def _order(data: Mapping[Any, Any], language: str) -> Action:
    found = _texts(data, ("exams", "tests", "orders", "text"))
    if isinstance(found, str) or not found:
        return _invalid(f"`order` needs `exams`, a list of texts{found or ''}", "", language)
    return Order(found)


def _conclude(data: Mapping[Any, Any], language: str) -> Action:
    named = _texts(data, ("diagnosis", "diagnoses"))
    if isinstance(named, str) or not named:
        return _invalid(f"`conclude` needs `diagnosis`, a text{named or ''}", "", language)
    lists = []
    for field in ("differential", "basis", "treatment"):
        found = _texts(data, (field,))
        if isinstance(found, str):
            return _invalid(f"`conclude`: `{field}` is a list of texts{found}", "", language)
        lists.append(found)
    return Conclude("; ".join(named), *lists)


_FIELDS_OF = {"ask": _ask, "examine": _examine, "order": _order, "consult": _consult, "conclude": _conclude}


def _texts(data: Mapping[Any, Any], keys: tuple[str, ...]) -> tuple[str, ...] | str:
    """The texts under the first key present; a string is the problem instead."""
    value = next((data[k] for k in keys if data.get(k) is not None), ())
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list | tuple) or len(values) > 200:
        return " (it is no list of at most 200)"
    found: list[str] = []
    for item in values:
        text, problem = _clean(item)
        if problem:
            return problem
        if text:
            found.extend(_items(text) if value is item else (text,))
    return tuple(found)


def _clean(value: object) -> tuple[str, str]:
    """A text made printable, and what is wrong with it (empty when nothing)."""
    if value is None:
        return "", ""
    if not isinstance(value, str):
        return "", f" (it is {type(value).__name__})"
    if len(value) > MAX_CHARS:
        return "", f" (it has {len(value)} characters; at most {MAX_CHARS})"
    if _SURROGATE.search(value):
        return "", " (it holds lone surrogates)"
    return _CONTROL.sub(" ", value).strip(), ""


def _shown(value: object) -> str:
    return repr(_SURROGATE.sub("\ufffd", str(value)[:40]))


def _invalid(reason: str, text: str, language: str) -> Invalid:
    shown = _SURROGATE.sub("\ufffd", _CONTROL.sub(" ", text[:200]))
    return Invalid(f"{reason}. {ACCEPTED.get(language, ACCEPTED['en'])}", shown)
