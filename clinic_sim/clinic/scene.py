"""What the doctor sees: the introduction, and each turn's answer as labelled lines."""

from __future__ import annotations

from clinic_sim.cases.case import Case
from clinic_sim.clinic.codec_words import ACCEPTED
from clinic_sim.clinic.events import (
    ActionRejected,
    ChiefSpoke,
    Ended,
    Event,
    ExamClarified,
    ExamReported,
    Opened,
    PatientAnswered,
    TerminationReason,
)
from clinic_sim.clinic.limits import Limits
from clinic_sim.clinic.room import Room

_SPEAKERS = {
    "en": {"patient": "Patient", "examiner": "Examiner", "chief": "Chief physician", "clinic": "Clinic"},
    "zh": {"patient": "患者", "examiner": "检查科", "chief": "上级医师", "clinic": "系统"},
}
_SETTINGS = {
    "outpatient": ("outpatient clinic", "门诊"),
    "emergency": ("emergency department", "急诊"),
    "inpatient": ("ward", "病房"),
    "primary_care": ("primary care", "社区门诊"),
    "telehealth": ("telehealth visit", "远程问诊"),
}
_SEX = {"female": ("woman", "女性"), "male": ("man", "男性"), "unknown": ("patient", "患者")}
_CHILD = {"female": ("girl", "女孩"), "male": ("boy", "男孩"), "unknown": ("child", "儿童")}
_UNITS = {"years": ("year", "岁"), "months": ("month", "个月"), "weeks": ("week", "周"), "days": ("day", "天")}
_SPEAKS = {
    "patient": ("The patient says", "患者说"),
    "parent": ("The parent says", "家长说"),
    "relative": ("A relative says", "家属说"),
    "caregiver": ("The caregiver says", "陪护者说"),
}
_OVER = {"en": "The consultation is over.", "zh": "问诊结束。"}
_LEFT = {"en": "The patient has lost patience and left.", "zh": "患者失去耐心，离开了。"}


def who(case: Case) -> str:
    """The patient in a few words, as a triage note would put it."""
    zh = case.language == "zh"
    demographics = case.demographics
    young = demographics.years is not None and demographics.years < 14
    noun = (_CHILD if young else _SEX)[demographics.sex][zh]
    if demographics.age is None:
        return noun if zh else f"A {noun}"
    age = f"{demographics.age:g}"
    unit = _UNITS[demographics.age_unit][zh]
    if zh:
        return f"{age}{unit}{noun}"
    article = "An" if age.startswith(("8", "11", "18")) and age not in {"110", "112", "113", "114"} else "A"
    return f"{article} {age}-{unit}-old {noun}"


def introduction(room: Room) -> str:
    """Who comes, where, the first words, and how to act."""
    case = room.compiled.case
    zh = room.language == "zh"
    first = room.events[0]
    words = first.text if isinstance(first, Opened) else ""
    place = _SETTINGS[case.setting][zh]
    speaks = _SPEAKS[case.speaker][zh]
    told = " ".join([ACCEPTED[room.language], *_budget(room.limits, zh)])
    if zh:
        return f"{place}，{who(case)}就诊。{speaks}：“{words}”\n\n{told}"
    return f"{who(case)} is seen in the {place}. {speaks}: “{words}”\n\n{told}"


def _budget(limits: Limits, zh: bool) -> list[str]:
    """The limits that the doctor should plan with."""
    lines = []
    if limits.turns is not None:
        lines.append(f"最多{limits.turns}个动作。" if zh else f"You have at most {limits.turns} actions.")
    if limits.money is not None:
        lines.append(f"检查预算{limits.money:g}美元。" if zh else f"Orders may cost at most ${limits.money:g}.")
    if limits.exams is not None:
        lines.append(f"最多{limits.exams}项检查。" if zh else f"At most {limits.exams} examinations are performed.")
    return lines


def line(event: Event, language: str) -> str | None:
    """One event as the doctor perceives it; None for the doctor's own."""
    names = _SPEAKERS[language]
    if isinstance(event, PatientAnswered | Opened):
        return _labelled(names["patient"], event.text, language)
    if isinstance(event, ExamReported | ExamClarified):
        return _labelled(names["examiner"], event.text, language)
    if isinstance(event, ChiefSpoke):
        return _labelled(names["chief"], event.text, language)
    if isinstance(event, ActionRejected):
        return _labelled(names["clinic"], event.text, language)
    if isinstance(event, Ended):
        over = _LEFT if event.reason is TerminationReason.PATIENT_LEFT else _OVER
        return _labelled(names["clinic"], over[language], language)
    return None


def observation(events: tuple[Event, ...], language: str) -> str:
    """The turn as the doctor perceives it."""
    return "\n".join(text for text in (line(e, language) for e in events) if text is not None)


def _labelled(name: str, text: str, language: str) -> str:
    return f"{name}：{text}" if language == "zh" else f"{name}: {text}"
