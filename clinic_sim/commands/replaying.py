"""`clinic-sim judge replay`: released dialogues scored by the offline judge, and held against what was published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clinic_sim.cases.case import Case
from clinic_sim.cases.importers import FORMATS, import_records
from clinic_sim.cases.importers.references import import_references, reference_texts
from clinic_sim.cases.packs import load_pack
from clinic_sim.commands.console import console, number, print_json, print_table
from clinic_sim.errors import ConfigError
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.replays import REPLAYED
from clinic_sim.judge.replays.dialogues import Dialogue, Unread, read_dialogues
from clinic_sim.judge.replays.episodes import replay, scorable
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.reports.published import CITATION
from clinic_sim.reports.replays import RANKED_BY, has_record, published_reference, summarise
from clinic_sim.sweeps.accounts import Accounts
from clinic_sim.sweeps.replaying import Replayed, digest, write_replays

PUBLISHED = "published"
_NAMED = 12
"""Records that a line at the terminal names; all of them stand in the JSON."""


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """What `clinic-sim judge replay` was asked to do."""

    dialogues: tuple[Path, ...]
    cases: tuple[str, ...] = ()
    """Packs, or source files of the dialogues' own format."""
    references: Path | None = None
    """AI Hospital's evaluation file: reference answers for patients whose record was not released."""
    format: str | None = None
    rubric: str = "mvme"
    out: Path | None = None
    """Folder of the run that is written; None writes none."""
    against: tuple[str, ...] = ()
    """`DOCTOR=NUMBER`, or `published`."""
    column: str = "diagnosis"
    """What `against` is about."""
    as_json: bool = False


