"""The patient's prompt: what every patient is told (`data/rules_*.txt`), then the persona, then what this one knows.

It never holds the diagnosis, the treatment or a result: it is built from the facts whose words pass the guard.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.cases.facts import Disclosure
from clinic_sim.clinic.patient.guard import fact_leak, leaks, said
from clinic_sim.clinic.patient.phrase import opening
from clinic_sim.clinic.patient.select import Selection
from clinic_sim.clinic.persona import Persona
from clinic_sim.clinic.scene import who
from clinic_sim.models.chat import Message

SCHEMA = {
    "title": "patient_answer",
    "type": "object",
    "properties": {
        "facts": {"type": "array", "items": {"type": "string"}},
        "say": {"type": "string"},
    },
    "required": ["facts", "say"],
    "additionalProperties": False,
}

_ALIAS = re.compile(r"f[1-9]\d{0,3}")
_DATA = Path(__file__).parent / "data"
_WORDS = {
    "en": {
        "persona": "How you talk:",
        "who": "Who you are:",
        "speaker": "You are not the patient yourself but the {speaker} who came along; you speak about the patient.",
        "facts": "Facts (id | what it is | how you would put it):",
        "opened": "You have already said:",
        "asked": "Asked for: {ids}",
        "none": "Asked for: nothing that the record recognises. Choose a fact only if it answers the doctor.",
        "doctor": "The doctor says: {text}",
        "again": "Your answer cannot be used: {why} Answer the doctor's last words again, as one JSON object.",
        "private": " (private)",
        "specific": " (exactly)",
        "terse": "You are brief: one short sentence.",
        "talkative": "You are talkative and warm, but add no facts.",
        "impatient": "You are in a hurry: short answers, and you dislike being asked twice.",
        "hedges": "You are unsure of yourself: you say things such as `I think` or `maybe`.",
        "plain": "You answer plainly and politely.",
    },
    "zh": {
        "persona": "你的说话方式：",
        "who": "你是：",
        "speaker": "你不是患者本人，而是陪同前来的{speaker}，你替患者说话。",
        "facts": "事实清单（编号 | 内容 | 你会怎么说）：",
        "opened": "你已经说过：",
        "asked": "问到：{ids}",
        "none": "问到：病历没有识别出对应的事实。如果有事实能回答医生，就选它；否则不选。",
        "doctor": "医生说：{text}",
        "again": "你的回答不能采用：{why}请重新回答医生刚才的话，只给一个JSON对象。",
        "private": "（私密）",
        "specific": "（专问）",
        "terse": "你话很少，只说一句短话。",
        "talkative": "你话多而热情，但不添加事实。",
        "impatient": "你着急，回答简短，不愿重复。",
        "hedges": "你对自己说的不太确定，会说“好像”“大概”。",
        "plain": "你回答平实有礼。",
    },
}
_SPEAKER_ZH = {"parent": "家长", "relative": "家属", "caregiver": "陪护者"}
_MARKS = {Disclosure.GUARDED: "private", Disclosure.SPECIFIC: "specific"}
MOST_OF_DOCTOR = 4_000
"""Characters of one utterance that the model is shown; the lexicon reads no more either."""


@lru_cache(maxsize=512)
def system_prompt(compiled: CompiledCase, persona: Persona) -> str:
    """All that this patient is told before the doctor speaks."""
    case, words = compiled.case, _WORDS[compiled.case.language]
    lines = [_rules(case.language), "", f"{words['persona']} {_manner(persona, words)}", f"{words['who']} {who(case)}"]
    if case.speaker != "patient":
        speaker = _SPEAKER_ZH[case.speaker] if case.language == "zh" else case.speaker
        lines.append(words["speaker"].format(speaker=speaker))
    lines.append(words["facts"])
    for fact in case.facts:
        if fact.echo_of is None and not fact_leak(compiled, fact.id):
            mark = words[_MARKS[fact.disclosure]] if fact.disclosure in _MARKS else ""
            own = said(compiled, fact.id)
            # A statement may name what the patient's own words do not.
            statement = own if leaks(compiled, fact.statement) else fact.statement
            lines.append(f"- {alias(compiled, fact.id)}{mark} | {statement} | {own}")
    lines.append(f"{words['opened']} {opening(compiled)}")
    return "\n".join(lines)


@cache
def _rules(language: str) -> str:
    return (_DATA / f"rules_{language}.txt").read_text(encoding="utf-8").rstrip()


def alias(compiled: CompiledCase, fact_id: str) -> str:
    """What the model calls a fact: a number, for the record's own ids may name the disease."""
    return f"f{compiled.position[fact_id] + 1}"


def fact_of(compiled: CompiledCase, name: str) -> str | None:
    """The fact that an alias means; None where it means none of this case."""
    if not _ALIAS.fullmatch(name):
        return None
    at = int(name[1:]) - 1
    return compiled.case.facts[at].id if at < len(compiled.case.facts) else None


def doctor_says(compiled: CompiledCase, utterance: str, selection: Selection) -> Message:
    """One utterance as the model sees it, with the lexicon's hint; on one line, so that it cannot imitate ours."""
    words = _WORDS[compiled.case.language]
    ids = [alias(compiled, f) for f in selection.facts if compiled.by_id[f].echo_of is None]
    hint = words["asked"].format(ids=", ".join(ids)) if ids else words["none"]
    flat = " ".join(utterance[:MOST_OF_DOCTOR].split())
    return {"role": "user", "content": f"{hint}\n{words['doctor'].format(text=flat)}"}


def again(why: str, language: str) -> Message:
    """Asks for another answer, with the reason."""
    return {"role": "user", "content": _WORDS[language]["again"].format(why=why)}


def _manner(persona: Persona, words: dict[str, str]) -> str:
    if persona.name in ("terse", "talkative", "impatient"):
        return words[persona.name]
    return words["hedges" if persona.hedges else "plain"]
