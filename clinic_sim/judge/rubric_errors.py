"""What is wrong with a rubric file, as `file:line: field: problem`, one line a problem."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from clinic_sim.cases.loading import line_of
from clinic_sim.judge import rubric_links

_PREFIX = "Value error, "
_TAGS = ("str", "Needs", "bool", "float", "literal", "function-", "constrained-", "tuple", "tagged-")
"""How pydantic names the branches of a union: no fields of the file."""
_HINTS = {
    "extra_forbidden": "there is no such field; `clinic-sim schema rubric` lists them all",
    "missing": "is missing",
}


def located(path: Path, exc: ValidationError) -> list[str]:
    """Every problem with its line, in the order of the file."""
    found: dict[tuple[int, str], None] = {}
    for error in exc.errors(include_url=False):
        where = tuple(part for part in error["loc"] if isinstance(part, int) or not part.startswith(_TAGS))
        text = _HINTS.get(error["type"]) or error["msg"].removeprefix(_PREFIX)
        for inner, problem in rubric_links.read(text):
            place = inner or where
            line = line_of(path, place)
            found[line, f"{path}:{line}: {rubric_links.dotted(place)}{problem}"] = None
    return [text for _, text in sorted(found, key=lambda item: item[0])]


def at(path: Path, place: rubric_links.Place, problem: str) -> str:
    """One problem with its line."""
    return f"{path}:{line_of(path, place)}: {rubric_links.dotted(place)}{problem}"
