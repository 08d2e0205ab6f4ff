"""Which code made a run: one hash over the package's own sources, data tables and prompts.

A version number does not tell two checkouts apart; the hash does, so that changed code never overwrites a run.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent
_SUFFIXES = {".py", ".tsv", ".txt"}
_PACKS = "_packs"
"""Shipped cases and rubrics: a run names those that it uses by their own hashes."""


@cache
def code_hash() -> str:
    """16 hex digits over the names and bytes of the package's files, in sorted order; read once a process."""
    digest = hashlib.sha256()
    files = {p.relative_to(_PACKAGE).as_posix(): p for p in _PACKAGE.rglob("*") if p.suffix in _SUFFIXES}
    for name in sorted(files):
        if not name.startswith(f"{_PACKS}/"):
            content = files[name].read_bytes()
            # The length keeps what one file ends with apart from what the next begins with.
            digest.update(f"{name}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()[:16]
