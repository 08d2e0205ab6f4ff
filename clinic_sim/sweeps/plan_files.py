"""Reading plans: a file or the name of a preset, with overrides from the command line; and writing resolved ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from clinic_sim.cases.loading import read_yaml
from clinic_sim.cases.packs import pack_names
from clinic_sim.errors import CaseError, ConfigError
from clinic_sim.sweeps.plan import Plan

_PRESETS = Path(__file__).parent / "presets"


def preset_names() -> list[str]:
    """Names of the plans that ship with the package, sorted."""
    return sorted(p.stem for p in _PRESETS.glob("*.yaml"))


def load_plan(source: str | Path, overrides: Mapping[str, Any] | None = None, sets: Sequence[str] = ()) -> Plan:
    """The plan of a file or a preset.

    Args:
        source: A YAML file, or the name of a preset. A file may build on one: `preset: NAME`.
        overrides: Fields that replace those of the file; `workers` are the engine's.
        sets: `field=value` or `field.part=value` with YAML values, applied last.

    Raises:
        ConfigError: there is no such plan, or it does not fit; each problem with its field.
    """
    data, folder = _read(source)
    base = data.pop("preset", None)
    if base is not None:
        data = {**_preset(base, f"{source}: preset"), **data}
    given = dict(overrides or {})
    workers = given.pop("workers", None)
    data.update(given)
    _name_engine(data, workers)
    for item in sets:
        _set(data, item)
    return _located(plan_of(data, f"plan {source}: "), folder)


def plan_of(data: Mapping[str, Any], where: str = "") -> Plan:
    """The plan of its plain form.

    Args:
        where: What goes before an error's message.

    Raises:
        ConfigError: it does not fit; each problem with its field.
    """
    try:
        return Plan.model_validate(data)
    except ValidationError as exc:
        raise ConfigError(f"{where}{_problems(exc)}") from exc


def dump_plan(plan: Plan) -> str:
    """A plan as YAML that runs again."""
    data = plan.model_dump(mode="json")  # what is None is said: a field that is left out has its default
    return yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=110)


def _read(source: str | Path) -> tuple[dict[str, Any], Path]:
    path = Path(source)
    if not path.is_file():
        if str(source) in preset_names():
            return _preset(str(source), "plan"), Path()
        raise ConfigError(f"no plan {str(source)!r}: give a YAML file, or one of the presets {_listed()}")
    try:
        data = read_yaml(path)
    except CaseError as exc:
        raise ConfigError(str(exc)) from exc
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: a plan is a mapping, such as `doctors: [checklist]`")
    return dict(data), path.parent


def _preset(name: Any, where: str) -> dict[str, Any]:
    if name not in preset_names():
        raise ConfigError(f"{where}: no preset {name!r}; there are {_listed()}")
    return dict(read_yaml(_PRESETS / f"{name}.yaml"))


def _listed() -> str:
    return ", ".join(preset_names())


def _name_engine(data: dict[str, Any], workers: int | None) -> None:
    """An engine that is only named becomes a mapping, to which its workers and `--set` can add."""
    if isinstance(data.get("engine"), str):
        data["engine"] = {"name": data["engine"]}
    if workers is not None and isinstance(data.get("engine", {}), dict):
        data["engine"] = {**data.get("engine", {}), "workers": workers}


def _set(data: dict[str, Any], item: str) -> None:
    name, equals, text = item.partition("=")
    if not equals or not name:
        raise ConfigError(f"--set {item!r}: give field=value, such as limits.turns=20")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as exc:
        raise ConfigError(f"--set {item!r}: the value is no YAML") from exc
    *path, last = name.split(".")
    for step in path:
        inner = data.get(step)
        if inner is not None and not isinstance(inner, dict):
            raise ConfigError(f"--set {item!r}: {step} is no mapping in this plan")
        # A copy: what a preset or a caller holds stays as it is.
        data[step] = dict(inner or {})
        data = data[step]
    data[last] = value


def _problems(exc: ValidationError) -> str:
    found = []
    for error in exc.errors():
        where = ".".join(str(p) for p in error["loc"] if not str(p).startswith("function-"))
        message = error["msg"].removeprefix("Value error, ")
        if error["type"] == "extra_forbidden":
            message = f"unknown field; a plan has {', '.join(Plan.model_fields)}" if len(error["loc"]) == 1 else message
        found.append(f"{where}: {message}" if where else message)
    return "; ".join(found)


def _located(plan: Plan, folder: Path) -> Plan:
    """The plan with the places of its packs and its rubric's file: beside the plan, or where it is run."""

    def found(name: str) -> str:
        for path in (folder / name, Path(name)):
            if path.exists():
                return str(path.resolve())
        return name

    def pack(name: str) -> str:
        return name if name in pack_names() else found(name)

    def rubric(name: str) -> str:
        return found(name) if "/" in name or name.endswith((".yaml", ".yml")) else name

    sources = tuple(s.model_copy(update={"pack": pack(s.pack)}) for s in plan.scenarios)
    return plan.model_copy(update={"scenarios": sources, "rubric": rubric(plan.rubric)})
