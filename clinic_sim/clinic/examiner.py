"""The examiner: orders to typed outcomes. What the record lacks is not called normal unless that policy was chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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
        request = read_orders(room, orders)
        performed = self.perform(room, request.items)
        clarified = clarify(room, request, len(room.events) + len(performed))
        return [*performed, clarified] if clarified else [*performed]

    def perform(self, room: Room, items: Iterable[OrderItem]) -> list[ExamReported]:
        """The reports of these examinations, each code once; event numbers start at the room's next."""
        events: list[ExamReported] = []
        reported = set(room.ledger.exams)
        money, count = room.ledger.money, len(room.ledger.orders)
        for item in _once(items):
            event = self._one(room, item, len(room.events) + len(events), money, count, reported)
            reported.update(event.exams)
            money += event.price
            count += event.outcome is not Outcome.REFUSED and not event.repeat
            events.append(event)
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
            outcome, text = self._unrecorded(room, item.code, name)
            return ExamReported(n, item.code, name, outcome, text, (), price, minutes, repeat)
        outcome = _outcome(exams)
        text = "\n".join(report_text(case, exam, room.language) for exam in exams)
        return ExamReported(n, item.code, name, outcome, text, tuple(e.id for e in exams), price, minutes, repeat)

    def _unrecorded(self, room: Room, code: str, name: str) -> tuple[Outcome, str]:
        derived = normal_text(room, code, name) if self.unrecorded == "normal" else None
        return (Outcome.DERIVED, derived) if derived else (Outcome.NOT_RECORDED, not_recorded_text(room, name))


@dataclass(frozen=True, slots=True)
class Request:
    """What one turn orders."""

    items: tuple[OrderItem, ...]
    vague: tuple[str, ...]
    unknown: tuple[str, ...]


def read_orders(room: Room, orders: Iterable[str]) -> Request:
    """The orders of one turn, by the lexicon."""
    readings = [room.compiled.orders.read(text) for text in orders]
    return Request(
        tuple(_once(item for r in readings for item in r.items)),
        tuple(dict.fromkeys(v for r in readings for v in r.vague)),
        tuple(dict.fromkeys(u for r in readings for u in r.unknown)),
    )


def clarify(room: Room, request: Request, n: int) -> ExamClarified | None:
    """Asks for what the request leaves open; None where it leaves nothing."""
    words = _WORDS[room.language]
    lines = [
        words[key].format(names=_quoted(list(names), room.language))
        for key, names in (("vague", request.vague), ("unknown", request.unknown))
        if names
    ]
    if not request.items and not lines:
        lines = [words["empty"]]
    return ExamClarified(n, " ".join(lines), request.vague, request.unknown) if lines else None


def derived_text(room: Room, name: str, result: str) -> str:
    """A result that is not on record, and says so."""
    return f"{name}: {result} {_WORDS[room.language]['derived']}"


def normal_text(room: Room, code: str, name: str) -> str | None:
    """A seeded normal result; None where the examination has no quantity."""
    derived = derived_normal(code, room.language, seed=room.seed)
    return None if derived is None else derived_text(room, name, derived)


def not_recorded_text(room: Room, name: str) -> str:
    """What is said of an examination that the record lacks."""
    return f"{name}: {_WORDS[room.language]['not_recorded']}"


def _once(items: Iterable[OrderItem]) -> Iterable[OrderItem]:
    """Each code once, at its first place."""
    found: dict[str, OrderItem] = {}
    for item in items:
        found.setdefault(item.code, item)
    return found.values()


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
