"""`clinic-sim judge replay`: from released files to scores, a rank and a run that reports like any other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from clinic_sim.cli import app
from clinic_sim.errors import ClinicSimError, ConfigError, StoreError
from clinic_sim.reports.document import report
from clinic_sim.reports.html import render
from clinic_sim.reports.published import published, published_of

DIAGNOSES = {101: "急性胰腺炎", 102: "急性阑尾炎", 103: "支气管肺炎", 104: "2型糖尿病"}
TREATMENTS = {101: "给予禁食、补液治疗。", 102: "行阑尾切除术。", 103: "给予阿莫西林治疗。", 104: "给予二甲双胍治疗。"}
SAYS = {
    "gpt4": DIAGNOSES,
    "qwen_max": {**DIAGNOSES, 104: "甲状腺功能亢进"},
    "wenxin": {**DIAGNOSES, 104: "甲状腺功能亢进", 103: "股骨骨折"},
    "gpt3": dict.fromkeys(DIAGNOSES, "股骨骨折"),
}


def dialogue(number: int, diagnosis: str) -> dict[str, Any]:
    closing = f"#诊断结果#\n{diagnosis}\n#诊断依据#\n(1) 症状典型\n#治疗方案#\n(1) 补液"
    turns = [("Doctor", "您好，有哪里不舒服？"), ("Patient", "<对医生讲> 不舒服好几天了。"), ("Doctor", closing)]
    return {
        "patient_id": number,
        "dialog_history": [{"turn": n, "role": who, "content": text} for n, (who, text) in enumerate(turns)],
    }


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """Four doctors' dialogues of four patients, and the reference answers of all."""
    for doctor, said in SAYS.items():
        lines = (json.dumps(dialogue(n, d), ensure_ascii=False) for n, d in said.items())
        (tmp_path / f"dialog_history_{doctor}.jsonl").write_text("\n".join(lines), "utf-8")
    rows = (
        {
            "patient_id": n,
            "reference_diagnosis": {"patient_id": n, "diagnosis": d, "basis": "症状典型。", "treatment": TREATMENTS[n]},
        }
        for n, d in DIAGNOSES.items()
    )
    (tmp_path / "evaluation.jsonl").write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in rows), "utf-8")
    return tmp_path


def run(*args: Any, fails: type[ClinicSimError] | None = None) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["judge", "replay", *map(str, args)])
    if fails is not None:
        assert isinstance(result.exception, fails)
        return 2, str(result.exception)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def test_doctors_are_ranked_as_they_deserve_and_the_rank_says_how_little_four_are(released: Path) -> None:
    code, out = run(released, "--references", released / "evaluation.jsonl", "--json")
    found = json.loads(out)
    assert code == 0
    means = {name: own["scores"]["diagnosis"]["value"] for name, own in found["doctors"].items()}
    assert sorted(means, key=lambda name: -means[name]) == ["gpt4", "qwen_max", "wenxin", "gpt3"]
    assert means["gpt4"] == 1
    assert found["doctors"]["gpt4"]["scores"]["symptoms"]["value"] is None
    for by in ("rubric", "rubric_grades", "view", "view_grades"):
        rank = found["against"]["diagnosis"][by]
        assert (rank["doctors"], rank["cases"], rank["tau"]) == (4, 4, 1)
        assert rank["by_chance"] == pytest.approx(1 / 24)
    assert found["against"]["diagnosis"]["reference"]["gpt4"] == 29.36
    _, text = run(released, "--references", released / "evaluation.jsonl")
    assert "a rank correlation says little" in text
    assert "16 dialogues read = 16 scored + 0 without a case + 0 twice; 0 could not be read" in text


def test_a_reference_of_one_s_own_is_ranked_by(released: Path) -> None:
    wanted = [f"--against={name}={value}" for name, value in (("gpt3", 9), ("gpt4", 1), ("wenxin", 2))]
    _, out = run(released, "--references", released / "evaluation.jsonl", "--json", *wanted)
    found = json.loads(out)["against"]
    assert list(found) == ["diagnosis"]
    assert found["diagnosis"]["source"] == "given"
    assert found["diagnosis"]["rubric"]["doctors"] == 3
    assert found["diagnosis"]["rubric"]["tau"] == pytest.approx(-1 / 3 - 2 / 3)
    for wrong in ("gpt4", "nobody=3", "gpt4=high"):
        _, message = run(released, "--references", released / "evaluation.jsonl", "--against", wrong, fails=ConfigError)
        assert "gpt4" in message


def test_every_dialogue_is_accounted_for(released: Path) -> None:
    path = released / "dialog_history_gpt4.jsonl"
    lines = path.read_text("utf-8").splitlines()
    more = [*lines, lines[0], json.dumps(dialogue(999, "肺炎"), ensure_ascii=False), "{torn"]
    path.write_text("\n".join(more), "utf-8")
    code, out = run(released, "--references", released / "evaluation.jsonl", "--json")
    counts = json.loads(out)["dialogues"]
    assert code == 1
    assert counts["read"] == 18
    assert counts["matched"] == 16
    assert counts["without_case"] == {"gpt4": ["999"]}
    assert counts["twice"] == ["dialog_history_gpt4.jsonl:5"]
    assert [u["where"] for u in counts["unread"]] == ["dialog_history_gpt4.jsonl:7"]


