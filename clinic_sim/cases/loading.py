"""Cases from YAML, with errors that name the file, the line and the field.

A file is untrusted: before it is built, its events are read for what must not be in it (nesting that would exhaust the
parser's stack, aliases that would multiply its content). Only when something is wrong is the file read again as a node
tree, to find the line of each offending field.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from clinic_sim.cases.case import Case
from clinic_sim.errors import CaseError
from clinic_sim.knowledge.concepts import ontology
from clinic_sim.knowledge.exam_catalogue import catalogue

MAX_FILE_BYTES = 4_000_000
"""A case is a few tens of kilobytes; anything above this is not a case."""

MAX_DEPTH = 60
"""A case nests some six levels; libyaml's composer recurses without a limit of its own."""

_DUPLICATE = re.compile(r"(?P<where>[a-z_ ]+): id '(?P<id>[^']+)' stands \d+ times")

_BaseLoader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _StrictLoader(_BaseLoader):  # type: ignore[misc]
    """Safe loader in which a repeated key is an error (YAML would silently keep the last) and so is a compound one."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[str] = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if not isinstance(key, yaml.ScalarNode):
                raise _error("a key is a plain word, not a list or a mapping", key.start_mark)
            if key.value in seen:
                raise _error(f"the key {key.value!r} stands twice in one mapping", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, ArithmeticError, LookupError, AttributeError, TypeError) as exc:
            # What looks like a date, a number or a tagged value and is none: `2020-13-45`, `!!int x`.
            kind = str(node.tag).rsplit(":", 1)[-1]
            raise _error(
                f"not a usable {kind}: {str(exc)[:200]}; quote it if it is meant as text", node.start_mark
            ) from exc


def _error(problem: str, mark: Any) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, problem, mark)


def _check_shape(text: str) -> None:
    """Refuse what would exhaust stack or memory when it is built. Reading events is iterative, so this cannot."""
    depth = 0
    for event in yaml.parse(text, Loader=_BaseLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _error(f"nests deeper than {MAX_DEPTH} levels", event.start_mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            raise _error("anchors (&name) and aliases (*name) are not allowed; write the content out", event.start_mark)


def read_yaml(path: Path) -> Any:
    """Parse one YAML file safely; CaseError with file and line where it cannot be."""
    try:
        status = path.stat()
        size = status.st_size
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            raise CaseError(f"{path}: is a pipe or a device, not a file")
        if size > MAX_FILE_BYTES:
            raise CaseError(f"{path}: {size} bytes; a case file has at most {MAX_FILE_BYTES}")
        text = path.read_text("utf-8")
    except OSError as exc:
        raise CaseError(f"{path}: cannot be read: {exc.strerror or exc}") from exc
    except UnicodeDecodeError as exc:
        raise CaseError(f"{path}: is not UTF-8 text (byte {exc.start}); save it as UTF-8") from exc
    try:
        _check_shape(text)
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a subclass of the safe loader
    except RecursionError as exc:
        raise CaseError(f"{path}: nests too deep to be read") from exc
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        problem = getattr(exc, "problem", None) or getattr(exc, "reason", None) or "not valid YAML"
        raise CaseError(f"{where}: {problem}") from exc


def load_case(path: Path | str) -> Case:
    """Read and check one case.

    Raises:
        CaseError: what is wrong, as `file:line: field: problem`, one line a problem.
    """
    path = Path(path)
    data = read_yaml(path)
    if data is None:
        raise CaseError(f"{path}:1: the file is empty; a case starts with `schema_version: 1` and `id:`")
    if not isinstance(data, dict):
        raise CaseError(f"{path}:1: a case is a mapping of fields, this is a {type(data).__name__}")
    try:
        case = Case.model_validate(data)
    except ValidationError as exc:
        raise CaseError("\n".join(_located(path, data, exc))) from exc
    problems = [*unknown_codes(case), *_unknown_concepts(case)]
    if problems:
        lines = _line_index(path)
        raise CaseError("\n".join(f"{path}:{_line(lines, loc)}: {_dotted(loc)}: {text}" for loc, text in problems))
    return case


def unknown_codes(case: Case) -> list[tuple[tuple[str | int, ...], str]]:
    """Exam codes of the case that the catalogue does not have, with the field each stands in."""
    book = catalogue()
    problems: list[tuple[tuple[str | int, ...], str]] = []

    def check(loc: tuple[str | int, ...], code: str) -> None:
        if not code.startswith("local.") and code not in book:
            problems.append((loc, f"unknown exam code {code!r}; `clinic-sim explain order NAME` finds the right one"))

    for n, exam in enumerate(case.exams):
        check(("exams", n, "code"), exam.code)
        for m, code in enumerate(exam.also):
            check(("exams", n, "also", m), code)
        for m, code in enumerate(exam.requires):
            check(("exams", n, "requires", m), code)
    for n, ban in enumerate(case.contraindicated):
        for m, code in enumerate(ban.exams):
            check(("contraindicated", n, "exams", m), code)
    return problems


def _unknown_concepts(case: Case) -> list[tuple[tuple[str | int, ...], str]]:
    """Concepts that facts are said to be about and the lexicon does not have."""
    return [
        (("facts", n, "about", m), f"unknown concept {concept!r}; the lexicon's concepts stand in data/concepts.tsv")
        for n, fact in enumerate(case.facts)
        for m, concept in enumerate(fact.about)
        if concept not in ontology().concepts
    ]


class _PlainDumper(yaml.SafeDumper):
    """Writes shared values out in full, since `read_yaml` takes no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def dump_case(case: Case) -> str:
    """The case as YAML text that `load_case` reads back unchanged; defaults are left out."""
    data = case.model_dump(mode="json", exclude_defaults=True)
    data = {"schema_version": case.schema_version, **data}
    return yaml.dump(data, Dumper=_PlainDumper, allow_unicode=True, sort_keys=False, width=120)


