"""The formats of label files, record by record.

`ai-hospital`: AI Hospital's evaluation file as released: one answer a line, graded A to D on three views.
`healthbench`: HealthBench's meta-evaluation rows: one criterion of one completion, with physicians' met or not met.
`clinic`: our own, for anything else: `{"id", "view", "grade" or "grades", "reference", "answer", ...}`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from clinic_sim.judge.labels import GRADES, Label, Scale, language_of

Format = Literal["ai-hospital", "healthbench", "clinic"]
FORMATS: tuple[Format, ...] = ("ai-hospital", "healthbench", "clinic")


def _grade(value: object) -> float | None:
    """The number of a grade A to D; None for what is none of them, as the released file has it where no grade came."""
    text = str(value).strip().upper() if value is not None else ""
    return float(GRADES.index(text)) if text in GRADES else None


def _strict_grade(value: object) -> float | None:
    """The number of a grade, in a format where everything else is a mistake."""
    grade = _grade(value)
    if grade is None and value is not None:
        raise ValueError(f"a grade is A, B, C, D or null, not {value!r}")
    return grade


AI_HOSPITAL_VIEWS: Mapping[str, tuple[str, ...]] = {
    "symptom": ("symptom", "sympton"),
    "test": ("test", "medical_test"),
    "diagnosis": ("diagnosis",),
    "basis": ("basis",),
    "treatment": ("treatment",),
}
"""Its views, and how its files spell their fields."""
_SECTION = re.compile(r"#\s*([^#\n]{1,12}?)\s*#")
_SECTIONS = {
    "诊断结果": "diagnosis",
    "诊断依据": "basis",
    "治疗方案": "treatment",
    "症状": "symptom",
    "辅助检查": "test",
    "检查": "test",
}


def sections(text: str) -> dict[str, str]:
    """The parts of an answer in AI Hospital's form, `#诊断结果# ... #诊断依据# ... #治疗方案# ...`, by view."""
    found: dict[str, str] = {}
    marks = [m for m in _SECTION.finditer(text) if m.group(1) in _SECTIONS]
    ends = [*(m.start() for m in marks[1:]), len(text)]
    for mark, end in zip(marks, ends, strict=False):  # an answer without headings has no part
        part = text[mark.end() : end].strip(" ：:\n")
        view = _SECTIONS[mark.group(1)]
        found[view] = f"{found[view]}\n{part}" if view in found else part
    return found


def _ai_hospital(record: Mapping[str, Any], position: int) -> Iterator[Label]:
    reference, answer = record["reference_diagnosis"], record["doctor_diagnosis"]
    said = str(answer["diagnosis"] or "")
    parts = sections(said)
    for view, fields in AI_HOSPITAL_VIEWS.items():
        field = next((f"{name}_choice" for name in fields if f"{name}_choice" in record), None)
        if field is None:
            continue
        expected = next((reference[name] for name in fields if reference.get(name)), "")
        yield Label(
            id=str(record["patient_id"]),
            view=view,
            scale="grades",
            grades=(_grade(record[field]),),
            # What stands under no heading is judged as a whole: the headings were asked for, not promised.
            answer=parts.get(view, "") if parts else said,
            reference=str(expected).strip(),
            context="" if view == "diagnosis" else str(reference.get("diagnosis") or "").strip(),
            record=position,
            position=position,
            language=language_of(said or str(expected)),
        )


def _text_of(prompt: object) -> str:
    if isinstance(prompt, str):
        return prompt
    if isinstance(prompt, Sequence):
        return "\n\n".join(f"{m['role']}: {m['content']}" for m in prompt)
    return ""


def _met(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or value in (0, 1):
        return float(bool(value))
    raise ValueError(f"a label is true, false or null, not {value!r}")


def _healthbench(record: Mapping[str, Any], position: int) -> Iterator[Label]:
    completion = record["completion"]
    answer = completion if isinstance(completion, str) else _text_of(completion)
    prompt = _text_of(record.get("prompt", ""))
    category = str(record.get("category") or "")
    for n, (criterion, labels) in enumerate(_criteria(record)):
        name = str(record.get("completion_id") or record.get("prompt_id") or position)
        judge = next((record[k] for k in _JUDGE_FIELDS if k in record), None)
        yield Label(
            id=f"{name}#{n}" if n else name,
            view="criteria",
            scale="met",
            grades=tuple(_met(v) for v in labels),
            answer=answer,
            question=criterion,
            context=prompt,
            record=position,
            position=position,
            language=language_of(answer or criterion),
            judged=_met(judge),
            judged_grade=_met(judge),
            carries_judge=any(k in record for k in _JUDGE_FIELDS),
            views=(category,) if category else (),
        )


_JUDGE_FIELDS = ("judge_met", "judge", "grader_label")


def _criteria(record: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[object]]]:
    """Criteria with their labels: one (`rubric` and `binary_labels`) or a list of them (`rubrics`)."""
    several = record.get("rubrics")
    rows = several if isinstance(several, list) else [record]
    for row in rows:
        rubric = row.get("rubric", row.get("criterion"))
        criterion = rubric["criterion"] if isinstance(rubric, Mapping) else rubric
        if not isinstance(criterion, str):
            raise ValueError("`rubric` (or `criterion`) is the criterion's text")
        labels = next((row[k] for k in ("binary_labels", "labels", "criteria_met") if k in row), None)
        if isinstance(labels, bool):
            labels = [labels]
        if not isinstance(labels, list):
            raise ValueError("`binary_labels` is the list of what each physician said: true, false or null")
        yield criterion, labels


def _clinic(record: Mapping[str, Any], position: int) -> Iterator[Label]:
    given = record["grades"] if "grades" in record else [record["grade"]]
    if isinstance(given, Mapping):
        given = [given[k] for k in sorted(given)]
    scale = _scale(given)
    read: Callable[[object], float | None] = {"grades": _strict_grade, "met": _met, "number": _number}[scale]
    answer = str(record.get("answer", ""))
    language = record.get("language") or language_of(answer)
    if language not in ("en", "zh"):
        raise ValueError(f"`language` is en or zh, not {language!r}")
    score, by_grade = _judged(record.get("score"), scale)
    yield Label(
        id=str(record["id"]),
        view=str(record["view"]),
        scale=scale,
        grades=tuple(read(v) for v in given),
        answer=answer,
        reference=str(record.get("reference", "")),
        question=str(record.get("question", "")),
        context=str(record.get("context", "")),
        record=position,
        position=int(record.get("position", position)),
        language="zh" if language == "zh" else "en",
        judged=score,
        judged_grade=by_grade,
        carries_judge="score" in record,
    )


def _judged(value: object, scale: Scale) -> tuple[float | None, float | None]:
    """A judge's score, and the grade where it gave one instead."""
    if scale == "met" and isinstance(value, bool):
        return float(value), float(value)
    if isinstance(value, str):
        grade = _grade(value)
        if scale != "grades" or grade is None:
            raise ValueError(f"`score` is a number, null or what the graders give, not {value!r}")
        return grade / (len(GRADES) - 1), grade
    return _number(value), None


def _scale(given: Sequence[object]) -> Scale:
    some = [v for v in given if v is not None]
    if all(isinstance(v, str) for v in some):
        return "grades"
    return "met" if all(isinstance(v, bool) for v in some) else "number"


def _number(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"a score is a number or null, not {value!r}")
    return float(value)


READERS: Mapping[Format, Callable[[Mapping[str, Any], int], Iterator[Label]]] = {
    "ai-hospital": _ai_hospital,
    "healthbench": _healthbench,
    "clinic": _clinic,
}
"""The labels of one record, given its number in the file."""
