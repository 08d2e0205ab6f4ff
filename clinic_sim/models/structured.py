"""Reading an object out of a reply, strictly: the text is one JSON object that fits the schema, or it is nothing.

A fence around the object and reasoning before it are forgiven, since models put them there; prose around it, a second
object, a missing field or a wrong type are not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from clinic_sim.models.chat import Schema

MAX_CHARS = 200_000
_THINK = re.compile(r"\A\s*<(think|thinking|reasoning)>.*?</\1>", re.IGNORECASE | re.DOTALL)
_FENCE = re.compile(r"\A```(?:json)?\s*(.*?)\s*```\Z", re.DOTALL | re.IGNORECASE)
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
    body = _THINK.sub("", text).strip()
    fenced = _FENCE.match(body)
    if fenced:
        body = fenced[1]
    if not body.startswith("{"):
        return None
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) and fits(data, schema) else None


def fits(value: Any, schema: Schema) -> bool:
    """The value fits the part of JSON Schema that our schemas use: type, enum, required, properties, items."""
    kinds = schema.get("type")
    if kinds is not None:
        wanted = (kinds,) if isinstance(kinds, str) else kinds
        if not any(_is(value, kind) for kind in wanted):
            return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        if any(name not in value for name in schema.get("required", ())):
            return False
        if schema.get("additionalProperties") is False and any(name not in properties for name in value):
            return False
        return all(fits(value[name], part) for name, part in properties.items() if name in value)
    if isinstance(value, list) and "items" in schema:
        return all(fits(item, schema["items"]) for item in value)
    return True


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES.get(kind, ()))
