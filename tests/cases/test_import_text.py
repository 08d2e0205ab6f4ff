"""The readers under the importers: demographics, values, outlines, physical findings, wording, de-identification."""

from __future__ import annotations

import pytest

from clinic_sim.cases.importers.base import says_nothing
from clinic_sim.cases.importers.deidentification import Deidentifier
from clinic_sim.cases.importers.demographics import read_demographics, read_speaker
from clinic_sim.cases.importers.measurements import read_item, read_list, read_pressure, read_value
from clinic_sim.cases.importers.outlines import parse_outline
from clinic_sim.cases.importers.physical import is_finding, sort_findings
from clinic_sim.cases.importers.reference import split_diagnoses
from clinic_sim.cases.importers.spoken import patient_words, unframed
from clinic_sim.cases.importers.wording import is_absent, is_normal, is_pending


@pytest.mark.parametrize(
    ("text", "age", "unit", "sex"),
    [
        ("35-year-old female", 35, "years", "female"),
        ("6 weeks old boy", 6, "weeks", "male"),
        ("Newborn, female", 0, "days", "female"),
        ("1200-g newborn, 31 weeks' gestation", 0, "days", "unknown"),
        ("18-month-old boy", 18, "months", "male"),
        ("62-year-old white man", 62, "years", "male"),
        ("Age: 41; Sex: F, woman", 41, "years", "female"),
        ("患儿，女，3岁6月", 3.5, "years", "female"),
        ("6个月男", 6, "months", "male"),
        ("性别: 女\n年龄: 49\n职业: 无", 49, "years", "female"),
        ("男性，58岁，工人", 58, "years", "male"),
        ("1岁2个月女", 14, "months", "female"),
    ],
)
def test_age_and_sex_are_read(text: str, age: float, unit: str, sex: str) -> None:
    read, capped = read_demographics(text)
    assert (read.age, read.age_unit, read.sex) == (age, unit, sex)
    assert not capped


def test_very_old_patients_are_capped_and_sex_may_come_from_the_story() -> None:
    read, capped = read_demographics("97-year-old patient", story="She fell in the bathroom.")
    assert (read.age, read.sex, capped) == (90, "female", True)
    unknown, _ = read_demographics("9-month-old infant", story="His mother says that she gave him milk.")
    assert unknown.sex == "unknown"


def test_a_parent_answers_for_a_child_and_a_relative_where_the_record_says_so() -> None:
    child, _ = read_demographics("7-year-old boy")
    adult, _ = read_demographics("70岁男")
    assert read_speaker(child, "He coughs.") == "parent"
    assert read_speaker(adult, "患者家属代述：3天前跌倒") == "relative"
    assert read_speaker(adult, "咳嗽3天") == "patient"


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("12,300/mm3", 12300.0, "/mm3"),
        ("13.2 g/dL", 13.2, "g/dL"),
        ("36.6°C (97.9°F)", 36.6, "°C"),
        ("7.30 (slightly acidic)", 7.3, ""),
        ("> 100,000 copies/mL", ">100000", "copies/mL"),
        ("12–16/hpf", "12–16", "/hpf"),
        ("4+", "4+", ""),
        ("Positive", "Positive", ""),
        ("-24.9", -24.9, ""),
    ],
)
def test_a_value_is_read_as_it_stands(text: str, value: object, unit: str) -> None:
    item = read_value("x", text)
    assert item is not None
    assert (item.value, item.unit) == (value, unit)


def test_ranges_are_read_only_where_the_text_calls_them_so() -> None:
    first = read_value("D-二聚体", "5mg/L（参考值0-0.5mg/L）")
    second = read_value("Reticulocytes", "0.8% (normal range: 2-6%)")
    third = read_value("WBC", "9 (8-10 last week)")
    assert first is not None
    assert second is not None
    assert third is not None
    assert (first.low, first.high, first.abnormal) == (0, 0.5, True)
    assert (second.low, second.high) == (2, 6)
    assert (third.low, third.high) == (None, None)


def test_runs_of_values_and_blood_pressure() -> None:
    run = read_list("WBC 5.16×10^9/L, HGB 115.00 g/L, NEUT% 36.60%")
    assert [(m.name, m.value) for m in run] == [("WBC", 5.16), ("HGB", 115.0), ("NEUT%", 36.6)]
    assert [m.value for m in read_pressure("148/92 mmHg", "en")] == [148.0, 92.0]
    tight = read_item("比重1.032")
    assert tight is not None
    assert (tight.name, tight.value) == ("比重", 1.032)


def test_prose_is_no_measurement() -> None:
    assert read_value("MRI", "Multifocal lesions without enhancement in both hemispheres, with no mass effect") is None


