"""How well the guard on a patient's words tells honest answers from bad ones, on a labelled set.

    python bench/guard.py [FILE ...] [--scenarios PACK_OR_FOLDER ...] [--by kind|style|case] [--errors] [--json]

A set is JSON lines: `case`, `question`, `facts` (ids chosen for the answer), `told` (ids told earlier), `text` (the
patient's words), `label` (`clean`, `leak`, `invention`, `contradiction`), `kind` and `style`. By default the two sets
of the test suite are measured, whose author never saw the guard and on which nothing was fitted. An utterance is
rejected when the guard has any objection. Below the table stands what the guard would catch if its bounds were moved
so far that 3, 5 or 10 % of the honest answers were rejected.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from clinic_sim.cases.compiled import CompiledCase, compile_case
from clinic_sim.cases.packs import load_pack
from clinic_sim.clinic.patient.speech.signs import described
from clinic_sim.clinic.patient.speech.weighing import weigh
from clinic_sim.clinic.patient.words import answer_of, objections_of_rules, review_words

sys.path.insert(0, str(Path(__file__).parent))
from shares import Share

SETS = Path(__file__).resolve().parent.parent / "tests" / "guard"
PACKS = ("core-en", "core-zh")
CLEAN = "clean"
BAD = ("leak", "invention", "contradiction")
NAMED = {"leak": {"leak"}, "invention": {"invention", "unchosen"}, "contradiction": {"contradiction"}}
"""Objections that name a label rightly, by the part of their kind before the colon."""
RATES = (0.03, 0.05, 0.10)
HARD = 50.0
"""Doubt beyond which there is an objection that is never withdrawn."""
QUANTITIES = {"number", "duration", "time", "dose"}
"""Kinds of item where invention and contradiction are two names of one fault: a wrong quantity earns either."""


@dataclass(frozen=True, slots=True)
class Item:
    """One labelled utterance with the guard's verdict."""

    id: str
    language: str
    case: str
    label: str
    kind: str
    style: str
    text: str
    objections: tuple[tuple[str, str], ...]
    """Kind and detail of each."""
    doubt: float
    """How far the words are from being accepted; above 0 the guard rejects them."""

    @property
    def rejected(self) -> bool:
        """Whether the patient's words would be refused."""
        return bool(self.objections)

    @property
    def wrong(self) -> bool:
        """Whether the verdict goes against the label."""
        return self.rejected == (self.label == CLEAN)

    @property
    def named(self) -> bool:
        """Whether some objection says what is wrong, beyond that something is."""
        wanted = set(NAMED.get(self.label, ()))
        if self.kind in QUANTITIES and self.label != "leak":
            wanted = NAMED["invention"] | NAMED["contradiction"]
        return any(kind.split(":")[0] in wanted for kind, _ in self.objections)


def _by_label() -> dict[str, Share]:
    return {label: Share() for label in BAD}


@dataclass(slots=True)
class Figures:
    """What the guard did with a group of utterances."""

    clean_rejected: Share = field(default_factory=Share)
    recall: dict[str, Share] = field(default_factory=_by_label)
    named: dict[str, Share] = field(default_factory=_by_label)
    """Share of a label's utterances that were rejected as what they are."""
    precision: Share = field(default_factory=Share)
    """Share of the rejected utterances that were bad."""

    def add(self, item: Item) -> None:
        """Count one utterance."""
        if item.label == CLEAN:
            self.clean_rejected.add(item.rejected)
        else:
            self.recall[item.label].add(item.rejected)
            self.named[item.label].add(item.named)
        if item.rejected:
            self.precision.add(item.label != CLEAN)

    def as_json(self) -> dict[str, Any]:
        """Plain numbers with their counts."""

        def plain(share: Share) -> dict[str, Any]:
            return {**asdict(share), "share": share.value}

        return {
            "clean_rejected": plain(self.clean_rejected),
            "recall": {label: plain(share) for label, share in self.recall.items()},
            "named": {label: plain(share) for label, share in self.named.items()},
            "precision": plain(self.precision),
        }


def compiled_cases(packs: Iterable[str]) -> dict[str, CompiledCase]:
    """All cases of the packs by id, compiled."""
    return {case.id: compile_case(case) for pack in packs for case in load_pack(pack).cases}


