"""Scenario packs: folders of case files, found by name or by path."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from clinic_sim.cases.case import Case
from clinic_sim.cases.loading import line_of, load_case, read_yaml
from clinic_sim.errors import CaseError

MANIFEST = "pack.yaml"
_PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Pack:
    """The cases of one folder, by id in file order."""

    name: str
    folder: Path
    cases: tuple[Case, ...]

    def case(self, case_id: str) -> Case:
        """The case of that id.

        Raises:
            CaseError: there is none; the message lists near ids.
        """
        for case in self.cases:
            if case.id == case_id:
                return case
        raise CaseError(f"pack {self.name!r} has no case {case_id!r}; it has {_some(c.id for c in self.cases)}")


def shipped(kind: str) -> Path:
    """The folder `scenarios` or `rubrics`: inside the installed package, or at the top of a checkout."""
    installed = _PACKAGE / "_packs" / kind
    return installed if installed.is_dir() else _PACKAGE.parent / kind


def pack_names() -> list[str]:
    """Names of the packs that ship with the package, sorted."""
    root = shipped("scenarios")
    return sorted(p.name for p in root.iterdir() if (p / MANIFEST).is_file()) if root.is_dir() else []


def pack_folder(scenarios: str | Path) -> Path:
    """The folder of a pack given by name or path.

    Raises:
        CaseError: neither a shipped name nor a folder with cases.
    """
    named = shipped("scenarios") / str(scenarios)
    folder = Path(scenarios)
    try:
        if "/" not in str(scenarios) and (named / MANIFEST).is_file():
            return named
        # An empty name would be the working directory.
        if str(scenarios) and folder.is_dir():
            return folder
    except OSError as exc:
        raise CaseError(f"{scenarios}: cannot be read: {exc.strerror or exc}") from exc
    raise CaseError(f"no pack {str(scenarios)!r}: give a folder of cases, or one of {', '.join(pack_names())}")


def case_files(folder: Path) -> list[Path]:
    """The case files of a folder, sorted by name.

    Raises:
        CaseError: the folder cannot be listed.
    """
    try:
        return sorted(p for p in folder.iterdir() if p.suffix in {".yaml", ".yml"} and p.name != MANIFEST)
    except OSError as exc:
        raise CaseError(f"{folder}: cannot be read: {exc.strerror or exc}") from exc


def load_pack(scenarios: str | Path) -> Pack:
    """Load and check every case of a pack; cached until a file of the folder changes.

    Raises:
        CaseError: the pack is missing, empty, has a broken case or one id twice.
    """
    folder = pack_folder(scenarios).resolve()
    return _load(folder, tuple((p.name, _changed(p)) for p in case_files(folder)))


def _changed(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError as exc:
        raise CaseError(f"{file}: cannot be read: {exc.strerror or exc}") from exc


@lru_cache(maxsize=64)
def _load(folder: Path, stamp: tuple[tuple[str, int], ...]) -> Pack:
    manifest = folder / MANIFEST
    about = read_yaml(manifest) if manifest.is_file() else {}
    if not isinstance(about, dict):
        raise CaseError(f"{manifest}:1: a pack's manifest is a mapping with `name:` and `title:`")
    cases = tuple(load_case(folder / name) for name, _ in stamp)
    if not cases:
        raise CaseError(f"{folder}: holds no case files (*.yaml)")
    seen: dict[str, str] = {}
    for case, (name, _) in zip(cases, stamp, strict=True):
        if case.id in seen:
            where = line_of(folder / name, ("id",))
            raise CaseError(f"{folder / name}:{where}: id: case id {case.id!r} already stands in {seen[case.id]}")
        seen[case.id] = name
    return Pack(str(about.get("name", folder.name)), folder, cases)


def _some(ids: object, most: int = 12) -> str:
    listed = list(ids)  # type: ignore[call-overload]
    return ", ".join(listed[:most]) + (f" and {len(listed) - most} more" if len(listed) > most else "")
