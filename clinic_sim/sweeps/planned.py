"""`Sweep`: a plan with its cases, rubric and settings resolved; and the list of episodes that it plans.

An episode's key is a hash over all that determines it: case and its content, doctor, clinic, persona, limits, seed,
repeat, and every effective parameter of a model. So the same episode has the same key in every run and shard.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from clinic_sim._version import __version__
from clinic_sim.cases.case import Case
from clinic_sim.cases.packs import Pack, load_pack
from clinic_sim.clinic.persona import Persona, find_persona
from clinic_sim.errors import ConfigError
from clinic_sim.judge.rubric import Rubric
from clinic_sim.models.keys import INDIFFERENT
from clinic_sim.sweeps.cast import Cast
from clinic_sim.sweeps.code import code_hash
from clinic_sim.sweeps.lines import canonical
from clinic_sim.sweeps.plan import Plan, Source

MANIFEST_SCHEMA = 2


@dataclass(frozen=True, slots=True)
class Planned:
    """One episode that is to be played; the numbers are places in the sweep's lists."""

    at: int
    """Place in the plan, from 0."""
    key: str
    """20 hex digits, the same wherever the same episode is planned."""
    case: int
    doctor: int
    roles: int
    persona: int
    seed: int
    """The seed itself."""
    repeat: int


