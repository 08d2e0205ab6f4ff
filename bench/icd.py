"""How often a written diagnosis becomes the right ICD-10 category, on a labelled set.

    python bench/icd.py [--half dev|held|both] [--by kind] [--ai-hospital FILE] [--errors] [--json]

The set lies in `tests/knowledge/data_icd`, with a README that says how it was made and split: strings of our own in
both languages, and pointers into the AI Hospital evaluation file, which is read where it is present. Top 1 and top 3
are by category (three characters); exact is over the strings whose label names a finer code; a negative is right when
it gives nothing, or a category that its label allows.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import time
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from clinic_sim.knowledge.diagnoses import resolve_diagnosis

sys.path.insert(0, str(Path(__file__).parent))
from shares import Share

ROOT = Path(__file__).resolve().parent.parent
SETS = ROOT / "tests" / "knowledge" / "data_icd"
AI_HOSPITAL = ROOT.parent / "shared" / "data" / "ai_hospital" / "evaluation_gpt4_onestep.jsonl"
LANGUAGES = ("en", "zh")
HALVES = ("dev", "held")
NOTHING = "-"
"""The label of what is no diagnosis."""
NEGATIVE = "negative"
POINTED = "ai-hospital"
_RECORD_FIELDS = {"reference": "reference_diagnosis", "answer": "doctor_diagnosis"}
_ANSWER = re.compile(r"诊断结果#?\s*[:：]?(.*?)(?:#+\s*诊断依据|诊断依据|$)", re.DOTALL)
_HEADING = re.compile(r"#[^#]*#")
_NUMBER = re.compile(r"(?m)^\s*[（(]?\d{1,2}\s*[.、．:：)）](?!\d)\s*")
_OPEN, _CLOSE, _CUT = "（(【[", "）)】]", "，,；;。、\n"


class StaleSetError(Exception):
    """A pointer leads to another text than the one that was labelled."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text and what it means."""

    text: str
    language: str
    kind: str
    codes: frozenset[str]
    """Any of them is right; `-` is nothing at all."""

    @property
    def half(self) -> str:
        """dev or held, by the text alone: the same words stand in one half in every list."""
        plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", self.text)).casefold()
        return HALVES[int(hashlib.sha256(plain.encode()).hexdigest()[0], 16) % 2]


@dataclass(frozen=True, slots=True)
class Result:
    """What the resolver made of a labelled text."""

    label: Labelled
    found: tuple[str, ...]
    """Codes, best first."""

    @property
    def categories(self) -> frozenset[str]:
        """The categories of the label."""
        return frozenset(code[:3] for code in self.label.codes if code != NOTHING)

    @property
    def top1(self) -> bool:
        """Whether the first code is right in its category, or rightly absent."""
        if not self.found:
            return NOTHING in self.label.codes
        return self.found[0][:3] in self.categories

    @property
    def top3(self) -> bool:
        """Whether one of the first three codes is."""
        return self.top1 or any(code[:3] in self.categories for code in self.found[:3])

    @property
    def exact(self) -> bool | None:
        """Whether the first code is right to its last character; None where only categories are labelled."""
        fine = [code for code in self.label.codes if "." in code]
        return (bool(self.found) and self.found[0] in self.label.codes) if fine else None


@dataclass(slots=True)
class Figures:
    """How a group of texts was resolved."""

    top1: Share = field(default_factory=Share)
    top3: Share = field(default_factory=Share)
    exact: Share = field(default_factory=Share)

    def add(self, result: Result) -> None:
        """Count one text."""
        self.top1.add(result.top1)
        self.top3.add(result.top3)
        if result.exact is not None:
            self.exact.add(result.exact)

    def as_json(self) -> dict[str, Any]:
        """Plain numbers with their counts."""
        return {name: {**share, "share": getattr(self, name).value} for name, share in asdict(self).items()}


def own(language: str) -> Iterator[Labelled]:
    """The strings of our own in one language."""
    for kind, codes, text in _rows(SETS / f"own_{language}.tsv", 3):
        yield Labelled(text, language, kind, frozenset(codes.split("|")))


