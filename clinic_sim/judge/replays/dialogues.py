"""Reading released dialogues: AI Hospital's `dialog_history_*.jsonl` and SPBench's `dialogue_NN.json`.

A dialogue is who said what to whom, in order. What cannot be read is kept with its place and its reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from clinic_sim.cases.importers.base import RawRecord, read_records, text_of
from clinic_sim.errors import CaseError, ConfigError
from clinic_sim.judge.labels import language_of
from clinic_sim.knowledge.text import Language

Format = Literal["ai-hospital", "spbench"]
FORMATS: tuple[Format, ...] = ("ai-hospital", "spbench")
Speaker = Literal["doctor", "patient", "relay", "examiner"]
"""`relay`: the patient passes the doctor's orders on to the examiner, as AI Hospital has it."""


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that was said."""

    who: Speaker
    text: str


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One released consultation."""

    record: str
    """Number of the patient's record in the source."""
    doctor: str
    """Who played the doctor, as the source has it."""
    language: Language
    said: tuple[Said, ...]
    closing: str | None
    """The doctor's report at the end; None where the transcript ends with the interview."""
    format: Format
    where: str
    """File and line."""


@dataclass(frozen=True, slots=True)
class Unread:
    """What could not be read as a dialogue."""

    where: str
    problem: str


def read_dialogues(paths: Sequence[Path], format_: str | None = None) -> tuple[list[Dialogue], list[Unread]]:
    """The dialogues of these files or folders, in order, and what could not be read.

    Args:
        paths: Files, or folders whose `*.jsonl` (AI Hospital) or `dialogue*.json` (SPBench) are read.
        format_: The format; by default told from each file.

    Raises:
        ConfigError: a file cannot be read, no format is known for it, or nothing in it is a dialogue.
    """
    known = None
    if format_ is not None:
        known = next((f for f in FORMATS if f == format_.replace("_", "-")), None)
        if known is None:
            raise ConfigError(f"--format {format_}: no such format of dialogues; give one of {', '.join(FORMATS)}")
    found: list[Dialogue] = []
    unread: list[Unread] = []
    for path in _files(paths):
        try:
            records = list(read_records(path))
        except CaseError as exc:
            raise ConfigError(str(exc)) from exc
        for item in _READERS[known or _told_format(path, records)](path, records):
            if isinstance(item, Dialogue):
                found.append(item)
            else:
                unread.append(item)
    if not found:
        first = f"; first problem: {unread[0].where}: {unread[0].problem}" if unread else ""
        raise ConfigError(f"no dialogue in {', '.join(map(str, paths))}{first}")
    return found, unread


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        inside = sorted(p for pattern in ("dialog*.jsonl", "dialog*.json") for p in path.glob(pattern))
        if not inside:
            raise ConfigError(f"{path}: holds no dialogues (dialog*.jsonl or dialog*.json); name the files")
        yield from inside


def _told_format(path: Path, records: Sequence[RawRecord]) -> Format:
    first = next((r.value for r in records if isinstance(r.value, Mapping)), {})
    if "dialog_history" in first:
        return "ai-hospital"
    if "question" in first and "answer" in first:
        return "spbench"
    raise ConfigError(f"{path}: cannot tell its format by its fields; name it with --format ({', '.join(FORMATS)})")


_STEM = re.compile(r"^dialog(?:ue)?_history_|^dialog(?:ue)?_")
_UNFIT = re.compile(r"[^A-Za-z0-9._\-]+")
_MARK = re.compile(r"<\s*(?:对)?\s*(医生|检查员|doctor|examiner|reporter)\s*(?:讲|说)?\s*>|<\s*结束\s*>", re.IGNORECASE)
_TO_EXAMINER = frozenset({"检查员", "examiner", "reporter"})


def _ai_hospital(path: Path, records: Sequence[RawRecord]) -> Iterator[Dialogue | Unread]:
    usual = _UNFIT.sub("-", _STEM.sub("", path.stem)).strip("-") or "doctor"
    for raw in records:
        where = f"{path.name}:{raw.index}"
        value = raw.value if isinstance(raw.value, Mapping) else {}
        turns = value.get("dialog_history")
        record = text_of(value.get("patient_id"))
        if raw.problem or not isinstance(turns, list) or not record:
            yield Unread(where, raw.problem or "a dialogue has `patient_id` and `dialog_history`")
            continue
        said = [line for turn in turns if isinstance(turn, Mapping) for line in _turn(turn)]
        # The doctor's last words are the report that it is asked for when the talk is over.
        closing = said.pop().text if said and said[-1].who == "doctor" else None
        if not any(line.who == "doctor" for line in said):
            yield Unread(where, "the doctor says nothing but a report")
            continue
        name = _UNFIT.sub("-", text_of(value.get("doctor_engine_name"))).strip("-") or usual
        yield Dialogue(record, name, _language(said), tuple(said), closing, "ai-hospital", where)


_ROLES: Mapping[str, Speaker] = {"doctor": "doctor", "patient": "patient", "reporter": "examiner"}


def _turn(turn: Mapping[str, Any]) -> Iterator[Said]:
    """What one turn says; a patient's is divided by whom it speaks to."""
    who = _ROLES.get(text_of(turn.get("role")).lower())
    text = text_of(turn.get("content"))
    if who is None or not text:
        return
    if who != "patient":
        yield Said(who, text)
        return
    at, to = 0, "patient"
    pieces: list[tuple[str, str]] = []
    for mark in _MARK.finditer(text):
        pieces.append((to, text[at : mark.start()]))
        at = mark.end()
        if mark.group(1):
            to = "relay" if mark.group(1).lower() in _TO_EXAMINER else "patient"
    pieces.append((to, text[at:]))
    for to, words in pieces:
        if words.strip():
            yield Said("relay" if to == "relay" else "patient", words.strip())


def _spbench(path: Path, records: Sequence[RawRecord]) -> Iterator[Dialogue | Unread]:
    digits = re.search(r"\d+", path.stem)
    said: list[Said] = []
    for raw in records:
        value = raw.value if isinstance(raw.value, Mapping) else {}
        asked, told = text_of(value.get("question")), text_of(value.get("answer"))
        if raw.problem or not (asked or told):
            yield Unread(f"{path.name}:{raw.index}", raw.problem or "a round has `question` and `answer`")
            continue
        said += [Said("doctor", asked)] * bool(asked) + [Said("patient", told)] * bool(told)
    if digits is None or not said:
        yield Unread(path.name, "no round in it" if digits else "its name gives no number of a case")
        return
    yield Dialogue(digits.group(), "human", _language(said), tuple(said), None, "spbench", path.name)


def _language(said: Sequence[Said]) -> Language:
    return language_of("\n".join(line.text for line in said))


_READERS: Mapping[Format, Callable[[Path, Sequence[RawRecord]], Iterator[Dialogue | Unread]]] = {
    "ai-hospital": _ai_hospital,
    "spbench": _spbench,
}