def _located(path: Path, data: dict[str, Any], exc: ValidationError) -> list[str]:
    lines = _line_index(path)
    found = []
    for error in exc.errors(include_url=False):
        message = error["msg"].removeprefix("Value error, ")
        for part in message.split("; ") if error["type"] == "value_error" else [message]:
            loc = tuple(error["loc"])
            field, _, problem = part.partition(": ")
            # The model-level check names its field in the message: find the line of that field.
            inner = _repeated(data, part) or (
                tuple(int(p) if p.isdigit() else p for p in field.split(".")) if problem else ()
            )
            target = (*loc, *inner) if _line(lines, (*loc, *inner)) != _line(lines, loc) else loc
            shown = "" if target != loc or not loc else f"{_dotted(loc)}: "
            found.append(f"{path}:{_line(lines, target)}: {shown}{part}")
    return found


def _repeated(data: dict[str, Any], problem: str) -> tuple[str | int, ...]:
    """Where the id that a problem calls repeated stands for the second time; empty for any other problem."""
    told = _DUPLICATE.fullmatch(problem)
    if told is None:
        return ()
    places: list[tuple[str | int, ...]] = [
        (section, n, "id")
        for section in told["where"].split(" and ")
        for n, item in enumerate(data.get(section) or ())
        if isinstance(item, dict) and item.get("id") == told["id"]
    ]
    return places[1] if len(places) > 1 else ()


def line_of(path: Path, field: Sequence[str | int]) -> int:
    """The line at which a field of a readable YAML file stands, or that of its nearest parent."""
    return _line(_line_index(path), field)


def _dotted(loc: Sequence[str | int]) -> str:
    return ".".join(str(p) for p in loc)


def _line(lines: dict[tuple[str | int, ...], int], loc: Sequence[str | int]) -> int:
    """Line of the field, or of the nearest parent that stands in the file."""
    key = tuple(loc)
    while key and key not in lines:
        key = key[:-1]
    return lines.get(key, 1)


def _line_index(path: Path) -> dict[tuple[str | int, ...], int]:
    index: dict[tuple[str | int, ...], int] = {}

    def walk(node: Any, at: tuple[str | int, ...]) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    continue
                index[(*at, key.value)] = key.start_mark.line + 1
                walk(value, (*at, key.value))
        elif isinstance(node, yaml.SequenceNode):
            for n, value in enumerate(node.value):
                index[(*at, n)] = value.start_mark.line + 1
                walk(value, (*at, n))

    walk(yaml.compose(path.read_text("utf-8"), Loader=_BaseLoader), ())
    return index
