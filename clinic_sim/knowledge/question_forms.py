"""The form of each question in an utterance: open, specific, closed, a choice, or one that suggests its answer.

What a question is about is read by `questions`; here is only how it is put, as the guides for medical interviews tell
forms apart. `OPEN` leaves to the patient what to tell, `SPECIFIC` asks for one thing by a question word, `CLOSED` for
yes or no, `CHOICE` for one of the answers that it offers, and `LEADING` gives the answer that it expects. An utterance
has as many `matters` as things that the patient must answer: each question is one, and each item of a list is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from clinic_sim.knowledge import question_forms_en, question_forms_zh
from clinic_sim.knowledge.question_cues import MOST, Formed, cue
from clinic_sim.knowledge.text import UTTERANCE_LIMIT, Language, clean, detect_language, fold, sentences


class Form(StrEnum):
    """How a question is put."""

    OPEN = "open"  # "what brings you in?", "tell me about the pain"
    SPECIFIC = "specific"  # "when did it start?"
    CLOSED = "closed"  # "any fever?"
    CHOICE = "choice"  # "is it sharp or dull?"
    LEADING = "leading"  # "you don't smoke, do you?"


@dataclass(frozen=True, slots=True)
class FormedQuestion:
    """One question and how it is put."""

    form: Form
    matters: int
    """Things asked for: one, or the items of a list."""
    text: str
    """The question, folded."""


def question_forms(text: str, language: Language | None = None) -> tuple[FormedQuestion, ...]:
    """The questions of an utterance in order; empty where it asks nothing.

    Only as much is read as a patient listens to. `language` decides where the text does not (digits, marks).
    """
    return _forms(text[:UTTERANCE_LIMIT] if len(text) > UTTERANCE_LIMIT else text, language)


@lru_cache(maxsize=8_192)
def _forms(text: str, hint: Language | None) -> tuple[FormedQuestion, ...]:
    cleaned = clean(text).text
    if not cleaned:
        return ()
    language = detect_language(cleaned) if any(map(str.isalpha, cleaned[:2_000])) else (hint or "en")
    found: list[FormedQuestion] = []
    for form, matters, words in _read(fold(cleaned), language):
        if form == Form.OPEN and found and found[-1].form is Form.OPEN:
            continue  # one invitation in two breaths: "what's the matter, tell me"
        found.append(FormedQuestion(Form(form), matters, words))
    return tuple(found)


def _read(folded: str, language: Language) -> list[Formed]:
    """The questions of a folded utterance, sentence by sentence."""
    read, examples = _READERS[language]
    found: list[Formed] = []
    for span in sentences(folded, language):
        words, questions = read(folded[span.start : span.end])
        if questions and found and found[-1][0] in ("open", "closed") and cue(language, *examples).match(words):
            # Examples in a sentence of their own are what the question before them asks for.
            found[-1] = ("closed", questions[0][1], found[-1][2])
            questions = questions[1:]
        found += questions
        if len(found) > MOST:
            break
    return found


_READERS: dict[Language, tuple[Callable[[str], tuple[str, tuple[Formed, ...]]], tuple[str, str]]] = {
    "en": (question_forms_en.formed, ("examples", "^{}")),
    "zh": (question_forms_zh.formed, ("examples", r"^\W*{}")),
}
