"""A released dialogue as an episode of ours: the doctor's words as questions, orders as the transcript marks them, the
closing report as the conclusion. Its settings say that it was replayed and that its ledger is read from words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from clinic_sim._version import __version__
from clinic_sim.cases.case import Case
from clinic_sim.cases.compiled import CompiledCase, compile_case
from clinic_sim.clinic.actions import Action, Ask, Conclude, Order
from clinic_sim.clinic.episode import Episode
from clinic_sim.clinic.events import (
    AnswerKind,
    DoctorActed,
    Ended,
    Event,
    ExamReported,
    Opened,
    Outcome,
    PatientAnswered,
    TerminationReason,
)
from clinic_sim.judge.replays.closing import conclusion
from clinic_sim.judge.replays.dialogues import Dialogue, Said
from clinic_sim.judge.replays.told import exam_shown, says_no_result, says_normal, told_facts
from clinic_sim.knowledge.exam_catalogue import catalogue
from clinic_sim.knowledge.orders import OrderItem

BY = "transcript"
"""Whose words an event has that was not played here."""
_ENDED = "the transcript ends here"
_HEADING = re.compile(r"^\s*(?:[-*#•]+\s*)?(?P<name>[^:：#\n]{2,40}?)\s*(?:#|[:：]|$)", re.MULTILINE)
_FRAME = re.compile(
    r"^(?:检查项目|辅助检查|检查结果|影像学检查|查体|检查|results?|examinations?|tests?)$", re.IGNORECASE
)
_LISTED = re.compile(r"^\s*(?:#+[^#\n]+#+|[-*•]\s*[^:：\n]{2,40}[:：]?.*)$", re.MULTILINE)


def replay(dialogue: Dialogue, case: Case) -> Episode:
    """The episode of a dialogue about this case."""
    compiled = compile_case(case)
    events: list[Event] = [Opened(0, "")]
    for event in _events(dialogue, compiled):
        events.append(_numbered(event, len(events)))
    return Episode(
        case=case.id,
        case_hash=compiled.content_hash,
        language=case.language,
        seed=0,
        version=__version__,
        settings={
            "replayed": {
                "format": dialogue.format,
                "from": dialogue.where,
                "record": dialogue.record,
                "doctor": dialogue.doctor,
                "ledger": "facts read from text",
            }
        },
        events=tuple(events),
    )


def _numbered(event: Event, n: int) -> Event:
    """The event with its number; built with 0 where it was made."""
    if isinstance(event, DoctorActed):
        return DoctorActed(n, event.action)
    if isinstance(event, PatientAnswered):
        return PatientAnswered(n, event.text, event.kind, event.facts, by=event.by)
    if isinstance(event, ExamReported):
        return ExamReported(
            n, event.code, event.name, event.outcome, event.text, event.exams, event.price, event.minutes,
            event.repeat, by=event.by,
        )  # fmt: skip
    if isinstance(event, Ended):
        return Ended(n, event.reason, event.text)
    raise TypeError(f"a replay makes no {type(event).__name__}")


def _events(dialogue: Dialogue, compiled: CompiledCase) -> Iterator[Event]:
    question = ""
    relayed: list[str] = []
    reported: set[str] = set()
    ordered: set[str] = set()
    for line in dialogue.said:
        if line.who != "examiner" and relayed and line.who != "relay":
            yield _acted(_order(relayed, ""))
            relayed = []
        if line.who == "doctor":
            question = line.text
            yield _acted(Ask(line.text))
        elif line.who == "patient":
            facts = told_facts(compiled, question, line.text)
            kind = AnswerKind.FACTS if facts else AnswerKind.NOTHING_KNOWN
            yield PatientAnswered(0, line.text, kind, facts, by=BY)
        elif line.who == "relay":
            relayed.append(line.text)
        else:
            yield _acted(_order(relayed, line.text))
            yield from _reports(compiled, relayed, line, reported, ordered)
            relayed = []
    if relayed:
        yield _acted(_order(relayed, ""))
    if dialogue.closing is not None:
        yield _acted(conclusion(dialogue.closing))
        yield Ended(0, TerminationReason.CONCLUDED)
    else:
        yield Ended(0, TerminationReason.TURN_LIMIT, _ENDED)


def _acted(action: Action) -> DoctorActed:
    return DoctorActed(0, action)


def _order(relayed: Sequence[str], report: str) -> Order:
    """The order in the transcript's words: as it was passed on, else as the report heads its results."""
    return Order(tuple(relayed) or tuple(_names(report)) or (report[:80].strip(),))


