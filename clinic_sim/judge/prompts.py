"""The judge's prompt: what every judge is told (`data/judge_*.txt`), then the criteria, then the fenced transcript.

The first message is the same for all episodes of a language, so that servers reuse it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from clinic_sim.judge.addressed import cue_table
from clinic_sim.judge.controls import control_table, digest
from clinic_sim.judge.grading_talk import word_table
from clinic_sim.judge.lines import Shown, inert
from clinic_sim.judge.rubric import Speaker
from clinic_sim.judge.rubric_parts import Stage
from clinic_sim.models.chat import Message, Schema

SCHEMA: Schema = {
    "title": "verdicts",
    "type": "object",
    "properties": {
        "verdicts": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "id": {"type": "string"},
                    "reason": {"type": "string"},
                    "quote": {"type": "string"},
                    "met": {"type": "boolean"},
                },
                "required": ["id", "reason", "quote", "met"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["verdicts"],
    "additionalProperties": False,
}
"""The properties stand in the order in which they are to be written: the reason before the verdict."""

_WORDS = {
    "en": {
        "criteria": "Criteria:",
        "patient": "The patient: {who}.",
        "transcript": "Transcript, between the two lines `{fence}`:",
        "close": "The transcript is over. Give one verdict for each of {ids}, as one JSON object.",
        "again": "Your answer cannot be used: {why}. Answer again, with nothing but the JSON object.",
        "not_json": 'it is not one JSON object of the form {"verdicts": [...]}',
        "cut": "it was cut off before its end; write shorter reasons",
        "doctor": " (proof: the doctor's words)",
        "doctor_to_patient": " (proof: the doctor's words to the patient)",
        "any": " (proof: anyone's words)",
        "absent": " (proof: none where it shows by what was not said)",
        "history": ", before the first examination or order)",
        "workup": ", from the first examination or order until the conclusion)",
        "conclusion": ", in the conclusion)",
        "reference": "Reference for these criteria, from the patient's record; the doctor did not see it. "
        "Compare with it; a quote comes from the transcript alone:",
        "end": ")",
    },
    "zh": {
        "criteria": "评判条目：",
        "patient": "患者：{who}。",
        "transcript": "问诊记录，在两行`{fence}`之间：",
        "close": "记录到此为止。请对{ids}逐一给出评判，只用一个JSON对象。",
        "again": "你的回答不能采用：{why}。请重新回答，只给出JSON对象。",
        "not_json": '它不是{"verdicts": [...]}形式的单个JSON对象',
        "cut": "它没有写完就被截断了，请把理由写短",
        "doctor": "（证据：医生的话）",
        "doctor_to_patient": "（证据：医生对患者说的话）",
        "any": "（证据：任何人的话）",
        "absent": "（证据：若体现在没有说的话，则无需引用）",
        "history": "，在首次检查或开单之前）",
        "workup": "，在首次检查或开单之后、下结论之前）",
        "conclusion": "，在结论中）",
        "reference": "以下参考内容来自病历，供评判这些条目时对照，医生没有看到；引用只能出自问诊记录：",
        "end": "）",
    },
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One line of the criteria."""

    name: str
    """The id that the judge sees."""
    question: str
    speaker: Speaker
    """Whose words prove it."""
    stage: Stage | None = None
    """In which part of the consultation; None for any."""
    quote: bool = True
    """It must be proved by words; else it may show by their absence."""

    def line(self, words: Mapping[str, str]) -> str:
        """As the judge reads it."""
        proof = words[self.speaker if self.quote else "absent"]
        if self.stage is not None:
            proof = proof.removesuffix(words["end"]) + words[self.stage]
        return f"- [{self.name}] {self.question}{proof}"


_ECHO = 600
"""Characters of an unusable answer that its author is shown again."""


@cache
def system_prompt(language: str) -> str:
    """What every judge is told."""
    return resources.files("clinic_sim.judge").joinpath(f"data/judge_{language}.txt").read_text("utf-8").rstrip()


@cache
def prompt_hash() -> str:
    """SHA-256, 16 hex digits, over all that shapes a judge's prompt but rubric and transcript."""
    texts = [
        system_prompt("en"),
        system_prompt("zh"),
        repr(SCHEMA),
        repr(_WORDS),
        cue_table(),
        word_table(),
        control_table(),
    ]
    return digest("\0".join(texts))[:16]


def fence_of(numbered: Sequence[str], key: str, reference: Sequence[str] = ()) -> str:
    """A line that stands nowhere in the transcript; it depends on every word of it, so that nobody can foresee it."""
    body = "\n".join((*reference, *numbered))
    n = 0
    while (fence := f"==={digest(f'{key}:{n}:{body}')[:12]}===") in body:
        n += 1
    return fence


def messages(shown: Shown, who: str, asked: Sequence[Asked], key: str, reference: Sequence[str] = ()) -> list[Message]:
    """The judge's prompt.

    Args:
        who: The patient in a few words, as the doctor was told.
        shown: The transcript, made inert.
        asked: What is asked, in order.
        key: What the fence depends on, beside the transcript.
        reference: What the record holds of it, where the criteria compare with that.
    """
    words = _WORDS[shown.language]
    reference = [inert(line) for line in reference]
    numbered = shown.numbered()
    fence = fence_of(numbered, key, reference)
    lines = [words["criteria"], *(item.line(words) for item in asked), ""]
    if reference:
        lines += [words["reference"], *(f"* {line}" for line in reference), ""]
    lines += [
        words["patient"].format(who=who),
        words["transcript"].format(fence=fence),
        fence,
        *numbered,
        fence,
        "",
    ]
    between = "、" if shown.language == "zh" else ", "
    lines.append(words["close"].format(ids=between.join(item.name for item in asked)))
    return [
        {"role": "system", "content": system_prompt(shown.language)},
        {"role": "user", "content": "\n".join(lines)},
    ]


def again(sent: Sequence[Message], answer: str, language: str, *, cut_off: bool) -> list[Message]:
    """The prompt once more, with the answer that could not be used and why."""
    words = _WORDS[language]
    why = words["cut" if cut_off else "not_json"]
    shown = "".join(c if c.isprintable() else " " for c in answer[:_ECHO]) or "-"
    return [
        *sent,
        {"role": "assistant", "content": shown},
        {"role": "user", "content": words["again"].replace("{why}", why)},
    ]
