"""Published MVME results as comparison rows, where AI Hospital's cases are scored under its five views.

Figures stand in `data/published_mvme.tsv` with their citation. Theirs are grades that GPT-4 gave; ours are grades by
our own checks: the rows stand beside each other for orientation, and no difference between them is tested.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from clinic_sim.errors import ClinicSimError
from clinic_sim.judge.rubric import Rubric, load_rubric
from clinic_sim.reports.grouping import Roster
from clinic_sim.reports.means import mean
from clinic_sim.reports.tables import Column, Kind, Note, Table, estimated

VIEWS = ("symptoms", "examinations", "diagnosis", "basis", "treatment")
CITATION = "Fan et al., arXiv:2402.09742, Table 3"
_SOURCE = "AI Hospital"
_HUNDRED = (0.0, 100.0)
GRADE_POINTS = {"A": 100.0, "B": 200.0 / 3, "C": 100.0 / 3, "D": 0.0}
"""What MVME counts a grade as."""


@dataclass(frozen=True, slots=True)
class Published:
    """One system's published results."""

    system: str
    aliases: tuple[str, ...]
    """Names of the same doctor, lower case."""
    views: Mapping[str, float]
    """View to 0 to 100."""


@cache
def published() -> tuple[Published, ...]:
    """Every published row, in the file's order."""
    text = resources.files("clinic_sim.reports").joinpath("data", "published_mvme.tsv").read_text("utf-8")
    lines = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return tuple(
        Published(system, tuple(a for a in aliases.split("|") if a), dict(zip(VIEWS, map(float, values), strict=True)))
        for system, aliases, *values in lines[1:]
    )


def published_of(doctor: str) -> Published | None:
    """The published row of a doctor by its name in a plan or a transcript: `replayed:gpt-4`, `openai/gpt-4?seed=1`."""
    bare = doctor.partition("?")[0].rpartition(":")[2].rpartition("/")[2].lower()
    return next((row for row in published() if bare in row.aliases or bare == row.system.lower()), None)


def beside_published(roster: Roster) -> Table:
    """Ours and the published rows by view; empty unless AI Hospital's cases were scored under the five views."""
    columns = (
        Column("system"),
        Column("graded_by", Kind.WORD),
        *(Column(f"dimension:{view}", Kind.NUMBER) for view in VIEWS),
        Column("cases", Kind.COUNT),
    )
    rubric = _rubric(roster.table.manifest)
    sources = [str(about.get("source") or "") for about in roster.table.manifest["cases"].values()]
    theirs = sum(source.startswith(_SOURCE) for source in sources)
    if rubric is None or not theirs or not set(VIEWS) <= set(roster.dimensions):
        return Table("published", columns, ())
    rows: list[tuple[Any, ...]] = []
    for doctor in roster.ranked:
        found = [_ours(roster, doctor, view, rubric) for view in VIEWS]
        cases = max((f["cases"] for f in found), default=0)
        rows.append((roster.doctors[doctor], "this_run", *found, cases))
    rows.extend((p.system, "published", *(p.views[view] for view in VIEWS), None) for p in published())
    notes = [Note.of("note.published", citation=CITATION)]
    scored = {view: sum(row[2 + n]["cases"] for row in rows[: len(roster.ranked)]) for n, view in enumerate(VIEWS)}
    if len(set(scored.values())) > 1:
        notes.append(Note.of("note.published_counts", **scored))
    if theirs < len(sources):
        notes.append(Note.of("note.published_mixed", own=theirs, of=len(sources)))
    return Table("published", columns, tuple(rows), tuple(notes))


def _ours(roster: Roster, doctor: int, view: str, rubric: Rubric) -> dict[str, Any]:
    """The mean of our grades of a view, counted as MVME counts its own; AI Hospital's cases only."""
    about = list(roster.table.manifest["cases"].values())
    own = np.array([str(a.get("source") or "").startswith(_SOURCE) for a in about])
    mask = roster.masks[doctor] & own[roster.table.factors["case"]]
    values = roster.column(f"dimension:{view}")[mask]
    points = np.array(
        [np.nan if np.isnan(v) else GRADE_POINTS[rubric.grade(float(v))] for v in values], dtype=np.float64
    )
    return estimated(mean(points, roster.cases.where(mask), bounds=_HUNDRED))


def _rubric(manifest: Mapping[str, Any]) -> Rubric | None:
    """The rubric of a run, for its cut-offs; None where it is not at hand as it was."""
    for name in (manifest["plan"].get("rubric"), manifest["rubric"]["name"]):
        try:
            found = load_rubric(str(name))
        except (ClinicSimError, OSError):
            continue
        if found.content_hash == manifest["rubric"]["hash"]:
            return found
    return None
