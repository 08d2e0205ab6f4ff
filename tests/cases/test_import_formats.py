"""The three formats, end to end on records made for the purpose: what becomes a fact, an exam, the answer, and "
"what is withheld."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from clinic_sim.cases.case import Case
from clinic_sim.cases.facts import Disclosure, Fact, Importance, Polarity
from clinic_sim.cases.importers import ImportedRecord, agentclinic, ai_hospital, import_records, spbench
from clinic_sim.cases.importers.base import BrokenRecord, Findings, RawRecord, clean
from clinic_sim.cases.reference import TreatmentKind
from clinic_sim.knowledge.topics import Topic

OSCE: dict[str, Any] = {
    "OSCE_Examination": {
        "Objective_for_Doctor": "Assess the patient with a cough and diagnose pertussis.",
        "Patient_Actor": {
            "Demographics": "34-year-old woman",
            "History": "The patient reports a 3-week history of cough in fits. She denies any fever. "
            "She was told at an urgent care clinic that she has pertussis. Her colleague was ill last month.",
            "Symptoms": {
                "Primary_Symptom": "Cough in fits",
                "Secondary_Symptoms": ["Vomiting after coughing", "No fever"],
            },
            "Past_Medical_History": ["Asthma", "Appendectomy at age 12"],
            "Social_History": {"Tobacco": "Smokes ten cigarettes a day.", "Work": "Works as a nurse."},
            "Review_of_Systems": "Denies chest pain, wheezing, or night sweats.",
            "Allergies": "None",
        },
        "Physical_Examination_Findings": {
            "Vital_Signs": {
                "Temperature": "37.0°C (98.6°F)",
                "Blood_Pressure": "118/76 mmHg",
                "Heart_Rate": "Not provided",
            },
            "Chest_Examination": {"Inspection": "Normal", "Auscultation": "Clear to auscultation"},
            "General_Examination": {"Inspection": "Subconjunctival hemorrhage in the left eye. Abdomen is soft."},
        },
        "Test_Results": {
            "Complete_Blood_Count": {"WBC": "18,000 /μL (elevated)", "Hemoglobin": "13 g/dL"},
            "Microbiology": {"Nasopharyngeal_PCR": {"Findings": "Positive for Bordetella pertussis"}},
            "Imaging": {"Chest_X-ray": {"Findings": "Normal, no infiltrates."}, "Chest_CT": "Pending"},
        },
        "Correct_Diagnosis": "Pertussis",
    }
}
SP: dict[str, Any] = {
    "caseId": "91",
    "caseTitle": "急性胆囊炎",
    "caseDescription": "女性，45岁，因右上腹痛就诊，诊断为急性胆囊炎。",
    "patientProfile": {
        "name": "赵小兰",
        "age_value": 45,
        "age_unit": "岁",
        "gender": "女性",
        "occupation": "厨师",
        "marital_status": "已婚",
        "address": "某市某路1号",
        "basic_info": "赵小兰，女，45岁。T 38.2℃，P 96次/分，BP 130/80mmHg。",
        "hospital_department_name": "普外科",
        "chief_complaint": "右上腹痛1天。",
        "present_illness_history": "患者1天前进食油腻食物后出现右上腹痛，伴恶心，无呕吐，无腹泻。"
        "社区医院诊断为“急性胆囊炎”，口服药物无缓解。",
        "past_medical_history": "高血压5年，口服氨氯地平。否认糖尿病、冠心病史。",
        "allergy_history": "无",
        "system_review": "无胸闷、气短。右上腹压痛，Murphy征阳性。",
        "personal_history": "吸烟：无。饮酒：偶尔饮酒。预防接种史：不详。",
        "family_history": "父亲患高血压。",
        "menstrual_history": "不适用",
        "idea": "患者认为是吃坏了肚子。",
        "concern": "担心需要手术。",
        "expectation": "无",
        "unknown_section": "从未出国。",
    },
}
AIH: dict[str, Any] = {
    "id": 77,
    "title": "急性肾盂肾炎一例",
    "department": "内科病例 肾内科病例 ",
    "time": "发布时间：2020-02-03",
    "medical_record": {
        "一般资料": "\n性别: 女\n年龄: 31岁\n职业: 会计\n",
        "主诉": "\n患者因“发热、腰痛2天”入院\n",
        "现病史": "\n患者2天前受凉后出现发热，体温最高39.2℃，伴右侧腰痛、尿频、尿痛，无恶心、呕吐。\n",
        "既往史": "\n2型糖尿病3年，口服二甲双胍。否认高血压。青霉素过敏。\n",
        "查体": "\n神志清，双肺呼吸音清，心律齐，腹软，右肾区叩击痛阳性。\n",
        "辅助检查": "\n- 尿常规：白细胞 3+，亚硝酸盐 阳性\n- 血常规:\n  - WBC 15.2×10^9/L\n  - NEUT% 88%\n"
        "- 尿培养：待结果\n- "
        ""
        ""
        ""
        ""
        ""
        "泌尿系彩超：未见异常\n",
        "诊断结果": "\n1. 急性肾盂肾炎\n2. 2型糖尿病\n",
        "诊断依据": "\n发热、右侧腰痛、尿频，右肾区叩击痛阳性，尿常规白细胞3+。\n",
        "鉴别诊断": "\n1. 肾结石：彩超未见结石，可排除。\n2. 急性膀胱炎：一般无发热。\n",
        "诊治经过": "\n给予左氧氟沙星静脉滴注抗感染，**片口服，多饮水。拒绝住院。\n",
        "诊断分析": "",
    },
}


def imported(tmp_path: Path, name: str, record: Any) -> tuple[ImportedRecord, Case]:
    """One record through the importer."""
    path = tmp_path / ("a.jsonl" if name == "agentclinic" else "case_91.json")
    path.write_text(json.dumps(record, ensure_ascii=False), "utf-8")
    result = next(iter(import_records(name, path)))
    assert result.case is not None, result.problem
    return result, result.case


def fact(case: Case, words: str) -> Fact:
    """The one fact whose statement holds these words and echoes no other."""
    found = [f for f in case.facts if words in f.statement and f.echo_of is None]
    assert len(found) == 1, [f.statement for f in case.facts]
    return found[0]


def test_agentclinic_history_becomes_atomic_facts(tmp_path: Path) -> None:
    _, case = imported(tmp_path, "agentclinic", OSCE)
    assert case.chief_complaint == "Cough in fits"
    assert (case.demographics.age, case.demographics.sex) == (34, "female")
    assert fact(case, "chest pain").polarity is Polarity.ABSENT
    assert fact(case, "wheezing").polarity is Polarity.ABSENT
    assert fact(case, "night sweats").statement == "Denies night sweats"
    assert fact(case, "cigarettes").topic is Topic.SMOKING
    assert fact(case, "nurse").topic is Topic.OCCUPATION
    assert fact(case, "Appendectomy").topic is Topic.SURGERY
    fever = [f for f in case.facts if "fever" in f.statement.lower()]
    assert len(fever) == 2
    assert sum(f.echo_of is None for f in fever) == 1, "said twice, counted once"
    complaint = next(f for f in case.facts if f.topic is Topic.CHIEF_COMPLAINT)
    assert complaint.disclosure is Disclosure.VOLUNTEERED
    assert not [f for f in case.facts if f.topic is Topic.ALLERGY], "`None` says nothing"


def test_every_fact_and_exam_keeps_path_and_words_of_its_source(tmp_path: Path) -> None:
    _, case = imported(tmp_path, "agentclinic", OSCE)
    text = json.dumps(OSCE, ensure_ascii=False)
    for item in (*case.facts, *case.exams):
        assert item.source is not None
        assert item.source.path.split(".")[0] in OSCE["OSCE_Examination"]
        assert all(line in text for line in item.source.words.split("\n")), item.source.words


def test_agentclinic_exams_are_panels_vitals_and_typed_outcomes(tmp_path: Path) -> None:
    _, case = imported(tmp_path, "agentclinic", OSCE)
    by_code = {e.code: e for e in case.exams}
    assert [m.value for m in by_code["vital.bp"].measurements] == [118.0, 76.0]
    assert "vital.heart_rate" not in by_code, "`Not provided` is no result"
    blood = by_code["lab.cbc"]
    assert [m.name for m in blood.measurements] == ["WBC", "Hemoglobin"]
    assert blood.essential
    assert by_code["img.xr.chest"].normal
    assert not by_code["img.xr.chest"].essential
    assert by_code["img.ct.chest"].pending
    assert by_code["phys.chest"].report.startswith("Inspection: Normal")
    assert "phys.eye" in by_code, "a general examination is sorted by what it speaks of"
    assert not any(e.essential for e in case.exams if e.code.startswith(("phys", "vital")))
    assert "treatment" in case.provenance.missing


def test_the_patient_cannot_name_the_diagnosis_but_the_diagnostic_test_may(tmp_path: Path) -> None:
    result, case = imported(tmp_path, "agentclinic", OSCE)
    told = " ".join(f"{f.statement} {f.words}" for f in case.facts).lower()
    assert "pertussis" not in told
    assert "Patient_Actor.History" in result.withheld
    assert "leak:Patient_Actor.History" in case.provenance.flags
    assert any(f.startswith("diagnostic_test:") for f in case.provenance.flags)
    assert "pertussis" not in case.department.lower()


def test_spbench_sections_findings_and_perspective(tmp_path: Path) -> None:
    result, case = imported(tmp_path, "spbench", SP)
    assert result.index == 91
    assert case.diagnosis is not None
    assert case.diagnosis.primary.icd10 == "K81.0"
    assert set(case.provenance.missing) >= {"exams", "treatment", "basis"}
    told = " ".join(f"{f.statement}{f.words}" for f in case.facts)
    for hidden in ("赵小兰", "胆囊炎", "某路", "Murphy", "压痛"):
        assert hidden not in told, hidden
    assert fact(case, "呕吐").polarity is Polarity.ABSENT
    assert fact(case, "恶心").polarity is Polarity.PRESENT
    assert fact(case, "吸烟").polarity is Polarity.ABSENT
    assert fact(case, "接种").polarity is Polarity.UNKNOWN
    assert fact(case, "父亲").topic is Topic.FAMILY
    assert fact(case, "吃坏").topic is Topic.IDEA
    assert fact(case, "手术").topic is Topic.CONCERN
    assert not [f for f in case.facts if f.topic in {Topic.EXPECTATION, Topic.ALLERGY, Topic.MENSTRUAL}]
    by_code = {e.code: e for e in case.exams}
    assert "Murphy" in by_code["phys.abdomen"].report
    assert [m.value for m in by_code["vital.bp"].measurements] == [130.0, 80.0]
    assert any("unknown_section" in (f.source.path if f.source else "") for f in case.facts), "unknown keys are walked"


def test_ai_hospital_record_in_full(tmp_path: Path) -> None:
    result, case = imported(tmp_path, "ai-hospital", [AIH])
    assert (result.index, case.id, case.department) == (77, "ai-hospital-77", "肾内科")
    assert case.chief_complaint == "发热、腰痛2天"
    assert case.provenance.missing == ()
    assert case.diagnosis is not None
    assert case.diagnosis.primary.name == "急性肾盂肾炎"
    assert [d.name for d in case.diagnosis.comorbid] == ["2型糖尿病"]
    assert [d.name for d in case.diagnosis.differential] == ["肾结石", "急性膀胱炎"]
    by_code = {e.code: e for e in case.exams}
    assert by_code["lab.urinalysis"].essential
    assert [(m.name, m.value) for m in by_code["lab.cbc"].measurements] == [("WBC", 15.2), ("NEUT%", 88.0)]
    assert by_code["lab.culture.urine"].pending
    assert any(e.normal for e in case.exams if e.code.startswith("img.us"))
    assert by_code["phys.abdomen"].essential
    pain = next(f for f in case.facts if "腰痛" in f.statement and f.topic is Topic.PRESENT_ILLNESS)
    assert pain.importance is Importance.DECISIVE
    assert fact(case, "糖尿病").topic is Topic.PAST_HISTORY, "a comorbid disease may be told"
    assert fact(case, "青霉素").topic is Topic.ALLERGY
    evidence = {*case.diagnosis.basis}
    assert {"lab_urinalysis", "phys_abdomen"} <= evidence


def test_ai_hospital_treatment_is_what_the_text_states(tmp_path: Path) -> None:
    _, case = imported(tmp_path, "ai-hospital", AIH)
    names = [t.name for t in case.treatment]
    assert any("左氧氟沙星" in n for n in names)
    assert any("**" in n for n in names), "masked words stay masked"
    assert not any("住院" in n for n in names), "what was refused is no treatment"
    assert all(t.source and t.source.words in AIH["medical_record"]["诊治经过"] for t in case.treatment)
    drug = next(t for t in case.treatment if "左氧氟沙星" in t.name)
    assert drug.kind is TreatmentKind.DRUG


def test_a_record_without_a_diagnosis_or_exams_says_so(tmp_path: Path) -> None:
    record = {
        "OSCE_Examination": {"Patient_Actor": {"Demographics": "20-year-old man", "History": "He has a sore throat."}}
    }
    _, case = imported(tmp_path, "agentclinic", record)
    assert {"diagnosis", "exams", "treatment", "basis"} <= set(case.provenance.missing)


_junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["Normal", "No fever", "无"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(st.sampled_from([*OSCE["OSCE_Examination"]["Patient_Actor"], "Extra"]), _junk), _junk, _junk, _junk
)
def test_no_shape_of_record_raises_anything_but_broken_record(
    actor: Any, physical: Any, tests: Any, answer: Any
) -> None:
    root = {
        "Patient_Actor": actor,
        "Physical_Examination_Findings": physical,
        "Test_Results": tests,
        "Correct_Diagnosis": answer,
        "Other": answer,
    }
    _converts_or_breaks(agentclinic.convert, {"OSCE_Examination": root})


@given(st.dictionaries(st.sampled_from([*SP["patientProfile"]]), _junk), st.text(max_size=20), st.text(max_size=30))
def test_no_shape_of_spbench_record_raises_anything_but_broken_record(profile: Any, title: str, about: str) -> None:
    record = {"caseId": title, "caseTitle": title, "caseDescription": about, "patientProfile": profile}
    _converts_or_breaks(spbench.convert, record)


@given(st.dictionaries(st.sampled_from([*AIH["medical_record"], "其他"]), _junk), _junk)
def test_no_shape_of_ai_hospital_record_raises_anything_but_broken_record(record: Any, junk: Any) -> None:
    whole = {"id": junk, "title": junk, "department": junk, "time": junk, "medical_record": record}
    _converts_or_breaks(ai_hospital.convert, whole)


def _converts_or_breaks(convert: Any, record: Any) -> None:
    try:
        case = convert(RawRecord(1, "a.json", clean(record)), Findings())
    except BrokenRecord:
        return
    assert case.facts