def utterances(path: Path) -> Iterator[dict[str, Any]]:
    """The labelled utterances of a file."""
    for line in path.read_text("utf-8").splitlines():
        if line.strip():
            yield json.loads(line)


def review(path: Path, compiled: dict[str, CompiledCase]) -> Iterator[Item]:
    """The guard's verdict on each utterance of a file."""
    for row in utterances(path):
        case = compiled[row["case"]]
        verdict = review_words(
            case, row["text"], facts=tuple(row["facts"]), told=tuple(row["told"]), question=row["question"]
        )
        answer = answer_of(case, row["text"], row["facts"], row["told"], row["question"])
        faults = objections_of_rules(case, answer)
        yield Item(
            id=row["id"],
            language=case.case.language,
            case=row["case"],
            label=row["label"],
            kind=row["kind"],
            style=row["style"],
            text=row["text"],
            objections=tuple((each.kind, each.detail) for each in verdict.objections),
            doubt=weigh(described(answer, faults)).doubt,
        )


def figures(items: Iterable[Item], by: str | None = None) -> dict[str, Figures]:
    """Figures for each language, for each value of `by` if given, and for all."""
    groups: dict[str, Figures] = {}
    for item in items:
        names = [item.language, "all"]
        if by is not None:
            names.append(f"{item.language} {item.label} {getattr(item, by)}")
        for name in names:
            groups.setdefault(name, Figures()).add(item)
    return dict(sorted(groups.items(), key=lambda pair: (pair[0] == "all", " " in pair[0], pair[0])))


def curve(items: list[Item]) -> dict[str, dict[float, dict[str, float | None]]]:
    """For each language and for all: what is caught of each label when the bounds move together so far that a share of
    the honest answers is rejected; None where objections that are never withdrawn reject more than that already."""
    found: dict[str, dict[float, dict[str, float | None]]] = {}
    for name in (*sorted({item.language for item in items}), "all"):
        group = [item for item in items if name in (item.language, "all")]
        honest = sorted((item.doubt for item in group if item.label == CLEAN), reverse=True)
        found[name] = {}
        for rate in RATES:
            bound = honest[min(int(rate * len(honest)), len(honest) - 1)] if honest else 0.0
            shares = {label: Share() for label in BAD}
            for item in group:
                if item.label != CLEAN:
                    shares[item.label].add(item.doubt > bound)
            found[name][rate] = {label: share.value if bound < HARD else None for label, share in shares.items()}
    return found


def curve_table(found: dict[str, dict[float, dict[str, float | None]]]) -> str:
    """One row a language and rate."""
    lines = ["recall where so many honest answers are rejected"]
    for name, rates in found.items():
        for rate, shares in rates.items():
            cells = "  ".join(f"{label} {'-' if share is None else f'{share:.3f}'}" for label, share in shares.items())
            lines.append(f"{name:4} {rate:4.0%}  {cells}")
    return "\n".join(lines)


def table(groups: dict[str, Figures]) -> str:
    """One row a group."""
    head = [
        "",
        "clean rejected",
        *(f"{label} rejected" for label in BAD),
        *(f"as {label}" for label in BAD),
        "precision",
    ]
    rows = [head]
    for name, group in groups.items():
        shares = [group.clean_rejected, *group.recall.values(), *group.named.values(), group.precision]
        rows.append([name, *map(str, shares)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, default=sorted(SETS.glob("utterances_*.jsonl")))
    parser.add_argument("--scenarios", nargs="+", default=list(PACKS))
    parser.add_argument("--by", choices=("kind", "style", "case"))
    parser.add_argument("--errors", action="store_true", help="list what went wrong; not for tuning on the test sets")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    compiled = compiled_cases(arguments.scenarios)
    items = [item for path in arguments.files for item in review(path, compiled)]
    groups = figures(items, arguments.by)
    wrong = [item for item in items if item.wrong]
    if arguments.json:
        answer: dict[str, Any] = {name: group.as_json() for name, group in groups.items()}
        answer["curve"] = curve(items)
        if arguments.errors:
            answer["errors"] = [asdict(item) for item in wrong]
        print(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    print(table(groups))
    print(curve_table(curve(items)))
    if arguments.errors:
        for item in wrong:
            print(f"{item.id} {item.label}/{item.kind}: {item.text} {list(item.objections)}")


if __name__ == "__main__":
    main()