def pointed(path: Path) -> Iterator[Labelled]:
    """The items of the AI Hospital file that pointers lead to, each text once with all its labels.

    Raises:
        StaleSetError: the file is another edition than the one that was labelled.
    """
    records = {str(record["patient_id"]): record for record in map(json.loads, path.read_text("utf-8").splitlines())}
    labels: dict[str, set[str]] = {}
    for number, section, item, codes, digest in _rows(SETS / "ai_hospital.tsv", 5):
        items = _items(records, number, section)
        text = items[int(item)] if int(item) < len(items) else ""
        if hashlib.sha256(text.encode()).hexdigest()[:8] != digest:
            raise StaleSetError(f"{path}: item {item} of the {section} of record {number} is not what was labelled")
        labels.setdefault(text, set()).update(codes.split("|"))
    for text, found in labels.items():
        yield Labelled(text, "zh", POINTED, frozenset(found))


def _items(records: dict[str, Any], number: str, section: str) -> list[str]:
    text = records[number][_RECORD_FIELDS[section]]["diagnosis"] if number in records else ""
    if section == "answer":
        match = _ANSWER.search(text)
        text = match.group(1) if match else ""
    return items_of(text)


def items_of(text: str) -> list[str]:
    """A written list of diagnoses at its numbers, lines and commas, but for those in brackets.

    Plainer than what the package does, so that what it does can be judged by it.
    """
    items, item, depth = [], "", 0
    for letter in _NUMBER.sub("\n", _HEADING.sub("\n", text)):
        depth = 0 if letter == "\n" else max(0, depth + (letter in _OPEN) - (letter in _CLOSE))
        if depth == 0 and letter in _CUT:
            items.append(item)
            item = ""
        else:
            item += letter
    return [item.strip() for item in (*items, item) if item.strip()]


def _rows(path: Path, columns: int) -> Iterator[list[str]]:
    for line in path.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            cells = line.split("\t")
            if len(cells) != columns:
                raise ValueError(f"{path.name}: {line!r} has {len(cells)} columns where {columns} are expected")
            yield cells


def labelled(ai_hospital: Path | None = AI_HOSPITAL) -> list[Labelled]:
    """The whole set; without the pointed part where its file is absent."""
    rows = [row for language in LANGUAGES for row in own(language)]
    if ai_hospital is not None and ai_hospital.is_file():
        rows += pointed(ai_hospital)
    return rows


def resolve(rows: Iterable[Labelled]) -> list[Result]:
    """Each text as the package resolves it, its language not told."""
    return [Result(row, tuple(match.icd10 for match in resolve_diagnosis(row.text, limit=3))) for row in rows]


def figures(results: Iterable[Result], by_kind: bool = False) -> dict[str, Figures]:
    """Figures of each half and language, negatives apart, and of each kind where asked."""
    groups: dict[str, Figures] = {}
    for result in results:
        label = result.label
        group = f"{label.half} {label.language}"
        names = [f"{group} {NEGATIVE if label.kind == NEGATIVE else 'all'}"]
        if label.language == "zh" and label.kind not in (NEGATIVE, POINTED):
            names.append(f"{group} own")
        if by_kind or label.kind == POINTED:
            names.append(f"{group} {label.kind}")
        for name in dict.fromkeys(names):
            groups.setdefault(name, Figures()).add(result)
    return dict(sorted(groups.items()))


def table(groups: dict[str, Figures]) -> str:
    """One row a group."""
    rows = [["", "top 1", "top 3", "exact"]]
    rows += [[name, str(group.top1), str(group.top3), str(group.exact)] for name, group in groups.items()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=(*HALVES, "both"), default="both")
    parser.add_argument("--by", choices=("kind",))
    parser.add_argument("--ai-hospital", type=Path, default=AI_HOSPITAL)
    parser.add_argument("--errors", action="store_true", help="list what went wrong in the development half")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = [row for row in labelled(arguments.ai_hospital) if arguments.half in ("both", row.half)]
    resolve_diagnosis("fever")
    began = time.perf_counter()
    results = resolve(rows)
    each = (time.perf_counter() - began) / max(len(rows), 1)
    groups = figures(results, by_kind=arguments.by is not None)
    if arguments.json:
        answer = {name: group.as_json() for name, group in groups.items()}
        print(json.dumps({"groups": answer, "milliseconds_each": 1000 * each}, ensure_ascii=False, indent=2))
    else:
        print(table(groups))
        print(f"{len(rows)} texts, {1000 * each:.2f} ms each, nothing cached")
    if arguments.errors:
        for result in results:
            # The other half is for measuring only: whoever reads its errors has spent it.
            if not result.top1 and result.label.half == "dev":
                wanted = "|".join(sorted(result.label.codes))
                print(
                    f"{result.label.language} {result.label.kind}: {result.label.text} -> {result.found}, not {wanted}"
                )


if __name__ == "__main__":
    main()