def test_a_run_of_replays_reports_and_says_that_it_was_not_played(released: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    args = (released, "--references", released / "evaluation.jsonl", "--out", folder)
    code, text = run(*args)
    assert code == 0
    assert "planned 16 = completed 16" in text
    found = report(folder)
    assert found.provenance.replayed == 16
    assert found.accounts.whole
    assert next(row[0] for row in found.tables["headline"].rows) == "replayed:gpt4"
    for language, word in (("en", "were not played here"), ("zh", "并非在此进行")):
        page = render(found, language)
        assert word in page
        assert "arXiv:2402.09742" in page
    rows = {(r["graded_by"], r["system"]): r for r in found.tables["published"].to_dict()}
    assert rows["this_run", "replayed:gpt4"]["dimension:diagnosis"]["value"] == 100
    assert rows["this_run", "replayed:gpt4"]["dimension:symptoms"]["value"] is None
    assert rows["published", "GPT-4"]["dimension:diagnosis"] == 29.36
    before = (folder / "episodes.jsonl").read_bytes()
    run(*args)
    assert (folder / "episodes.jsonl").read_bytes() == before
    run(
        released, "--references", released / "evaluation.jsonl", "--rubric", "clinic", "--out", folder, fails=StoreError
    )
    assert (folder / "episodes.jsonl").read_bytes() == before
    again = CliRunner().invoke(app, ["rescore", str(folder), "--rubric", "clinic", "--out", str(tmp_path / "again")])
    assert again.exit_code == 0, again.output
    rescored = report(tmp_path / "again")
    assert rescored.provenance.replayed == 16
    assert not rescored.tables["published"].rows  # other dimensions than the five views
    resumed = CliRunner().invoke(app, ["resume", str(folder)])
    assert isinstance(resumed.exception, StoreError)
    other = tmp_path / "mine"
    other.mkdir()
    (other / "note.txt").write_text("keep", "utf-8")
    run(*args[:-1], other, fails=StoreError)
    assert [p.name for p in other.iterdir()] == ["note.txt"]


def test_without_cases_or_with_those_of_others_it_says_what_to_give(released: Path) -> None:
    _, message = run(released, fails=ConfigError)
    assert "--references" in message
    _, message = run(released, "--cases", "core-zh", fails=ConfigError)
    assert "none of the dialogues' records" in message


def test_a_whole_record_wins_over_a_bare_reference(released: Path) -> None:
    record = {
        "主诉": "反复上腹痛3天",
        "现病史": "3天前饮酒后上腹痛，向腰背部放射，伴恶心、呕吐。",
        "辅助检查": "血淀粉酶：1200U/L。",
        "诊断依据": "上腹痛，血淀粉酶升高。",
        "诊断结果": "急性胰腺炎",
        "诊治经过": "给予禁食、补液治疗。",
    }
    path = released / "patients.json"
    path.write_text(json.dumps([{"id": 101, "medical_record": record}], ensure_ascii=False), "utf-8")
    _, out = run(released, "--cases", path, "--references", released / "evaluation.jsonl", "--json")
    found = json.loads(out)
    assert found["dialogues"]["with_record"] == 4
    assert found["doctors"]["gpt4"]["with_record"] == 1
    assert found["doctors"]["gpt4"]["scores"]["symptoms"]["n"] == 1


def test_published_rows_are_found_by_the_names_that_plans_and_transcripts_use() -> None:
    names = ("replayed:gpt-4", "openai/gpt-4?seed=1", "replayed:ERNIE-Bot4", "qwen-max-1201")
    found = [row.system if (row := published_of(name)) else None for name in names]
    assert found == ["GPT-4", "GPT-4", "Wenxin-4", "Qwen-Max"]
    assert published_of("checklist") is None
    assert all(0 <= value <= 100 for row in published() for value in row.views.values())
    assert len({alias for row in published() for alias in row.aliases}) == sum(len(r.aliases) for r in published())


def test_the_four_released_doctors_are_ranked_as_far_as_the_record_allows(shared_data: Path, tmp_path: Path) -> None:
    """A quarter of each file; the whole takes half a minute and is measured, not tested."""
    source = shared_data / "ai_hospital"
    if not source.is_dir():
        pytest.skip("AI Hospital's release is not beside this checkout")
    for path in sorted(source.glob("dialog_history_*.jsonl")):
        lines = sorted(path.read_text("utf-8").splitlines(), key=lambda line: json.loads(line)["patient_id"])
        (tmp_path / path.name).write_text("\n".join(lines[::4]), "utf-8")
    _, out = run(tmp_path, "--cases", source, "--references", source / "evaluation_gpt4_onestep.jsonl", "--json")
    found = json.loads(out)
    counts = found["dialogues"]
    assert counts["read"] == counts["matched"] == 4 * 65
    assert not counts["without_case"]
    assert set(found["against"]["diagnosis"]["reference"].values()) == {29.36, 26.46, 26.23, 23.9}
    for by in ("rubric", "view_grades"):
        assert found["against"]["diagnosis"][by]["doctors"] == 4
        assert found["against"]["diagnosis"][by]["tau"] is not None
