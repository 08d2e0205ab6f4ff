"""The command line as a user and a script meet it: the real command, in its own process."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from clinic_sim.cases.loading import dump_case
from clinic_sim.testing import small_case


def cli(*args: str, stdin: str | bytes = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(
        [sys.executable, "-m", "clinic_sim", *args], input=data, capture_output=True, timeout=120, cwd=cwd, check=False
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_run_prints_one_json_line_an_episode_and_keeps_the_run(tmp_path: Path) -> None:
    done = cli("run", "--limit", "2", "--json", "--seed", "3", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    first, _ = lines(done)
    assert {
        "run",
        "case",
        "doctor",
        "seed",
        "total",
        "dimensions",
        "safety",
        "turns",
        "cost",
        "termination",
        "status",
    } <= set(first)
    assert list(first["dimensions"]) == ["symptom_collection", "exam_ordering", "diagnosis", "treatment"]
    assert (first["doctor"], first["seed"], first["status"]) == ("checklist", 3, "scored")
    kept = (tmp_path / first["run"] / "episodes.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(k)["episode"]["case"] for k in kept] == [line["case"] for line in lines(done)]
    assert json.loads((tmp_path / first["run"] / "manifest.json").read_text())["plan"]["seeds"] == [3]


def test_same_seed_same_bytes_in_two_processes(tmp_path: Path) -> None:
    hashes = set()
    for n in range(2):
        done = cli("run", "-d", "random", "-s", "core-zh", "--json", "--out", str(tmp_path / str(n)))
        run = lines(done)[0]["run"]
        hashes.add(hashlib.sha256((tmp_path / str(n) / run / "episodes.jsonl").read_bytes()).hexdigest())
    assert len(hashes) == 1


def test_run_shows_transcript_and_scorecard_plainly_off_a_terminal(tmp_path: Path) -> None:
    done = cli("run", "--limit", "1", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "Doctor: " in done.stdout
    assert "Patient: " in done.stdout
    assert "symptom_collection" in done.stdout
    assert "planned 1 = completed 1 + failed 0" in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("run", "--case", "nobody"), "nobody"),
        (("run", "--doctor", "nobody"), "checklist"),
        (("run", "--scenarios", "nowhere"), "core-en"),
        (("run", "--rubric", "nowhere"), "mvme"),
        (("run", "--persona", "nobody"), "plain"),
        (("show", "nobody"), "clinic-sim list"),
        (("explain", "poem", "x"), "question"),
        (("explain", "question", "x"), "--case"),
        (("explain", "order", "CBC", "--language", "klingon"), "klingon"),
        (("import", "nosuch", "x", "--out", "y"), "agentclinic"),
        (("schema", "poem"), "rubric"),
        (("run", "--case", ""), "no case ''"),
        (("run", "--scenarios", ""), "no pack ''"),
        (("list", ""), "no pack ''"),
        (("validate", "nope.yaml"), "nope.yaml: does not exist"),
        (("explain", "diagnosis", "flu", "--language", "fr"), "'fr'"),
        (("explain", "diagnosis", "a" * 20_001), "20001 characters"),
    ],
)
def test_a_request_that_cannot_be_met_is_one_clear_message_and_code_2(
    tmp_path: Path, args: tuple[str, ...], says: str
) -> None:
    done = cli(*args, cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.rglob("*.jsonl*")), "nothing is left half-written"


def test_validate_tells_valid_from_invalid(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(dump_case(small_case()), "utf-8")
    bad.write_text(dump_case(small_case()).replace("lab.cbc", "lab.nonsense"), "utf-8")
    assert cli("validate", str(good)).returncode == 0
    done = cli("validate", str(good), str(bad))
    assert done.returncode == 1
    assert f"{bad}:" in done.stderr
    assert "2 cases: 1 valid, 1 invalid" in done.stdout
    assert cli("validate", "core-en", "core-zh").returncode == 0


def test_list_and_show_hide_the_answer() -> None:
    listed = cli("list", "--json")
    cases = lines(listed)
    assert len(cases) == 16
    assert {c["language"] for c in cases} == {"en", "zh"}
    shown = json.loads(cli("show", cases[0]["case"], "--json").stdout)
    assert "diagnosis" not in shown
    assert "title" not in shown
    assert "diagnosis" in json.loads(cli("show", cases[0]["case"], "--json", "--reference").stdout)
    assert "hidden" in cli("show", cases[0]["case"]).stdout


def test_explain_one_and_many(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(dump_case(small_case()), "utf-8")
    pack = ("--scenarios", str(tmp_path))
    one = json.loads(cli("explain", "question", "Any allergies?", *pack, "--case", "small", "--json").stdout)
    assert [f["id"] for f in one["facts"]] == ["allergy"]
    assert one["reply"] == "Penicillin gives me a rash."
    asked = [
        {"case": "small", "text": "Do you have a fever?"},
        {"case": "small", "text": "有没有过敏？"},
        {"case": "nobody", "text": "x"},
        {"text": 5},
    ]
    done = cli("explain", "question", *pack, "--jsonl", stdin="\n".join(json.dumps(a) for a in asked) + "\nnot json\n")
    assert done.returncode == 1
    fever, allergy, *broken = lines(done)
    assert [f["id"] for f in fever["facts"]] == ["no_fever"]
    assert [f["id"] for f in allergy["facts"]] == ["allergy"]
    assert len(broken) == 3
    assert all("error" in b for b in broken)
    orders = cli("explain", "order", *pack, "--jsonl", stdin='{"case": "small", "text": "CBC and brain MRI"}\n')
    found = {e["code"]: e["outcome"] for e in lines(orders)[0]["exams"]}
    assert found["lab.cbc"] == "recorded"
    assert "not_recorded" in found.values()
    codes = json.loads(cli("explain", "diagnosis", "急性阑尾炎", "--json").stdout)["codes"]
    assert codes[0]["icd10"].startswith("K35")


def test_explain_survives_hostile_lines() -> None:
    hostile = b'{"text": "\\ud800"}\n\xff\xfe\n{"text": "' + b"a" * 1_000_000 + b'"}\n[1]\n'
    done = cli("explain", "diagnosis", "--jsonl", stdin=hostile)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 4
    assert "Traceback" not in done.stderr


def test_play_from_a_script(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(dump_case(small_case()), "utf-8")
    conclusion = "CONCLUDE: acute appendicitis\\\nTreatment: appendicectomy\n"
    done = cli("play", "--scenarios", str(tmp_path), stdin=f"Any allergies?\n{conclusion}")
    assert done.returncode == 0, done.stderr
    assert "Penicillin gives me a rash." in done.stdout
    assert "Scorecard" in done.stdout
    assert cli("play", "--scenarios", str(tmp_path), stdin="Any allergies?\n").returncode == 1


def test_schemas_and_version() -> None:
    assert "facts" in json.loads(cli("schema", "case").stdout)["properties"]
    assert "criteria" in json.loads(cli("schema", "rubric").stdout)["properties"]
    assert cli("--version").stdout.startswith("clinic-sim ")


@pytest.mark.parametrize("redirect", [">&-", "> /dev/full"])
@pytest.mark.parametrize("args", ["list --json", "list", "--version", "schema"])
def test_output_that_cannot_be_written_is_one_line_and_code_1(redirect: str, args: str) -> None:
    command = f'"{sys.executable}" -m clinic_sim {args} {redirect}'
    done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=60, check=False)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr.decode()


def test_an_interrupt_is_one_line_and_code_130(tmp_path: Path) -> None:
    args = [sys.executable, "-m", "clinic_sim", "explain", "diagnosis", "--jsonl"]
    with subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b'{"text": "flu"}\n')
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr
        assert process.stderr.read() == b"clinic-sim: interrupted\n"


def test_explain_reads_a_byte_order_mark_and_refuses_unknown_cases() -> None:
    asked = b'\xef\xbb\xbf{"text": "flu"}\n{"text": "flu", "case": "nobody"}\n'
    done = cli("explain", "diagnosis", "--jsonl", stdin=asked)
    assert done.returncode == 1
    good, bad = lines(done)
    assert good["codes"]
    assert "nobody" in bad["error"]


def test_the_manifest_names_the_code(tmp_path: Path) -> None:
    done = cli("run", "--limit", "1", "--json", "--out", str(tmp_path))
    manifest = json.loads((tmp_path / lines(done)[0]["run"] / "manifest.json").read_text("utf-8"))
    assert len(manifest["code"]) == 16
