"""Normal results for examinations that a record lacks, for the `normal` policy only.

A quantity is drawn inside its adult reference range (`exam_ranges.tsv`, usual textbook limits); an examination without
a quantity has none, so it stays unrecorded rather than being called normal.
"""

from __future__ import annotations

import random
from functools import cache
from importlib import resources


@cache
def _ranges() -> dict[str, tuple[str, float, float, int]]:
    rows = {}
    text = resources.files("clinic_sim.knowledge").joinpath("data/exam_ranges.tsv").read_text("utf-8")
    for row in text.splitlines()[1:]:
        if row and not row.startswith("#"):
            code, unit, low, high, decimals = row.split("\t")
            rows[code] = (unit, float(low), float(high), int(decimals))
    return rows


def derived_normal(code: str, language: str, *, seed: int) -> str | None:
    """A seeded value inside the reference range, with the range; None where the code has no quantity.

    Args:
        code: Catalogue code of one analyte or vital sign.
        language: `en` or `zh`.
        seed: The same seed and code give the same value.
    """
    found = _ranges().get(code)
    if found is None:
        return None
    unit, low, high, decimals = found
    # Stay in the middle half: a value at the limit invites another reading.
    value = random.Random(f"{seed}:{code}").uniform(low + (high - low) / 4, high - (high - low) / 4)  # noqa: S311
    label = "参考范围" if language == "zh" else "reference"
    return f"{value:.{decimals}f} {unit} ({label} {low:g}–{high:g})"
