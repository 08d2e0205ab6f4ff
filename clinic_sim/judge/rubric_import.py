"""Rubrics of other projects as ours: each of their items becomes a `judged` criterion with its source.

HealthBench: rows `{prompt_id, rubrics: [{criterion, points, tags}]}`; the tag `axis:...` is the dimension. MedSP1000: a
scenario `{case_id, scenario, PC: [...], MK: [...], ...}`; the six ACGME competencies are the dimensions. A dimension
weighs as many points as it offers, so that the total is theirs: points earned over points offered. Where an axis has
only negative points, they are taken from that total, as they do it.

An item with negative points is `met` when the doctor does what it says; that takes the points. A judge that fails on
it leaves the dimension unscored: reading a failure as `not met` would forgive the harm.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isnan
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from clinic_sim.errors import ConfigError
from clinic_sim.judge import rubric_links
from clinic_sim.judge.records import Record, read_records
from clinic_sim.judge.rubric import Rubric

MOST_POINTS = 10.0
LONGEST = 3_500
"""Characters of one item; theirs have some hundreds."""
MOST_ITEMS = 500
_FRAME = {
    "en": "Is this true of what the doctor said or wrote in the consultation? {}",
    "zh": "医生在问诊中所说、所写的是否符合这一条？{}",
}
_ABSENCE = re.compile(
    r"\A\W*(?:the (?:response|doctor|examinee|candidate|student|learner|model|assistant) )?"
    r"(?:fails?\b|failed\b|failure to\b|does(?: not|n['’]t)\b|did(?: not|n['’]t)\b|do not\b|is not\b|are not\b|omit"
    r"|neglects?\b|neglected\b|lacks?\b|lacking\b|never\b|misses\b|missing\b|without\b|avoids?\b|refrains?\b|no\b|not\b)"
    r"|\A\W*(?:回答|医生|应试者|考生|学生)?(?:没有|没|未|不|缺|缺乏|遗漏|忽略|漏|避免)",
    re.IGNORECASE,
)
"""An item about what is not said: no words can prove it."""
COMPETENCIES = {
    "PC": ("patient_care", "Patient care"),
    "MK": ("medical_knowledge", "Medical knowledge"),
    "SBP": ("systems_based_practice", "Systems-based practice"),
    "ICS": ("communication_skills", "Interpersonal and communication skills"),
    "PBLI": ("practice_based_learning", "Practice-based learning and improvement"),
    "PROF": ("professionalism", "Professionalism"),
}
_TEXTS = ("criterion", "item", "text", "content", "description", "rubric")
_POINTS = ("points", "weight", "score")


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one record."""

    where: str
    """`file:line`."""
    name: str
    """Of the rubric and its file; empty where the record has none."""
    rubric: Rubric | None
    """None where the record cannot be used."""
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What was changed on the way."""


@dataclass(slots=True)
class _Reading:
    """One record being read."""

    where: str
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)

    def wrong(self, what: str) -> None:
        self.problems.append(f"{self.where}: {what}")

    def note(self, what: str) -> None:
        self.notes.append(f"{self.where}: {what}")


def import_rubrics(source: Path, format_: str) -> Iterator[Imported]:
    """One result a record of a file or folder, in order; a record that cannot be used says why.

    Raises:
        ConfigError: an unknown format, or a source that cannot be read at all.
    """
    if format_ not in _FORMATS:
        raise ConfigError(f"--format {format_}: no such format; there are {', '.join(_FORMATS)}")
    seen: dict[str, str] = {}
    for record in read_records(source):
        found = _one(record, format_)
        if found.name and found.name in seen:
            problem = f"{found.where}: {found.name!r} already stands at {seen[found.name]}"
            found = Imported(found.where, found.name, None, (*found.problems, problem), found.notes)
        seen.setdefault(found.name, found.where)
        yield found


def _one(record: Record, format_: str) -> Imported:
    if record.problem:
        return Imported(record.where, "", None, (f"{record.where}: {record.problem}",))
    reading = _Reading(record.where)
    if not isinstance(record.data, dict):
        reading.wrong(f"a record is an object, this is {_kind(record.data)}")
        return Imported(record.where, "", None, tuple(reading.problems))
    name, title = _FORMATS[format_](record.data, reading)
    if not reading.items and not reading.problems:
        reading.wrong("holds no item: nothing can be earned")
    if reading.problems:
        return Imported(record.where, name, None, tuple(reading.problems), tuple(reading.notes))
    try:
        rubric = _rubric(name, title, reading.items)
    except ValidationError as exc:
        for error in exc.errors(include_url=False):
            for _, text in rubric_links.read(error["msg"].removeprefix("Value error, ")):
                reading.wrong(text)
        return Imported(record.where, name, None, tuple(reading.problems), tuple(reading.notes))
    return Imported(record.where, name, rubric, (), tuple(reading.notes))


def _healthbench(data: Mapping[str, Any], reading: _Reading) -> tuple[str, str]:
    name = _identifier(data.get("prompt_id"), "prompt_id", reading)
    rubrics = _listed(data, "rubrics", reading)
    for n, item in enumerate(rubrics):
        where = f"rubrics.{n}"
        if not isinstance(item, dict):
            reading.wrong(f"{where}: an item is an object with `criterion` and `points`, this is {_kind(item)}")
            continue
        text = _text(item.get("criterion"), f"{where}.criterion", reading)
        points = _points(item.get("points"), f"{where}.points", reading)
        tags = item.get("tags", [])
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            reading.wrong(f"{where}.tags: a list of texts, this is {_kind(tags)}")
            continue
        axes = [slug for tag in tags if tag.startswith("axis:") and (slug := _slug(tag.removeprefix("axis:")))]
        if len(axes) != 1:
            reading.note(f"{where}.tags: {len(axes) or 'no'} `axis:` tags; taken as {(axes or ['other'])[0]!r}")
        _add(
            reading,
            (axes or ["other"])[0],
            text,
            points,
            {"dataset": "HealthBench", "item": f"{name}#{n}"},
            " ".join(tag for tag in tags if not tag.startswith("axis:")),
        )
    return name, f"HealthBench {name}"


def _medsp1000(data: Mapping[str, Any], reading: _Reading) -> tuple[str, str]:
    case = _identifier(data.get("case_id"), "case_id", reading)
    scenario = data.get("scenario", "")
    if not isinstance(scenario, str | int) or isinstance(scenario, bool):
        reading.wrong(f"scenario: a text or a number, this is {_kind(scenario)}")
        scenario = ""
    name = f"{case}_{scenario}" if scenario != "" else case
    if not any(key in data for key in COMPETENCIES):
        reading.wrong(f"holds none of {', '.join(COMPETENCIES)}")
    for key, (dimension, _) in COMPETENCIES.items():
        for n, item in enumerate(_listed(data, key, reading, empty=True) if key in data else []):
            where = f"{key}.{n}"
            given = item
            points: float | None = 1.0
            if isinstance(item, dict):
                given = next((item[k] for k in _TEXTS if k in item), None)
                points = next((_points(item[k], f"{where}.{k}", reading) for k in _POINTS if k in item), 1.0)
            text = _text(given, where, reading)
            _add(reading, dimension, text, points, {"dataset": "MedSP1000", "item": f"{name} {key}#{n}"}, key)
    return name, f"MedSP1000 {name}"


_FORMATS: dict[str, Callable[[Mapping[str, Any], _Reading], tuple[str, str]]] = {
    "healthbench": _healthbench,
    "medsp1000": _medsp1000,
}


def _add(
    reading: _Reading, dimension: str, text: str | None, points: float | None, source: dict[str, str], why: str
) -> None:
    if text is None or points is None:
        return
    if len(reading.items) >= MOST_ITEMS:
        if len(reading.items) == MOST_ITEMS and not any("items" in p for p in reading.problems):
            reading.wrong(f"has more than {MOST_ITEMS} items; no judge answers so many at once")
        return
    if any(text == i["text"] and dimension == i["dimension"] for i in reading.items):
        reading.note(f"{source['item']}: the same item stands before; both count")
    reading.items.append({"dimension": dimension, "text": text, "points": points, "source": source, "why": why})


def _rubric(name: str, title: str, items: list[dict[str, Any]]) -> Rubric:
    titles = dict(COMPETENCIES.values())
    dimensions: dict[str, dict[str, Any]] = {}
    for dimension in dict.fromkeys(i["dimension"] for i in items):
        points = [i["points"] for i in items if i["dimension"] == dimension]
        weight = sum(p for p in points if p > 0) or -sum(p for p in points if p < 0)
        if weight:
            words = titles.get(dimension) or dimension.replace("_", " ").capitalize()
            dimensions[dimension] = {"weight": weight, "title": words}
    first = next(iter(dimensions), "")
    counts: dict[str, int] = {}
    criteria = []
    for item in items:
        # An axis of items with 0 points alone has no score; they are reported under the first.
        dimension = item["dimension"] if item["dimension"] in dimensions else first
        counts[item["dimension"]] = counts.get(item["dimension"], 0) + 1
        criteria.append(
            {
                "id": f"{item['dimension']}.{counts[item['dimension']]:03}",
                "dimension": dimension,
                "check": "judged",
                "points": item["points"],
                "question": {language: frame.format(item["text"]) for language, frame in _FRAME.items()},
                **({"quote_required": False} if _ABSENCE.search(item["text"]) else {}),
                "source": item["source"],
                "why": item["why"],
            }
        )
    return Rubric.model_validate(
        {"schema_version": 1, "name": name, "title": title, "dimensions": dimensions, "criteria": criteria}
    )


def _listed(data: Mapping[str, Any], key: str, reading: _Reading, *, empty: bool = False) -> list[Any]:
    found = data.get(key)
    if not isinstance(found, list):
        reading.wrong(f"{key}: a list is wanted, this is {_kind(found) if key in data else 'missing'}")
        return []
    if not found and not empty:
        reading.wrong(f"{key}: the list is empty: there is nothing to score")
    return found


def _text(value: Any, where: str, reading: _Reading) -> str | None:
    if not isinstance(value, str):
        reading.wrong(f"{where}: a text is wanted, this is {_kind(value)}")
        return None
    text = " ".join("".join(c if c.isprintable() else " " for c in value).split())
    if not text:
        reading.wrong(f"{where}: the text is empty")
        return None
    if len(text) > LONGEST:
        reading.wrong(f"{where}: {len(text)} characters; an item has at most {LONGEST}")
        return None
    return text


def _points(value: Any, where: str, reading: _Reading) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or (isinstance(value, float) and isnan(value)):
        reading.wrong(f"{where}: a number is wanted, this is {_kind(value)}")
        return None
    if abs(value) > MOST_POINTS:
        reading.wrong(
            f"{where}: {str(value)[:20]} is beyond the range from -10 to 10; correct it, or divide all points alike"
        )
        return None
    return float(value)


def _identifier(value: Any, where: str, reading: _Reading) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        reading.wrong(f"{where}: a text is wanted, this is {_kind(value)}")
        return ""
    name = str(value).strip()
    if len(name) > 120 or not name.isprintable():
        reading.wrong(f"{where}: {len(name)} characters; a name is one line of at most 120")
        return ""
    return name


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9_]+", "_", text.strip().lower()).strip("_")[:60]


def _kind(value: Any) -> str:
    if value is None:
        return "missing"
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "true or false"),
        (str, "a text"),
        ((int, float), "a number"),
        (list, "a list"),
        (dict, "an object"),
    )
    name = next((name for kind, name in kinds if isinstance(value, kind)), type(value).__name__)
    return f"{name} ({value!r})" if isinstance(value, bool | int | float) and len(repr(value)) < 40 else name
