"""One codec for the doctor's side: a model's text, a tool call or a dict, to an action.

What cannot be read becomes `Invalid`, whose reason tells the accepted form; nothing raises. Accepted are JSON objects
(`{"action": "order", "exams": ["ECG"]}`), tool calls in OpenAI's shape, tags at the start of a line (`ORDER: ECG`,
`检查：心电图`), XML-like tags (`<order>ECG</order>`) and plain text, which is said to the patient. Text before the
first tag or object is the model's reasoning and is never heard by anyone. Plain text never ends an episode.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from clinic_sim.clinic.actions import Action, Ask, Conclude, Consult, Examine, Invalid, Order
from clinic_sim.clinic.codec_words import ACCEPTED, HEAD_OF, NAME_OF_TAG, OTHERS, TAGS, explained
from clinic_sim.clinic.intent import is_plain_order

__all__ = ["ACCEPTED", "MAX_CHARS", "parse", "without_reasoning"]

MAX_CHARS = 20_000
"""Most characters of an action; a consultation's longest real utterances have a few hundred."""
MAX_ITEMS = 200

_FORMS = "|".join(sorted((re.escape(f) for f in NAME_OF_TAG), key=len, reverse=True))
_TAG = re.compile(rf"^[ \t*#>\-]*\[?({_FORMS})\]?\**[ \t]*[:：]\**[ \t]*", re.IGNORECASE | re.MULTILINE)
_INLINE = re.compile(r"(?<=[.!?])\s+(?=(?:ASK|EXAMINE|ORDER|CONSULT|CONCLUDE):)")
_XML = re.compile(r"<(ask|examine|order|consult|conclude)>(.*?)</\1>", re.IGNORECASE | re.DOTALL)
_THINK = re.compile(r"<(think|thinking|reasoning)>.*?(</\1>|\Z)", re.IGNORECASE | re.DOTALL)
# A chat template that opens the block itself leaves only its end in the reply.
_THOUGHT = re.compile(r"\A.*</(?:think|thinking|reasoning)>", re.IGNORECASE | re.DOTALL)
_FENCE = re.compile(r"\A```\w*\s*(.*?)\s*```\Z", re.DOTALL)
_OBJECT = re.compile(r"\{\s*\"")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_ITEMS = re.compile(r"[;；\n]+\s*|(?<!\S)(?:[(（]?\d{1,2}[.)）、](?=\D)|[-*•]\s)\s*")
_HEAD = re.compile(
    r"(?:^|(?<=[\n;；。#]))[ \t*#\-]*("
    + "|".join(sorted((re.escape(f) for f in HEAD_OF), key=len, reverse=True))
    + r")[*#]*[ \t]*(?:[:：]|#[ \t]*\n)[*]*[ \t]*",
    re.IGNORECASE,
)
_OTHER = re.compile(rf"\n[ \t*]*(?:{'|'.join(OTHERS)})\**[ \t]*[:：]", re.IGNORECASE)
_HOSPITAL_FORM = re.compile(r"#\s*诊断结果\s*#")
_DECODER = json.JSONDecoder()
_ACTIONS = (Ask, Examine, Order, Consult, Conclude, Invalid)


def parse(raw: object, language: str = "en") -> Action:
    """Read whatever a doctor sent as one action; never raises.

    Args:
        raw: Text, an action dict, a tool call, or a chat message with `content` or `tool_calls`.
        language: Language in which an `Invalid` explains the accepted form.
    """
    if isinstance(raw, _ACTIONS):
        return raw
    try:
        if isinstance(raw, str):
            action = _from_text(raw, language)
        elif isinstance(raw, Mapping):
            action = _from_mapping(raw, language)
        else:
            return _invalid("type", language, type(raw).__name__)
    except Exception as exc:  # noqa: BLE001 - a foreign object may raise anything; it is unreadable then
        return _invalid("unreadable", language, type(exc).__name__)
    size = _size(action)
    return _invalid("long", language, size, MAX_CHARS) if size > MAX_CHARS else action


def without_reasoning(text: str) -> str:
    """A model's text without what it thought in `<think>` blocks, stripped; what it says of its own accord stays."""
    if "<" not in text:
        return text.strip()
    return _THOUGHT.sub(" ", _THINK.sub(" ", text)).strip()


