"""Which facts an answer tells, and which exams a report shows, read from their words.

For transcripts that were not made here, whose answers were written freely and may contradict the record: what an answer
says otherwise than the record was not found out. Where words are our own, the ledger knows, and nobody asks this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.cases.exams import Exam
from clinic_sim.cases.facts import Fact, Polarity
from clinic_sim.clinic.patient.select import select_facts
from clinic_sim.clinic.persona import Persona
from clinic_sim.knowledge.meaning import Meaning, annotate
from clinic_sim.knowledge.text import Language
from clinic_sim.knowledge.topics import Topic
from clinic_sim.knowledge.treatments import text_overlap

NAMED = 0.5
"""Share of a fact's concepts that the answer must name with the record's polarity."""
WORDED = 0.5
"""Share of a fact's words that must stand in an answer where no concept tells."""
SHOWN = 0.3
"""Share of a recorded result's words that must stand in a report that was asked for it."""
UNASKED = 0.6
"""The same in a report that was asked for something else."""
_PART = re.compile(r"[^。！？!?；;\n]+")
_CLAUSE = re.compile(r"[^，,。！？!?；;\n]+")
"""Not at 、: what is denied there is denied to the end of its list."""
_LEAD = re.compile(r"^[\s\d.、()（）\-*•:：]+")
_YES = re.compile(
    r"^(?:是的?|对的?|有的?|嗯|会的?|yes\b|yeah\b|yep\b|i do\b|i did\b|i have\b|correct\b)", re.IGNORECASE
)
_NO = re.compile(
    r"^(?:没有|没|无|不是|不会|不|否认|未"
    r"|no\b|none\b|nope\b|not (?:really|that)\b|never\b|i don['’]?t\b|i haven['’]?t\b)",
    re.IGNORECASE,
)
_BARE = 8
"""Characters of a reply that says no more than yes or no."""
_NO_RESULT = re.compile(
    r"无(?:相关)?(?:检查)?结果|暂无|未(?:进行|检查|做|查|提供)|没有(?:相关|记录)|无法提供|无记录|[:：]\s*无\s*[。;；]?$"
    r"|\b(?:no result|not (?:available|performed|recorded|done)|unavailable)\b",
    re.IGNORECASE | re.MULTILINE,
)
_NORMAL = re.compile(
    r"无异常|未见(?:明显)?异常|正常|阴性|\b(?:normal|unremarkable|negative|no abnormalit)", re.IGNORECASE
)
_OWN_WORDS = frozenset({Topic.IDENTITY, Topic.IDEA, Topic.CONCERN, Topic.EXPECTATION})
"""Headings under which a concept tells nothing: fearing a disease names it too."""
_PLAIN = Persona()


_OPPOSITE = {Polarity.PRESENT: Polarity.ABSENT, Polarity.ABSENT: Polarity.PRESENT}


@dataclass(frozen=True, slots=True)
class _Clause:
    text: str
    meaning: Meaning


def told_facts(compiled: CompiledCase, question: str, answer: str) -> tuple[str, ...]:
    """Ids of the facts that an answer tells, in the case's order; a repeated fact with those that repeat it."""
    case = compiled.case
    clauses = list(_clauses(answer, case.language))
    said: dict[Polarity, set[str]] = {polarity: set() for polarity in Polarity}
    for clause in clauses:
        said[clause.meaning.polarity].update(clause.meaning.concepts)
    replied = _replied(compiled, question, answer, said)
    found = [
        fact.id
        for fact, meaning in zip(case.facts, compiled.meanings, strict=True)
        if fact.id in replied or _tells(fact, meaning, answer, said, case.language)
    ]
    return tuple(dict.fromkeys(e for f in found for e in (f, *compiled.echoes.get(f, ()))))


def _tells(fact: Fact, meaning: Meaning, answer: str, said: dict[Polarity, set[str]], language: Language) -> bool:
    if fact.topic in _OWN_WORDS:
        return text_overlap(fact.statement, answer, language) >= WORDED
    own = set(meaning.concepts)
    if own & said[_OPPOSITE.get(fact.polarity, Polarity.UNKNOWN)] and not own & said[fact.polarity]:
        return False  # the answer says the opposite
    if text_overlap(fact.statement, answer, language) >= WORDED and (not own or own & said[fact.polarity]):
        return True
    if not own or not _distinct(fact):
        return False
    return len(own & said[fact.polarity]) >= NAMED * len(own)


def _distinct(fact: Fact) -> bool:
    """Its concepts say it: not that a story's clause names the complaint again beside when or how."""
    return fact.topic is not Topic.PRESENT_ILLNESS or len(fact.statement) <= 24 or fact.polarity is Polarity.ABSENT


def _replied(compiled: CompiledCase, question: str, answer: str, said: dict[Polarity, set[str]]) -> frozenset[str]:
    """Facts that a plain yes or no tells: those that the question asks for by name."""
    parts = [_LEAD.sub("", p) for p in _PART.findall(answer)]
    first = next((c.strip() for p in parts for c in _CLAUSE.findall(p) if c.strip()), "")
    if not question or not first or len(first) > _BARE * (1 if compiled.case.language == "zh" else 3):
        return frozenset()
    polarity = Polarity.ABSENT if _NO.match(first) else Polarity.PRESENT if _YES.match(first) else None
    if polarity is None:
        return frozenset()
    other = _OPPOSITE[polarity]
    chosen = select_facts(compiled, question[-2_000:], _PLAIN)
    found = set()
    for choice in chosen.choices:
        fact, meaning = compiled.case.facts[choice.index], compiled.meanings[choice.index]
        if choice.strength == "specific" and fact.polarity is polarity and not set(meaning.concepts) & said[other]:
            found.add(fact.id)
    return frozenset(found)


def _clauses(text: str, language: Language) -> Iterator[_Clause]:
    """Clauses with their meanings; one without a subject of its own goes on with that before it."""
    for part in _PART.findall(text):
        before: Meaning | None = None
        for match in _CLAUSE.finditer(_LEAD.sub("", part)):
            words = match.group().strip()
            if words:
                before = annotate(words, language=language, context=before)
                yield _Clause(words, before)


def exam_shown(exam: Exam, report: str, language: Language, part: str | None = None) -> bool:
    """The report gives this exam's recorded result: its words, or, where it was asked for, that it is normal.

    Args:
        part: The part of the report that answers an order of it; None where none was made.
    """
    # The examination's own name says nothing of its result.
    result, given = (text.replace(exam.name, " ") if exam.name else text for text in (exam.report, report))
    if text_overlap(result, given, language) >= (UNASKED if part is None else SHOWN):
        return True
    return part is not None and exam.normal and says_normal(part) and not _NO_RESULT.search(part)


def says_no_result(text: str) -> bool:
    """A report that there is nothing to report."""
    return bool(_NO_RESULT.search(text)) and not _NORMAL.search(text)


def says_normal(text: str) -> bool:
    """A report of nothing abnormal."""
    return bool(_NORMAL.search(text))