def test_outline_headings_lines_and_prose() -> None:
    listed = parse_outline("- 血液检查\n  - 血常规：WBC 9×10^9/L\n- 心电图：正常")
    assert [n.text or n.label for n in listed] == ["血液检查", "正常"]
    assert listed[0].children[0].label == "血常规"
    below = parse_outline("甲状腺彩超:\n- 左叶结节\n- 右叶正常")
    assert below[0].label == "甲状腺彩超"
    assert len(below[0].children) == 2
    prose = parse_outline("头颅CT：未见异常。随机血糖：11.2mmol/L。")
    assert [n.label for n in prose] == ["头颅CT", "随机血糖"]


def test_physical_findings_are_sorted_by_system_whatever_the_headings() -> None:
    prose = {
        s.key: words
        for s, words, _ in sort_findings("神志清，双肺呼吸音粗，心律齐，腹软，无压痛。左侧肢体肌力3级。", "zh")
    }
    assert set(prose) == {"general", "chest", "heart", "abdomen", "neuro"}
    assert "无压痛" in prose["abdomen"]
    headed = {s.key: words for s, words, _ in sort_findings("- 颈部: 无压痛\n- 腹部: 软", "zh")}
    assert headed == {"neck": "无压痛", "abdomen": "软"}


def test_findings_among_a_history_are_recognised() -> None:
    assert is_finding("双肺未闻及干湿啰音")
    assert is_finding("BP 90/60mmHg")
    assert not is_finding("高血压30余年")
    assert not is_finding("血压90/60mmHg", vitals=False)
    assert not is_finding("生长发育正常")


@pytest.mark.parametrize(
    "text", ["Normal, no masses detected.", "Within normal limits", "未见异常", "阴性", "Negative"]
)
def test_normal_in_so_many_words(text: str) -> None:
    assert is_normal(text)


@pytest.mark.parametrize(
    "text",
    [
        "7,000 /μL",
        "Normal to slightly decreased",
        "No clumping of platelets observed",
        "Decreased breath sounds",
        "Normal heart size, but enlarged hilar nodes",
        "双肺呼吸音粗",
    ],
)
def test_not_normal_unless_said(text: str) -> None:
    assert not is_normal(text)


def test_pending_absent_and_placeholders() -> None:
    assert is_pending("待结果")
    assert is_pending("Pending at the time of examination")
    assert is_absent("Not specified in this scenario")
    assert is_absent("Can be considered if suspicion persists")
    assert not is_absent("Not elevated")
    for nothing in ("None", "N/A", "无", "不适用", "No additional information provided", "Information not specified."):
        assert says_nothing(nothing), nothing
    for something in ("No fever", "无发热", "No significant past medical history.", "否认过敏史"):
        assert not says_nothing(something), something


def test_identifiers_are_masked_and_counted() -> None:
    masks = Deidentifier("zh", ("王小明",))
    text = masks.text(
        "王小明，末次月经2022-07-16，1周前就诊于内蒙古医科大学附属医院门诊，电话13812345678，住幸福路12号3单元。"
    )
    for secret in ("王小明", "2022", "内蒙古医科大学", "13812345678", "幸福路12号"):
        assert secret not in text
    assert "就诊于" in text
    assert masks.masked["name"] == 1
    english = Deidentifier("en").text(
        "Seen by Dr. Smith at Mercy General Hospital on March 3, 2021; MRN: A12345; a 93-year-old."
    )
    for secret in ("Smith", "Mercy", "March", "A12345", "93"):
        assert secret not in english


def test_what_medicine_needs_is_not_masked() -> None:
    kept = "3年前因骨折手术，2017年发现结节，就诊于当地医院，参考值（05-20）mmol/L，血压120/80mmHg，80岁"
    assert Deidentifier("zh").text(kept) == kept


def test_reporting_frames_are_cut_and_the_first_person_is_formed_only_where_safe() -> None:
    assert unframed("The patient reports a dull ache in the back", "en") == "A dull ache in the back"
    assert unframed("患者自述头痛", "zh") == "头痛"
    assert unframed("Patient denies any chest pain", "en") == "Denies chest pain"
    assert patient_words("She takes insulin for her diabetes", "en", "patient") == "I take insulin for my diabetes"
    assert patient_words("Denies chest pain", "en", "patient") == "No chest pain"
    assert patient_words("His mother says that he snores", "en", "patient") is None


def test_chinese_diagnosis_lists() -> None:
    assert split_diagnoses("1. 急性肺栓塞\n2. 双侧肺炎") == ["急性肺栓塞", "双侧肺炎"]
    assert split_diagnoses("（1）继发性癫痫（2）2型糖尿病") == ["继发性癫痫", "2型糖尿病"]
    assert split_diagnoses("脑梗死；2型糖尿病；脑梗死后遗症") == ["脑梗死", "2型糖尿病", "脑梗死后遗症"]
    assert split_diagnoses("1. 冠心病，心力衰竭，心功能III级\n2. 神经衰弱") == ["冠心病", "心力衰竭", "神经衰弱"]