def _size(action: Action) -> int:
    if isinstance(action, Invalid):
        return 0
    values = (getattr(action, name) for name in action.__slots__)
    return sum(len(v) if isinstance(v, str) else sum(map(len, v)) for v in values)


def _from_text(raw: str, language: str) -> Action:
    if len(raw) > MAX_CHARS:
        return _invalid("long", language, len(raw), MAX_CHARS, text=raw)
    if not raw.isascii() and _SURROGATE.search(raw):
        return _invalid("surrogates", language, text=raw)
    text = without_reasoning(_CONTROL.sub(" ", raw))
    fenced = _FENCE.match(text)
    text = fenced.group(1) if fenced else text
    if not text:
        return _invalid("empty", language, text=raw)
    found = _object_in(text)
    if found is not None:
        return _from_mapping(found, language)
    if text[0] == "{":
        return _invalid("json", language, text=raw)
    xml = _XML.findall(text) if "<" in text else ()
    if len(xml) > 1:
        return _invalid("several", language, len(xml), text=raw)
    if xml:
        return _tagged(xml[0][0].lower(), xml[0][1].strip(), language)
    if "#" in text and _HOSPITAL_FORM.search(text):
        return _tagged("conclude", text, language)
    text = _INLINE.sub("\n", text)
    tags = list(_TAG.finditer(text))
    if tags:
        name = NAME_OF_TAG[tags[0].group(1).lower()]
        if name == "conclude":
            return _tagged(name, text[tags[0].end() :], language)  # lines such as `Test:` in it are part of the plan
        end = _own_end(text, tags[0].end())
        body = text[tags[0].end() : end]
        others = {NAME_OF_TAG[t.group(1).lower()] for t in tags[1:] if t.start() < end} - {name}
        if others:
            return _invalid("several", language, 1 + len(others), text=raw)
        return _tagged(name, _TAG.sub("\n", body), language)
    head = _HEAD.match(text)
    if head and HEAD_OF[head.group(1).lower()] == "diagnosis":
        return _invalid("headless", language, text=raw)
    text = text[: _own_end(text, 0)].strip()
    return Order((text,)) if is_plain_order(text) else Ask(text)


def _own_end(text: str, start: int) -> int:
    """Where the doctor's own words end: a model that writes on for the others has had its turn by then."""
    other = _OTHER.search(text, start)
    return other.start() if other else len(text)


def _object_in(text: str) -> Mapping[str, Any] | None:
    """The first JSON object in the text that is an action, a tool call or a message; None where there is none."""
    if "{" not in text:
        return None
    for start in list(_OBJECT.finditer(text))[:5]:
        try:
            data, _ = _DECODER.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(data, dict) and not {"action", "name", "function", "tool_calls"}.isdisjoint(data):
            return data
    if text[0] == "{":
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            return None
        return data if isinstance(data, dict) else None
    return None


def _tagged(name: str, body: str, language: str) -> Action:
    body = body.strip()
    if body and name == "ask":
        return Ask(body)
    if body and name == "consult":
        return Consult(body)
    if body and name == "conclude":
        return _conclusion(body, language)
    items = _items(body)
    if not items:
        return _invalid("silent", language, name)
    return Examine(items) if name == "examine" else Order(items)


def _conclusion(body: str, language: str) -> Action:
    heads = list(_HEAD.finditer(body))
    parts: dict[str, list[str]] = {}
    lead = body[: heads[0].start()].strip(" \t\n*#-;；。") if heads else body
    ends = [*(h.start() for h in heads), len(body)][1:]
    for head, after in zip(heads, ends, strict=True):
        parts.setdefault(HEAD_OF[head.group(1).lower()], []).append(body[head.end() : after].strip(" \t\n*#;；"))
    diagnosis = "; ".join(p for p in parts.get("diagnosis", []) if p) or lead
    if not diagnosis:
        return _invalid("no_diagnosis", language, text=body)

    def listed(field: str) -> tuple[str, ...]:
        return tuple(item for part in parts.get(field, []) for item in _items(part))

    return Conclude(diagnosis, listed("differential"), listed("basis"), listed("treatment"))


def _items(text: str) -> tuple[str, ...]:
    return tuple(item.strip(" \t,，.。") for item in _ITEMS.split(text) if item and item.strip(" \t,，.。"))


