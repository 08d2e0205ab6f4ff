"""Plans: what a file may say, what is said when it is wrong, and which episodes come of it."""

from __future__ import annotations

import datetime
import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic_sim.cases.packs import load_pack, pack_folder
from clinic_sim.errors import CaseError, ClinicSimError, ConfigError
from clinic_sim.reports.table import decode
from clinic_sim.sweeps.plan import EXECUTION, Plan
from clinic_sim.sweeps.plan_files import dump_plan, load_plan, preset_names
from clinic_sim.sweeps.planned import Shard, Sweep, select_cases
from clinic_sim.sweeps.stage import cast_of


def sweep_of(shard: str | None = None, **fields: Any) -> Sweep:
    fields = {"doctors": ["silent"], "scenarios": [{"pack": "core-en", "limit": 2}], **fields}
    plan = Plan.model_validate(fields)
    return Sweep.resolve(plan, cast_of(plan, replay=True), Shard.parse(shard) if shard else None)


def keys(**fields: Any) -> list[str]:
    return [p.key for p in sweep_of(**fields).episodes]


# What a file may say


@pytest.mark.parametrize(
    ("fields", "field", "remedy"),
    [
        ({}, "doctors", "required"),
        ({"doctors": []}, "doctors", "at least 1"),
        ({"doctors": None}, "doctors", "string"),
        ({"doctors": [3]}, "doctors.0", "string"),
        ({"doctors": "silent", "seed": 3}, "seed", "seeds"),
        ({"doctors": "silent", "seeds": [-1]}, "seeds.0", "greater than or equal to 0"),
        ({"doctors": "silent", "seeds": [0, 1, 0]}, "seeds", "twice: 0"),
        ({"doctors": ["silent", "silent"]}, "doctors", "twice: silent"),
        ({"doctors": "silent", "personas": ["terse", "terse"]}, "personas", "twice: terse"),
        ({"doctors": "silent", "roles": [{}, {}]}, "roles", "twice"),
        ({"doctors": "silent", "scenarios": ["core-en", "core-en"]}, "scenarios", "twice"),
        ({"doctors": "silent", "scenarios": []}, "scenarios", "at least 1"),
        ({"doctors": "silent", "scenarios": [{"limit": 1}]}, "scenarios.0.pack", "required"),
        ({"doctors": "silent", "scenarios": [{"pack": "core-en", "limit": 0}]}, "scenarios.0.limit", "greater"),
        ({"doctors": "silent", "scenarios": [{"pack": "core-en", "released_from": "soon"}]}, "released_from", "date"),
        ({"doctors": "silent", "repeats": 0}, "repeats", "greater than or equal to 1"),
        ({"doctors": "silent", "repeats": 2.5}, "repeats", "integer"),
        ({"doctors": "silent", "limits": {"turn": 3}}, "limits.turn", "not permitted"),
        ({"doctors": "silent", "max_cost": -1}, "max_cost", "greater than or equal to 0"),
        ({"doctors": "silent", "max_cost": float("nan")}, "max_cost", "finite"),
        ({"doctors": "silent", "max_cost": float("inf")}, "max_cost", "finite"),
        ({"doctors": "silent", "retries": 11}, "retries", "less than or equal to 10"),
        ({"doctors": "silent", "concurrency": 0}, "concurrency", "greater"),
        ({"doctors": "silent", "engine": "slurm"}, "engine.name", "'local', 'processes' or 'ray'"),
        ({"doctors": "silent", "engine": {"workers": 2}}, "engine", "name the engine `processes` or `ray`"),
        ({"doctors": "silent", "engine": {"name": "processes", "workers": 0}}, "engine.workers", "greater"),
        ({"doctors": "silent", "engine": {"name": "processes", "address": "h:1"}}, "engine", "joins no cluster"),
        ({"doctors": "silent", "judge": {"votes": 3}}, "judge.model", "required"),
        ({"doctors": "silent", "judge": {"model": "openai/m", "votes": 0}}, "judge.votes", "greater"),
        ({"doctors": "silent", "roles": {"unrecorded": "model"}}, "roles", "name one as examiner"),
        ({"doctors": "silent", "roles": {"unrecorded": "guess"}}, "roles.0.unrecorded", "'not_recorded'"),
        ({"doctors": "silent", "name": "../../etc"}, "name", "pattern"),
        ({"doctors": "silent", "name": ""}, "name", "pattern"),
        ({"doctors": "silent", "preset": "no-such"}, "preset", "smoke"),
        ({"doctors": "silent", "preset": ["smoke"]}, "preset", "smoke"),
    ],
)
def test_a_wrong_plan_is_refused_with_its_field_and_what_to_do(
    tmp_path: Path, fields: dict[str, Any], field: str, remedy: str
) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump(fields))
    with pytest.raises(ConfigError) as caught:
        load_plan(path)
    assert str(path) in str(caught.value)
    assert field in str(caught.value)
    assert remedy in str(caught.value)
    assert "function-" not in str(caught.value)


