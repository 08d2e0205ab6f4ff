"""The words of an offline answer: the chosen facts' own words, and set phrases where there is nothing to tell."""

from __future__ import annotations

from functools import lru_cache

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.clinic.events import AnswerKind
from clinic_sim.clinic.patient.guard import leaks, said
from clinic_sim.clinic.patient.select import Selection
from clinic_sim.clinic.patient.voice import speak
from clinic_sim.clinic.room import Room

_SET_PHRASES: dict[str, dict[AnswerKind, tuple[str, ...]]] = {
    "en": {
        AnswerKind.NOTHING_KNOWN: (
            "I couldn't say, doctor.",
            "I'm not sure about that.",
            "I don't really know about that.",
        ),
        AnswerKind.NOT_UNDERSTOOD: (
            "Sorry, I don't follow. Could you ask that another way?",
            "I'm not sure what you mean, doctor. Could you put it differently?",
        ),
        AnswerKind.GUARDED: (
            "Is that really important? I'd rather not go into it.",
            "That's rather personal. Do you need to know?",
        ),
        AnswerKind.SOCIAL: ("All right, doctor.", "Okay."),
        AnswerKind.REFUSED: (
            "I don't know what it is, doctor. That's why I came to you.",
            "I can't help you with that. I only know how I feel.",
        ),
    },
    "zh": {
        AnswerKind.NOTHING_KNOWN: ("这个我说不清楚。", "这个我不太清楚，医生。", "我也说不好。"),
        AnswerKind.NOT_UNDERSTOOD: ("不好意思，我没听明白，您能换个说法吗？", "医生，您指的是什么？能说得再明白点吗？"),
        AnswerKind.GUARDED: ("这个……一定要说吗？", "这是我的私事，必须要讲吗？"),
        AnswerKind.SOCIAL: ("好的，医生。", "嗯，好的。"),
        AnswerKind.REFUSED: ("是什么病我也不知道，所以才来找您看。", "这个我帮不了您，我只知道自己哪里不舒服。"),
    },
}
_NOTHING_MORE = {
    "en": ("No, nothing else that I can think of.", "That's all, I think."),
    "zh": ("没有别的了。", "就这些了。"),
}
_SLOW_DOWN = {
    "en": "That's a lot of questions at once; could you ask them a few at a time?",
    "zh": "您一下子问得太多了，能一个一个问吗？",
}
_UNWELL = {"en": "I don't feel well, doctor.", "zh": "医生，我不太舒服。"}
_HEDGES = {"en": "I think: ", "zh": "好像是这样："}


@lru_cache(maxsize=1024)
def opening(compiled: CompiledCase) -> str:
    """The patient's first words; the guard holds for them as for any others."""
    case = compiled.case
    spoken = speak(case.chief_complaint, False, case.language, case.speaker == "patient")
    for words in (case.opening, spoken):
        if words and not leaks(compiled, words):
            return words
    return _UNWELL[case.language]


def phrase_answer(compiled: CompiledCase, selection: Selection, room: Room) -> str:
    """The answer's words. The same room and selection give the same words."""
    language = room.language
    if selection.facts:
        told = [said(compiled, f) for f in selection.facts if compiled.by_id[f].echo_of not in selection.facts]
        text = joined(list(dict.fromkeys(told)), language)
        if room.persona.hedges:
            text = _HEDGES[language] + text
        if selection.kind is AnswerKind.TOO_BROAD:
            text = joined([text, _SLOW_DOWN[language]], language)
        return text
    if selection.cut:
        return _SLOW_DOWN[language]
    if selection.kind is AnswerKind.NOTHING_KNOWN and selection.asked_openly:
        return _pick(_NOTHING_MORE[language], room)
    return _pick(_SET_PHRASES[language][selection.kind], room)


def _pick(variants: tuple[str, ...], room: Room) -> str:
    return variants[(room.seed + len(room.events)) % len(variants)]


def joined(parts: list[str], language: str) -> str:
    if language == "zh":
        return "".join(p if p.endswith(("。", "？", "！", "…", "”")) else p + "。" for p in parts)
    return " ".join(p if p.endswith((".", "?", "!", '"', "”", "…")) else p + "." for p in parts)
