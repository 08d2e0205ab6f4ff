"""The cycle collector during a run: it looks seldom, and not at what stays.

A run holds a hundred thousand objects of tables and cases for good, and lets go of nearly all else by reference
counts. At Python's own thresholds the search for cycles takes a seventh of a run's processor time, and each full one
stops every episode in flight for a tenth of a second.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = (20_000, 20, 20)
"""New objects before the young are searched, and searches of each generation before the next: a few megabytes at most
of garbage that only the collector finds."""


@contextmanager
def seldom() -> Iterator[None]:
    """Search seldom while inside, and leave out what is there at the beginning.

    Left as it was found: whoever has switched the collector off, set it to be more patient or frozen objects keeps
    that.
    """
    found, enabled, theirs = gc.get_threshold(), gc.isenabled(), gc.get_freeze_count()
    patient = not enabled or found[0] == 0 or found[0] >= THRESHOLDS[0]
    if not patient:
        gc.set_threshold(*THRESHOLDS)
    if not theirs:
        gc.freeze()
    try:
        yield
    finally:
        if not theirs:
            gc.unfreeze()
        if not patient and gc.get_threshold() == THRESHOLDS:
            gc.set_threshold(*found)
