"""Reading an object out of a reply, strictly: the text is one JSON object that fits the schema, or it is nothing.

A fence around the object and reasoning before it are forgiven, since models put them there; prose around it, a second
object, a field that is given twice or not at all, a wrong type or a number that is none are not.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from clinic_sim.models.chat import Schema

MAX_CHARS = 200_000
_THINK = re.compile(r"\A\s*<(think|thinking|reasoning)>.*?</\1>", re.IGNORECASE | re.DOTALL)
_FENCE = "```"
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def parse_object(text: str, schema: Schema) -> Mapping[str, Any] | None:
    """The object that the text is, None where it is none or does not fit the schema."""
    if len(text) > MAX_CHARS:
        return None
    thought = _THINK.match(text)
    body = _without_fence((text[thought.end() :] if thought else text).strip())
    if not body.startswith("{"):
        return None
    try:
        data = _DECODER.decode(body)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) and fits(data, schema) else None


def _without_fence(text: str) -> str:
    # Plain string work: a pattern with blanks on both sides of `.*?` takes minutes for a model that writes blanks.
    if not (text.startswith(_FENCE) and text.endswith(_FENCE)):
        return text
    inner = text[3:-3]
    return (inner[4:] if inner[:4].lower() == "json" else inner).strip()


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a field is given twice")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_float=_finite, parse_constant=_finite)


def fits(value: Any, schema: Schema) -> bool:
    """The value fits the part of JSON Schema that our schemas use: type, enum, required, properties, items."""
    kinds = schema.get("type")
    if isinstance(kinds, str):
        if not _is(value, kinds):
            return False
    elif kinds is not None and not any(_is(value, kind) for kind in kinds):
        return False
    if isinstance(value, str) and "enum" not in schema:
        return True  # most values are words
    if "enum" in schema and value not in schema["enum"]:
        return False
    if isinstance(value, dict):
        for name in schema.get("required", ()):
            if name not in value:
                return False
        properties = schema.get("properties", {})
        if schema.get("additionalProperties") is False and not value.keys() <= properties.keys():
            return False
        for name, part in properties.items():
            if name in value and not fits(value[name], part):
                return False
    elif isinstance(value, list) and "items" in schema:
        part = schema["items"]
        for item in value:
            if not fits(item, part):
                return False
    return True


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES.get(kind, ()))
