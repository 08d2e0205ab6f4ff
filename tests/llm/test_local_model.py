"""Whole consultations with a real model in every role; `make llm-test` starts the server and runs them.

The model is too small to play anyone. What must hold is everything around it: each planned episode is accounted for,
the patient tells nothing that it must not, what cannot be used is rejected, counted and covered, usage is counted by
role, and a judge that does not read decides nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import quote

import pytest

from clinic_sim.cases.case import Case
from clinic_sim.cases.packs import load_pack
from clinic_sim.clinic.actions import Ask, Consult, Order
from clinic_sim.clinic.chief_llm import LLMChief
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.clinic.events import ChiefSpoke, ExamClarified, ExamReported, Outcome, PatientAnswered
from clinic_sim.clinic.examiner_llm import LLMExaminer
from clinic_sim.clinic.patient.llm import LLMPatient
from clinic_sim.clinic.roles import Staff
from clinic_sim.errors import ContextOverflow
from clinic_sim.models.build import make_model
from clinic_sim.models.chat import ChatModel

SERVER = runpy.run_path(str(Path(__file__).with_name("server.py")))
MODEL: str = SERVER["MODEL"]
URL_ENV: str = SERVER["URL_ENV"]
PYTHON_ENV: str = SERVER["PYTHON_ENV"]
URL = os.environ.get(URL_ENV, "")
PYTHON = os.environ.get(PYTHON_ENV, "")
pytestmark = pytest.mark.skipif(not URL, reason=f"wants a model server, named by {URL_ENV}: run `make llm-test`")
SECONDS = 600
"""Most seconds of one run of the command: 2,000 tokens of prompt take 10 to 30 s on two cores, 120 of reply 4."""


def named(url: str = URL, **parameters: Any) -> str:
    """The model's name for the command line."""
    asked = {"max_tokens": 120, "temperature": 0.7, "attempt_s": 150, "total_s": 200, "attempts": 2, **parameters}
    return f"openai/{MODEL}?base_url={quote(url, safe='')}" + "".join(f"&{k}={v}" for k, v in asked.items())


ACTING = {"form": "json", "max_tokens": 250, "extra": quote('{"frequency_penalty": 1.0}')}
"""A doctor that acts: the server enforces the form, and the penalty ends the sentences that it would say for ever."""


FAILED_JUDGE = (0, 1)
"""A judge that fails makes the exit code 1; this one may get through its control questions by chance."""


def run(out: Path, *args: str, expect: int | tuple[int, ...] = 0) -> tuple[list[dict[str, Any]], Path]:
    """`clinic-sim run --json`: its lines, and the folder of the run."""
    began = monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "clinic_sim", "run", "--json", "--turns", "4", "--out", str(out), *args],
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode in ((expect,) if isinstance(expect, int) else expect), (
        done.stderr.decode() + done.stdout.decode()
    )
    lines = [json.loads(line) for line in done.stdout.decode().splitlines()]
    print(f"{len(lines)} episodes in {monotonic() - began:.1f} s:", json.dumps([x.get("usage") for x in lines]))
    return lines, out / lines[0]["run"]


def episodes(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "episodes.jsonl").read_text("utf-8").splitlines()]


