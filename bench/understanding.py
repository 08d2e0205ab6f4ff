"""Precision and recall of question understanding on a labelled set.

    python bench/understanding.py [FILE ...] [--scenarios PACK_OR_FOLDER ...] [--errors]

A set is JSON lines: `case` (an id in the packs), `text` (the utterance), `facts` (ids that answer it; empty when
nothing on record does), and optionally `also` (ids that may come along without being asked for). By default the two
sets of the test suite are measured, which somebody wrote on the core packs without having seen the lexicon.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clinic_sim.cases.case import Case
from clinic_sim.cases.compiled import compile_case
from clinic_sim.cases.packs import load_pack
from clinic_sim.clinic.patient.select import select_facts
from clinic_sim.clinic.persona import Persona

SETS = Path(__file__).resolve().parent.parent / "tests" / "understanding"
PACKS = ("core-en", "core-zh")


@dataclass(slots=True)
class Tally:
    """Counts over questions."""

    questions: int = 0
    exact: int = 0
    right: int = 0
    chosen: int = 0
    wanted: int = 0

    @property
    def precision(self) -> float:
        """Share of the chosen facts that were asked for."""
        return self.right / self.chosen if self.chosen else 1.0

    @property
    def recall(self) -> float:
        """Share of the facts asked for that were chosen."""
        return self.right / self.wanted if self.wanted else 1.0


def cases(packs: Iterable[str]) -> dict[str, Case]:
    """All cases of the packs by id."""
    return {case.id: case for pack in packs for case in load_pack(pack).cases}


def questions(path: Path) -> Iterator[dict[str, Any]]:
    """The labelled questions of a file."""
    for line in path.read_text("utf-8").splitlines():
        if line.strip():
            yield json.loads(line)


def chosen_by(case: Case, text: str) -> set[str]:
    """Facts that the patient would tell or hold back: understood in either case. Echoes count as what they repeat."""
    selection = select_facts(compile_case(case), text, Persona())
    return {case.fact(f).echo_of or f for f in (*selection.facts, *selection.held)}


def measure(path: Path, known: dict[str, Case]) -> tuple[Tally, list[str]]:
    """The tally of a set, and one line for each question that was not read exactly."""
    tally, errors = Tally(), []
    for item in questions(path):
        case = known[item["case"]]
        wanted = {case.fact(f).echo_of or f for f in item["facts"]}
        also = {case.fact(f).echo_of or f for f in item.get("also", ())}
        chosen = chosen_by(case, item["text"])
        tally.questions += 1
        tally.exact += wanted <= chosen <= wanted | also
        tally.right += len(chosen & wanted)
        tally.chosen += len(chosen - also | chosen & wanted)
        tally.wanted += len(wanted)
        if not wanted <= chosen <= wanted | also:
            missed, wrong = sorted(wanted - chosen), sorted(chosen - wanted - also)
            errors.append(f"{item['case']}: {item['text']}\n    missed {missed}  wrong {wrong}")
    return tally, errors


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--scenarios", nargs="*", default=list(PACKS))
    parser.add_argument("--errors", action="store_true", help="print every question that was not read exactly")
    args = parser.parse_args()
    known = cases(args.scenarios)
    print(f"{'set':<28}{'questions':>10}{'precision':>11}{'recall':>9}{'exact':>8}")
    for path in args.files or sorted(SETS.glob("*.jsonl")):
        tally, errors = measure(path, known)
        print(
            f"{path.stem:<28}{tally.questions:>10}{tally.precision:>11.3f}{tally.recall:>9.3f}"
            f"{tally.exact / tally.questions:>8.3f}"
        )
        if args.errors:
            print("\n".join(errors))


if __name__ == "__main__":
    main()
