"""The chief physician: teaches without telling, and challenges a conclusion once.

Neither answer can name the reference diagnosis or an unrevealed result: a hint is built from headings and kinds of
examination only, a challenge only from evidence that the doctor already holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from clinic_sim.cases.graph import diagnosis_node
from clinic_sim.cases.naming import HIT, closeness
from clinic_sim.clinic.actions import Conclude
from clinic_sim.clinic.events import ChiefSpoke
from clinic_sim.clinic.examiner import exam_name
from clinic_sim.clinic.room import Room
from clinic_sim.knowledge.diagnoses import ReadDiagnosis, read_diagnoses
from clinic_sim.knowledge.exam_catalogue import catalogue

_KINDS: dict[str, tuple[str, str]] = {
    "vital": ("the vital signs", "生命体征"),
    "physical": ("the physical examination", "体格检查"),
    "laboratory": ("laboratory tests", "实验室检查"),
    "imaging": ("imaging", "影像学检查"),
    "pathology": ("tissue or cells", "病理检查"),
    "procedure": ("a bedside or endoscopic procedure", "操作或内镜检查"),
    "function": ("tests of function", "功能检查"),
}
_WORDS = {
    "en": {
        "history": "Your history still has gaps: go back to {names}.",
        "exams": "Among examinations, think about what {names} could still tell you.",
        "complete": "You have what there is to find. Weigh it against each diagnosis you consider, and conclude.",
        "treatment": "Before we close: your conclusion has no treatment. Please give diagnosis and plan together.",
        "refuted": "Before we close: how does {diagnosis} fit with {evidence}? Please reconsider and conclude again.",
        "unread": "Before we close: I cannot recognise a diagnosis in your conclusion. Please name the disease.",
    },
    "zh": {
        "history": "病史还有缺口，请再追问：{names}。",
        "exams": "检查方面，请想一想{names}还能告诉你什么。",
        "complete": "能了解的都已了解。请逐一对照你考虑的诊断，权衡后下结论。",
        "treatment": "结束之前：你的结论里没有治疗方案，请把诊断和方案一并写出。",
        "refuted": "结束之前：{diagnosis}与{evidence}如何解释？请再考虑后重新下结论。",
        "unread": "结束之前：结论中看不出明确的疾病诊断，请写出疾病名称。",
    },
}


class OfflineChief:
    """Hints from what is missing, challenges from what is known; deterministic, and never waits."""

    suspends = False
    name = "offline"
    settings: Mapping[str, Any] = MappingProxyType({})

    async def consult(self, room: Room, question: str) -> ChiefSpoke:
        """Answer a question with the headings and kinds of examination in which most is still to be found."""
        del question  # the hint depends on what is known, so wording cannot pry it open
        words, known = _WORDS[room.language], room.ledger.known
        headings: dict[str, float] = {}
        kinds: dict[str, float] = {}
        for evidence in room.compiled.graph.hidden(known):
            worth = room.compiled.graph.worth(evidence)
            fact = room.compiled.by_id.get(evidence)
            if fact is not None:
                label = fact.topic.label(room.language)
                headings[label] = headings.get(label, 0.0) + worth
            else:
                exam = room.compiled.case.exam(evidence)
                kind = exam.kind or catalogue().get(exam.code).kind
                label = _KINDS[kind][room.language == "zh"]
                kinds[label] = kinds.get(label, 0.0) + worth
        lines = [
            words[key].format(names=_listed(pool, room.language))
            for key, pool in (("history", headings), ("exams", kinds))
            if pool
        ]
        text = ("" if room.language == "zh" else " ").join(lines) if lines else words["complete"]
        return ChiefSpoke(len(room.events), text, "consult")

    async def review(self, room: Room, conclusion: Conclude) -> ChiefSpoke | None:
        """Challenge a first conclusion where it is unreadable, incomplete or against known evidence; None to accept."""
        words = _WORDS[room.language]
        stated = [d for d in read_diagnoses(conclusion.diagnosis) if d.certainty != "ruled_out" and d.matches]
        if not stated:
            return ChiefSpoke(len(room.events), words["unread"], "review")
        against = self._against(room, stated[0])
        if against:
            names = [evidence_text(room, evidence) for evidence in against[:3]]
            text = words["refuted"].format(
                diagnosis=stated[0].text[:120], evidence=("；" if room.language == "zh" else "; ").join(names)
            )
            return ChiefSpoke(len(room.events), text, "review", tuple(against[:3]))
        if not conclusion.treatment:
            return ChiefSpoke(len(room.events), words["treatment"], "review")
        return None

    def _against(self, room: Room, stated: ReadDiagnosis) -> list[str]:
        reference = room.compiled.case.diagnosis
        if reference is None:
            return []
        for other in reference.differential:
            if closeness(stated, other) >= HIT:
                return room.compiled.graph.refuting(diagnosis_node(other), room.ledger.known)
        return []


def evidence_text(room: Room, evidence: str) -> str:
    """What to call a piece of evidence: the fact's statement, or the name of the examination."""
    fact = room.compiled.by_id.get(evidence)
    if fact is not None:
        return fact.statement
    return exam_name(room.compiled.case.exam(evidence), room.language)


def _listed(pool: dict[str, float], language: str, most: int = 2) -> str:
    """The labels that hold most, in a stable order."""
    best = sorted(pool, key=lambda label: -pool[label])[:most]
    return ("、" if language == "zh" else " and ").join(best)