@dataclass(frozen=True, slots=True)
class Shard:
    """The `number`-th of `of` parts of a plan, from 1. All doctors of a case are in one part."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def holds(self, at: int, doctors: int) -> bool:
        """The episode at that place in a plan of so many doctors is of this part."""
        return at // doctors % self.of == self.number - 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """The shard of `i/n`.

        Raises:
            ConfigError: it is not of that form, or i is not from 1 to n.
        """
        number, slash, of = text.partition("/")
        if not (slash and number.isascii() and number.isdigit() and of.isascii() and of.isdigit()):
            raise ConfigError(f"--shard {text!r}: give i/n, such as 1/4")
        if not 1 <= int(number) <= int(of):
            raise ConfigError(f"--shard {text!r}: shards are 1/{of} to {of}/{of}")
        return cls(int(number), int(of))


@dataclass(frozen=True)
class Sweep:
    """A plan, resolved.

    Raises:
        CaseError, ConfigError, RubricError: what the plan names is missing or does not fit.
    """

    plan: Plan
    cases: tuple[tuple[str, Case], ...]
    """Name of the pack, and the case."""
    personas: tuple[Persona, ...]
    rubric: Rubric
    settings: tuple[tuple[Mapping[str, Any], ...], ...]
    """Effective parameters of the models, by doctor and clinic."""
    shard: Shard | None = None

    @classmethod
    def resolve(cls, plan: Plan, cast: Cast, shard: Shard | None = None) -> Sweep:
        """The sweep of a plan whose cast is made."""
        return cls(
            plan,
            select_cases(plan),
            tuple(find_persona(name) for name in plan.personas),
            cast.judge.rubric,
            tuple(tuple(cast.settings(d, r) for r in range(len(plan.roles))) for d in range(len(plan.doctors))),
            shard,
        )

    @cached_property
    def episodes(self) -> tuple[Planned, ...]:
        """Every planned episode of this shard, in the plan's order: doctors turn by turn on the same case, so that
        a run cut short can still be compared."""
        shard, doctors = self.shard, len(self.plan.doctors)
        return tuple(p for p in self._all() if shard is None or shard.holds(p.at, doctors))

    @property
    def size(self) -> int:
        """Episodes of the whole plan, all shards together."""
        plan = self.plan
        factors = (self.cases, plan.doctors, plan.roles, plan.personas, plan.seeds)
        size = plan.repeats
        for factor in factors:
            size *= len(factor)
        return size

    def manifest(self) -> dict[str, Any]:
        """What determines the run, as JSON data: what it holds to when it goes on."""
        judge = self.settings[0][0].get("judge")
        return {
            "schema": MANIFEST_SCHEMA,
            "clinic_sim": __version__,
            "code": code_hash(),
            "plan": self.plan.determines(),
            "shard": str(self.shard) if self.shard else None,
            "planned": len(self.episodes),
            "cases": {case.id: about_case(pack, case) for pack, case in self.cases},
            "rubric": {"name": self.rubric.name, "hash": self.rubric.content_hash},
            "judge": dict(judge) if judge else None,
            # Names alone do not tell two servers apart, whose address may come from the environment.
            "models": [
                {"doctor": doctor, "roles": roles, **{r: dict(own) for r, own in found.items() if r != "judge"}}
                for doctor, row in enumerate(self.settings)
                for roles, found in enumerate(row)
                if any(r != "judge" for r in found)
            ],
        }

    def _all(self) -> Iterator[Planned]:
        plan = self.plan
        shared = [[self._shared(d, r) for r in range(len(plan.roles))] for d in range(len(plan.doctors))]
        self._check_different(shared)
        cases = [canonical([case.id, case.content_hash]) for _, case in self.cases]
        personas = [canonical(persona.model_dump(mode="json")) for persona in self.personas]
        at = 0
        for repeat in range(plan.repeats):
            for seed in plan.seeds:
                for persona, persona_text in enumerate(personas):
                    for roles in range(len(plan.roles)):
                        for case, case_text in enumerate(cases):
                            for doctor in range(len(plan.doctors)):
                                text = f"[{shared[doctor][roles]},{case_text},{persona_text},{seed},{repeat}]"
                                key = hashlib.sha256(text.encode()).hexdigest()[:20]
                                yield Planned(at, key, case, doctor, roles, persona, seed, repeat)
                                at += 1

    def _check_different(self, shared: list[list[str]]) -> None:
        """Two doctors or clinics that differ in nothing that matters would be the same episodes twice.

        Raises:
            ConfigError: there are two.
        """
        plan = self.plan
        seen: dict[str, str] = {}
        for doctor, row in enumerate(shared):
            for roles, text in enumerate(row):
                name = f"doctor {plan.doctors[doctor]!r}" + (f" with roles {roles + 1}" if len(row) > 1 else "")
                if text in seen:
                    raise ConfigError(
                        f"{name} is the same as {seen[text]}: an address, a price or the order of parameters makes no "
                        "other doctor or clinic; use `repeats` to play one again"
                    )
                seen[text] = name

    def _shared(self, doctor: int, roles: int) -> str:
        """What the episodes of one doctor in one clinic share, as text."""
        own = {
            role: {k: v for k, v in settings.items() if k not in INDIFFERENT}
            for role, settings in self.settings[doctor][roles].items()
            if role != "judge"
        }
        plan = self.plan
        staff = asdict(plan.roles[roles].staff())
        # Where a model plays, its name and effective settings stand in `own`; its address and prices do not matter.
        seats = {role: str(name).partition("?")[0] for role, name in {"doctor": plan.doctors[doctor], **staff}.items()}
        return canonical([seats, own, plan.limits.model_dump(mode="json")])


def select_cases(plan: Plan) -> tuple[tuple[str, Case], ...]:
    """The cases of a plan's sources, in order, each with its pack's name.

    Raises:
        CaseError: a pack cannot be read.
        ConfigError: a filter names what its pack does not have, leaves nothing, or a case stands twice.
    """
    found: list[tuple[str, Case]] = []
    packs: dict[str, str] = {}
    for source in plan.scenarios:
        pack = load_pack(source.pack)
        for case in _filtered(pack, source):
            if case.id in packs:
                raise ConfigError(
                    f"scenarios: case {case.id!r} comes from {packs[case.id]} and again from {pack.name}; "
                    "ids must be unique in a plan, so leave one out with `cases:`"
                )
            packs[case.id] = pack.name
            found.append((pack.name, case))
    return tuple(found)


def _filtered(pack: Pack, source: Source) -> list[Case]:
    if source.cases is not None:
        wanted = {pack.case(case_id).id for case_id in source.cases}  # an unknown id is an error that lists the known
    else:
        wanted = {case.id for case in pack.cases}
    for field in ("language", "department", "difficulty", "setting"):
        values = getattr(source, field)
        known = sorted({str(getattr(case, field)) for case in pack.cases})
        unknown = sorted(set(values or ()) - set(known))
        if unknown:
            raise ConfigError(f"scenarios: pack {pack.name} has no {field} {', '.join(unknown)}; it has {known}")

    def fits(case: Case) -> bool:
        released = case.provenance.released
        return (
            case.id in wanted
            and all(
                getattr(source, f) is None or str(getattr(case, f)) in getattr(source, f)
                for f in ("language", "department", "difficulty", "setting")
            )
            # Without a date nobody knows whether a model was trained on it.
            and (source.released_from is None or (released is not None and released >= source.released_from))
            and (source.released_before is None or (released is not None and released < source.released_before))
        )

    chosen = [case for case in pack.cases if fits(case)][: source.limit]
    if not chosen:
        raise ConfigError(f"scenarios: no case of pack {pack.name} passes the filters")
    return chosen


def about_case(pack: str, case: Case) -> dict[str, Any]:
    """What reports group a case by."""
    released = case.provenance.released
    return {
        "pack": pack,
        "hash": case.content_hash,
        "language": case.language,
        "department": case.department,
        "setting": case.setting,
        "difficulty": case.difficulty,
        "rarity": case.rarity,
        "released": released.isoformat() if released else None,
        "diagnosis": case.diagnosis.primary.icd10 if case.diagnosis else None,
        "source": case.provenance.source,
    }
