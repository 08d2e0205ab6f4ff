"""The manifest holds a run to what it was begun with: another plan is refused, and the difference shown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from clinic_sim.errors import StoreError

FILE = "manifest.json"
_CODE = ("code", "clinic_sim")
_MOST = 12


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run's folder.

    Raises:
        StoreError: the folder is no run, or its manifest cannot be read.
    """
    path = folder / FILE
    if not path.is_file():
        raise StoreError(f"{folder}: is no run: it holds no {FILE}")
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as exc:
        raise StoreError(f"{path}: cannot be read: {exc}") from exc
    if not isinstance(found, dict) or not isinstance(found.get("plan"), dict) or "cases" not in found:
        raise StoreError(f"{path}: is no manifest of a run, or one of an older version; run anew")
    return found


def check_same(folder: Path, manifest: Mapping[str, Any], *, accept_code: bool = False) -> None:
    """Hold a run that was begun to its manifest; a folder without one is a new run.

    Raises:
        StoreError: it was begun with something else; the message shows what differs. Or its manifest is lost.
    """
    if not (folder / FILE).exists():
        episodes = folder / "episodes.jsonl"
        if episodes.exists() and episodes.stat().st_size:
            # Of which plan they are nobody knows; to finish another one here would throw them away.
            raise StoreError(f"{folder}: holds episodes and no {FILE}: put it back, or choose another --out")
        return
    old = read_manifest(folder)
    # As it will be read again: tuples are lists there.
    new = json.loads(json.dumps(manifest))
    found = list(differences(old, new))
    if accept_code:
        found = [d for d in found if d[0] not in _CODE]
    if not found:
        return
    found.sort(key=lambda d: not d[0].startswith("plan."))  # the author's own words first, then what follows from them
    shown = "".join(f"\n  {where}: was {was}, is {now}" for where, was, now in found[:_MOST])
    more = f"\n  and {len(found) - _MOST} more" if len(found) > _MOST else ""
    only_code = all(where in _CODE for where, _, _ in found)
    hint = (
        "the code changed since; `clinic-sim resume --other-code` goes on all the same"
        if only_code
        else "choose another --out or name, or put the plan back"
    )
    raise StoreError(f"{folder}: was begun with another plan:{shown}{more}\n{hint}")


def differences(old: Any, new: Any, where: str = "") -> Iterator[tuple[str, str, str]]:
    """Where two manifests differ: the field, the one's value, the other's."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted({*old, *new}):
            inner = f"{where}.{name}" if where else str(name)
            if name not in old:
                yield inner, "absent", _short(new[name])
            elif name not in new:
                yield inner, _short(old[name]), "absent"
            else:
                yield from differences(old[name], new[name], inner)
    elif old != new:
        yield where, _short(old), _short(new)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:117]}..."