@dataclass(slots=True)
class _Matched:
    """Every dialogue, and what became of it."""

    unread: list[Unread]
    pairs: list[tuple[Dialogue, Case]] = field(default_factory=list)
    unmatched: list[Dialogue] = field(default_factory=list)
    twice: list[Dialogue] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON data: read = scored + no case + twice."""
        return {
            "read": len(self.pairs) + len(self.unmatched) + len(self.twice),
            "matched": len(self.pairs),
            "with_record": sum(has_record(case) for _, case in self.pairs),
            "with_reference_only": sum(not has_record(case) for _, case in self.pairs),
            "without_case": _by_doctor(self.unmatched),
            "twice": [d.where for d in self.twice],
            "unread": [{"where": u.where, "problem": u.problem} for u in self.unread],
        }


def replay_dialogues(request: ReplayRequest) -> int:
    """Replay, score and print. Returns 0, or 1 where a dialogue could not be read or has no case."""
    rubric = load_rubric(request.rubric)
    judge = RubricJudge(rubric)
    dialogues, unread = read_dialogues(request.dialogues, request.format)
    cases = _cases(request, dialogues[0].format)
    matched = _match(dialogues, unread, cases)
    if not matched.pairs:
        wanted = ", ".join(sorted({d.record for d in dialogues})[:_NAMED])
        raise ConfigError(
            f"none of the dialogues' records ({wanted} ...) is among the cases; give --cases, --references"
        )
    replayed = []
    for dialogue, whole in matched.pairs:
        case = scorable(whole, dialogue)
        episode = replay(dialogue, case)
        replayed.append(Replayed(f"{REPLAYED}{dialogue.doctor}", case, episode, judge.score(case, episode)))
    accounts = None
    if request.out is not None:
        about = {
            # By content: the same transcripts are the same run, wherever they lie.
            "files": sorted([path.name, digest(path)] for path in _source_files(request.dialogues)),
            "ledger": "facts read from text",
            **{k: v for k, v in matched.to_dict().items() if k != "unread"},
            "unread": len(unread),
        }
        accounts = write_replays(request.out, replayed, request.rubric, rubric, about)
    doctors = list(dict.fromkeys(dialogue.doctor for dialogue, _ in matched.pairs))
    given = _given(request, doctors)
    texts = reference_texts(request.references) if request.references is not None else {}
    found = summarise(
        replayed,
        matched.pairs,
        texts,
        rubric,
        {request.column: given} if given else published_reference(doctors),
        "given" if given else CITATION,
    )
    found["dialogues"] = matched.to_dict()
    if accounts is not None:
        found |= {"run": str(request.out), "accounts": accounts.to_dict()}
    if request.as_json:
        print_json(found)
    else:
        _print(found, request, accounts)
    return int(bool(matched.unread or matched.unmatched))


def _source_files(paths: Iterable[Path]) -> list[Path]:
    found = []
    for path in paths:
        found += sorted(p for p in path.glob("dialog*.json*")) if path.is_dir() else [path]
    return found


def _cases(request: ReplayRequest, format_: str) -> list[Case]:
    """The cases that were given: whole records first, so that they win over bare references."""
    found: list[Case] = []
    for name in request.cases:
        path = Path(name)
        if path.is_file() or (path.is_dir() and not any(path.glob("*.yaml"))):
            found += [r.case for r in import_records(format_, path) if r.case is not None]
        else:
            found += load_pack(name).cases
    if request.references is not None:
        found += [r.case for r in import_references(request.references) if r.case is not None]
    if not found:
        raise ConfigError(
            "no cases: give --cases (a pack, or the patients' file) or --references (the evaluation file)"
        )
    return found


def _match(dialogues: Sequence[Dialogue], unread: list[Unread], cases: Sequence[Case]) -> _Matched:
    """Each dialogue with the first case that is of its record; a case of another source never counts for its number."""
    by_record: dict[tuple[str, str], Case] = {}
    by_id = {case.id: case for case in reversed(cases)}
    for case in cases:
        for format_, spec in FORMATS.items():
            if case.provenance.source == spec.title:
                by_record.setdefault((format_, _plain(case.provenance.ref)), case)
    matched = _Matched(unread)
    seen: set[tuple[str, str]] = set()
    for dialogue in dialogues:
        found = by_record.get((dialogue.format, _plain(dialogue.record))) or by_id.get(dialogue.record)
        if found is None:
            matched.unmatched.append(dialogue)
        elif (dialogue.doctor, found.id) in seen:
            matched.twice.append(dialogue)
        else:
            seen.add((dialogue.doctor, found.id))
            matched.pairs.append((dialogue, found))
    return matched


def _plain(record: str) -> str:
    """`02` and `2` are the same record."""
    return str(int(record)) if record.isascii() and record.isdigit() else record


def _by_doctor(dialogues: Iterable[Dialogue]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for dialogue in dialogues:
        found.setdefault(dialogue.doctor, []).append(dialogue.record)
    return found


def _given(request: ReplayRequest, doctors: Sequence[str]) -> dict[str, float]:
    """Doctor to number, as `--against` has it.

    Raises:
        ConfigError: what was given is no `DOCTOR=NUMBER`, or names a doctor who said nothing here.
    """
    given: dict[str, float] = {}
    for item in request.against:
        if item == PUBLISHED:
            continue
        doctor, equals, value = item.rpartition("=")
        try:
            given[doctor] = float(value)
        except ValueError:
            equals = ""
        if not equals or doctor not in doctors:
            raise ConfigError(f"--against {item}: give DOCTOR=NUMBER with one of {', '.join(doctors)}, or `published`")
    return given


def _print(found: Mapping[str, Any], request: ReplayRequest, accounts: Accounts | None) -> None:
    counts = found["dialogues"]
    doctors = found["doctors"]
    names = list(next(iter(doctors.values()))["scores"])
    print_table(
        f"Replayed under {found['rubric']['name']} (95 % intervals by case; facts and results are read from words)",
        ["doctor", "n", "with record", *names],
        [
            [doctor, str(own["n"]), str(own["with_record"]), *(_cell(own["scores"][name]) for name in names)]
            for doctor, own in doctors.items()
        ],
    )
    views = list(next(iter(doctors.values()))["views"])
    if views:
        print_table(
            "Against the reference's own words, by view: mean score, and mean of the grades that it makes (0 to 100)",
            ["doctor", *(f"{view} {what}" for view in views for what in ("score", "grades"))],
            [
                [
                    doctor,
                    *(
                        text
                        for view in views
                        for text in (_cell(own["views"][view]), _cell(own["views"][view]["grades"], 1))
                    ),
                ]
                for doctor, own in doctors.items()
            ],
        )
    rows = [
        [what, by.replace("_", " "), str(r["doctors"]), str(r["cases"]), *_rank_cells(r)]
        for what, own in found["against"].items()
        for by in RANKED_BY
        if (r := own[by]) is not None
    ]
    if rows:
        source = next(iter(found["against"].values()))["source"]
        print_table(
            f"Rank agreement with the reference ({source})",
            ["column", "by", "doctors", "cases", "tau", "spearman", "tau as high by chance"],
            rows,
            left=2,
        )
        console().print("Few doctors: a rank correlation says little. The intervals draw cases anew, not doctors.")
    without = sum(map(len, counts["without_case"].values()))
    console().print(
        f"{counts['read']} dialogues read = {counts['matched']} scored + {without} without a case + "
        f"{len(counts['twice'])} twice; {len(counts['unread'])} could not be read."
    )
    if counts["with_reference_only"]:
        console().print(
            f"{counts['with_record']} with the whole record, {counts['with_reference_only']} with reference answers "
            "alone: there history, examinations and basis are unscored."
        )
    for doctor, records in counts["without_case"].items():
        more = f" and {len(records) - _NAMED} more" if len(records) > _NAMED else ""
        console().print(f"{doctor}: no case for {', '.join(records[:_NAMED])}{more}")
    for item in counts["unread"][:_NAMED]:
        console().print(f"{item['where']}: {item['problem']}")
    if accounts is not None:
        console().print(accounts.line())
        console().print(f"Written to {request.out}; see `clinic-sim report {request.out}`")


def _cell(found: Mapping[str, Any], digits: int = 3) -> str:
    if found["value"] is None:
        return "unscored"
    interval = "" if found["low"] is None else f" [{found['low']:.{digits}f}, {found['high']:.{digits}f}]"
    return f"{found['value']:.{digits}f}{interval} (n {found['n']})"


def _rank_cells(found: Mapping[str, Any]) -> list[str]:
    cells = []
    for name in ("tau", "spearman"):
        interval = found[f"{name}_interval"]
        text = number(found[name], 2)
        cells.append(f"{text} [{interval[0]:.2f}, {interval[1]:.2f}]" if interval else text)
    return [*cells, number(found["by_chance"], 3)]
