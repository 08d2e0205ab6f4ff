"""Released dialogues as episodes: what is read from foreign words is what they say, and nothing is lost on the way."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from clinic_sim.cases.case import Case
from clinic_sim.cases.compiled import compile_case
from clinic_sim.cases.importers.references import import_references, reference_texts
from clinic_sim.cases.packs import Pack
from clinic_sim.clinic.actions import Ask, Conclude
from clinic_sim.clinic.consultation import Consultation
from clinic_sim.clinic.driving import drive
from clinic_sim.clinic.episode import Episode
from clinic_sim.clinic.events import DoctorActed, ExamReported, Outcome, PatientAnswered
from clinic_sim.doctors import make_doctor
from clinic_sim.errors import ConfigError
from clinic_sim.judge.judge import RubricJudge
from clinic_sim.judge.replays.closing import conclusion
from clinic_sim.judge.replays.dialogues import Dialogue, Said, read_dialogues
from clinic_sim.judge.replays.episodes import replay, scorable
from clinic_sim.judge.replays.ranking import kendall, rank, rho
from clinic_sim.judge.replays.told import told_facts
from clinic_sim.judge.rubric import load_rubric
from clinic_sim.sweeps.runner import play

GREETING = {"turn": 0, "role": "Doctor", "content": "您好，有哪里不舒服？"}


def history(*turns: tuple[str, str], number: int = 7, **fields: Any) -> dict[str, Any]:
    said = [GREETING, *({"turn": n, "role": role, "content": text} for n, (role, text) in enumerate(turns, 1))]
    return {"patient_id": number, **fields, "dialog_history": said}


def written(folder: Path, *records: Any, name: str = "dialog_history_someone.jsonl") -> Path:
    path = folder / name
    lines = (r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) for r in records)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


SYMPTOMS, BASIS = "#症状#\n(1) 腹痛", "#诊断依据#\n(1) 上腹痛\n(2) 淀粉酶升高"
CLOSING = f"{SYMPTOMS}\n\n#诊断结果#\n急性胰腺炎\n\n{BASIS}\n\n#治疗方案#\n(1) 禁食\n(2) 补液"


def test_ai_hospital_s_marks_say_whom_the_patient_speaks_to(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        history(
            ("Patient", "<对医生讲> 肚子疼。"),
            ("Doctor", "做个血常规吧。"),
            ("Patient", "<对医生讲> 好的。<对检查员讲> 医生让我查血常规。"),
            ("Reporter", "#血常规#\n- 白细胞: 15"),
            ("Patient", "谢谢医生 <结束>"),
            ("Doctor", CLOSING),
        ),
    )
    (dialogue,), unread = read_dialogues([path])
    assert not unread
    assert [(s.who, s.text) for s in dialogue.said] == [
        ("doctor", "您好，有哪里不舒服？"),
        ("patient", "肚子疼。"),
        ("doctor", "做个血常规吧。"),
        ("patient", "好的。"),
        ("relay", "医生让我查血常规。"),
        ("examiner", "#血常规#\n- 白细胞: 15"),
        ("patient", "谢谢医生"),
    ]
    assert dialogue.closing == CLOSING
    assert (dialogue.record, dialogue.doctor, dialogue.format) == ("7", "someone", "ai-hospital")


def test_the_doctor_is_named_by_the_engine_and_else_by_the_file(tmp_path: Path) -> None:
    talk = [("Patient", "疼。"), ("Doctor", "哪儿疼？"), ("Doctor", CLOSING)]
    path = written(tmp_path, history(*talk, doctor_engine_name="gpt 4/turbo"), history(*talk, number=8))
    dialogues, _ = read_dialogues([path])
    assert [d.doctor for d in dialogues] == ["gpt-4-turbo", "someone"]


def test_what_is_no_dialogue_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    good = history(("Patient", "疼。"), ("Doctor", "哪儿？"), ("Doctor", CLOSING))
    path = written(tmp_path, good, "{torn", {"patient_id": 3}, {**good, "patient_id": None}, {**good, "patient_id": 9})
    dialogues, unread = read_dialogues([tmp_path])
    assert [d.record for d in dialogues] == ["7", "9"]
    assert [u.where for u in unread] == [f"{path.name}:{n}" for n in (2, 3, 4)]
    assert all(u.problem for u in unread)


def test_a_file_that_holds_nothing_of_the_kind_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot tell its format"):
        read_dialogues([written(tmp_path, {"a": 1})])
    with pytest.raises(ConfigError, match="ai-hospital, spbench"):
        read_dialogues([written(tmp_path, {"a": 1})], "other")
    with pytest.raises(ConfigError, match="no dialogue in"):
        read_dialogues([written(tmp_path, {"patient_id": 1})], "ai-hospital")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="holds no dialogues"):
        read_dialogues([tmp_path / "empty"])


def test_spbench_s_rounds_are_an_interview_without_a_conclusion(tmp_path: Path) -> None:
    rounds = [{"round": f"第{n}轮", "question": f"问{n}？", "answer": f"答{n}。"} for n in (1, 2)]
    (tmp_path / "dialogue_04.json").write_text(json.dumps(rounds), "utf-8")
    (dialogue,), _ = read_dialogues([tmp_path])
    assert [s.who for s in dialogue.said] == ["doctor", "patient"] * 2
    assert dialogue.closing is None
    assert dialogue.record == "04"


HEADED = [
    "#诊断结果#\n肺炎\n#诊断依据#\n(1) 发热\n(2) 咳嗽\n#治疗方案#\n(1) 抗生素",
    "# 诊断结果\n\n肺炎\n\n# 诊断依据\n\n1. 发热\n2. 咳嗽\n\n# 治疗方案\n\n1. 抗生素",
    "**诊断结果**：\n肺炎\n\n**诊断依据**：\n* (1) 发热\n* (2) 咳嗽\n\n**治疗方案**：\n- 抗生素",
    "总结如下：\n诊断结果：肺炎\n诊断依据：\n发热\n咳嗽\n治疗方案：抗生素",
]


@pytest.mark.parametrize("report", HEADED)
def test_a_report_is_read_under_whatever_marks_its_headings(report: str) -> None:
    assert conclusion(report) == Conclude("肺炎", (), ("发热", "咳嗽"), ("抗生素",))


def test_an_english_report_is_read_too() -> None:
    report = "## Diagnosis\nBased on the scan, the most likely diagnosis is acute appendicitis.\n## Plan\n1. Surgery"
    assert conclusion(report) == Conclude("acute appendicitis.", (), (), ("Surgery",))


@pytest.mark.parametrize(
    ("said", "stated"),
    [
        ("根据您提供的信息和症状描述，初步诊断为胰腺炎。", "胰腺炎。"),
        ("基于检查结果，诊断可能包括心肌缺血、心律失常。", "可能为心肌缺血、心律失常。"),
        ("由于检查结果暂缺，目前无法作出明确诊断。", ""),
        ("可能为结膜炎。具体的诊断需要结合检查结果。", "可能为结膜炎。"),
        ("考虑诊断为：\n(1) 冠心病\n(2) 高血压", "冠心病\n高血压"),
        ("主动脉夹层", "主动脉夹层"),
        ("左侧腹股沟包块，考虑为鞘膜积液。", "左侧腹股沟包块，考虑为鞘膜积液。"),
    ],
)
def test_the_prose_around_a_diagnosis_is_no_further_diagnosis(said: str, stated: str) -> None:
    assert conclusion(f"#诊断结果#\n{said}").diagnosis == stated


def test_headings_without_a_diagnosis_state_none_and_no_headings_leave_all_of_it() -> None:
    assert conclusion("#症状#\n发热\n#辅助检查#\n无").diagnosis == ""
    assert conclusion("急性阑尾炎，建议手术").diagnosis == "急性阑尾炎，建议手术"
    assert conclusion("很抱歉，没有检查结果，我无法给出准确的诊断。").diagnosis == ""


@pytest.mark.parametrize("pack", ["core_en", "core_zh"])
def test_facts_read_from_our_own_words_are_those_of_the_ledger(pack: str, request: pytest.FixtureRequest) -> None:
    """The ledger of our own consultations is known: reading it from their words misses some and invents little."""
    found: Pack = request.getfixturevalue(pack)
    right = read = known = 0
    for case in found.cases:
        consultation = Consultation(case)
        drive(lambda c=consultation: play(c, make_doctor("checklist")))  # type: ignore[misc]
        truth: set[str] = set()
        told: set[str] = set()
        question = ""
        for event in consultation.episode().events:
            if isinstance(event, DoctorActed) and isinstance(event.action, Ask):
                question = event.action.text
            elif isinstance(event, PatientAnswered):
                truth.update(event.facts)
                told.update(told_facts(compile_case(case), question, event.text))
        right, read, known = right + len(told & truth), read + len(told), known + len(truth)
    assert right / read >= 0.95
    assert right / known >= 0.65


def test_an_answer_that_denies_a_fact_does_not_tell_it(core_zh: Pack) -> None:
    checked = 0
    for case in core_zh.cases:
        compiled = compile_case(case)
        for fact in case.facts:
            if fact.topic != "past_history" or not fact.statement.startswith(("高血压", "糖尿病")):
                continue
            checked += 1
            name = fact.statement[:3]
            assert fact.id not in told_facts(
                compiled, "有什么慢性病吗？", f"没有，我没有{name}，也没有心脏病、哮喘等。"
            )
            assert fact.id in told_facts(compiled, "有什么慢性病吗？", f"有的，{fact.statement}")
    assert checked


@pytest.mark.parametrize(("answer", "told"), [("没有。", False), ("有。", True), ("今天天气不错", False)])
def test_a_bare_yes_tells_what_the_question_names(core_zh: Pack, answer: str, told: bool) -> None:
    case = next(c for c in core_zh.cases if any("恶心" in f.statement and f.polarity == "present" for f in c.facts))
    fact = next(f for f in case.facts if "恶心" in f.statement and f.polarity == "present")
    assert (fact.id in told_facts(compile_case(case), "有没有恶心？", answer)) is told


def dialogue(*said: tuple[str, str], closing: str | None = CLOSING) -> Dialogue:
    return Dialogue("7", "d", "zh", tuple(Said(w, t) for w, t in said), closing, "ai-hospital", "f:1")  # type: ignore[arg-type]


def replayed(case: Case, *said: tuple[str, str], closing: str | None = CLOSING) -> Episode:
    return replay(dialogue(*said, closing=closing), case)


def test_an_ordered_exam_is_shown_only_by_the_record_s_own_result(core_zh: Pack) -> None:
    case, exam = next((c, e) for c in core_zh.cases for e in c.exams if e.essential and not e.normal and e.name)
    relay = ("relay", f"医生让我做{exam.name}，结果是什么？")
    shown = replayed(case, ("doctor", "您好"), relay, ("examiner", f"#{exam.name}#\n- {exam.report}"))
    assert exam.id in shown.ledger.exams
    normal = replayed(case, ("doctor", "您好"), relay, ("examiner", f"#{exam.name}#\n- 无异常"))
    assert not normal.ledger.exams
    assert next(e.outcome for e in normal.events if isinstance(e, ExamReported)) is Outcome.DERIVED
    none = replayed(case, ("doctor", "您好"), relay, ("examiner", f"#{exam.name}#\n- 暂无结果"))
    assert next(e.outcome for e in none.events if isinstance(e, ExamReported)) is Outcome.NOT_RECORDED


def test_every_word_of_a_dialogue_stands_in_its_episode(core_zh: Pack) -> None:
    case = core_zh.cases[0]
    said = (
        ("doctor", "您好，哪里不舒服？"),
        ("patient", "肚子疼。"),
        ("doctor", "先查血。"),
        ("relay", "我要查血常规。"),
        ("examiner", "#血常规#\n- 白细胞 12"),
        ("examiner", "看不懂的一份单子"),
        ("doctor", "考虑胰腺炎。"),
        ("relay", "还要查B超。"),
    )
    events = replayed(case, *said).to_dict()["events"]
    assert [e["n"] for e in events] == list(range(len(events)))
    text = json.dumps(events, ensure_ascii=False)
    for _, words in said:
        assert json.dumps(words, ensure_ascii=False)[1:-1] in text
    acted = [e["action"]["action"] for e in events if e["type"] == "doctor_acted"]
    assert acted == ["ask", "ask", "order", "order", "ask", "order", "conclude"]
    assert all(e["by"] == "transcript" for e in events if e["type"] in ("patient_answered", "exam_reported"))


def test_a_replayed_episode_says_so_and_survives_storing(core_zh: Pack) -> None:
    episode = replayed(core_zh.cases[0], ("doctor", "您好"), ("patient", "疼"))
    assert episode.settings["replayed"]["ledger"] == "facts read from text"
    assert Episode.from_dict(json.loads(json.dumps(episode.to_dict()))) == episode


def test_an_interview_scores_no_zero_for_what_it_does_not_hold(core_zh: Pack) -> None:
    whole = core_zh.cases[0]
    talk = dialogue(("doctor", "您哪里不舒服？"), ("patient", whole.facts[0].statement), closing=None)
    case = scorable(whole, talk)
    card = RubricJudge(load_rubric("mvme")).score(case, replay(talk, case))
    assert card.dimensions["symptoms"].value is not None
    assert {n for n, d in card.dimensions.items() if d.value is None} == {
        "examinations",
        "diagnosis",
        "basis",
        "treatment",
    }
    assert {d.failure for d in card.dimensions.values()} == {"", "missing_reference"}
    assert scorable(whole, dialogue(closing=CLOSING)) is whole


REFERENCE = {
    "patient_id": 7,
    "reference_diagnosis": {
        "patient_id": 7,
        "diagnosis": "\n1. 急性胰腺炎\n2. 2型糖尿病\n",
        "basis": "上腹痛，淀粉酶升高。",
        "treatment": "给予禁食、补液、奥曲肽治疗。",
    },
    "doctor_diagnosis": {"patient_id": 7, "diagnosis": "x"},
}


def test_a_reference_without_a_record_scores_diagnosis_and_treatment_alone(tmp_path: Path) -> None:
    path = written(tmp_path, REFERENCE, {"patient_id": 8}, REFERENCE, name="evaluation.jsonl")
    records = import_references(path)
    assert [r.status for r in records] == ["imported", "failed", "duplicate"]
    case = records[0].case
    assert case is not None
    assert case.diagnosis is not None
    assert str(case.diagnosis.primary.icd10).startswith("K85")
    assert len(case.diagnosis.comorbid) == 1
    assert reference_texts(path) == {"7": {k: v.strip() for k, v in _texts().items()}}
    episode = replayed(case, ("doctor", "您好"), ("patient", "肚子疼。"))
    card = RubricJudge(load_rubric("mvme")).score(case, episode)
    assert {name for name, d in card.dimensions.items() if d.value is not None} == {"diagnosis", "treatment"}
    assert card.dimensions["diagnosis"].value == pytest.approx(0.8)
    assert card.total is not None
    wrong = RubricJudge(load_rubric("mvme")).score(case, replayed(case, ("doctor", "您好"), closing="#诊断结果#\n骨折"))
    assert wrong.dimensions["diagnosis"].value == 0


def _texts() -> dict[str, str]:
    given: Any = REFERENCE["reference_diagnosis"]
    return {view: given[view] for view in ("diagnosis", "basis", "treatment")}


@pytest.mark.parametrize("seed", range(20))
def test_kendall_and_spearman_are_those_of_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 5, size=(2, rng.integers(3, 9))).astype(float)
    if np.ptp(a) and np.ptp(b):
        assert kendall(a, b) == pytest.approx(stats.kendalltau(a, b).statistic)
        assert rho(a, b) == pytest.approx(stats.spearmanr(a, b).statistic)
    else:
        assert kendall(a, b) is None
        assert rho(a, b) is None


def test_a_rank_of_four_says_how_little_it_says() -> None:
    reference = {"a": 4.0, "b": 3.0, "c": 2.0, "d": 1.0}
    scores = {name: {f"c{n}": value / 10 + n / 1000 for n in range(30)} for name, value in reference.items()}
    found = rank(scores, reference)
    assert found is not None
    assert (found.doctors, found.cases) == (4, 30)
    assert [found.tau, found.rho] == pytest.approx([1.0, 1.0])
    assert found.by_chance == pytest.approx(1 / 24)
    assert found.tau_interval == (1.0, 1.0)
    turned = rank(scores, {name: -value for name, value in reference.items()})
    assert turned is not None
    assert turned.tau == -1
    assert turned.by_chance == 1


def test_unscored_cases_are_left_out_and_a_lone_doctor_has_no_rank() -> None:
    scores: dict[str, dict[str, float | None]] = {"a": {"x": 0.9, "y": None}, "b": {"x": 0.1, "y": 0.95}}
    found = rank(scores, {"a": 2.0, "b": 1.0})
    assert found is not None
    assert found.tau == 1  # 0.9 against the mean of 0.1 and 0.95
    assert rank(scores, {"a": 2.0}) is None
    assert rank({"a": {"x": None}, "b": {"x": 1.0}}, {"a": 2.0, "b": 1.0}) is None


def test_equal_means_have_no_rank_and_orders_count_once() -> None:
    same = {name: {"x": 0.5, "y": 0.5} for name in "abc"}
    found = rank(same, {"a": 1.0, "b": 2.0, "c": 3.0})
    assert found is not None
    assert found.tau is None
    assert found.tau_interval is None
    orders = [kendall(order, (1.0, 2.0, 3.0)) for order in itertools.permutations((1.0, 2.0, 3.0))]
    assert sorted(o for o in orders if o is not None) == pytest.approx([-1, -1 / 3, -1 / 3, 1 / 3, 1 / 3, 1])


def test_the_released_dialogues_are_read_whole_and_join_their_references(shared_data: Path) -> None:
    folder = shared_data / "ai_hospital"
    if not folder.is_dir():
        pytest.skip("AI Hospital's release is not beside this checkout")
    dialogues, unread = read_dialogues([folder])
    assert not unread
    assert len({d.doctor for d in dialogues}) == 4
    assert all(d.closing for d in dialogues)
    known = {r.case.provenance.ref for r in import_references(folder / "evaluation_gpt4_onestep.jsonl") if r.case}
    assert {d.record for d in dialogues} <= known
    said = [conclusion(d.closing or "") for d in dialogues]
    assert sum(bool(c.diagnosis) for c in said) / len(said) > 0.95
    assert sum(bool(c.treatment) for c in said) / len(said) > 0.95
