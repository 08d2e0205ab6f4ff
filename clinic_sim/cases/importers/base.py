"""What every importer shares: the record that comes out, and reading foreign files as the untrusted input they are.

Foreign files may be broken, hostile or simply other than described. Whatever can be told apart by record fails alone
(`BrokenRecord`, with its line); what concerns the whole source is a `CaseError`. Every string that leaves this module
is free of control characters and lone surrogates, and no value nests deeper than `MAX_DEPTH`.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from clinic_sim.cases.case import Case
from clinic_sim.errors import CaseError

MAX_SOURCE_BYTES = 256_000_000
MAX_RECORD_CHARS = 1_000_000
"""A health record is a few tens of kilobytes; one beyond this is not a record."""
MAX_DEPTH = 24
MAX_STRING = 20_000
"""Characters of one field; the longest of a full hospital record has a few thousand."""

Status = Literal["imported", "failed", "duplicate"]


@dataclass(frozen=True, slots=True)
class ImportedRecord:
    """One record of the source: the case it became, or why it did not."""

    index: int
    """Line or case number in the source; line numbers start at 1."""
    case: Case | None
    status: Status
    missing: tuple[str, ...] = ()
    """Sections that the source record does not hold."""
    flags: tuple[str, ...] = ()
    """Findings of the lints, such as `leak:patientProfile.idea`."""
    problem: str = ""
    """Why it failed, or of which case it is a duplicate."""
    withheld: tuple[str, ...] = ()
    """Source paths of words kept out of the case, because the patient would give the diagnosis away with them."""
    unread: tuple[str, ...] = ()
    """Source paths with content that the importer has no place for."""
    origin: str = ""
    """Name of the source file."""


@dataclass(frozen=True, slots=True)
class RawRecord:
    """One record as read: its number, its file and its cleaned value, or why it cannot be read."""

    index: int
    origin: str
    value: Any = None
    problem: str = ""


@dataclass(slots=True)
class Findings:
    """What is noticed while one record is turned into a case, in order and without repetition."""

    flags: list[str] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def flag(self, text: str) -> None:
        """Note a flag once."""
        if text not in self.flags:
            self.flags.append(text)

    def withhold(self, path: str) -> None:
        """Note that words of this path stay out of the case, and flag it as a leak."""
        if path not in self.withheld:
            self.withheld.append(path)
        self.flag(f"leak:{path}")


class BrokenRecord(Exception):
    """This record cannot become a case; the others can."""


def read_records(path: Path) -> Iterator[RawRecord]:
    """The records of one JSON or JSON-lines file.

    A `.jsonl` file holds one record a line and a line that cannot be read fails alone. Any other file holds one JSON
    value: a list of records, or one record.

    Raises:
        CaseError: the file is absent, too large, not UTF-8, or not JSON as a whole.
    """
    text = _read_text(path)
    if path.suffix.lower() in {".jsonl", ".ndjson"}:
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                yield _record(number, path.name, line, f"line {number}")
        return
    try:
        value = json.loads(text)
    except RecursionError as exc:
        raise CaseError(f"{path}: nests too deep to be a set of records") from exc
    except ValueError as exc:
        raise CaseError(f"{path}: is not JSON: {exc}") from exc
    items = value if isinstance(value, list) else [value]
    for number, item in enumerate(items, 1):
        try:
            yield RawRecord(number, path.name, clean(item))
        except BrokenRecord as exc:
            yield RawRecord(number, path.name, problem=f"record {number}: {exc}")


def _read_text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > MAX_SOURCE_BYTES:
            raise CaseError(f"{path}: {size} bytes; a source file may have at most {MAX_SOURCE_BYTES}")
        return path.read_text("utf-8-sig")
    except OSError as exc:
        raise CaseError(f"{path}: cannot be read: {exc.strerror or exc}") from exc
    except UnicodeDecodeError as exc:
        raise CaseError(f"{path}: is not UTF-8 text (byte {exc.start})") from exc


def _record(number: int, origin: str, text: str, where: str) -> RawRecord:
    if len(text) > MAX_RECORD_CHARS:
        return RawRecord(number, origin, problem=f"{where}: {len(text)} characters; at most {MAX_RECORD_CHARS}")
    try:
        return RawRecord(number, origin, clean(json.loads(text)))
    except RecursionError:
        return RawRecord(number, origin, problem=f"{where}: nests too deep")
    except (ValueError, BrokenRecord) as exc:
        return RawRecord(number, origin, problem=f"{where}: not a readable JSON record: {exc}")


def clean(value: Any, depth: int = 0) -> Any:
    """The value with every string and key made printable; numbers and truth values become strings where they stand.

    Raises:
        BrokenRecord: it nests deeper than `MAX_DEPTH` or holds a string longer than `MAX_STRING`.
    """
    if depth > MAX_DEPTH:
        raise BrokenRecord(f"nests deeper than {MAX_DEPTH} levels")
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {printable(str(k)).strip(): clean(v, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [clean(v, depth + 1) for v in value]
    return value


def printable(text: str) -> str:
    """The text without control characters, lone surrogates and byte-order marks; line ends and tabs stay."""
    if len(text) > MAX_STRING:
        raise BrokenRecord(f"holds a text of {len(text)} characters; at most {MAX_STRING}")
    if text.isascii() and text.isprintable():
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u00a0", " ")
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs", "Cf", "Co", "Cn"})


def text_of(value: Any) -> str:
    """A scalar as text; None and containers as an empty string."""
    if value is None or isinstance(value, Mapping | list):
        return ""
    return str(value).strip()


def leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every non-empty scalar below a value, with its path, in the record's order."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{number}]")
    elif text := text_of(value):
        yield path, text


_NOTHING_EN = re.compile(
    r"(?:n/?a\b.*|none|nil|null|unknown|unspecified|-+|\.+|"
    r"[^,;.:]{0,70}\bnot (?:yet )?(?:provided|specified|available|applicable|mentioned|recorded|documented|disclosed|"
    r"stated|assessed|obtained|performed|included|indicated (?:at|in|for))\b.*|"
    r"no (?:additional|further|other|specific|relevant|detailed|significant)?[\w ,/\-]*"
    r"(?:information|details?|data|history)\b[\w ,/\-]*(?:provided|available|given|specified|disclosed)\b[^.]*|"
    r"no (?:additional|further|other) [\w ,/\-]*(?:provided|specified|mentioned|noted|reported|available|given)\b[^.]*|"
    r"no mention of\b[^.]*|unable to (?:obtain|assess|provide)\b.*|"
    r"(?:the patient )?(?:did not|didn['’]t|does not) (?:provide|specify|disclose|mention)\b.*)",
    re.IGNORECASE,
)
_NOTHING_ZH = re.compile(
    r"(?:无|不适用|不详|未知|未提供|未提及|未记录|未描述|未述|未查|未见报告|暂无|缺|空|没有|略|[-—/\\×*]+|"
    r"(?:[\u4e00-\u9fff]{0,6})?(?:见|同|参见|详见)(?:现病史|既往史|上述?|主诉)|如[上前](?:所述)?|"
    r"(?:暂?无|未提供|未提及)(?:相关|其他|特殊)?(?:信息|资料|记录|描述|内容)|无(?:特殊|其他)?(?:说明|补充))"
)


def says_nothing(text: str) -> bool:
    """Whether a field holds only a placeholder: `None`, `Not provided`, `No additional information provided`, `无`."""
    bare = text.strip().strip("。.；;，, ")
    if not bare:
        return True
    return bool(_NOTHING_EN.fullmatch(bare) or _NOTHING_ZH.fullmatch(bare))


def slug(text: str, most: int = 48) -> str:
    """Lower-case ASCII name of a text; Chinese and other scripts become a short digest, so that names stay apart."""
    plain = unicodedata.normalize("NFKD", text)
    ascii_part = re.sub(r"[^a-z0-9]+", "_", plain.encode("ascii", "ignore").decode().lower()).strip("_")
    if any(unicodedata.category(c) == "Lo" for c in text):
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        ascii_part = f"{ascii_part}_{digest}".strip("_")
    return ascii_part[:most].strip("_") or hashlib.sha256(text.encode()).hexdigest()[:8]


def digest_of(value: Any) -> str:
    """Digest of a record's content: equal content, equal digest."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