def test_every_wrong_field_is_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("doctors: []\nrepeats: 0\nnonsense: 1\n")
    with pytest.raises(ConfigError, match=r"(?s)doctors.*repeats.*nonsense"):
        load_plan(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"- silent\n", b"silent", b"doctors: [silent\n", b"doctors: \xff\xfe", b"\x00\x01", b"doctors: *nobody\n"],
)
def test_a_file_that_is_no_plan_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "plan.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"plan\.yaml"):
        load_plan(path)


def test_a_field_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("doctors: silent\nseeds: [1]\nseeds: [2]\n")
    with pytest.raises(ConfigError, match="seeds"):
        load_plan(path)


@pytest.mark.parametrize("source", ["no-such-plan", "", ".", "nowhere/plan.yaml"])
def test_a_plan_that_is_not_there_is_refused_with_the_presets(source: str) -> None:
    with pytest.raises(ConfigError, match="smoke"):
        load_plan(source)


@pytest.mark.parametrize("name", ["baselines", "personas", "smoke"])
def test_every_preset_that_is_whole_runs(name: str) -> None:
    assert name in preset_names()
    plan = load_plan(name)
    sweep = Sweep.resolve(plan, cast_of(plan))
    assert len(sweep.episodes) == sweep.size > 0


def test_a_preset_without_doctors_says_so_and_takes_them_from_the_command_line() -> None:
    with pytest.raises(ConfigError, match="doctors"):
        load_plan("standard")
    assert load_plan("standard", {"doctors": ["silent"]}).doctors == ("silent",)


def test_a_file_may_build_on_a_preset_and_replaces_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("preset: baselines\nseeds: [7]\n")
    plan = load_plan(path)
    assert plan.seeds == (7,)
    assert plan.doctors == load_plan("baselines").doctors


