"""JSON Schemas of our files, each field described by the docstring that stands under it.

Pydantic can attach those when a model is made, but then every process reads and parses our own source code at its
start, for texts that only a schema shows.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from itertools import pairwise
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a model and of all its parts, with descriptions."""
    return model.model_json_schema(schema_generator=_Described)


class _Described(GenerateJsonSchema):
    def model_schema(self, schema: Any) -> JsonSchemaValue:
        found = super().model_schema(schema)
        told = _docstrings(schema["cls"])
        for name, field in found.get("properties", {}).items():
            if name in told:
                field.setdefault("description", told[name])
        return found


def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    """What is said under the fields of a model, those that it inherits included."""
    found: dict[str, str] = {}
    for owner in reversed(model.__mro__):
        if issubclass(owner, BaseModel) and owner is not BaseModel:
            (told,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
            found |= _under_fields(told.body) if isinstance(told, ast.ClassDef) else {}
    return found


def _under_fields(body: list[ast.stmt]) -> dict[str, str]:
    """The string that follows each annotated name."""
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