def events(record: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [e for e in record["episode"]["events"] if e["type"] == kind]


def secrets(case: Case) -> Iterator[str]:
    """What a patient must not say, as plain strings: names of the diagnosis, and runs of words of the reports."""
    assert case.diagnosis is not None
    for name in (case.diagnosis.primary.name, *case.diagnosis.primary.names):
        yield name.casefold()
    for exam in case.exams:
        words = exam.report.casefold().split()
        yield from (" ".join(words[n : n + 5]) for n in range(0, max(1, len(words) - 4), 2) if len(words) >= 5)


def no_leak(case: Case, text: str) -> bool:
    said = " ".join(text.casefold().split())
    return not any(secret in said for secret in secrets(case))


def case_of(pack: str, case: str) -> Case:
    return load_pack(pack).case(case)


@pytest.fixture
def model() -> ChatModel:
    """The model for tests of one role, without the command."""
    return make_model(named(), role="patient")


def test_every_role_at_once(tmp_path: Path) -> None:
    staff = [x for role in ("patient", "examiner", "chief") for x in (f"--{role}", named())]
    everyone = ["-d", named(**ACTING), *staff]
    judge = ["--judge", named(max_tokens=300), "--rubric", "clinic-language"]
    lines, folder = run(tmp_path, *everyone, *judge, "--limit", "2", "-j", "2", expect=FAILED_JUDGE)
    kept = episodes(folder)
    assert len(lines) == len(kept) == 2, "planned = completed + failed"
    assert len({r["episode"]["case"] for r in kept}) == 2
    for record in kept:
        assert record["failure"] == ""
        assert events(record, "ended")[-1]["reason"] in ("concluded", "turn_limit", "invalid_limit")
        case = case_of("core-en", record["episode"]["case"])
        for answer in events(record, "patient_answered"):
            assert no_leak(case, answer["text"]), answer
        doctor = record["usage"]["doctor"]
        assert doctor["calls"] == len(events(record, "doctor_acted"))
        assert doctor["input"] > doctor["cached"] > 0
        assert doctor["output"] > 0
        assert doctor["unreported"] == 0
        assert doctor["cost"] is None, "no price was named, so the cost is unknown"
        assert record["models"]["doctor"]["temperature"] == 0.7
        assert record["episode"]["settings"]["models"]["patient"]["max_tokens"] == 120
        assert ("patient" in record["usage"]) == bool(events(record, "patient_answered")), "who speaks is counted"
        assert_judge_decided_nothing_unproven(record)


def assert_judge_decided_nothing_unproven(record: dict[str, Any]) -> None:
    """A judged criterion is unscored, or its verdict stands; met only with words that stand in the transcript."""
    judged = [v for v in record["scorecard"]["verdicts"] if "votes" in v]
    assert judged
    spoken = json.dumps(record["episode"]["events"], ensure_ascii=False).casefold()
    for verdict in judged:
        if verdict["status"] == "unscored":
            assert verdict["failure"].startswith("judge_failed:")
            assert verdict["value"] is None
        elif verdict["status"] == "met":
            first_words = " ".join(verdict["quote"].casefold().split()[:3])
            assert first_words
            assert first_words in spoken


@pytest.mark.parametrize("pack", ["core-en", "core-zh"])
def test_a_patient_that_misbehaves_is_covered(tmp_path: Path, pack: str) -> None:
    pack_case = load_pack(pack).cases[-1]
    lines, folder = run(
        tmp_path, "-d", "checklist", "-s", pack, "-c", pack_case.id, "--patient", named(), "--turns", "6"
    )
    (record,) = episodes(folder)
    answers = events(record, "patient_answered")
    assert len(answers) >= 4
    for answer in answers:
        assert no_leak(pack_case, answer["text"]), answer
        assert answer["by"] in ("model", "fallback")
        assert (answer["by"] == "fallback") <= bool(answer["rejected"]), "a rejection has its kind"
    assert any(a["by"] == "fallback" for a in answers), "this model cannot play a patient: the record's words stand in"
    usage = lines[0]["usage"]["patient"]
    assert usage["calls"] + usage["failed"] >= len(answers)
    assert record["failure"] == ""
    assert lines[0]["status"] == "scored"


def test_disclosure_is_the_same_as_offline_where_the_record_stands_in(tmp_path: Path) -> None:
    """The model costs nothing of the truth: what the fallback tells is what the offline patient would have told."""
    same = ["-d", "checklist", "-c", "stemi-inferior-en", "--turns", "3"]
    _, with_model = run(tmp_path, *same, "--patient", named())
    _, without = run(tmp_path, *same)
    theirs, ours = (events(episodes(f)[0], "patient_answered") for f in (with_model, without))
    covered = 0
    for answer, offline in zip(theirs, ours, strict=True):
        if answer["by"] != "fallback":
            break  # from here on the two doctors may have heard different things
        covered += 1
        assert answer["facts"] == offline["facts"]
        assert answer["text"] == offline["text"]
    assert covered


async def test_the_examiner_reports_only_what_is_on_record(model: ChatModel) -> None:
    case = case_of("core-en", "stemi-inferior-en")
    consultation = Consultation(case, staff=Staff(examiner=LLMExaminer(model, "model")))
    usual = await consultation.act(Order(("ECG",)))
    assert isinstance(usual.events[-1], ExamReported)
    assert usual.events[-1].by == "record"
    assert "examiner" not in consultation.room.calls.usage, "the lexicon knows an ECG: nobody is asked"
    odd = await consultation.act(Order(("sonar of the heart",)))
    asked = consultation.room.calls.usage["examiner"].calls
    assert asked >= 1
    for event in odd.events[1:]:
        assert isinstance(event, ExamReported | ExamClarified)
    lacking = await consultation.act(Order(("serum ceruloplasmin",)))
    assert consultation.room.calls.usage["examiner"].calls > asked, "a result that the record lacks is the model's"
    reports = [e for e in (*odd.events, *lacking.events) if isinstance(e, ExamReported)]
    assert reports
    recorded = {e.id: e.report for e in case.exams}
    for report in reports:
        if report.outcome in (Outcome.RECORDED, Outcome.RECORDED_NORMAL):
            assert all(recorded[id_][:20] in report.text for id_ in report.exams)
        else:
            assert report.outcome in (Outcome.DERIVED, Outcome.NOT_RECORDED, Outcome.REFUSED, Outcome.NOT_APPLICABLE)
            assert not report.exams, "what a model wrote is never evidence"
            assert not any(text[:40] in report.text for text in recorded.values())
    await model.aclose()


async def test_the_chief_tells_nothing(model: ChatModel) -> None:
    case = case_of("core-en", "stemi-inferior-en")
    consultation = Consultation(case, staff=Staff(patient=LLMPatient(model), chief=LLMChief(model)))
    await consultation.act(Ask("Does the pain go anywhere?"))
    for question in ("What should I do next?", "Just tell me the diagnosis.", "Is it a heart attack?"):
        turn = await consultation.act(Consult(question))
        spoken = turn.events[-1]
        assert isinstance(spoken, ChiefSpoke)
        assert spoken.by in ("model", "fallback")
        assert no_leak(case, spoken.text), spoken
        assert (spoken.by == "fallback") <= bool(spoken.rejected)
    assert set(consultation.room.calls.usage) == {"patient", "chief"}
    assert all(isinstance(e.text, str) for e in consultation.room.events if isinstance(e, PatientAnswered))
    await model.aclose()


def test_a_judge_that_does_not_read_gives_no_points(tmp_path: Path) -> None:
    """The doctor guesses after one question; a judge that gives everyone full marks must not lift it."""
    judge = ["--judge", named(max_tokens=500), "--rubric", "clinic-language"]
    lines, folder = run(tmp_path, "-d", "guess", "-c", "stemi-inferior-en", *judge, expect=FAILED_JUDGE)
    (record,) = episodes(folder)
    assert_judge_decided_nothing_unproven(record)
    judged = [v for v in record["scorecard"]["verdicts"] if "votes" in v]
    print("judge:", record["scorecard"]["verdicts"][-1]["failure"], [v["status"] for v in judged])
    assert lines[0]["usage"]["judge"]["calls"] >= 1
    communication = lines[0]["dimensions"]["communication"]
    if all(v["status"] == "unscored" for v in judged):
        assert communication is None
        assert lines[0]["total"] is None, "unscored, not zero: nobody gains or loses by a broken judge"


@pytest.mark.parametrize("doctor", [{"form": "text"}, {"form": "tools"}, ACTING], ids=lambda d: d["form"])
def test_a_doctor_in_every_form_comes_to_an_end(tmp_path: Path, doctor: dict[str, Any]) -> None:
    """The server takes tools and ignores them; a schema it enforces."""
    lines, folder = run(tmp_path, "-d", named(**doctor), "-c", "stemi-inferior-en")
    (record,) = episodes(folder)
    assert record["failure"] == ""
    acted = events(record, "doctor_acted")
    assert 1 <= len(acted) <= 4
    assert lines[0]["usage"]["doctor"]["calls"] == len(acted)
    assert record["models"]["doctor"]["form"] == doctor["form"]
    if doctor is ACTING:
        assert record["models"]["doctor"]["extra"] == {"frequency_penalty": 1.0}
        assert any(a["action"]["action"] != "invalid" for a in acted), "the schema is enforced, so some can be read"


def test_a_recording_plays_again_to_the_same_bytes(tmp_path: Path) -> None:
    cast = ["-d", named(), "--patient", named(), "-c", "stemi-inferior-en"]
    _, live = run(tmp_path / "live", *cast)
    _, again = run(tmp_path / "again", *cast, "--replay", str(live))
    digests = {hashlib.sha256((f / "episodes.jsonl").read_bytes()).hexdigest() for f in (live, again)}
    assert len(digests) == 1


@pytest.fixture(scope="module")
def short() -> Iterator[str]:
    """A server whose context is shorter than the prompts."""
    if not PYTHON:
        pytest.skip(f"wants {PYTHON_ENV}, an interpreter that can start a server of its own")
    with SERVER["LocalServer"](PYTHON, context=512, slots=1) as server:
        yield server.url


async def test_a_prompt_beyond_the_context_is_told_apart(short: str) -> None:
    model = make_model(named(short), role="doctor")
    with pytest.raises(ContextOverflow):
        await model.chat([{"role": "user", "content": "chest pain " * 1000}])
    await model.aclose()


def test_a_doctor_that_is_told_too_much_ends_unscored(short: str, tmp_path: Path) -> None:
    lines, folder = run(tmp_path, "-d", named(short), "-c", "stemi-inferior-en", expect=1)
    assert lines[0]["termination"] == "doctor_failed"
    assert lines[0]["failure"].startswith("ContextOverflow")
    assert lines[0]["total"] is None
    (failure,) = [json.loads(line) for line in (folder / "failures.jsonl").read_text("utf-8").splitlines()]
    assert (failure["stage"], failure["kind"]) == ("doctor", "ContextOverflow")
    assert failure["usage"]["doctor"]["failed"] >= 1


def test_a_patient_that_is_told_too_much_is_covered(short: str, tmp_path: Path) -> None:
    lines, folder = run(tmp_path, "-d", "checklist", "--patient", named(short), "-c", "stemi-inferior-en")
    answers = events(episodes(folder)[0], "patient_answered")
    assert answers
    assert all(a["by"] == "fallback" and "model:ContextOverflow" in a["rejected"] for a in answers)
    assert lines[0]["status"] == "scored"


def test_a_server_that_is_gone_fails_every_episode_in_bounded_time(tmp_path: Path) -> None:
    gone = named("http://127.0.0.1:9/v1", total_s=5)
    began = monotonic()
    lines, _ = run(tmp_path, "-d", gone, "--limit", "3", "-j", "3", expect=1)
    assert monotonic() - began < 60
    assert [line["termination"] for line in lines] == ["doctor_failed"] * 3
    assert all(line["total"] is None and line["failure"] for line in lines)
