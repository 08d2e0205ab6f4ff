"""Files that are replaced as a whole: a reader sees the old one or the new one, never half of it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def write_whole(path: Path, text: str) -> None:
    """Write a small file at once; one that is the same already is left alone."""
    content = text.encode("utf-8")
    if path.exists() and path.read_bytes() == content:
        return
    with replacing(path) as file:
        file.write(content)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file, synced and put in the place of `path` when the block ends well; removed when it does not."""
    part, file = _new_part(path)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def remove_parts(folder: Path) -> None:
    """Remove what a process that was killed left of files that were to be replaced; only its one writer may do so."""
    for part in folder.glob("*.????????.part"):
        part.unlink(missing_ok=True)


def copy_pieces(source: Path, pieces: Iterable[tuple[int, int]], target: BinaryIO) -> None:
    """Copy pieces (offset and length) of a file one after another."""
    with source.open("rb") as file:
        for offset, length in pieces:
            file.seek(offset)
            target.write(file.read(length))


def _new_part(path: Path) -> tuple[Path, BinaryIO]:
    """A new file beside `path` that no other process has, readable as the umask says (`mkstemp` makes it private)."""
    while True:
        part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        try:
            return part, part.open("xb")
        except FileExistsError:
            continue