def _from_mapping(data: Mapping[Any, Any], language: str) -> Action:
    calls = data.get("tool_calls")
    if calls:
        if not isinstance(calls, list) or len(calls) != 1 or not isinstance(calls[0], Mapping):
            return _invalid("calls", language)
        return _from_mapping(calls[0], language)
    function = data.get("function")
    if isinstance(function, Mapping):
        return _from_mapping(function, language)
    if "arguments" in data and "name" in data:
        arguments = data["arguments"]
        if isinstance(arguments, str):
            try:
                arguments = json.loads(arguments or "{}") if len(arguments) <= MAX_CHARS else None
            except ValueError:
                arguments = None
        if not isinstance(arguments, Mapping):
            return _invalid("arguments", language)
        return _from_mapping({**arguments, "action": data["name"]}, language)
    if "action" not in data:
        content = data.get("content")
        if isinstance(content, list):
            content = "\n".join(p["text"] for p in content if isinstance(p, Mapping) and isinstance(p.get("text"), str))
        if isinstance(content, str):
            return _from_text(content, language)
        return _invalid("no_action", language)
    name = data["action"].lower() if isinstance(data["action"], str) else ""
    if name not in TAGS:
        shown = data["action"][:40] if isinstance(data["action"], str) else type(data["action"]).__name__
        return _invalid("unknown", language, repr(_SURROGATE.sub("\ufffd", shown)), ", ".join(TAGS))
    return _FIELDS_OF[name](data, language)


def _ask(data: Mapping[Any, Any], language: str) -> Action:
    text = _text(data, ("text", "question", "utterance"))
    return Ask(text) if text else _invalid("needs_text", language, "ask", "text")


def _consult(data: Mapping[Any, Any], language: str) -> Action:
    text = _text(data, ("question", "text"))
    return Consult(text) if text else _invalid("needs_text", language, "consult", "question")


def _examine(data: Mapping[Any, Any], language: str) -> Action:
    found = _texts(data, ("manoeuvres", "maneuvers", "examinations", "exams", "text"))
    return Examine(found) if found else _invalid("needs_list", language, "examine", "manoeuvres")


def _order(data: Mapping[Any, Any], language: str) -> Action:
    found = _texts(data, ("exams", "tests", "orders", "text"))
    return Order(found) if found else _invalid("needs_list", language, "order", "exams")


def _conclude(data: Mapping[Any, Any], language: str) -> Action:
    named = _texts(data, ("diagnosis", "diagnoses"))
    if not named:
        return _invalid("needs_text", language, "conclude", "diagnosis")
    lists: list[tuple[str, ...]] = []
    for field in ("differential", "basis", "treatment"):
        found = _texts(data, (field,))
        if found is None:
            return _invalid("needs_list", language, "conclude", field)
        lists.append(found)
    return Conclude("; ".join(named), *lists)


_FIELDS_OF = {"ask": _ask, "examine": _examine, "order": _order, "consult": _consult, "conclude": _conclude}


def _text(data: Mapping[Any, Any], keys: tuple[str, ...]) -> str | None:
    """The text under the first key present, made printable; None where it is no usable text."""
    return _clean(next((data[k] for k in keys if k in data), None))


def _texts(data: Mapping[Any, Any], keys: tuple[str, ...]) -> tuple[str, ...] | None:
    """The texts under the first key present, empty where there is none; None where it is no list of usable texts."""
    value = next((data[k] for k in keys if data.get(k) is not None), ())
    if isinstance(value, str):
        text = _clean(value)
        return None if text is None else _items(text)
    if not isinstance(value, list | tuple) or len(value) > MAX_ITEMS:
        return None
    found = [_clean(item) for item in value]
    return None if None in found else tuple(text for text in found if text)


def _clean(value: object) -> str | None:
    if not isinstance(value, str) or len(value) > MAX_CHARS or _SURROGATE.search(value):
        return None
    return _CONTROL.sub(" ", value).strip()


def _invalid(key: str, language: str, *details: object, text: str = "") -> Invalid:
    shown = _SURROGATE.sub("\ufffd", _CONTROL.sub(" ", text[:200]))
    return Invalid(explained(key, language, *details), shown)