def test_one_value_stands_for_a_list_of_one(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(
        "{scenarios: core-zh, doctors: silent, personas: terse, seeds: 3, roles: {patient: openai/m}, judge: openai/j,"
        " engine: ray}"
    )
    plan = load_plan(path)
    assert [s.pack for s in plan.scenarios] == ["core-zh"]
    assert (plan.doctors, plan.personas, plan.seeds) == (("silent",), ("terse",), (3,))
    assert plan.roles[0].patient == "openai/m"
    assert plan.judge is not None
    assert (plan.judge.model, plan.judge.votes) == ("openai/j", 1)
    assert plan.engine.name == "ray"


def test_the_command_line_replaces_the_file_and_set_comes_last(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("{doctors: silent, seeds: [1, 2], limits: {turns: 9, exams: 4}}")
    plan = load_plan(path, {"seeds": [3], "doctors": ["guess"]}, ["seeds=[5, 6]", "limits.turns=7", "name=mine"])
    assert plan.doctors == ("guess",)
    assert plan.seeds == (5, 6)
    assert plan.limits.turns == 7
    assert plan.limits.exams == 4
    assert plan.name == "mine"


@pytest.mark.parametrize(
    ("written", "overrides", "sets", "name", "workers"),
    [
        ("ray", {"workers": 3}, (), "ray", 3),
        ("{name: ray, workers: 8, address: 'h:1'}", {"engine": "processes"}, (), "processes", None),
        ("{name: ray, workers: 8}", {"engine": "processes", "workers": 3}, (), "processes", 3),
        ("{name: ray, workers: 8}", {"workers": 3}, (), "ray", 3),
        ("processes", {}, ("engine.workers=3",), "processes", 3),
    ],
)
def test_workers_are_added_to_the_engine_that_is_named(
    tmp_path: Path, written: str, overrides: dict[str, Any], sets: tuple[str, ...], name: str, workers: int | None
) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(f"{{doctors: silent, engine: {written}}}")
    engine = load_plan(path, overrides, sets).engine
    assert (engine.name, engine.workers) == (name, workers)


def test_workers_without_an_engine_that_has_any_are_refused_with_what_to_name(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("doctors: silent")
    with pytest.raises(ConfigError, match="--engine"):
        load_plan(path, {"workers": 3})
    path.write_text("{doctors: silent, workers: 3}")  # of a plan they are a field of its engine
    with pytest.raises(ConfigError, match="workers: unknown field"):
        load_plan(path)


def test_set_leaves_the_callers_overrides_and_the_preset_as_they_were() -> None:
    given_limits = {"turns": 3}
    load_plan("smoke", {"limits": given_limits}, ["limits.turns=5"])
    assert given_limits == {"turns": 3}
    assert load_plan("smoke").limits.turns == 40


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("seeds", "field=value"),
        ("=3", "field=value"),
        ("seeds=[1", "no YAML"),
        ("seeds.0=3", "seeds is no mapping"),
        ("no_such=3", "no_such"),
        ("limits.no_such=3", "limits.no_such"),
        ("limits.turns=many", "limits.turns"),
    ],
)
def test_a_wrong_set_is_refused(tmp_path: Path, item: str, said: str) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("{doctors: silent, seeds: [1]}")
    with pytest.raises(ConfigError, match=said):
        load_plan(path, sets=[item])


def test_packs_and_rubrics_beside_the_plan_are_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    shutil.copytree(pack_folder("core-en"), home / "mine")
    elsewhere.mkdir()
    rubric = Path(__file__).parents[2] / "rubrics" / "clinic.yaml"
    shutil.copy(rubric, home / "own.yaml")
    (home / "plan.yaml").write_text("{scenarios: [mine], doctors: silent, rubric: own.yaml}")
    monkeypatch.chdir(elsewhere)
    plan = load_plan(home / "plan.yaml")
    sweep = Sweep.resolve(plan, cast_of(plan))
    assert len(sweep.cases) == len(load_pack("core-en").cases)
    # What is written into the run's folder is found from there, too.
    (tmp_path / "resolved.yaml").write_text(dump_plan(plan))
    assert load_plan(tmp_path / "resolved.yaml") == plan


def test_a_pack_that_is_found_where_the_plan_is_run_is_found_when_it_goes_on_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, run = tmp_path / "here", tmp_path / "run"
    shutil.copytree(pack_folder("core-en"), here / "mine")
    run.mkdir()
    monkeypatch.chdir(here)
    (run / "own.yaml").write_text("doctors: silent\n")
    plan = load_plan(run / "own.yaml", {"scenarios": ["mine"]})
    (run / "plan.yaml").write_text(dump_plan(plan))
    monkeypatch.chdir(tmp_path)
    assert len(select_cases(load_plan(run / "plan.yaml"))) == len(load_pack("core-en").cases)


def test_a_folder_that_is_called_like_the_rubric_does_not_hide_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "clinic").mkdir()
    (tmp_path / "plan.yaml").write_text("doctors: silent\n")
    monkeypatch.chdir(tmp_path)
    plan = load_plan("plan.yaml")
    assert cast_of(plan).judge.rubric.name == "clinic"


def test_a_plan_that_was_written_is_the_same_plan(tmp_path: Path) -> None:
    plan = Plan.model_validate(
        {
            "name": "all",
            "scenarios": [{"pack": "core-en", "released_from": "2020-01-01", "language": "en", "limit": 3}, "core-zh"],
            "doctors": ["silent", "openai/模型?temperature=0.5"],
            "roles": [{}, {"patient": "openai/m", "unrecorded": "normal"}],
            "judge": {"model": "openai/j", "votes": 3},
            "seeds": [0, 2**53],
            "limits": {"turns": None, "seconds": 0.5},
            "max_cost": 1.5,
            "engine": {"name": "ray", "workers": 2},
        }
    )
    path = tmp_path / "plan.yaml"
    path.write_text(dump_plan(plan), "utf-8")
    assert load_plan(path) == plan


