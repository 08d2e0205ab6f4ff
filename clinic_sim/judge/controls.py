"""Control questions: their right answers are known by construction, and a judge that misses one has not read.

Two or more are false (nothing in the transcript speaks of it), one is true (what is asked stands in the transcript).
They are worded, numbered and shuffled like criteria.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from clinic_sim.judge.addressed import MARK
from clinic_sim.judge.lines import Line, Shown
from clinic_sim.judge.quotes import searchable
from clinic_sim.judge.rubric_parts import LANGUAGES, Question
from clinic_sim.knowledge.automaton import Automaton

FALSE_CONTROLS = 2


@dataclass(frozen=True, slots=True)
class Control:
    """A question whose answer is known."""

    id: str
    question: Question
    answer: bool


@dataclass(frozen=True, slots=True)
class _Absent:
    control: Control
    words: tuple[str, ...]
    """Where none of these stands in the transcript, it did not happen."""


def draw(shown: Shown, key: str, false_controls: int = FALSE_CONTROLS) -> tuple[Control, ...]:
    """The control questions of one vote: the false ones, then a true one where the transcript holds one.

    Args:
        shown: The transcript that the judge sees.
        key: What the choice depends on; the same key gives the same questions.
    """
    text = "\n".join(map(searchable, shown.lines))
    automaton, controls_of = _words_of_pool()
    spoken_of = {n for word, _, _ in automaton.find(text) for n in controls_of[word]}
    absent = [item.control for n, item in enumerate(pool()) if n not in spoken_of]
    false = by_key(absent, key)[:false_controls]
    while len(false) < false_controls:  # a doctor that speaks of everything: no transcript holds a made-up name
        false.append(_made_up(f"{key}:{len(false)}", text))
    true = by_key([control for control, holds in _TRUE if holds(shown.lines)], key)[:1]
    return (*false, *true)


def by_key(controls: Sequence[Control], key: str) -> list[Control]:
    """The controls in an order that only the key decides."""
    return sorted(controls, key=lambda c: digest(f"{key}:{c.id}"))


def digest(text: str) -> str:
    """A number, as hex digits, that looks random and depends on the text alone."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@cache
def pool() -> tuple[_Absent, ...]:
    """The questions of `data/controls.tsv`."""
    found = []
    for line in control_table().splitlines():
        if line and not line.startswith(("#", "id\t")):
            name, en, zh, words = line.split("\t")
            found.append(_Absent(Control(name, Question(en=en, zh=zh), answer=False), tuple(words.split("|"))))
    return tuple(found)


@cache
def _words_of_pool() -> tuple[Automaton, tuple[tuple[int, ...], ...]]:
    """The words, and the questions of each by its number."""
    places: dict[str, list[int]] = {}
    for n, item in enumerate(pool()):
        for word in item.words:
            places.setdefault(word, []).append(n)
    return Automaton(places), tuple(map(tuple, places.values()))


@cache
def control_table() -> str:
    """The table as it stands on disk; part of what determines a judge's prompt."""
    return resources.files("clinic_sim.judge").joinpath("data/controls.tsv").read_text("utf-8")


_WORD = re.compile(r"[^\W\d_]")


def _words(lines: Sequence[Line], role: str) -> list[str]:
    """What was said in a role, without what was taken out."""
    texts = (line.text.replace(MARK, "").strip() for line in lines if line.role == role)
    return [text for text in texts if _WORD.search(text)]


_TRUE: tuple[tuple[Control, Callable[[Sequence[Line]], bool]], ...] = (
    (
        Control(
            "asked",
            Question(
                en="Does the doctor put at least one question to the patient?",
                zh="医生是否至少向患者提过一个问题？",
            ),
            answer=True,
        ),
        lambda lines: any(text.endswith(("?", "？")) for text in _words(lines, "doctor")),
    ),
    (
        Control(
            "patient_spoke",
            Question(en="Does the patient say anything to the doctor?", zh="患者是否对医生说过话？"),
            answer=True,
        ),
        lambda lines: bool(_words(lines, "patient")),
    ),
    (
        Control(
            "spoke_twice",
            Question(en="Does the doctor speak to the patient more than once?", zh="医生对患者说话是否不止一次？"),
            answer=True,
        ),
        lambda lines: len(_words(lines, "doctor")) > 1,
    ),
    (
        Control(
            "examiner_replied",
            Question(en="Does the examiner reply to the doctor at least once?", zh="检查科是否至少回复过医生一次？"),
            answer=True,
        ),
        lambda lines: bool(_words(lines, "examiner")),
    ),
    (
        Control(
            "concluded",
            Question(en="Does the doctor enter a conclusion?", zh="医生是否写下了结论？"),
            answer=True,
        ),
        lambda lines: bool(_words(lines, "diagnosis")),
    ),
)


def true_questions() -> frozenset[str]:
    """The wordings of the true controls, in both languages."""
    return frozenset(control.question.in_language(language) for control, _ in _TRUE for language in LANGUAGES)


def is_false_control(question: str) -> bool:
    """A question as a judge reads it is one of the false controls, or one about a place that is made up."""
    return question in _false_questions() or _PLACE.fullmatch(question) is not None


@cache
def _false_questions() -> frozenset[str]:
    return frozenset(item.control.question.in_language(language) for item in pool() for language in LANGUAGES)


_PLACE = re.compile(r"Does the doctor mention a place called \w+\?|医生是否提到一个叫\w+的地方？")
_SYLLABLES = {
    "en": ("vel", "mo", "ra", "tin", "dua", "ke", "sol", "bri", "nax", "lo", "pem", "gu", "fer", "zi", "hol", "wen"),
    "zh": ("洛", "维", "塔", "蒙", "瑞", "卡", "弗", "贝", "诺", "希", "拉", "森", "图", "莫", "德", "尼"),
}


def _made_up(key: str, text: str) -> Control:
    """A question about a place whose name stands nowhere in the text."""
    n = 0
    while True:
        choice = [int(c, 16) for c in digest(f"{key}:place:{n}")[:4]]
        names = {language: "".join(syllables[c] for c in choice) for language, syllables in _SYLLABLES.items()}
        if not any(name in text for name in names.values()):
            en = f"Does the doctor mention a place called {names['en'].capitalize()}?"
            return Control(
                f"place_{names['en']}", Question(en=en, zh=f"医生是否提到一个叫{names['zh']}的地方？"), False
            )
        n += 1
