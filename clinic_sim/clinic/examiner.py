"""The examiner: orders to typed outcomes. What the record lacks is not called normal unless that policy was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from clinic_sim.cases.case import Case
from clinic_sim.cases.exams import Exam, Measurement
from clinic_sim.clinic.applicability import inapplicable
from clinic_sim.clinic.events import ExamClarified, ExamReported, Outcome
from clinic_sim.clinic.room import Room
from clinic_sim.knowledge.exam_catalogue import catalogue
from clinic_sim.knowledge.exam_derived import derived_normal
from clinic_sim.knowledge.orders import OrderItem

UnrecordedPolicy = Literal["not_recorded", "normal"]

_WORDS = {
    "en": {
        "not_recorded": "no result is on record for this patient",
        "not_applicable": "not applicable to this patient",
        "pending": "the result is pending",
        "money": "not performed: the budget does not cover it",
        "exams": "not performed: the limit on examinations is reached",
        "derived": "(derived, not on record)",
        "vague": "Please be specific: {names} could mean many examinations. Name each one you want.",
        "unknown": "No examination known here matches {names}. Please name it as the order form would.",
        "empty": "No examination was named. Please name each one you want.",
        "normal": "normal",
    },
    "zh": {
        "not_recorded": "病历中没有该项结果",
        "not_applicable": "不适用于该患者",
        "pending": "结果未回",
        "money": "未执行：超出费用预算",
        "exams": "未执行：已达检查次数上限",
        "derived": "（推定值，非病历记录）",
        "vague": "请写明具体项目：{names}范围太大，请逐项列出要做的检查。",
        "unknown": "没有找到与{names}对应的检查项目，请按申请单的名称填写。",
        "empty": "没有写明检查项目，请逐项列出要做的检查。",
        "normal": "正常",
    },
}


class OfflineExaminer:
    """Reports from the record by catalogue code; deterministic, and never waits."""

    suspends = False
    name = "offline"
    settings: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, unrecorded: UnrecordedPolicy = "not_recorded") -> None:
        self.unrecorded = unrecorded

    async def report(self, room: Room, orders: tuple[str, ...]) -> list[ExamReported | ExamClarified]:
        """Perform and report the orders of one turn; event numbers start at the room's next."""
        events: list[ExamReported | ExamClarified] = []
        vague: dict[str, None] = {}
        unknown: dict[str, None] = {}
        done: set[str] = set()
        reported = set(room.ledger.exams)
        money, count = room.ledger.money, len(room.ledger.orders)
        for text in orders:
            reading = room.compiled.orders.read(text)
            vague.update(dict.fromkeys(reading.vague))
            unknown.update(dict.fromkeys(reading.unknown))
            for item in reading.items:
                if item.code in done:
                    continue
                done.add(item.code)
                event = self._one(room, item, len(room.events) + len(events), money, count, reported)
                reported.update(event.exams)
                money += event.price
                count += event.outcome is not Outcome.REFUSED and not event.repeat
                events.append(event)
        words = _WORDS[room.language]
        lines = [
            words[key].format(names=_quoted(list(names), room.language))
            for key, names in (("vague", vague), ("unknown", unknown))
            if names
        ]
        if not events and not lines:
            lines = [words["empty"]]
        if lines:
            n = len(room.events) + len(events)
            events.append(ExamClarified(n, " ".join(lines), tuple(vague), tuple(unknown)))
        return events

    def _one(self, room: Room, item: OrderItem, n: int, money: float, count: int, reported: set[str]) -> ExamReported:
        words = _WORDS[room.language]
        case = room.compiled.case
        exams = [case.exam(e) for e in item.matched_exam_ids]
        name = _name(item, room.language)
        price, minutes = _charges(item, exams)
        if room.limits.money is not None and money + price > room.limits.money:
            return ExamReported(n, item.code, name, Outcome.REFUSED, f"{name}: {words['money']}")
        if room.limits.exams is not None and count >= room.limits.exams:
            return ExamReported(n, item.code, name, Outcome.REFUSED, f"{name}: {words['exams']}")
        repeat = item.code in room.ledger.orders or (bool(exams) and all(e.id in reported for e in exams))
        if not exams and inapplicable(item.code, case.demographics):
            return ExamReported(n, item.code, name, Outcome.NOT_APPLICABLE, f"{name}: {words['not_applicable']}")
        if not exams:
            outcome, text = self._unrecorded(room, item, name)
            return ExamReported(n, item.code, name, outcome, text, (), price, minutes, repeat)
        outcome = _outcome(exams)
        text = "\n".join(report_text(case, exam, room.language) for exam in exams)
        return ExamReported(n, item.code, name, outcome, text, tuple(e.id for e in exams), price, minutes, repeat)

    def _unrecorded(self, room: Room, item: OrderItem, name: str) -> tuple[Outcome, str]:
        words = _WORDS[room.language]
        if self.unrecorded == "normal":
            derived = derived_normal(item.code, room.language, seed=room.seed)
            if derived is not None:
                return Outcome.DERIVED, f"{name}: {derived} {words['derived']}"
        return Outcome.NOT_RECORDED, f"{name}: {words['not_recorded']}"


def report_text(case: Case, exam: Exam, language: str) -> str:
    """One recorded result as the examiner reports it."""
    words = _WORDS[language]
    name = exam_name(exam, language)
    if exam.pending:
        return f"{name}: {words['pending']}"
    missing = [m for m in exam.measurements if _value(m) not in exam.report]
    values = "; ".join(_measured(m) for m in missing)
    return f"{name}: {exam.report}" + (f" [{values}]" if values else "")


def exam_name(exam: Exam, language: str) -> str:
    """The exam's name as shown: the report's own, or the catalogue's."""
    return exam.name or catalogue().name(exam.code, language)


def _measured(m: Measurement) -> str:
    limits = ""
    if m.low is not None or m.high is not None:
        low, high = ("" if v is None else f"{v:g}" for v in (m.low, m.high))
        limits = f" ({low}–{high})"
    return f"{m.name} {_value(m)}{' ' + m.unit if m.unit else ''}{limits}"


def _value(m: Measurement) -> str:
    return f"{m.value:g}" if isinstance(m.value, int | float) else m.value


def _outcome(exams: list[Exam]) -> Outcome:
    if all(e.pending for e in exams):
        return Outcome.PENDING
    if all(e.normal for e in exams if not e.pending):
        return Outcome.RECORDED_NORMAL
    return Outcome.RECORDED


def _charges(item: OrderItem, exams: list[Exam]) -> tuple[float, int]:
    """Price and turnaround: the record's own where it gives them, the catalogue's otherwise."""
    book = catalogue()
    entry = book.get(item.code) if item.code in book else None
    price = next((e.price for e in exams if e.price is not None), entry.price if entry else 0.0)
    minutes = next((e.minutes for e in exams if e.minutes is not None), entry.minutes if entry else 0)
    return float(price), int(minutes)


def _name(item: OrderItem, language: str) -> str:
    book = catalogue()
    return book.name(item.code, language) if item.code in book else item.name


def _quoted(names: list[str], language: str) -> str:
    marks, comma = ("“{}”", "、") if language == "zh" else ("“{}”", ", ")
    return comma.join(marks.format(name[:80]) for name in names[:6])
