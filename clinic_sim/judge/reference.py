"""What a judge is shown of the reference: only for a criterion that stands `beside` a verifiable one, only its part.

Every other question is asked without it, in a call of its own: whoever knows the answer finds a consultation that
reached it more reasonable than it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from clinic_sim.cases.case import Case
from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.cases.reference import CodedDiagnosis
from clinic_sim.clinic.examiner import exam_name
from clinic_sim.judge.rubric import Criterion

_MOST = 60
"""Lines that are shown at most."""
_WORDS = {
    "en": {
        "primary": "Diagnosis",
        "acceptable": "Also accepted",
        "comorbid": "Further disease",
        "differential": "To be considered",
        "basis": "Evidence that proves it",
        "essential": "Treatment, essential",
        "recommended": "Treatment, recommended",
        "optional": "Treatment, optional",
        "alternatives": " (or: {})",
        "dose": ", {}",
        "ban": "Must not be given or done",
        "exam": "Essential examination",
        "fact": "History",
        "red_flag": "Danger sign",
    },
    "zh": {
        "primary": "诊断",
        "acceptable": "也可接受",
        "comorbid": "合并疾病",
        "differential": "应考虑的鉴别诊断",
        "basis": "诊断依据",
        "essential": "治疗（必需）",
        "recommended": "治疗（推荐）",
        "optional": "治疗（可选）",
        "alternatives": "（或：{}）",
        "dose": "，{}",
        "ban": "禁止给予或实施",
        "exam": "必需的检查",
        "fact": "病史",
        "red_flag": "危险信号",
    },
}


def reference_lines(beside: str, criteria: Iterable[Criterion], compiled: CompiledCase) -> tuple[str, ...] | None:
    """The reference for a criterion that stands beside this one: None where none is needed, empty where there is none.

    Args:
        beside: Id of the verifiable criterion; of one that generates, or that was generated, too.
        criteria: Those of the rubric.
        compiled: The case.
    """
    shown = _part_of(beside, criteria) if beside else None
    return None if shown is None else tuple(shown(compiled))[:_MOST]


def compares(criterion: Criterion, criteria: Iterable[Criterion]) -> bool:
    """It is asked with the reference, where the case has one."""
    return bool(criterion.beside) and _part_of(criterion.beside, criteria) is not None


def _part_of(beside: str, criteria: Iterable[Criterion]) -> Callable[[CompiledCase], Iterator[str]] | None:
    own = (c for c in criteria if c.id == beside or c.id.startswith(f"{beside}."))
    return next((_SHOWN[c.check] for c in own if c.check in _SHOWN), None)


def _diagnosis(compiled: CompiledCase) -> Iterator[str]:
    found = compiled.case.diagnosis
    if found is not None:
        yield _line("primary", _names(found.primary), compiled.case)
        for name, others in (("acceptable", found.acceptable), ("comorbid", found.comorbid)):
            for other in others:
                yield _line(name, _names(other), compiled.case)


def _differential(compiled: CompiledCase) -> Iterator[str]:
    for other in compiled.case.diagnosis.differential if compiled.case.diagnosis else ():
        yield _line("differential", _names(other), compiled.case)


def _basis(compiled: CompiledCase) -> Iterator[str]:
    found = compiled.case.diagnosis
    if found is not None and found.basis:
        yield _line("primary", _names(found.primary), compiled.case)
        for evidence in found.basis:
            fact = compiled.by_id.get(evidence)
            yield _line("basis", fact.statement if fact else compiled.case.exam(evidence).report, compiled.case)


def _treatment(compiled: CompiledCase) -> Iterator[str]:
    case = compiled.case
    words = _WORDS[case.language]
    for item in case.treatment:
        text = item.name + (words["dose"].format(item.dose) if item.dose else "")
        if item.alternatives:
            text += words["alternatives"].format("; ".join(item.alternatives))
        yield _line(str(item.priority), text, case)
    if case.treatment:
        yield from _bans(compiled)


def _bans(compiled: CompiledCase) -> Iterator[str]:
    for ban in compiled.case.contraindicated:
        yield _line("ban", f"{ban.name} ({ban.reason})", compiled.case)


def _exams(compiled: CompiledCase) -> Iterator[str]:
    for exam in compiled.case.exams:
        if exam.essential:
            yield _line("exam", exam_name(exam, compiled.case.language), compiled.case)


def _facts(compiled: CompiledCase) -> Iterator[str]:
    for fact in compiled.case.facts:
        if compiled.graph.worth(fact.id):
            yield _line("fact", fact.statement, compiled.case)


def _red_flags(compiled: CompiledCase) -> Iterator[str]:
    for flag in compiled.case.red_flags:
        yield _line("red_flag", flag.statement, compiled.case)


_SHOWN: dict[str, Callable[[CompiledCase], Iterator[str]]] = {
    "icd_match": _diagnosis,
    "comorbid_named": _diagnosis,
    "differential_named": _differential,
    "basis_cited": _basis,
    "treatment_covered": _treatment,
    "treatment_excess": _treatment,
    "contraindicated": _bans,
    "exam_contraindicated": _bans,
    "allergy_conflict": _bans,
    "unsafe_plan": _bans,
    "dangerous_dose": _treatment,
    "exam_ordered": _exams,
    "exam_precision": _exams,
    "fact_disclosed": _facts,
    "red_flag_covered": _red_flags,
}
"""By the check that the judged criterion stands beside. Checks of process (turns, cost, order) need no reference."""


def _line(word: str, text: str, case: Case) -> str:
    colon = "：" if case.language == "zh" else ": "
    return f"{_WORDS[case.language][word]}{colon}{text}"


def _names(coded: CodedDiagnosis) -> str:
    code = f" [{coded.icd10}]" if coded.icd10 else ""
    return "; ".join((coded.name, *coded.names[:4])) + code
