"""`clinic-sim judge audit`: the exploit pack against a rubric, packs of cases and, where named, a model judge."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from clinic_sim.cases.packs import Pack, load_pack, pack_names
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.clinic.driving import drive
from clinic_sim.commands.console import console, number, print_json, print_table
from clinic_sim.doctors import make_doctor
from clinic_sim.errors import ConfigError
from clinic_sim.judge.exploits import EXPLOITS, FAULTS, Exploit, Fault
from clinic_sim.judge.exploits.audit import CEILING, FLOOR, Audit, Row, Totals, fault_rows, mean_of
from clinic_sim.judge.judge import MAX_TOKENS, RubricJudge
from clinic_sim.judge.rubric import JUDGED, Rubric, load_rubric
from clinic_sim.models.build import make_model
from clinic_sim.models.chat import ChatModel
from clinic_sim.sweeps.runner import consult

_FAULT = "judge:"


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """What `clinic-sim judge audit` was asked to do."""

    scenarios: tuple[str, ...] = ()
    """Packs or folders; empty for all that ship."""
    rubric: str = "clinic"
    judge: str | None = None
    """The model behind `judged` criteria."""
    limit: int | None = None
    """At most this many cases of each pack."""
    only: tuple[str, ...] = ()
    """Names of exploits and faults (`judge:...`); empty for all."""
    as_json: bool = False


@dataclass(frozen=True, slots=True)
class PackAudit:
    """What was found on one pack."""

    pack: str
    bounds: dict[str, Totals]
    rows: list[Row]


def audit_judge(request: AuditRequest) -> int:
    """Run, print. Returns 0, or 1 where an exploit passed a bound or a case could not be bounded."""
    rubric = load_rubric(request.rubric)
    packs = [load_pack(name) for name in request.scenarios or pack_names()]
    exploits, faults = _chosen(request.only)
    model = _model(request, rubric)

    async def work() -> list[PackAudit]:
        try:
            return [await _audit(p, request.limit, rubric, model, exploits, faults) for p in packs]
        finally:
            if model is not None:
                await model.aclose()

    found = drive(work, suspends=model is not None and model.suspends)
    if request.as_json:
        for audit in found:
            _print_json(audit, rubric)
    else:
        _print(found, exploits, faults, rubric)
    return int(any(row.breaches for audit in found for row in audit.rows) or any(map(_unbounded, found)))


def _chosen(only: Sequence[str]) -> tuple[list[Exploit], list[Fault]]:
    known = {*(e.name for e in EXPLOITS), *(_FAULT + f.name for f in FAULTS)}
    for name in only:
        if name not in known:
            raise ConfigError(f"--only {name}: no such exploit; there are {', '.join(sorted(known))}")
    return (
        [e for e in EXPLOITS if not only or e.name in only],
        [f for f in FAULTS if not only or _FAULT + f.name in only],
    )


def _model(request: AuditRequest, rubric: Rubric) -> ChatModel | None:
    """The model judge where the rubric asks one; RubricJudge refuses such a rubric without it."""
    if request.judge is None:
        return None
    if not any(c.check == JUDGED for c in rubric.criteria):
        print(f"rubric {rubric.name} has no `judged` criteria: its judge is not asked", file=sys.stderr)
        return None
    return make_model(request.judge, role="judge", max_tokens=MAX_TOKENS)


async def _audit(
    pack: Pack,
    limit: int | None,
    rubric: Rubric,
    model: ChatModel | None,
    exploits: Sequence[Exploit],
    faults: Sequence[Fault],
) -> PackAudit:
    cases = pack.cases[:limit]
    judge = RubricJudge(rubric, model)
    bounds: dict[str, Totals] = {}
    for doctor in (CEILING, FLOOR):
        outcomes = [await consult(Consultation(case), make_doctor(doctor), judge) for case in cases]
        bounds[doctor] = {o.episode.case: o.scorecard.total for o in outcomes}
    rows = await Audit(pack.name, cases, judge, bounds).run(exploits)
    rows += await fault_rows(pack.name, cases, rubric, faults)
    return PackAudit(pack.name, bounds, rows)


def _unbounded(audit: PackAudit) -> bool:
    return any(mean_of(totals) is None for totals in audit.bounds.values())


def _print_json(audit: PackAudit, rubric: Rubric) -> None:
    head = {"rubric": rubric.name, "rubric_hash": rubric.content_hash}
    bounds = {doctor: mean_of(totals) for doctor, totals in audit.bounds.items()}
    for row in audit.rows:
        print_json({**row.to_dict(), **bounds, **head})


def _print(found: list[PackAudit], exploits: Sequence[Exploit], faults: Sequence[Fault], rubric: Rubric) -> None:
    about = {**{e.name: e.about for e in exploits}, **{_FAULT + f.name: f.about for f in faults}}
    table = [[d, *(number(mean_of(a.bounds[d])) for a in found), ""] for d in (CEILING, FLOOR)]
    for name, line in about.items():
        rows = [next(r for r in audit.rows if r.exploit == name) for audit in found]
        table.append([name, *(number(r.mean) + ("*" if r.breaches else "") for r in rows), line])
    print_table(
        f"Rubric {rubric.name} ({rubric.content_hash}): mean total of each exploit",
        ["exploit", *(f"{a.pack} (n = {len(a.bounds[CEILING])})" for a in found), "what it tries"],
        table,
    )
    out = console()
    out.print("")
    for audit in found:
        planned, unscored = sum(r.planned for r in audit.rows), sum(r.unscored for r in audit.rows)
        passed = sum(bool(r.breaches) for r in audit.rows)
        out.print(
            f"{audit.pack}: planned {planned} = scored {planned - unscored} + unscored {unscored}; "
            f"{passed} of {len(audit.rows)} above their bound"
        )
        if _unbounded(audit):
            out.print(f"{audit.pack}: {CEILING} or {FLOOR} is unscored on every case, so nothing is bounded")
        for row in audit.rows:
            for breach in row.breaches:
                out.print(f"  * {row.exploit}: {breach}")
    out.print("A dash is a judge that failed: unscored, as it must be.")
