"""What evidence ids stand for: a fact's statement, an exam's name; from the case itself, else from its verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from clinic_sim.cases.case import Case
from clinic_sim.cases.loading import load_case
from clinic_sim.cases.packs import case_files, load_pack, pack_folder
from clinic_sim.errors import ClinicSimError

_FEW_FILES = 300
"""Up to so many files a pack is read for a case whose file has another name."""


class Statements:
    """Looks cases up in the packs of a run's plan; only a case of the same content speaks for it.

    Args:
        sources: The plan's `scenarios`.
    """

    def __init__(self, sources: Sequence[Mapping[str, Any]]) -> None:
        self._packs = list(dict.fromkeys(str(source["pack"]) for source in sources))
        self._found: dict[tuple[str, str], Mapping[str, str] | None] = {}

    def of(self, case: str, content: str, verdicts: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
        """Evidence id to statement, for one case by its id and content hash."""
        known = (case, content)
        if known not in self._found:
            self._found[known] = self._read(case, content)
        return self._found[known] or _of_verdicts(verdicts)

    def _read(self, case_id: str, content: str) -> Mapping[str, str] | None:
        for pack in self._packs:
            try:
                case = _find(pack_folder(pack), pack, case_id)
            except ClinicSimError:  # moved or edited since: the verdicts speak instead
                continue
            if case is not None and case.content_hash == content:
                facts = {fact.id: fact.statement for fact in case.facts}
                return facts | {exam.id: exam.name for exam in case.exams if exam.name}
        return None


def _find(folder: Path, pack: str, case_id: str) -> Case | None:
    path = folder / f"{case_id}.yaml"
    if path.parent == folder and path.is_file():
        return load_case(path)
    if len(case_files(folder)) > _FEW_FILES:
        return None
    return next((case for case in load_pack(pack).cases if case.id == case_id), None)


def _of_verdicts(verdicts: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
    """Generated criteria are named after the evidence that they ask for, and give it as their reason."""
    found: dict[str, str] = {}
    for verdict in verdicts:
        kind, dot, evidence = verdict["criterion"].partition(".")
        if dot and kind in ("fact", "essential") and verdict["reason"]:
            found[evidence] = verdict["reason"]
    return found