def test_no_limit_of_turns_is_still_none_when_the_plan_is_read_again(tmp_path: Path) -> None:
    plan = Plan.model_validate({"doctors": ["silent"], "limits": {"turns": None}})
    path = tmp_path / "plan.yaml"
    path.write_text(dump_plan(plan), "utf-8")
    assert load_plan(path).limits.turns is None


# Filters


@pytest.fixture
def dated(tmp_path: Path) -> Path:
    """Four cases: released in 2019, 2021 and 2023, and undated."""
    folder = tmp_path / "dated"
    folder.mkdir()
    names = sorted(p for p in pack_folder("core-en").glob("*.yaml") if p.name != "pack.yaml")[:4]
    for path, released in zip(names, ("2019-05-01", "2021-05-01", "2023-05-01", None), strict=True):
        data = yaml.safe_load(path.read_text("utf-8"))
        data["provenance"].pop("released", None)
        if released:
            data["provenance"]["released"] = datetime.date.fromisoformat(released)
        (folder / path.name).write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")
    return folder


@pytest.mark.parametrize(
    ("bounds", "count"),
    [
        ({}, 4),
        ({"released_from": "2021-05-01"}, 2),
        ({"released_from": "2021-05-02"}, 1),
        ({"released_before": "2021-05-01"}, 1),
        ({"released_before": "2100-01-01"}, 3),
        ({"released_from": "2020-01-01", "released_before": "2022-01-01"}, 1),
    ],
)
def test_a_release_date_is_from_the_first_to_before_the_second_and_leaves_out_the_undated(
    dated: Path, bounds: dict[str, str], count: int
) -> None:
    plan = Plan.model_validate({"doctors": "silent", "scenarios": {"pack": str(dated), **bounds}})
    assert len(select_cases(plan)) == count


def test_filters_are_held_to_together_and_the_limit_comes_last() -> None:
    pack = load_pack("core-en")
    department = pack.cases[-1].department
    plan = Plan.model_validate(
        {"doctors": "silent", "scenarios": {"pack": "core-en", "department": department, "limit": 1}}
    )
    ((_, case),) = select_cases(plan)
    assert case == next(c for c in pack.cases if c.department == department)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"pack": "core-en", "language": "zh"}, "has no language zh; it has"),
        ({"pack": "core-en", "department": "Astrology"}, "has no department Astrology; it has"),
        ({"pack": "core-en", "cases": ["nobody"]}, "no case 'nobody'; it has"),
        ({"pack": "core-en", "released_from": "2999-01-01"}, "no case of pack core-en passes"),
        ({"pack": "no-such-pack"}, "core-en"),
    ],
)
def test_a_filter_that_names_what_is_not_there_or_leaves_nothing_is_refused(source: dict[str, Any], said: str) -> None:
    with pytest.raises(ClinicSimError, match=said):
        select_cases(Plan.model_validate({"doctors": "silent", "scenarios": source}))


def test_a_case_that_two_sources_give_is_refused_and_disjoint_parts_of_a_pack_are_not() -> None:
    one, two = (case.id for case in load_pack("core-en").cases[:2])
    parts = [{"pack": "core-en", "cases": one}, {"pack": "core-en", "cases": two}]
    assert [c.id for _, c in select_cases(Plan.model_validate({"doctors": "silent", "scenarios": parts}))] == [one, two]
    with pytest.raises(ConfigError, match=f"case '{one}' comes from core-en and again"):
        select_cases(Plan.model_validate({"doctors": "silent", "scenarios": [*parts[:1], "core-en"]}))


