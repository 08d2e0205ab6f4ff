"""What imported facts must be: one thing each, of the right polarity and heading, told once, giving nothing away."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from clinic_sim.cases.facts import Fact, Polarity
from clinic_sim.cases.importers import import_records
from clinic_sim.cases.importers.base import Findings
from clinic_sim.cases.importers.exams import ExamBook
from clinic_sim.cases.importers.facts import FactBook
from clinic_sim.cases.importers.reference import ReferenceNames
from clinic_sim.cases.importers.report import _staging
from clinic_sim.cases.importers.spoken import patient_words
from clinic_sim.cases.leaks import betrays
from clinic_sim.knowledge.text import Language
from clinic_sim.knowledge.topics import Topic


def read(language: Language, *fields: tuple[str, Topic], answer: str = "") -> tuple[tuple[Fact, ...], Findings]:
    """The facts of fields, each with the heading of its section."""
    findings = Findings()
    names = ReferenceNames.of([answer] if answer else [], language, "", findings)
    book = FactBook(language, "patient", names.betrayed_by, names.named_in, findings)
    for n, (text, topic) in enumerate(fields):
        book.add(f"field{n}", text, topic, whole=False)
    return book.facts(), findings


def said(language: Language, text: str, topic: Topic = Topic.PRESENT_ILLNESS) -> list[tuple[str, str]]:
    """Statement and polarity of each fact of one text."""
    return [(f.statement, f.polarity.value) for f in read(language, (text, topic))[0]]


@pytest.mark.parametrize(
    ("text", "statement", "polarity"),
    [
        (
            "He has no history of serious illness, and his vaccines are up to date.",
            "His vaccines are up to date",
            "present",
        ),
        ("She denies ear pain, and the right eye is normal.", "The right eye is normal", "present"),
        ("A non-healing ulcer on the heel", "A non-healing ulcer on the heel", "present"),
        ("Absent reflexes", "Absent reflexes", "present"),
        ("The rash does not improve with creams", "The rash does not improve with creams", "present"),
        ("He denies having a fever", "Denies fever", "absent"),
        ("She denies alcohol use, enjoys hiking and swimming.", "Enjoys hiking and swimming", "present"),
    ],
)
def test_english_polarity(text: str, statement: str, polarity: str) -> None:
    assert (statement, polarity) in said("en", text), said("en", text)


@pytest.mark.parametrize(
    ("text", "statement", "polarity"),
    [
        ("无血块，经期规律", "经期规律", "present"),
        ("服药后头痛无缓解", "服药后头痛无缓解", "present"),
        ("没有食欲", "没有食欲", "present"),
        ("作息不规律", "作息不规律", "present"),
        ("无发热", "无发热", "absent"),
        ("未予重视", "未予重视", "absent"),
    ],
)
def test_chinese_polarity(text: str, statement: str, polarity: str) -> None:
    assert (statement, polarity) in said("zh", text), said("zh", text)


def test_an_exception_is_present_and_the_rest_denied() -> None:
    assert said("en", "No hearing loss apart from mild tinnitus.") == [
        ("Mild tinnitus", "present"),
        ("No other hearing loss", "absent"),
    ]
    assert said("en", "Denies back pain other than during long drives.", Topic.REVIEW_OF_SYSTEMS) == [
        ("Back pain during long drives", "present"),
        ("Denies other back pain", "absent"),
    ]
    parts = said("en", "Past medical history is unremarkable except for a hernia repair.", Topic.PAST_HISTORY)
    assert [p for _, p in parts] == ["present", "present"]
    assert said("zh", "除偶有头痛外，无其他不适")[0] == ("偶有头痛", "present")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "He has a sore throat but no fever."),
        ("en", "He woke up after a minute without any confusion."),
        ("zh", "感恶心未呕吐"),
        ("zh", "无胸痛，夜间可平卧"),
        ("zh", "白带量少，无异味"),
    ],
)
def test_what_is_both_affirmed_and_denied_becomes_two_facts(language: Language, text: str) -> None:
    assert sorted(p for _, p in said(language, text)) == ["absent", "present"], said(language, text)


def test_negative_words_that_deny_nothing_keep_a_clause_whole() -> None:
    assert said("en", "Delivered at term without complications.", Topic.BIRTH_DEVELOPMENT)[0][1] == "present"
    assert len(said("en", "She tried ibuprofen with no relief.")) == 1


def test_smoking_and_drinking_in_one_word_are_two_facts() -> None:
    for text in ("无烟酒嗜好", "不吸烟饮酒", "否认吸烟、饮酒史", "否认烟酒等不良嗜好，生活规律"):
        facts, _ = read("zh", (text, Topic.LIVING))
        habits = {f.topic: f.polarity for f in facts}
        assert habits[Topic.SMOKING] is Polarity.ABSENT, text
        assert habits[Topic.ALCOHOL] is Polarity.ABSENT, text
    both, _ = read("zh", ("吸烟饮酒20年", Topic.LIVING))
    assert {f.topic for f in both} == {Topic.SMOKING, Topic.ALCOHOL}


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("Pain in the left toe, ankles, and knees that worsens with walking.", "knees that worsens with walking"),
        ("He had a swollen, painful right wrist last week.", "swollen, painful right wrist"),
        ("She has trouble sleeping and eating.", "trouble sleeping and eating"),
        ("Despite a good appetite, he has lost weight.", "appetite, he has lost"),
        ("Denies changes in bowel or urinary habits.", "bowel or urinary habits"),
    ],
)
def test_english_clauses_are_not_cut_into_halves(text: str, whole: str) -> None:
    assert any(whole in s for s, _ in said("en", text)), said("en", text)


def test_chinese_lists_of_sites_stay_together_under_their_denial() -> None:
    assert said("zh", "无咳嗽，无皮肤、巩膜黄染")[-1] == ("无皮肤、巩膜黄染", "absent")


def test_one_outside_result_is_one_fact_of_earlier_care() -> None:
    facts, _ = read(
        "zh",
        (
            "3天前于外院查血常规：白细胞计数 12.1×10^9/L，血红蛋白 131 g/L，血小板计数 201×10^9/L。"
            "给予“头孢克肟” 100 mg 、“氨溴索” 30 mg 口服，无缓解。",
            Topic.PRESENT_ILLNESS,
        ),
    )
    result = [f for f in facts if "血小板" in f.statement]
    assert len(result) == 1
    assert "白细胞" in result[0].statement
    assert result[0].topic is Topic.PRIOR_CARE
    drugs = [f for f in facts if "头孢" in f.statement]
    assert len(drugs) == 1
    assert "氨溴索" in drugs[0].statement
    assert all(f.statement.count("“") == f.statement.count("”") for f in facts)


def test_diseases_beside_a_treated_one_are_no_medication_and_symptoms_no_cycle() -> None:
    text = "History of uveitis treated with steroids, Crohn's disease, hypertension, and asthma."
    facts, _ = read("en", (text, Topic.PAST_HISTORY))
    assert {f.topic for f in facts} == {Topic.PAST_HISTORY}
    facts, _ = read("zh", ("半年前因月经失血过多出现乏力、心悸，休息后乏力可缓解", Topic.PRESENT_ILLNESS))
    assert {f.topic for f in facts} == {Topic.PRESENT_ILLNESS}
    facts, _ = read(
        "en", ("He has been on a stable regimen of lisinopril, simvastatin, and omeprazole.", Topic.PRESENT_ILLNESS)
    )
    assert {f.topic for f in facts} == {Topic.MEDICATION}


def test_an_illness_of_a_relative_stays_the_relatives() -> None:
    facts, _ = read("en", ("The patient's father has a history of psoriasis.", Topic.PRESENT_ILLNESS))
    assert facts[0].topic is Topic.FAMILY
    assert "father" in facts[0].statement


def echoes(language: Language, *fields: tuple[str, Topic]) -> list[tuple[str, str]]:
    """Each echo with what it repeats."""
    facts, _ = read(language, *fields)
    by_id = {f.id: f.statement for f in facts}
    return [(f.statement, by_id[f.echo_of]) for f in facts if f.echo_of]


STORY, REVIEW = Topic.PRESENT_ILLNESS, Topic.REVIEW_OF_SYSTEMS


def test_the_same_thing_said_again_is_an_echo() -> None:
    assert echoes(
        "en", ("She has been increasingly confused over the past days.", STORY), ("Increased confusion", REVIEW)
    )
    assert echoes("zh", ("出现双下肢水肿，无心悸", STORY), ("双下肢水肿，无心悸", REVIEW)) == [
        ("双下肢水肿", "出现双下肢水肿"),
        ("无心悸", "无心悸"),
    ]


@pytest.mark.parametrize(
    ("language", "first", "second"),
    [
        ("zh", "腹痛略缓解", "腹痛未缓解"),
        ("zh", "右侧肢体无力", "左侧肢体无力"),
        ("zh", "1年前出现头晕", "3天前出现头晕"),
        ("zh", "否认高血压", "否认"),
        ("zh", "曾于外院就诊", "遂就诊于当地医院"),
        ("en", "Pain in the left knee", "Pain in the right knee"),
        ("en", "No pain with swallowing", "No pain"),
        ("en", "Denies numbness or weakness", "No numbness, or paresthesias"),
        ("en", "The rash has been present for a month", "Blisters with a yellow crust"),
        ("en", "Pain improves with rest", "Pain worsens with exercise"),
    ],
)
def test_what_differs_in_side_time_direction_or_width_is_none(language: Language, first: str, second: str) -> None:
    assert echoes(language, (first, STORY), (second, REVIEW)) == []


@pytest.mark.parametrize(
    ("answer", "code", "text"),
    [
        ("胆囊结石伴慢性胆囊炎", "K80.1", "以“胆囊结石”收入我科"),
        ("支气管扩张症", "J47", "胸部CT示双肺支气管呈囊状扩张"),
        ("子宫内膜异位症", "N80", "B超提示左卵巢巧克力囊肿？"),
        ("腰痛", "M54.5", "外院CT发现腰椎间盘突出"),
        ("阵发性室上性心动过速", "I47.1", "为行射频消融收住我科"),
        ("宫颈癌", "C53", "病理回报：中分化鳞状细胞癌"),
        ("宫颈癌", "C53", "HPV16阳性"),
        ("急性脑梗死", "I63", "门诊以“急性脑血管病”收入院"),
        ("Myocardial infarction", "I21", "He was told that he had a heart attack"),
        ("Pneumonia", "J18.9", "Diagnosed with pneumonia last week"),
    ],
)
def test_what_all_but_names_the_answer_betrays_it(answer: str, code: str, text: str) -> None:
    assert betrays(text, (code,), (answer,)) is not None


@pytest.mark.parametrize(
    ("answer", "code", "text"),
    [
        ("支气管扩张症", "J47", "咳嗽、咳痰20年"),
        ("宫颈癌", "C53", "性生活后阴道流血"),
        ("宫颈癌", "C53", "5年前行左眼基底细胞癌手术"),
        ("Lung cancer", "C34", "Colon cancer, treated ten years ago"),
        ("Lung cancer", "C34", "Cough with blood"),
        ("急性脑梗死", "I63", "左侧肢体无力3天"),
    ],
)
def test_symptoms_and_other_diseases_do_not(answer: str, code: str, text: str) -> None:
    assert betrays(text, (code,), (answer,)) is None


def test_a_relatives_same_disease_stays_and_is_flagged_while_the_patients_is_withheld() -> None:
    facts, findings = read(
        "zh",
        ("外院诊断为“肺癌”，咳嗽1年", Topic.PRESENT_ILLNESS),
        ("父亲患有肺癌，已故", Topic.FAMILY),
        answer="肺恶性肿瘤",
    )
    assert [f.topic for f in facts if "肺癌" in f.statement] == [Topic.FAMILY]
    assert findings.withheld == ["field0"]
    assert set(findings.flags) == {"leak:field0", "family:field1"}


def test_an_examiners_words_go_to_the_examination() -> None:
    taken: list[str] = []
    book = FactBook("en", "patient", lambda _: False, lambda _: False, Findings(), lambda _, words: taken.append(words))
    for text in ("Scleral icterus noted on examination", "Tenderness to palpation of the wrist", "Yellow eyes"):
        book.add("Symptoms", text, Topic.PRESENT_ILLNESS, whole=True)
    assert len(taken) == 2
    assert [f.statement for f in book.facts()] == ["Yellow eyes"]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("Denies a fever", "No fever"),
        ("Smokes a pack a day since he was 20", "I smoke a pack a day since I was 20"),
        ("Has not completely resolved", None),
        ("A fullness in the belly and has difficulty with his belt", None),
        ("Denies drinking alcohol", None),
    ],
)
def test_the_patients_words_are_in_one_person_or_left_open(statement: str, words: str | None) -> None:
    assert patient_words(statement, "en", "patient") == words


def test_a_test_is_read_under_its_heading() -> None:
    book = ExamBook("en")
    book.walk(
        "Tests", "Tests", {"Urinalysis": {"Glucose": "3+"}, "Blood Tests": {"Glucose": "9 mmol/L"}}, physical=False
    )
    assert next(e.code for e in book.exams()).startswith("lab.urinalysis")
    assert "lab.glucose" in {e.code for e in book.exams()}


def test_a_new_folder_has_the_permissions_of_the_umask(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    assert stat.S_IMODE(_staging(tmp_path / "pack").stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_values_that_mean_nothing_alone_keep_their_key_and_placeholders_are_nothing(tmp_path: Path) -> None:
    actor = {
        "Demographics": "40-year-old woman",
        "History": "She has a headache.",
        "Medications": ["Naproxen", None, "Not provided"],
        "Obstetric_History": {"Parity": 4, "Miscarriages": "None"},
        "Social_History": {"Smoking": "No"},
        "Pet_Contact": {"Dog": "Keeps a dog"},
    }
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"OSCE_Examination": {"Patient_Actor": actor}}), "utf-8")
    case = next(iter(import_records("agentclinic", path))).case
    assert case is not None
    told = {f.statement: f.polarity for f in case.facts}
    assert told["Parity: 4"] is Polarity.PRESENT
    assert told["No smoking"] is Polarity.ABSENT
    assert "Keeps a dog" in told, "unknown sections are walked"
    assert [f.statement for f in case.facts if f.topic is Topic.MEDICATION] == ["Naproxen"]
    assert not any("None" in s or "provided" in s for s in told)
