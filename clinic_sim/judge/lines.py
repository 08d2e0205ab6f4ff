"""The consultation as a judge is shown it: one numbered line for each thing said, made inert.

Nobody in the transcript can forge a line, a fence or a role: each text is put on one line, without control characters,
markup and runs of marks, and what speaks to the judge is taken out. What nobody in the clinic heard (an action that
could not be read) is not shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from clinic_sim.clinic.actions import Action, Ask, Conclude, Consult, Examine, Order
from clinic_sim.clinic.events import (
    ChiefSpoke,
    DoctorActed,
    Event,
    ExamClarified,
    ExamReported,
    Opened,
    PatientAnswered,
)
from clinic_sim.judge.addressed import MARK, Forfeit, Redacted, redact
from clinic_sim.judge.rubric import Speaker
from clinic_sim.judge.rubric_parts import Stage
from clinic_sim.judge.stages import Stages

LONGEST = 1_500
"""Characters of one line that are shown; the longest real turn of a doctor has a few hundred."""
_CUT = " [...]"
MOST_ITEMS = 100
"""Items of one order or of one part of a conclusion that are shown."""
_LABELS = {
    "en": {
        "doctor": "Doctor",
        "examine": "Doctor (examines)",
        "order": "Doctor (orders)",
        "consult": "Doctor (to the chief)",
        "diagnosis": "Doctor (conclusion: diagnosis)",
        "differential": "Doctor (conclusion: differential)",
        "basis": "Doctor (conclusion: basis)",
        "treatment": "Doctor (conclusion: treatment)",
        "patient": "Patient",
        "examiner": "Examiner",
        "chief": "Chief physician",
    },
    "zh": {
        "doctor": "医生",
        "examine": "医生（查体）",
        "order": "医生（开单）",
        "consult": "医生（请示上级）",
        "diagnosis": "医生（结论：诊断）",
        "differential": "医生（结论：鉴别诊断）",
        "basis": "医生（结论：诊断依据）",
        "treatment": "医生（结论：治疗）",
        "patient": "患者",
        "examiner": "检查科",
        "chief": "上级医师",
    },
}
_OTHERS = frozenset({"patient", "examiner", "chief"})
CONCLUDED = frozenset({"diagnosis", "differential", "basis", "treatment"})
"""Roles of the lines of a conclusion."""
_SPOKEN = frozenset({"doctor", "consult"})
_MARKUP = re.compile(r"</?[A-Za-z_][\w:.-]{0,40}(?:\s+[\w:.-]+=(?:\"[^\"<>]*\"|'[^'<>]*'))*\s*/?>|```+\w*|~~~+")
_RUN = re.compile(r"([=<>#*`~_|+\[\]{}-])\1{2,}")
_NUMBERED = re.compile(r"\[(\d{1,6})\]")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the shown transcript."""

    n: int
    """Number of its event."""
    role: str
    """`doctor` (heard by the patient), another of the doctor's acts, `patient`, `examiner` or `chief`."""
    text: str
    """Only what was said; the label is ours."""

    def said_by(self, speaker: Speaker) -> bool:
        """It holds the words of this speaker."""
        if speaker == "any":
            return True
        return self.role == "doctor" if speaker == "doctor_to_patient" else self.role not in _OTHERS


@dataclass(frozen=True, slots=True)
class Shown:
    """The transcript that a judge is shown."""

    language: str
    lines: tuple[Line, ...]
    removed: int
    """Passages that spoke to the judge and were taken out."""

    def within(self, stage: Stage, stages: Stages) -> Shown:
        """What was said in this stage."""
        return Shown(self.language, tuple(li for li in self.lines if stages.at(li.n) == stage), self.removed)

    def numbered(self) -> list[str]:
        """The lines with number and label."""
        labels = _LABELS[self.language]
        colon = "：" if self.language == "zh" else ": "
        return [f"[{line.n}] {labels[line.role]}{colon}{line.text}" for line in self.lines]


def show(events: Sequence[Event], language: str) -> Shown:
    """What a judge is shown of these events."""
    lines: list[Line] = []
    removed = 0
    between = "；" if language == "zh" else "; "
    for event in events:
        for role, texts in _said(event):
            safe = _safe(texts, role, between)
            removed += safe.removed
            lines.append(Line(event.n, role, safe.text))
    return Shown(language, tuple(lines), removed)


def _said(event: Event) -> Iterator[tuple[str, tuple[str, ...]]]:
    if isinstance(event, DoctorActed):
        yield from _acted(event.action)
    elif isinstance(event, PatientAnswered | Opened):
        yield "patient", (event.text,)
    elif isinstance(event, ExamReported | ExamClarified):
        yield "examiner", (event.text,)
    elif isinstance(event, ChiefSpoke):
        yield "chief", (event.text,)


def _acted(action: Action) -> Iterator[tuple[str, tuple[str, ...]]]:
    if isinstance(action, Ask):
        yield "doctor", (action.text,)
    elif isinstance(action, Examine):
        yield "examine", action.manoeuvres
    elif isinstance(action, Order):
        yield "order", action.exams
    elif isinstance(action, Consult):
        yield "consult", (action.question,)
    elif isinstance(action, Conclude):
        yield "diagnosis", (action.diagnosis,)
        for part in ("differential", "basis", "treatment"):
            items: tuple[str, ...] = getattr(action, part)
            if items:
                yield part, items


@lru_cache(maxsize=4_096)
def _safe(texts: tuple[str, ...], role: str, between: str) -> Redacted:
    """The texts made inert, on one line; kept, since a case's own words come again in each of its episodes.

    A doctor that speaks to the judge loses what follows in that utterance, and the whole of a written item.
    """
    if role in _OTHERS:
        forfeits: Forfeit = "cue"
    else:
        forfeits = "rest" if role in _SPOKEN else "all"
    texts = tuple(text[: 2 * LONGEST] for text in texts[:MOST_ITEMS])
    found = [redact(text, spoken=role in _SPOKEN, forfeits=forfeits) for text in texts]
    removed = sum(f.removed for f in found)
    if not removed and len(texts) > 1 and redact(". ".join(texts)[: 2 * LONGEST]).removed:
        return Redacted(MARK, 1)  # spread over several items
    return Redacted(inert(between.join(f.text for f in found)), removed)


def inert(text: str) -> str:
    """The text on one line, with nothing in it that could pass for the transcript's own marks."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    if "<" in text or "`" in text or "~" in text:
        text = _MARKUP.sub(" ", text)
    text = _RUN.sub(r"\1", text)
    if "[" in text:
        text = _NUMBERED.sub(r"(\1)", text)
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST else flat[:LONGEST].rstrip() + _CUT