def _names(report: str) -> list[str]:
    """What a report calls the examinations that it lists."""
    found = (m["name"].strip() for line in _LISTED.findall(report) if (m := _HEADING.match(line)))
    return [name for name in dict.fromkeys(found) if not _FRAME.match(name)][:30]


def _reports(
    compiled: CompiledCase, relayed: Sequence[str], line: Said, reported: set[str], ordered: set[str]
) -> Iterator[ExamReported]:
    """One event an examination: those that were ordered, and recorded ones that the report shows unasked."""
    case, text = compiled.case, line.text
    book = catalogue()
    rest = text
    for item in _items(compiled, (*relayed, *_names(text))):
        entry = book.get(item.code) if item.code in book else None
        part = _part(text, item.text)
        matched = (case.exam(e) for e in item.matched_exam_ids)
        exams = tuple(e.id for e in matched if exam_shown(e, text, case.language, part))
        repeat = item.code in ordered or (bool(exams) and reported.issuperset(exams))
        ordered.add(item.code)
        reported.update(exams)
        name = book.name(item.code, case.language) if entry else item.name
        price, minutes = (entry.price, entry.minutes) if entry else (0.0, 0)
        outcome = _outcome(compiled, exams, part)
        # The report stands once, whole, with the first of its examinations.
        yield ExamReported(
            0, item.code, name, outcome, rest, exams, float(price or 0), int(minutes or 0), repeat, by=BY
        )
        rest = ""
    for exam in case.exams:
        if exam.id not in reported and exam_shown(exam, text, case.language):
            reported.add(exam.id)
            name = exam.name or book.name(exam.code, case.language)
            outcome = Outcome.RECORDED_NORMAL if exam.normal else Outcome.RECORDED
            yield ExamReported(0, exam.code, name, outcome, rest, (exam.id,), by=BY)
            rest = ""
    if rest:  # nothing in it was understood as an examination: its words are kept
        outcome = Outcome.NOT_RECORDED if says_no_result(text) else Outcome.DERIVED
        yield ExamReported(0, "unknown", "", outcome, rest, by=BY)


def _items(compiled: CompiledCase, orders: Sequence[str]) -> list[OrderItem]:
    found: dict[str, OrderItem] = {}
    for words in orders:
        for item in compiled.orders.read(words).items:
            found.setdefault(item.code, item)
    return list(found.values())


def _part(report: str, name: str) -> str:
    """The lines of a report under the one that names an examination; all of it where none does."""
    lines = report.splitlines()
    first = next((n for n, line in enumerate(lines) if name and name in line), None)
    if first is None:
        return report
    own = _depth(lines[first])
    after = (n for n in range(first + 1, len(lines)) if lines[n].strip() and _depth(lines[n]) <= own)
    return "\n".join(lines[first : next(after, len(lines))])


def _depth(line: str) -> int:
    """How far in a line of a list stands; a heading stands outermost."""
    bare = line.lstrip()
    return -1 if bare.startswith("#") else len(line) - len(bare)


def _outcome(compiled: CompiledCase, exams: Sequence[str], part: str) -> Outcome:
    """Recorded where the record's own result was given; a result that is not the record's was made up."""
    if exams:
        normal = all(compiled.case.exam(e).normal for e in exams)
        return Outcome.RECORDED_NORMAL if normal else Outcome.RECORDED
    if says_no_result(part):
        return Outcome.NOT_RECORDED
    if "exams" in compiled.case.provenance.missing and not says_normal(part):
        return Outcome.RECORDED  # no record to hold it against: the transcript's word is taken
    return Outcome.DERIVED


def conclusion_of(dialogue: Dialogue) -> Conclude:
    """What the closing report of a dialogue concludes; nothing where there is none."""
    return conclusion(dialogue.closing or "") if dialogue.closing else Conclude("")


def scorable(case: Case, dialogue: Dialogue) -> Case:
    """The case as far as the transcript can be held against it: an interview without a conclusion has no diagnosis,
    examinations or treatment to score, and scores none of them as zero."""
    if dialogue.closing is not None:
        return case
    missing = tuple(
        dict.fromkeys((*case.provenance.missing, "exams", "diagnosis", "basis", "treatment", "differential"))
    )
    return case.model_copy(
        update={
            "exams": (),
            "diagnosis": None,
            "treatment": (),
            "contraindicated": (),
            "red_flags": tuple(f.model_copy(update={"exams": ()}) for f in case.red_flags if f.facts),
            "provenance": case.provenance.model_copy(update={"missing": missing}),
        }
    )