@pytest.mark.parametrize(
    ("fields", "kind", "said"),
    [
        ({"doctors": ["no-such-doctor"]}, ConfigError, "no-such-doctor"),
        ({"doctors": [""]}, ConfigError, "oracle"),
        ({"personas": ["grumpy"]}, ConfigError, "there are plain"),
        ({"rubric": "no-such-rubric"}, ClinicSimError, "no-such-rubric"),
        ({"scenarios": ["nowhere"]}, CaseError, "nowhere"),
    ],
)
def test_a_name_that_nothing_has_is_refused_before_anything_is_played(
    fields: dict[str, Any], kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        sweep_of(**fields)


# Which episodes come of it


FACTORS = {
    "scenarios": [{"pack": "core-en", "limit": 2}, {"pack": "core-zh", "limit": 1}],
    "doctors": ["silent", "guess"],
    "roles": [{}, {"unrecorded": "normal"}],
    "personas": ["plain", "terse"],
    "seeds": [0, 5, 3],
    "repeats": 2,
}


def test_every_combination_is_planned_once_and_reports_find_its_factors_again() -> None:
    sweep = sweep_of(**FACTORS)
    assert len(sweep.episodes) == sweep.size == 3 * 2 * 2 * 2 * 3 * 2
    assert len({p.key for p in sweep.episodes}) == sweep.size
    assert [p.at for p in sweep.episodes] == list(range(sweep.size))
    assert len({(p.case, p.doctor, p.roles, p.persona, p.seed, p.repeat) for p in sweep.episodes}) == sweep.size
    manifest = json.loads(json.dumps(sweep.manifest()))
    levels = decode(manifest, np.arange(sweep.size))
    for p in sweep.episodes:
        found = {name: int(values[p.at]) for name, values in levels.items()}
        assert found == {
            "doctor": p.doctor, "roles": p.roles, "persona": p.persona, "case": p.case, "seed": p.seed,
            "repeat": p.repeat,
        }  # fmt: skip


@given(of=st.integers(1, 40))
@settings(max_examples=15)
def test_shards_cover_every_episode_exactly_once(of: int) -> None:
    whole = sweep_of(**FACTORS)
    parts = [Sweep(whole.plan, whole.cases, whole.personas, whole.rubric, whole.settings, Shard(n, of)).episodes
             for n in range(1, of + 1)]  # fmt: skip
    together = [p for part in parts for p in part]
    assert len(together) == len(whole.episodes)
    assert {p.at: p.key for p in together} == {p.at: p.key for p in whole.episodes}
    doctors = len(whole.plan.doctors)
    assert max(map(len, parts)) - min(map(len, parts)) <= doctors
    for part in parts:  # the doctors of a case stay together, so that a shard can be compared by itself
        assert all(n == doctors for n in Counter(p.at // doctors for p in part).values())


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/0", "-1/2", "1/2/3", "a/b", "1.0/2", " 1/2", "¹/2", "१/२"])
def test_a_shard_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--shard"):
        Shard.parse(text)


def test_a_key_does_not_depend_on_the_plan_around_the_episode() -> None:
    one = keys(seeds=[5])
    assert set(one) <= set(keys(**{**FACTORS, "scenarios": [{"pack": "core-en", "limit": 2}]}))
    assert set(one) == set(keys(seeds=[5], shard="1/1"))
    assert set(keys(shard="1/2", **FACTORS)) | set(keys(shard="2/2", **FACTORS)) == set(keys(**FACTORS))
    for execution in (
        {"concurrency": 3}, {"retries": 2}, {"max_cost": 1.0}, {"record": False}, {"engine": "ray"}, {"name": "x"},
        {"rubric": "mvme"},
    ):  # fmt: skip
        assert keys(seeds=[5], **execution) == one, execution


M = "openai/m?base_url=http://127.0.0.1:1/v1"


def test_a_key_does_not_depend_on_address_prices_or_patience() -> None:
    def of(model: str) -> list[str]:
        return keys(doctors=[model], roles={"patient": model})

    plain = of(M)
    for more in ("&price_in=1&price_out=2", "&attempts=9", "&total_s=77", "&concurrency=3"):
        assert of(M + more) == plain, more
    assert of(M.replace(":1/", ":2/")) == plain
    assert of(M + "&temperature=0.5&top_p=0.5") == of(M + "&top_p=0.5&temperature=0.5")


BASE = {"doctors": ["silent"], "seeds": [1], "scenarios": [{"pack": "core-en", "limit": 1}]}


@pytest.mark.parametrize(
    "change",
    [
        {"doctors": ["guess"]},
        {"seeds": [2]},
        {"scenarios": [{"pack": "core-zh", "limit": 1}]},
        {"personas": ["terse"]},
        {"limits": {"turns": 39}},
        {"limits": {"turns": None}},
        {"limits": {"seconds": 5}},
        {"roles": {"unrecorded": "normal"}},
        {"roles": {"patient": M}},
        {"roles": {"examiner": M}},
        {"roles": {"chief": M}},
        {"doctors": [M]},
    ],
)
def test_whatever_determines_an_episode_changes_its_key(change: dict[str, Any]) -> None:
    assert not set(keys(**BASE)) & set(keys(**{**BASE, **change}))


@pytest.mark.parametrize("more", ["&temperature=0.1", "&top_p=0.1", "&max_tokens=99", "&form=json"])
def test_whatever_a_model_is_asked_with_changes_the_key(more: str) -> None:
    for role in ("doctor", "patient"):
        plain, other = (
            keys(doctors=[m]) if role == "doctor" else keys(roles={role: m})
            for m in (M, M + more)
        )  # fmt: skip
        if role == "doctor" or "form" not in more:
            assert not set(plain) & set(other), (role, more)


def test_a_changed_case_has_another_key(tmp_path: Path) -> None:
    folder = tmp_path / "pack"
    shutil.copytree(pack_folder("core-en"), folder)
    before = keys(scenarios=[str(folder)])
    file = min(p for p in folder.glob("*.yaml") if p.name != "pack.yaml")
    data = yaml.safe_load(file.read_text("utf-8"))
    data["facts"][0]["words"] += " Indeed."
    file.write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")
    after = keys(scenarios=[str(folder)])
    assert len(set(before) - set(after)) == 1


@pytest.mark.parametrize(
    "doctors",
    [
        [M, M.replace(":1/", ":2/")],
        [M, M + "&price_in=1&price_out=1"],
        [M + "&temperature=0.5&top_p=0.5", M + "&top_p=0.5&temperature=0.5"],
        [M + "&temperature=0", M + "&temperature=0.0"],
    ],
)
def test_doctors_that_are_one_and_the_same_are_refused_before_anything_is_played(doctors: list[str]) -> None:
    # Their episodes would have one key, and a key is written once.
    with pytest.raises(ConfigError, match="is the same as doctor"):
        sweep_of(doctors=doctors).episodes  # noqa: B018 - the property does the work


def test_a_seed_that_reports_cannot_hold_is_refused_at_once() -> None:
    sweep = None
    try:
        sweep = sweep_of(seeds=[2**64])
    except (ConfigError, ValueError):
        return
    decode(json.loads(json.dumps(sweep.manifest())), np.arange(len(sweep.episodes)))


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)


@given(field=st.sampled_from([*Plan.model_fields, "preset", "nonsense", ""]), value=anything)
def test_whatever_stands_in_a_field_is_a_plan_or_a_config_error(
    tmp_path_factory: pytest.TempPathFactory, field: str, value: Any
) -> None:
    path = tmp_path_factory.mktemp("any") / "plan.yaml"
    path.write_text(json.dumps({"doctors": "silent", field: value}), "utf-8")
    try:
        plan = load_plan(path)
    except ConfigError:
        return
    path.write_text(dump_plan(plan), "utf-8")
    assert load_plan(path) == plan


def test_how_a_plan_is_carried_out_does_not_stand_among_what_determines_it() -> None:
    determines = Plan.model_validate({"doctors": "silent"}).determines()
    assert not set(determines) & {"name", *EXECUTION}
    assert set(determines) | {"name", *EXECUTION} == set(Plan.model_fields)


def test_a_dry_run_counts_and_writes_nothing(command: Callable[..., Any], plan_file: Callable[..., Path]) -> None:
    told = command("sweep", plan_file(), "--dry-run", "--json", "--out", "run")
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["episodes"] == 6
    assert not (command.cwd / "run").exists()  # type: ignore[attr-defined]
    assert not (command.cwd / "runs").exists()  # type: ignore[attr-defined]
